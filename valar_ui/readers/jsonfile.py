"""JSON documents as a stream: a list, a list wrapped in an object, one object; never the whole text at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, TextIO

from valar_ui.readers.jsontext import JsonFlaw, JsonParser, explain
from valar_ui.readers.objects import Item
from valar_ui.readers.reading import UnreadableFile

STEP: Final = 1 << 20
"""Characters read at once."""

MAX_VALUE: Final = 64_000_000
"""Characters of one value that is not a list of records."""

SPACE: Final = " \t\r\n\ufeff"


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
        self.peek()
        while True:
            try:
                value, end = self._parser.scan(self.text, self.at)
            except json.JSONDecodeError as fault:
                self._parser.noticed(None, "")
                if not self.more():
                    raise self._refused(explain(fault).text, fault.pos) from None
                continue
            except RecursionError as fault:
                raise self._refused(explain(fault).text, self.at) from None
            if end == len(self.text) and self.more():
                continue
            found = self._parser.noticed(value, self.text[self.at : end] if "\\u" in self.text else "")
            self.at = end
            return found

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


def items(stream: TextIO) -> Iterator[Item]:
    """The records of a JSON document, numbered from 1."""
    text = _Text(stream)
    first = text.peek()
    if first == "[":
        yield from _list(text)
        if text.peek():
            raise text.expected("something extra stands after its end")
    elif first == "{":
        yield from _object(text)
    elif first == "":
        raise UnreadableFile("This file is empty: it has no data.", "Upload the file with the rows.", code="empty")
    else:
        text.value()
        raise UnreadableFile(
            "This JSON file holds a single value, not a list of objects.",
            'A table needs a list such as [{"column": "text"}, …].',
            code="not-a-table",
        )


def _list(text: _Text, start: int = 1) -> Iterator[Item]:
    text.at += 1
    number = start
    if text.peek() == "]":
        text.at += 1
        return
    while True:
        line = text.line if number == start else 0
        value, flaw = text.value()
        yield (
            Item(number, line, value, flaw)
            if value is not None
            else Item(number, 0, flaw=JsonFlaw("not-an-object", "This record is null."))
        )
        number += 1
        mark = text.peek()
        text.at += 1
        if mark == "]":
            return
        if mark != ",":
            raise text.expected("a comma between two records is missing, or the list never ends")
        if text.peek() == "]":
            raise text.expected("there is a comma too many at the end of the list")


def _object(text: _Text) -> Iterator[Item]:
    """The first list of records inside an object; the object itself where there is none."""
    text.at += 1
    whole: dict[str, Any] = {}
    found = False
    while text.peek() != "}":
        key, _ = text.value() if text.peek() == '"' else (None, None)
        if not isinstance(key, str) or text.peek() != ":":
            raise text.expected("a key in double quotes and a colon should stand there")
        text.at += 1
        if text.peek() == "[" and not found:
            window = _after_bracket(text)
            if window in ("{", "["):
                found = True
                yield from _list(text)
                whole.clear()
            else:
                whole[key] = text.value()[0]
        else:
            value, _ = text.value()
            if not found:
                whole[key] = value
        mark = text.peek()
        if mark == ",":
            text.at += 1
        elif mark != "}":
            raise text.expected("a comma is missing, or the object never ends")
    text.at += 1
    rest = text.peek()
    if rest in ("{", "["):
        raise text.expected("several values stand one after the other; write one a line and name the file .jsonl")
    if rest:
        raise text.expected("something extra stands after its end")
    if not found:
        yield from _as_records(whole)


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
