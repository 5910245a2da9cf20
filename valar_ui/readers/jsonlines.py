"""JSONL: one JSON value a line; a bad line is that line's problem only."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, Final, TextIO

from valar_ui.readers.jsontext import SPACE, JsonFlaw, JsonParser, plain_object
from valar_ui.readers.objects import Item

MAX_LINE: Final = 16_000_000
"""Characters (bytes, where the file is UTF-8) in one line that are still parsed."""


def items(stream: TextIO) -> Iterator[Item]:
    """Every line of the stream, numbered from 1."""
    return _parsed(stream, 0, JsonParser())


def utf8_items(stream: BinaryIO) -> Iterator[Item]:
    """Every line of a stream of UTF-8, numbered from 1; a line is parsed without decoding where it is plain."""
    number, parser = 0, JsonParser()
    while line := stream.readline(MAX_LINE):
        if len(line) >= MAX_LINE and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE)
            number += 1
            yield _too_long(number)
        elif (
            line.find(b"\r", 0, -2 if line.endswith(b"\r\n") else -1) < 0 and (value := plain_object(line)) is not None
        ):
            number += 1
            yield Item(number, number, value, flat=True)
        else:
            for item in _parsed(io.StringIO(line.decode(errors="replace"), newline=""), number, parser):
                yield item
                number = item.number


def _parsed(stream: TextIO, number: int, parser: JsonParser) -> Iterator[Item]:
    """Every line of a stream; `number` lines came before."""
    while line := stream.readline(MAX_LINE):
        number += 1
        if len(line) >= MAX_LINE and not line.endswith(("\n", "\r")):
            while line and not line.endswith(("\n", "\r")):
                line = stream.readline(MAX_LINE)
            yield _too_long(number)
            continue
        if not line.strip(SPACE):
            yield Item(number, number, blank=True)
            continue
        value, flaw = parser.parse(line)
        yield Item(number, number, value, flaw)


def _too_long(number: int) -> Item:
    return Item(number, number, flaw=JsonFlaw("line-too-long", f"This line is longer than {MAX_LINE:,} characters."))
