"""The journey's steps, each marked in the navigation once it is behind us."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import streamlit as st

from valar_ui import session
from valar_ui.ledger import Draft
from valar_ui.prepare import Prepared

TITLES: Final = {"upload": "Upload", "map": "Map", "check": "Check", "submit": "Submit"}
"""The pages of the journey in their order."""


def marks() -> tuple[bool, ...]:
    """Whether each step is done, read anew."""
    draft = session.draft()
    if draft is None:
        return (False,) * len(TITLES)
    reading = session.reading()
    ready = reading is not None and reading.recognised_as is not None
    mapped = bool(draft.recipe and draft.recipe.get("turns"))
    sent = bool(session.services().ledger.dispatches(session.owner(), draft_id=draft.id))
    return reading is not None, ready or mapped, _checked(draft), sent


def draw() -> dict[str, bool]:
    """The steps by page, for the navigation that is drawn now."""
    here = session.state()
    here.marks = marks()
    return dict(zip(TITLES, here.marks, strict=True))


def keep_marks() -> None:
    """Draw the page once more where what it did makes the navigation's marks wrong.

    The last thing a page does: a click that came with this run is answered by then, and would be lost before.
    """
    if marks() != session.state().marks:
        st.rerun()


@lru_cache(maxsize=64)
def _passed(folder: str) -> bool:
    """Nothing stands in the way of sending what lies in a folder, which never changes; OSError if it is gone."""
    return Prepared.load(Path(folder)).ok


def _checked(draft: Draft) -> bool:
    try:
        return draft.prepared is not None and _passed(draft.prepared)
    except OSError:
        return False
