"""Records become a table: headings found, blank rows counted, short and long rows named, nothing dropped in silence."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Final

from valar_ui.problems import Problem, Report, Severity
from valar_ui.readers.bulk import Bulk
from valar_ui.readers.filling import Facts, Filler, Ledger, reach
from valar_ui.readers.footers import Footers
from valar_ui.readers.headings import LOOKED_AT, find_header, letters, unique_names
from valar_ui.readers.reading import Footer, ReadOptions, Record, UnreadableFile
from valar_ui.readers.watch import Watch
from valar_ui.table import Table, TableWriter

MAX_COLUMNS: Final = 16_384
"""Columns of an Excel sheet."""


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


def build(
    records: Iterable[Record], *, into: Path, options: ReadOptions, report: Report, facts: Facts | None = None
) -> Grid:
    """Write the table into the folder `into`; `UnreadableFile` where there are no rows, `Wider` for workbooks only."""
    facts = facts or Facts()
    stream = iter(records)
    head = list(_head(stream))
    while not _written(head[-1][2] if head else ()):
        record = next(stream, None)
        if record is None:
            break
        head.append(record)
    if not any(_written(cells) or facts.holds(number) for number, _, cells in head):
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
    headings = range(header_row, header_row + span)
    return _write(head, stream, columns, raw, headings, first, into, options, report, facts)


def _written(cells: Sequence[str]) -> bool:
    """There is more than blanks in these cells."""
    return any(cell.strip() for cell in cells)


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
    widths = Counter(reach(cells) for _, _, cells in data if any(cells))
    if facts.workbook:
        width = max(reach(raw), facts.least_width, *widths) if widths else max(reach(raw), facts.least_width)
        return raw[:width] + [""] * (width - len(raw))
    if not has_header:
        return [""] * max(widths, default=len(raw))
    count = sum(widths.values())
    width = len(raw)
    further = [(wide, times) for wide, times in widths.items() if wide > width]
    if further and sum(times for _, times in further) > 0.5 * count:
        width = max(further, key=lambda pair: (pair[1], pair[0]))[0]
    return raw + [""] * (width - len(raw))


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
    head: Iterable[Record],
    stream: Iterator[Record],
    columns: tuple[str, ...],
    raw: list[str],
    headings: range,
    first: int,
    into: Path,
    options: ReadOptions,
    report: Report,
    facts: Facts,
) -> Grid:
    watch = Watch(columns, report, guessed=facts.guessed)
    footers = Footers(raw)
    path = into / f"table-{uuid.uuid4().hex}.arrow"
    with TableWriter(path, columns, watch=watch) as writer:
        filler = Filler(writer, columns, headings, first, options, report, facts, footers)
        for item in chain(head, facts.rest(len(columns)) if facts.rest is not None else stream):
            if isinstance(item, Bulk):
                filler.bulk(item)
            else:
                filler.record(*item)
        if not writer.rows:
            raise _no_rows(filler.ledger, headings.start)
    if filler.surplus:
        report.add(_surplus(filler.surplus))
    watch.finish(Table(path))
    found = footers.found()
    for footer in found:
        report.add(_footer(footer))
    header_row, hidden_rows = headings.start, filler.hidden_rows
    return Grid(path, columns, writer.rows, header_row, filler.ledger, found, hidden_rows, watch.foreign_cells)


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
    "rule": "This row is a line drawn with characters, not a record",
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
