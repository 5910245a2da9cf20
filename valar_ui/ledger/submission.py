"""What is sent and how far it is: `Dispatch` (one click), `Submission` (one Part of it), `Attempt`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

Destination = Literal["sandbox", "valar"]

WINDOW_S: Final = 1_800.0
"""Seconds after the first uncertain try in which the same bytes go out again by themselves."""

MAX_TRIES: Final = 60
"""Tries in that window: about what a pause of 2 to 60 seconds with full jitter makes of it."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where requests go and under which key; never the key itself."""

    kind: Destination
    base_url: str
    """For the sandbox the word `sandbox`: its port may change between runs."""
    fingerprint: str


class State(StrEnum):
    """How far a submission is."""

    QUEUED = "queued"
    """Clicked; its bytes are not on disk yet."""
    SEALED = "sealed"
    """Bytes, hash and idempotency key are fixed; nothing was sent."""
    SENDING = "sending"
    """A try is under way, or was when its process died."""
    RETRYING = "retrying"
    """The same bytes go out again, under the same key, at `next_at`."""
    ACCEPTED = "accepted"
    """Valar gave it an id."""
    REJECTED = "rejected"
    """Valar refused the contents; nothing was accepted."""
    HELD = "held"
    """Goes no further without a person, or without a key."""
    STOPPED = "stopped"
    """A person stopped it before it was sent."""
    SUPERSEDED = "superseded"
    """Another submission took its place."""

    @property
    def final(self) -> bool:
        """Whether nothing will change it any more."""
        return self in _FINAL


_FINAL = frozenset({State.ACCEPTED, State.REJECTED, State.STOPPED, State.SUPERSEDED})


class Reason(StrEnum):
    """Why a submission is RETRYING, HELD, REJECTED or still QUEUED."""

    NONE = ""
    UNREACHABLE = "unreachable"
    THROTTLED = "throttled"
    TROUBLE = "trouble"
    ASKED = "asked"
    DISK_FULL = "disk_full"
    NO_KEY = "no_key"
    """The key is not in memory (after a restart); goes on by itself once it is."""
    AUTH = "auth"
    """Valar does not know the key."""
    OTHER_KEY = "other_key"
    """It may have been accepted under the old key, and another key was given."""
    NO_CREDIT = "no_credit"
    NO_BATCHES_API = "no_batches_api"
    SPOOL_GONE = "spool_gone"
    UNCERTAIN = "uncertain"
    """Tried long enough: it may have been accepted."""
    IDEMPOTENCY = "idempotency"
    """Other contents were sent under its key."""
    INVALID = "invalid"
    TOO_LARGE = "too_large"


class Outcome(StrEnum):
    """How a try ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"
    INTERRUPTED = "interrupted"
    """The process died, or lost its lease, before the answer."""
    NOT_SENT = "not_sent"
    """The bytes could not be sent as sealed; no connection was made."""

    @property
    def uncertain(self) -> bool:
        """Whether Valar may have accepted the batch."""
        return self in (Outcome.UNKNOWN, Outcome.INTERRUPTED)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try; times are UTC epoch seconds."""

    number: int
    started_at: float
    ended_at: float | None
    outcome: Outcome | None
    """None while it is under way."""
    status: int | None
    request_id: str | None
    type: str | None
    param: str | None
    """Where in the body Valar found fault."""
    message: str | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A batch of the account that may be this submission."""

    id: str
    requests: int
    created_at: float
    label: str


@dataclass(frozen=True, slots=True)
class Submission:
    """One Part on its way; `valar_ui.ledger.words` puts it into sentences."""

    id: str
    dispatch_id: str
    part: int
    parts: int
    generation: int
    first: int
    """Index of its first request among those prepared."""
    requests: int
    body_bytes: int
    label: str
    state: State
    reason: Reason
    message: str
    """What Valar, or the disk, said last."""
    created_at: float
    account: Account
    idempotency_key: str | None
    sha256: str | None
    sealed_at: float | None
    spool: str | None
    attempt: int
    first_sent_at: float | None
    uncertain_since: float | None
    """When the first try began that may have been accepted; None where there is none."""
    holder: str | None
    lease_until: float | None
    wait: float | None
    next_at: float | None
    other_key: str | None
    candidates: tuple[Candidate, ...] | None
    """None: not looked for yet."""
    batch_id: str | None
    finished_at: float | None
    attempts: tuple[Attempt, ...] = ()

    @property
    def uncertain(self) -> bool:
        """Whether Valar may have it although we have no id."""
        return self.uncertain_since is not None and not self.state.final

    @property
    def moving(self) -> bool:
        """Whether the worker goes on with it by itself."""
        return not self.state.final and (self.state is not State.HELD or self.reason is Reason.NO_KEY)

    @property
    def stoppable(self) -> bool:
        """Whether it can still be stopped: certainly not with Valar, and not under way."""
        return not self.state.final and self.uncertain_since is None and self.state is not State.SENDING

    @property
    def words(self) -> str:
        """What the person sees."""
        from valar_ui.ledger.words import words

        return words(self)

    @property
    def actions(self) -> tuple[str, ...]:
        """What the person can do; codes of `valar_ui.ledger.words.ACTIONS`."""
        from valar_ui.ledger.words import actions

        return actions(self)

    @property
    def receipt(self) -> dict[str, Any]:
        """What was sealed, every try and the id, as plain values for support."""
        from valar_ui.ledger.words import receipt

        return receipt(self)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One click of Submit: its Parts in order."""

    id: str
    owner: str
    draft_id: str
    session: str
    created_at: float
    file_name: str
    label: str
    fingerprint: str
    content_sha256: str
    prepared: str
    """The folder of the preparation it was cut from."""
    account: Account
    submissions: tuple[Submission, ...]
    """All, superseded ones too, in the order of their requests."""

    @property
    def parts(self) -> tuple[Submission, ...]:
        """The submissions that count: none that another one replaced."""
        return tuple(one for one in self.submissions if one.state is not State.SUPERSEDED)

    @property
    def requests(self) -> int:
        """Requests in all parts."""
        return sum(one.requests for one in self.parts)

    @property
    def body_bytes(self) -> int:
        """Bytes of all parts."""
        return sum(one.body_bytes for one in self.parts)

    @property
    def batch_ids(self) -> tuple[str, ...]:
        """The ids Valar gave, in the order of the parts."""
        return tuple(one.batch_id for one in self.parts if one.batch_id is not None)

    @property
    def final(self) -> bool:
        """Whether nothing will change any more: a page can stop looking."""
        return all(one.state.final for one in self.parts)

    @property
    def moving(self) -> bool:
        """Whether the worker goes on with some part by itself."""
        return any(one.moving for one in self.parts)

    @property
    def accepted(self) -> bool:
        """Whether Valar has every part."""
        return all(one.state is State.ACCEPTED for one in self.parts)

    @property
    def counts_as_sent(self) -> bool:
        """Whether Valar has, or may yet get, any part of it."""
        return any(one.state not in (State.REJECTED, State.STOPPED) for one in self.parts)

    @property
    def states(self) -> tuple[State, ...]:
        """The parts' states, in order."""
        return tuple(one.state for one in self.parts)

    @property
    def summary(self) -> str:
        """All parts in one sentence."""
        from valar_ui.ledger.words import summary

        return summary(self)

    @property
    def actions(self) -> tuple[str, ...]:
        """What the person can do with all of it."""
        return ("stop_remaining",) if any(one.stoppable for one in self.parts) else ()

    @property
    def receipt(self) -> dict[str, Any]:
        """Every part's receipt, as plain values."""
        from valar_ui.ledger.words import dispatch_receipt

        return dispatch_receipt(self)

    @property
    def receipt_text(self) -> str:
        """The receipt to read, copy and send to support."""
        from valar_ui.ledger.words import receipt_text

        return receipt_text(self)
