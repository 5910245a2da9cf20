"""The sandbox's own record of what arrived and what it accepted: one JSON line an arrival, by which tests judge."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(slots=True)
class Arrival:
    """One call as the sandbox saw it; never a token, a prompt or an answer."""

    number: int
    time: float
    method: str
    path: str
    account: str | None = None
    """A keyed hash of the token."""
    key: str | None = None
    """The Idempotency-Key."""
    bytes: int = 0
    sha256: str | None = None
    """Of the whole body; None where it did not arrive whole."""
    accepted: bool = False
    """This arrival made a new batch or response."""
    replayed: bool = False
    """This arrival was answered from an earlier one under the same key."""
    id: str | None = None
    count: int | None = None
    status: int | None = None
    """The answer's status; None where none is sent."""
    fault: str | None = None
    request_id: str | None = None


class Record:
    """Appends to a file; a line about a POST is on the disk before its answer leaves."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._numbers = _last_number(path)

    def next_number(self) -> int:
        """The number of one more arrival, going on after a restart."""
        with self._lock:
            self._numbers += 1
            return self._numbers

    def write(self, arrival: Arrival) -> None:
        """Append one line, and wait for the disk when it is about a POST."""
        line = json.dumps(asdict(arrival), separators=(",", ":")) + "\n"
        with self._lock, self._path.open("ab") as file:
            file.write(line.encode())
            file.flush()
            if arrival.method == "POST":
                os.fsync(file.fileno())


def _last_number(path: Path) -> int:
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return max((json.loads(line)["number"] for line in file if line.endswith(b"\n")), default=0)
