"""One pass set against a later one, as after mending in a spreadsheet program: what became better, what worse."""

from __future__ import annotations

from dataclasses import dataclass

from valar_ui.prepare.prepared import Prepared
from valar_ui.problems import Cause, Group, Severity


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
