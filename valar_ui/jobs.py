"""Work that takes longer than a click: one thread, one job at a time, progress to look at.

One CPU-bound thread beside the pages leaves every other person's pages responsive; several do not.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger(__name__)

Progress = Callable[[float], None]
"""Takes a fraction from 0 to 1; raises `Cancelled` when nobody waits for the job any more."""


class Cancelled(Exception):
    """A newer job replaced this one."""


@dataclass(slots=True)
class Job:
    """One piece of work; `done` is set last."""

    key: str
    mark: str
    """What it works on; asking again with the same mark joins the running job."""
    fraction: float = 0.0
    result: Any = None
    fault: Exception | None = None
    done: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def progress(self, fraction: float) -> None:
        """Tell how far it is."""
        if self.cancelled.is_set():
            raise Cancelled
        self.fraction = min(max(fraction, 0.0), 1.0)


class Jobs:
    """At most one job for each key; a new mark under the same key cancels the old one."""

    KEPT = 64
    """Finished jobs remembered; the oldest go first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="valar-jobs")

    def start(self, key: str, mark: str, work: Callable[[Progress], Any]) -> Job:
        """Begin `work`, or join the job of the same mark under this key, ended or not: `forget` it to try again.

        A failed job is not begun again by itself: a page that asks at every drawing would try for ever.
        """
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and job.mark == mark and not job.cancelled.is_set():
                return job
            if job is not None:
                job.cancelled.set()
            job = Job(key, mark)
            self._jobs.pop(key, None)
            self._jobs[key] = job
            for old in [name for name, past in self._jobs.items() if past.done.is_set()][: -self.KEPT]:
                del self._jobs[old]
            self._pool.submit(self._run, job, work)
            return job

    def find(self, key: str) -> Job | None:
        """The newest job under a key."""
        with self._lock:
            return self._jobs.get(key)

    def forget(self, key: str) -> None:
        """Cancel and drop the job under a key."""
        with self._lock:
            job = self._jobs.pop(key, None)
        if job is not None:
            job.cancelled.set()

    def _run(self, job: Job, work: Callable[[Progress], Any]) -> None:
        try:
            job.result = work(job.progress)
            job.fraction = 1.0
        except Cancelled:
            job.fault = Cancelled()
        except Exception as fault:  # noqa: BLE001 - the thread's outermost edge: kept for the page to tell
            log.warning("job %s failed: %s", job.key.split(":")[0], type(fault).__name__)
            job.fault = fault
        finally:
            job.done.set()

    def close(self) -> None:
        """Cancel what runs and stop the thread."""
        with self._lock:
            for job in self._jobs.values():
                job.cancelled.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
