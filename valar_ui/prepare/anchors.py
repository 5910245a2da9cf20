"""A mend of one row belongs to its record, not to its number: marks of records, and where each is in another file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Final

import orjson

from valar_ui.ids import Edits
from valar_ui.jobs import Progress
from valar_ui.prepare.surplus import beyond_columns
from valar_ui.problems import PROBLEM_HEADING
from valar_ui.readers.reading import Reading
from valar_ui.recipe import EditCell, Lapsed, LeaveOutRow, Step

MARK_BYTES: Final = 8
"""Bytes of a record's mark: 16 hex digits."""


def mark(cells: Iterable[tuple[str, str]]) -> str:
    """The mark of (column, cell) pairs in any order; empty cells and the Problem column do not count."""
    held = sorted(pair for pair in cells if pair[1] and pair[0] != PROBLEM_HEADING)
    return blake2b(orjson.dumps(held), digest_size=MARK_BYTES).hexdigest()


def stamped(reading: Reading, steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps, those of one row tied to the record that has their row number in this reading."""
    if not any(isinstance(step, EditCell | LeaveOutRow) for step in steps):
        return tuple(steps)
    table, edits, beyond = reading.table, Edits(steps).rows, beyond_columns(reading)
    known: dict[int, tuple[str, ...]] = {}

    def record(row: int) -> tuple[str, ...]:
        index = table.index_of(row)
        if index is None:
            return ()
        cells = {
            column: text for column, text in zip(table.columns, table.row(index), strict=True) if column not in beyond
        }
        mended = cells | {column: text for column, text in edits.get(row, {}).items() if column in cells}
        return tuple(dict.fromkeys((mark(cells.items()), mark(mended.items()))))

    def tied(step: Step) -> Step:
        if not isinstance(step, EditCell | LeaveOutRow):
            return step
        if step.row not in known:
            known[step.row] = record(step.row)
        return step.model_copy(update={"record": known[step.row]})

    return tuple(map(tied, steps))


def anchored(reading: Reading, steps: Sequence[Step], *, progress: Progress | None = None) -> tuple[Step, ...]:
    """The steps for another reading: each of one row goes to the row that holds its record, or lapses.

    A record is found at its own row number, else where exactly one row holds it; as it stood in the file, else as it
    was mended: then a mended cell has nothing left to do. Lapsed steps apply again once their record is there again.
    """
    if not any(isinstance(step, EditCell | LeaveOutRow | Lapsed) for step in steps):
        return tuple(steps)
    places = _Places(reading, [_inner(step) for step in steps], progress)
    return stamped(reading, [_anchored(step, places) for step in steps])


def _inner(step: Step) -> Step:
    return step.step if isinstance(step, Lapsed) else step


def _anchored(step: Step, places: _Places) -> Step:
    inner = _inner(step)
    if not isinstance(inner, EditCell | LeaveOutRow):
        return step
    for at, record in enumerate(inner.record):
        rows = places.of(record, inner.row)
        if len(rows) > 1:
            break
        if rows and isinstance(inner, EditCell) and (at or inner.column not in places.columns):
            return Lapsed(step=inner, done=at > 0)
        if rows:
            return inner.model_copy(update={"row": rows[0]})
    return Lapsed(step=inner)


class _Places:
    """Where a table holds records of these marks; all its rows are read only when one is not at its own number."""

    def __init__(self, reading: Reading, steps: Sequence[Step], progress: Progress | None) -> None:
        self._table, self._progress = reading.table, progress
        beyond = beyond_columns(reading)
        self._own = [column for column in reading.table.columns if column not in beyond]
        self.columns = frozenset(self._own)
        self._wanted = {record for step in steps if isinstance(step, EditCell | LeaveOutRow) for record in step.record}
        self._found: dict[str, list[int]] | None = None

    def of(self, record: str, row: int) -> Sequence[int]:
        """The row itself if it holds the record, else up to two others that do."""
        index = self._table.index_of(row)
        if index is not None:
            cells = zip(self._table.columns, self._table.row(index), strict=True)
            if mark((column, text) for column, text in cells if column in self.columns) == record:
                return (row,)
        if self._found is None:
            self._found = self._scan()
        return self._found[record]

    def _scan(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {record: [] for record in self._wanted}
        for chunk in self._table.chunks(self._own):
            if self._progress is not None:
                self._progress(chunk.start / len(self._table))
            for number, cells in zip(chunk.numbers, zip(*chunk.columns.values(), strict=True), strict=True):
                rows = found.get(mark(zip(chunk.columns, cells, strict=True)))
                if rows is not None and len(rows) < 2:
                    rows.append(number)
        return found
