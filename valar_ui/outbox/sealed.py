"""The exact bytes of a submission: written once, and checked before each attempt."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from valar_ui.ledger import Ledger, Submission
from valar_ui.outbox.sources import Bodies
from valar_ui.spool import Spool, Spooled, SpoolGone


class SealedBytes:
    """Bodies in the spool, made from their preparations."""

    def __init__(self, ledger: Ledger, spool: Spool, bodies: Bodies) -> None:
        self._ledger = ledger
        self._spool = spool
        self._bodies = bodies

    def write(self, one: Submission) -> Spooled:
        """Write the body under a new name. Raises as `Spool.write` does, OSError and ValueError for its preparation."""
        folder = Path(self._ledger.prepared_of(one.id))
        name = f"{one.id}-{uuid4().hex[:8]}.json"
        return self._spool.write(name, self._bodies(folder, one), length=one.body_bytes)

    def checked(self, one: Submission) -> Spooled:
        """The sealed bytes, checked; written again from the preparation where that gives the same hash.

        Raises `SpoolGone` where neither is to be had, `DiskFull` where there is no room to write them again.
        """
        assert one.sha256 is not None
        spooled = Spooled(one.spool or "", one.sha256, one.body_bytes)
        try:
            self._spool.check(spooled)
        except (SpoolGone, OSError):
            try:
                again = self.write(one)
            except (OSError, EOFError, ValueError):
                raise SpoolGone("the preparation is gone too") from None
            if again.sha256 != one.sha256:
                self._spool.remove(again.name)
                raise SpoolGone("the preparation gives other bytes") from None
            self._ledger.respooled(one.id, again.name)
            self._spool.remove(spooled.name)
            return again
        return spooled
