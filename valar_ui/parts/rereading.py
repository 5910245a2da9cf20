"""How a file was read: in words, with a control beside each guess that reads it again at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pandas as pd
import streamlit as st

from valar_ui import session
from valar_ui.ledger import Draft
from valar_ui.parts.frame import count
from valar_ui.problems import Group
from valar_ui.readers import Reading, ReadOptions
from valar_ui.readers.encodings import NAMES
from valar_ui.session import literal
from valar_ui.spool import megabytes

SHOWN_CELLS: Final = 50
"""Cells of a column that are shown as examples of a guessed encoding."""
DELIMITERS: Final = {",": "Commas", ";": "Semicolons", "\t": "Tabs", "|": "Vertical bars"}


def _sentence(reading: Reading) -> str:
    words = []
    if reading.format in ("csv", "tsv") and reading.delimiter:
        words.append(DELIMITERS.get(reading.delimiter, literal(repr(reading.delimiter))))
    else:
        words.append(
            {"xlsx": "Excel workbook", "xls": "old Excel workbook", "ods": "OpenDocument sheet"}.get(
                reading.format,
                {"jsonl": "JSON lines", "json": "JSON", "parquet": "Parquet"}.get(reading.format, "Text"),
            )
        )
    if reading.gzip:
        words.append("compressed (gzip)")
    if reading.encoding:
        shown = NAMES.get(reading.encoding, reading.encoding)
        cells = sum(group.count for group in _foreign(reading))
        accents = f": {count(cells, 'cell')} beyond plain letters" if cells else ""
        words.append(literal(shown) + (f" (a guess{accents})" if reading.encoding_guessed else ""))
    if reading.header_row is not None:
        words.append(f"headings in row {reading.header_row}" if reading.header_row else "no headings")
    if reading.sheet:
        others = [sheet for sheet in reading.sheets if sheet.name != reading.sheet]
        hidden = sum(not sheet.visible for sheet in others)
        told = f" ({count(len(others), 'other')}{f', {hidden} hidden' if hidden else ''})" if others else ""
        words.append(f"sheet “{literal(reading.sheet)}”{told}")
    return ", ".join(words)


def _foreign(reading: Reading) -> list[Group]:
    """The cells that show whether a guessed encoding is right."""
    return [group for group in reading.report.groups if group.code == "guessed-characters"]


def _foreign_cells(reading: Reading) -> pd.DataFrame:
    """The first of them in each column, as they were read."""
    found = []
    for group in _foreign(reading):
        for row in group.rows[:SHOWN_CELLS]:
            index = reading.table.index_of(row)
            if index is not None and group.column is not None:
                cell = reading.table.row(index)[reading.columns.index(group.column)]
                found.append({"row": row, "column": group.column, "cell": cell[:500]})
    return pd.DataFrame(found)


def told(reading: Reading) -> None:
    """Rows, columns and guesses in words; the records add up."""
    unread = reading.records_refused
    rows = count(reading.rows + unread, "row") + (f", {unread:,} of them unreadable" if unread else "")
    st.markdown(
        f"**{rows} · {count(len(reading.columns), 'column')}** · {megabytes(reading.size)}"
        f"  \nRead as: {_sentence(reading)}."
    )
    if _foreign(reading):
        with st.popover("See those cells", icon=":material/translate:", key="foreign"):
            st.dataframe(_foreign_cells(reading), hide_index=True, key="foreign-cells")
    if reading.recognised_as == "valar-requests":
        st.success("These are ready-made requests: there is nothing to map.", icon=":material/task_alt:")
    elif reading.recognised_as == "openai-batch":
        st.success(
            "This is an OpenAI batch file. It was converted; there is nothing to map.", icon=":material/task_alt:"
        )
        for change in reading.changes:
            st.markdown(f"- {literal(change, most=400)}")
    parts = [
        (reading.records_above, "above the data" if reading.options.first_data_row else "above the headings"),
        (reading.records_heading, "heading" if reading.records_heading == 1 else "headings"),
        (reading.rows, ("readable " if unread else "") + ("row" if reading.rows == 1 else "rows")),
        (reading.records_blank, "blank"),
        (reading.records_left_out, "left out"),
        (reading.records_refused, "unreadable"),
    ]
    if reading.records and reading.records != reading.rows:
        told = " + ".join(f"{number:,} {word}" for number, word in parts if number)
        st.caption(f"{count(reading.records, 'record')} = {told}")


def again(draft: Draft, options: ReadOptions) -> None:
    session.desk().read(draft, options)


def as_before(draft: Draft, options: ReadOptions) -> None:
    """Go back to a way of reading that worked; the controls forget what was tried."""
    session.state().rereads += 1
    again(draft, options)


def controls(draft: Draft, reading: Reading | None, *, text: bool = True) -> None:
    """One control for each guess; a change reads the file again at once. A file that was not read may be no `text`."""
    options = reading.options if reading else ReadOptions()
    turn = f"{draft.id}-{draft.upload}-{session.state().rereads}-{options}"
    changed: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"reread-{draft.id}"):
        if reading.delimiter is not None if reading else text:
            changed["delimiter"] = _choice(
                "Cells end with",
                DELIMITERS,
                options.delimiter,
                reading.delimiter if reading else None,
                f"del-{turn}",
                width=180,
            )
        if reading.encoding is not None if reading else text:
            changed["encoding"] = _choice(
                "Characters",
                NAMES,
                options.encoding,
                reading.encoding if reading else None,
                f"enc-{turn}",
                width=200,
            )
        if reading is not None and len(reading.sheets) > 1:
            changed["sheet"] = _sheet(reading, f"sheet-{turn}")
        if reading is None:
            row = st.number_input(
                "Headings in row (0: none)", 0, 10_000, None, key=f"head-{turn}", placeholder="find out", width=180
            )
            changed["header_row"] = None if row is None else int(row)
        elif reading.header_row is not None:
            row = st.number_input(
                "Headings in row (0: none)", 0, 10_000, reading.header_row, key=f"head-{turn}", width=180
            )
            changed["header_row"] = options.header_row if row == reading.header_row else int(row)
            after = reading.header_row + 1
            here = max(options.first_data_row or after, after)
            first = int(st.number_input("Data begins in row", after, 10_000_000, here, key=f"first-{turn}", width=160))
            # Where the headings move, the data begins right after them again.
            kept = first > after and changed["header_row"] == options.header_row
            changed["first_data_row"] = first if kept else None
    wanted = replace(options, **changed)
    if not session.desk().tried(draft, wanted):
        if wanted.sheet != options.sheet:
            wanted = ReadOptions(sheet=wanted.sheet)
        again(draft, wanted)
        st.rerun()


def _choice(
    label: str, names: Mapping[str, str], here: str | None, found: str | None, key: str, *, width: int
) -> str | None:
    """One of a few ways to read, or what the app finds out by itself."""
    options = ["", *names] if here is None or here in names else ["", here, *names]
    by_itself = f"{names.get(found, found).split(' (')[0]} (found)" if found and here is None else "find out"
    return (
        st.selectbox(
            label,
            options,
            options.index(here or ""),
            lambda it: names.get(it, it) if it else by_itself,
            key=key,
            width=width,
        )
        or None
    )


def _sheet(reading: Reading, key: str) -> str | None:
    names = [sheet.name for sheet in reading.sheets]
    shown = {sheet.name: sheet.name + ("" if sheet.visible else " (hidden)") for sheet in reading.sheets}
    chosen = st.selectbox(
        "Sheet", names, names.index(reading.sheet or names[0]), lambda it: shown[it], key=key, width=240
    )
    return None if chosen == reading.sheet and reading.options.sheet is None else chosen


def other_sheet(draft: Draft, names: list[str]) -> None:
    """A refused workbook: read another of its sheets."""
    name = st.selectbox("Sheet", names, key=f"other-sheet-{draft.id}-{draft.upload}")
    st.button("Read this sheet", key="other-sheet-read", on_click=again, args=(draft, ReadOptions(sheet=name)))
