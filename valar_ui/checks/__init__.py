"""Everything that can be wrong before sending: the visible tuple `CHECKS`; start / row / end.

What is wrong with a row's own cells comes from composing (`params` holds those rules); here is what needs the recipe,
the other rows or the whole. A check yields problems and never raises for what a person typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from valar_ui.checks.check import Check, Scope, Sent
from valar_ui.checks.label import check_label
from valar_ui.checks.recipe import Answer, Columns, Images, Params, Prompt
from valar_ui.checks.rows import AsRead, BodyLimit, ChangedIds, CustomIds, unread_rows
from valar_ui.checks.whole import Anything, Identical, LongPrompts, OutputLimit, PersonalData, identical, several_parts
from valar_ui.compose import Composed, Many, preview
from valar_ui.ids import Ids
from valar_ui.pricing import BUILT_IN, Prices
from valar_ui.problems import Problem, Report
from valar_ui.recipe import Recipe, Step
from valar_ui.table import Table

__all__ = [
    "CHECKS",
    "Check",
    "Inspection",
    "Scope",
    "Sent",
    "check_label",
    "check_recipe",
    "identical",
    "look",
    "several_parts",
    "unread_rows",
]

CHECKS: Final[tuple[type[Check], ...]] = (
    AsRead,
    Columns,
    Prompt,
    Params,
    Answer,
    Images,
    CustomIds,
    ChangedIds,
    BodyLimit,
    OutputLimit,
    Anything,
    LongPrompts,
    Identical,
    PersonalData,
)
"""Every check, in the order in which problems are told."""


class Inspection:
    """One pass of all checks over one draft: `start()`, then `row` and `goes` for each row, then `end`."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._checks = [check() for check in CHECKS]
        self._rows: list[Check] = []
        self._goes: list[Check] = []

    def start(self) -> list[Problem]:
        """What is wrong before any row."""
        problems = [problem for check in self._checks for problem in check.start(self._scope)]
        awake = [check for check in self._checks if not check.idle]
        self._rows = [check for check in awake if type(check).row is not Check.row]
        self._goes = [check for check in awake if type(check).goes is not Check.goes]
        return problems

    def row(self, composed: Composed) -> list[Problem]:
        """Everything wrong with one row: its own cells first."""
        problems = list(composed.problems)
        for check in self._rows:
            problems += check.row(composed)
        return problems

    def goes(self, composed: Composed) -> None:
        """Tell the checks that this row is sent."""
        for check in self._goes:
            check.goes(composed)

    def clear(self, many: Many) -> bool:
        """Whether nothing is wrong with any of these rows."""
        return all(check.clear(many) for check in self._rows)

    def many_go(self, many: Many) -> None:
        """Tell the checks that these rows are sent."""
        for check in self._goes:
            check.many_go(many)

    def end(self, sent: Sent) -> list[Problem]:
        """What is wrong with the whole."""
        return [problem for check in self._checks for problem in check.end(sent)]


def check_recipe(recipe: Recipe, columns: Sequence[str], *, prices: Prices = BUILT_IN) -> list[Problem]:
    """What is wrong with a recipe for a sheet with these columns, without reading a row."""
    return Inspection(Scope(recipe, tuple(columns), prices=prices)).start()


def look(
    table: Table,
    recipe: Recipe,
    index: int,
    *,
    steps: Sequence[Step] = (),
    reading: Report | None = None,
    ids: Ids | None = None,
) -> tuple[Composed, list[Problem]]:
    """One row as it will be sent and everything wrong with it alone; IndexError outside the table."""
    ids = Ids.scan(table, recipe, steps) if ids is None else ids
    composed = preview(table, recipe, index, steps=steps, ids=ids)
    inspection = Inspection(Scope(recipe, table.columns, None, tuple(steps), reading, ids))
    inspection.start()
    return composed, inspection.row(composed)
