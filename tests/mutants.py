"""Ways to get the protocol wrong; the suite must catch each. For throwaway processes: a mutant patches in place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

from sqlalchemy import update

from valar_ui import wire
from valar_ui.client import Answered, KeyReused, Refused, Throttled, Unknown, Valar
from valar_ui.lanes import BatchLane
from valar_ui.ledger import (
    Accepted,
    Dispatch,
    Holder,
    Ledger,
    Outcome,
    Reason,
    State,
    Submission,
    schema,
    sending,
)
from valar_ui.ledger.rows import load_submission
from valar_ui.outbox import endings
from valar_ui.outbox.sealed import SealedBytes
from valar_ui.spool import Spooled


def new_key_each_try() -> None:
    """The idempotency key is made for the try, not for the submission."""
    send = BatchLane.send

    def wrong(self: BatchLane, one: Submission, chunks: Iterator[bytes]) -> Accepted:
        return send(self, replace(one, idempotency_key=str(uuid4())), chunks)

    _put(BatchLane, "send", wrong)


def key_in_memory() -> None:
    """The key that is sent is not the one in the ledger: a restart makes another."""
    keys: dict[str, str] = {}
    send = BatchLane.send

    def wrong(self: BatchLane, one: Submission, chunks: Iterator[bytes]) -> Accepted:
        return send(self, replace(one, idempotency_key=keys.setdefault(one.id, str(uuid4()))), chunks)

    _put(BatchLane, "send", wrong)


def composed_again() -> None:
    """Each try composes its body anew, and something in it differs."""
    checked = SealedBytes.checked

    def wrong(self: SealedBytes, one: Submission) -> Spooled:
        spooled = checked(self, one)
        path = self._spool.folder / spooled.name
        path.write_bytes(path.read_bytes().replace(b"canary", uuid4().hex[:6].encode()))
        return spooled

    _put(SealedBytes, "checked", wrong)


def unchecked_bytes() -> None:
    """The bytes are sent as they lie on disk, whatever was sealed."""

    def wrong(_self: SealedBytes, one: Submission) -> Spooled:
        return Spooled(one.spool or "", one.sha256 or "", one.body_bytes)

    _put(SealedBytes, "checked", wrong)


def refusal_tried_again() -> None:
    """A 400 is treated like an outage."""
    _ends(Refused, Outcome.REFUSED, State.RETRYING, Reason.TROUBLE)


def uncertain_is_refused() -> None:
    """No answer is taken for a no."""
    _ends(Unknown, Outcome.REFUSED, State.REJECTED, Reason.INVALID)


def uncertain_is_unsent() -> None:
    """No answer is taken for a connection that was never made."""
    _ends(Unknown, Outcome.UNREACHABLE, State.RETRYING, Reason.UNREACHABLE)


def reused_key_gets_a_new_one() -> None:
    """A refused key is replaced, and the bytes go out under the new one."""
    _ends(KeyReused, Outcome.REFUSED, State.RETRYING, Reason.TROUBLE)
    composed_again()
    new_key_each_try()


def other_key_goes_on() -> None:
    """Another API key simply takes over, whatever the old one may have got accepted."""
    give_key = Ledger.give_key

    def wrong(self: Ledger, submission_id: str, *values: Any, **named: Any) -> Dispatch:
        _set(self, submission_id, uncertain_since=None)
        return give_key(self, submission_id, *values, **named)

    _put(Ledger, "give_key", wrong)


def lost_lease() -> None:
    """Nobody's lease counts."""
    _put(Holder, "alive", lambda *_values, **_named: False)


def unreadable_is_a_yes() -> None:
    """Any 2xx is taken for an acceptance."""
    create_batch = Valar.create_batch

    def wrong(self: Valar, *values: Any, **named: Any) -> tuple[wire.Batch, Answered]:
        try:
            return create_batch(self, *values, **named)
        except Unknown as fault:
            if fault.type not in ("bad_answer", "connection_lost"):
                raise
            return wire.Batch(id="batch_unread", request_counts=2, created_at=0), Answered(200, b"", None)

    _put(Valar, "create_batch", wrong)


def restart_begins_anew() -> None:
    """After a crash the submission gets a fresh key, as if nothing had been sent."""
    claim = Ledger.claim

    def wrong(self: Ledger, submission_id: str, **named: Any) -> Submission | None:
        with self.reading() as connection:
            state = load_submission(connection, submission_id).state
        if state is State.SENDING:
            _set(self, submission_id, idempotency_key=str(uuid4()))
        return claim(self, submission_id, **named)

    _put(Ledger, "claim", wrong)


def retry_after_forgotten() -> None:
    """A 429 is tried again at our own pace."""
    _put(Throttled, "retry_after", property(lambda _self: None, lambda _self, _value: None))


def click_counts_twice() -> None:
    """Each click is another dispatch."""
    click = Ledger.click

    def wrong(self: Ledger, owner: str, **named: Any) -> Dispatch:
        before = self.dispatches(owner)
        changes = {"draft_id": uuid4().hex, "confirmed": before[0].id} if before else {}
        return click(self, owner, **named | changes)

    _put(Ledger, "click", wrong)


def accepted_in_two_steps() -> None:
    """The state says accepted before the batch is written."""

    def wrong(self: Ledger, submission_id: str, accepted: Accepted, **named: Any) -> None:
        _set(self, submission_id, state=State.ACCEPTED.value, batch_id=accepted.id, finished_at=named["now"])
        named["before_commit"]()
        with self.writing() as connection:
            one = load_submission(connection, submission_id)
            sending.write_accepted(connection, one, accepted, deadline_at=named["deadline_at"], now=named["now"])

    _put(Ledger, "accept", wrong)


def no_end() -> None:
    """The same bytes go out by themselves for ever."""
    _put(sending, "_tried_enough", lambda *_values: False)


def stop_drops_the_uncertain() -> None:
    """Stopping closes what Valar may already have."""
    _put(Submission, "stoppable", property(lambda self: not self.state.final))


def one_key_for_all_parts() -> None:
    """Parts share the key of their dispatch."""
    send = BatchLane.send

    def wrong(self: BatchLane, one: Submission, chunks: Iterator[bytes]) -> Accepted:
        return send(self, replace(one, idempotency_key=one.dispatch_id), chunks)

    _put(BatchLane, "send", wrong)


MUTANTS: dict[str, Callable[[], None]] = {
    mutant.__name__: mutant
    for mutant in (
        new_key_each_try,
        key_in_memory,
        composed_again,
        unchecked_bytes,
        refusal_tried_again,
        uncertain_is_refused,
        uncertain_is_unsent,
        reused_key_gets_a_new_one,
        other_key_goes_on,
        lost_lease,
        unreadable_is_a_yes,
        restart_begins_anew,
        retry_after_forgotten,
        click_counts_twice,
        accepted_in_two_steps,
        no_end,
        stop_drops_the_uncertain,
        one_key_for_all_parts,
    )
}
"""By name; each makes one mistake part of the running program."""


def _put(place: Any, name: str, value: Any) -> None:
    setattr(place, name, value)


def _set(ledger: Ledger, submission_id: str, **values: Any) -> None:
    with ledger.writing() as connection:
        mine = schema.submissions.c.id == submission_id
        connection.execute(update(schema.submissions).where(mine).values(**values))


def _ends(kind: type[Exception], outcome: Outcome, state: State, reason: Reason) -> None:
    rows = [(found, outcome, state, reason) if found is kind else (found, *rest) for found, *rest in endings.AFTER]
    _put(endings, "AFTER", tuple(rows))
