"""The Map page's left side: every param as a control, nothing that needs JSON for the common case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from valar_ui import session
from valar_ui.checks import check_recipe
from valar_ui.compose import sent_columns, with_column
from valar_ui.drafts import changed_ids, suggestions
from valar_ui.ledger import Draft
from valar_ui.parts import answer, frame, params, problems, prompt, recipes
from valar_ui.parts.controls import Controls
from valar_ui.problems import Report, Severity
from valar_ui.readers import Reading
from valar_ui.recipe import Fixed, FromColumn, IdRule, Recipe, Source, Turn
from valar_ui.session import literal
from valar_ui.suggest import NAMES, Suggestion, normal
from valar_ui.template import hole, holes, nearest

PLAIN: Final = ("max_output_tokens", "temperature", "top_p", "reasoning_effort", "model", "user", "prompt_cache_key")
"""Params that take a column as it is."""
SPOKEN: Final[dict[str, Literal["system", "user"]]] = {"system": "system", "input": "user"}
"""Suggestions that become text with a hole."""
PLACES: Final = {"image": " Choose it under More settings, with a model that sees images."}
ABOUT_PROMPT: Final = (
    *("unknown-column", "hole-unclosed", "hole-single-brace"),
    *("prompt-not-last", "prompt-without-column", "image-without-prompt"),
)
"""Problems told right under the prompt."""
SHOWN: Final = {"input": "the prompt", "system": "the instructions", "custom_id": "the ids", "image": "images"}


def _ids(controls: Controls, reading: Reading, rule: IdRule) -> IdRule:
    column = controls.column(
        "id", "Ids: which column names each row?", rule.column, none="none, make them from the row number"
    )
    if column is None:
        return IdRule()
    legal = st.toggle(
        "Make ids legal where needed",
        rule.legal,
        key=controls.key("id-legal"),
        help="Valar takes lowercase letters, digits, - and _, at most 64 characters, and each id once. "
        "The answers are matched by row, so a changed id loses nothing.",
    )
    chosen = IdRule(column=column, legal=legal)
    examples = changed_ids(reading.table_path, chosen)
    if examples and legal:
        told = " · ".join(f"{literal(before, most=40) or '(empty)'} → `{after}`" for before, after in examples)
        st.caption(f"What becomes of ids that cannot be sent as they are: {told}")
    return chosen


@dataclass(frozen=True, slots=True)
class Asked:
    """The upper half of the page, drawn: what is asked of the model, with what the recipe had for the rest."""

    recipe: Recipe
    controls: Controls
    hints: dict[str, Suggestion]
    about_prompt: DeltaGenerator
    """The place right under the prompt."""


def untouched(draft: Draft, reading: Reading) -> bool:
    """Whether the mapping has no text yet, or only what the sheet's headings put there."""
    begun = Recipe().model_copy(update=_prefilled(suggestions(reading.table_path)))
    here = session.desk().recipe(draft, reading)
    return not here.turns or here.model_copy(update={"model": begun.model, "label": ""}) == begun


def ask(draft: Draft, reading: Reading) -> Asked:
    """Draw the model, the prompt and what stands before it."""
    recipe = session.desk().recipe(draft, reading)
    controls = Controls(draft, reading.columns)
    hints = suggestions(reading.table_path)
    if draft.recipe is None:
        recipe = recipe.model_copy(update=_prefilled(hints))
    model = controls.source("model", "Model", recipe.model, controls.model, required=True)
    _about_model(model)
    text = prompt.ask(controls, draft, reading, recipe)
    about_prompt = st.container()
    turns = prompt.around(controls, recipe, text)
    return Asked(recipe.model_copy(update={"model": model, "turns": turns}), controls, hints, about_prompt)


def settle(asked: Asked, draft: Draft, reading: Reading) -> Recipe:
    """Draw every other setting, and what is wrong with the mapping; the recipe as it stands now."""
    controls, recipe = asked.controls, asked.recipe
    found = answer.edit(controls, recipe)
    with st.grid(2, min_column_width=frame.LEAST_COLUMN, gap="medium"):
        with st.container():
            found["custom_id"] = _ids(controls, reading, recipe.custom_id)
        found |= params.common(controls, recipe)
    # Closed, it costs nothing to draw, and the recipe keeps what it has.
    fold = st.expander(
        "More settings",
        controls.unfinished("more") is not None,
        icon=":material/settings:",
        key=controls.key("more-settings"),
        on_change="rerun",
    )
    if fold.open:
        with fold:
            found |= params.more(controls, recipe)
            found["more"] = params.json_box(controls, recipe.more)
    edited = recipe.model_copy(update=found)
    if edited.images and not any(turn.role == "user" for turn in edited.turns[-1:]):
        edited = edited.model_copy(update={"turns": (*edited.turns, Turn(role="user", text=""))})
    _told(asked, edited, draft, reading)
    return edited


def _told(asked: Asked, recipe: Recipe, draft: Draft, reading: Reading) -> None:
    """Suggestions, what is wrong, and what leaves this computer."""
    with asked.about_prompt:
        _suggested(asked.controls, asked.hints, recipe)
    report = Report()
    report.extend(it for it in check_recipe(recipe, reading.columns) if it.code != "prompt-missing")
    for group in report.groups:
        with asked.about_prompt if group.code in ABOUT_PROMPT else st.container():
            problems.group(group)
            if group.code == "unknown-column":
                _offer_nearest(draft, recipe, group.column or "", reading.columns)
    sent = sent_columns(recipe, reading.columns)
    st.caption(
        f"{len(sent)} of {len(reading.columns)} columns {'is' if len(sent) == 1 else 'are'} sent"
        + (f": {literal(', '.join(sorted(sent)))}" if sent else ".")
    )


def _about_model(model: Source | None) -> None:
    """What is known of the chosen model: whether the models can be listed, and whether it is one of them."""
    if session.state().models_fault:
        st.warning(
            f"The models cannot be listed now: {literal(session.state().models_fault, most=300)} "
            "Type the model's name, or look at Connection.",
            icon=":material/cloud_off:",
        )
    elif isinstance(model, Fixed) and session.unknown_models([str(model.fixed)]):
        st.warning(f"{literal(str(model.fixed))} is not among the models that Valar lists for you.")


def _offer_nearest(draft: Draft, recipe: Recipe, lacking: str, columns: Sequence[str]) -> None:
    """One click puts the column most like a missing one in its place, wherever the recipe asks for it; or any other."""
    close = nearest(lacking, columns)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if close is not None:
            st.button(
                f"Use {literal(close, most=60)} instead",
                key=f"instead-{lacking}",
                icon=":material/swap_horiz:",
                on_click=recipes.put,
                args=(draft, with_column(recipe, lacking, close)),
            )
        other = st.selectbox(
            "Use another column instead",
            [it for it in columns if it != close],
            None,
            key=f"other-{lacking}",
            placeholder="Use another column instead" if close is not None else "Use this column instead",
            label_visibility="collapsed",
            width=280,
        )
    if other is not None:
        recipes.put(draft, with_column(recipe, lacking, other))
        st.rerun()


def _exactly(hint: Suggestion) -> bool:
    """Whether the heading is the param's own name: a column called `review` is a guess, `prompt` is none."""
    return hint.exact and normal(hint.column) in NAMES[hint.target][0]


def _prefilled(hints: dict[str, Suggestion]) -> dict[str, Any]:
    """What a new recipe begins with: exact suggestions only."""
    exact = {target: hint.column for target, hint in hints.items() if hint.exact}
    found: dict[str, Any] = {target: FromColumn(column=exact[target]) for target in PLAIN if target in exact}
    turns = [
        Turn(role=role, text=hole(hints[target].column))
        for target, role in SPOKEN.items()
        if target in hints and _exactly(hints[target])
    ]
    if turns:
        found["turns"] = tuple(turns)
    if "custom_id" in exact:
        found["custom_id"] = IdRule(column=exact["custom_id"])
    return found


def _uses(recipe: Recipe, target: str, column: str) -> bool:
    """Whether the recipe takes a target from this column."""
    if target in SPOKEN:
        return hole(column) in (recipe.prompt if target == "input" else recipe.system)
    if target == "image":
        return any(image.column == column for image in recipe.images)
    source = recipe.custom_id if target == "custom_id" else getattr(recipe, target)
    return getattr(source, "column", None) == column


def _lacks(recipe: Recipe, target: str) -> bool:
    """Whether nothing is chosen for a target yet."""
    if target in SPOKEN:
        return not holes(recipe.prompt) if target == "input" else not recipe.system
    if target == "image":
        return not recipe.images
    return (recipe.custom_id.column if target == "custom_id" else getattr(recipe, target)) is None


def _suggested(controls: Controls, hints: dict[str, Suggestion], recipe: Recipe) -> None:
    """What was filled in, as long as it stands, and what is proposed where nothing is chosen; each with its reason."""
    for target, hint in hints.items():
        waits = _lacks(recipe, target)
        ours = hint.exact and target != "image" and (target not in SPOKEN or _exactly(hint))
        if not waits and not (ours and _uses(recipe, target, hint.column)):
            continue
        verb = "Proposed for" if waits else "Filled in for"
        told = (
            f":material/lightbulb: {verb} {SHOWN.get(target, literal(target))}: column **{literal(hint.column)}**. "
            f"{literal(hint.reason)}" + (PLACES.get(target, "") if waits else "")
        )
        if waits and target == "input":
            said, button = st.columns([4, 1], vertical_alignment="center")
            said.caption(told)
            button.button(
                "Insert", key="insert-proposed", on_click=prompt.insert, args=(controls.key("prompt"), hint.column)
            )
        else:
            st.caption(told)


def why_not(controls: Controls, recipe: Recipe, reading: Reading) -> str | None:
    """What is missing before Check makes sense, or None."""
    if recipe.model is None:
        return "Choose a model first."
    if not (recipe.prompt.strip() or recipe.images):
        return "Write what the model should do with each row first."
    boxes = {"more": "More params"} | ({"schema": "The answer's schema"} if recipe.answer_schema is not None else {})
    if unfinished := controls.unfinished(*boxes):
        return f"Mend this first: {boxes[unfinished]} is no JSON object yet."
    blocking = [it for it in check_recipe(recipe, reading.columns) if it.severity is Severity.ERROR]
    return f"Mend this first: {literal(blocking[0].text)}" if blocking else None
