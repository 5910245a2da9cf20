"""The Map page's prompt: the text with its holes, the instructions, earlier messages as examples."""

from __future__ import annotations

from typing import Any, Final, Literal

import streamlit as st

from valar_ui import samples, session
from valar_ui.ledger import Draft
from valar_ui.parts.controls import Controls
from valar_ui.readers import Reading
from valar_ui.recipe import Fixed, IdRule, Recipe, Turn
from valar_ui.session import literal
from valar_ui.template import hole

SHOWN_COLUMNS: Final = 16
"""Columns that get a button of their own."""
SHOWN_LETTERS: Final = 28
"""Of a column's name on its button; the questions of a survey often differ at their end only."""


def _keep(key: str, role: Literal["system", "user"]) -> None:
    """Write a text down before anything is drawn: the click that left its box may lead to another page."""
    draft, reading = session.draft(), session.reading()
    if draft is None or reading is None:
        return
    session.changed_elsewhere(draft)
    recipe = session.desk().recipe(draft, reading)
    session.keep_recipe(draft, recipe.with_text(role, st.session_state.get(key) or ""))


def insert(key: str, column: str) -> None:
    """Put a hole at the end of the prompt whose widget has this key."""
    before = st.session_state.get(key) or ""
    gap = "" if not before or before[-1].isspace() else " "
    st.session_state[key] = f"{before}{gap}{hole(column)}"
    _keep(key, "user")


def _short(column: str) -> str:
    """A name without its middle, where it is long."""
    half = SHOWN_LETTERS // 2
    return column if len(column) <= SHOWN_LETTERS else f"{column[:half].rstrip()}…{column[1 - half :].lstrip()}"


def _example(draft: Draft) -> None:
    """Put the sample's mapping over the empty one."""
    known = session.models()
    given = samples.REVIEWS_RECIPE
    recipe = Recipe(
        name=given["name"],
        model=Fixed(fixed=known[0]) if known else None,
        turns=(Turn(role="system", text=given["system"]), Turn(role="user", text=given["prompt"])),
        max_output_tokens=Fixed(fixed=given["max_output_tokens"]),
        custom_id=IdRule(column=given["id_column"]),
    )
    session.desk().save_label(session.keep_recipe(draft, recipe), given["label"])
    session.state().revision += 1


def ask(controls: Controls, draft: Draft, reading: Reading, recipe: Recipe) -> str:
    """Draw the prompt and the buttons that insert a column; the prompt as it stands now."""
    key = controls.key("prompt")
    if draft.file_name == samples.REVIEWS.name and not st.session_state.get(key, recipe.prompt):
        st.button("Fill in an example", key="example", icon=":material/auto_awesome:", on_click=_example, args=(draft,))
    text = st.text_area(
        "What should the model do with each row?",
        recipe.prompt,
        key=key,
        height=140,
        placeholder="Classify this review: {{review}}",
        help="Text in double braces is replaced by the cell of that column.",
        on_change=_keep,
        args=(key, "user"),
    )
    shown, rest = reading.columns[:SHOWN_COLUMNS], reading.columns[SHOWN_COLUMNS:]
    st.caption("Insert a column:")
    with st.container(horizontal=True, gap="small"):
        for at, column in enumerate(shown):
            short = _short(column)
            st.button(
                literal(short),
                key=f"{controls.prefix}-insert-{at}",
                help=None if short == column else literal(column),
                on_click=insert,
                args=(key, column),
            )
    if rest:
        chosen = st.selectbox(
            "More columns", [None, *rest], key=f"{controls.prefix}-rest", format_func=lambda it: it or "…"
        )
        st.button(
            "Insert it",
            key=f"{controls.prefix}-insert-rest",
            disabled=chosen is None,
            on_click=insert,
            args=(key, chosen),
        )
    return text or ""


def around(controls: Controls, recipe: Recipe, prompt: str) -> tuple[Turn, ...]:
    """Draw what stands before the prompt; the whole conversation as it stands now."""
    key = controls.key("system")
    system = st.text_area(
        "Instructions for every row (system message, optional)",
        recipe.system,
        key=key,
        height=80,
        placeholder="You are a careful assistant. Answer in one word.",
        on_change=_keep,
        args=(key, "system"),
    )
    turns = [Turn(role="system", text=system)] if system else []
    turns += [Turn(role=turn["role"], text=turn["text"]) for turn in _earlier(controls, recipe)]
    if prompt or recipe.images:
        turns.append(Turn(role="user", text=prompt))
    return tuple(turns)


def _earlier(controls: Controls, recipe: Recipe) -> list[dict[str, Any]]:
    """Turns between the instructions and the prompt: examples of question and answer."""
    kept = [turn for at, turn in enumerate(recipe.turns) if turn.role != "system" and at < len(recipe.turns) - 1]
    if not st.toggle("Show the model examples first", bool(kept), key=controls.key("examples")):
        return []
    pairs = st.number_input(
        "Earlier messages", 1, max(len(kept), 10), max(len(kept), 2), key=controls.key("earlier-count")
    )
    found = []
    for at in range(int(pairs)):
        role = "user" if at % 2 == 0 else "assistant"
        before = kept[at].text if at < len(kept) else ""
        label = "Example question" if role == "user" else "Example answer"
        text = st.text_area(f"{label} {at // 2 + 1}", before, key=controls.key(f"earlier-{at}"), height=68)
        if text:
            found.append({"role": role, "text": text})
    if [turn["role"] for turn in found] != ["user", "assistant"] * (len(found) // 2):
        st.warning("Each example is a question and its answer; one of them is still empty.")
    return found
