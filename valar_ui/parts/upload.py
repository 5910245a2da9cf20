"""The Upload page's pieces: putting a file in, how it was read, controls that read it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pandas as pd
import streamlit as st

from valar_ui import samples, session
from valar_ui.ledger import Draft
from valar_ui.parts import frame, problems
from valar_ui.parts.frame import count
from valar_ui.problems import Group, Severity
from valar_ui.readers import Reading, ReadOptions, UnreadableFile
from valar_ui.session import literal
from valar_ui.spool import megabytes

TYPES: Final = ["csv", "tsv", "txt", "psv", "xlsx", "xlsm", "xls", "ods", "jsonl", "ndjson", "json", "parquet", "gz"]
SHOWN_ROWS: Final = 50
SHOWN_LIMIT_MB: Final = 256
"""Streamlit counts in powers of two and counts what the browser wraps around the file: 256,000,000 bytes fit."""
DELIMITERS: Final = {",": "Commas", ";": "Semicolons", "\t": "Tabs", "|": "Vertical bars"}
ENCODINGS: Final = (
    "utf-8",
    "cp1252",
    "utf-16",
    "iso-8859-15",
    "mac-roman",
    "cp1250",
    "cp1251",
    "cp1253",
    "shift_jis",
    "gb18030",
    "big5",
    "euc-kr",
)
NAMES: Final = {
    "utf-8": "UTF-8",
    "cp1252": "Windows-1252 (Western Europe)",
    "utf-16": "UTF-16",
    "mac-roman": "Mac Roman",
}


def _take(key: str) -> None:
    """Spool the dropped file, then let Streamlit forget it: it would keep all of it in memory."""
    dropped = st.session_state.get(key)
    if dropped is None:
        return
    here = session.draft()
    sent = here is not None and bool(session.services().ledger.dispatches(session.owner(), draft_id=here.id))
    draft = session.desk().put_file(dropped.name, dropped, into=None if sent else here)
    session.forget_upload(dropped)
    session.open_draft(draft.id)


def uploader(place: str = "drop") -> None:
    """A drop zone; `place` tells it from another one on the page."""
    key = f"upload-{place}-{session.state().uploads}"
    st.file_uploader(
        "CSV, Excel, OpenDocument, JSON lines, JSON or Parquet, up to 256 MB",
        type=TYPES,
        key=key,
        max_upload_size=SHOWN_LIMIT_MB,
        on_change=_take,
        args=(key,),
    )


def _take_sample(sample: Path) -> None:
    with sample.open("rb") as file:
        draft = session.desk().put_file(sample.name, file)
    session.open_draft(draft.id)


def choose_file() -> None:
    """What a new desk shows: the drop zone, and a way to try without a file."""
    uploader()
    st.markdown("No spreadsheet at hand?")
    st.button(
        "Try it with sample data",
        key="sample",
        icon=":material/auto_awesome:",
        on_click=_take_sample,
        args=(samples.REVIEWS,),
        help="200 product reviews: with quotes, line breaks, emoji, a missing review and an id that is used twice.",
    )
    go_on()


def go_on() -> None:
    """The drafts worked on last, to go on with."""
    drafts = session.services().ledger.drafts(session.owner(), limit=3)
    if not drafts:
        return
    st.markdown("Or go on with what you began:")
    with st.container(horizontal=True):
        for draft in drafts:
            label = f"{literal(draft.file_name, most=40)}, {frame.local_time(draft.updated_at, utc=False)}"
            st.button(
                label, key=f"go-on-{draft.id}", icon=":material/history:", on_click=session.open_draft, args=(draft.id,)
            )


def file_line(draft: Draft) -> None:
    """The file's name, with ways to replace it or to begin anew."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/description: **{literal(draft.file_name)}**")
        with st.popover("Replace", icon=":material/swap_horiz:", key="replace"):
            st.markdown("Drop another version of this file. The mapping stays, and each mend stays with its row.")
            uploader("replace")
        st.button("Start anew", key="anew", icon=":material/add:", on_click=session.open_draft, args=(None,))


def refused(draft: Draft, fault: Exception) -> None:
    """Why the file cannot be read, what to do, and the controls that might help."""
    if isinstance(fault, UnreadableFile):
        st.error(f"{literal(fault.text, most=600)} {literal(fault.hint, most=600)}", icon=":material/error:")
    else:
        st.error(
            "Reading this file failed in a way this app does not know. The file is kept; try to save it as CSV (UTF-8) "
            "in your spreadsheet program and drop that.",
            icon=":material/error:",
        )
    st.markdown("Drop another file, or read this one differently:")
    uploader()
    sheets = fault.sheets if isinstance(fault, UnreadableFile) else ()
    if sheets:
        _other_sheet(draft, [sheet.name for sheet in sheets])
    else:
        read_controls(draft, session.reading())


def _other_sheet(draft: Draft, names: list[str]) -> None:
    """A refused workbook: read another of its sheets."""
    name = st.selectbox("Sheet", names, key=f"other-sheet-{draft.id}-{draft.upload}")
    st.button("Read this sheet", key="other-sheet-read", on_click=_reread, args=(draft, ReadOptions(sheet=name)))


def lost() -> None:
    """The file is no longer on this computer."""
    st.warning("The file of this draft is no longer stored here. Drop it again; the mapping is kept.")
    uploader()


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
        shown = NAMES.get(reading.encoding.casefold(), reading.encoding)
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
        for row in group.rows[:SHOWN_ROWS]:
            index = reading.table.index_of(row)
            if index is not None and group.column is not None:
                cell = reading.table.row(index)[reading.columns.index(group.column)]
                found.append({"row": row, "column": group.column, "cell": cell[:500]})
    return pd.DataFrame(found)


def how_it_was_read(reading: Reading) -> None:
    """Rows, columns and guesses in words; the records add up."""
    st.markdown(
        f"**{count(reading.rows, 'row')} · {count(len(reading.columns), 'column')}** · {megabytes(reading.size)}"
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
        (reading.records_above, "above the headings"),
        (reading.records_heading, "heading" if reading.records_heading == 1 else "headings"),
        (reading.rows, "row" if reading.rows == 1 else "rows"),
        (reading.records_blank, "blank"),
        (reading.records_left_out, "left out"),
        (reading.records_refused, "unreadable"),
    ]
    if reading.records and reading.records != reading.rows:
        told = " + ".join(f"{number:,} {word}" for number, word in parts if number)
        st.caption(f"{count(reading.records, 'record')} = {told}")


def _reread(draft: Draft, options: ReadOptions) -> None:
    session.desk().read(draft, options)


def read_controls(draft: Draft, reading: Reading | None) -> None:
    """One control for each guess; a change reads the file again at once."""
    options = reading.options if reading else ReadOptions()
    turn = f"{draft.id}-{draft.upload}-{options}"
    changed: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"reread-{draft.id}"):
        if reading is None or reading.delimiter is not None:
            changed["delimiter"] = _choice(
                "Cells end with",
                DELIMITERS,
                options.delimiter,
                reading.delimiter if reading else None,
                f"del-{turn}",
                width=160,
            )
        if reading is None or reading.encoding is not None:
            changed["encoding"] = _choice(
                "Characters",
                {name: NAMES.get(name, name) for name in ENCODINGS},
                options.encoding,
                reading.encoding if reading else None,
                f"enc-{turn}",
                width=220,
            )
        if reading is not None and len(reading.sheets) > 1:
            changed["sheet"] = _sheet(reading, f"sheet-{turn}")
        if reading is not None and reading.header_row is not None:
            row = st.number_input(
                "Headings in row (0: none)", 0, 10_000, reading.header_row, key=f"head-{turn}", width=180
            )
            changed["header_row"] = options.header_row if row == reading.header_row else int(row)
            first = st.number_input(
                "Data begins in row",
                1,
                1_000_000,
                options.first_data_row,
                placeholder="the next one",
                key=f"first-{turn}",
                width=180,
            )
            changed["first_data_row"] = None if first is None else int(first)
    wanted = replace(options, **changed)
    if not session.desk().tried(draft, wanted):
        if wanted.sheet != options.sheet:
            wanted = ReadOptions(sheet=wanted.sheet)
        _reread(draft, wanted)
        st.rerun()


def _choice(
    label: str, names: Mapping[str, str], here: str | None, found: str | None, key: str, *, width: int
) -> str | None:
    """One of a few ways to read, or what the app finds out by itself."""
    options = ["", *names] if here is None or here in names else ["", here, *names]
    by_itself = f"{names.get(found, found)} (found)" if found and here is None else "find out"
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


def questions(draft: Draft, reading: Reading) -> None:
    """What only the person can decide: hidden rows, rows that look like totals or sources."""
    options = reading.options
    if reading.hidden_rows:
        said, button = st.columns([5, 2], vertical_alignment="center")
        rows = count(reading.hidden_rows, "row")
        if options.skip_hidden:
            said.info(f"{rows} hidden by a filter or by hand: left out.", icon=":material/visibility_off:")
            button.button(
                "Send them too", key="hidden", on_click=_reread, args=(draft, replace(options, skip_hidden=False))
            )
        else:
            said.warning(
                f"{rows} hidden by a filter or by hand: they would be sent too.", icon=":material/visibility_off:"
            )
            button.button(
                "Leave them out", key="hidden", on_click=_reread, args=(draft, replace(options, skip_hidden=True))
            )
    if reading.footers:
        doubtful = tuple(footer.row for footer in reading.footers)
        said, button = st.columns([5, 2], vertical_alignment="center")
        told = "; ".join(
            f"row {footer.row:,}: {literal(footer.text, most=60)} ({footer.why})" for footer in reading.footers[:5]
        )
        said.warning(f"{count(len(doubtful), 'row')} may be no data. {told}", icon=":material/playlist_remove:")
        wanted = replace(options, drop_rows=tuple(sorted({*options.drop_rows, *doubtful})))
        button.button(f"Leave out {count(len(doubtful), 'row')}", key="footers", on_click=_reread, args=(draft, wanted))
    if options.drop_rows:
        said, button = st.columns([5, 2], vertical_alignment="center")
        said.info(f"{count(len(options.drop_rows), 'row')} left out as no data.", icon=":material/playlist_remove:")
        button.button(
            "Take them back", key="footers-back", on_click=_reread, args=(draft, replace(options, drop_rows=()))
        )


def things_to_know(reading: Reading) -> None:
    """The problems found while reading, grouped, worst first."""
    groups = reading.report.groups
    if not groups:
        return
    errors = reading.report.count(Severity.ERROR)
    flawed = {row for group in groups if group.severity is Severity.ERROR for row in group.rows}
    label = f"{count(len(groups), 'thing')} to know" + (
        f", {count(len(flawed), 'row')} with errors" if flawed else ", something is wrong" if errors else ""
    )
    with st.expander(label, icon=":material/report:", expanded=bool(errors), key="things"):
        for group in groups:
            problems.group(group)


def first_rows(reading: Reading) -> None:
    """The first rows, numbered as the spreadsheet numbers them."""
    cells: dict[str, list[str]] = {name: [] for name in reading.columns}
    numbers: list[int] = []
    for chunk in reading.table.chunks(stop=SHOWN_ROWS):
        numbers += chunk.numbers
        for name, texts in chunk.columns.items():
            cells[name] += [text[:500] for text in texts]
    shown = pd.DataFrame(cells, index=pd.Index(numbers, name="row"), dtype="object")
    st.dataframe(shown, key="first-rows", height=min(36 * (len(numbers) + 1) + 2, 420))
    if reading.rows > len(numbers):
        st.caption(f"The first {len(numbers)} of {reading.rows:,} rows, every cell as it stands in the file.")
