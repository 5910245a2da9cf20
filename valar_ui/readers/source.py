"""The uploaded bytes: their size and hash, whether they are UTF-8, and what is inside a gzip."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from valar_ui.hashing import Hashing
from valar_ui.jobs import Progress
from valar_ui.readers.reading import UnreadableFile

BLOCK: Final = 1 << 20
"""Bytes read at once."""

MAX_UNPACKED: Final = 1_000_000_000
"""Bytes that a compressed file may become; a spreadsheet that makes batches of 256 MB stays far below."""

GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over the bytes tells."""

    size: int
    sha256: str
    utf8: bool
    """All of it is strict UTF-8."""


def survey(path: Path, *, progress: Progress | None = None) -> Survey:
    """Hash a file and check it for UTF-8 in one streaming pass."""
    size = path.stat().st_size
    utf8, done, rest = True, 0, b""
    with path.open("rb", buffering=0) as file, Hashing() as hashing:
        while block := file.read(BLOCK):
            hashing.update(block)
            done += len(block)
            if utf8 and (rest or not block.isascii()):
                whole = rest + block
                cut = _last_character(whole)
                utf8, rest = _is_utf8(whole[:cut]), whole[cut:]
            if progress is not None:
                progress(done / size)
        return Survey(size, hashing.hexdigest(), utf8 and not rest)


def _last_character(block: bytes) -> int:
    """Where a character begins that the end of the block cuts off; its length where none is cut."""
    for back in range(1, min(4, len(block) + 1)):
        byte = block[-back]
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(block) - back if needed > back else len(block)
        if byte < 0x80:
            break
    return len(block)


def _is_utf8(block: bytes) -> bool:
    """Arrow checks several times as fast as decoding does."""
    ends = pa.py_buffer(struct.pack("<2i", 0, len(block)))
    try:
        pa.Array.from_buffers(pa.string(), 1, [None, ends, pa.py_buffer(block)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def unpack(path: Path, into: Path) -> Path:
    """Unpack a gzip next to the table, as far as `MAX_UNPACKED`; the caller deletes it."""
    target = into / "unpacked.tmp"
    written = 0
    inflate = zlib.decompressobj(wbits=31)
    try:
        with path.open("rb") as packed, target.open("wb") as plain:
            while block := packed.read(BLOCK):
                while block:
                    piece = inflate.decompress(block, BLOCK)
                    written += len(piece)
                    if written > MAX_UNPACKED:
                        raise UnreadableFile(
                            f"This compressed file grows to more than {MAX_UNPACKED // 10**6:,} MB when it is "
                            "unpacked.",
                            "Unpack it yourself and upload a smaller part of it.",
                            code="too-large-unpacked",
                        )
                    plain.write(piece)
                    if inflate.eof:
                        block = inflate.unused_data or packed.read(BLOCK)
                        if not block.startswith(GZIP):
                            return target
                        inflate = zlib.decompressobj(wbits=31)
                    else:
                        block = inflate.unconsumed_tail
            if not inflate.eof:
                raise zlib.error("truncated")
    except zlib.error:
        target.unlink(missing_ok=True)
        raise UnreadableFile(
            "This gzip file is damaged or cut off.", "Compress or download it again.", code="damaged"
        ) from None
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target
