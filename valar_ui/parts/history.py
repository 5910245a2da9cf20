"""The list of batches: what is on the way first, then every id."""

from __future__ import annotations

import io

import pandas as pd
import streamlit as st

from valar_ui import session
from valar_ui.ledger import Batch, Dispatch
from valar_ui.parts import frame
from valar_ui.parts.frame import count, local_time
from valar_ui.session import literal

REFRESH_S = 3.0


def table() -> None:
    """All of this person's batches; the ones of this session on top."""
    ledger, owner = session.services().ledger, session.owner()
    unfinished = [it for it in ledger.dispatches(owner) if not it.accepted and it.parts]
    batches = ledger.batches(owner)
    if not batches and not unfinished:
        frame.empty_state("No batch yet. It begins with a spreadsheet.", "Upload a spreadsheet", "upload")
        return
    for dispatch in unfinished:
        _unfinished(dispatch)
    mine = [it for it in batches if it.session == session.state().name]
    earlier = [it for it in batches if it.session != session.state().name]
    for title, some, key in (("This session", mine, "session"), ("Earlier", earlier, "earlier")):
        if some:
            st.subheader(f"{title}: {count(len(some), 'batch', 'batches')}", anchor=False)
            _list(some, key)
    if batches:
        st.download_button(
            "Download as CSV", _csv([*mine, *earlier]), "batches.csv", "text/csv", key="batches-csv", on_click="ignore",
            icon=":material/download:",
        )  # fmt: skip


def _unfinished(dispatch: Dispatch) -> None:
    with st.container(border=True):
        said, button = st.columns([5, 1], vertical_alignment="center")
        said.markdown(f"**{literal(dispatch.file_name)}** · {literal(dispatch.summary, most=400)}")
        if button.button("Open", key=f"open-{dispatch.id}", width="stretch"):
            frame.go("batch", id=dispatch.id)


def _rows(batches: list[Batch]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "id": it.id,
                "state": it.words,
                "label": it.label,
                "requests": it.requests,
                "created": local_time(it.created_at),
                "file": it.file_name,
                "account": "sandbox"
                if it.account.kind == "sandbox"
                else f"{it.account.base_url}, key {it.account.fingerprint[:8]}",
            }
            for it in batches
        ]
    )


def _list(batches: list[Batch], key: str) -> None:
    @st.fragment(run_every=None if all(it.final for it in batches) else REFRESH_S)
    def watch() -> None:
        ledger, owner = session.services().ledger, session.owner()
        shown = [ledger.batch(it.id, owner) or it for it in batches[:50]] + batches[50:]
        picked = st.dataframe(
            _rows(shown), hide_index=True, key=f"batches-{key}", on_select="rerun", selection_mode="single-row"
        )
        chosen = picked["selection"]["rows"]
        if chosen and chosen[0] < len(shown):
            one = shown[chosen[0]]
            st.code(one.id, language=None)
            if st.button("Open the receipt", key=f"open-{key}", icon=":material/receipt_long:"):
                frame.go("batch", id=one.dispatch_id)
        else:
            st.caption("Choose a row to copy its id or to open its receipt.")

    watch()


def _csv(batches: list[Batch]) -> str:
    """The list as a spreadsheet opens it; a text that begins like a formula is made plain."""
    rows = _rows(batches)
    rows.insert(5, "created_utc", [pd.Timestamp(it.created_at, unit="s", tz="UTC").isoformat() for it in batches])
    texts = rows.select_dtypes(exclude="number").columns
    for name in texts:
        rows[name] = [f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text for text in rows[name]]
    out = io.StringIO()
    rows.to_csv(out, index=False)
    return out.getvalue()
