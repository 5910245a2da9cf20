"""4 Submit: one sentence, one button, and what became of it."""

import streamlit as st

from valar_ui import session
from valar_ui.parts import checking, frame, sending

frame.heading("Submit", "Each request is sent exactly once, whatever happens to this page.")

draft, reading = session.draft(), session.reading()
if draft is None or reading is None:
    frame.empty_state("There is nothing to submit yet.", "Upload a spreadsheet", "upload")
    st.stop()
desk = session.desk()
recipe, steps = desk.recipe(draft, reading), desk.steps(draft)
if recipe.kind == "prompt" and not recipe.turns:
    frame.empty_state("The columns are not mapped yet.", "Map columns", "map")
    st.stop()

prepared = desk.prepared(draft, reading, recipe, steps)
if prepared is None:
    job = desk.prepare(draft, reading, recipe, steps)
    frame.progress(job, "Checking every row …")
    if job.fault is not None:
        checking.failed(draft, job.fault)
        st.stop()
    prepared = job.result

sent = sending.sent(draft, prepared)
if sent is not None:
    sending.follow(sent)
    st.stop()
blocked = checking.why_not(prepared, checking.label_and_plan(draft, prepared))
if blocked:
    frame.empty_state(blocked, "Back to check", "check")
    st.stop()
sending.form(draft, prepared)
