"""The row loop: `compose` streams, `preview` takes one row of the same stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from valar_ui.compose.builders import Prompts, Ready
from valar_ui.compose.many import Frame, Many
from valar_ui.flaws import Flaw
from valar_ui.ids import Edits, Ids
from valar_ui.problems import Problem
from valar_ui.recipe import MendNumbers, Recipe, Step, UseModel
from valar_ui.table import Chunk, Slice, Table


# Not frozen: a hundred thousand frozen ones take a second longer to make.
@dataclass(slots=True)
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
    """Characters of all texts and of the answer's schema, for the token estimate."""
    wide: int
    """UTF-8 bytes of those texts beyond one a character; of long texts nearly."""
    images: int
    instead_of: str
    """The model that the row asks for, where a mend says to ask another; else empty."""
    problems: tuple[Problem, ...]

    @property
    def item(self) -> bytes:
        """`{"custom_id":…,"params":…}` as it stands in a batch's `requests`."""
        return b'{"custom_id":%b,"params":%b}' % (orjson.dumps(self.custom_id), self.body)


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

    `ids` (from `Ids.scan`) spares reading the id column again. Of `steps`, edited cells, numbers, models and
    legal ids count; rows left out and rows collapsed are `prepare`'s.
    """
    for made in compose_many(table, recipe, steps=steps, start=start, stop=stop, ids=ids):
        assert isinstance(made, Composed)
        yield made


def compose_many(
    table: Table,
    recipe: Recipe,
    *,
    steps: Sequence[Step] = (),
    start: int = 0,
    stop: int | None = None,
    ids: Ids | None = None,
    clear: Callable[[Many], bool] | None = None,
) -> Iterator[Composed | Many]:
    """As `compose`, but rows come many at a time where they have no flaw and `clear` says that nothing else has."""
    ids = Ids.scan(table, recipe, steps) if ids is None else ids
    edits = Edits(steps)
    models = [step for step in steps if isinstance(step, UseModel)]
    builder = (
        Ready(models=models)
        if recipe.kind == "ready"
        else Prompts(recipe, table.columns, mended=_mended(steps), models=models)
    )
    columns = [column for column in builder.columns if column in table.columns]
    if len(columns) < len(builder.columns):
        return
    frame = Frame(builder) if clear is not None and isinstance(builder, Prompts) else None
    read = columns if ids.column is None or ids.column in columns else [*columns, ids.column]
    for part in table.slices(read, start=start, stop=stop):
        if frame is not None and frame.fits and clear is not None and not edits.touch(part.numbers):
            many = _many(frame, part, ids)
            if many is not None and clear(many):
                yield many
                continue
        chunk = part.chunk()
        edits.apply(chunk)
        yield from _one_by_one(chunk, builder, columns, ids)


def _mended(steps: Sequence[Step]) -> frozenset[str]:
    return frozenset(step.column for step in steps if isinstance(step, MendNumbers))


def _many(frame: Frame, part: Slice, ids: Ids) -> Many | None:
    originals = part.columns[ids.column].to_pylist() if ids.column is not None else [""] * len(part.numbers)
    return frame.make(part, originals, ids.of_many(part.numbers.to_pylist(), originals))


def _one_by_one(chunk: Chunk, builder: Prompts | Ready, columns: Sequence[str], ids: Ids) -> Iterator[Composed]:
    originals = chunk.columns[ids.column] if ids.column is not None else [""] * len(chunk)
    rows = zip(*(chunk.columns[column] for column in columns), strict=True) if columns else [()] * len(chunk)
    for index, (number, line, original, cells) in enumerate(
        zip(chunk.numbers, chunk.lines, originals, rows, strict=True), start=chunk.start
    ):
        params, body, prompt, holes_empty, characters, wide, images, instead_of, wrong = builder.make(cells)
        problems = tuple(placed(flaw, number, column, line) for column, flaw in wrong) if wrong else ()
        yield Composed(
            index,
            number,
            line or None,
            original,
            ids.of(number, original),
            params,
            body,
            prompt,
            holes_empty,
            characters,
            wide,
            images,
            instead_of,
            problems,
        )


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
