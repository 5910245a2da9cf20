"""Records become a table: headings found, blank rows counted, short and long rows named, nothing dropped in silence."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Final

from valar_ui.problems import Problem, Report, Severity
from valar_ui.readers.footers import Footers
from valar_ui.readers.headings import LOOKED_AT, find_header, letters, unique_names
from valar_ui.readers.reading import Footer, ReadOptions, UnreadableFile
from valar_ui.readers.watch import Watch
from valar_ui.table import Table, TableWriter

MAX_COLUMNS: Final = 16_384
"""Columns of an Excel sheet."""

Record = tuple[int, int, list[str]]
"""Number as the spreadsheet shows it, line in a text editor (0: none), cells (none for a blank record)."""


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
class Grid:
    """What became of the records."""

    path: Path
    columns: tuple[str, ...]
    rows: int
    header_row: int | None
    ledger: Ledger
    footers: tuple[Footer, ...] = ()
    hidden_rows: int = 0
    guessed_cells: int = 0


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
    flawed: set[int] = field(default_factory=set)
    """Rows that already have an error of their own; their width is not told on top."""


class Wider(Exception):
    """A row of a workbook reaches further than the columns found so far."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.width = width


def build(
    records: Iterable[Record], *, into: Path, options: ReadOptions, report: Report, facts: Facts | None = None
) -> Grid:
    """Write the table into the folder `into`; `UnreadableFile` where there are no rows, `Wider` for workbooks only."""
    facts = facts or Facts()
    stream = iter(records)
    head = list(_head(stream))
    while not any(head[-1][2] if head else ()):
        record = next(stream, None)
        if record is None:
            break
        head.append(record)
    if not any(any(cells) for _, _, cells in head):
        raise UnreadableFile(
            "This file is empty: there is nothing in it but blank space.",
            "Upload the file with the rows.",
            code="empty",
        )
    header_row = options.header_row
    if header_row is None:
        header_row = find_header([(number, cells) for number, _, cells in head])
    span = facts.heading_rows(header_row) if header_row else 0
    first = options.first_data_row or header_row + span if header_row else options.first_data_row or 1
    first = max(first, header_row + 1)
    raw = _heading(head, stream, header_row, span, facts)
    data = [(number, line, cells) for number, line, cells in head if number >= first]
    columns, nameless, repeated = unique_names(_widened(raw, data, facts, has_header=bool(header_row)))
    if len(columns) > MAX_COLUMNS:
        raise UnreadableFile(
            f"This file has {len(columns):,} columns; a spreadsheet has at most {MAX_COLUMNS:,}.",
            "Check the delimiter.",
            code="too-many-columns",
        )
    _report_names(report, raw, columns, nameless if header_row else [], repeated, header_row)
    return _write(chain(head, stream), columns, raw, header_row, span, first, into, options, report, facts)


def _head(stream: Iterator[Record]) -> Iterator[Record]:
    size = 0
    for record in islice(stream, LOOKED_AT):
        yield record
        size += sum(map(len, record[2]))
        if size > 1_000_000:
            return


def _heading(head: list[Record], stream: Iterator[Record], header_row: int, span: int, facts: Facts) -> list[str]:
    if not header_row:
        return []
    while head[-1][0] < header_row + span - 1 and (record := next(stream, None)) is not None:
        head.append(record)
    rows: list[Sequence[str]] = [cells for number, _, cells in head if header_row <= number < header_row + span]
    if not rows:
        raise UnreadableFile(
            f"There is no row {header_row:,} to take the headings from.", "Choose another row.", code="no-such-row"
        )
    if facts.heading_cells is not None:
        return facts.heading_cells(header_row, rows)
    return list(rows[0])


def _widened(raw: list[str], data: Sequence[Record], facts: Facts, *, has_header: bool) -> list[str]:
    """Add nameless columns where rows commonly reach further than the headings."""
    reach = Counter(_reach(cells) for _, _, cells in data if any(cells))
    if facts.workbook:
        width = max(_reach(raw), facts.least_width, *reach) if reach else max(_reach(raw), facts.least_width)
        return raw[:width] + [""] * (width - len(raw))
    if not has_header:
        return [""] * max(reach, default=len(raw))
    count = sum(reach.values())
    width = len(raw)
    further = [(wide, times) for wide, times in reach.items() if wide > width]
    if further and sum(times for _, times in further) >= 0.5 * count:
        width = max(further, key=lambda pair: (pair[1], pair[0]))[0]
    return raw + [""] * (width - len(raw))


def _reach(cells: Sequence[str]) -> int:
    """Cells up to the last one that is not empty."""
    width = len(cells)
    while width and not cells[width - 1]:
        width -= 1
    return width


def _report_names(
    report: Report, raw: list[str], columns: tuple[str, ...], nameless: list[int], repeated: list[int], row: int
) -> None:
    for position in nameless:
        report.add(
            Problem(
                "column-without-name",
                f"Column {letters(position)} has no heading (its header cell is empty); it is called "
                f"{columns[position]!r} here.",
                "Give it a name in the spreadsheet if you want to use it.",
                row,
                columns[position],
                Severity.NOTE,
            )
        )
    for position in repeated:
        report.add(
            Problem(
                "duplicate-heading",
                f"Two columns have the same name, {raw[position].strip()!r}; this one is called "
                f"{columns[position]!r} here.",
                "Nothing is lost; check that you use the one you mean.",
                row,
                columns[position],
                Severity.WARNING,
            )
        )


def _write(
    records: Iterable[Record],
    columns: tuple[str, ...],
    raw: list[str],
    header_row: int,
    span: int,
    first: int,
    into: Path,
    options: ReadOptions,
    report: Report,
    facts: Facts,
) -> Grid:
    ledger = Ledger()
    width = len(columns)
    padding = [""] * width
    watch = Watch(columns, report, guessed=facts.guessed)
    footers = Footers(raw)
    dropped = frozenset(options.drop_rows)
    hidden_rows = surplus = 0
    path = into / f"table-{uuid.uuid4().hex}.arrow"
    with TableWriter(path, columns, watch=watch) as writer:
        for number, line, cells in records:
            ledger.records += 1
            if number < first:
                if header_row <= number < header_row + span:
                    ledger.heading += 1
                elif any(cells):
                    ledger.above += 1
                else:
                    ledger.blank += 1
                continue
            if len(cells) != width:
                if not any(cells):
                    ledger.blank += 1
                    continue
                if len(cells) < width:
                    if not facts.workbook and number not in facts.flawed:
                        report.add(_short_row(number, line, cells, columns))
                    cells = cells + padding[len(cells) :]
                else:
                    if any(cells[width:]):
                        if facts.workbook:
                            raise Wider(_reach(cells))
                        report.add(_long_row(number, line, cells, width))
                    else:
                        surplus += 1
                    cells = cells[:width]
            elif not any(cells):
                ledger.blank += 1
                continue
            if facts.hidden(number):
                hidden_rows += 1
                if options.skip_hidden:
                    ledger.left_out += 1
                    continue
            if number in dropped:
                ledger.left_out += 1
                continue
            if facts.flag is not None:
                report.extend(facts.flag(number, columns))
            footers.see(number, cells)
            writer.append(number, line, cells)
        if not writer.rows:
            raise _no_rows(ledger, header_row)
    if surplus:
        report.add(_surplus(surplus))
    watch.finish(Table(path))
    found = footers.found()
    for footer in found:
        report.add(_footer(footer))
    return Grid(path, columns, writer.rows, header_row, ledger, found, hidden_rows, watch.foreign_cells)


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


def _surplus(count: int) -> Problem:
    return Problem(
        "trailing-delimiter",
        f"{count:,} rows end with delimiters after the last column; the cells there are empty.",
        "Nothing is lost.",
        severity=Severity.NOTE,
    )


FOOTER_TEXTS: Final = {
    "total": "This row looks like a total, not like a record",
    "source": "This row looks like a source or a note (a footer), not like a record",
    "note": "This row is mostly empty, like notes among the last rows (a footer), not like a record",
    "comment": "This row looks like a comment, not like a record",
    "headings": "This row repeats the headings (header), as if several tables stood one below the other",
}


def _footer(footer: Footer) -> Problem:
    code = "repeated-headings" if footer.why == "headings" else "footer-row"
    text = f"{FOOTER_TEXTS[footer.why]}: {footer.text}"
    return Problem(code, text, "Leave it out, unless it should be sent.", footer.row, None, Severity.WARNING)


def _no_rows(ledger: Ledger, header_row: int) -> UnreadableFile:
    if ledger.left_out:
        return UnreadableFile(
            "No rows are left: all of them are hidden or left out.", "Put some of them back.", code="no-rows-left"
        )
    if header_row:
        return UnreadableFile(
            "There is only a row of headings and no data below it: no rows to send.",
            "Upload the file with its rows, or say that it has no headings.",
            code="no-rows",
        )
    return UnreadableFile("There are no rows in this file.", "Choose an earlier first row.", code="no-rows")
