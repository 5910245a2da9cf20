"""Workbooks: which sheet is read, headings over merged cells, what Excel knows about rows that cells do not say."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from valar_ui.jobs import Progress
from valar_ui.problems import Problem, Report
from valar_ui.readers import grid, ods, sheetxml
from valar_ui.readers.filling import Facts, Wider
from valar_ui.readers.headings import letters
from valar_ui.readers.reading import ReadOptions, Record, Sheet, UnreadableFile
from valar_ui.readers.sheetproblems import cell_problems, sheet_problems
from valar_ui.readers.sheetxml import Area, SheetFacts, SheetRow
from valar_ui.readers.xlsx import open_workbook

MAX_HEADING_ROWS: Final = 10
"""Rows that merged headings may take."""


@dataclass(slots=True)
class Source:
    """One sheet, however its format stores it; `rows` begins anew at each call."""

    rows: Callable[[], Iterator[SheetRow]]
    merged: Sequence[Area] = ()
    facts: SheetFacts = field(default_factory=SheetFacts)


@dataclass(slots=True)
class Made:
    """What reading a workbook found."""

    grid: grid.Grid
    sheet: str
    sheets: tuple[Sheet, ...]
    hidden_columns: tuple[str, ...]


def read_xlsx(
    archive: zipfile.ZipFile, *, into: Path, options: ReadOptions, report: Report, progress: Progress | None
) -> Made:
    """The chosen sheet of an open, verified archive."""
    workbook = open_workbook(archive)
    parts = {sheet.name: part for sheet, part in workbook.sheets}

    def open_sheet(name: str) -> Source:
        part = parts[name]
        facts = SheetFacts()
        return Source(lambda: sheetxml.rows(archive, part, workbook, facts), sheetxml.merges(archive, part), facts)

    return read_sheets(
        tuple(sheet for sheet, _ in workbook.sheets),
        open_sheet,
        into=into,
        options=options,
        report=report,
        progress=progress,
    )


def read_ods(
    archive: zipfile.ZipFile, *, into: Path, options: ReadOptions, report: Report, progress: Progress | None
) -> Made:
    """The chosen sheet of an OpenDocument spreadsheet."""
    tables = ods.open_tables(archive)

    def open_sheet(name: str) -> Source:
        facts = SheetFacts()
        return Source(lambda: ods.rows(archive, name, facts), tables.merged.get(name, ()), facts)

    return read_sheets(tuple(tables.sheets), open_sheet, into=into, options=options, report=report, progress=progress)


def read_sheets(
    sheets: tuple[Sheet, ...],
    open_sheet: Callable[[str], Source],
    *,
    into: Path,
    options: ReadOptions,
    report: Report,
    progress: Progress | None = None,
) -> Made:
    """The sheet that the options name, or the first visible one with data: a cover of one line is none."""
    try:
        return _read_chosen(sheets, open_sheet, into=into, options=options, report=report, progress=progress)
    except UnreadableFile as fault:
        fault.sheets = sheets
        raise


def _read_chosen(
    sheets: tuple[Sheet, ...],
    open_sheet: Callable[[str], Source],
    *,
    into: Path,
    options: ReadOptions,
    report: Report,
    progress: Progress | None,
) -> Made:
    source, name = _chosen(sheets, open_sheet, options)
    width = 0
    while True:
        fresh = Report()
        try:
            made = _build(source, into, options, fresh, progress, width)
            break
        except Wider as fault:
            width = fault.width
    report.absorb(fresh)
    hidden = tuple(
        letters(column - 1)
        for low, high in source.facts.hidden_columns
        for column in range(max(low, 1), min(high, len(made.columns)) + 1)
    )
    report.extend(sheet_problems(made, name, sheets, hidden, source.merged, source.facts, options))
    return Made(made, name, sheets, hidden)


def _chosen(sheets: tuple[Sheet, ...], open_sheet: Callable[[str], Source], options: ReadOptions) -> tuple[Source, str]:
    if options.sheet is not None:
        same = [sheet.name for sheet in sheets if sheet.name.casefold() == options.sheet.casefold()]
        name = options.sheet if options.sheet in same else same[0] if len(same) == 1 else None
        if name is None:
            names = ", ".join(sheet.name for sheet in sheets)[:300]
            raise UnreadableFile(
                f"There is no sheet {options.sheet!r}; the sheets are: {names}.", "Choose one.", code="no-such-sheet"
            )
        return open_sheet(name), name
    lone: tuple[Source, str] | None = None
    for sheet in sheets:
        if sheet.visible:
            source = open_sheet(sheet.name)
            filled = sum(1 for _ in islice((row for row in source.rows() if any(row.cells) or row.unread()), 2))
            if filled == 2:
                return source, sheet.name
            if filled and lone is None:
                lone = source, sheet.name
    if lone is not None:
        return lone
    if any(not sheet.visible for sheet in sheets):
        raise UnreadableFile(
            "The visible sheets of this workbook are empty; there are hidden ones.",
            "Choose one of the hidden sheets, or show it in Excel.",
            code="empty",
        )
    raise UnreadableFile(
        "This workbook is empty: no sheet holds any data.", "Upload the file with the rows.", code="empty"
    )


def _build(
    source: Source, into: Path, options: ReadOptions, report: Report, progress: Progress | None, width: int
) -> grid.Grid:
    marks: dict[int, SheetRow] = {}
    hidden: set[int] = set()

    def records() -> Iterator[Record]:
        last = 0
        for count, row in enumerate(source.rows()):
            if progress is not None and count % 1_000 == 0:
                progress(min(count / 100_000, 0.99))
            for blank in range(last + 1, row.number):
                yield blank, 0, []
            last = row.number
            if row.hidden:
                hidden.add(row.number)
            if row.marked():
                marks[row.number] = row
            yield row.number, 0, row.cells

    def flag(number: int, columns: tuple[str, ...]) -> Iterable[Problem]:
        row = marks.pop(number, None)
        if row is None:
            return ()
        if (furthest := max(row.unread(), default=-1)) >= len(columns):
            raise Wider(furthest + 1)
        return cell_problems(row, columns)

    facts = Facts(
        hidden=hidden.__contains__,
        heading_rows=lambda first: _heading_rows(first, source.merged),
        heading_cells=lambda first, rows: _heading_cells(first, rows, source.merged),
        workbook=True,
        least_width=width,
        flag=flag,
        holds=lambda number: number in marks and bool(marks[number].unread()),
    )
    return grid.build(
        _without_trailing_blanks(records(), facts.holds), into=into, options=options, report=report, facts=facts
    )


def _without_trailing_blanks(records: Iterator[Record], holds: Callable[[int], bool]) -> Iterator[Record]:
    """Formatted but empty rows below the last cell are no records; those that hold more than texts are."""
    waiting: list[Record] = []
    for record in records:
        if any(record[2]) or holds(record[0]):
            yield from waiting
            waiting.clear()
            yield record
        else:
            waiting.append(record)


def _heading_rows(first: int, merged: Sequence[Area]) -> int:
    """Headings that are merged downwards take all those rows."""
    bottom = first
    for top, _, below, _ in merged:
        if top <= first <= below or first <= top <= bottom:
            bottom = max(bottom, below)
    return bottom - first + 1 if bottom - first < MAX_HEADING_ROWS else 1


def _heading_cells(first: int, rows: list[Sequence[str]], merged: Sequence[Area]) -> list[str]:
    """Names from top to bottom, a merged one counting for each column it covers."""
    width = max(len(row) for row in rows)
    above = {area: area[0] for area in merged if area[0] <= first + len(rows) - 1 and area[2] >= first}
    grid_cells = [list(row) + [""] * (width - len(row)) for row in rows]
    for top, left, bottom, right in above:
        text = grid_cells[max(top - first, 0)][left - 1] if left <= width else ""
        if right > left and text and bottom < first + len(rows) - 1:
            for column in range(left - 1, min(right, width)):
                grid_cells[max(top - first, 0)][column] = text
    names: list[str] = []
    for column in range(width):
        parts = [row[column].strip() for row in grid_cells if row[column].strip()]
        names.append(" ".join(dict.fromkeys(parts)))
    return names
