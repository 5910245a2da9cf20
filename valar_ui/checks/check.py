"""What every check has: `Check` with start / row / end, the `Scope` it works in, the `Sent` it counts."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from valar_ui.compose import Composed, Many
from valar_ui.ids import Ids
from valar_ui.limits import ENDPOINT
from valar_ui.pricing import BUILT_IN, Prices
from valar_ui.problems import Problem, Report
from valar_ui.recipe import Recipe, Step
from valar_ui.table import Table

FRAME_BYTES: Final = len('{"endpoint":"","requests":[]}') + len(ENDPOINT)
"""Bytes of a batch's body beside its requests and label."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a pass is about. Without `table` only the recipe is checked, against `columns`."""

    recipe: Recipe
    columns: tuple[str, ...]
    table: Table | None = None
    steps: tuple[Step, ...] = ()
    reading: Report | None = None
    """What reading the file found."""
    ids: Ids | None = None
    prices: Prices = BUILT_IN


@dataclass(slots=True)
class Sent:
    """The requests that go, as columns of numbers: 8 bytes a fact, no object a row."""

    rows: array[int] = field(default_factory=lambda: array("Q"))
    """Spreadsheet row numbers, ascending."""
    sizes: array[int] = field(default_factory=lambda: array("I"))
    """Bytes of each item."""
    marks: array[int] = field(default_factory=lambda: array("q"))
    """Hash of each request without its id; equal requests have equal marks."""
    ids: array[int] = field(default_factory=lambda: array("q"))
    """Hash of each custom_id."""
    unlimited: int = 0
    """Requests without max_output_tokens."""
    unlimited_rows: list[int] = field(default_factory=list)
    """Spreadsheet rows of the first few of them, ascending."""

    FEW: ClassVar = 8

    def no_limit(self, rows: Sequence[int]) -> None:
        """Count requests without max_output_tokens."""
        self.unlimited += len(rows)
        if len(self.unlimited_rows) <= self.FEW:
            self.unlimited_rows += rows[: self.FEW + 1 - len(self.unlimited_rows)]


class Check:
    """One rule or a few of a kind. `start` sees the recipe, `row` each row, `goes` each row that is sent, `end` all."""

    idle = False
    """Set by `start` where no row needs a look."""

    def start(self, scope: Scope) -> Iterable[Problem]:  # noqa: ARG002 - for those that override it
        """What is wrong before any row."""
        return ()

    def row(self, composed: Composed) -> Iterable[Problem]:  # noqa: ARG002 - for those that override it
        """What is wrong with one row."""
        return ()

    def clear(self, many: Many) -> bool:  # noqa: ARG002 - for those that override it
        """Whether `row` would say nothing of any of these rows; False where that takes a look at each."""
        return False

    def goes(self, composed: Composed) -> None:
        """Told of each row that will be sent."""

    def many_go(self, many: Many) -> None:
        """Told of many rows that will be sent, in place of `goes`; only after `clear` said so."""

    def end(self, sent: Sent) -> Iterable[Problem]:  # noqa: ARG002 - for those that override it
        """What is wrong with the whole."""
        return ()
