"""Where a sender gets a body's bytes and the way to send them; a test or another program may bring its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from valar_ui.client import Valar
from valar_ui.lanes import BatchLane, Lane
from valar_ui.ledger import Submission
from valar_ui.plan import Part, part_body
from valar_ui.prepare import Prepared

Bodies = Callable[[Path, Submission], Iterator[bytes]]
"""Takes the folder of a preparation and a submission, and gives the exact bytes of its body."""

OpenLane = Callable[[str, str], Lane]
"""Takes a base URL and an API key."""


def prepared_body(folder: Path, one: Submission) -> Iterator[bytes]:
    """The bytes of a submission's part; FileNotFoundError where the preparation is gone."""
    prepared = Prepared.load(folder)
    part = Part(one.part, one.parts, one.first, one.requests, one.body_bytes, one.label)
    return part_body(prepared.items_path, prepared.sizes, part)


def batch_lane(base_url: str, key: str) -> Lane:
    """The way all submissions go today."""
    return BatchLane(Valar(base_url, key))
