"""What a failed try means for its submission: one row of the table for each kind of failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from valar_ui.client import (
    BadKey,
    KeyReused,
    NoCredit,
    NotAvailable,
    Refused,
    Throttled,
    TooLarge,
    Unknown,
    Unreachable,
    ValarFault,
)
from valar_ui.ledger import Accepted, Candidate, Ending, Outcome, Reason, State, Submission

FIRST_WAIT_S: Final = 2.0
"""Most seconds before the second try."""

MOST_WAIT_S: Final = 60.0
"""Most seconds between tries; the bound doubles from `FIRST_WAIT_S` up to here."""

Jitter = Callable[[float, float], float]
"""Draws between two bounds: `random.uniform`."""

AFTER: Final[tuple[tuple[type[ValarFault], Outcome, State, Reason], ...]] = (
    (Unreachable, Outcome.UNREACHABLE, State.RETRYING, Reason.UNREACHABLE),
    (Unknown, Outcome.UNKNOWN, State.RETRYING, Reason.TROUBLE),
    (Throttled, Outcome.THROTTLED, State.RETRYING, Reason.THROTTLED),
    (KeyReused, Outcome.REFUSED, State.HELD, Reason.IDEMPOTENCY),
    (BadKey, Outcome.REFUSED, State.HELD, Reason.AUTH),
    (NoCredit, Outcome.REFUSED, State.HELD, Reason.NO_CREDIT),
    (NotAvailable, Outcome.REFUSED, State.HELD, Reason.NO_BATCHES_API),
    (TooLarge, Outcome.REFUSED, State.REJECTED, Reason.TOO_LARGE),
    (Refused, Outcome.REFUSED, State.REJECTED, Reason.INVALID),
)
"""The first row that fits counts. A REJECTED submission with an uncertain try behind it becomes HELD instead."""


def backoff(tries: int, jitter: Jitter) -> float:
    """Seconds to wait after the n-th try in a row that failed: full jitter, 2 → 60 s."""
    return jitter(0.0, min(MOST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(tries - 1, 10)))


def ending_of(fault: ValarFault, *, tries: int, jitter: Jitter) -> Ending:
    """How a try that raised `fault` ended, and what follows."""
    outcome, state, reason = next(row[1:] for row in AFTER if isinstance(fault, row[0]))
    wait: float | None = None
    if state is State.RETRYING:
        wait = backoff(tries, jitter)
    if isinstance(fault, Throttled) and fault.retry_after:
        wait = fault.retry_after
    return Ending(
        outcome,
        state,
        reason,
        message=fault.message,
        status=fault.status,
        type=fault.type,
        param=fault.param,
        request_id=fault.request_id,
        wait=wait,
    )


def miscounted(one: Submission, accepted: Accepted) -> Ending:
    """Valar has it, and counts other than we do: for a person to look at."""
    message = f"{accepted.id} holds {accepted.requests:,} requests, {one.requests:,} were sent."
    found = Candidate(accepted.id, accepted.requests, accepted.created_at, one.label)
    return Ending(
        Outcome.UNKNOWN,
        State.HELD,
        Reason.UNCERTAIN,
        message=message,
        status=accepted.status,
        type="count_differs",
        request_id=accepted.request_id,
        candidates=(found,),
    )
