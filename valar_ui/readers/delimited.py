"""CSV, TSV and their kin: records out of a decoding stream, mending only what it reports."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from valar_ui.readers.dialect import Dialect
from valar_ui.readers.reading import UnreadableFile

MAX_CELL: Final = 16_000_000
"""Characters in one cell or line; a model reads a quarter of that at most."""

LOOK_AHEAD: Final = 200
"""Lines in which a quote that was not doubled may still find its end."""

PATIENCE: Final = 20
"""Quotes that never close before each line counts as a record of its own."""


class Lines(Protocol):
    """What records are read from: a text stream with line ends as they are."""

    def readline(self, limit: int = -1, /) -> str:
        """The next line with its end, at most `limit` characters; empty at the end of the stream."""


Flaw = Callable[[str, int, int], None]
"""Called with a problem's code, the record's number and its line."""


@dataclass(frozen=True, slots=True)
class Split:
    """A line parted by hand."""

    cells: list[str]
    closed: bool = True
    """False: the last quote is still open."""
    damaged: bool = False
    """A quote inside a cell was not doubled."""


def split(text: str, dialect: Dialect) -> Split:
    """Part one record (without its line end); a quote closes a cell only before a delimiter or the end."""
    delimiter, quote = dialect.delimiter, dialect.quote
    cells: list[str] = []
    at, damaged = 0, False
    while True:
        start = at
        if dialect.spaces:
            while text.startswith(" ", start):
                start += 1
        if text.startswith(quote, start):
            end = search = start + 1
            while True:
                end = text.find(quote, search)
                if end < 0:
                    return Split(cells, closed=False, damaged=damaged)
                if dialect.escape and text[end - 1 : end] == dialect.escape:
                    search = end + 1
                elif text.startswith(quote, end + 1):
                    search = end + 2
                elif (
                    end + 1 == len(text)
                    or text.startswith(delimiter, end + 1)
                    or (dialect.spaces and not text[end + 1 :].split(delimiter, 1)[0].strip(" "))
                ):
                    break
                else:
                    damaged, search = True, end + 1
            cells.append(text[start + 1 : end].replace(quote * 2, quote))
            at = text.find(delimiter, end + 1)
        else:
            end = text.find(delimiter, at)
            cells.append(text[at:] if end < 0 else text[at:end])
            at = end
        if at < 0:
            return Split(cells, damaged=damaged)
        at += len(delimiter)


class Records:
    """Iterate over `(number, line, cells)`: records counted from 1, blank ones included as `[]`."""

    def __init__(
        self, stream: Lines, dialect: Dialect, *, flaw: Flaw, first_line: int = 1, first_number: int = 1
    ) -> None:
        """`stream` stands before the record `first_number`, which begins in line `first_line` of a text editor."""
        self._stream = stream
        self._dialect = dialect
        self._flaw = flaw
        self._line = first_line
        self._number = first_number - 1
        self._taken: list[str] = []
        self._back: deque[str] = deque()
        self._open_quotes = 0
        self.by_hand = dialect.spaces or len(dialect.delimiter) > 1
        """Every line is parted by hand from here on: the standard library would not do."""

    @property
    def next_line(self) -> int:
        """Line of the record after the last one handed out."""
        return self._line

    @property
    def ahead(self) -> tuple[str, ...]:
        """Lines that were read already and belong to records not handed out yet."""
        return (*self._taken, *self._back)

    def __iter__(self) -> Iterator[tuple[int, int, list[str]]]:
        while not self.by_hand:
            try:
                yield from self._quick()
                return
            except csv.Error as fault:
                if "field limit" in str(fault) and not self._holds_records():
                    raise self._too_large() from None
                yield self._mend()
                self.by_hand = self._open_quotes > PATIENCE
        while record := self._next_by_hand():
            yield record

    def _lines(self) -> Iterator[str]:
        """Physical lines; each stays in `_taken` until its record is complete."""
        readline, taken, back = self._stream.readline, self._taken, self._back
        while line := back.popleft() if back else readline(MAX_CELL):
            if len(line) >= MAX_CELL:
                raise self._too_large()
            taken.append(line)
            yield line

    def _too_large(self) -> UnreadableFile:
        return UnreadableFile(
            f"A cell that begins in line {self._line:,} is longer than {MAX_CELL:,} characters, or its quote never "
            "closes: no spreadsheet and no model takes a cell of that size.",
            "Check that this is a table; if it is, shorten that row.",
            code="cell-too-large",
        )

    def _holds_records(self) -> bool:
        """The lines that an open quote swallowed are records themselves."""
        following = [split(_stripped(line), self._dialect) for line in self._taken[1 : LOOK_AHEAD + 1]]
        fitting = sum(found.closed and len(found.cells) == self._dialect.width for found in following)
        return fitting > 0.5 * len(following)

    def _quick(self) -> Iterator[tuple[int, int, list[str]]]:
        """The standard library's reader, strict, so that it stops at a quote that is out of place."""
        csv.field_size_limit(MAX_CELL)
        dialect, taken = self._dialect, self._taken
        reader = csv.reader(
            self._lines(),
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            escapechar=dialect.escape,
            strict=True,
        )
        number, line = self._number, self._line
        for cells in reader:
            number += 1
            self._number = number
            self._line = line + len(taken)
            taken.clear()
            yield number, line, cells
            line = self._line

    def _mend(self) -> tuple[int, int, list[str]]:
        """The record at whose quotes the strict reader stopped, and back to where it ends."""
        self._back.extendleft(reversed(self._taken))
        self._taken.clear()
        record = self._next_by_hand()
        assert record is not None
        return record

    def _next_by_hand(self) -> tuple[int, int, list[str]] | None:
        dialect, lines = self._dialect, self._lines()
        if next(lines, None) is None:
            return None
        self._number += 1
        number, line = self._number, self._line
        found = split(_stripped(self._taken[0]), dialect)
        used = 1
        if not found.closed and self._open_quotes <= PATIENCE:
            used, found = self._look_ahead(lines, found)
        if not found.closed:
            self._open_quotes += 1
            self._flaw("quote-never-closes", number, line)
            found = Split(_stripped(self._taken[0]).split(dialect.delimiter))
            used = 1
        elif found.damaged:
            self._flaw("quote-not-doubled", number, line)
        self._back.extendleft(reversed(self._taken[used:]))
        self._taken.clear()
        self._line += used
        cells = found.cells if found.cells != [""] or self._dialect.width == 1 else []
        return number, line, cells

    def _look_ahead(self, lines: Iterator[str], first: Split) -> tuple[int, Split]:
        """Add lines until the quote closes and the record is as wide as the others."""
        text, size = self._taken[0], len(self._taken[0])
        fallback: tuple[int, Split] | None = None
        for used in range(2, LOOK_AHEAD + 1):
            if used > len(self._taken) and next(lines, None) is None:
                break
            text += self._taken[used - 1]
            size += len(self._taken[used - 1])
            if self._dialect.quote not in self._taken[used - 1]:
                continue
            found = split(_stripped(text), self._dialect)
            if found.closed and not found.damaged and (len(found.cells) == self._dialect.width or self._dialect.spaces):
                return used, found
            if found.closed and len(found.cells) == self._dialect.width and fallback is None:
                fallback = used, found
            if size > MAX_CELL // 16:
                break
        if fallback is not None and not self._swallows(fallback[0]):
            return fallback
        return 1, first

    def _swallows(self, used: int) -> bool:
        """Lines that a mended record would eat are whole records themselves."""
        eaten = [split(_stripped(line), self._dialect) for line in self._taken[1:used]]
        return all(found.closed and len(found.cells) == self._dialect.width for found in eaten)


def _stripped(line: str) -> str:
    """Without its line end."""
    if line.endswith("\r\n"):
        return line[:-2]
    return line[:-1] if line.endswith(("\n", "\r")) else line
