"""The Check page's mends: what was mended so far, what that does now, and how to take it back."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from valar_ui import session
from valar_ui.ledger import Draft
from valar_ui.parts.frame import count
from valar_ui.prepare import Prepared
from valar_ui.problems import title
from valar_ui.readers import Reading
from valar_ui.recipe import (
    Collapse,
    EditCell,
    Lapsed,
    LeaveOut,
    LeaveOutRow,
    MakeLegalIds,
    MendNumbers,
    Step,
    UseModel,
)
from valar_ui.session import literal


def _take_back(draft: Draft, step: Step) -> None:
    session.desk().take_back(draft, step)


def _told(step: Step) -> str:
    match step:
        case LeaveOut(code="*"):
            return "Rows with errors are left out"
        case LeaveOut(code=code, column=column, keep_first=True):
            where = f", column {literal(column)}" if column else ""
            return f"Rows left out but the first of each: {literal(title(code))}{where}"
        case LeaveOut(code=code, column=column):
            return f"Rows left out: {literal(title(code))}" + (f", column {literal(column)}" if column else "")
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
        case UseModel(instead_of=named, model=model):
            return f"Model {literal(model)} is used instead of {literal(named)}"
        case Lapsed(step=inner, done=True):
            return f"No longer needed: {_told(inner)} (the file holds it)"
        case Lapsed(step=inner):
            return f"No longer applies: {_told(inner)}. This row of the file before is not in this file as it was."


def _effect(step: Step, later: Sequence[Step], reading: Reading, prepared: Prepared) -> tuple[str, bool]:
    """What a mend does now, in words, and whether that is nothing although something was meant."""
    match step:
        case LeaveOut():
            rows = prepared.left_out_by(step)
            nothing = "leaves out no row now: the mapping or the file changed; look at the causes below"
            return (f"({count(rows, 'row')})", False) if rows else (f"– {nothing}", True)
        case UseModel(instead_of=named):
            rows = prepared.instead.get(named, 0)
            nothing = "no row that goes asks for that model now"
            return (f"({count(rows, 'row')})", False) if rows else (f"– {nothing}", True)
        case Lapsed(done=False):
            return "", True
        case Collapse():
            return f"({count(prepared.collapsed, 'row')} filled from another row's answer)", False
        case EditCell(row=row, column=column, text=text):
            if any(isinstance(it, EditCell) and (it.row, it.column) == (row, column) for it in later):
                return "(a later mend of this cell counts)", False
            index = reading.table.index_of(row)
            if index is None or column not in reading.columns:
                return "– there is no such cell in the sheet", True
            if reading.table.row(index)[reading.columns.index(column)] == text:
                return "(as it stands in the file)", False
    return "", False


def listed(draft: Draft, reading: Reading, prepared: Prepared, steps: Sequence[Step]) -> None:
    """What was mended so far and what that does now; each can be taken back."""
    if not steps:
        return
    with st.container(border=True):
        st.markdown("**Mended here** (the file itself stays as it is)")
        for at, step in enumerate(steps):
            said, button = st.columns([5, 1], vertical_alignment="center")
            effect, nothing = _effect(step, steps[at + 1 :], reading, prepared)
            (said.warning if nothing else said.markdown)(f"{_told(step)} {effect}".rstrip())
            label = "Remove" if isinstance(step, Lapsed) else "Undo"
            button.button(label, key=f"undo-{at}", on_click=_take_back, args=(draft, step), width="stretch")
