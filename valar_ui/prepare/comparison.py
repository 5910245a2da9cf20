"""One pass set against a later one, record by record, as after mending in a spreadsheet program."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from valar_ui.prepare.prepared import Prepared
from valar_ui.problems import Cause, Severity

NAMED: Final = 8
"""Rows named on one side of a change; the rest are counted."""

MARK: Final = 2**63 - 1
"""The bits of a hash that mark an id."""

WHOLE: Final = 0
"""The key of what is wrong with the whole sheet; no row has this number."""


Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Side:
    """Records that have a flaw in one of two passes only."""

    count: int = 0
    rows: tuple[int, ...] = ()
    """Spreadsheet numbers of the first few, as that pass has them; none where the flaw is the whole sheet's."""
    example: str = ""
    """The first one's flaw in words, as that pass told it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One cause of problems, before and after."""

    code: str
    column: str | None
    severity: Severity
    before: int
    """Problems in the earlier pass."""
    after: int
    """Problems in the later pass."""
    fixed: Side
    """Records with the flaw only before."""
    new: Side
    """Records with the flaw only now."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became better, worse and stayed, by cause; a cause may be both better and worse."""

    better: tuple[Change, ...]
    worse: tuple[Change, ...]
    same: tuple[Change, ...]
    requests_before: int
    requests_after: int


def compare(old: Prepared, new: Prepared) -> Comparison:
    """Set one pass against a later one; left-out rows count with their problems. Kept for the last few pairs.

    A record is known by its id where both passes take ids from the same column and no other row of either has it, else
    by its row number.
    """
    return _compared(old.folder, new.folder)


# What lies in these folders never changes.
@lru_cache(maxsize=16)
def _compared(old_folder: Path, new_folder: Path) -> Comparison:
    old, new = Prepared.load(old_folder), Prepared.load(new_folder)
    before, after = _Flaws(old), _Flaws(new)
    by_id = old.id_column is not None and old.id_column == new.id_column
    known = _Known(by_id, np.fromiter(before.shared | after.shared, np.int64))
    sides = {
        cause: (
            _only(before.records.get(cause), after.records.get(cause), known),
            _only(after.records.get(cause), before.records.get(cause), known),
        )
        for cause in dict.fromkeys([*before.records, *after.records])
    }
    fixed = _told(old, {cause: rows for cause, (rows, _) in sides.items()})
    broken = _told(new, {cause: rows for cause, (_, rows) in sides.items()})
    changes = [
        Change(
            *cause,
            (after.records.get(cause) or before.records[cause]).severity,
            before.count(cause),
            after.count(cause),
            fixed[cause],
            broken[cause],
        )
        for cause in sides
    ]
    return Comparison(
        tuple(sorted((it for it in changes if it.fixed.count), key=lambda it: (it.severity.rank, -it.fixed.count))),
        tuple(sorted((it for it in changes if it.new.count), key=lambda it: (it.severity.rank, -it.new.count))),
        tuple(it for it in changes if not it.fixed.count and not it.new.count),
        old.requests,
        new.requests,
    )


@dataclass(slots=True)
class _Records:
    """The records that have one flaw, as numbers, in order of finding."""

    severity: Severity
    rows: array[int] = field(default_factory=lambda: array("q"))
    ids: array[int] = field(default_factory=lambda: array("q"))
    """Marks of their ids, below 0; 0 where there is none."""


class _Flaws:
    """Every flaw of one pass: 16 bytes each."""

    def __init__(self, prepared: Prepared) -> None:
        self.records: dict[Cause, _Records] = {}
        self.shared: set[int] = set()
        """Marks of the ids that several rows have."""
        for value in _lines(prepared):
            cause, severity = (value["code"], value["column"]), Severity(value["severity"])
            if severity is Severity.NOTE and value["row"] is None:
                # What is only worth knowing of the whole sheet makes it neither better nor worse.
                continue
            records = self.records.setdefault(cause, _Records(severity))
            records.severity = min(records.severity, severity, key=lambda it: it.rank)
            mark = -1 - (hash(value["id"]) & MARK) if "id" in value else 0
            records.rows.append(value["row"] or WHOLE)
            records.ids.append(mark)
            if value.get("shared"):
                self.shared.add(mark)

    def count(self, cause: Cause) -> int:
        """Problems of this cause."""
        return len(self.records[cause].rows) if cause in self.records else 0


@dataclass(frozen=True, slots=True)
class _Known:
    """What a record is known by."""

    by_id: bool
    shared: Numbers

    def keys(self, records: _Records) -> Numbers:
        """The id's mark where it tells the record from all others, else the row number."""
        rows, ids = np.frombuffer(records.rows, np.int64), np.frombuffer(records.ids, np.int64)
        return np.where((ids < 0) & ~np.isin(ids, self.shared), ids, rows) if self.by_id else rows


def _only(here: _Records | None, there: _Records | None, known: _Known) -> Numbers:
    """The rows, ascending, of the records that have a flaw here and not there."""
    if here is None:
        return np.empty(0, np.int64)
    keys, first = np.unique(known.keys(here), return_index=True)
    lone = first if there is None else first[~np.isin(keys, known.keys(there))]
    return np.sort(np.frombuffer(here.rows, np.int64)[lone])


def _told(prepared: Prepared, found: dict[Cause, Numbers]) -> dict[Cause, Side]:
    """The sides of changes, each with its first row's flaw in words."""
    wanted = {(*cause, int(rows[0])) for cause, rows in found.items() if len(rows)}
    texts: dict[Cause, str] = {}
    lines = _lines(prepared)
    while wanted:
        value = next(lines)
        place = (value["code"], value["column"], value["row"] or WHOLE)
        if place in wanted:
            wanted.remove(place)
            texts[place[:2]] = value["message"]
    return {
        cause: Side(len(rows), tuple(rows[rows != WHOLE][:NAMED].tolist()), texts.get(cause, ""))
        for cause, rows in found.items()
    }


def _lines(prepared: Prepared) -> Iterator[dict[str, Any]]:
    with prepared.problems_path.open("rb") as file:
        yield from map(orjson.loads, file)
