"""Each record goes into the table or into the ledger: short and long rows are named, blank ones counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from valar_ui.problems import Problem, Report, Severity
from valar_ui.readers.bulk import Bulk
from valar_ui.readers.footers import Footers
from valar_ui.readers.reading import ReadOptions, Record
from valar_ui.table import TableWriter


@dataclass(slots=True)
class Ledger:
    """Where every record of the file went; adds up to `records`."""

    records: int = 0
    above: int = 0
    heading: int = 0
    blank: int = 0
    left_out: int = 0
    refused: int = 0


@dataclass(slots=True)
class Facts:
    """What a format knows beyond the cells."""

    hidden: Callable[[int], bool] = lambda _: False
    """Whether a row is hidden."""
    heading_rows: Callable[[int], int] = lambda _: 1
    """How many rows the headings take that begin in a row."""
    heading_cells: Callable[[int, list[Sequence[str]]], list[str]] | None = None
    """The names out of headings over several rows."""
    guessed: bool = False
    """The encoding is a guess."""
    workbook: bool = False
    """Short rows are the format's way of writing empty cells, and the widest row makes the width."""
    least_width: int = 0
    """Columns there are in any case."""
    flag: Callable[[int, tuple[str, ...]], Iterable[Problem]] | None = None
    """What the format knows to be wrong in a row, given the columns' names."""
    holds: Callable[[int], bool] = lambda _: False
    """Whether a row has more in it than its cells say, even where all of them are empty."""
    flawed: set[int] = field(default_factory=set)
    """Rows that already have an error of their own; their width is not told on top."""
    rest: Callable[[int], Iterator[Record | Bulk]] | None = None
    """The records after those already taken, by the block where possible, for a table of so many columns.

    Only for formats that know of no hidden rows and flag none.
    """


class Wider(Exception):
    """A row of a workbook reaches further than the columns found so far."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.width = width


class Filler:
    """Puts records into the table and into the ledger, one by one or by the block."""

    def __init__(
        self,
        writer: TableWriter,
        columns: tuple[str, ...],
        headings: range,
        first: int,
        options: ReadOptions,
        report: Report,
        facts: Facts,
        footers: Footers,
    ) -> None:
        """`headings`: the records that are headings; `first`: the first record that may be a row."""
        self._writer = writer
        self._columns = columns
        self._padding = [""] * len(columns)
        self._headings = headings
        self._first = first
        self._skip_hidden = options.skip_hidden
        self._dropped = frozenset(options.drop_rows)
        self._report = report
        self._facts = facts
        self._footers = footers
        self.ledger = Ledger()
        self.hidden_rows = 0
        self.surplus = 0
        """Rows with empty cells after the last column."""

    def bulk(self, bulk: Bulk) -> None:
        """Many records, one by one where any of them is more than a row."""
        count = bulk.cells.num_rows
        span = range(bulk.first, bulk.first + count)
        if bulk.first < self._first or not self._dropped.isdisjoint(span):
            for record in bulk.records():
                self.record(*record)
            return
        numbers, lines, cells = np.arange(span.start, span.stop), bulk.lines, bulk.cells
        filled = _filled(cells)
        if not filled.all():
            numbers, lines, cells = numbers[filled], lines[filled], cells.filter(pa.array(filled))
        self.ledger.records += count
        self.ledger.blank += count - len(numbers)
        if len(numbers):
            self._footers.see_bulk(numbers, cells.columns)
            self._writer.append_batch(pa.array(numbers), pa.array(lines), cells.columns)

    def record(self, number: int, line: int, cells: list[str]) -> None:
        """One record."""
        ledger, facts, width = self.ledger, self._facts, len(self._columns)
        ledger.records += 1
        if number < self._first:
            if number in self._headings:
                ledger.heading += 1
            elif any(cells):
                ledger.above += 1
            else:
                ledger.blank += 1
            return
        if not any(cells) and not facts.holds(number):
            ledger.blank += 1
            return
        if facts.hidden(number):
            self.hidden_rows += 1
            if self._skip_hidden:
                ledger.left_out += 1
                return
        if number in self._dropped:
            ledger.left_out += 1
            return
        if len(cells) != width:
            cells = self._fitted(number, line, cells)
        if facts.flag is not None:
            self._report.extend(facts.flag(number, self._columns))
        self._footers.see(number, cells)
        self._writer.append(number, line, cells)

    def _fitted(self, number: int, line: int, cells: list[str]) -> list[str]:
        """The cells of a short or long row, as many as there are columns."""
        width = len(self._columns)
        if len(cells) < width:
            if not self._facts.workbook and number not in self._facts.flawed:
                self._report.add(_short_row(number, line, cells, self._columns))
            return cells + self._padding[len(cells) :]
        if any(cells[width:]):
            if self._facts.workbook:
                raise Wider(reach(cells))
            self._report.add(_long_row(number, line, cells, width))
        else:
            self.surplus += 1
        return cells[:width]


def _filled(cells: pa.RecordBatch) -> npt.NDArray[np.bool_]:
    """Which rows have a cell that is not empty."""
    filled = np.zeros(cells.num_rows, dtype=bool)
    for column in cells.columns:
        _, offsets, _ = column.buffers()
        places = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
        filled |= np.diff(places) > 0
        if filled.all():
            break
    return filled


def reach(cells: Sequence[str]) -> int:
    """Cells up to the last one that is not empty."""
    width = len(cells)
    while width and not cells[width - 1]:
        width -= 1
    return width


def _short_row(number: int, line: int, cells: Sequence[str], columns: tuple[str, ...]) -> Problem:
    missing = len(columns) - len(cells)
    return Problem(
        "short-row",
        f"This row is too short: {len(cells)} of {len(columns)} cells; the last {missing} are missing "
        "and taken as empty.",
        "Check that no delimiter or quote is missing in it.",
        number,
        None,
        Severity.WARNING,
        line if line != number and line else None,
    )


def _long_row(number: int, line: int, cells: Sequence[str], width: int) -> Problem:
    extra = " | ".join(cells[width:])
    extra = extra if len(extra) <= 200 else extra[:200] + "…"
    return Problem(
        "long-row",
        f"This row has too many cells: {len(cells)} for {width} columns. The extra cells hold: {extra}",
        "A delimiter inside a cell probably lacks quotes around the cell; mend it in the file, or leave the row out.",
        number,
        None,
        Severity.ERROR,
        line if line != number and line else None,
    )
