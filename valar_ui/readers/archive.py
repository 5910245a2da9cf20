"""Zip archives looked at before anything parses them: true sizes, no bombs, no encryption."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Final

from valar_ui.readers.reading import UnreadableFile
from valar_ui.readers.source import BLOCK, MAX_UNPACKED

MAX_MEMBERS: Final = 20_000
"""Files in one workbook."""

MAX_RATIO: Final = 400
"""How much smaller than itself a large part may be packed; honest sheets stay below 100."""

LARGE: Final = 50_000_000
"""Bytes from which the ratio counts."""

FAULTS: Final = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError)
"""What opening a part of a damaged archive raises."""

LOCAL_HEADER: Final = struct.Struct("<4s5H3I2H")


def bomb() -> UnreadableFile:
    """The refusal for an archive that would fill the memory."""
    return UnreadableFile(
        "This file is refused: unpacked it would be larger than a spreadsheet ever is (more than "
        f"{MAX_UNPACKED // 10**6:,} MB, "
        "or packed in a way that only a zip bomb is).",
        "Open it in your spreadsheet program and save it anew.",
        code="zip-bomb",
    )


def damaged() -> UnreadableFile:
    """The refusal for an archive that does not unpack."""
    return UnreadableFile(
        "This file is damaged or cut off: it cannot be unpacked.",
        "Download or copy it again, or open it in Excel and save it anew.",
        code="damaged",
    )


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open and verify; the sizes that the archive names are true afterwards."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error, EOFError, UnicodeDecodeError):
        raise damaged() from None
    try:
        _verify(path, archive)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        archive.close()
        raise damaged() from None
    except BaseException:
        archive.close()
        raise
    return archive


def _verify(path: Path, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise bomb()
    total = 0
    for member in members:
        total += member.file_size
        ratio = member.file_size / max(member.compress_size, 1)
        if total > MAX_UNPACKED or (member.file_size > LARGE and ratio > MAX_RATIO):
            raise bomb()
        if member.header_offset < 0:
            raise damaged()
        if member.flag_bits & 1:
            raise UnreadableFile(
                "This file is protected with a password (encrypted).",
                "Save a copy without the password and upload that.",
                code="password",
            )
    with path.open("rb") as file:
        for member in members:
            if member.filename.lower().endswith((".xml", ".rels", ".bin", ".vml")) or not member.filename.count("."):
                _true_size(file, member)


def _true_size(file: IO[bytes], member: zipfile.ZipInfo) -> None:
    """Unpack once without keeping anything; `bomb` where more comes out than the archive says."""
    if member.compress_type == zipfile.ZIP_STORED:
        if member.compress_size != member.file_size:
            raise damaged()
        return
    if member.compress_type != zipfile.ZIP_DEFLATED:
        raise UnreadableFile(
            "This file is packed in an unusual way.", "Open it in Excel and save it anew.", code="unusual-packing"
        )
    file.seek(member.header_offset)
    header = file.read(LOCAL_HEADER.size)
    if len(header) < LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
        raise damaged()
    fields = LOCAL_HEADER.unpack(header)
    file.seek(fields[9] + fields[10], 1)
    inflate = zlib.decompressobj(-15)
    left, size = member.compress_size, 0
    try:
        while left > 0 and (block := file.read(min(left, BLOCK))):
            left -= len(block)
            while block:
                size += len(inflate.decompress(block, BLOCK))
                if size > member.file_size:
                    raise bomb()
                block = inflate.unconsumed_tail
    except zlib.error:
        raise damaged() from None
    if not inflate.eof or size != member.file_size:
        raise damaged()


def kind_of_archive(archive: zipfile.ZipFile) -> str:
    """xlsx, xlsb or ods; `UnreadableFile` for any other archive."""
    try:
        return _kind(archive)
    except (OSError, ValueError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError):
        raise damaged() from None


def _kind(archive: zipfile.ZipFile) -> str:
    names = {name.lower(): name for name in archive.namelist()}
    if "xl/workbook.bin" in names:
        return "xlsb"
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    if "content.xml" in names:
        with archive.open(names.get("mimetype", names["content.xml"])) as stream:
            start = stream.read(100)
        if b"opendocument.text" not in start and b"opendocument.presentation" not in start:
            return "ods"
    what = "a zip archive"
    hint = "Unpack it and upload the spreadsheet inside."
    if any(name.startswith("word/") for name in names):
        what, hint = "a Word document", "Copy its table into a spreadsheet."
    elif any(name.startswith("ppt/") for name in names):
        what, hint = "a PowerPoint presentation", "Copy its table into a spreadsheet."
    elif "index/document.iwa" in names or any(name.endswith(".iwa") for name in names):
        what, hint = "a Numbers document", "In Numbers, choose File, Export to, Excel."
    raise UnreadableFile(f"This file is {what}, no spreadsheet that can be read.", hint, code="not-a-table")
