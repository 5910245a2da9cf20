"""The sender: takes each submission one step further, writing down every step before it is taken."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final
from uuid import uuid4

from valar_ui.client import Keyring, Throttled, Unknown, Unreachable, ValarFault
from valar_ui.lanes import Lane
from valar_ui.ledger import (
    CLOCK_SLACK_S,
    LOOKED_FOR,
    Accepted,
    Account,
    Candidate,
    Ending,
    Holder,
    Ledger,
    LedgerFault,
    Outcome,
    Reason,
    State,
    Submission,
    due,
    tried_enough,
)
from valar_ui.limits import CONTENT_KEPT_HOURS
from valar_ui.outbox.endings import Jitter, backoff, ending_of, miscounted
from valar_ui.outbox.pauses import Pauses
from valar_ui.outbox.sealed import SealedBytes
from valar_ui.outbox.sources import Bodies, OpenLane, batch_lane, prepared_body
from valar_ui.spool import DiskFull, Failpoint, Spool, Spooled, SpoolGone, no_failpoint

log = logging.getLogger(__name__)

LEASE_S: Final = 300.0
"""Seconds a lease runs; longer than the wait for an answer. A dead holder's lease ends with its process."""

RENEW_S: Final = 60.0
"""Seconds of flowing bytes after which the lease is renewed."""

DISK_WAIT_S: Final = 30.0
"""Seconds until a full disk is tried again."""

ASIDE_S: Final = 60.0
"""Seconds that a submission rests after a fault that should not have been."""


class Outbox:
    """Sends what the ledger says, one step a call; several may run over one ledger, in any processes."""

    def __init__(
        self,
        ledger: Ledger,
        spool: Spool,
        keyring: Keyring,
        holder: Holder,
        *,
        origin: Callable[[Account], str],
        bodies: Bodies = prepared_body,
        open_lane: OpenLane = batch_lane,
        clock: Callable[[], float] = time.time,
        make_key: Callable[[], str] = lambda: str(uuid4()),
        jitter: Jitter = random.uniform,
        failpoint: Failpoint = no_failpoint,
        only: Callable[[Submission], bool] = lambda _one: True,
    ) -> None:
        """`origin` gives the base URL of an account: the sandbox's may change between runs, Valar's never does.

        `only` says which submissions this sender takes care of.
        """
        self._ledger = ledger
        self._spool = spool
        self._keyring = keyring
        self._holder = holder
        self._origin = origin
        self._sealed = SealedBytes(ledger, spool, bodies)
        self._open_lane = open_lane
        self._clock = clock
        self._make_key = make_key
        self._jitter = jitter
        self._failpoint = failpoint
        self._only = only
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._pauses = Pauses(jitter)
        self._unwritten: dict[str, Callable[[], None]] = {}
        self._under_work: str | None = None
        self._aside: dict[str, float] = {}

    @property
    def unwritten(self) -> int:
        """Answers that came while the ledger could not be written; they are written before anything else is done."""
        return len(self._unwritten)

    def forget_pause(self, account: Account) -> None:
        """Send to an account again that asked everybody to wait; what waits by its own row goes on waiting."""
        self._pauses.over(account)

    def close(self) -> None:
        """Give back the connections."""
        for lane in self._lanes.values():
            lane.close()
        self._lanes.clear()

    def step(self) -> bool:
        """Take the first submission that can go on one step further; False where none can now."""
        self._write_what_came()
        unfinished = [one for one in self._ledger.unfinished() if self._only(one)]
        busy = {
            one.dispatch_id
            for one in unfinished
            if one.state is State.SENDING and self._alive(one.holder, one.lease_until)
        }
        for one in unfinished:
            aside = time.monotonic() < self._aside.get(one.id, 0.0)
            if one.dispatch_id in busy or aside:
                continue
            self._under_work = one.id
            if self._advance(one):
                return True
        self._under_work = None
        return False

    def set_aside(self) -> None:
        """Leave what `step` failed on alone for a minute, so that it stops nothing else."""
        if self._under_work is not None:
            self._aside[self._under_work] = time.monotonic() + ASIDE_S

    def run_until_idle(self) -> None:
        """Take steps until none is possible now."""
        while self.step():
            pass

    def next_due(self) -> float | None:
        """The earliest moment at which something waits to go on, None where nothing does."""
        waits = [one.next_at for one in self._ledger.unfinished() if one.next_at is not None]
        return min(waits, default=None)

    def _advance(self, one: Submission) -> bool:
        now = self._clock()
        if not due(one, now):
            return self._rewound(one, now)
        if one.state is State.QUEUED:
            return self._prepare_bytes(one)
        if one.state is State.HELD and one.reason in LOOKED_FOR:
            return self._look(one)
        return self._send(one)

    def _rewound(self, one: Submission, now: float) -> bool:
        """A wait that Valar asked for begins again where the clock was put back behind its beginning."""
        if one.next_at is None or one.wait is None or now >= one.next_at - one.wait - CLOCK_SLACK_S:
            return False
        self._delay(one, one.reason, one.message, one.wait)
        return True

    def _prepare_bytes(self, one: Submission) -> bool:
        """Spool and seal."""
        taken = self._ledger.take(one.id, holder=self._holder.name, lease_until=self._lease(), alive=self._alive)
        if taken is None:
            return False
        self._failpoint("taken")
        try:
            self._spool.room_for(one.body_bytes)
            spooled = self._sealed.write(one)
        except DiskFull as fault:
            self._delay(one, Reason.DISK_FULL, str(fault), DISK_WAIT_S)
            _tell(one, "disk-full")
            return True
        except (SpoolGone, OSError, EOFError, ValueError) as fault:
            self._ledger.hold(
                one.id, reason=Reason.SPOOL_GONE, message=type(fault).__name__, alive=self._alive, now=self._clock()
            )
            _tell(one, "preparation-gone")
            return True
        self._failpoint("spooled")
        key = self._make_key()
        if not self._ledger.seal(
            one.id, idempotency_key=key, spool=spooled.name, sha256=spooled.sha256, now=self._clock()
        ):
            self._spool.remove(spooled.name)
        self._failpoint("sealed")
        _tell(one, "sealed")
        return True

    def _send(self, one: Submission) -> bool:
        key = self._keyring.find(one.account.fingerprint)
        if key is None:
            if one.reason is Reason.NO_KEY:
                return False
            self._ledger.hold(one.id, reason=Reason.NO_KEY, message="", alive=self._alive, now=self._clock())
            return True
        try:
            lane = self._lane(one.account, key)
        except ValarFault as fault:
            self._ledger.hold(one.id, reason=Reason.AUTH, message=fault.message, alive=self._alive, now=self._clock())
            return True
        if not tried_enough(one, self._clock()) and one.reason is not Reason.ASKED and not self._clear(one, lane):
            return True
        claimed = self._ledger.claim(
            one.id, holder=self._holder.name, lease_until=self._lease(), alive=self._alive, now=self._clock()
        )
        if claimed is None:
            return True
        self._failpoint("claimed")
        self._try(claimed, lane)
        return True

    def _try(self, one: Submission, lane: Lane) -> None:
        """One attempt: check the bytes, send them, write down what came of it."""
        try:
            spooled = self._sealed.checked(one)
        except (SpoolGone, DiskFull) as fault:
            message = str(fault) if isinstance(fault, DiskFull) else ""
            self._settle(one, Ending(Outcome.NOT_SENT, State.HELD, Reason.SPOOL_GONE, message=message))
            return
        self._failpoint("checked")
        try:
            accepted = lane.send(one, self._flowing(one, spooled))
        except ValarFault as fault:
            self._failpoint("failed")
            self._note(one, fault)
            self._settle(one, ending_of(fault, tries=one.attempt, jitter=self._jitter))
            return
        except (SpoolGone, OSError):
            broken = Unknown("The bytes could not be read to their end while they were sent.", type="spool_broken")
            self._settle(one, ending_of(broken, tries=one.attempt, jitter=self._jitter))
            return
        self._failpoint("answered")
        self._pauses.over(one.account)
        if accepted.requests != one.requests:
            self._settle(one, miscounted(one, accepted))
        else:
            self._accept(one, accepted, spooled)

    def _flowing(self, one: Submission, spooled: Spooled) -> Iterator[bytes]:
        renewed = self._clock()
        self._failpoint("connected")
        for number, chunk in enumerate(self._spool.chunks(spooled)):
            if number == 1:
                self._failpoint("half-sent")
            yield chunk
            if abs(self._clock() - renewed) > RENEW_S:
                renewed = self._clock()
                self._ledger.renew(one.id, attempt=one.attempt, holder=self._holder.name, lease_until=renewed + LEASE_S)
        self._failpoint("sent")

    def _accept(self, one: Submission, accepted: Accepted, spooled: Spooled) -> None:
        def write() -> None:
            self._ledger.accept(
                one.id,
                accepted,
                attempt=one.attempt,
                deadline_at=accepted.created_at + CONTENT_KEPT_HOURS * 3_600,
                now=self._clock(),
                before_commit=lambda: self._failpoint("accepting"),
            )

        _tell(one, "accepted", accepted.request_id, batch=accepted.id)
        self._write(one, write)
        self._failpoint("accepted")
        if one.id not in self._unwritten:
            self._spool.remove(spooled.name)
        self._failpoint("cleaned")

    def _settle(self, one: Submission, ending: Ending) -> None:
        _tell(one, f"{ending.outcome}-{ending.reason or ending.state}", ending.request_id)
        self._write(one, lambda: self._ledger.settle(one.id, ending, attempt=one.attempt, now=self._clock()))
        self._failpoint("settled")

    def _write(self, one: Submission, write: Callable[[], None]) -> None:
        """Write an answer down; where the ledger cannot be written, keep it and write it first thing next time."""
        try:
            write()
        except LedgerFault as fault:
            log.warning("submission=%s attempt=%d answer-not-written %s", one.id, one.attempt, type(fault).__name__)
            self._unwritten[one.id] = write

    def _write_what_came(self) -> None:
        for submission_id, write in list(self._unwritten.items()):
            write()
            del self._unwritten[submission_id]

    def _clear(self, one: Submission, lane: Lane) -> bool:
        """Whether the account is out of trouble; otherwise the submission waits, and no body is sent for nothing."""
        pause = self._pauses.of(one.account)
        if pause is None:
            return True
        wait = pause.left(self._clock())
        if wait is not None:
            self._delay(one, pause.reason, pause.message, wait)
            return False
        if pause.ask_first:
            try:
                lane.probe()
            except (Unreachable, Unknown, Throttled) as fault:
                worse = self._pauses.after(one.account, fault, now=self._clock())
                self._delay(one, worse.reason, worse.message, worse.wait)
                _tell(one, f"still-{worse.reason}", fault.request_id)
                return False
            except ValarFault:
                log.debug("the account answers again, though it may not list")
        self._pauses.over(one.account)
        return True

    def _note(self, one: Submission, fault: ValarFault) -> None:
        """Pause the whole account after a failure that other submissions would meet too."""
        if isinstance(fault, Unreachable | Unknown | Throttled):
            self._pauses.after(one.account, fault, now=self._clock())
        else:
            self._pauses.over(one.account)

    def _look(self, one: Submission) -> bool:
        """Look through the account's batches for what may be this submission; a person decides."""
        account = one.account if one.other_key is None else replace(one.account, fingerprint=one.other_key)
        key = self._keyring.find(account.fingerprint)
        if key is None:
            return False
        try:
            found: list[Candidate] = self._lane(account, key).candidates(one)
        except ValarFault as fault:
            wait = fault.retry_after if isinstance(fault, Throttled) and fault.retry_after else 0.0
            self._delay(one, one.reason, "", max(wait, backoff(5, self._jitter)))
            _tell(one, "not-looked", fault.request_id)
            return True
        self._ledger.found(one.id, found)
        _tell(one, f"looked-found-{len(found)}")
        return True

    def _lane(self, account: Account, key: str) -> Lane:
        origin = self._origin(account)
        place = (origin, account.fingerprint)
        if place not in self._lanes:
            self._lanes[place] = self._open_lane(origin, key)
        return self._lanes[place]

    def _delay(self, one: Submission, reason: Reason, message: str, wait: float) -> None:
        self._ledger.delay(one.id, reason=reason, message=message, wait=wait, alive=self._alive, now=self._clock())

    def _lease(self) -> float:
        return self._clock() + LEASE_S

    def _alive(self, holder: str | None, lease_until: float | None) -> bool:
        """Whether another sender has it; this one is not sending while it asks."""
        return holder != self._holder.name and self._holder.alive(holder, lease_until, now=self._clock())


def _tell(one: Submission, outcome: str, request_id: str | None = None, *, batch: str = "-") -> None:
    line = "submission=%s part=%d attempt=%d outcome=%s batch=%s request_id=%s"
    log.info(line, one.id, one.part, one.attempt, outcome, batch, request_id or "-")
