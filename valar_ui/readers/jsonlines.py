"""JSONL: one JSON value a line; a bad line is that line's problem only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TextIO

from valar_ui.readers.jsontext import JsonFlaw, JsonParser
from valar_ui.readers.objects import Item

MAX_LINE: Final = 16_000_000
"""Characters in one line that are still parsed."""


def items(stream: TextIO) -> Iterator[Item]:
    """Every line of the stream, numbered from 1."""
    parser = JsonParser()
    parse = parser.parse
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        if len(line) >= MAX_LINE and not line.endswith(("\n", "\r")):
            while line and not line.endswith(("\n", "\r")):
                line = stream.readline(MAX_LINE)
            flaw = JsonFlaw("line-too-long", f"This line is longer than {MAX_LINE:,} characters.")
            yield Item(number, number, flaw=flaw)
            continue
        if not line.strip(" \t\r\n\ufeff"):
            yield Item(number, number, blank=True)
            continue
        value, flaw_or_none = parse(line)
        yield Item(number, number, value, flaw_or_none)
