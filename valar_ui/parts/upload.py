"""The Upload page's pieces: putting a file in, what only the person can decide, the first rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st
from streamlit.typing import UploadedFile

from valar_ui import samples, session
from valar_ui.ledger import Draft
from valar_ui.parts import frame, problems, rereading
from valar_ui.parts.frame import count
from valar_ui.problems import Severity
from valar_ui.readers import Reading, UnreadableFile
from valar_ui.session import literal

TYPES: Final = [
    "csv",
    "tsv",
    "txt",
    "psv",
    "xlsx",
    "xlsm",
    "xlsb",
    "xls",
    "ods",
    "jsonl",
    "ndjson",
    "json",
    "parquet",
    "gz",
]
LATEST: Final = 3
"""Files to go on with that are offered at once."""
EARLIER: Final = 60
"""Files to go on with in all."""
SHOWN_ROWS: Final = 50
SHOWN_LIMIT_MB: Final = 256
"""Streamlit counts in powers of two and counts what the browser wraps around the file: 256,000,000 bytes fit."""


def _take(key: str) -> None:
    """Spool the dropped file, then let Streamlit forget it: it would keep all of it in memory."""
    dropped = st.session_state.get(key)
    if not isinstance(dropped, UploadedFile):
        # Nothing, or a file taken before: a click made while the page was being drawn still names that.
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
    drafts = session.services().ledger.drafts(session.owner(), limit=EARLIER)
    if not drafts:
        return
    st.markdown("Or go on with what you began:")
    _go_on_with(drafts[:LATEST])
    if drafts[LATEST:]:
        fold = st.expander("Earlier files", icon=":material/history:", key="earlier", on_change="rerun")
        if fold.open:
            with fold:
                _go_on_with(drafts[LATEST:])


def _go_on_with(drafts: Sequence[Draft]) -> None:
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
        # Another key after each file, so that it closes over what it was opened on.
        with st.popover("Replace", icon=":material/swap_horiz:", key=f"replace-{session.state().uploads}"):
            st.markdown(
                "Drop another version of this file. The mapping stays, what you chose below holds where it fits, and "
                "each mend stays with its row."
            )
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
    before = session.reading()
    if before is not None:
        st.button(
            "Read it as before",
            key="as-before",
            icon=":material/undo:",
            on_click=rereading.as_before,
            args=(draft, before.options),
        )
    st.markdown("Drop another file, or read this one differently:")
    uploader()
    sheets = fault.sheets if isinstance(fault, UnreadableFile) else ()
    if sheets:
        rereading.other_sheet(draft, [sheet.name for sheet in sheets])
    if len(sheets) < 2:
        rereading.controls(draft, before, text=not sheets)


def lost() -> None:
    """The file is no longer on this computer."""
    st.warning("The file of this draft is no longer stored here. Drop it again; the mapping is kept.")
    uploader()


def questions(draft: Draft, reading: Reading) -> None:
    """What only the person can decide: hidden rows, rows that look like totals or sources."""
    options = reading.options
    if reading.hidden_rows:
        said, button = st.columns([5, 2], vertical_alignment="center")
        rows = count(reading.hidden_rows, "row")
        if options.skip_hidden:
            said.info(f"{rows} hidden by a filter or by hand: left out.", icon=":material/visibility_off:")
            button.button(
                "Send them too",
                key="hidden",
                on_click=rereading.again,
                args=(draft, replace(options, skip_hidden=False)),
            )
        else:
            said.warning(
                f"{rows} hidden by a filter or by hand: they would be sent too.", icon=":material/visibility_off:"
            )
            button.button(
                "Leave them out",
                key="hidden",
                on_click=rereading.again,
                args=(draft, replace(options, skip_hidden=True)),
            )
    if reading.footers:
        doubtful = tuple(footer.row for footer in reading.footers)
        said, button = st.columns([5, 2], vertical_alignment="center")
        told = "; ".join(
            f"row {footer.row:,}: {literal(footer.text, most=60)} ({footer.why})" for footer in reading.footers[:5]
        )
        said.warning(f"{count(len(doubtful), 'row')} may be no data. {told}", icon=":material/playlist_remove:")
        wanted = replace(options, drop_rows=tuple(sorted({*options.drop_rows, *doubtful})))
        button.button(
            f"Leave out {count(len(doubtful), 'row')}", key="footers", on_click=rereading.again, args=(draft, wanted)
        )
    if options.drop_rows:
        said, button = st.columns([5, 2], vertical_alignment="center")
        said.info(f"{count(len(options.drop_rows), 'row')} left out as no data.", icon=":material/playlist_remove:")
        button.button(
            "Take them back", key="footers-back", on_click=rereading.again, args=(draft, replace(options, drop_rows=()))
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
