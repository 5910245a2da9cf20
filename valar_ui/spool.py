"""The exact bytes to be sent, on disk: written whole or not at all, hashed, checked before sending, removed after."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from valar_ui.hashing import Hashing

READ_BYTES: Final = 256 * 1024
"""Bytes read at a time, both for checking and for sending."""

HEADROOM_BYTES: Final = 32_000_000
"""Room left on the disk beside the spool, for the ledger and everybody else."""

Failpoint = Callable[[str], None]
"""Called with the name of each step as it is reached; tests kill the process there."""


def no_failpoint(_name: str) -> None:
    """What runs outside tests: nothing."""


class SpoolGone(Exception):
    """The bytes are not there, or are not the bytes that were sealed."""


class DiskFull(Exception):
    """The disk cannot hold the bytes; the message names how many are needed and how many are free."""

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(
            f"The disk is too full: sending needs {megabytes(needed)} of free space and {megabytes(free)} are left. "
            "Make room, or clean up on the Connection page; nothing was sent."
        )
        self.needed = needed
        self.free = free


@dataclass(frozen=True, slots=True)
class Spooled:
    """A body on disk."""

    name: str
    """Its file in the spool folder."""
    sha256: str
    length: int


class Spool:
    """One folder of bodies, each readable by its owner only."""

    def __init__(self, folder: Path, *, failpoint: Failpoint = no_failpoint, read_bytes: int = READ_BYTES) -> None:
        """The folder must exist."""
        self.folder = folder
        self._read_bytes = read_bytes
        self._failpoint = failpoint

    def write(self, name: str, chunks: Iterable[bytes], *, length: int) -> Spooled:
        """Write a body of exactly `length` bytes under a name that must be new or stale.

        A crash leaves either the whole file or a `.partial`, which `sweep` removes. Raises `DiskFull`, and
        `SpoolGone` where the chunks do not come to `length`.
        """
        partial, written = self.folder / f"{name}.partial", 0
        self._failpoint("spool-begun")
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb", buffering=0) as file, Hashing() as hashing:
                for chunk in chunks:
                    hashing.update(chunk)
                    _write_all(file.fileno(), chunk)
                    written += len(chunk)
                self._failpoint("spool-written")
                os.fsync(file.fileno())
                sha256 = hashing.hexdigest()
            if written != length:
                raise SpoolGone(f"the part has {written} bytes where {length} were planned")
            partial.replace(self.folder / name)
            self._failpoint("spool-renamed")
            sync_folder(self.folder)
        except OSError as fault:
            partial.unlink(missing_ok=True)
            if fault.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(length, free_bytes(self.folder)) from None
            raise
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        self._failpoint("spool-synced")
        return Spooled(name, sha256, length)

    def check(self, spooled: Spooled) -> None:
        """`SpoolGone` unless the file holds exactly the sealed bytes."""
        with Hashing() as hashing:
            for chunk in self.chunks(spooled):
                hashing.update(chunk)
            if hashing.hexdigest() == spooled.sha256:
                return
        raise SpoolGone("the bytes differ from those that were sealed")

    def chunks(self, spooled: Spooled) -> Iterator[bytes]:
        """The bytes in order; `SpoolGone` where the file is missing or has another length."""
        try:
            with (self.folder / spooled.name).open("rb", buffering=0) as file:
                if os.fstat(file.fileno()).st_size != spooled.length:
                    raise SpoolGone("the file has another length than was sealed")
                while chunk := file.read(self._read_bytes):
                    yield chunk
        except FileNotFoundError:
            raise SpoolGone("the file is missing") from None

    def remove(self, name: str) -> int:
        """Remove a body; returns the bytes freed, 0 where it was gone already."""
        path = self.folder / name
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return 0
        return size

    def names(self) -> list[str]:
        """Every file in the spool, half-written ones too."""
        return sorted(path.name for path in self.folder.iterdir() if path.is_file())

    def room_for(self, needed: int) -> None:
        """`DiskFull` unless the disk holds `needed` more bytes and some headroom."""
        free = free_bytes(self.folder)
        if free < needed + HEADROOM_BYTES:
            raise DiskFull(needed + HEADROOM_BYTES, free)


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write to the disk under `folder`."""
    return shutil.disk_usage(folder).free


def folder_bytes(folder: Path) -> int:
    """The size of all files below a folder; files that vanish meanwhile count nothing."""
    total = 0
    for parent, _folders, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).lstat().st_size
            except FileNotFoundError:
                continue
    return total


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    if os.name == "nt":
        # Windows opens no folders; it writes renames through by itself.
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def megabytes(count: int) -> str:
    """A number of bytes for people, in units of 1,000."""
    if count < 1_000_000:
        return f"{max(count, 0) / 1_000:,.1f} kB"
    return f"{count / 1_000_000:,.1f} MB"


def _write_all(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]
