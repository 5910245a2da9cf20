"""The Check page's causes: filtered, each with its safe mends and all of its rows; one row looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from valar_ui import session
from valar_ui.compose import prompt_columns, sources
from valar_ui.ids import Edits
from valar_ui.ledger import Draft
from valar_ui.params import mended_number
from valar_ui.parts import costs, preview, problems
from valar_ui.parts.frame import count
from valar_ui.prepare import Prepared, problems_page
from valar_ui.problems import Group, Problem, Severity, title
from valar_ui.readers import Reading
from valar_ui.recipe import (
    Collapse,
    EditCell,
    FromColumn,
    LeaveOut,
    LeaveOutRow,
    MakeLegalIds,
    MendNumbers,
    Recipe,
    Step,
)
from valar_ui.session import literal

PAGE_ROWS: Final = 25
ID_CODES: Final = ("id-characters", "id-length", "id-repeated", "id-empty")
OWN: Final = ("row", "line", "id", "column", "cell", "what is wrong", "what to do")
"""What the table of rows tells by itself; two columns of the sheet stand among it, so that one knows the record."""
SHOWN_BESIDE: Final = 80
Rows = npt.NDArray[np.uint64]
SHOWN_CELL: Final = 300
"""Characters of a cell that a table of rows shows."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What the page is about."""

    draft: Draft
    reading: Reading
    recipe: Recipe
    prepared: Prepared
    steps: tuple[Step, ...]

    def add(self, step: Step) -> None:
        """Mend it so."""
        session.desk().add_step(self.draft, step)

    def cell(self, row: int, column: str | None) -> str | None:
        """A cell as it is sent: as mended, else as the sheet has it; None where there is none."""
        mended = Edits(self.steps).rows.get(row, {}).get(column or "")
        if mended is not None:
            return mended
        index = self.reading.table.index_of(row)
        if index is None or column not in self.reading.columns:
            return None
        return self.reading.table.row(index)[self.reading.columns.index(column)]


def overview(here: Checked) -> None:
    """Every cause that the filters let through, worst first; the row that is looked up, on top."""
    found = here.prepared.report.groups
    if not found:
        st.success("No problem in any row.", icon=":material/task_alt:")
    elif here.prepared.blocked and any(group.rows for group in found if group.severity is Severity.ERROR):
        st.button(
            "Leave out "
            + ("the row" if here.prepared.blocked == 1 else f"the {count(here.prepared.blocked, 'row')}")
            + " with errors",
            key="leave-out-all",
            icon=":material/playlist_remove:",
            on_click=here.add,
            args=(LeaveOut(code="*"),),
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = _filtered(found)
        row = st.number_input(
            "Look up a row", min_value=0, value=None, step=1, key="lookup", placeholder="its number", width=160
        )
    if row is not None:
        with st.container(border=True, key="looked-up"):
            _look_up(here, int(row))
    still = _still(here.prepared)
    for group in chosen:
        with st.container(border=True):
            said, buttons = st.columns([5, 2], vertical_alignment="center")
            with said:
                problems.group(group)
                _which_go(group, *still)
            with buttons:
                _remedies(here, group)
            if group.rows:
                _rows(here, group)


def _still(prepared: Prepared) -> tuple[Rows, Rows]:
    """The rows that do not go as they are: those with errors, and those filled from another row's answer."""
    errors = [group.rows for group in prepared.report.groups if group.severity is Severity.ERROR]
    blocked = np.concatenate([np.empty(0, np.uint64), *(np.frombuffer(rows, np.uint64) for rows in errors)])
    return np.unique(blocked), prepared.filled_rows()


def _which_go(group: Group, blocked: Rows, filled: Rows) -> None:
    """Of the rows with a warning, how many are sent, where that is not all of them."""
    if group.severity is not Severity.WARNING or not group.rows:
        return
    rows = np.unique(np.frombuffer(group.rows, np.uint64))
    flawed, other = int(np.isin(rows, blocked).sum()), int(np.isin(rows, filled).sum())
    if flawed or other:
        told = [f"{flawed:,} {'has' if flawed == 1 else 'have'} errors"] if flawed else []
        told += [f"{other:,} {'is' if other == 1 else 'are'} filled from another row's answer"] if other else []
        st.caption(f"{len(rows) - flawed - other:,} of {count(len(rows), 'row')} will be sent; {', '.join(told)}.")


def _filtered(found: Sequence[Group]) -> list[Group]:
    """The groups of the chosen severities, cause and column; filters that would filter nothing are not drawn."""
    if len(found) < 2:
        return list(found)
    severities = [kind for kind in Severity if any(group.severity is kind for group in found)]
    kinds = st.segmented_control(
        "Show",
        severities,
        selection_mode="multi",
        default=severities,
        key="kinds-" + "-".join(severities),
        format_func=lambda it: f"{it.value}s ({sum(group.severity is it for group in found)})",
    )
    left = [group for group in found if group.severity in kinds]
    causes = sorted({group.code for group in found}, key=title)
    cause = _one_of("Cause", "cause", causes, title)
    column = _one_of("Column", "column", sorted({group.column for group in found if group.column}), str)
    return [group for group in left if cause in ("", group.code) and column in ("", group.column)]


def _one_of(label: str, name: str, options: Sequence[str], words: Callable[[str], str]) -> str:
    """One of the options, or all: the empty text."""
    if len(options) < 2:
        return ""
    return st.selectbox(
        label, ["", *options], key=f"only-{name}", format_func=lambda it: words(it) if it else "all", width=170
    )


def _cause(group: Group) -> str:
    """Names a group among the widgets, so that each keeps its own state when another group goes."""
    return f"{group.code}-{group.column or ''}"


def _remedies(here: Checked, group: Group) -> None:
    offered: list[tuple[str, Step]] = []
    if group.code in ID_CODES:
        offered.append(("Make legal ids", MakeLegalIds()))
    if group.code == "identical-request":
        offered.append(("Send once, fill all", Collapse()))
        if Collapse() not in here.steps:
            st.caption(f"Saves {count(group.count, 'request')}{costs.saving(here.prepared)}")
    offered += _numbers_meant(here, group)
    if group.rows and group.severity is not Severity.NOTE:
        label = "Leave this row out" if problems.distinct_rows(group) == 1 else "Leave these rows out"
        if group.code == "id-shared":
            keep_first = LeaveOut(code=group.code, column=group.column, keep_first=True)
            offered.append(("Keep the first of each", keep_first))
            label = "Leave all of them out"
        offered.append((label, LeaveOut(code=group.code, column=group.column)))
    for label, step in offered:
        if step not in here.steps:
            first = "keep-first" if isinstance(step, LeaveOut) and step.keep_first else step.kind
            key = f"mend-{first}-{_cause(group)}"
            st.button(label, key=key, on_click=here.add, args=(step,), width="stretch")


def _numbers_meant(here: Checked, group: Group) -> list[tuple[str, Step]]:
    """`Read 0,7 as 0.7`, where a cell of the group is a number written another way."""
    params = [
        name
        for name, source in sources(here.recipe)
        if isinstance(source, FromColumn) and source.column == group.column and group.code == f"{name}-number"
    ]
    for problem in group.examples if params and group.column else ():
        cell = here.cell(problem.row, group.column) if problem.row is not None else None
        meant = mended_number(params[0], cell) if cell is not None else None
        if cell != meant:
            assert group.column is not None
            written = literal(cell or "", most=20) if (cell or "").strip() != meant else "it without the spaces,"
            return [(f"Read {written} as {meant}", MendNumbers(column=group.column))]
    return []


def _rows(here: Checked, group: Group) -> None:
    cause = _cause(group)
    if not st.toggle(f"Show {count(problems.distinct_rows(group), 'row')}", key=f"rows-{cause}"):
        return
    pages = -(-group.count // PAGE_ROWS)
    page = st.number_input(f"Page of {pages:,}", 1, pages, key=f"rows-page-{cause}", width=160) if pages > 1 else 1
    found = problems_page(here.prepared, cause=group.cause, offset=(int(page) - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    st.dataframe(_frame(here, found), hide_index=True, key=f"rows-table-{cause}")
    fixable = {it.row: cells for it in found if it.row is not None and (cells := _cells(here, it))}
    if fixable:
        _edit_cell(here, fixable, cause)


def _cells(here: Checked, problem: Problem) -> list[str]:
    """The columns whose cell may mend a problem: its own; where all of the prompt is empty, any that it asks for."""
    if problem.column in here.reading.columns:
        return [problem.column]
    return prompt_columns(here.recipe, here.reading.columns) if problem.code == "empty-prompt" else []


def _edit_cell(here: Checked, fixable: Mapping[int, Sequence[str]], cause: str) -> None:
    """A cell of one of these rows, to type it anew."""
    several = any(len(columns) > 1 for columns in fixable.values())
    which, *where, what, keep = st.columns([1, 1.5, 3, 1] if several else [1, 3, 1], vertical_alignment="bottom")
    row = which.selectbox("Mend row", list(fixable), key=f"edit-row-{cause}", format_func=lambda it: f"{it:,}")
    column, key = fixable[row][0], f"edit-text-{cause}-{row}"
    for place in where:
        column = place.selectbox("Column", fixable[row], key=f"edit-column-{cause}")
        key = f"{key}-{column}"
    now = here.cell(row, column)
    if now is None:
        return
    label = f"{literal(column)} in row {row:,}"
    # A field of one line would lose the line breaks with the first letter typed.
    lines = "\n" in now or "\r" in now
    text = what.text_area(label, now, key=key) if lines else what.text_input(label, now, key=key, live=True)
    unchanged = not lines and text == now
    keep.button(
        "Use this", key=f"edit-keep-{cause}", disabled=unchanged, on_click=_use, args=(here, row, column, now, key)
    )


def _use(here: Checked, row: int, column: str, now: str, key: str) -> None:
    """Take the text of the box with this key for a cell that holds `now`."""
    text = like_breaks(st.session_state.get(key) or "", now)
    if text != now:
        here.add(EditCell(row=row, column=column, text=text))


def like_breaks(text: str, cell: str) -> str:
    """A typed text with the line breaks that the cell has: a browser knows one kind only."""
    for mark in ("\r\n", "\r"):
        if mark in cell and "\n" not in cell.replace(mark, ""):
            return text.replace("\r\n", "\n").replace("\n", mark)
    return text


def _frame(here: Checked, found: Sequence[Problem]) -> pd.DataFrame:
    """One line a problem: where it is, the id, the cell, and what is wrong where that differs from row to row."""
    named = here.recipe.custom_id.column
    flawed = {problem.column for problem in found}
    # A column called id stands under that name, as long as no other one names the rows.
    own = {*OWN} - ({"id"} if named is None else set())
    beside = [name for name in here.reading.columns if name not in {named, *flawed, *own}][:2]
    rows = [
        {
            "row": problem.row,
            "line": problem.line,
            "id": (here.cell(problem.row, named) or "")[:SHOWN_CELL] if problem.row is not None else "",
            **{name: (here.cell(problem.row, name) or "")[:SHOWN_BESIDE] if problem.row else "" for name in beside},
            "column": problem.column or "",
            "cell": (here.cell(problem.row, problem.column) or "")[:SHOWN_CELL] if problem.row is not None else "",
            "what is wrong": problem.text,
            "what to do": problem.hint,
        }
        for problem in found
    ]
    table = pd.DataFrame(rows)
    idle = [name for name in ("line", "id", "cell") if not table[name].any()]
    idle += [name for name in ("column", "what is wrong", "what to do") if table[name].nunique() < 2]
    if "line" not in idle and (table["line"] == table["row"]).all():
        idle.append("line")
    if named is not None and (table["column"] == named).all():
        idle.append("id")
    return table.drop(columns=idle)


def _look_up(here: Checked, row: int) -> None:
    """What becomes of one row: its problems, whether it goes, and its request."""
    st.markdown(f"**Row {row:,}**")
    told = problems_page(here.prepared, row=row)
    gone = problems_page(here.prepared, row=row, left_out=True)
    index = here.reading.table.index_of(row)
    if index is None and not (told or gone):
        st.info("The sheet has no such row with data.", icon=":material/search_off:")
        return
    gone_by_hand = any(isinstance(step, LeaveOutRow) and step.row == row for step in here.steps)
    if gone or gone_by_hand:
        st.info("This row is left out.", icon=":material/playlist_remove:")
    elif not told:
        st.success("This row has no problem.", icon=":material/task_alt:")
    for problem in (*told, *gone):
        st.markdown(
            f"{problems.ICONS[problem.severity]} {literal(problem.text, most=400)} {literal(problem.hint, most=400)}"
        )
    if index is not None:
        if not (gone or gone_by_hand):
            st.button("Leave this row out", key="leave-row-out", on_click=here.add, args=(LeaveOutRow(row=row),))
        preview.folded_row(here.reading, here.recipe, index, here.steps)
