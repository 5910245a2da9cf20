"""The sheet with a Problem column, to be mended in a spreadsheet program and dropped again."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter

from valar_ui.ids import Edits
from valar_ui.jobs import Progress
from valar_ui.prepare.prepared import Prepared
from valar_ui.prepare.problems import all_problems, neutral
from valar_ui.prepare.surplus import Surplus, beyond_columns
from valar_ui.problems import PROBLEM_HEADING, Severity
from valar_ui.readers.reading import Reading
from valar_ui.recipe import LeaveOutRow, Step

EXCEL_ROWS: Final = 1_048_576
"""Rows of a sheet, the headings included (Excel specifications and limits)."""
EXCEL_COLUMNS: Final = 16_384
"""Columns of a sheet (Excel specifications and limits)."""
EXCEL_CHARACTERS: Final = 32_767
"""Characters in a cell (Excel specifications and limits)."""
EXCEL_ERRORS: Final = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})
"""Errors that can be written as such."""

EVERY: Final = 500
"""Rows between two calls of `progress`."""


def sheet_with_problems(
    reading: Reading,
    prepared: Prepared,
    path: Path,
    *,
    steps: Sequence[Step] = (),
    surplus: Surplus = MappingProxyType({}),
    progress: Progress | None = None,
) -> Path:
    """Write every row, its cells as `steps` mend them, at its own row number, with a column that tells its problems.

    What a row holds beyond the last column (`surplus`) stands behind that one, below no heading. Rows above the
    headings and blank ones stay blank. Only where the file has no row of headings are all numbers one higher. XLSX
    where it fits Excel's limits, else CSV: the path written is returned. Cells stay text as they are; in CSV those that
    would be formulas get a `'` in front.
    """
    sheet = _Sheet(reading, prepared, steps, surplus, progress)
    path = path.with_suffix(".xlsx" if sheet.fits_excel() else ".csv")
    partial = path.with_suffix(".partial")
    (_write_xlsx if path.suffix == ".xlsx" else _write_csv)(sheet, partial)
    partial.replace(path)
    return path


def _write_xlsx(sheet: _Sheet, path: Path) -> None:
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        page = book.add_worksheet("Problems")
        for number, cells in sheet.rows():
            for position, cell in enumerate(cells):
                if (number, position) in sheet.errors and cell in EXCEL_ERRORS:
                    page.write_formula(number - 1, position, f"={cell}", None, cell)
                elif cell:
                    page.write_string(number - 1, position, cell)


def _write_csv(sheet: _Sheet, path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        written = 0
        for number, cells in sheet.rows():
            writer.writerows([] for _ in range(number - 1 - written))
            writer.writerow(map(neutral, cells))
            written = number


class _Sheet:
    """What is written where."""

    def __init__(
        self,
        reading: Reading,
        prepared: Prepared,
        steps: Sequence[Step],
        surplus: Surplus,
        progress: Progress | None,
    ) -> None:
        self._table, self._surplus, self._progress = reading.table, surplus, progress
        not_own = {PROBLEM_HEADING, *beyond_columns(reading)}
        self._columns = [column for column in reading.columns if column not in not_own]
        self._edits = Edits(steps)
        self._told = _told(prepared, steps)
        first = self._table.number(0)
        self._heading = reading.header_row or max(first - 1, 1)
        self._shift = max(self._heading + 1 - first, 0)
        self.errors = frozenset(
            (row + self._shift, self._columns.index(group.column))
            for group in reading.report.groups
            if group.code == "error-cell" and group.column in self._columns
            for row in group.rows
        )
        """(Row as written, position) of cells that show an error in the file."""

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(Row number, cells) of the headings and of every row, ascending."""
        yield self._heading, [*self._columns, PROBLEM_HEADING]
        for chunk in self._table.chunks(self._columns):
            self._edits.apply(chunk)
            columns = [chunk.columns[column] for column in self._columns]
            for at, number in enumerate(chunk.numbers):
                if self._progress is not None and (chunk.start + at) % EVERY == 0:
                    self._progress((chunk.start + at) / len(self._table))
                cells = [column[at] for column in columns]
                told = self._told.get(number, "") or ("" if any(cells) else "All cells of this row are empty.")
                yield number + self._shift, [*cells, told, *self._surplus.get(number, ())]

    def fits_excel(self) -> bool:
        """Whether Excel can hold it."""
        last = self._table.number(len(self._table) - 1) + self._shift
        beyond = max(map(len, self._surplus.values()), default=0)
        if last > EXCEL_ROWS or len(self._columns) + 1 + beyond > EXCEL_COLUMNS:
            return False
        added = [text for cells in self._edits.rows.values() for text in cells.values()]
        added += [text for cells in self._surplus.values() for text in cells]
        if any(len(text) > EXCEL_CHARACTERS for text in (*self._columns, *self._told.values(), *added)):
            return False
        return all(
            _longest(cells) <= EXCEL_CHARACTERS
            for part in self._table.slices(self._columns)
            for cells in part.columns.values()
        )


def _longest(cells: pa.Array) -> int:
    longest: int = pc.max(pc.utf8_length(cells)).as_py()
    return longest


def _told(prepared: Prepared, steps: Sequence[Step]) -> dict[int, str]:
    """Row → its errors and warnings in words, and whether it is left out."""
    told: dict[int, list[str]] = {step.row: ["Left out by hand."] for step in steps if isinstance(step, LeaveOutRow)}
    for left_out in (True, False):
        for problem in all_problems(prepared, left_out=left_out):
            if problem.row is None or (problem.severity is Severity.NOTE and not left_out):
                continue
            text = f"{problem.text} {problem.hint}".strip()
            texts = told.setdefault(problem.row, [])
            texts.append(f"Left out: {text}" if left_out and not texts else text)
    return {row: " / ".join(texts) for row, texts in told.items()}
