"""Who is still at work: a lock file that the system lets go of when its process dies, however it dies."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

MOST_LEASE_S: Final = 600.0
"""A lease further in the future than this was taken by a clock that is ahead of ours."""


class Holder:
    """One sender's name, alive as long as its process (and until `close`)."""

    def __init__(self, folder: Path) -> None:
        """Take a new name in `folder`, which must exist."""
        self._folder = folder
        self.name = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._path = folder / f"{self.name}.lock"
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        if sys.platform != "win32":
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def alive(self, holder: str | None, lease_until: float | None, *, now: float) -> bool:
        """Whether a lease still counts: its time runs and its holder lives."""
        if holder is None or lease_until is None or not now < lease_until <= now + MOST_LEASE_S:
            return False
        return holder == self.name or _locked(self._folder / f"{holder}.lock")

    def sweep(self) -> None:
        """Remove what dead senders left."""
        for path in self._folder.glob("*.lock"):
            if path != self._path and not _locked(path):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Give up the name."""
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


def _locked(path: Path) -> bool:
    if sys.platform == "win32":
        # No such lock there: a lease then simply runs out.
        return path.exists()
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
