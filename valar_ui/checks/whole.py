"""Checks of the whole: how many requests, how long, how many alike, limits of the answers, personal data."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import numpy as np
import numpy.typing as npt

from valar_ui.checks.check import FRAME_BYTES, Check, Scope, Sent
from valar_ui.compose import sent_columns
from valar_ui.ids import Edits
from valar_ui.limits import MAX_BODY_BYTES, MAX_REQUESTS
from valar_ui.personal import Found, personal_data, personal_data_in
from valar_ui.problems import Problem, Severity
from valar_ui.recipe import Collapse


class OutputLimit(Check):
    """Every request says how long its answer may get; without that the cost has no upper end."""

    def end(self, sent: Sent) -> Iterable[Problem]:
        if sent.unlimited:
            rows = [f"{row:,}" for row in sent.unlimited_rows[: sent.FEW]]
            named = f": {'row' if len(rows) == 1 else 'rows'} {', '.join(rows)}"
            named += f" and {sent.unlimited - len(rows):,} more" if sent.unlimited > len(rows) else ""
            yield Problem(
                "output-unlimited",
                f"max_output_tokens is missing in {sent.unlimited:,} of {len(sent.rows):,} rows"
                f"{named if sent.unlimited < len(sent.rows) else ''}.",
                "Set it, so that the cost has an upper end.",
                column=None,
                severity=Severity.WARNING,
            )


class Anything(Check):
    """There is something to send."""

    def end(self, sent: Sent) -> Iterable[Problem]:
        if not len(sent.rows):
            yield Problem("no-requests", "No row is left to be sent.", "Mend the problems, or take a step back.")


def several_parts(sizes: npt.NDArray[np.uint32]) -> Iterator[Problem]:
    """A note where requests of these sizes, all that go in the end, are more than one batch takes."""
    count = len(sizes)
    body = int(sizes.sum(dtype=np.int64)) + count - 1 + FRAME_BYTES
    if count > MAX_REQUESTS or body >= MAX_BODY_BYTES:
        yield Problem(
            "several-parts",
            f"{count:,} requests, {body:,} bytes: more than the {MAX_REQUESTS:,} requests or"
            f" {MAX_BODY_BYTES:,} bytes that one batch takes.",
            "They are sent as several batches.",
            severity=Severity.NOTE,
        )


class LongPrompts(Check):
    """Requests far longer than the rest: more than ten times the middle one, and more than 4,000 bytes."""

    TIMES: Final = 10
    BYTES: Final = 4_000
    SHARE: Final = 0.05
    """Above this share of the rows it is no exception any more, but how the sheet is."""

    def end(self, sent: Sent) -> Iterable[Problem]:
        sizes = np.frombuffer(sent.sizes, np.uint32)
        if not len(sizes):
            return
        middle = int(np.median(sizes))
        long = np.flatnonzero(sizes > max(self.TIMES * middle, self.BYTES))
        if len(long) > max(1, self.SHARE * len(sizes)):
            return
        for at in long.tolist():
            yield Problem(
                "long-prompt",
                f"This request has {int(sizes[at]):,} bytes; the middle one has {middle:,}.",
                "Look whether the cell holds what it should.",
                sent.rows[at],
                severity=Severity.WARNING,
            )


class Identical(Check):
    """Rows that ask exactly the same: each is paid for."""

    def start(self, scope: Scope) -> Iterable[Problem]:
        self._collapsed = any(isinstance(step, Collapse) for step in scope.steps)
        return ()

    def end(self, sent: Sent) -> Iterable[Problem]:
        if self._collapsed:
            return
        for first, others in identical(sent.marks):
            for at in others:
                yield Problem(
                    "identical-request",
                    f"This row asks exactly the same as row {sent.rows[first]:,}.",
                    "Send it once and fill all such rows from the one answer.",
                    sent.rows[at],
                    severity=Severity.WARNING,
                )


def identical(marks: array[int]) -> Iterator[tuple[int, list[int]]]:
    """Groups of positions with equal marks: the first, and the others; in the order of the first ones."""
    values = np.frombuffer(marks, np.int64)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    groups: list[list[int]] = []
    last = -2
    for at in same.tolist():
        if at != last + 1:
            groups.append([int(order[at])])
        groups[-1].append(int(order[at + 1]))
        last = at
    for group in sorted(groups):
        yield group[0], group[1:]


class PersonalData(Check):
    """E-mail addresses, phone numbers and IBANs in what is sent: named, never blocked."""

    NAMES: Final = {"email": "an e-mail address", "phone": "a phone number", "iban": "an IBAN"}

    def start(self, scope: Scope) -> Iterable[Problem]:
        self._edits = Edits(scope.steps).rows
        self._found: Future[Found] | None = None
        self._columns = [column for column in scope.columns if column in sent_columns(scope.recipe, scope.columns)]
        if scope.table is not None:
            pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="personal-data")
            self._found = pool.submit(personal_data, scope.table, self._columns)
            pool.shutdown(wait=False)
        return ()

    def end(self, sent: Sent) -> Iterable[Problem]:
        if self._found is None:
            return
        found = self._found.result()
        for row, cells in self._edits.items():
            for column, text in cells.items():
                if column in self._columns:
                    personal_data_in(row, column, text, found)
        going = np.frombuffer(sent.rows, np.uint64)
        for (kind, column), rows in sorted(found.items()):
            here = np.frombuffer(rows, np.uint64)
            for row in here[np.isin(here, going, assume_unique=True)].tolist():
                yield Problem(
                    f"personal-{kind}",
                    f"This cell seems to hold {self.NAMES[kind]}.",
                    "It leaves this computer with the request. Leave the column out of the prompt if it is not needed.",
                    row,
                    column,
                    Severity.WARNING,
                )
