"""Batches that Valar made: followed until every request is final, listed for their owner."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, select, update

from valar_ui.ledger import schema
from valar_ui.ledger.database import Database
from valar_ui.ledger.rows import account_of_row
from valar_ui.ledger.submission import Account


class BatchState(StrEnum):
    """How far Valar is with a batch, as far as it told us."""

    RUNNING = "running"
    DONE = "done"
    """Every request is completed, failed, cancelled or incomplete."""
    GONE = "gone"
    """Valar does not know the id any more."""
    EXPIRED = "expired"
    """Its 48 hours are over; it is not asked after any more."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One created batch; times are UTC epoch seconds."""

    id: str
    label: str
    requests: int
    created_at: float
    """By Valar's clock."""
    accepted_at: float
    """By ours."""
    deadline_at: float
    """Valar keeps the contents until then."""
    state: BatchState
    counts: dict[str, int]
    """Requests by status word, casefolded."""
    checked_at: float | None
    next_check_at: float
    failures: int
    """Checks in a row that brought nothing."""
    message: str
    """What the last check that failed said."""
    account: Account
    owner: str
    session: str
    draft_id: str
    dispatch_id: str
    submission_id: str
    part: int
    parts: int
    file_name: str

    @property
    def done(self) -> int:
        """Requests that are final."""
        return self.counts.get("final", 0)

    @property
    def failed(self) -> int:
        """Requests that are final without an answer."""
        return self.counts.get("failed", 0) + self.counts.get("cancelled", 0)

    @property
    def final(self) -> bool:
        """Whether nothing will change any more."""
        return self.state is not BatchState.RUNNING

    @property
    def words(self) -> str:
        """What the person sees: `running: 130 of 200 done`."""
        failed = f", {self.failed:,} failed" if self.failed else ""
        match self.state:
            case BatchState.RUNNING if self.checked_at is None:
                return "accepted"
            case BatchState.RUNNING:
                return f"running: {self.done:,} of {self.requests:,} done{failed}"
            case BatchState.DONE:
                return f"done: {self.requests:,} of {self.requests:,}{failed}"
            case BatchState.GONE:
                return "Valar does not know this batch any more"
        return f"not followed any more: {self.done:,} of {self.requests:,} were done{failed}"


class Batches(Database):
    """The part of the ledger that the collector writes and Batches shows."""

    def batches(self, owner: str, *, session: str | None = None, limit: int = 1_000) -> list[Batch]:
        """The owner's batches, newest first; only one session's where it is named."""
        query = _joined().where(schema.dispatches.c.owner == owner)
        if session is not None:
            query = query.where(schema.dispatches.c.session == session)
        newest = (schema.batches.c.accepted_at.desc(), schema.submissions.c.part.desc())
        with self.reading() as connection:
            return [_batch(row) for row in connection.execute(query.order_by(*newest).limit(limit))]

    def batch(self, batch_id: str, owner: str) -> Batch | None:
        """One of the owner's batches, or None."""
        query = _joined().where(schema.dispatches.c.owner == owner, schema.batches.c.id == batch_id)
        with self.reading() as connection:
            row = connection.execute(query.order_by(schema.batches.c.accepted_at.desc()).limit(1)).one_or_none()
        return None if row is None else _batch(row)

    def to_check(self, now: float, *, limit: int = 50) -> list[Batch]:
        """Running batches whose next check is due, the oldest first."""
        query = _joined().where(
            schema.batches.c.state == BatchState.RUNNING.value, schema.batches.c.next_check_at <= now
        )
        with self.reading() as connection:
            rows = connection.execute(query.order_by(schema.batches.c.created_at).limit(limit))
            return [_batch(row) for row in rows]

    def checked(
        self,
        submission_id: str,
        *,
        state: BatchState,
        counts: dict[str, int] | None,
        next_check_at: float,
        failures: int,
        message: str,
        now: float,
    ) -> None:
        """Write down what a check brought; None for `counts` leaves them, and the time of the last check, alone."""
        values: dict[str, Any] = {
            "state": state.value,
            "next_check_at": next_check_at,
            "failures": failures,
            "message": message,
        }
        if counts is not None:
            values |= {"counts": counts, "checked_at": now}
        with self.writing() as connection:
            mine = schema.batches.c.submission_id == submission_id
            connection.execute(update(schema.batches).where(mine).values(**values))


def _joined() -> Any:
    columns: list[Any] = [
        schema.batches,
        *(schema.submissions.c[name] for name in ("account_kind", "account_url", "account_key", "part", "parts")),
        *(schema.dispatches.c[name] for name in ("owner", "session", "draft_id", "file_name")),
        schema.submissions.c.dispatch_id,
    ]
    return select(*columns).select_from(schema.batches.join(schema.submissions).join(schema.dispatches))


def _batch(row: Row[Any]) -> Batch:
    values = {name: row._mapping[name] for name in Batch.__slots__ if name not in ("account", "state")}
    return Batch(**values, state=BatchState(row.state), account=account_of_row(row))
