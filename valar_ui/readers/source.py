"""The uploaded bytes: their size and hash, whether they are UTF-8, and what is inside a gzip."""

from __future__ import annotations

import codecs
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
    digest = hashlib.sha256()
    decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
    done = 0
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK):
            digest.update(block)
            done += len(block)
            if decoder is not None and not (block.isascii() and not decoder.getstate()[0]):
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    decoder = None
            if progress is not None and size:
                progress(done / size)
    if decoder is not None:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            decoder = None
    return Survey(size, digest.hexdigest(), decoder is not None)


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
                            f"This compressed file grows to more than {MAX_UNPACKED // 10**6:,} MB when it is unpacked.",
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
