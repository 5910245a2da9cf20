"""Checks of single rows: how they were read, their ids, their size."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from operator import ne

import numpy as np

from valar_ui.checks.check import FRAME_BYTES, Check, Scope, Sent
from valar_ui.compose import Composed, Many, used_columns
from valar_ui.ids import all_legal, id_rule, is_legal
from valar_ui.limits import CUSTOM_ID, MAX_BODY_BYTES, MAX_CUSTOM_ID
from valar_ui.problems import Group, Problem, Severity
from valar_ui.readers.reading import Reading
from valar_ui.recipe import Collapse


class AsRead(Check):
    """Problems found while reading: those of a row, or of a column that is used."""

    def start(self, scope: Scope) -> Iterable[Problem]:
        used = used_columns(scope.recipe, scope.columns)
        groups = [] if scope.reading is None else scope.reading.groups
        self._groups = [group for group in groups if group.column is None or group.column in used]
        rows = np.concatenate([np.empty(0, np.uint64), *(np.frombuffer(g.rows, np.uint64) for g in self._groups)])
        which = np.concatenate(
            [np.empty(0, np.int64), *(np.full(len(g.rows), at, np.int64) for at, g in enumerate(self._groups))]
        )
        order = np.argsort(rows, kind="stable")
        self._rows, self._which = array("Q", rows[order].tobytes()), array("q", which[order].tobytes())
        self._at = 0
        self.idle = not self._rows
        for group in self._groups:
            yield from (problem for problem in group.examples if problem.row is None)

    def row(self, composed: Composed) -> Iterable[Problem]:
        rows, found = self._rows, dict[int, None]()
        at = self._at or bisect_left(rows, composed.row)
        while at < len(rows) and rows[at] <= composed.row:
            if rows[at] == composed.row:
                found[self._which[at]] = None
            at += 1
        self._at = at
        return [problem for which in found for problem in _as_read(self._groups[which], composed.row)]

    def clear(self, many: Many) -> bool:
        return bisect_left(self._rows, many.rows[0]) == bisect_right(self._rows, many.rows[-1])


def unread_rows(reading: Reading) -> Iterator[tuple[int, list[Problem]]]:
    """Records that could not become a row of the table, each with its errors: lost unless they are told.

    What the options leave out, and what stands above the first row of data, is not meant to be a row.
    """
    found: dict[int, list[Problem]] = {}
    first = reading.options.first_data_row or 0
    for group in reading.report.groups:
        if group.severity is Severity.ERROR and group.column is None and group.rows:
            for row in np.setdiff1d(np.frombuffer(group.rows, np.uint64), reading.table.numbers()).tolist():
                if row >= first and row not in reading.options.drop_rows:
                    found.setdefault(row, []).extend(_as_read(group, row))
    yield from sorted(found.items())


def _as_read(group: Group, row: int) -> list[Problem]:
    """What a group tells of a row, each thing once."""
    told = list(dict.fromkeys(problem for problem in group.examples if problem.row == row))
    if told:
        return told
    first = group.examples[0]
    like = f"Like row {first.row:,}: {first.text}" if first.row is not None else first.text
    return [Problem(group.code, like, first.hint, row, group.column, group.severity)]


class CustomIds(Check):
    """Every custom_id is legal and used once."""

    def start(self, scope: Scope) -> Iterable[Problem]:
        rule = id_rule(scope.recipe, scope.steps)
        self._column = rule.column
        self.idle = rule.column is None or rule.legal
        self._repeated = frozenset() if scope.ids is None else scope.ids.repeated
        self._first: dict[str, int] = {}
        return ()

    def row(self, composed: Composed) -> Iterable[Problem]:
        custom_id = composed.custom_id
        if custom_id not in self._repeated and is_legal(custom_id):
            return ()
        if not custom_id:
            code, text, hint = "id-empty", "The id is empty.", "Make legal ids, or fill it in."
        elif CUSTOM_ID.fullmatch(custom_id) is None:
            code, text = "id-characters", f"The id {custom_id[:80]} has characters that Valar does not take."
            hint = "Make legal ids, or use lowercase letters, digits, - and _, a letter or digit first."
        elif len(custom_id) > MAX_CUSTOM_ID:
            code, text = "id-length", f"The id has {len(custom_id)} characters; Valar takes {MAX_CUSTOM_ID}."
            hint = "Make legal ids, or shorten it."
        elif custom_id in self._first:
            code, text = "id-repeated", f"The id {custom_id} is already that of row {self._first[custom_id]:,}."
            hint = "Make legal ids, or give the row another one."
        else:
            return ()
        return (Problem(code, text, hint, composed.row, self._column, line=composed.line),)

    def clear(self, many: Many) -> bool:
        return self._repeated.isdisjoint(many.custom_ids) and all_legal(many.custom_ids)

    def goes(self, composed: Composed) -> None:
        if composed.custom_id in self._repeated:
            self._first.setdefault(composed.custom_id, composed.row)


class ChangedIds(Check):
    """Ids that were made legal: rows that shared one are named, the others counted."""

    def start(self, scope: Scope) -> Iterable[Problem]:
        rule = id_rule(scope.recipe, scope.steps)
        self._column = rule.column
        self.idle = rule.column is None or not rule.legal
        self._repeated = frozenset() if scope.ids is None else scope.ids.repeated
        self._collapsed = any(isinstance(step, Collapse) for step in scope.steps)
        self._changed = 0
        return ()

    def row(self, composed: Composed) -> Iterable[Problem]:
        if not composed.original or composed.original not in self._repeated:
            return ()
        return (
            Problem(
                "id-shared",
                f"The id {composed.original[:80]} is in more than one row; each of them gets an id of its own.",
                "Look whether the row is there twice by mistake.",
                composed.row,
                self._column,
                Severity.WARNING,
                composed.line,
            ),
        )

    def clear(self, many: Many) -> bool:
        return self._repeated.isdisjoint(many.originals)

    def goes(self, composed: Composed) -> None:
        self._changed += composed.original != composed.custom_id

    def many_go(self, many: Many) -> None:
        self._changed += sum(map(ne, many.originals, many.custom_ids))

    def end(self, sent: Sent) -> Iterable[Problem]:
        if self.idle or not self._changed:
            return ()
        ids = f"{len(sent.rows):,} ids" + (" (of the rows that get an answer)" if self._collapsed else "")
        return (
            Problem(
                "ids-changed",
                f"{self._changed:,} of {ids} {'is' if self._changed == 1 else 'are'} changed so that "
                f"Valar takes {'it' if self._changed == 1 else 'them'}.",
                "Nothing to do: the answers find their rows all the same.",
                column=self._column,
                severity=Severity.NOTE,
            ),
        )


class BodyLimit(Check):
    """One request alone stays under the limit of a whole body."""

    def row(self, composed: Composed) -> Iterable[Problem]:
        if len(composed.body) < MAX_BODY_BYTES // 2 or len(composed.item) + FRAME_BYTES < MAX_BODY_BYTES:
            return ()
        return (
            Problem(
                "request-too-big",
                f"This request alone needs {len(composed.item) + FRAME_BYTES:,} bytes; a batch takes less than"
                f" {MAX_BODY_BYTES:,}.",
                "Shorten its text, or leave the row out.",
                composed.row,
                line=composed.line,
            ),
        )

    def clear(self, many: Many) -> bool:
        return int(many.sizes.max()) < MAX_BODY_BYTES // 2
