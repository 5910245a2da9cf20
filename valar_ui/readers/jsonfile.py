"""JSON documents as a stream: a list, a list wrapped in an object, one object; never the whole text at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TextIO, TypeVar

from valar_ui.problems import Problem, Severity
from valar_ui.readers.jsontext import JsonFlaw, JsonParser, explain
from valar_ui.readers.objects import Item
from valar_ui.readers.reading import UnreadableFile

STEP: Final = 1 << 20
"""Characters read at once."""

MAX_VALUE: Final = 64_000_000
"""Characters of one value that is not a list of records."""

SPACE: Final = " \t\r\n\ufeff"

NAMES: Final = ("data", "records", "rows", "items", "results", "requests")
"""What a list of records inside an object is commonly called, the likeliest first."""

NESTED_NAMES: Final = (*NAMES, "docs", "hits", "entries", "features")
"""The same where the list lies deeper."""

HEADINGS: Final = ("columns", "headers", "header", "fields", "column_names")
"""What a list of headings beside a list of rows is called."""

DEPTH: Final = 3
"""Levels of objects in which a list of records is looked for."""

PLAIN: Final = json.JSONDecoder(parse_int=str, parse_float=str)
"""Takes values whose worth nobody asks for: Python refuses to make a number of more than 4,300 digits."""

T = TypeVar("T")


class _Text:
    """A window on the document's text that grows when a value does not fit and forgets what is behind."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._parser = JsonParser()
        self.text = ""
        self.at = 0
        self._ended = False
        self._line = 1

    def more(self) -> bool:
        """Read on; False at the end."""
        if self._ended:
            return False
        piece = self._stream.read(max(STEP, len(self.text) - self.at))
        self._line += self.text.count("\n", 0, self.at)
        self.text = self.text[self.at :] + piece
        self.at = 0
        self._ended = not piece
        if len(self.text) > MAX_VALUE:
            raise UnreadableFile(
                f"One value of this JSON file is longer than {MAX_VALUE:,} characters.",
                "Write one record a line (JSONL).",
                code="cell-too-large",
            )
        return bool(piece)

    def peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            text = self.text
            while self.at < len(text) and text[self.at] in SPACE:
                self.at += 1
            if self.at < len(text):
                return text[self.at]
            if not self.more():
                return ""

    @property
    def line(self) -> int:
        """The line in a text editor where the next value begins."""
        return self._line + self.text.count("\n", 0, self.at)

    def value(self) -> tuple[Any, JsonFlaw | None]:
        """The next whole value."""
        value, end = self._next(self._parser.scan)
        found = self._parser.noticed(value, self.text[self.at : end])
        self.at = end
        return found

    def skip(self) -> None:
        """Pass over the next whole value."""
        self.at = self._next(PLAIN.raw_decode)[1]

    def _next(self, scan: Callable[[str, int], tuple[Any, int]]) -> tuple[Any, int]:
        """The next whole value and where it ends."""
        self.peek()
        while True:
            try:
                value, end = scan(self.text, self.at)
            except json.JSONDecodeError as fault:
                self._parser.noticed(None, "")
                if not self.more():
                    raise self._refused(explain(fault).text, fault.pos) from None
                continue
            except RecursionError as fault:
                raise self._refused(explain(fault).text, self.at) from None
            if end == len(self.text) and self.more():
                continue
            return value, end

    def _refused(self, text: str, place: int) -> UnreadableFile:
        line = self._line + self.text.count("\n", 0, place)
        return UnreadableFile(
            f"This JSON file is broken near line {line:,}: {text}",
            "Mend it there, or save the records one a line (JSONL), so that one bad record spoils only itself.",
            code="invalid-json",
        )

    def expected(self, what: str) -> UnreadableFile:
        """The refusal where something else should stand."""
        return self._refused(f"This is not valid JSON: {what}.", self.at)


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


def find_list(stream: TextIO) -> tuple[Found | None, list[Found]]:
    """The list to read where the document is an object that holds some, and the others that are left out."""
    text = _Text(stream)
    if text.peek() != "{":
        return None, []
    found: list[Found] = []
    _lists(text, (), (), found)
    _ended(text)
    first = [each for each in found if len(each.path) == 1]
    if first:
        named = [each for name in NAMES for each in first if each.path[0] == name]
        chosen = named[0] if named else max(first, key=lambda each: (each.objects, each.count))
    else:
        nested = [each for each in found if each.path[-1] in NESTED_NAMES]
        if len(nested) != 1:
            return None, []
        chosen = nested[0]
    return chosen, [each for each in found if each is not chosen and len(each.path) <= len(chosen.path)]


def told(chosen: Found, others: Sequence[Found]) -> Problem | None:
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


def _lists(text: _Text, path: tuple[str, ...], places: tuple[int, ...], found: list[Found]) -> None:
    """Pass over an object and note the lists of records in it."""
    headings: tuple[str, ...] = ()
    here: list[int] = []
    for place, key in enumerate(_members(text)):
        mark = text.peek()
        inner = _after_bracket(text) if mark == "[" else ""
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


def items(stream: TextIO, chosen: Found | None = None) -> Iterator[Item]:
    """The records of a JSON document, numbered from 1; of an object, those of the list that `find_list` chose."""
    text = _Text(stream)
    first = text.peek()
    if first == "[":
        yield from _list(text)
        _ended(text)
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


def _ended(text: _Text) -> None:
    """Refuse what stands after the document's value."""
    rest = text.peek()
    if rest in ("{", "["):
        raise text.expected("several values stand one after the other; write one a line and name the file .jsonl")
    if rest:
        raise text.expected("something extra stands after its end")


def _list(text: _Text, start: int = 1) -> Iterator[Item]:
    """The elements as records; the line is told of the first one only, because finding it costs time."""
    elements = _elements(text, lambda: (text.line if number == start - 1 else 0, *text.value()))
    number = start - 1
    for number, (line, value, flaw) in enumerate(elements, start):
        yield (
            Item(number, line, value, flaw)
            if value is not None
            else Item(number, 0, flaw=JsonFlaw("not-an-object", "This record is null."))
        )


def _elements(text: _Text, take: Callable[[], T]) -> Iterator[T]:
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


def _members(text: _Text) -> Iterator[str]:
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
    elif len(values) > 1 and all(isinstance(value, dict) for value in values) and _alike(values):
        for number, (key, value) in enumerate(whole.items(), start=1):
            yield Item(number, 0, {"key": key, **value} if "key" not in value else value)
    elif whole:
        yield Item(1, 0, whole)


def _alike(values: list[dict[str, Any]]) -> bool:
    """The objects share at least half of their keys."""
    every = set().union(*values)
    shared = set(values[0]).intersection(*values)
    return bool(every) and len(shared) >= 0.5 * len(every)


def _after_bracket(text: _Text) -> str:
    """The first character inside the list that begins here."""
    place = text.at
    text.at += 1
    while True:
        mark = text.text[text.at : text.at + 1]
        if mark and mark in SPACE:
            text.at += 1
        elif mark:
            text.at = place
            return mark
        else:
            text.at = place
            if not text.more():
                return ""
            place = 0
            text.at = 1
