"""How prepared requests are cut into parts: at 100,000 requests and under 256,000,000 bytes, exactly.

A part's body is `{"endpoint":"/v1/responses","requests":[` item `,` item … `],"label":"…"}`; without a label the last
key is missing. Everything follows from the items' sizes, so another label replans at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson

from valar_ui.checks import check_label
from valar_ui.limits import ENDPOINT, MAX_BODY_BYTES, MAX_REQUESTS
from valar_ui.problems import Problem

HEAD: Final = b'{"endpoint":%b,"requests":[' % orjson.dumps(ENDPOINT)
"""How every part's body begins."""
BLOCK: Final = 1 << 20
"""Bytes read from the items at a time."""

Sizes = npt.NDArray[Any]
"""The bytes of each item, in order (any unsigned integer type)."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of requests that fits one batch."""

    number: int
    """From 1."""
    of: int
    first: int
    """Index of its first request."""
    count: int
    body_bytes: int
    """The exact length of the body, label included."""
    label: str
    """As it is sent: `reviews`, or `reviews-1of3`; empty for none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All parts of a draft, in order, and what stands in the way of sending them."""

    parts: tuple[Part, ...]
    problems: tuple[Problem, ...] = ()
    """A label that is not allowed or too long once numbered; a request that does not fit beside the label."""

    @property
    def requests(self) -> int:
        """Requests in all parts."""
        return sum(part.count for part in self.parts)

    @property
    def body_bytes(self) -> int:
        """Bytes of all bodies."""
        return sum(part.body_bytes for part in self.parts)

    @property
    def ok(self) -> bool:
        """Something to send, and nothing in the way."""
        return bool(self.parts) and not self.problems


def plan(sizes: Sizes, label: str = "") -> Plan:
    """Cut requests of these sizes into as few parts as the limits allow, keeping their order."""
    if not len(sizes):
        return Plan((), tuple(_label_problems(label, 1)))
    ends = np.cumsum(np.asarray(sizes, dtype=np.int64) + 1)
    of = 1
    while True:
        parts = _cut(ends, label, of)
        if len(parts) <= of:
            break
        of = len(parts)
    problems = [
        *_label_problems(label, len(parts)),
        *(_too_big(part) for part in parts if part.body_bytes >= MAX_BODY_BYTES),
    ]
    return Plan(tuple(parts), tuple(problems))


def part_label(label: str, number: int, of: int) -> str:
    """The label of one part among `of`."""
    return label if of == 1 or not label else f"{label}-{number}of{of}"


def tail(label: str) -> bytes:
    """How a part's body ends."""
    return b'],"label":%b}' % orjson.dumps(label) if label else b"]}"


def part_body(items_path: Path, sizes: Sizes, part: Part) -> Iterator[bytes]:
    """The exact bytes of a part's body, in blocks; `items_path` holds the items joined by commas."""
    before = int(np.sum(sizes[: part.first], dtype=np.int64)) + part.first
    length = int(np.sum(sizes[part.first : part.first + part.count], dtype=np.int64)) + part.count - 1
    yield HEAD
    with items_path.open("rb") as items:
        items.seek(before)
        while length:
            block = items.read(min(BLOCK, length))
            if not block:
                raise EOFError(f"{items_path.name} is shorter than its sizes say")
            length -= len(block)
            yield block
    yield tail(part.label)


def _cut(ends: npt.NDArray[np.int64], label: str, of: int) -> list[Part]:
    parts: list[Part] = []
    first, total = 0, len(ends)
    while first < total:
        number = len(parts) + 1
        name = part_label(label, number, max(of, number))
        frame = len(HEAD) + len(tail(name))
        before = int(ends[first - 1]) if first else 0
        # One comma is counted with every item, the last has none: hence bytes <= the limit, not <.
        room = MAX_BODY_BYTES - frame
        fitting = int(np.searchsorted(ends, before + room, side="right")) - first
        count = max(1, min(fitting, MAX_REQUESTS, total - first))
        body = frame + int(ends[first + count - 1]) - before - 1
        parts.append(Part(number, of, first, count, body, name))
        first += count
    return [Part(p.number, len(parts), p.first, p.count, p.body_bytes, p.label) for p in parts]


def _label_problems(label: str, parts: int) -> Iterator[Problem]:
    problem = check_label(label, parts=parts)
    if problem is not None:
        yield problem


def _too_big(part: Part) -> Problem:
    return Problem(
        "request-too-big",
        f"Request {part.first + 1:,} needs {part.body_bytes:,} bytes with its label; a batch takes less than"
        f" {MAX_BODY_BYTES:,}.",
        "Use a shorter label, or leave this row out.",
    )
