"""1 Upload: drop a spreadsheet, see how it was read."""

import streamlit as st

from valar_ui import session
from valar_ui.parts import frame, rereading, steps, upload

frame.heading("Upload a spreadsheet", "Each row becomes one request to the model. Nothing is sent before you say so.")

draft = session.draft()
if draft is None:
    upload.choose_file()
    st.stop()

upload.file_line(draft)
job = session.desk().reading_job(draft)
if job is not None:
    frame.progress(job, "Reading the file …")
    if job.fault is not None:
        upload.refused(draft, job.fault)
        st.stop()

reading = session.reading()
if reading is None:
    upload.lost()
    st.stop()

rereading.told(reading)
rereading.controls(draft, reading)
upload.questions(draft, reading)
upload.things_to_know(reading)
upload.first_rows(reading)
if reading.recognised_as:
    frame.way_on("Next: check", "check")
else:
    frame.way_on("Next: map columns", "map")
steps.keep_marks()
