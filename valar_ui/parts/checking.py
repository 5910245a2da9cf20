"""The Check page's pieces: totals and meters, causes with their mends, rows on demand, downloads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from valar_ui import downloads, limits, session
from valar_ui.checks import check_label
from valar_ui.ledger import Draft
from valar_ui.parts import costs, problems
from valar_ui.parts.frame import count
from valar_ui.plan import Plan, plan
from valar_ui.prepare import Prepared, compare, problems_csv, problems_page, sheet_with_problems
from valar_ui.problems import Group, Problem, Severity
from valar_ui.readers import Reading
from valar_ui.recipe import Collapse, EditCell, LeaveOut, LeaveOutRow, MakeLegalIds, MendNumbers, Step
from valar_ui.session import literal
from valar_ui.spool import megabytes

PAGE_ROWS: Final = 25
ID_CODES: Final = ("id-characters", "id-length", "id-repeated", "id-empty")


def failed(draft: Draft, fault: Exception) -> None:
    """Checking could not be done at all; it can be tried again."""
    told = literal(str(fault), most=300) if isinstance(fault, OSError) else type(fault).__name__
    st.error(f"Checking stopped: {told}. Your file and your mapping are safe.")
    st.button("Try again", key="check-again", type="primary", on_click=session.desk().prepare_again, args=(draft,))


def label_and_plan(draft: Draft, prepared: Prepared) -> Plan:
    """How the requests are cut into parts under the draft's label; a label that is no label counts as none."""
    return plan(prepared.sizes, draft.label if check_label(draft.label) is None else "")


def label_input(draft: Draft, prepared: Prepared) -> tuple[str, Problem | None]:
    """The batch's label, checked while typing; it is kept with the draft even while it is none yet."""
    typed = st.text_input(
        "Label",
        draft.label,
        key=f"label-{draft.id}",
        max_chars=limits.MAX_LABEL,
        live=True,
        placeholder="reviews-november",
        help=f"To find the batch again: letters, digits, - and _, at most {limits.MAX_LABEL}. Left empty, one is made.",
    )
    label = (typed or "").strip()
    session.desk().save_label(draft, label)
    flaw = check_label(label) or check_label(label, parts=max(len(plan(prepared.sizes, label).parts), 1))
    if flaw is not None:
        st.error(f"{literal(flaw.text)} {literal(flaw.hint)}")
    return label, flaw


def totals(prepared: Prepared, parts: Plan) -> None:
    """What goes, what stays, how full the batch is."""
    st.markdown(f"### {prepared.requests:,} of {count(prepared.rows, 'row')} will be sent")
    told = []
    if prepared.left_out:
        told.append(f"{count(prepared.left_out, 'row')} left out")
    if prepared.blocked:
        told.append(f"{count(prepared.blocked, 'row')} with errors")
    if prepared.collapsed:
        told.append(f"{count(prepared.collapsed, 'row')} filled from another row's answer")
    if told:
        st.markdown(" · ".join(told))
    requests, size = st.columns(2)
    fullest = max((part.count for part in parts.parts), default=0)
    largest = max((part.body_bytes for part in parts.parts), default=0)
    where = "in a batch" if len(parts.parts) < 2 else f"in the fullest of {len(parts.parts)} batches"
    requests.progress(
        min(fullest / limits.MAX_REQUESTS, 1.0), text=f"{fullest:,} of {limits.MAX_REQUESTS:,} requests {where}"
    )
    size.progress(
        min(largest / limits.MAX_BODY_BYTES, 1.0),
        text=f"{megabytes(largest)} ({largest:,} bytes) of {limits.MAX_BODY_BYTES // 1_000_000} MB {where}",
    )
    if len(parts.parts) > 1:
        cut = " + ".join(f"{part.count:,}" for part in parts.parts[:6]) + (" + …" if len(parts.parts) > 6 else "")
        st.info(
            f"More than one batch holds: **{len(parts.parts)} parts**, {cut} requests.", icon=":material/splitscreen:"
        )


def compared(draft: Draft, prepared: Prepared) -> None:
    """What is better and what is worse than with the file before."""
    before = session.desk().earlier(draft, prepared)
    if before is None:
        return
    found = compare(before, prepared)
    for words, changes in (("Better than the file before", found.better), ("Worse than the file before", found.worse)):
        if changes:
            st.markdown(f"**{words}**")
            for change in changes:
                st.markdown(f"- {literal(change.example, most=200)} {change.before:,} → {change.after:,}")


def _save(draft: Draft, steps: Sequence[Step]) -> None:
    session.desk().save_steps(draft, steps)


def _told(step: Step) -> str:
    match step:
        case LeaveOut(code="*"):
            return "Rows with errors are left out"
        case LeaveOut(code=code, column=column):
            return f"Rows left out: {literal(code)}" + (f", column {literal(column)}" if column else "")
        case LeaveOutRow(row=row):
            return f"Row {row:,} is left out"
        case EditCell(row=row, column=column, text=text):
            return f"Row {row:,}, {literal(column)}: now “{literal(text, most=60)}”"
        case Collapse():
            return "Identical requests are sent once"
        case MakeLegalIds():
            return "Ids are made legal"
        case MendNumbers(column=column):
            return f"{literal(column)}: numbers are read as they are meant (0,7 as 0.7)"


def mends(draft: Draft, steps: Sequence[Step]) -> None:
    """What was mended so far; each can be taken back."""
    if not steps:
        return
    with st.container(border=True):
        st.markdown("**Mended here** (the file itself stays as it is)")
        for at, step in enumerate(steps):
            said, button = st.columns([5, 1], vertical_alignment="center")
            said.markdown(_told(step))
            rest = [*steps[:at], *steps[at + 1 :]]
            button.button("Undo", key=f"undo-{at}", on_click=_save, args=(draft, rest), width="stretch")


def groups(draft: Draft, reading: Reading, prepared: Prepared, steps: Sequence[Step]) -> None:
    """Every cause, worst first, each with its safe mends and all of its rows."""
    found = prepared.report.groups
    if not found:
        st.success("No problem in any row.", icon=":material/task_alt:")
        return
    errors = [group for group in found if group.severity is Severity.ERROR]
    if errors and any(group.rows for group in errors) and prepared.blocked:
        label = f"Leave out the {count(prepared.blocked, 'row')} with errors"
        st.button(
            label, key="leave-out-all", icon=":material/playlist_remove:", on_click=_save,
            args=(draft, [*steps, LeaveOut(code="*")]),
        )  # fmt: skip
    kinds = st.segmented_control(
        "Show", ["error", "warning", "note"], selection_mode="multi", default=["error", "warning", "note"], key="kinds",
        format_func=lambda it: f"{it}s ({prepared.report.count(Severity(it)):,})", label_visibility="collapsed",
    )  # fmt: skip
    columns = sorted({group.column for group in found if group.column})
    only = (
        st.selectbox("Column", [None, *columns], key="only-column", format_func=lambda it: it or "all columns")
        if len(columns) > 1
        else None
    )
    for group in found:
        if group.severity in (kinds or []) and only in (None, group.column):
            with st.container(border=True):
                said, buttons = st.columns([5, 2], vertical_alignment="center")
                with said:
                    problems.group(group)
                with buttons:
                    _remedies(draft, prepared, group, steps)
                if group.rows:
                    _rows(draft, reading, prepared, group, steps)


def _cause(group: Group) -> str:
    """Names a group among the widgets, so that each keeps its own state when another group goes."""
    return f"{group.code}-{group.column or ''}"


def _remedies(draft: Draft, prepared: Prepared, group: Group, steps: Sequence[Step]) -> None:
    offered: list[tuple[str, Step]] = []
    if group.code in ID_CODES:
        offered.append(("Make legal ids", MakeLegalIds()))
    if group.code == "identical-request":
        offered.append(("Send once, fill all", Collapse()))
        if Collapse() not in steps:
            st.caption(f"Saves {count(group.count, 'request')}{costs.saving(prepared)}")
    if group.rows and group.severity is not Severity.NOTE:
        offered.append(("Leave these rows out", LeaveOut(code=group.code, column=group.column)))
    for label, step in offered:
        if step not in steps:
            key = f"mend-{step.kind}-{_cause(group)}"
            st.button(label, key=key, on_click=_save, args=(draft, [*steps, step]), width="stretch")


def _rows(draft: Draft, reading: Reading, prepared: Prepared, group: Group, steps: Sequence[Step]) -> None:
    cause = _cause(group)
    if not st.toggle(f"Show {count(group.count, 'row')}", key=f"rows-{cause}"):
        return
    pages = -(-group.count // PAGE_ROWS)
    page = st.number_input(f"Page of {pages:,}", 1, pages, key=f"rows-page-{cause}") if pages > 1 else 1
    found = problems_page(
        prepared, code=group.code, column=group.column, offset=(int(page) - 1) * PAGE_ROWS, limit=PAGE_ROWS
    )
    st.dataframe(_frame(found, reading), hide_index=True, key=f"rows-table-{cause}")
    fixable = [problem for problem in found if problem.row is not None and problem.column in reading.columns]
    if fixable:
        _edit_cell(draft, reading, fixable, cause, steps)


def _edit_cell(draft: Draft, reading: Reading, found: Sequence[Problem], cause: str, steps: Sequence[Step]) -> None:
    which, what, keep = st.columns([1, 3, 1], vertical_alignment="bottom")
    rows = [problem.row for problem in found if problem.row is not None]
    row = which.selectbox("Mend row", rows, key=f"edit-row-{cause}", format_func=lambda it: f"{it:,}")
    column = next(problem.column for problem in found if problem.row == row)
    index = reading.table.index_of(row)
    if column is None or index is None:
        return
    edited = {(it.row, it.column): it.text for it in steps if isinstance(it, EditCell)}
    now = edited.get((row, column), reading.table.row(index)[reading.columns.index(column)])
    text = what.text_input(f"{literal(column)} in row {row:,}", now, key=f"edit-text-{cause}-{row}")
    rest = [it for it in steps if not (isinstance(it, EditCell) and (it.row, it.column) == (row, column))]
    step = EditCell(row=row, column=column, text=text)
    keep.button("Use this", key=f"edit-keep-{cause}", disabled=text == now, on_click=_save, args=(draft, [*rest, step]))


def _frame(found: Sequence[Problem], reading: Reading) -> pd.DataFrame:
    rows = []
    for problem in found:
        index = reading.table.index_of(problem.row) if problem.row is not None else None
        cell = ""
        if index is not None and problem.column in reading.columns:
            cell = reading.table.row(index)[reading.columns.index(problem.column)][:300]
        rows.append(
            {
                "row": problem.row,
                "line": problem.line,
                "column": problem.column or "",
                "cell": cell,
                "what is wrong": problem.text,
                "what to do": problem.hint,
            }
        )
    table = pd.DataFrame(rows)
    return table.drop(columns=[name for name in ("line", "column", "cell") if not table[name].any()])


def lookup(prepared: Prepared) -> None:
    """The problems of one row."""
    row = st.number_input(
        "Look up a row", min_value=0, value=None, step=1, key="lookup", placeholder="Row number in the sheet"
    )
    if row is None:
        return
    found = problems_page(prepared, row=int(row))
    if not found:
        st.success(f"Row {int(row):,} has no problem.")
    for problem in found:
        st.markdown(
            f"{problems.ICONS[problem.severity]} {literal(problem.text, most=400)} {literal(problem.hint, most=400)}"
        )


def _link(path: Path) -> str:
    running = session.services()
    token = downloads.sign(
        path, home=running.settings.home, secret=running.settings.install_secret(), now=session.now()
    )
    return session.own_address(f"download/{token}")


def downloads_row(reading: Reading, prepared: Prepared) -> None:
    """The list of problems, and the sheet with a Problem column."""
    if not len(prepared.report):
        return
    with st.container(horizontal=True):
        st.link_button(
            "Download the problems (CSV)", _link(problems_csv(prepared)), icon=":material/download:", key="problems-csv"
        )
        if st.button(
            "Prepare the sheet with a Problem column", key="sheet-with-problems", icon=":material/table_edit:"
        ):
            with st.spinner("Writing the sheet …"):
                made = sheet_with_problems(reading, prepared, prepared.folder / "sheet-with-problems.xlsx")
            st.link_button(f"Download {literal(made.name)}", _link(made), icon=":material/download:", key="sheet-file")
            st.caption(
                "Fix it in your spreadsheet program, then drop it on Upload with *Replace*: Check says what got better."
            )


def why_not(prepared: Prepared, parts: Plan, label_flaw: Problem | None = None) -> str | None:
    """Why nothing can be submitted yet, or None."""
    if label_flaw is not None:
        return f"The label cannot be sent: {literal(label_flaw.text)}"
    if not parts.parts:
        return "No row is left to send."
    if prepared.ok:
        return None
    if prepared.blocked:
        return f"{count(prepared.blocked, 'row')} with errors: mend them or leave them out first."
    return "Mend the errors above first."
