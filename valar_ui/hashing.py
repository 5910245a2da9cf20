"""SHA-256 of a stream, taken on a second core while the next block is read or written."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class Hashing:
    """Takes blocks in the order in which they are handed over; use it with `with`, which ends its thread."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._pool = ThreadPoolExecutor(1, "hash")
        self._last: Future[None] | None = None

    def update(self, block: bytes) -> None:
        """Hash this block next; waits until the one before is done, so that at most one is held."""
        self._wait()
        self._last = self._pool.submit(self._digest.update, block)

    def hexdigest(self) -> str:
        """Of everything handed over so far, in 64 hexadecimal digits."""
        self._wait()
        return self._digest.hexdigest()

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
