"""The sender's transactions: each writes down a step before it is taken, or what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Connection, select, update

from valar_ui.ledger import schema
from valar_ui.ledger.database import Database
from valar_ui.ledger.rows import load_submission, submission_of
from valar_ui.ledger.submission import (
    MAX_TRIES,
    WINDOW_S,
    Candidate,
    Outcome,
    Reason,
    State,
    Submission,
)
from valar_ui.ledger.words import LOOKED_FOR

CLOCK_SLACK_S: Final = 5.0
"""A wait that was set further in the future than this means that the clock was put back."""

Alive = Callable[[str | None, float | None], bool]
"""Takes a lease (holder, until) and tells whether its holder still works on it."""

_MOVING = (State.QUEUED, State.SEALED, State.SENDING, State.RETRYING)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a try ended, and what follows for its submission."""

    outcome: Outcome
    state: State
    reason: Reason = Reason.NONE
    message: str = ""
    status: int | None = None
    type: str = ""
    param: str | None = None
    request_id: str | None = None
    wait: float | None = None
    """Seconds until the next try."""
    candidates: tuple[Candidate, ...] | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What Valar made of a submission."""

    id: str
    requests: int
    created_at: float
    status: int | None = None
    request_id: str | None = None


class Sending(Database):
    """The part of the ledger that the outbox writes."""

    def unfinished(self) -> list[Submission]:
        """What a sender may have to do, oldest click first, parts in order; without attempts."""
        table = schema.submissions
        waiting = table.c.state.in_([state.value for state in _MOVING])
        held = (table.c.state == State.HELD.value) & (
            (table.c.reason == Reason.NO_KEY.value)
            | (
                table.c.reason.in_([reason.value for reason in LOOKED_FOR])
                & table.c.candidates.is_(None)
                & table.c.uncertain_since.is_not(None)
            )
        )
        query = (
            select(table)
            .join(schema.dispatches)
            .where(waiting | held)
            .order_by(schema.dispatches.c.created_at, schema.dispatches.c.id, table.c.first, table.c.part)
        )
        with self.reading() as connection:
            return [submission_of(row) for row in connection.execute(query)]

    def take(self, submission_id: str, *, holder: str, lease_until: float, alive: Alive) -> Submission | None:
        """Lease a QUEUED submission for spooling; None where somebody else has it."""
        with self.writing() as connection:
            one = load_submission(connection, submission_id)
            if one.state is not State.QUEUED or (one.holder != holder and alive(one.holder, one.lease_until)):
                return None
            _set(connection, submission_id, holder=holder, lease_until=lease_until)
            return load_submission(connection, submission_id)

    def seal(self, submission_id: str, *, idempotency_key: str, spool: str, sha256: str, now: float) -> bool:
        """Fix key, bytes and hash, once; False where it was sealed or stopped meanwhile."""
        table = schema.submissions
        statement = update(table).where(table.c.id == submission_id, table.c.state == State.QUEUED.value)
        with self.writing() as connection:
            sealed = connection.execute(
                statement.values(
                    state=State.SEALED.value,
                    reason="",
                    message="",
                    idempotency_key=idempotency_key,
                    spool=spool,
                    sha256=sha256,
                    sealed_at=now,
                    holder=None,
                    lease_until=None,
                    wait=None,
                    next_at=None,
                )
            )
            return sealed.rowcount == 1

    def delay(self, submission_id: str, *, reason: Reason, message: str, wait: float, alive: Alive, now: float) -> None:
        """Go on later with what nobody is sending, and say why; what is HELD keeps its reason."""
        with self.writing() as connection:
            one = load_submission(connection, submission_id)
            if one.state.final or (one.state is State.SENDING and alive(one.holder, one.lease_until)):
                return
            since = _interrupted(connection, one, now)
            values: dict[str, Any] = {"wait": wait, "next_at": now + wait, "holder": None, "lease_until": None}
            if one.state is not State.HELD:
                state = State.QUEUED if one.state is State.QUEUED else State.RETRYING
                values |= {"state": state.value, "reason": reason.value, "message": message, "uncertain_since": since}
            _set(connection, submission_id, **values)

    def hold(self, submission_id: str, *, reason: Reason, message: str, alive: Alive, now: float) -> None:
        """Stop by itself what is not under way, until a person or a key comes."""
        with self.writing() as connection:
            one = load_submission(connection, submission_id)
            if one.state.final or (one.state is State.SENDING and alive(one.holder, one.lease_until)):
                return
            since = _interrupted(connection, one, now)
            _set(
                connection,
                submission_id,
                state=State.HELD.value,
                reason=reason.value,
                message=message,
                uncertain_since=since,
                holder=None,
                lease_until=None,
                wait=None,
                next_at=None,
            )

    def claim(
        self, submission_id: str, *, holder: str, lease_until: float, alive: Alive, now: float
    ) -> Submission | None:
        """Begin a try, committed before connecting.

        None where it is not due, somebody else has it, or it was tried long enough (it is HELD then).
        """
        with self.writing() as connection:
            one = load_submission(connection, submission_id)
            resumable = one.state is State.HELD and one.reason is Reason.NO_KEY and one.sha256 is not None
            if one.state not in (State.SEALED, State.RETRYING, State.SENDING) and not resumable:
                return None
            if one.state is State.SENDING and alive(one.holder, one.lease_until):
                return None
            if one.state is State.RETRYING and not due(one, now):
                return None
            since = _interrupted(connection, one, now)
            if since is not None and one.reason is not Reason.ASKED and _tried_enough(one, since, now):
                values = {"state": State.HELD.value, "reason": Reason.UNCERTAIN.value, "candidates": None}
                _set(connection, submission_id, **values, uncertain_since=since, holder=None, next_at=None, wait=None)
                return None
            _set(
                connection,
                submission_id,
                state=State.SENDING.value,
                reason="",
                attempt=one.attempt + 1,
                first_sent_at=now if one.first_sent_at is None else one.first_sent_at,
                uncertain_since=since,
                holder=holder,
                lease_until=lease_until,
                wait=None,
                next_at=None,
            )
            connection.execute(
                schema.attempts.insert().values(submission_id=submission_id, number=one.attempt + 1, started_at=now)
            )
            return load_submission(connection, submission_id)

    def renew(self, submission_id: str, *, attempt: int, holder: str, lease_until: float) -> None:
        """Keep the lease while bytes flow; losing it changes nothing, for the key makes sending safe."""
        with self.writing() as connection:
            table = schema.submissions
            mine = (table.c.id == submission_id) & (table.c.holder == holder) & (table.c.attempt == attempt)
            connection.execute(update(table).where(mine).values(lease_until=lease_until))

    def accept(
        self,
        submission_id: str,
        accepted: Accepted,
        *,
        attempt: int,
        deadline_at: float,
        now: float,
        before_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """Write down the id, in one transaction: the truth whoever holds the lease by now."""
        with self.writing() as connection:
            one = load_submission(connection, submission_id)
            ending = Ending(Outcome.ACCEPTED, State.ACCEPTED, status=accepted.status, request_id=accepted.request_id)
            _end_attempt(connection, submission_id, attempt, ending, now)
            if one.state is not State.ACCEPTED:
                write_accepted(connection, one, accepted, deadline_at=deadline_at, now=now)
            before_commit()

    def settle(self, submission_id: str, ending: Ending, *, attempt: int, now: float) -> None:
        """Write down a try without an id, and what follows; a try that was overtaken keeps only its own record."""
        with self.writing() as connection:
            one = load_submission(connection, submission_id)
            _end_attempt(connection, submission_id, attempt, ending, now)
            if one.state is not State.SENDING or one.attempt != attempt:
                return
            since = one.uncertain_since
            if since is None and (ending.outcome.uncertain or ending.reason is Reason.IDEMPOTENCY):
                since = next(past.started_at for past in one.attempts if past.number == attempt)
            state, reason = ending.state, ending.reason
            if state is State.REJECTED and since is not None:
                # An earlier try may have been accepted: not for us to close.
                state, reason = State.HELD, Reason.UNCERTAIN
            _set(
                connection,
                submission_id,
                state=state.value,
                reason=reason.value,
                message=ending.message,
                uncertain_since=since,
                holder=None,
                lease_until=None,
                wait=ending.wait,
                next_at=None if ending.wait is None else now + ending.wait,
                candidates=None if ending.candidates is None else [asdict(found) for found in ending.candidates],
                finished_at=now if state.final else None,
            )

    def respooled(self, submission_id: str, spool: str) -> None:
        """The same bytes, written again, lie in another file now."""
        with self.writing() as connection:
            _set(connection, submission_id, spool=spool)

    def found(self, submission_id: str, candidates: Sequence[Candidate]) -> None:
        """Keep what looking through the account's batches brought; known batches are left out."""
        with self.writing() as connection:
            one = load_submission(connection, submission_id)
            if one.state is not State.HELD:
                return
            known = set(connection.scalars(select(schema.batches.c.id)))
            kept = [asdict(candidate) for candidate in candidates if candidate.id not in known]
            _set(connection, submission_id, candidates=kept, wait=None, next_at=None)


def due(one: Submission, now: float) -> bool:
    """Whether its waiting is over; a wait set in the future of a clock that was put back is over too."""
    if one.next_at is None or now >= one.next_at:
        return True
    return now < one.next_at - (one.wait or 0.0) - CLOCK_SLACK_S and one.reason is not Reason.THROTTLED


def write_accepted(
    connection: Connection, one: Submission, accepted: Accepted, *, deadline_at: float, now: float
) -> None:
    """ACCEPTED and the batch, in the caller's transaction."""
    _set(
        connection,
        one.id,
        state=State.ACCEPTED.value,
        reason="",
        message="",
        batch_id=accepted.id,
        holder=None,
        lease_until=None,
        wait=None,
        next_at=None,
        finished_at=now,
    )
    connection.execute(
        schema.batches.insert().values(
            submission_id=one.id,
            id=accepted.id,
            requests=accepted.requests,
            created_at=accepted.created_at,
            accepted_at=now,
            label=one.label,
            deadline_at=deadline_at,
            state="running",
            counts={},
            next_check_at=now,
            failures=0,
            message="",
        )
    )


def tried_enough(one: Submission, now: float) -> bool:
    """Whether the same bytes went out long enough without an answer."""
    return one.uncertain_since is not None and _tried_enough(one, one.uncertain_since, now)


def _tried_enough(one: Submission, since: float, now: float) -> bool:
    return now - since >= WINDOW_S or one.attempt >= MAX_TRIES


def _interrupted(connection: Connection, one: Submission, now: float) -> float | None:
    """Close the attempt a dead process left open; returns since when the submission is uncertain."""
    since = one.uncertain_since
    if one.state is State.SENDING:
        began = next((past.started_at for past in one.attempts if past.ended_at is None), None)
        if began is not None:
            ending = Ending(Outcome.INTERRUPTED, State.SENDING)
            _end_attempt(connection, one.id, one.attempt, ending, now)
            since = began if since is None else since
    return since


def _end_attempt(connection: Connection, submission_id: str, number: int, ending: Ending, now: float) -> None:
    table = schema.attempts
    connection.execute(
        update(table)
        .where(table.c.submission_id == submission_id, table.c.number == number)
        .values(
            ended_at=now,
            outcome=ending.outcome.value,
            status=ending.status,
            request_id=ending.request_id,
            type=ending.type or None,
            param=ending.param,
            message=ending.message or None,
        )
    )


def _set(connection: Connection, submission_id: str, **values: Any) -> None:
    table = schema.submissions
    connection.execute(update(table).where(table.c.id == submission_id).values(**values))
