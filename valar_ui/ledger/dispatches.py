"""What pages do with sending: the click, looking, and the decisions that only a person makes."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from valar_ui.ledger import schema
from valar_ui.ledger.database import Database
from valar_ui.ledger.rows import (
    NoSuchDispatch,
    NotPossible,
    SentBefore,
    load_dispatches,
    load_submission,
)
from valar_ui.ledger.sending import Accepted, write_accepted
from valar_ui.ledger.submission import Account, Dispatch, Reason, State, Submission


@dataclass(frozen=True, slots=True)
class PartToSend:
    """A Part as the plan cut it."""

    number: int
    of: int
    first: int
    requests: int
    body_bytes: int
    label: str


class Dispatches(Database):
    """The part of the ledger behind Submit and Batches; everything is seen by its owner only."""

    def click(
        self,
        owner: str,
        *,
        draft_id: str,
        session: str,
        file_name: str,
        typed_label: str,
        label: str,
        fingerprint: str,
        content_sha256: str,
        prepared: str,
        account: Account,
        parts: Sequence[PartToSend],
        confirmed: str | None,
        now: float,
    ) -> Dispatch:
        """One dispatch and a QUEUED submission for each part, in one transaction; the same click again finds it.

        `confirmed` is the earlier dispatch of the same contents that the person chose to send again; without it such
        a dispatch raises `SentBefore`.
        """
        asked = (owner, draft_id, fingerprint, typed_label, account.kind, account.base_url, account.fingerprint)
        mark = hashlib.sha256("\x1f".join((*asked, confirmed or "")).encode()).hexdigest()
        table = schema.dispatches
        with self.writing() as connection:
            for run in itertools.count(1):
                row = connection.execute(select(table).where(table.c.click == f"{mark}-{run}")).one_or_none()
                if row is None:
                    break
                found = load_dispatches(connection, [row])[0]
                if found.counts_as_sent:
                    return found
            earlier = _sent(connection, owner, content_sha256, account)
            if earlier is not None and earlier.id != confirmed:
                raise SentBefore(earlier)
            dispatch_id = self.make_id()
            connection.execute(
                table.insert().values(
                    id=dispatch_id,
                    owner=owner,
                    click=f"{mark}-{run}",
                    draft_id=draft_id,
                    session=session,
                    created_at=now,
                    file_name=file_name,
                    label=label,
                    fingerprint=fingerprint,
                    content_sha256=content_sha256,
                    prepared=prepared,
                    account_kind=account.kind,
                    account_url=account.base_url,
                    account_key=account.fingerprint,
                )
            )
            for part in parts:
                self._queue(connection, dispatch_id, part, account, generation=1, now=now)
            return _mine(connection, dispatch_id, owner)

    def dispatch(self, dispatch_id: str, owner: str) -> Dispatch | None:
        """One of the owner's dispatches, or None."""
        with self.reading() as connection:
            found = load_dispatches(connection, _owned(connection, dispatch_id, owner))
        return found[0] if found else None

    def dispatches(self, owner: str, draft_id: str | None = None, limit: int = 100) -> list[Dispatch]:
        """The owner's dispatches, newest first; those of one draft where it is named."""
        table = schema.dispatches
        query = select(table).where(table.c.owner == owner)
        if draft_id is not None:
            query = query.where(table.c.draft_id == draft_id)
        with self.reading() as connection:
            rows = connection.execute(query.order_by(table.c.created_at.desc(), table.c.id).limit(limit)).all()
            return load_dispatches(connection, rows)

    def sent_before(self, owner: str, content_sha256: str, account: Account) -> Dispatch | None:
        """The owner's newest dispatch of these contents to this account that went, or may yet go, to Valar."""
        with self.reading() as connection:
            return _sent(connection, owner, content_sha256, account)

    def siblings(self, submission_id: str, owner: str) -> list[Submission]:
        """The submission and those parts of its dispatch that wait for the same reason."""
        with self.reading() as connection:
            one = _submission(connection, submission_id, owner)
            parts = _mine(connection, one.dispatch_id, owner).parts
            return [
                one,
                *(two for two in parts if two.id != one.id and (two.state, two.reason) == (one.state, one.reason)),
            ]

    def stop_remaining(self, dispatch_id: str, owner: str, *, now: float) -> Dispatch:
        """Stop the parts that Valar certainly has not; what is under way or uncertain goes on."""
        with self.writing() as connection:
            dispatch = _mine(connection, dispatch_id, owner)
            for one in dispatch.parts:
                if one.stoppable:
                    _close(connection, one, State.STOPPED, now)
            return _mine(connection, dispatch_id, owner)

    def ask_again(self, submission_id: str, owner: str, *, now: float) -> Dispatch:
        """Send the same bytes under the same key now: safe however often it is asked."""
        with self.writing() as connection:
            one = _submission(connection, submission_id, owner)
            retryable = one.state is State.RETRYING and one.reason is not Reason.THROTTLED
            held = one.state is State.HELD and one.reason in _ASKABLE
            if not (retryable or held) or one.sha256 is None:
                raise NotPossible("This cannot be tried again now: it is under way, decided, or has to wait.")
            _set(
                connection,
                one.id,
                state=State.RETRYING.value,
                reason=Reason.ASKED.value,
                candidates=None,
                wait=0.0,
                next_at=now,
            )
            return _mine(connection, one.dispatch_id, owner)

    def give_key(self, submission_id: str, owner: str, account: Account, *, now: float) -> Dispatch:
        """Go on after a refused key: with the same key as before, or with another where that is safe.

        Another key is another reservation: where the old one may have accepted the batch, the submission stays HELD
        until the account's batches were looked through and a person decides.
        """
        with self.writing() as connection:
            one = _submission(connection, submission_id, owner)
            if one.state is not State.HELD or one.reason not in (Reason.AUTH, Reason.NO_KEY, Reason.OTHER_KEY):
                raise NotPossible("This submission is not waiting for a key.")
            if (account.kind, account.base_url) != (one.account.kind, one.account.base_url):
                raise NotPossible(f"This submission goes to {one.account.base_url} only. Give a key for that address.")
            goes_on = {"state": State.RETRYING.value, "reason": Reason.ASKED.value, "wait": 0.0, "next_at": now}
            if account.fingerprint == one.account.fingerprint:
                _set(connection, one.id, **goes_on, other_key=None, candidates=None)
            elif one.uncertain_since is not None:
                _set(
                    connection,
                    one.id,
                    reason=Reason.OTHER_KEY.value,
                    other_key=account.fingerprint,
                    candidates=None,
                    wait=None,
                    next_at=None,
                )
            else:
                _set(connection, one.id, **goes_on, account_key=account.fingerprint)
            return _mine(connection, one.dispatch_id, owner)

    def adopt(self, submission_id: str, owner: str, batch_id: str, *, deadline_s: float, now: float) -> Dispatch:
        """The person recognises one of the batches found as this submission."""
        with self.writing() as connection:
            one = _submission(connection, submission_id, owner)
            chosen = next((found for found in one.candidates or () if found.id == batch_id), None)
            if one.state is not State.HELD or chosen is None:
                raise NotPossible("This batch is not among those found for the submission.")
            taken = select(schema.batches.c.id).where(schema.batches.c.id == batch_id)
            if connection.scalar(taken) is not None:
                raise NotPossible("Another submission has this batch already.")
            if one.other_key is not None:
                _set(connection, one.id, account_key=one.other_key)
            accepted = Accepted(chosen.id, chosen.requests, chosen.created_at)
            write_accepted(connection, one, accepted, deadline_at=chosen.created_at + deadline_s, now=now)
            return _mine(connection, one.dispatch_id, owner)

    def send_again(self, submission_id: str, owner: str, *, idempotency_key: str, now: float) -> Dispatch:
        """Give up on a submission and send its bytes as a new batch, under a new key: the person's decision.

        Where Valar did accept the first, both are paid for.
        """
        with self.writing() as connection:
            one = _submission(connection, submission_id, owner)
            if one.state is not State.HELD or one.reason not in _SENDABLE_AGAIN or one.sha256 is None:
                raise NotPossible("This submission is still being decided, so it cannot be sent a second time.")
            _close(connection, one, State.SUPERSEDED, now, spool=None)
            part = PartToSend(one.part, one.parts, one.first, one.requests, one.body_bytes, one.label)
            account = one.account
            if one.other_key is not None:
                account = Account(account.kind, account.base_url, one.other_key)
            new_id = self._queue(connection, one.dispatch_id, part, account, generation=one.generation + 1, now=now)
            sealed = {"sha256": one.sha256, "spool": one.spool, "sealed_at": now}
            _set(connection, new_id, state=State.SEALED.value, idempotency_key=idempotency_key, **sealed)
            return _mine(connection, one.dispatch_id, owner)

    def split(self, submission_id: str, owner: str, parts: Sequence[PartToSend], *, now: float) -> Dispatch:
        """Replace a submission that was too large by smaller parts, each under its own key."""
        with self.writing() as connection:
            one = _submission(connection, submission_id, owner)
            if one.state is not State.REJECTED or one.reason is not Reason.TOO_LARGE:
                raise NotPossible("Only a submission that was refused as too large can be split.")
            _close(connection, one, State.SUPERSEDED, now)
            for part in parts:
                self._queue(connection, one.dispatch_id, part, one.account, generation=one.generation + 1, now=now)
            return _mine(connection, one.dispatch_id, owner)

    def submission(self, submission_id: str, owner: str) -> Submission:
        """One of the owner's submissions; `NoSuchDispatch` where there is none."""
        with self.reading() as connection:
            return _submission(connection, submission_id, owner)

    def _queue(
        self,
        connection: Connection,
        dispatch_id: str,
        part: PartToSend,
        account: Account,
        *,
        generation: int,
        now: float,
    ) -> str:
        submission_id = self.make_id()
        connection.execute(
            schema.submissions.insert().values(
                id=submission_id,
                dispatch_id=dispatch_id,
                part=part.number,
                parts=part.of,
                generation=generation,
                first=part.first,
                requests=part.requests,
                body_bytes=part.body_bytes,
                label=part.label,
                state=State.QUEUED.value,
                reason="",
                message="",
                created_at=now,
                account_kind=account.kind,
                account_url=account.base_url,
                account_key=account.fingerprint,
                attempt=0,
            )
        )
        return submission_id


_ASKABLE = frozenset({Reason.UNCERTAIN, Reason.NO_CREDIT, Reason.NO_BATCHES_API, Reason.SPOOL_GONE})
_SENDABLE_AGAIN = frozenset({Reason.UNCERTAIN, Reason.OTHER_KEY, Reason.IDEMPOTENCY})


def _sent(connection: Connection, owner: str, content_sha256: str, account: Account) -> Dispatch | None:
    table = schema.dispatches
    query = select(table).where(
        table.c.owner == owner,
        table.c.content_sha256 == content_sha256,
        table.c.account_kind == account.kind,
        table.c.account_url == account.base_url,
        table.c.account_key == account.fingerprint,
    )
    rows = connection.execute(query.order_by(table.c.created_at.desc(), table.c.id)).all()
    return next((one for one in load_dispatches(connection, rows) if one.counts_as_sent), None)


def _owned(connection: Connection, dispatch_id: str, owner: str) -> Sequence[Any]:
    table = schema.dispatches
    return connection.execute(select(table).where(table.c.id == dispatch_id, table.c.owner == owner)).all()


def _mine(connection: Connection, dispatch_id: str, owner: str) -> Dispatch:
    found = load_dispatches(connection, _owned(connection, dispatch_id, owner))
    if not found:
        raise NoSuchDispatch("This is not in your history.")
    return found[0]


def _submission(connection: Connection, submission_id: str, owner: str) -> Submission:
    one = load_submission(connection, submission_id)
    _mine(connection, one.dispatch_id, owner)
    return one


def _close(connection: Connection, one: Submission, state: State, now: float, **values: Any) -> None:
    _set(connection, one.id, state=state.value, holder=None, next_at=None, wait=None, finished_at=now, **values)


def _set(connection: Connection, submission_id: str, **values: Any) -> None:
    table = schema.submissions
    connection.execute(update(table).where(table.c.id == submission_id).values(**values))
