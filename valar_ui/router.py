"""The pages in their order, the steps' marks, and the account on every page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from valar_ui import session
from valar_ui.parts import frame, steps

PAGES = Path(__file__).parent.parent / "pages"
LOGOS = Path(__file__).parent
DONE, LATER = ":material/check_circle:", ":material/circle:"


def page(name: str, title: str, *, icon: str, url: str | None = None, hidden: bool = False) -> st.Page:
    """One page file as the navigation shows it."""
    return st.Page(
        PAGES / f"{name}.py",
        title=title,
        icon=icon,
        url_path=url or name,
        default=name == "upload",
        visibility="hidden" if hidden else "visible",
    )


def run() -> None:
    """Draw whichever page the address names."""
    st.set_page_config(page_title="Valar batches", page_icon="🗂️", layout="wide")
    st.logo(LOGOS / "logo.svg", icon_image=LOGOS / "logo-small.svg")
    session.keep_address()
    compose = [
        page(name, f"{at} {steps.TITLES[name]}", icon=DONE if done else LATER)
        for at, (name, done) in enumerate(steps.draw().items(), start=1)
    ]
    track = [
        page("batches", "Batches", icon=":material/stacks:"),
        page("batch", "Batch", icon=":material/receipt_long:", hidden=True),
    ]
    here = st.navigation(
        {
            "Compose": compose,
            "Track": track,
            "Account": [page("connection", "Connection", icon=":material/key:")],
        }
    )
    frame.account_badge()
    here.run()


run()
