"""JSON documents as a stream: lists, a list wrapped in an object, objects one after the other; never all at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Any, Final, TextIO, TypeVar

from valar_ui.problems import Problem, Severity
from valar_ui.readers.jsontext import JsonFlaw
from valar_ui.readers.jsonwindow import Broken, Window
from valar_ui.readers.objects import Item
from valar_ui.readers.reading import UnreadableFile

NAMES: Final = ("data", "records", "rows", "items", "results", "requests")
"""What a list of records inside an object is commonly called, the likeliest first."""

NESTED_NAMES: Final = (*NAMES, "docs", "hits", "entries", "features")
"""The same where the list lies deeper."""

HEADINGS: Final = ("columns", "headers", "header", "fields", "column_names")
"""What a list of headings beside a list of rows is called."""

DEPTH: Final = 3
"""Levels of objects in which a list of records is looked for."""

ROW: Final = re.compile(r"0|[1-9]\d{0,8}")

YEARS: Final = frozenset(map(str, range(1800, 2200)))
"""Keys that are numbers and say more than which row it is."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    """A list of records inside the document's object."""

    path: tuple[str, ...]
    places: tuple[int, ...]
    """Which member of its object each key of the path is; keys may come twice."""
    count: int
    objects: bool
    """The records are objects, not lists."""
    headings: tuple[str, ...] = ()
    """What a list beside it calls the cells, where the records are lists."""

    @property
    def told(self) -> str:
        """Name and size in a sentence."""
        name = ".".join(self.path).encode(errors="replace").decode()
        return f"{name if len(name) <= 60 else name[:60] + '…'} ({self.count:,})"


@dataclass(frozen=True, slots=True)
class Sequence:
    """Objects one after the other, as `jq` prints them, each a record."""

    by_line: bool
    """Each begins on a line of its own, whose number is the record's."""


def find_list(stream: TextIO) -> tuple[Found | Sequence | None, list[Found]]:
    """What to read where the document begins with an object, and the lists in it that are left out."""
    text = Window(stream)
    if text.peek() != "{":
        return None, []
    found: list[Found] = []
    first_line = text.line
    _lists(text, (), (), found)
    if text.peek() == "{":
        starts = chain([first_line], (line for line, *_ in _objects(text, text.skip)))
        return Sequence(by_line=all(earlier < later for earlier, later in pairwise(starts))), []
    _ended(text)
    first = [each for each in found if len(each.path) == 1]
    if first:
        named = [each for name in NAMES for each in first if each.path[0] == name]
        chosen = named[0] if named else max(first, key=lambda each: (each.objects, each.count))
    else:
        nested = [each for each in found if each.path[-1] in NESTED_NAMES]
        if not nested and len(found) == 1 and found[0].objects and found[0].count > 1:
            nested = found
        if len(nested) != 1:
            return None, []
        chosen = nested[0]
    return chosen, [each for each in found if each is not chosen and len(each.path) <= len(chosen.path)]


def told(chosen: Found, others: list[Found]) -> Problem | None:
    """What a person should know about the choice of a list; None where there was none."""
    if others:
        names = ", ".join(each.told for each in others[:20])
        return Problem(
            "other-lists",
            f"The rows come from the list {chosen.told}; other lists in this file are left out: {names}.",
            "If you mean another one, save it as a file of its own.",
            severity=Severity.WARNING,
        )
    if len(chosen.path) > 1:
        return Problem(
            "nested-list",
            f"The rows come from the list {chosen.told}; what stands beside it is no part of the table.",
            "Save the part you mean as a file of its own, if this is not it.",
            severity=Severity.NOTE,
        )
    return None


def _lists(text: Window, path: tuple[str, ...], places: tuple[int, ...], found: list[Found]) -> None:
    """Pass over an object and note the lists of records in it."""
    headings: tuple[str, ...] = ()
    here: list[int] = []
    for place, key in enumerate(_members(text)):
        mark = text.peek()
        inner = text.peek_inside() if mark == "[" else ""
        if inner in ("{", "["):
            here.append(len(found))
            count = sum(1 for _ in _elements(text, text.skip))
            found.append(Found((*path, key), (*places, place), count, inner == "{"))
        elif mark == "{" and len(path) + 1 < DEPTH:
            _lists(text, (*path, key), (*places, place), found)
        elif mark == "[" and key in HEADINGS and not headings:
            headings = _texts(text.value()[0])
        else:
            text.skip()
    for at in here if headings else ():
        if not found[at].objects:
            found[at] = replace(found[at], headings=headings)


def _texts(values: list[Any]) -> tuple[str, ...]:
    """The values as headings; none where one of them is no text or number."""
    return tuple(map(str, values)) if all(isinstance(value, str) for value in values) else ()


def items(stream: TextIO, chosen: Found | Sequence | None = None) -> Iterator[Item]:
    """The records of a JSON document, numbered from 1; of one that begins with an object, as `find_list` found."""
    text = Window(stream)
    first = text.peek()
    if first == "[":
        start = 1
        for item in _list(text):
            yield item
            start = item.number + 1
        while text.peek() == "[" and text.peek_inside() == "{":
            for item in _list(text, start):
                yield item
                start = item.number + 1
        _ended(text)
    elif isinstance(chosen, Sequence):
        for place, (line, value, flaw) in enumerate(_objects(text, text.value), 1):
            found, less = value if value is not None else (None, None)
            yield Item(line if chosen.by_line else place, line, found, flaw or less)
    elif first == "{" and chosen is not None:
        for wanted in chosen.places:
            for place, _ in enumerate(_members(text)):
                if place == wanted:
                    break
                text.skip()
            text.peek()
        if chosen.headings:
            yield Item(1, 0, list(chosen.headings))
        yield from _list(text, 2 if chosen.headings else 1)
    elif first == "{":
        whole: dict[str, Any] = {}
        for key in _members(text):
            whole[key] = text.value()[0]
        _ended(text)
        yield from _as_records(whole)
    elif first == "":
        raise UnreadableFile("This file is empty: it has no data.", "Upload the file with the rows.", code="empty")
    else:
        text.value()
        raise UnreadableFile(
            "This JSON file holds a single value, not a list of objects.",
            'A table needs a list such as [{"column": "text"}, …].',
            code="not-a-table",
        )


def _ended(text: Window) -> None:
    """Refuse what stands after the document's value."""
    rest = text.peek()
    if rest in ("{", "["):
        raise text.expected("several values stand one after the other; write one a line and name the file .jsonl")
    if rest:
        raise text.expected("something extra stands after its end")


def _objects(text: Window, take: Callable[[], T]) -> Iterator[tuple[int, T | None, JsonFlaw | None]]:
    """The line of each object and what `take` makes of it; where one is broken, the next begins the next line."""
    while text.peek():
        line = text.line
        try:
            if text.peek() != "{":
                raise text.expected("something stands between two records that belongs to neither")
            yield line, take(), None
        except Broken as fault:
            yield line, None, JsonFlaw("invalid-json", f"{fault.reason} It is broken near line {fault.line:,}.")
            if not text.to_line_with("{"):
                return


def _list(text: Window, start: int = 1) -> Iterator[Item]:
    """The elements as records; the line is told of the first one only, because finding it costs time."""
    elements = _elements(text, lambda: (text.line if number == start - 1 else 0, *text.value()))
    number = start - 1
    for number, (line, value, flaw) in enumerate(elements, start):
        yield (
            Item(number, line, value, flaw)
            if value is not None
            else Item(number, 0, flaw=JsonFlaw("not-an-object", "This record is null."))
        )


def _elements(text: Window, take: Callable[[], T]) -> Iterator[T]:
    """What `take` makes of each element of the list that begins here."""
    text.at += 1
    if text.peek() == "]":
        text.at += 1
        return
    while True:
        yield take()
        mark = text.peek()
        text.at += 1
        if mark == "]":
            return
        if mark != ",":
            raise text.expected("a comma between two records is missing, or the list never ends")
        if text.peek() == "]":
            raise text.expected("there is a comma too many at the end of the list")


def _members(text: Window) -> Iterator[str]:
    """The keys of the object that begins here; whoever takes one reads its value before the next."""
    text.at += 1
    while text.peek() != "}":
        key = text.value()[0] if text.peek() == '"' else None
        if not isinstance(key, str) or text.peek() != ":":
            raise text.expected("a key in double quotes and a colon should stand there")
        text.at += 1
        yield key
        mark = text.peek()
        if mark == ",":
            text.at += 1
        elif mark != "}":
            raise text.expected("a comma is missing, or the object never ends")
    text.at += 1


def _as_records(whole: dict[str, Any]) -> Iterator[Item]:
    """One record; or many, where every value is a list of the same length or an object of its own."""
    values = list(whole.values())
    if values and all(isinstance(value, list) for value in values) and len({len(value) for value in values}) == 1:
        for number, cells in enumerate(zip(*values, strict=True), start=1):
            yield Item(number, 0, dict(zip(whole, cells, strict=True)))
    elif values and all(isinstance(value, dict) for value in values) and _numbered(values):
        running = list(values[0]) == [str(at) for at in range(len(values[0]))]
        for number, key in enumerate(values[0], start=1):
            named = {} if running or "index" in whole else {"index": key}
            yield Item(number, 0, named | {name: value[key] for name, value in whole.items()})
    elif len(values) > 1 and all(isinstance(value, dict) for value in values) and _alike(values):
        for number, (key, value) in enumerate(whole.items(), start=1):
            yield Item(number, 0, {"key": key, **value} if "key" not in value else value)
    elif whole:
        yield Item(1, 0, whole)


def _numbered(values: list[dict[str, Any]]) -> bool:
    """The objects are columns, as pandas writes them: rising row numbers with a cell each, more rows than columns."""
    rows = list(values[0])
    if not rows or any(list(value) != rows for value in values) or not all(map(ROW.fullmatch, rows)):
        return False
    rising = all(int(earlier) < int(later) for earlier, later in pairwise(rows))
    return rising and (rows[0] == "0" or (len(rows) > len(values) and not YEARS.issuperset(rows)))


def _alike(values: list[dict[str, Any]]) -> bool:
    """The objects share at least half of their keys."""
    every = set().union(*values)
    shared = set(values[0]).intersection(*values)
    return bool(every) and len(shared) >= 0.5 * len(every)
