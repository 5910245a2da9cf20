"""What frames every page: the account, the heading, the way on, progress, words for numbers and times."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from valar_ui import session
from valar_ui.jobs import Job
from valar_ui.session import literal

PAGES: Final = Path(__file__).parents[2] / "pages"
LEAST_COLUMN: Final = 340
"""Pixels below which what stands side by side is put one below the other."""
SHORT_WAIT_S: Final = 0.7
"""How long a page waits for a job before it shows progress instead."""


def go(name: str, **query: str) -> None:
    """Switch to a page, keeping the draft in the address."""
    here = session.state()
    kept = {"draft": here.draft_id, "to": here.destination}
    st.switch_page(PAGES / f"{name}.py", query_params={key: value for key, value in kept.items() if value} | query)


def account_badge() -> None:
    """Where requests go, on every page."""
    if session.destination() == "sandbox" and session.state().destination == "valar":
        st.badge(
            "Sandbox, for the API key of this session is gone: type it again on Connection",
            icon=":material/key_off:",
            color="orange",
        )
    elif session.destination() == "sandbox":
        st.badge("Sandbox: nothing is sent to Valar, nothing is billed", icon=":material/science:", color="green")
    else:
        host = session.services().settings.base_url.split("://", 1)[-1].split("/", 1)[0]
        st.badge(f"Valar at {literal(host)}: requests are billed", icon=":material/cloud_upload:", color="orange")


def heading(title: str, lead: str) -> None:
    """A page's title and one sentence on what to do here."""
    st.title(title, anchor=False)
    st.markdown(lead)


def way_on(label: str, to: str, *, why_not: str | None = None, key: str = "way-on", ask: bool = False) -> None:
    """The one primary button; where it is disabled, the reason stands beside it.

    With `ask` it can be pressed all the same and tells the reason then: a text field hands over its text only when it
    is left, so the press that leaves it must count.
    """
    st.space("small")
    if why_not and not ask:
        st.caption(why_not)
    pressed = st.button(
        label,
        key=key,
        type="primary",
        icon=":material/arrow_forward:",
        icon_position="right",
        disabled=bool(why_not) and not ask,
    )
    if pressed and why_not:
        st.error(why_not, icon=":material/info:")
    elif pressed:
        go(to)


def empty_state(sentence: str, label: str, to: str) -> None:
    """What a page shows when there is nothing yet: a sentence, and the way to begin."""
    st.info(sentence, icon=":material/info:")
    if st.button(label, key="begin", type="primary"):
        go(to)


def arrived(job: Job, words: str) -> bool:
    """Wait a moment for a job; while it runs, show progress that draws the page anew when it ends."""
    if job.done.wait(SHORT_WAIT_S):
        return True

    @st.fragment(run_every=0.4)
    def watch() -> None:
        if job.done.is_set():
            st.rerun(scope="app")
        st.progress(job.fraction, text=f"{words} {job.fraction:.0%}")

    watch()
    return False


def progress(job: Job, words: str) -> None:
    """Go on when the job is done; until then the page shows progress and nothing below it."""
    if not arrived(job, words):
        st.stop()


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 row`, `41,203 rows`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def money(dollars: float) -> str:
    """Dollars with cents, or with more places where it is less than a cent."""
    if 0 < dollars < 0.0001:
        return "less than $0.0001"
    if 0 < dollars < 0.01:
        return f"${dollars:.4f}"
    return f"${dollars:,.2f}"


def local_time(moment: float, *, utc: bool = True) -> str:
    """A moment on the person's own clock, with UTC beside it."""
    try:
        zone = ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    here = datetime.fromtimestamp(moment, zone)
    words = f"{here:%d %b %Y, %H:%M:%S}"
    return f"{words} ({datetime.fromtimestamp(moment, UTC):%H:%M:%S} UTC)" if utc else words
