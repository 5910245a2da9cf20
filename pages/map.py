"""2 Map: say how a row becomes a request, and watch the request of any row."""

import streamlit as st

from valar_ui import session
from valar_ui.parts import frame, mapping, preview, recipes, steps

frame.heading("Map columns", "Write the prompt once; each row fills its holes.")

draft, reading = session.draft(), session.reading()
if draft is None or reading is None:
    frame.empty_state("There is no spreadsheet yet. Mapping begins with one.", "Upload a spreadsheet", "upload")
    st.stop()
if reading.recognised_as:
    frame.empty_state("These requests are ready-made: there is nothing to map.", "Go to check", "check")
    st.stop()


@st.fragment
def mapped() -> None:
    """The mapping and its preview. A change draws these anew, and not the frame around them."""
    draft, reading = session.draft(), session.reading()
    if draft is None or reading is None:
        st.rerun()  # another tab has removed it
    if session.changed_elsewhere(draft):
        st.info("This mapping was changed in another tab; here it is as it stands there.", icon=":material/sync:")
    if mapping.untouched(draft, reading):
        recipes.offer_last(draft, reading)
    with st.grid(2, min_column_width=frame.LEAST_COLUMN, gap="medium"):
        form, beside = st.container(), st.container()
    before = session.desk().recipe(draft, reading)
    with beside:
        # First, so that a changed prompt, which is written down before anything is drawn, is seen at once.
        preview.panel(draft, reading, before, session.desk().steps(draft))
    with form:
        asked = mapping.ask(draft, reading)
    recipe = mapping.settle(asked, draft, reading)
    draft = session.keep_recipe(draft, recipe)
    recipes.shelf(draft, reading, recipe)
    frame.way_on("Next: check", "check", why_not=mapping.why_not(asked.controls, recipe, reading), ask=not recipe.turns)
    if recipe != before:
        st.rerun()  # a setting was changed that the request above does not show yet
    steps.keep_marks()


mapped()
