"""The problems of one pass, on demand: a page of them, all as CSV, the sheet with a Problem column, old against new."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
import xlsxwriter

from valar_ui.jobs import Progress
from valar_ui.prepare.prepared import Prepared
from valar_ui.problems import Cause, Group, Problem, Severity
from valar_ui.readers.reading import Reading

PROBLEM_HEADING: Final = "Problem (Valar batches)"
"""The column that `sheet_with_problems` adds; a column already so called is replaced."""

EXCEL_ROWS: Final = 1_048_576
"""Rows of a sheet, the headings included (Excel specifications and limits)."""
EXCEL_COLUMNS: Final = 16_384
"""Columns of a sheet (Excel specifications and limits)."""
EXCEL_CHARACTERS: Final = 32_767
"""Characters in a cell (Excel specifications and limits)."""

EVERY: Final = 500


def all_problems(prepared: Prepared, *, left_out: bool | None = False) -> Iterator[Problem]:
    """Every problem of rows that are not left out (True: of those that are; None: of both), in order of finding."""
    with prepared.problems_path.open("rb") as file:
        for line in file:
            value = orjson.loads(line)
            if left_out is None or value["left_out"] is left_out:
                yield Problem.from_json(value)


def problems_page(
    prepared: Prepared,
    *,
    code: str | None = None,
    column: str | None = None,
    row: int | None = None,
    severity: Severity | None = None,
    left_out: bool | None = False,
    offset: int = 0,
    limit: int = 50,
) -> list[Problem]:
    """Up to `limit` problems from the `offset`th on that answer to every filter given."""
    found: list[Problem] = []
    for problem in all_problems(prepared, left_out=left_out):
        if (
            (code is None or problem.code == code)
            and (column is None or problem.column == column)
            and (row is None or problem.row == row)
            and (severity is None or problem.severity is severity)
        ):
            if offset:
                offset -= 1
                continue
            found.append(problem)
            if len(found) == limit:
                break
    return found


def neutral(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: `=1+1` becomes `'=1+1`."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def problems_csv(prepared: Prepared, path: Path | None = None) -> Path:
    """Write every problem as CSV (UTF-8 with a mark, so that Excel reads it) and say where; made once."""
    path = prepared.folder / "problems.csv" if path is None else path
    if path.exists():
        return path
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Severity", "Row", "Column", "Problem", "What to do", "Code", "Left out"])
        for left_out in (False, True):
            for problem in all_problems(prepared, left_out=left_out):
                row = "" if problem.row is None else str(problem.row)
                cells = [problem.column or "", problem.text, problem.hint, problem.code]
                writer.writerow([problem.severity.value, row, *map(neutral, cells), "yes" if left_out else "no"])
    partial.replace(path)
    return path


def sheet_with_problems(reading: Reading, prepared: Prepared, path: Path, *, progress: Progress | None = None) -> Path:
    """Write the whole sheet with a column that tells each row's problems, to be mended in Excel and dropped again.

    XLSX where it fits Excel's limits, else CSV: the path written is returned. Cells stay text as they are; in CSV those
    that would be formulas get a `'` in front.
    """
    told: dict[int, str] = {}
    for problem in all_problems(prepared, left_out=None):
        if problem.row is not None and problem.severity is not Severity.NOTE:
            text = f"{problem.text} {problem.hint}".strip()
            told[problem.row] = f"{told[problem.row]} / {text}" if problem.row in told else text
    rows = _sheet_rows(reading, told, progress)
    if _fits_excel(reading, told):
        path = path.with_suffix(".xlsx")
        partial = path.with_suffix(".partial")
        with xlsxwriter.Workbook(str(partial), {"constant_memory": True}) as book:
            sheet = book.add_worksheet("Problems")
            for at, cells in enumerate(rows):
                for position, cell in enumerate(cells):
                    if cell:
                        sheet.write_string(at, position, cell)
    else:
        path = path.with_suffix(".csv")
        partial = path.with_suffix(".partial")
        with partial.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            for cells in rows:
                writer.writerow(map(neutral, cells))
    partial.replace(path)
    return path


def _kept(reading: Reading) -> list[str]:
    return [column for column in reading.columns if column != PROBLEM_HEADING]


def _sheet_rows(reading: Reading, told: dict[int, str], progress: Progress | None) -> Iterator[list[str]]:
    kept = _kept(reading)
    yield [*kept, PROBLEM_HEADING]
    table = reading.table
    for chunk in table.chunks(kept):
        columns = [chunk.columns[column] for column in kept]
        for at, number in enumerate(chunk.numbers):
            if progress is not None and (chunk.start + at) % EVERY == 0:
                progress((chunk.start + at) / max(len(table), 1))
            yield [*(column[at] for column in columns), told.get(number, "")]


def _fits_excel(reading: Reading, told: dict[int, str]) -> bool:
    kept = _kept(reading)
    if reading.rows + 1 > EXCEL_ROWS or len(kept) + 1 > EXCEL_COLUMNS:
        return False
    if any(len(text) > EXCEL_CHARACTERS for text in (*kept, *told.values())):
        return False
    return not any(
        len(cell) > EXCEL_CHARACTERS
        for chunk in reading.table.chunks(kept)
        for column in chunk.columns.values()
        for cell in column
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One cause of problems, before and after."""

    code: str
    column: str | None
    severity: Severity
    before: int
    after: int
    example: str
    """The text of one such problem."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became better, worse and stayed, by cause."""

    better: tuple[Change, ...]
    worse: tuple[Change, ...]
    same: tuple[Change, ...]
    requests_before: int
    requests_after: int


def compare(old: Prepared, new: Prepared) -> Comparison:
    """Set one pass against a later one, as after mending in Excel; left-out rows count with their problems."""
    before, after = _by_cause(old), _by_cause(new)
    changes: list[Change] = []
    for cause in dict.fromkeys([*before, *after]):
        was, now = before.get(cause), after.get(cause)
        group = now or was
        assert group is not None
        changes.append(
            Change(
                *cause,
                group.severity,
                was.count if was else 0,
                now.count if now else 0,
                group.examples[0].text,
            )
        )
    changes.sort(key=lambda change: (change.severity.rank, -abs(change.after - change.before)))
    return Comparison(
        tuple(change for change in changes if change.after < change.before),
        tuple(change for change in changes if change.after > change.before),
        tuple(change for change in changes if change.after == change.before),
        old.requests,
        new.requests,
    )


def _by_cause(prepared: Prepared) -> dict[Cause, Group]:
    found: dict[Cause, Group] = {}
    for report in (prepared.report, prepared.left_out_report):
        for group in report.groups:
            known = found.get(group.cause)
            if known is None:
                found[group.cause] = Group(
                    group.code, group.column, group.severity, list(group.examples), count=group.count
                )
            else:
                known.count += group.count
    return found
