"""The Map page's settings: every param that has a control, and a box for those that have none."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from valar_ui import limits
from valar_ui.parts import frame
from valar_ui.parts.controls import Controls
from valar_ui.recipe import Fixed, FromColumn, Image, Recipe, Source


def common(controls: Controls, recipe: Recipe) -> dict[str, Any]:
    """The settings most people want; the recipe's parts as they stand now."""
    return {
        "max_output_tokens": controls.source(
            "max-output",
            "Longest answer",
            recipe.max_output_tokens,
            controls.whole,
            help="max_output_tokens: in tokens; about four characters of English are one token. It bounds the cost.",
        ),
        "temperature": controls.source(
            "temperature",
            "Temperature (0 to 2)",
            recipe.temperature,
            controls.decimal(limits.TEMPERATURE[1]),
            help="temperature: 0 for the likeliest words each time, more for more variety.",
        ),
        "top_p": controls.source(
            "top-p",
            "Top-p (0 to 1)",
            recipe.top_p,
            controls.decimal(limits.TOP_P[1]),
            help="top_p: less keeps to the likelier words. Change this or the temperature, not both.",
        ),
    }


def more(controls: Controls, recipe: Recipe) -> dict[str, Any]:
    """The rest that has a control."""
    found: dict[str, Any] = {}
    with st.grid(2, min_column_width=frame.LEAST_COLUMN, gap="medium"):
        found["reasoning_effort"] = controls.source(
            "effort",
            "Thinking",
            recipe.reasoning_effort,
            controls.choice(limits.EFFORTS),
            help="reasoning.effort: how long the model thinks before it answers.",
        )
        found["reasoning_summary"] = controls.source(
            "summary",
            "Summary of the thinking",
            recipe.reasoning_summary,
            controls.choice(limits.SUMMARIES),
            help="reasoning.generate_summary",
        )
        found["prompt_cache_key"] = controls.source(
            "cache",
            "Cache key",
            recipe.prompt_cache_key,
            controls.text,
            help="prompt_cache_key: requests that share one may share what Valar has read already.",
        )
        found["user"] = controls.source(
            "user", "End user", recipe.user, controls.text, help="user: whom the request is for, by your own naming."
        )
    pictures = [image.column for image in recipe.images]
    images = st.multiselect(
        "Images: columns that hold their addresses",
        controls.with_lacking(*pictures),
        pictures,
        key=controls.key("images"),
        format_func=controls.named,
        max_selections=limits.MAX_IMAGES,
        help="http(s) addresses that anyone can open, or data: URIs; only for models that see images.",
    )
    details: list[Literal["auto", "low", "high"] | None] = [None, "auto", "low", "high"]
    first = recipe.images[0].detail if recipe.images else None
    detail = None
    if images:
        detail = st.selectbox(
            "How closely to look",
            details,
            details.index(first),
            key=controls.key("detail"),
            placeholder="leave out",
            format_func=lambda it: it or "leave out",
        )
    found["images"] = tuple(Image(column=column, detail=detail) for column in images)
    records = [it.column for it in recipe.metadata.values() if isinstance(it, FromColumn)]
    metadata = st.multiselect(
        "Metadata: columns to send along, for your own records",
        controls.with_lacking(*records),
        records,
        key=controls.key("metadata"),
        format_func=controls.named,
    )
    kept = {name: source for name, source in recipe.metadata.items() if isinstance(source, Fixed)}
    named = {it.column: name for name, it in recipe.metadata.items() if isinstance(it, FromColumn)}
    found["metadata"] = kept | {named.get(column, column): FromColumn(column=column) for column in metadata}
    found["completion_window"] = _window(controls, recipe)
    return found


def _window(controls: Controls, recipe: Recipe) -> Source | None:
    """The completion window: in a batch there is one only; what a recipe has beside it stays, so that it is named."""
    if isinstance(recipe.completion_window, FromColumn):
        return recipe.completion_window
    here = None if recipe.completion_window is None else recipe.completion_window.fixed
    options = list(dict.fromkeys((None, limits.BATCH_WINDOW, here)))
    window = st.selectbox(
        "Completion window",
        options,
        options.index(here),
        key=controls.key("window"),
        placeholder="leave out (Valar takes standard)",
        format_func=lambda it: it or "leave out (Valar takes standard)",
    )
    st.caption("A batch runs in the standard window: asap is not offered in a batch, flex only in the background.")
    return Fixed(fixed=window) if window else None


def json_box(controls: Controls, value: dict[str, Any]) -> dict[str, Any]:
    """Params that have no control."""
    label, example = "More params (JSON), for what has no control here", '{"include": ["message.output_text.logprobs"]}'
    return controls.json_object("more", label, value, height=90, placeholder=example, blank=True)
