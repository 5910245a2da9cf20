"""Rows become the ledger's nouns; shared by those who send and those who look."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from valar_ui.ledger import schema
from valar_ui.ledger.database import LedgerFault
from valar_ui.ledger.submission import (
    Account,
    Attempt,
    Candidate,
    Dispatch,
    Outcome,
    Reason,
    State,
    Submission,
)

SUBMISSION_COLUMNS = frozenset(Submission.__slots__) - {"account", "attempts", "candidates", "state", "reason"}
DISPATCH_COLUMNS = frozenset(Dispatch.__slots__) - {"account", "submissions"}


class NoSuchDispatch(LedgerFault):
    """The owner has nothing of that id."""


class SentBefore(LedgerFault):
    """The same contents went to the same account before; only an explicit confirmation sends them again."""

    def __init__(self, earlier: Dispatch) -> None:
        super().__init__("You sent exactly this before.")
        self.earlier = earlier


class NotPossible(LedgerFault):
    """The state of the submission does not allow what was asked; the message says why."""


def account_of_row(row: Row[Any]) -> Account:
    """The account columns of a dispatch or submission."""
    return Account(row.account_kind, row.account_url, row.account_key)


def submission_of(row: Row[Any], attempts: Sequence[Attempt] = ()) -> Submission:
    """A row of `submissions` with its attempts."""
    found = row.candidates
    values = {name: row._mapping[name] for name in SUBMISSION_COLUMNS}
    return Submission(
        **values,
        state=State(row.state),
        reason=Reason(row.reason),
        account=account_of_row(row),
        candidates=None if found is None else tuple(Candidate(**one) for one in found),
        attempts=tuple(attempts),
    )


def attempt_of(row: Row[Any]) -> Attempt:
    """A row of `attempts`."""
    return Attempt(
        row.number,
        row.started_at,
        row.ended_at,
        None if row.outcome is None else Outcome(row.outcome),
        row.status,
        row.request_id,
        row.type,
        row.param,
        row.message,
    )


def load_submission(connection: Connection, submission_id: str) -> Submission:
    """One submission with its attempts; `NoSuchDispatch` where there is none."""
    row = connection.execute(select(schema.submissions).where(schema.submissions.c.id == submission_id)).one_or_none()
    if row is None:
        raise NoSuchDispatch("This submission is not in the history.")
    return submission_of(row, load_attempts(connection, [submission_id])[submission_id])


def load_attempts(connection: Connection, submission_ids: Sequence[str]) -> dict[str, list[Attempt]]:
    """The attempts of several submissions, in order."""
    table = schema.attempts
    found: dict[str, list[Attempt]] = defaultdict(list)
    query = select(table).where(table.c.submission_id.in_(submission_ids)).order_by(table.c.number)
    for row in connection.execute(query):
        found[row.submission_id].append(attempt_of(row))
    return found


def load_dispatches(connection: Connection, rows: Iterable[Row[Any]]) -> list[Dispatch]:
    """Dispatch rows with their submissions and attempts, in three queries however many there are."""
    heads = list(rows)
    table = schema.submissions
    query = select(table).where(table.c.dispatch_id.in_([head.id for head in heads]))
    bodies = list(connection.execute(query.order_by(table.c.first, table.c.generation, table.c.part)))
    attempts = load_attempts(connection, [body.id for body in bodies])
    by_dispatch: dict[str, list[Submission]] = defaultdict(list)
    for body in bodies:
        by_dispatch[body.dispatch_id].append(submission_of(body, attempts[body.id]))
    return [
        Dispatch(
            **{name: head._mapping[name] for name in DISPATCH_COLUMNS},
            account=account_of_row(head),
            submissions=tuple(by_dispatch[head.id]),
        )
        for head in heads
    ]
