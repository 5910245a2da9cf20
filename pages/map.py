"""2 Map: say how a row becomes a request, and watch the request of any row."""

import streamlit as st

from valar_ui import session
from valar_ui.parts import frame, mapping, preview, recipes

frame.heading("Map columns", "Write the prompt once; each row fills its holes.")

draft, reading = session.draft(), session.reading()
if draft is None or reading is None:
    frame.empty_state("There is no spreadsheet yet. Mapping begins with one.", "Upload a spreadsheet", "upload")
    st.stop()
if reading.recognised_as:
    frame.empty_state("These requests are ready-made: there is nothing to map.", "Go to check", "check")
    st.stop()

editor, beside = st.columns([3, 2], gap="large")
with editor:
    recipes.offer_last(draft, reading)
    recipe = mapping.edit(draft, reading)
    draft = session.desk().save_recipe(draft, recipe)
    recipes.shelf(draft, reading, recipe)
with beside:
    preview.panel(draft, reading, recipe, session.desk().steps(draft))

frame.way_on("Next: check", "check", why_not=mapping.why_not(recipe, reading), ask=not recipe.prompt)
