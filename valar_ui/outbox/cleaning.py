"""Files that nobody needs any more: bodies of what is decided, preparations and uploads without a draft."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from valar_ui.ledger import Ledger
from valar_ui.spool import Spool, folder_bytes, free_bytes, megabytes

YOUNG_S: Final = 3_600.0
"""Seconds in which a new folder may still be filled by somebody whose draft is not written down yet."""


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """What lies on disk, in bytes."""

    spool: int
    """Bodies waiting to be sent."""
    drafts: int
    """Uploads, tables and preparations."""
    ledger: int
    free: int
    removable: int
    """What *clean up* would free."""

    @property
    def words(self) -> str:
        """One sentence for the Connection page."""
        return (
            f"{megabytes(self.spool + self.drafts + self.ledger)} are used: {megabytes(self.drafts)} for uploads and "
            f"prepared rows, {megabytes(self.spool)} for what is being sent, {megabytes(self.ledger)} for the history. "
            f"{megabytes(self.removable)} of it can be freed; {megabytes(self.free)} of the disk are free."
        )


def disk_usage(ledger: Ledger, spool: Spool, drafts: Path, ledger_path: Path, *, now: float) -> DiskUsage:
    """What lies on disk, and how much of it nobody needs."""
    return DiskUsage(
        folder_bytes(spool.folder),
        folder_bytes(drafts),
        ledger_path.stat().st_size if ledger_path.exists() else 0,
        free_bytes(drafts),
        sum(_bytes(path) for path in unneeded(ledger, spool, drafts, now=now)),
    )


def cleanup(ledger: Ledger, spool: Spool, drafts: Path, *, now: float) -> int:
    """Remove what nobody needs; returns the bytes freed. Drafts, history and what is on its way stay."""
    freed = 0
    for path in unneeded(ledger, spool, drafts, now=now):
        size = _bytes(path)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        freed += size if not path.exists() else 0
    return freed


def sweep_spool(ledger: Ledger, spool: Spool, *, alive: Callable[[str | None, float | None], bool]) -> int:
    """Remove bodies of decided submissions and what a crash left half-written; returns the bytes freed."""
    return sum(spool.remove(name) for name in _spool_rest(ledger, spool, alive))


def unneeded(ledger: Ledger, spool: Spool, drafts: Path, *, now: float) -> list[Path]:
    """Files of the spool and folders below `drafts` that neither a draft nor a submission on its way needs."""
    rest = [spool.folder / name for name in _spool_rest(ledger, spool, lambda holder, _until: holder is not None)]
    used = {Path(folder).resolve() for folder in ledger.needed_folders()}
    for folder in sorted(path.resolve() for path in drafts.iterdir() if path.is_dir()):
        if not any(path.is_relative_to(folder) for path in used):
            rest += [] if _young(folder, now) else [folder]
            continue
        inside = sorted(path for path in folder.glob("prepared-*") if path.is_dir())
        rest += [path for path in inside if path not in used and not _young(path, now)]
    return rest


def _spool_rest(ledger: Ledger, spool: Spool, alive: Callable[[str | None, float | None], bool]) -> list[str]:
    named = ledger.spooled()
    queued = {one.id: one for one in ledger.unfinished() if one.sha256 is None}
    rest = []
    for name in spool.names():
        writer = queued.get(name.split("-")[0])
        being_written = writer is not None and alive(writer.holder, writer.lease_until)
        if not named.get(name, being_written):
            rest.append(name)
    return rest


def _young(folder: Path, now: float) -> bool:
    return abs(now - folder.stat().st_mtime) < YOUNG_S


def _bytes(path: Path) -> int:
    return folder_bytes(path) if path.is_dir() else path.stat().st_size if path.exists() else 0
