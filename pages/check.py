"""3 Check: every problem of the whole sheet, grouped and counted, before anything is paid."""

import streamlit as st

from valar_ui import session
from valar_ui.parts import causes, checking, costs, frame, steps

frame.heading("Check", "Everything that could go wrong, before anything is sent.")

draft, reading = session.draft(), session.reading()
if draft is None or reading is None:
    frame.empty_state("There is no spreadsheet to check yet.", "Upload a spreadsheet", "upload")
    st.stop()
desk = session.desk()
recipe = desk.recipe(draft, reading)
if recipe.kind == "prompt" and not recipe.turns:
    frame.empty_state("The columns are not mapped yet.", "Map columns", "map")
    st.stop()

mends = desk.steps(draft)
job = desk.prepare(draft, reading, recipe, mends)
frame.progress(job, "Checking every row …")
if job.fault is not None:
    checking.failed(draft, job.fault)
    st.stop()

prepared = job.result
steps.keep_marks()
plan = checking.label_and_plan(draft, prepared)
checking.totals(prepared, plan)
costs.table(prepared, recipe)
checking.models_listed(prepared)
checking.mends(draft, reading, prepared, mends)
checking.compared(draft, prepared)
causes.overview(causes.Checked(draft, reading, recipe, prepared, mends))
checking.downloads_row(draft, reading, prepared, mends)
_, label_flaw = checking.label_input(draft, prepared)
frame.way_on("Next: submit", "submit", why_not=checking.why_not(prepared, plan, label_flaw))
