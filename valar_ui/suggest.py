"""Which column is which param: exact names only, then a look at the cells; each guess says why."""

from __future__ import annotations

from dataclasses import dataclass

from valar_ui.table import Table


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One column for one param; `exact` ones may be filled in for the person."""

    target: str
    column: str
    reason: str
    exact: bool


def suggest(table: Table) -> dict[str, Suggestion]:
    """At most one suggestion for each target and each column."""
    return {}
