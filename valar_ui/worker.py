"""The background loop that runs outbox and collector; it never calls Streamlit, and nothing stops it but `stop`."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from valar_ui.client import Keyring
from valar_ui.collector import Collector
from valar_ui.ledger import Account, Holder, Ledger, LedgerFault
from valar_ui.outbox import Outbox, sweep_spool
from valar_ui.settings import Settings
from valar_ui.spool import Spool

log = logging.getLogger(__name__)

IDLE_S: Final = 1.0
"""Seconds between looks at the ledger while nothing calls: another process may have written to it."""

BROKEN_S: Final = 5.0
"""Seconds to rest after something failed that should not."""

STOP_S: Final = 5.0
"""Seconds that `stop` waits for a try under way; a try that takes longer is taken up by the next start."""


class Worker:
    """Two threads over one ledger, one that sends and one that follows; started with the first `wake` or `start`."""

    def __init__(
        self,
        settings: Settings,
        *,
        sandbox_url: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.time,
        idle_seconds: float = IDLE_S,
    ) -> None:
        """`sandbox_url` says where the sandbox answers now; without it the setting must."""
        self.settings = settings
        self.ledger = Ledger(settings.ledger_url, clock=clock)
        self.spool = Spool(settings.folder("spool"))
        self.keyring = Keyring(settings.install_secret(), on_new=self.wake)
        self.last_fault: str | None = None
        """The kind of the last failure that should not have been; for the Connection page."""
        self._sandbox_url = sandbox_url
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._calls = (threading.Event(), threading.Event())
        self._outbox: Outbox | None = None
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._starting = threading.Lock()

    def origin(self, account: Account) -> str:
        """Where an account's requests go: Valar's address is fixed with the account, the sandbox's is not."""
        if account.kind == "valar":
            return account.base_url
        address = self._sandbox_url() if self._sandbox_url is not None else self.settings.sandbox_url
        if address is None:
            raise ValueError("no sandbox is set")
        return address

    def start(self) -> None:
        """Begin, where it has not begun yet."""
        with self._starting:
            if self._threads:
                return
            self._stopping.clear()
            names = ("valar-outbox", "valar-collector")
            loops = (self._send, self._collect)
            self._threads = [
                threading.Thread(target=loop, name=name, daemon=True) for name, loop in zip(names, loops, strict=True)
            ]
            for thread in self._threads:
                thread.start()

    def wake(self) -> None:
        """There is something to do: look at the ledger now."""
        self.start()
        for call in self._calls:
            call.set()

    def forget_pause(self, account: Account) -> None:
        """Send to the sandbox again after its dial was turned."""
        if self._outbox is not None:
            self._outbox.forget_pause(account)
        self.wake()

    def stop(self) -> None:
        """End after the step under way; what was not finished goes on at the next start."""
        with self._starting:
            self._stopping.set()
            for call in self._calls:
                call.set()
            for thread in self._threads:
                thread.join(STOP_S)
            ended = not any(thread.is_alive() for thread in self._threads)
            self._threads = []
        if ended:
            self.ledger.close()

    def _send(self) -> None:
        holder = Holder(self.settings.folder("leases"))
        outbox = self._outbox = Outbox(
            self.ledger, self.spool, self.keyring, holder, origin=self.origin, clock=self._clock
        )
        try:
            self._guarded(lambda: self._sweep(holder))
            self._loop(outbox.step, self._calls[0], stumbled=outbox.set_aside)
        finally:
            outbox.close()
            holder.close()

    def _collect(self) -> None:
        collector = Collector(self.ledger, self.keyring, origin=self.origin, clock=self._clock)
        try:
            self._loop(collector.step, self._calls[1])
        finally:
            collector.close()

    def _sweep(self, holder: Holder) -> bool:
        holder.sweep()
        sweep_spool(self.ledger, self.spool, alive=lambda name, until: holder.alive(name, until, now=self._clock()))
        return False

    def _loop(
        self, step: Callable[[], bool], call: threading.Event, *, stumbled: Callable[[], None] = lambda: None
    ) -> None:
        while not self._stopping.is_set():
            call.clear()
            if not self._guarded(step, stumbled):
                call.wait(self._idle_seconds)

    def _guarded(self, step: Callable[[], bool], stumbled: Callable[[], None] = lambda: None) -> bool:
        try:
            return step()
        except Exception as fault:  # noqa: BLE001 - the threads' outermost edge: recorded, and tried again
            self.last_fault = type(fault).__name__
            if not isinstance(fault, LedgerFault):
                stumbled()
            log.error("worker step failed: %s at %s", type(fault).__name__, _place(fault))
            self._stopping.wait(BROKEN_S)
            return False


def _place(fault: BaseException) -> str:
    """Where it was raised, without what it says: a message may hold what must not be logged."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "-" if trace is None else f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"


_workers: dict[Settings, Worker] = {}
_making = threading.Lock()


def get_worker(settings: Settings | None = None, *, sandbox_url: Callable[[], str] | None = None) -> Worker:
    """The process's worker for these settings, made and started on first use."""
    settings = settings or Settings.from_environment()
    with _making:
        worker = _workers.get(settings)
        if worker is None:
            worker = _workers[settings] = Worker(settings, sandbox_url=sandbox_url)
    worker.start()
    return worker
