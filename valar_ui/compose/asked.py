"""What a recipe asks for: the columns it uses, where each param comes from, what is the same in every request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from valar_ui.answer import answer_format
from valar_ui.ids import id_rule
from valar_ui.recipe import Fixed, FromColumn, Recipe, Source
from valar_ui.template import Template, renamed, resolve


def used_columns(recipe: Recipe, columns: Iterable[str] | None = None) -> frozenset[str]:
    """The columns a recipe asks for: holes, params, images, metadata, id.

    With `columns` given, holes are matched to them as composing does, and what the table lacks is left out.
    """
    if recipe.kind == "ready":
        wanted = ["custom_id", "params"]
    else:
        wanted = [slot if columns else slot.strip() for turn in recipe.turns for slot in Template(turn.text).slots]
        wanted += [source.column for _, source in sources(recipe) if isinstance(source, FromColumn)]
        wanted += [image.column for image in recipe.images]
    known = None if columns is None else list(columns)
    found = {resolve(slot, known) for slot in wanted} if known is not None else set(wanted)
    rule = id_rule(recipe).column
    if rule is not None and (known is None or rule in known):
        found.add(rule)
    return frozenset(column for column in found if column is not None)


def sent_columns(recipe: Recipe, columns: Iterable[str] | None = None) -> frozenset[str]:
    """The columns whose text leaves this computer: all that the recipe uses, the ids included."""
    return used_columns(recipe, columns)


def prompt_columns(recipe: Recipe, columns: Iterable[str]) -> list[str]:
    """The columns of a table that the prompt has holes for, in alphabetical order."""
    known = list(columns)
    holes = {resolve(name, known) for name in Template(recipe.prompt).holes}
    return sorted(column for column in holes if column is not None)


def sources(recipe: Recipe) -> Iterator[tuple[str, Source]]:
    """Each param that is fixed or from a column, by its name with dots, in the order of the request."""
    for name in ("model", "max_output_tokens", "temperature", "top_p"):
        source = getattr(recipe, name)
        if source is not None:
            yield name, source
    for name, source in (
        ("reasoning.effort", recipe.reasoning_effort),
        ("reasoning.generate_summary", recipe.reasoning_summary),
        ("metadata.completion_window", recipe.completion_window),
        *((f"metadata.{key}", source) for key, source in recipe.metadata.items()),
        ("prompt_cache_key", recipe.prompt_cache_key),
        ("user", recipe.user),
    ):
        if source is not None:
            yield name, source


def with_column(recipe: Recipe, lacking: str, column: str) -> Recipe:
    """The recipe with `column` wherever it asks for `lacking`: in holes, params, images, metadata and the ids."""
    changed = {
        name: value if name in ("more", "answer_schema") else _with_column(value, lacking, column)
        for name, value in recipe.model_dump().items()
    }
    changed["turns"] = [turn | {"text": renamed(turn["text"], lacking, column)} for turn in changed["turns"]]
    return Recipe.model_validate(changed)


def _with_column(value: Any, lacking: str, column: str) -> Any:
    if isinstance(value, dict):
        return {
            key: column if (key, it) == ("column", lacking) else _with_column(it, lacking, column)
            for key, it in value.items()
        }
    return [_with_column(it, lacking, column) for it in value] if isinstance(value, list | tuple) else value


def sendable(value: Any) -> bool:
    """Whether a value can stand in JSON: finite numbers, whole numbers of 64 bits, well-formed text."""
    try:
        json.dumps(value, allow_nan=False)
        orjson.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def fixed_params(recipe: Recipe) -> dict[str, Any]:
    """What is the same in every request, without `input`; the model is None where each row has its own."""
    params: dict[str, Any] = {"model": None, "input": None}
    for name, source in sources(recipe):
        if isinstance(source, Fixed) and sendable(source.fixed):
            put(params, name, source.fixed)
    form = answer_format(recipe)
    if form is not None and sendable(form):
        params["text"] = {"format": form}
    for name, value in recipe.more.items():
        if params.get(name) is None and sendable(value) and sendable(name):
            params[name] = value
    return params


def put(params: dict[str, Any], name: str, value: Any) -> None:
    """Set a param by its name with dots."""
    group, _, member = name.partition(".")
    if member:
        params.setdefault(group, {})[member] = value
    else:
        params[name] = value
