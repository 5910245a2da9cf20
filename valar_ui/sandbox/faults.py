"""The fault dial: a JSON file that says which arrivals go wrong, and how; read again whenever it changes."""

from __future__ import annotations

import contextlib
import fnmatch
import json
import logging
import os
import secrets
import threading
import time
from collections import Counter
from dataclasses import dataclass
from email.utils import formatdate
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_LOG = logging.getLogger(__name__)


class FaultKind(StrEnum):
    """What goes wrong; `after` on a fault says whether it does so before or after accepting."""

    LOST_ANSWER = "lost-answer"
    """Accepted, then the connection ends without an answer."""
    DROPPED = "dropped"
    """The connection ends and nothing is accepted; with `bytes`, once that much of the body has come."""
    RESET = "reset"
    """The connection is reset (TCP RST), before accepting or after; `bytes` as for dropped."""
    CUT_OFF = "cut-off"
    """Accepted, and the answer breaks off after `bytes` bytes of its body (half of it where not given)."""
    STATUS = "status"
    """An error answer with `status`, before accepting or after."""
    SLOW = "slow"
    """`seconds` pass before accepting, or after it before the answer; then all is well."""
    LATE = "late"
    """Accepted only when the client has given up, or after `seconds`."""
    FAILURES = "failures"
    """The batch is accepted, and `share` of its requests fail."""


class Fault(BaseModel):
    """One thing that goes wrong, and on which arrivals.

    Arrivals are counted for each fault from 1 since the file was written: those that fit its method, path, key and
    token (patterns with `*` and `?`); with `per_key`, for each Idempotency-Key by itself. No `arrivals`: all of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    method: str = "POST"
    path: str = "*"
    """For example `/v1/batches` or `/v1/responses/*`."""
    key: str | None = None
    token: str | None = None
    arrivals: tuple[int, ...] | None = None
    per_key: bool = False
    after: bool = False
    status: int = Field(default=500, ge=400, le=599)
    message: str | None = None
    retry_after: int | str | None = None
    """The header as it is sent: seconds, or any text."""
    retry_after_date: int | None = None
    """The header as an HTTP date so many seconds from now."""
    seconds: float = Field(default=5.0, ge=0)
    bytes: int | None = Field(default=None, ge=0)
    share: float = Field(default=0.3, ge=0, le=1)

    def fits(self, *, method: str, path: str, key: str | None, token: str) -> bool:
        """Whether an arrival is one that this fault counts."""
        return (
            fnmatch.fnmatchcase(method, self.method)
            and fnmatch.fnmatchcase(path, self.path)
            and (self.key is None or fnmatch.fnmatchcase(key or "", self.key))
            and (self.token is None or fnmatch.fnmatchcase(token, self.token))
        )

    def retry_after_header(self) -> str | None:
        """The value of Retry-After, None where there is none."""
        if self.retry_after_date is not None:
            return formatdate(time.time() + self.retry_after_date, usegmt=True)
        return None if self.retry_after is None else str(self.retry_after)


class BadFaultPlan(ValueError):
    """A fault file that cannot be used; the message says why."""


class FaultPlan(BaseModel):
    """All faults of a file; for each arrival the first that is due happens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    faults: tuple[Fault, ...] = ()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file; a missing one means no faults. Raises `BadFaultPlan`."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls()
        except ValidationError as fault:
            first = fault.errors(include_input=False, include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            raise BadFaultPlan(f"{path.name}: {place}: {first['msg']}") from None

    def save(self, path: Path) -> None:
        """Put the plan in place whole; counting starts again."""
        partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
        partial.write_text(json.dumps(self.model_dump(mode="json", exclude_defaults=True), indent=1) + "\n", "utf-8")
        partial.replace(path)


@dataclass(frozen=True, slots=True)
class Due:
    """What happens to one arrival."""

    fault: Fault | None = None
    share: float | None = None
    """The share of requests that fail, where a fault says so."""


class FaultDial:
    """Counts arrivals against the plan in the file, which may change at any time."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._plan = FaultPlan()
        self._counts: Counter[tuple[int, str | None]] = Counter()

    def due(self, *, method: str, path: str, key: str | None, token: str) -> Due:
        """Count one arrival and say what goes wrong with it."""
        if self._path is None:
            return Due()
        with self._lock:
            self._refresh(self._path)
            happening: list[Fault] = []
            for index, fault in enumerate(self._plan.faults):
                if not fault.fits(method=method, path=path, key=key, token=token):
                    continue
                place = (index, key if fault.per_key else None)
                self._counts[place] += 1
                if fault.arrivals is None or self._counts[place] in fault.arrivals:
                    happening.append(fault)
        return Due(
            next((fault for fault in happening if fault.kind is not FaultKind.FAILURES), None),
            next((fault.share for fault in happening if fault.kind is FaultKind.FAILURES), None),
        )

    def _refresh(self, path: Path) -> None:
        seen: tuple[int, ...] | None = None
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(path)  # noqa: PTH116 - one call a request
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
        if seen == self._seen:
            return
        self._seen = seen
        self._counts.clear()
        try:
            self._plan = FaultPlan.load(path)
        except BadFaultPlan as fault:
            _LOG.warning("fault plan ignored, the earlier one stays: %s", fault)


def _once(kind: FaultKind, **settings: object) -> FaultPlan:
    return FaultPlan(faults=(Fault.model_validate({"kind": kind, "arrivals": (1,), **settings}),))


def _always(kind: FaultKind, **settings: object) -> FaultPlan:
    return FaultPlan(faults=(Fault.model_validate({"kind": kind, **settings}),))


_BATCHES = {"path": "/v1/batches"}

PRESETS: dict[str, tuple[str, FaultPlan]] = {
    "No faults": ("Everything works.", FaultPlan()),
    "Answer lost after accepting": (
        "The next batch is accepted, but the connection ends before the answer.",
        _once(FaultKind.LOST_ANSWER),
    ),
    "Connection dropped before accepting": (
        "The next sending is dropped on the way; nothing is accepted.",
        _once(FaultKind.DROPPED),
    ),
    "Connection reset": ("The next sending is reset in the middle; nothing is accepted.", _once(FaultKind.RESET)),
    "Server error before accepting": ("The next sending gets error 500; nothing is accepted.", _once(FaultKind.STATUS)),
    "Server error after accepting": (
        "The next sending gets error 500, although it was accepted.",
        _once(FaultKind.STATUS, after=True),
    ),
    "Answer cut off": ("The next batch is accepted, but its answer breaks off.", _once(FaultKind.CUT_OFF)),
    "Slow": ("Every sending takes eight seconds longer.", _always(FaultKind.SLOW, seconds=8)),
    "Accepted after the client gave up": (
        "The next sending is left without an answer, and accepted once the client has hung up.",
        _once(FaultKind.LATE, seconds=120),
    ),
    "Too many requests, wait 20 seconds": (
        "The next two sendings are told to wait 20 seconds (429).",
        FaultPlan(faults=(Fault(kind=FaultKind.STATUS, status=429, retry_after=20, arrivals=(1, 2)),)),
    ),
    "Too many requests, wait until a time": (
        "The next sending is told a clock time half a minute away (429).",
        _once(FaultKind.STATUS, status=429, retry_after_date=30),
    ),
    "Too many requests, absurd wait": (
        "The next sending is told to wait for longer than a lifetime (429).",
        _once(FaultKind.STATUS, status=429, retry_after="99999999999"),
    ),
    "Key refused": ("Every call is answered with 401.", _always(FaultKind.STATUS, status=401, method="*")),
    "No credit left": ("Every sending is answered with 402.", _always(FaultKind.STATUS, status=402)),
    "No Batches API: forbidden": (
        "Batches are answered with 403; background responses work.",
        _always(FaultKind.STATUS, status=403, **_BATCHES),
    ),
    "No Batches API: not found": (
        "Batches are answered with 404; background responses work.",
        _always(FaultKind.STATUS, status=404, **_BATCHES),
    ),
    "No Batches API: not implemented": (
        "Batches are answered with 501; background responses work.",
        _always(FaultKind.STATUS, status=501, **_BATCHES),
    ),
    "Request timeout": ("The next sending is answered with 408.", _once(FaultKind.STATUS, status=408)),
    "Conflict": ("The next sending is answered with 409.", _once(FaultKind.STATUS, status=409)),
    "Too large": ("Every sending is answered with 413.", _always(FaultKind.STATUS, status=413)),
    "Outage": ("Every call ends without an answer.", _always(FaultKind.DROPPED, method="*")),
    "A third of the requests fail": (
        "Batches are accepted, and about a third of their requests fail.",
        _always(FaultKind.FAILURES, share=1 / 3),
    ),
}
"""What the Connection page offers in sandbox mode: name → (what will happen, the plan to save)."""
