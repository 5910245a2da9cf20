"""One dispatch: its parts, their states and their receipts."""

import streamlit as st

from valar_ui import session
from valar_ui.parts import frame, sending

dispatch = session.services().ledger.dispatch(st.query_params.get("id", ""), session.owner())
if dispatch is None:
    frame.heading("Batch", "One submission, with its receipt.")
    frame.empty_state("There is no batch of yours under this address.", "All batches", "batches")
    st.stop()

frame.heading(session.literal(dispatch.file_name), "What was sent, and what became of it.")
sending.follow(dispatch)
