"""Table × Recipe → requests: the only row loop. A preview is a slice of it.

A row becomes a `Composed`: its custom_id, its params, the exact bytes, and what is wrong with its cells. Rules that
need more than one row, and rules about the recipe itself, live in `checks`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from valar_ui.answer import answer_format
from valar_ui.flaws import Flaw
from valar_ui.ids import Edits, Ids, id_rule
from valar_ui.messages import image_parts, image_url, texts
from valar_ui.params import flaws, flex_flaws, read_cell
from valar_ui.problems import Problem
from valar_ui.recipe import Fixed, FromColumn, Recipe, Source, Step
from valar_ui.table import Table
from valar_ui.template import Template, resolve


@dataclass(frozen=True, slots=True)
class Composed:
    """One row, composed."""

    index: int
    """Position in the table, from 0."""
    row: int
    """Row number as the spreadsheet shows it."""
    line: int | None
    original: str
    """The id as the sheet has it; empty where ids are made from row numbers."""
    custom_id: str
    params: dict[str, Any]
    """What Valar is asked, for the preview; empty where the row cannot be composed at all."""
    body: bytes
    """The params as the exact bytes to be sent; empty where the row cannot be composed at all."""
    prompt: str
    """The text of the last user turn (ready-made: of all messages)."""
    holes_empty: bool
    """The prompt has holes, and every cell in them is empty."""
    characters: int
    """Characters of all texts, for the token estimate."""
    wide: int
    """UTF-8 bytes of those texts beyond one a character."""
    images: int
    problems: tuple[Problem, ...]

    @property
    def item(self) -> bytes:
        """`{"custom_id":…,"params":…}` as it stands in a batch's `requests`."""
        return b'{"custom_id":%b,"params":%b}' % (orjson.dumps(self.custom_id), self.body)


class _Made(NamedTuple):
    """What a builder makes of one row's cells."""

    params: dict[str, Any]
    body: bytes
    prompt: str
    holes_empty: bool
    characters: int
    wide: int
    images: int
    flaws: tuple[tuple[str | None, Flaw], ...]
    """Column and flaw."""


def compose(
    table: Table,
    recipe: Recipe,
    *,
    steps: Sequence[Step] = (),
    start: int = 0,
    stop: int | None = None,
    ids: Ids | None = None,
) -> Iterator[Composed]:
    """Compose rows `start` to `stop`, in order; every row yields, also one that has problems.

    `ids` (from `Ids.scan`) spares reading the id column again. Of `steps`, edited cells and legal ids count here;
    rows left out and rows collapsed are `prepare`'s.
    """
    ids = Ids.scan(table, recipe, steps) if ids is None else ids
    edits = Edits(steps)
    builder = _Ready() if recipe.kind == "ready" else _Prompt(recipe, table.columns)
    columns = [column for column in builder.columns if column in table.columns]
    if len(columns) < len(builder.columns):
        return
    read = columns if ids.column is None or ids.column in columns else [*columns, ids.column]
    for chunk in table.chunks(read, start=start, stop=stop):
        edits.apply(chunk)
        originals = chunk.columns[ids.column] if ids.column is not None else [""] * len(chunk)
        rows = zip(*(chunk.columns[column] for column in columns), strict=True) if columns else [()] * len(chunk)
        for index, (number, line, original, cells) in enumerate(
            zip(chunk.numbers, chunk.lines, originals, rows, strict=True), start=chunk.start
        ):
            made = builder.make(cells)
            problems: tuple[Problem, ...] = ()
            if made.flaws:
                problems = tuple(placed(flaw, number, column, line) for column, flaw in made.flaws)
            yield Composed(index, number, line or None, original, ids.of(number, original), *made[:7], problems)


def preview(
    table: Table, recipe: Recipe, index: int, *, steps: Sequence[Step] = (), ids: Ids | None = None
) -> Composed:
    """One row by its index, as it will be sent; IndexError outside the table or without its columns."""
    for composed in compose(table, recipe, steps=steps, start=index, stop=index + 1, ids=ids):
        return composed
    raise IndexError(f"row {index} of {len(table)}")


def placed(flaw: Flaw, row: int | None = None, column: str | None = None, line: int | None = None) -> Problem:
    """A flaw with its place."""
    return Problem(flaw.code, flaw.text, flaw.hint, row, column, flaw.severity, line or None)


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
            _put(params, name, source.fixed)
    form = answer_format(recipe)
    if form is not None and sendable(form):
        params["text"] = {"format": form}
    for name, value in recipe.more.items():
        if params.get(name) is None and sendable(value) and sendable(name):
            params[name] = value
    return params


def _put(params: dict[str, Any], name: str, value: Any) -> None:
    group, _, member = name.partition(".")
    if member:
        params.setdefault(group, {})[member] = value
    else:
        params[name] = value


class _Prompt:
    """Builds requests from turns and params."""

    def __init__(self, recipe: Recipe, columns: Sequence[str]) -> None:
        used = used_columns(recipe, columns)
        self.columns = [column for column in columns if column in used]
        at = {column: position for position, column in enumerate(self.columns)}
        self._base = fixed_params(recipe)
        self._turns: list[tuple[str, tuple[str, ...], tuple[int | None, ...]]] = []
        for turn in recipe.turns:
            template = Template(turn.text)
            found = [resolve(slot, columns) for slot in template.slots]
            literals = list(template.literals)
            # A hole that no column answers stays in the text as written; the recipe's check objects to it.
            for position, column in enumerate(found):
                if column is None:
                    literals[position] += "{{" + template.slots[position] + "}}"
            self._turns.append((turn.role, tuple(literals), tuple(None if c is None else at[c] for c in found)))
        self._last_user = max((n for n, turn in enumerate(recipe.turns) if turn.role == "user"), default=-1)
        self._cells = [
            (name, source.column, at[source.column])
            for name, source in sources(recipe)
            if isinstance(source, FromColumn) and source.column in at
        ]
        self._images = [(image.column, at[image.column], image.detail) for image in recipe.images if image.column in at]
        self._groups = {name.partition(".")[0] for name, _, _ in self._cells if "." in name}
        self._model_column = recipe.model.column if isinstance(recipe.model, FromColumn) else None

    def make(self, cells: tuple[str, ...]) -> _Made:
        """One row's request."""
        params = self._base.copy()
        flaws: list[tuple[str | None, Flaw]] = []
        messages, characters, wide, images, prompt, holes_empty = [], 0, 0, 0, "", False
        for at, (role, literals, positions) in enumerate(self._turns):
            text = literals[0]
            if positions:
                pieces = [text]
                for position, literal in zip(positions, literals[1:], strict=True):
                    if position is not None:
                        pieces.append(cells[position])
                    pieces.append(literal)
                text = "".join(pieces)
            last = at == self._last_user
            if last:
                prompt = text
                holes_empty = bool(positions) and not any(p is None or _says_something(cells[p]) for p in positions)
            elif not text:
                continue
            characters += len(text)
            if not text.isascii():
                wide += len(text.encode()) - len(text)
            content: Any = text
            if last and self._images:
                pictures = self._pictures(cells, flaws)
                images = len(pictures)
                if pictures:
                    content = [{"type": "input_text", "text": text}, *pictures] if text else pictures
            messages.append({"role": role, "content": content})
        params["input"] = messages
        if self._cells:
            self._read(params, cells, flaws)
        return _Made(params, orjson.dumps(params), prompt, holes_empty, characters, wide, images, tuple(flaws))

    def _pictures(self, cells: tuple[str, ...], flaws: list[tuple[str | None, Flaw]]) -> list[dict[str, Any]]:
        parts: list[dict[str, Any]] = []
        for column, position, detail in self._images:
            url = cells[position]
            if url:
                flaws += [(column, flaw) for flaw in image_url(url)]
                part = {"type": "input_image", "image_url": url}
                parts.append(part if detail is None else part | {"detail": detail})
        return parts

    def _read(self, params: dict[str, Any], cells: tuple[str, ...], flaws: list[tuple[str | None, Flaw]]) -> None:
        for group in self._groups:
            params[group] = dict(params.get(group) or {})
        for name, column, position in self._cells:
            cell = cells[position]
            if not cell:
                continue
            value, found = read_cell(name, cell)
            if found:
                flaws += [(column, flaw) for flaw in found]
            else:
                _put(params, name, value)
                if name == "metadata.completion_window" and value == "flex":
                    flaws += [(column, flaw) for flaw in flex_flaws(params.get("background"))]
        for group in self._groups:
            if not params[group]:
                del params[group]
        missing = self._model_column is not None and params["model"] is None
        if missing and not any(flaw.code.startswith("model-") for _, flaw in flaws):
            flaws.append((self._model_column, Flaw("model-missing", "The model's cell is empty.", "Fill it in.")))


def _says_something(text: str) -> bool:
    return bool(text) and not text.isspace()


class _Ready:
    """Passes ready-made requests through, byte for byte."""

    columns = ("params",)

    def make(self, cells: tuple[str, ...]) -> _Made:
        """One ready-made request, every rule checked."""
        body = cells[0].encode()
        try:
            params = orjson.loads(body)
            # What does not come back as it went in may hide a repeated key or a rounded number.
            if orjson.dumps(params) != body:
                params = json.loads(body, object_pairs_hook=_unique)
        except _Repeated as fault:
            return _broken("params-repeated-key", f"The key {fault} occurs twice in one object.", "Keep one of them.")
        except (ValueError, RecursionError):
            return _broken("params-json", "This is not valid JSON.", 'Correct it: {"model": …, "input": …}.')
        if not isinstance(params, dict):
            return _broken("params-object", "This is JSON, but no object.", 'Write {"model": …, "input": …}.')
        found = list(texts(params.get("input")))
        characters = sum(map(len, found))
        wide = sum(len(text.encode()) - len(text) for text in found if not text.isascii())
        images = image_parts(params.get("input")) if b"input_image" in body else 0
        wrong = tuple(("params", flaw) for flaw in flaws(params))
        return _Made(params, body, "\n".join(found), False, characters, wide, images, wrong)


class _Repeated(Exception):
    """A key occurs twice."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [key for key, _ in pairs]
        raise _Repeated(next(key for key in names if names.count(key) > 1))
    return found


def _broken(code: str, text: str, hint: str) -> _Made:
    return _Made({}, b"", "", False, 0, 0, 0, (("params", Flaw(code, text, hint)),))
