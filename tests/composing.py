"""Tables and drafts for the tests of composing: written with `TableWriter`, no reader in between."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from valar_ui.checks import Inspection, Scope
from valar_ui.compose import Composed, compose
from valar_ui.ids import Ids
from valar_ui.problems import Problem, Report, Severity
from valar_ui.readers import Reading, ReadOptions
from valar_ui.recipe import Fixed, IdRule, Recipe, Step, Turn
from valar_ui.table import Table, TableWriter

MODEL = "zai-org/GLM-5.1-FP8"
FIRST_ROW = 2
"""Spreadsheet number of the first row: the headings are in row 1."""


def make_table(folder: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table of these rows, numbered from 2."""
    path = folder / "table.arrow"
    with TableWriter(path, columns) as writer:
        for number, cells in enumerate(rows, start=FIRST_ROW):
            writer.append(number, 0, cells)
    return Table(path)


def make_reading(
    folder: Path, columns: Sequence[str], rows: Sequence[Sequence[str]], *, report: Report | None = None
) -> Reading:
    """The reading of such a table, as a reader would tell it."""
    table = make_table(folder, columns, rows)
    sha256 = hashlib.sha256(repr(rows).encode()).hexdigest()
    return Reading(
        "csv", "t.csv", 1, sha256, table.path, tuple(columns), len(table), ReadOptions(), report=report or Report()
    )


def prompt(text: str = "{{text}}", **params: Any) -> Recipe:
    """A recipe with a prompt, a model and an output limit; `params` replace or add."""
    given: dict[str, Any] = {"model": Fixed(fixed=MODEL), "max_output_tokens": Fixed(fixed=100)} | params
    return Recipe(turns=(Turn(role="user", text=text),), **given)


def ready(*, legal: bool = False) -> Recipe:
    """The recipe of ready-made requests."""
    return Recipe(kind="ready", custom_id=IdRule(legal=legal))


def ready_rows(*params: Mapping[str, Any] | str) -> list[tuple[str, str]]:
    """Rows of ready-made requests, ids `r-0`, `r-1`, …"""
    return [
        (f"r-{at}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for at, value in enumerate(params)
    ]


def looked_at(
    table: Table, recipe: Recipe, *, steps: Sequence[Step] = (), reading: Report | None = None
) -> tuple[list[Problem], list[tuple[Composed, list[Problem]]]]:
    """The recipe's problems, and each row with its own."""
    ids = Ids.scan(table, recipe, steps)
    inspection = Inspection(Scope(recipe, table.columns, None, tuple(steps), reading, ids))
    start = inspection.start()
    rows = []
    for composed in compose(table, recipe, steps=steps, ids=ids):
        problems = inspection.row(composed)
        rows.append((composed, problems))
        if not errors(problems):
            inspection.goes(composed)
    return start, rows


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Those that block."""
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def codes(problems: Iterable[Problem]) -> list[str]:
    """The codes, in order."""
    return [problem.code for problem in problems]
