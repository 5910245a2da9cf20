"""JSON objects become a table: the union of their keys, nested objects as dotted columns, requests as such."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from valar_ui.problems import Problem, Report, Severity
from valar_ui.readers import ready
from valar_ui.readers.filling import Ledger
from valar_ui.readers.grid import MAX_COLUMNS, Grid
from valar_ui.readers.headings import unique_names
from valar_ui.readers.jsontext import JsonFlaw, cell
from valar_ui.readers.reading import ReadOptions, Recognised, Record, UnreadableFile
from valar_ui.readers.watch import Watch
from valar_ui.table import Table, TableWriter

SAMPLE: Final = 500
"""Values looked at before the first is written."""

MAX_LOOK: Final = 20_000
"""Lines among which they are sought."""

MAX_NESTED: Final = 300
"""Dotted columns at most; beyond, nested objects stay compact JSON in one cell."""

MAX_DEPTH: Final = 8
"""Levels that become dotted columns."""


class Item(NamedTuple):
    """One JSON value of the file, or what stood in its place."""

    number: int
    """Line of a JSONL file, place in a list."""
    line: int
    value: Any = None
    flaw: JsonFlaw | None = None
    blank: bool = False
    flat: bool = False
    """The value is known to be an object without objects in it."""


Key = str | tuple[str, ...]
"""A key of the objects themselves, or the path to a nested one."""


@dataclass(slots=True)
class Objects:
    """What became of the values."""

    grid: Grid
    recognised_as: Recognised | None = None
    changes: tuple[str, ...] = ()


@dataclass(slots=True)
class Shape:
    """The columns that the values make."""

    keys: dict[Key, None] = field(default_factory=dict)
    nested: bool = True
    """Nested objects become dotted columns."""
    scalars: bool = False
    """The values are no objects; they make one column."""

    def record(self, value: Any) -> dict[str, Any] | None:
        """The object that a value of the file stands for, if it makes a row."""
        if isinstance(value, dict):
            return None if self.scalars else value
        return {"value": value} if self.scalars and value is not None else None

    def flat(self, value: dict[str, Any]) -> dict[Key, Any]:
        """One object, as deep as this shape goes."""
        if not self.nested or not any(type(item) is dict for item in value.values()):
            return value  # type: ignore[return-value]  # a dict of str keys is one of Keys that is only read
        out: dict[Key, Any] = {}
        _flatten(value, (), out)
        return out

    def learn(self, values: Iterable[Any]) -> None:
        """Take in the keys of more values."""
        for value in values:
            for key in self.flat(self.record(value) or {}):
                self.keys.setdefault(key)
            if self.nested and sum(isinstance(key, tuple) for key in self.keys) > MAX_NESTED:
                raise TooNested
            if len(self.keys) > MAX_COLUMNS:
                raise UnreadableFile(
                    f"The objects have more than {MAX_COLUMNS:,} different keys: that makes no table.",
                    "Check that each line is one record.",
                    code="too-many-columns",
                )

    def names(self) -> tuple[str, ...]:
        """Display names; a dotted one gives way to a real key of that name."""
        real = {key for key in self.keys if isinstance(key, str)}
        names = [key if isinstance(key, str) else ".".join(key) for key in self.keys]
        return unique_names(
            [
                f"{name} (nested)" if isinstance(key, tuple) and name in real else name
                for key, name in zip(self.keys, names, strict=True)
            ]
        )[0]


class TooNested(Exception):
    """More dotted columns than anybody wants."""


class NewKey(Exception):
    """A key turned up that the columns do not hold yet."""


def _flatten(value: dict[str, Any], path: tuple[str, ...], out: dict[Key, Any]) -> None:
    for key, item in value.items():
        here = (*path, key)
        if type(item) is dict and item and len(here) < MAX_DEPTH:
            _flatten(item, here, out)
        else:
            out[key if not path else here] = item


def sample(items: Iterable[Item]) -> list[Any]:
    """The first values, from which the shape of the table is found; lines without any may come before."""
    return list(islice((item.value for item in islice(items, MAX_LOOK) if item.value is not None), SAMPLE))


def all_lists(sample: list[Any]) -> bool:
    """The first values are lists: a table of rows, not of objects."""
    return bool(sample) and all(isinstance(value, list) for value in sample[:20])


def records(items: Iterable[Item], report: Report) -> Iterator[Record]:
    """Lists as records of a grid; anything else is told and makes a blank one."""
    for item in items:
        if item.flaw is not None:
            report.add(line_problem(item))
        if isinstance(item.value, list):
            yield item.number, item.line, [cell(value) for value in item.value]
        else:
            if item.flaw is None and not item.blank:
                report.add(_not_an_object(item))
            yield item.number, item.line, []


def build(
    items: Callable[[], Iterator[Item]], sample: list[Any], *, into: Path, options: ReadOptions, report: Report
) -> Objects:
    """Write the table; `items` begins anew at each call. `UnreadableFile` where no value makes a row."""
    kind = ready.recognise(sample)
    if kind is not None:
        return _requests(items(), kind, into, options, report)
    scalars = bool(sample) and not any(isinstance(value, dict) for value in sample)
    shape = Shape(scalars=scalars)
    try:
        shape.learn(sample)
    except TooNested:
        shape = Shape(nested=False)
        shape.learn(sample)
    for _ in range(3):
        path = into / f"table-{uuid.uuid4().hex}.arrow"
        fresh = Report()
        try:
            grid = _write(items(), shape, path, options, fresh)
        except NewKey:
            shape = _all_keys(items, shape)
        else:
            report.absorb(fresh)
            return Objects(grid)
    raise AssertionError("the keys of a file do not change between two passes")


def _all_keys(items: Callable[[], Iterator[Item]], shape: Shape) -> Shape:
    """Learn every key of the file, in order of appearance."""
    for nested in (True, False):
        whole = Shape(nested=nested and shape.nested, scalars=shape.scalars)
        try:
            whole.learn(item.value for item in items())
        except TooNested:
            continue
        return whole
    raise AssertionError("without dotted columns nothing is too nested")


def _write(items: Iterator[Item], shape: Shape, path: Path, options: ReadOptions, report: Report) -> Grid:
    ledger = Ledger()
    columns = shape.names()
    if not columns:
        columns, shape.keys = ("value",), {"value": None}
    keys = list(shape.keys)
    known = frozenset(keys)
    watch = Watch(columns, report)
    dropped = frozenset(options.drop_rows)
    with TableWriter(path, columns, watch=watch) as writer:
        for item in items:
            ledger.records += 1
            if item.blank:
                ledger.blank += 1
                continue
            if item.flaw is not None:
                report.add(line_problem(item))
                if item.flaw.fatal:
                    ledger.refused += 1
                    continue
            if options.first_data_row is not None and item.number < options.first_data_row:
                ledger.above += 1
                continue
            if item.number in dropped:
                ledger.left_out += 1
                continue
            value = shape.record(item.value)
            if value is None:
                report.add(_not_an_object(item))
                ledger.refused += 1
                continue
            flat: dict[Any, Any] = value if item.flat else shape.flat(value)
            if not flat.keys() <= known:
                raise NewKey
            get = flat.get
            writer.append(
                item.number, item.line, [text if type(text := get(key)) is str else cell(text) for key in keys]
            )
        if not writer.rows:
            raise no_rows(report)
    watch.finish(Table(path))
    return Grid(path, columns, writer.rows, None, ledger)


def line_problem(item: Item) -> Problem:
    """A flaw of one line as a problem."""
    assert item.flaw is not None
    hint = "Mend this line in the file; the other lines are not touched by it."
    return Problem(item.flaw.code, item.flaw.text, hint, item.number, None, Severity.ERROR)


def _not_an_object(item: Item) -> Problem:
    return Problem(
        "not-an-object",
        "This line is valid JSON, but no object with keys and values, so it makes no row.",
        'Write it as {"column": value, …}.',
        item.number,
    )


def no_rows(report: Report) -> UnreadableFile:
    """Nothing in the file makes a row."""
    first = next(iter(report), None)
    if first is not None:
        where = f"Line {first.row:,}: " if first.row else ""
        return UnreadableFile(
            f"No rows: nothing in this file can be read. {where}{first.text}", first.hint, code="no-rows"
        )
    return UnreadableFile("This file is empty: it holds no data.", "Upload the file with the rows.", code="empty")


def _requests(items: Iterator[Item], kind: Recognised, into: Path, options: ReadOptions, report: Report) -> Objects:
    ledger = Ledger()
    columns = ("custom_id", "params")
    path = into / f"table-{uuid.uuid4().hex}.arrow"
    watch = Watch(columns, report)
    converter = ready.Converter(kind)
    dropped = frozenset(options.drop_rows)
    with TableWriter(path, columns, watch=watch) as writer:
        for item in items:
            ledger.records += 1
            if item.blank:
                ledger.blank += 1
                continue
            if item.flaw is not None:
                report.add(line_problem(item))
            if item.flaw is not None and item.flaw.fatal:
                ledger.refused += 1
                continue
            if item.number in dropped:
                ledger.left_out += 1
                continue
            made = converter.convert(item.value, item.number)
            report.extend(made.problems)
            if made.params is None:
                ledger.refused += 1
                continue
            writer.append(item.number, item.line, (made.custom_id, cell(made.params)))
        if not writer.rows:
            raise no_rows(report)
    return Objects(Grid(path, columns, writer.rows, None, ledger), kind, converter.changes())
