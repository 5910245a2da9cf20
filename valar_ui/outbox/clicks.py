"""What a person does to sending: submit, stop, and the decisions that only a person makes."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import numpy as np

from valar_ui.ledger import (
    Account,
    Dispatch,
    Ledger,
    LedgerFault,
    NotPossible,
    PartToSend,
    Reason,
    SentBefore,
    State,
    Submission,
)
from valar_ui.limits import CONTENT_KEPT_HOURS
from valar_ui.plan import Plan, plan
from valar_ui.prepare import Prepared
from valar_ui.spool import HEADROOM_BYTES, DiskFull, free_bytes

NO_BACKGROUND_YET = (
    "Sending as background requests is not part of this version yet. Nothing was changed: this submission stays "
    "here, and can be tried again once the account has the Batches API."
)
"""What *Run as background requests* answers."""

_REQUEST = re.compile(r"requests?[.\[](\d+)")


class Contents(Protocol):
    """What a submission is cut from; `Prepared` is one."""

    @property
    def folder(self) -> Path: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def content_sha256(self) -> str: ...
    @property
    def sizes(self) -> Any: ...
    @property
    def ok(self) -> bool: ...


class NotReady(LedgerFault):
    """There is something in the way of submitting; the message is for the person."""


def plan_to_send(prepared: Contents, label: str, *, now: float) -> tuple[Plan, str]:
    """The parts as they will be sent and the label they get: one is made where none was given."""
    given = label or datetime.fromtimestamp(now, UTC).strftime("batch-%Y%m%d-%H%M%S-") + uuid4().hex[:6]
    return plan(prepared.sizes, given), given


def submit(
    ledger: Ledger,
    *,
    owner: str,
    draft_id: str,
    prepared: Contents,
    label: str,
    account: Account,
    session: str,
    file_name: str,
    now: float,
    confirmed: str | None = None,
) -> Dispatch:
    """The click: one transaction, no network; the worker does the rest. The same click again finds the same dispatch.

    Raises `NotReady` where problems are in the way, `DiskFull` where the disk cannot hold the bytes, and `SentBefore`
    where the same contents went to the same account and `confirmed` (the id of that dispatch) does not say that the
    person saw it.
    """
    if not prepared.ok:
        raise NotReady("There are problems in the way. Look at Check first.")
    cut, given = plan_to_send(prepared, label, now=now)
    if not cut.ok:
        raise NotReady(cut.problems[0].text if cut.problems else "There is nothing to send.")
    needed, free = cut.body_bytes + HEADROOM_BYTES, free_bytes(prepared.folder)
    if free < needed:
        raise DiskFull(needed, free)
    return ledger.click(
        owner,
        draft_id=draft_id,
        session=session,
        file_name=file_name,
        typed_label=label,
        label=given,
        fingerprint=prepared.fingerprint,
        content_sha256=prepared.content_sha256,
        prepared=str(prepared.folder),
        account=account,
        parts=[_to_send(part.number, part.of, part) for part in cut.parts],
        confirmed=confirmed,
        now=now,
    )


def sent_before(ledger: Ledger, owner: str, content_sha256: str, account: Account) -> Dispatch | None:
    """The newest dispatch of exactly these contents to this account, where Valar has it or may yet get it."""
    return ledger.sent_before(owner, content_sha256, account)


def sent_before_words(earlier: Dispatch, *, now: float) -> str:
    """The question to confirm: `You sent exactly this 3 minutes ago as batch_…`."""
    ids = earlier.batch_ids
    named = f" as {', '.join(ids[:3])}{' and more' if len(ids) > 3 else ''}" if ids else ""
    standing = "" if earlier.accepted else f" {earlier.summary}"
    return f"You sent exactly this {ago(now - earlier.created_at)}{named}.{standing}"


def ago(seconds: float) -> str:
    """A stretch of time in words; what lies in the future (a clock put back) is `just now`."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        count = int(seconds // length)
        if count >= 1:
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"


def stop_remaining(ledger: Ledger, dispatch_id: str, owner: str, *, now: float) -> Dispatch:
    """Stop the parts that certainly did not reach Valar; nothing can stop what it has."""
    return ledger.stop_remaining(dispatch_id, owner, now=now)


def ask_again(ledger: Ledger, submission_id: str, owner: str, *, now: float) -> Dispatch:
    """Send the same bytes under the same key now; parts that wait for the same reason go on as well."""
    return _all_alike(ledger, submission_id, owner, lambda one: ledger.ask_again(one.id, owner, now=now))


retry_now = ask_again


def give_key(ledger: Ledger, submission_id: str, owner: str, account: Account, *, now: float) -> Dispatch:
    """Go on with the key just given; parts that wait for the same reason go on as well."""
    return _all_alike(ledger, submission_id, owner, lambda one: ledger.give_key(one.id, owner, account, now=now))


def adopt(ledger: Ledger, submission_id: str, owner: str, batch_id: str, *, now: float) -> Dispatch:
    """This batch, found on the account, is the submission."""
    return ledger.adopt(submission_id, owner, batch_id, deadline_s=CONTENT_KEPT_HOURS * 3_600, now=now)


def send_again(
    ledger: Ledger, submission_id: str, owner: str, *, now: float, make_key: Callable[[], str] = lambda: str(uuid4())
) -> Dispatch:
    """Send the bytes as a new batch under a new key; where Valar accepted the first, both are paid for."""
    return ledger.send_again(submission_id, owner, idempotency_key=make_key(), now=now)


def split(ledger: Ledger, submission_id: str, owner: str, *, now: float) -> Dispatch:
    """Send a part that was too large as two, each under its own key."""
    one = ledger.submission(submission_id, owner)
    try:
        sizes = Prepared.load(Path(ledger.prepared_of(one.id))).sizes
    except OSError:
        raise NotPossible("The prepared rows are gone. Go through Check once more, then submit.") from None
    dispatch = ledger.dispatch(one.dispatch_id, owner)
    last = max(part.part for part in dispatch.submissions) if dispatch else one.part
    mine = np.asarray(sizes[one.first : one.first + one.requests], dtype=np.int64)
    half = min(int(np.searchsorted(np.cumsum(mine), mine.sum() / 2)) + 1, len(mine) - 1)
    parts = []
    for number, (start, stop) in enumerate(((0, half), (half, len(mine))), 1):
        label = f"{one.label[:122]}-{number}of2"
        parts.append(
            PartToSend(
                last + number,
                last + 2,
                one.first + start,
                stop - start,
                sum(part.body_bytes for part in plan(mine[start:stop], label).parts),
                label,
            )
        )
    return ledger.split(one.id, owner, parts, now=now)


def run_as_background(_ledger: Ledger, _submission_id: str, _owner: str) -> str:
    """Why this is not possible yet; when it is, it closes the submission in the same transaction."""
    return NO_BACKGROUND_YET


def row_of_refusal(prepared: Prepared, one: Submission) -> int | None:
    """The spreadsheet row that a refusal is about, where Valar named the request."""
    if one.state is not State.REJECTED or one.reason is not Reason.INVALID or not one.attempts:
        return None
    named = _REQUEST.search(f"{one.attempts[-1].param or ''} {one.message}")
    if named is None:
        return None
    index = one.first + int(named[1])
    return next((row for _id, row, _typed, request in prepared.manifest() if request == index), None)


def _to_send(number: int, of: int, part: Any) -> PartToSend:
    return PartToSend(number, of, part.first, part.count, part.body_bytes, part.label)


def _all_alike(ledger: Ledger, submission_id: str, owner: str, act: Callable[[Submission], Dispatch]) -> Dispatch:
    first, *others = ledger.siblings(submission_id, owner)
    dispatch = act(first)
    if first.state is State.HELD and first.reason in (
        Reason.AUTH,
        Reason.NO_KEY,
        Reason.NO_CREDIT,
        Reason.NO_BATCHES_API,
    ):
        for other in others:
            dispatch = act(other)
    return dispatch


__all__ = [
    "NO_BACKGROUND_YET",
    "Contents",
    "NotReady",
    "SentBefore",
    "adopt",
    "ago",
    "ask_again",
    "give_key",
    "plan_to_send",
    "retry_now",
    "row_of_refusal",
    "run_as_background",
    "send_again",
    "sent_before",
    "sent_before_words",
    "split",
    "stop_remaining",
    "submit",
]
