"""The container of Excel 97-2003 files (OLE2): named streams in a chain of sectors."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from valar_ui.readers.reading import UnreadableFile

MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
LAST: Final = 0xFFFFFFFA
"""Sector numbers from here on mean: the chain ends."""

MAX_FILE: Final = 300_000_000
"""Bytes; no .xls of 65,536 rows is that large."""


class Compound:
    """The directory and the streams of one file."""

    def __init__(self, path: Path) -> None:
        """Read the file; `UnreadableFile` where its chains make no sense."""
        if path.stat().st_size > MAX_FILE:
            raise UnreadableFile(
                "This workbook is too large to be read.", "Save it as .xlsx.", code="too-large-unpacked"
            )
        self._bytes = path.read_bytes()
        try:
            self._open()
        except (struct.error, IndexError, UnicodeDecodeError):
            raise damaged() from None

    def _open(self) -> None:
        head = self._bytes[:512]
        shift, small_shift = struct.unpack_from("<HH", head, 30)
        if shift not in (9, 12) or small_shift != 6:
            raise damaged()
        self._size = 1 << shift
        fat_count, first_directory = struct.unpack_from("<II", head, 44)
        self._cutoff, first_small, _, first_more, more_count = struct.unpack_from("<IIIII", head, 56)
        sectors = list(struct.unpack_from("<109I", head, 76))
        for _ in range(min(more_count, 10_000)):
            if first_more >= LAST:
                break
            block = self._sector(first_more)
            numbers = struct.unpack(f"<{len(block) // 4}I", block)
            sectors += numbers[:-1]
            first_more = numbers[-1]
        self._fat: list[int] = []
        for number in sectors[:fat_count]:
            if number < LAST:
                block = self._sector(number)
                self._fat += struct.unpack(f"<{len(block) // 4}I", block)
        self.streams: dict[str, tuple[int, int]] = {}
        root_start, root_size = 0, 0
        directory = self._chain(first_directory)
        for at in range(0, len(directory) - 127, 128):
            length, kind = struct.unpack_from("<HB", directory, at + 64)
            if kind not in (1, 2, 5) or not 2 <= length <= 64:
                continue
            name = directory[at : at + length - 2].decode("utf-16-le")
            start, size = struct.unpack_from("<II", directory, at + 116)
            if kind == 5:
                root_start, root_size = start, size
            elif kind == 2:
                self.streams[name.lower()] = (start, size)
        small = self._chain(first_small) if first_small < LAST else b""
        self._small_fat = struct.unpack(f"<{len(small) // 4}I", small[: len(small) // 4 * 4])
        self._small = self._chain(root_start)[:root_size] if root_start < LAST else b""

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        block = self._bytes[start : start + self._size]
        if not block:
            raise damaged()
        return block

    def _chain(self, number: int) -> bytes:
        parts: list[bytes] = []
        while number < LAST:
            if len(parts) > len(self._bytes) // self._size + 1:
                raise damaged()
            parts.append(self._sector(number))
            number = self._fat[number]
        return b"".join(parts)

    def stream(self, name: str) -> bytes:
        """The bytes of a stream; KeyError where there is none."""
        start, size = self.streams[name.lower()]
        try:
            if size >= self._cutoff:
                return self._chain(start)[:size]
            parts: list[bytes] = []
            while start < LAST:
                if len(parts) > len(self._small_fat):
                    raise damaged()
                parts.append(self._small[start * 64 : start * 64 + 64])
                start = self._small_fat[start]
            return b"".join(parts)[:size]
        except IndexError:
            raise damaged() from None


def damaged() -> UnreadableFile:
    """The refusal for a container that does not hold together."""
    return UnreadableFile(
        "This workbook is damaged or cut off.", "Open it in Excel and save it as .xlsx.", code="damaged"
    )
