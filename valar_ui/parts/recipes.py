"""My recipes: keep, load, download and upload a mapping."""

from __future__ import annotations

import streamlit as st

from valar_ui import session
from valar_ui.ledger import Draft
from valar_ui.readers import Reading
from valar_ui.recipe import BadRecipe, Recipe
from valar_ui.session import literal


def put(draft: Draft, recipe: Recipe) -> None:
    """Put a recipe over the mapping, whose widgets begin anew with it."""
    saved = session.keep_recipe(draft, recipe)
    if recipe.label:
        session.desk().save_label(saved, recipe.label)
    session.state().revision += 1


def load(draft: Draft, recipe: Recipe) -> None:
    """Put a kept recipe over the mapping, which can be had back."""
    if draft.recipe:
        session.state().replaced = (draft.id, draft.recipe)
    put(draft, recipe)


def _put_back(draft: Draft, recipe: Recipe) -> None:
    session.state().replaced = None
    put(draft, recipe)


def offer_last(draft: Draft, reading: Reading) -> None:
    """The mapping used last for a sheet with these headings, on a draft that has none yet."""
    last = session.services().ledger.recipe_for_headers(session.owner(), reading.columns)
    if last is None or last == draft.recipe:
        return
    said, button = st.columns([3, 1], vertical_alignment="center")
    said.info("You mapped a sheet with these headings before.", icon=":material/history:")
    button.button(
        "Use that mapping", key="use-last", on_click=load, args=(draft, Recipe.model_validate(last)), width="stretch"
    )


def shelf(draft: Draft, reading: Reading, recipe: Recipe) -> None:
    """Keep this mapping under a name, or load another one; drawn once it is opened."""
    fold = st.expander("My recipes", icon=":material/menu_book:", key="recipes", on_change="rerun")
    if fold.open:
        with fold:
            _shelf(draft, reading, recipe)


def _shelf(draft: Draft, reading: Reading, recipe: Recipe) -> None:
    ledger, owner = session.services().ledger, session.owner()
    st.caption("A recipe is the mapping without any row and without any key: use it again on next week's file.")
    name_slot, keep_slot, file_slot = st.columns([3, 1.2, 1.6], vertical_alignment="bottom")
    name = name_slot.text_input(
        "Name",
        recipe.name,
        key=f"recipe-name-{session.state().revision}",
        max_chars=80,
        live=True,
        placeholder="Review sentiment",
    )
    named = recipe.model_copy(update={"name": name.strip()})
    if keep_slot.button("Keep", key="recipe-keep", disabled=not name.strip(), width="stretch"):
        ledger.save_recipe(
            owner, name.strip(), named.model_dump(mode="json", exclude_defaults=True), list(reading.columns)
        )
        session.keep_recipe(draft, named)
        st.toast(f"Kept as {literal(name.strip())}.")
    file_slot.download_button(
        "Download", named.to_json(), "recipe.json", "application/json", key="recipe-download", on_click="ignore",
        width="stretch",
    )  # fmt: skip
    kept = {it.name: it for it in ledger.recipes(owner)}
    if kept:
        which_slot, load_slot, drop_slot = st.columns([3, 1.2, 1.6], vertical_alignment="bottom")
        which = which_slot.selectbox("Kept recipes", list(kept), key="recipe-which")
        load_slot.button(
            "Load",
            key="recipe-load",
            on_click=load,
            args=(draft, Recipe.model_validate(kept[which].recipe)),
            width="stretch",
        )
        drop_slot.button(
            "Forget it", key="recipe-drop", on_click=ledger.delete_recipe, args=(owner, which), width="stretch"
        )
    dropped = st.file_uploader(
        "Load a recipe file", type=["json"], max_upload_size=1, key=f"recipe-file-{session.state().revision}"
    )
    if dropped is not None:
        try:
            loaded = Recipe.from_json(dropped.getvalue())
        except BadRecipe as fault:
            st.error(literal(str(fault), most=400))
        else:
            load(draft, loaded)
            st.rerun()
    replaced = session.state().replaced
    if replaced is not None and replaced[0] == draft.id and replaced[1] != draft.recipe:
        st.button(
            "Put the mapping back that was here before",
            key="recipe-back",
            icon=":material/undo:",
            on_click=_put_back,
            args=(draft, Recipe.model_validate(replaced[1])),
        )
