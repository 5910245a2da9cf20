"""One row's cells → one request: from turns and params (`Prompts`), or ready-made (`Ready`)."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping, Sequence
from typing import Any, Final

import orjson

from valar_ui.compose.asked import fixed_params, put, sources, used_columns
from valar_ui.flaws import Flaw
from valar_ui.messages import image_parts, image_url, texts
from valar_ui.params import INTEGERS, NUMBERS, flaws, flex_flaws, mended_number, read_cell
from valar_ui.problems import Severity
from valar_ui.recipe import FromColumn, Recipe, Turn, UseModel
from valar_ui.template import Template, resolve

Placed = tuple[str | None, Flaw]
"""A flaw and the column it is in."""

LONG: Final = 1_000
"""Characters from which a text's UTF-8 bytes are taken from the body's length: near enough for an estimate."""

Made = tuple[dict[str, Any], bytes, str, bool, int, int, int, str, Sequence[Placed]]
"""Params, body, prompt, holes_empty, characters, wide, images, instead_of (as in `Composed`), flaws."""

Models = Sequence[UseModel]
"""Which models are asked instead of which, in the order of the mends."""

_MODEL: Final = re.compile(rb'"model"\s*:\s*("(?:[^"\\]|\\.)*")')
"""Where a request may name its model."""


_HOLE_EMPTY: Final = Flaw(
    "hole-empty",
    "This cell is empty: the prompt has nothing in its place.",
    "Fill it in, leave the row out, or let it go as it is.",
    Severity.WARNING,
)


class _Turn:
    """One turn, taken apart for the row loop."""

    __slots__ = ("first", "holes", "message", "role", "wide")

    def __init__(self, turn: Turn, columns: Sequence[str], at: dict[str, int]) -> None:
        template = Template(turn.text)
        literals = list(template.literals)
        positions: list[tuple[int, str]] = []
        # A hole that no column answers stays in the text as written; the recipe's check objects to it.
        self.first = literals[0]
        for slot, literal in zip(template.slots, literals[1:], strict=True):
            column = resolve(slot, columns)
            if column is not None:
                positions.append((at[column], literal))
            elif positions:
                positions[-1] = (positions[-1][0], positions[-1][1] + "{{" + slot + "}}" + literal)
            else:
                self.first += "{{" + slot + "}}" + literal
        self.role = turn.role
        self.holes = tuple(positions)
        self.message = {"role": turn.role, "content": self.first}
        """The whole message, where there are no holes."""
        self.wide = _wide(self.first)


def _wide(text: str) -> int:
    return 0 if text.isascii() else len(text.encode()) - len(text)


def _schema(params: Mapping[str, Any]) -> tuple[int, int]:
    """Characters and wide (as in `Composed`) of the answer's JSON schema, which the model reads with each request."""
    text = params.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        return 0, 0
    written = json.dumps(form, ensure_ascii=False, separators=(",", ":"))
    return len(written), _wide(written)


class Prompts:
    """Builds requests from turns and params."""

    def __init__(
        self, recipe: Recipe, columns: Sequence[str], *, mended: Container[str] = (), models: Models = ()
    ) -> None:
        """`mended`: columns whose numbers are read as a person means them."""
        self._models = models
        used = used_columns(recipe, columns)
        self.columns = [column for column in columns if column in used]
        at = {column: position for position, column in enumerate(self.columns)}
        self.base = fixed_params(recipe)
        self.schema = _schema(self.base)
        self.beside = len(orjson.dumps(self.base | {"input": [{"role": turn.role} for turn in recipe.turns]}))
        turns = [_Turn(turn, columns, at) for turn in recipe.turns]
        last = max((n for n, turn in enumerate(recipe.turns) if turn.role == "user"), default=-1)
        self.turns = [(turn, n == last) for n, turn in enumerate(turns) if n == last or turn.holes or turn.first]
        self._cells = [
            (name, source.column, at[source.column], source.column in mended and name in (*NUMBERS, *INTEGERS))
            for name, source in sources(recipe)
            if isinstance(source, FromColumn) and source.column in at
        ]
        self._images = [(image.column, at[image.column], image.detail) for image in recipe.images if image.column in at]
        self._groups = {name.partition(".")[0] for name, *_ in self._cells if "." in name}
        self._model_column = recipe.model.column if isinstance(recipe.model, FromColumn) else None

    @property
    def texts_only(self) -> bool:
        """Nothing but texts comes from the sheet: no param, no image."""
        return not self._cells and not self._images and isinstance(self.base["model"], str)

    def make(self, cells: tuple[str, ...]) -> Made:
        """One row's request."""
        params = self.base.copy()
        wrong: list[Placed] = []
        messages: list[dict[str, Any]] = []
        characters = wide = images = 0
        prompt, holes_empty, estimated, instead_of = "", False, False, ""
        for turn, last in self.turns:
            if turn.holes:
                pieces, blank = [turn.first], []
                for position, literal in turn.holes:
                    cell = cells[position]
                    pieces += (cell, literal)
                    if not cell or cell.isspace():
                        blank.append(position)
                empty = len(blank) == len(turn.holes)
                if blank and not empty:
                    wrong += [(self.columns[position], _HOLE_EMPTY) for position in dict.fromkeys(blank)]
                text = "".join(pieces)
                if not (text or last):
                    continue
                message: dict[str, Any] = {"role": turn.role, "content": text}
                if not text.isascii():
                    if len(text) < LONG:
                        wide += len(text.encode()) - len(text)
                    else:
                        estimated = True
            else:
                text, message, empty = turn.first, turn.message, False
                wide += turn.wide
            characters += len(text)
            if last:
                prompt, holes_empty = text, empty
                if self._images:
                    pictures = self._pictures(cells, wrong)
                    if empty and pictures:
                        wrong += [(self.columns[position], _HOLE_EMPTY) for position in dict.fromkeys(blank)]
                    images = len(pictures)
                    if pictures:
                        content = [{"type": "input_text", "text": text}, *pictures] if text else pictures
                        message = {"role": turn.role, "content": content}
            messages.append(message)
        params["input"] = messages
        if self._cells:
            instead_of = self._read(params, cells, wrong)
        body = orjson.dumps(params)
        if estimated:
            wide = max(len(body) - self.beside - characters, wide)
        characters, wide = characters + self.schema[0], wide + self.schema[1]
        return params, body, prompt, holes_empty, characters, wide, images, instead_of, wrong

    def _pictures(self, cells: tuple[str, ...], wrong: list[Placed]) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = []
        for column, position, detail in self._images:
            url = cells[position]
            if url:
                wrong += [(column, flaw) for flaw in image_url(url)]
                part = {"type": "input_image", "image_url": url}
                parts.append(part if detail is None else part | {"detail": detail})
        return parts

    def _read(self, params: dict[str, Any], cells: tuple[str, ...], wrong: list[Placed]) -> str:
        """Put in what the cells say; returns the model that one asks for and another is asked instead of."""
        instead_of = ""
        for group in self._groups:
            known = params.get(group)
            params[group] = dict(known) if isinstance(known, dict) else {}
        for name, column, position, mends in self._cells:
            cell = mended_number(name, cells[position]) if mends else cells[position]
            if not cell:
                continue
            value, found = read_cell(name, cell)
            if found:
                wrong += [(column, flaw) for flaw in found]
            else:
                if name == "model" and (used := _used(value, self._models)) != value:
                    instead_of, value = value, used
                put(params, name, value)
                if name == "metadata.completion_window" and value == "flex":
                    wrong += [(column, flaw) for flaw in flex_flaws(params.get("background"))]
        for group in self._groups:
            if not params[group]:
                del params[group]
        missing = self._model_column is not None and params["model"] is None
        if missing and not any(flaw.code.startswith("model-") for _, flaw in wrong):
            wrong.append((self._model_column, Flaw("model-missing", "The model's cell is empty.", "Fill it in.")))
        return instead_of


class Ready:
    """Passes ready-made requests through, byte for byte, but for a model that another is asked instead of."""

    columns = ("params",)

    def __init__(self, *, models: Models = ()) -> None:
        self._models = models

    def make(self, cells: tuple[str, ...]) -> Made:
        """One ready-made request, every rule checked."""
        body = cells[0].encode()
        try:
            params = orjson.loads(body)
            # What does not come back as it went in may hide a repeated key or a rounded number.
            if orjson.dumps(params) != body:
                params = json.loads(body, object_pairs_hook=_unique)
        except _Repeated as fault:
            return _broken("params-repeated-key", f"The key {fault} occurs twice in one object.", "Keep one of them.")
        except TypeError:
            return _broken("too-deep", "This request is nested too deep to be sent.", "Nest it less.")
        except (ValueError, RecursionError):
            return _broken("params-json", "This is not valid JSON.", 'Correct it: {"model": …, "input": …}.')
        if not isinstance(params, dict):
            return _broken("params-object", "This is JSON, but no object.", 'Write {"model": …, "input": …}.')
        instead_of, model = "", params.get("model")
        if self._models and isinstance(model, str) and (used := _used(model, self._models)) != model:
            instead_of, body = model, _with_model(body, params, used)
            params = params | {"model": used}
        found = list(texts(params.get("input")))
        characters, wide = _schema(params)
        characters += sum(map(len, found))
        wide += sum(map(_wide, found))
        images = image_parts(params.get("input")) if b"input_image" in body else 0
        wrong = [("params", flaw) for flaw in flaws(params)]
        return params, body, "\n".join(found), False, characters, wide, images, instead_of, wrong


def _used(model: str, models: Models) -> str:
    """The model that is asked."""
    for step in models:
        model = step.model if model == step.instead_of else model
    return model


def _with_model(body: bytes, params: dict[str, Any], model: str) -> bytes:
    """The same request for another model, every other byte as it stands."""
    wanted = params | {"model": model}
    for found in _MODEL.finditer(body):
        changed = body[: found.start(1)] + orjson.dumps(model) + body[found.end(1) :]
        if json.loads(changed) == wanted:
            return changed
    return json.dumps(wanted, ensure_ascii=False, separators=(",", ":")).encode()


class _Repeated(Exception):
    """A key occurs twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [key for key, _ in pairs]
        raise _Repeated(next(key for key in names if names.count(key) > 1))
    return found


def _broken(code: str, text: str, hint: str) -> Made:
    return ({}, b"", "", False, 0, 0, 0, "", (("params", Flaw(code, text, hint)),))
