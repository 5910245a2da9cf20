"""The ways a submission reaches Valar, behind one protocol: today the batch lane (`POST /batches`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from valar_ui.client import Valar
from valar_ui.ledger import Accepted, Candidate, Submission
from valar_ui.limits import MAX_PAGE

MOST_PAGES: Final = 25
"""Pages of the account's batches looked through for a submission: 5,000 batches."""

MOST_CANDIDATES: Final = 10
"""Batches shown to choose from."""


class Lane(Protocol):
    """One way of sending; every method raises `ValarFault`."""

    def send(self, one: Submission, chunks: Iterator[bytes]) -> Accepted:
        """Send exactly these bytes under the submission's idempotency key."""

    def probe(self) -> None:
        """Ask something that costs nothing, to see whether sending is worth trying."""

    def candidates(self, one: Submission) -> list[Candidate]:
        """What the account has that may be this submission, the closest in time first."""

    def close(self) -> None:
        """Give back the connections."""


class BatchLane:
    """A submission is one batch."""

    def __init__(self, valar: Valar) -> None:
        self._valar = valar

    def send(self, one: Submission, chunks: Iterator[bytes]) -> Accepted:
        """POST /batches."""
        assert one.idempotency_key is not None
        batch, answer = self._valar.create_batch(chunks, length=one.body_bytes, idempotency_key=one.idempotency_key)
        return Accepted(batch.id, batch.request_counts, batch.created_at, answer.status, answer.request_id)

    def probe(self) -> None:
        """GET /batches with one entry; an account that may not list is told by an answer too."""
        self._valar.list_batches(limit=1)

    def candidates(self, one: Submission) -> list[Candidate]:
        """Batches with the label and the number of requests of the submission.

        When they were made only sorts them: the clock here may be days off.
        """
        found: dict[str, Candidate] = {}
        seen: set[str] = set()
        turn: dict[str, str] = {}
        for _page in range(MOST_PAGES):
            page = self._valar.list_batches(limit=MAX_PAGE, **turn)
            for batch in page:
                if (batch.label, batch.request_counts) == (one.label, one.requests):
                    found[batch.id] = Candidate(batch.id, batch.request_counts, batch.created_at, one.label)
            if len(page) < MAX_PAGE or page[-1].id in seen:
                break
            seen.update(batch.id for batch in page)
            # The API does not say in which order it lists: go on in the direction of the page.
            newest_first = page[0].created_at >= page[-1].created_at
            turn = {"before_id" if newest_first else "after_id": page[-1].id}
        began = one.first_sent_at or one.created_at
        return sorted(found.values(), key=lambda candidate: abs(candidate.created_at - began))[:MOST_CANDIDATES]

    def close(self) -> None:
        """Give back the connections."""
        self._valar.close()
