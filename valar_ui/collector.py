"""Follows accepted batches until each of their requests is final: politely, the oldest first."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from valar_ui.client import BatchDetail, Keyring, NotAvailable, Throttled, Valar, ValarFault
from valar_ui.ledger import Account, Batch, BatchState, Ledger
from valar_ui.wire import is_final

log = logging.getLogger(__name__)

SOONEST_S: Final = 2.0
"""Seconds between two checks of a young, small batch."""

LATEST_S: Final = 120.0
"""Seconds between two checks of any batch."""

GONE_AFTER: Final = 5
"""Checks in a row that Valar answers with 404 before a batch counts as gone."""

Jitter = Callable[[float, float], float]


def pause_between(batch: Batch, *, now: float, jitter: Jitter) -> float:
    """Seconds to the next check: a tenth of the batch's age, more for a large one (its status is megabytes)."""
    age = max(now - batch.accepted_at, 0.0)
    wait = min(max(SOONEST_S, age / 10, batch.requests / 5_000), LATEST_S)
    return wait * jitter(0.8, 1.2)


def pause_after_failure(failures: int, *, jitter: Jitter) -> float:
    """Seconds to the next check after so many in a row that brought nothing."""
    return min(SOONEST_S * 2.0 ** min(failures, 10), LATEST_S) * jitter(0.5, 1.5)


def counted(detail: BatchDetail) -> dict[str, int]:
    """Requests by status word, and under `final` how many are done with."""
    counts = Counter(detail.statuses.values())
    return {**counts, "final": sum(count for status, count in counts.items() if is_final(status))}


class Collector:
    """Asks after running batches, one a call."""

    def __init__(
        self,
        ledger: Ledger,
        keyring: Keyring,
        *,
        origin: Callable[[Account], str],
        open_valar: Callable[[str, str], Valar] = Valar,
        clock: Callable[[], float] = time.time,
        jitter: Jitter = random.uniform,
    ) -> None:
        self._ledger = ledger
        self._keyring = keyring
        self._origin = origin
        self._open_valar = open_valar
        self._clock = clock
        self._jitter = jitter
        self._clients: dict[tuple[str, str], Valar] = {}

    def step(self) -> bool:
        """Check the oldest batch that is due and whose key is at hand; False where there is none."""
        now = self._clock()
        for batch in self._ledger.to_check(now):
            if now > batch.deadline_at:
                self._write(batch, BatchState.EXPIRED, None, 0, "")
                return True
            key = self._keyring.find(batch.account.fingerprint)
            if key is not None:
                self._check(batch, key)
                return True
        return False

    def close(self) -> None:
        """Give back the connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _check(self, batch: Batch, key: str) -> None:
        try:
            detail = self._client(batch.account, key).batch(batch.id)
        except ValarFault as fault:
            failures = batch.failures + 1
            gone = isinstance(fault, NotAvailable) and fault.status == 404 and failures >= GONE_AFTER
            state = BatchState.GONE if gone else BatchState.RUNNING
            asked = fault.retry_after if isinstance(fault, Throttled) else None
            self._write(batch, state, None, failures, fault.message, asked=asked)
            log.info("batch=%s outcome=%s request_id=%s", batch.id, type(fault).__name__, fault.request_id or "-")
            return
        counts = counted(detail)
        done = counts["final"] >= batch.requests
        self._write(batch, BatchState.DONE if done else BatchState.RUNNING, counts, 0, "")
        if done:
            log.info("batch=%s outcome=done", batch.id)

    def _write(
        self,
        batch: Batch,
        state: BatchState,
        counts: dict[str, int] | None,
        failures: int,
        message: str,
        *,
        asked: float | None = None,
    ) -> None:
        now = self._clock()
        wait = (
            pause_after_failure(failures, jitter=self._jitter)
            if failures
            else pause_between(batch, now=now, jitter=self._jitter)
        )
        self._ledger.checked(
            batch.submission_id,
            state=state,
            counts=counts,
            next_check_at=now + max(wait, asked or 0.0),
            failures=failures,
            message=message,
            now=now,
        )

    def _client(self, account: Account, key: str) -> Valar:
        origin = self._origin(account)
        place = (origin, account.fingerprint)
        if place not in self._clients:
            self._clients[place] = self._open_valar(origin, key)
        return self._clients[place]
