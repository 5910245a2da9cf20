"""4 Submit: one sentence, one button, and what became of it."""

import streamlit as st

from valar_ui import session
from valar_ui.parts import checking, frame, sending

frame.heading("Submit", "Each request is sent exactly once, whatever happens to this page.")

draft, reading, recipe, mends = checking.mapped("There is nothing to submit yet.")
prepared = session.desk().prepared(draft, reading, recipe, mends) or checking.checked(draft, reading, recipe, mends)
checking.changed_elsewhere()
sent = sending.sent(draft, prepared)
if sent is not None:
    sending.follow(sent)
    st.stop()
blocked = checking.why_not(prepared, checking.label_and_plan(draft, prepared))
if blocked:
    frame.empty_state(blocked, "Back to check", "check")
    st.stop()
sending.form(draft, prepared)
