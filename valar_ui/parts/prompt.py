"""The Map page's prompt: the text with its holes, the instructions, earlier messages as examples."""

from __future__ import annotations

from typing import Any

import streamlit as st

from valar_ui import samples, session
from valar_ui.ledger import Draft
from valar_ui.parts.controls import Controls
from valar_ui.readers import Reading
from valar_ui.recipe import Fixed, IdRule, Recipe, Turn
from valar_ui.session import literal
from valar_ui.template import hole


def _insert(key: str, column: str) -> None:
    before = st.session_state.get(key) or ""
    gap = "" if not before or before[-1].isspace() else " "
    st.session_state[key] = f"{before}{gap}{hole(column)}"


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
    desk = session.desk()
    desk.save_label(desk.save_recipe(draft, recipe), given["label"])
    session.state().revision += 1


def edit(controls: Controls, draft: Draft, reading: Reading, recipe: Recipe) -> tuple[Turn, ...]:
    """Draw the texts; the conversation as it stands now."""
    key = controls.key("prompt", recipe.prompt)
    system_key = controls.key("system", recipe.system)
    if draft.file_name == samples.REVIEWS.name and not st.session_state[key]:
        st.button("Fill in an example", key="example", icon=":material/auto_awesome:", on_click=_example, args=(draft,))
    st.text_area(
        "What should the model do with each row?",
        key=key,
        height=140,
        placeholder="Classify this review: {{review}}",
        help="Text in double braces is replaced by the cell of that column.",
    )
    shown = reading.columns[:24]
    st.caption("Insert a column:")
    with st.container(horizontal=True, gap="small"):
        for at, column in enumerate(shown):
            st.button(
                literal(column, most=28),
                key=f"{controls.prefix}-insert-{at}",
                on_click=_insert,
                args=(key, column),
                type="secondary",
            )
    if len(reading.columns) > len(shown):
        rest = st.selectbox(
            "More columns",
            [None, *reading.columns[len(shown) :]],
            key=f"{controls.prefix}-rest",
            format_func=lambda it: it or "…",
        )
        st.button(
            "Insert it", key=f"{controls.prefix}-insert-rest", disabled=rest is None, on_click=_insert, args=(key, rest)
        )
    st.text_area(
        "Instructions for every row (system message, optional)",
        key=system_key,
        height=80,
        placeholder="You are a careful assistant. Answer in one word.",
    )
    turns = [Turn(role="system", text=st.session_state[system_key])] if st.session_state[system_key] else []
    turns += [Turn(role=turn["role"], text=turn["text"]) for turn in _earlier(controls, recipe)]
    if st.session_state[key]:
        turns.append(Turn(role="user", text=st.session_state[key]))
    return tuple(turns)


def _earlier(controls: Controls, recipe: Recipe) -> list[dict[str, Any]]:
    """Turns between the instructions and the prompt: examples of question and answer."""
    kept = [turn for at, turn in enumerate(recipe.turns) if turn.role != "system" and at < len(recipe.turns) - 1]
    if not st.toggle("Show the model examples first", key=controls.key("examples", bool(kept))):
        return []
    pairs = st.number_input("Earlier messages", 1, 10, key=controls.key("earlier-count", max(len(kept), 2)))
    found = []
    for at in range(int(pairs)):
        role = "user" if at % 2 == 0 else "assistant"
        before = kept[at].text if at < len(kept) else ""
        label = "Example question" if role == "user" else "Example answer"
        text = st.text_area(f"{label} {at // 2 + 1}", key=controls.key(f"earlier-{at}", before), height=68)
        if text:
            found.append({"role": role, "text": text})
    return found
