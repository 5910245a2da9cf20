"""The problems of one pass, on demand: a page of them, all as CSV."""

from __future__ import annotations

import csv
import secrets
from collections.abc import Iterator
from pathlib import Path

import orjson

from valar_ui.prepare.prepared import Prepared
from valar_ui.problems import Cause, Problem, Severity


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
    cause: Cause | None = None,
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
            and (cause is None or (problem.code, problem.column) == cause)
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
    partial = path.with_suffix(f".{secrets.token_hex(4)}.partial")
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
