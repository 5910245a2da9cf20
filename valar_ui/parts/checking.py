"""The Check page's pieces: totals and meters, causes with their mends, rows on demand, downloads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from valar_ui import downloads, limits, outbox, session
from valar_ui.checks import check_label
from valar_ui.downloads import named_after
from valar_ui.ledger import Draft
from valar_ui.parts import frame
from valar_ui.parts.frame import count
from valar_ui.plan import Plan, plan
from valar_ui.prepare import Change, Prepared, Side, compare, problems_csv
from valar_ui.problems import Problem, title
from valar_ui.readers import Reading
from valar_ui.recipe import Recipe, Step
from valar_ui.session import literal
from valar_ui.spool import megabytes


def mapped(nothing: str) -> tuple[Draft, Reading, Recipe, tuple[Step, ...]]:
    """The draft, how its file was read, its mapping and its mends; where one is missing, the page says so and ends."""
    draft, reading = session.draft(), session.reading()
    if draft is None or reading is None:
        frame.empty_state(nothing, "Upload a spreadsheet", "upload")
        st.stop()
    recipe = session.desk().recipe(draft, reading)
    if recipe.kind == "prompt" and not recipe.turns:
        frame.empty_state("The columns are not mapped yet.", "Map columns", "map")
        st.stop()
    if session.changed_elsewhere(draft):
        # A click meant for what stood here before must not count.
        session.state().elsewhere = True
        st.rerun()
    return draft, reading, recipe, session.desk().steps(draft)


def changed_elsewhere() -> None:
    """Say once that this is no longer about the mapping it was about."""
    if session.state().elsewhere:
        session.state().elsewhere = False
        st.info(
            "The mapping was changed in another tab; here is what comes of it as it stands there. Look through it once "
            "more before you go on.",
            icon=":material/sync:",
        )


def checked(draft: Draft, reading: Reading, recipe: Recipe, mends: Sequence[Step]) -> Prepared:
    """Every row, checked under this mapping; until it is, the page shows progress and nothing below it."""
    job = session.desk().prepare(draft, reading, recipe, mends)
    frame.progress(job, "Checking every row …")
    if job.fault is not None:
        _failed(draft, job.fault)
        st.stop()
    prepared: Prepared = job.result
    return prepared


def _failed(draft: Draft, fault: Exception) -> None:
    """Checking could not be done at all; it can be tried again."""
    told = literal(str(fault), most=300) if isinstance(fault, OSError) else type(fault).__name__
    st.error(f"Checking stopped: {told}. Your file and your mapping are safe.")
    st.button("Try again", key="check-again", type="primary", on_click=session.desk().prepare_again, args=(draft,))


def label_and_plan(draft: Draft, prepared: Prepared) -> Plan:
    """The parts as they will be sent, each with its label; one is made where there is none, or none that can be."""
    label = draft.label if check_label(draft.label) is None else ""
    return outbox.plan_to_send(prepared, label, now=session.now())[0]


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
    for change in found.better:
        _changed("Better", change, change.fixed, "fixed")
    for change in found.worse:
        _changed("Worse", change, change.new, "new")
    if any(change.fixed.rows for change in found.better):
        gone = "; a row that is no longer there counts as fixed" if prepared.rows < before.rows else ""
        st.caption(f"Rows that are fixed have the numbers of the file before{gone}.")
    if before.rows != prepared.rows:
        st.caption(f"The file before had {count(before.rows, 'row')}, this one has {prepared.rows:,}.")


def _changed(word: str, change: Change, side: Side, what: str) -> None:
    where = f", {literal(change.column)}" if change.column else ""
    rows = ", ".join(f"{row:,}" for row in side.rows) + (" …" if side.count > len(side.rows) else "")
    told = f"{count(side.count, 'row')} {what} ({rows})" if side.rows else what
    st.markdown(
        f"**{word}:** {literal(title(change.code))}{where}: {told} · {change.before:,} → {change.after:,}"
        f"  \n{literal(side.example, most=200)}"
    )


def _link(path: Path, name: str) -> str:
    """Where a file is to be had under a name."""
    running = session.services()
    token = downloads.sign(
        path, home=running.settings.home, secret=running.settings.install_secret(), now=session.now(), name=name
    )
    return session.own_address(f"download/{token}")


def downloads_row(draft: Draft, reading: Reading, prepared: Prepared, steps: Sequence[Step]) -> None:
    """The list of problems, and the sheet with a Problem column."""
    if not len(prepared.report) and not len(prepared.left_out_report) and not steps:
        return
    with st.container(horizontal=True):
        st.link_button(
            "Download the problems (CSV)",
            _link(problems_csv(prepared), named_after(draft.file_name, "-problems.csv")),
            icon=":material/download:",
            key="problems-csv",
        )
        st.button(
            "Prepare the sheet with a Problem column",
            key="sheet-with-problems",
            icon=":material/table_edit:",
            on_click=_want_sheet,
            args=(prepared,),
        )
    if session.state().sheet == prepared.fingerprint:
        _sheet(draft, reading, prepared, steps)


def _want_sheet(prepared: Prepared) -> None:
    session.state().sheet = prepared.fingerprint


def _sheet(draft: Draft, reading: Reading, prepared: Prepared, steps: Sequence[Step]) -> None:
    """The sheet to mend, once it is written."""
    job = session.desk().sheet(draft, reading, prepared, steps)
    if not frame.arrived(job, "Writing the sheet …"):
        return
    if job.fault is not None:
        st.error(f"The sheet could not be written: {literal(str(job.fault), most=300)}. Nothing else is lost.")
        return
    made: Path = job.result
    name = named_after(draft.file_name, f"-with-problems{made.suffix}")
    st.link_button(f"Download {literal(name)}", _link(made, name), icon=":material/download:", key="sheet-file")
    st.caption("Fix it in your spreadsheet program, then drop it on Upload with *Replace*: Check says what got better.")


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
    cut = plan(prepared.sizes, label).parts
    flaw = check_label(label) or check_label(label, parts=max(len(cut), 1))
    if flaw is not None:
        st.error(f"{literal(flaw.text)} {literal(flaw.hint)}")
    elif label:
        names = [part.label for part in cut]
        if len(names) > 1:
            st.caption(
                f"{len(names)} batches: {literal(', '.join(names[:3]), most=420)}{', …' if len(names) > 3 else ''}"
            )
        before = {it.label for it in session.services().ledger.batches(session.owner())}
        if not before.isdisjoint(names):
            st.caption(":material/info: This label was used before: the list will show two batches of that name.")
    return label, flaw


def why_not(prepared: Prepared, parts: Plan, label_flaw: Problem | None = None) -> str | None:
    """Why nothing can be submitted yet, or None."""
    if label_flaw is not None:
        return f"The label cannot be sent: {literal(label_flaw.text)}"
    if not parts.parts and not prepared.blocked:
        return "No row is left to send."
    if prepared.ok and parts.problems:
        return literal(f"{parts.problems[0].text} {parts.problems[0].hint}", most=400)
    if prepared.ok:
        return None
    if prepared.blocked:
        return f"{count(prepared.blocked, 'row')} with errors: mend them or leave them out first."
    return "Mend the errors above first."
