"""Which bytes mean which characters: byte order marks, UTF-8, and a guess that says it is one."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Final

from valar_ui.readers.plausible import likeliest
from valar_ui.readers.reading import UnreadableFile
from valar_ui.readers.source import BLOCK

SAMPLE: Final = 1 << 18
"""Bytes looked at for a guess."""

BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

SEVEN_BIT: Final = ((b"\x1b$)C", "iso2022_kr"), (b"\x1b$B", "iso2022_jp"), (b"\x1b$@", "iso2022_jp"))
"""What switches an ASCII file to Korean or Japanese (RFC 1557, RFC 1468)."""

NAMES: Final = {
    "utf-8": "UTF-8",
    "cp1252": "Windows-1252 (Western European)",
    "cp1250": "Windows-1250 (Central European)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1257": "Windows-1257 (Baltic)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 (little endian)",
    "utf-16-be": "UTF-16 (big endian)",
    "mac_roman": "Mac Roman",
    "cp850": "DOS 850 (Western European)",
    "cp852": "DOS 852 (Central European)",
    "cp866": "DOS 866 (Cyrillic)",
    "latin-1": "ISO 8859-1 (Western European)",
    "iso8859-2": "ISO 8859-2 (Central European)",
    "iso8859-7": "ISO 8859-7 (Greek)",
    "iso8859-9": "ISO 8859-9 (Turkish)",
    "iso8859-15": "ISO 8859-15 (Western European)",
    "koi8_r": "KOI8-R (Cyrillic)",
    "cp932": "Shift-JIS (Japanese)",
    "euc_jp": "EUC-JP (Japanese)",
    "gb18030": "GB18030 (Chinese)",
    "cp950": "Big5 (Traditional Chinese)",
    "big5hkscs": "Big5-HKSCS (Hong Kong)",
    "cp949": "EUC-KR (Korean)",
}
"""The encodings a page offers, with the names people know."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to decode a file."""

    name: str
    guessed: bool = False
    skip: int = 0
    """Bytes of the byte order mark."""
    damaged: bool = False
    """Meant to be UTF-8, but some bytes are not; they become U+FFFD."""

    @property
    def label(self) -> str:
        """The name people know."""
        return NAMES.get(self.name, self.name)


def _byte_as_latin_1(fault: UnicodeError) -> tuple[str, int]:
    if isinstance(fault, UnicodeDecodeError):
        return fault.object[fault.start : fault.end].decode("latin-1"), fault.end
    raise fault


codecs.register_error("valar-latin-1", _byte_as_latin_1)

SINGLE_BYTE: Final = re.compile(r"cp(?:125\d|85[02]|866)|iso8859[-_]\d+|latin[-_]?1|mac_\w+|koi8_\w")


def chosen(name: str, head: bytes) -> Encoding:
    """The encoding a person named; `UnreadableFile` where Python knows none of that name."""
    try:
        info = codecs.lookup(name.strip())
        known = info.name if "x".encode(info.name) is not None else name
    except (LookupError, ValueError, TypeError):
        raise UnreadableFile(
            f"No encoding is called {name!r}.", "Try utf-8, cp1252, utf-16 or shift_jis.", code="unknown-encoding"
        ) from None
    known = {"utf-8-sig": "utf-8", "iso8859-1": "latin-1", "shift_jis": "cp932", "big5": "cp950"}.get(known, known)
    known = known if known in NAMES else {it.replace("_", "-"): it for it in NAMES}.get(known, known)
    for bom, marked in BOMS:
        if head.startswith(bom) and (marked == known or known in ("utf-16", "utf-32")):
            return Encoding(marked, skip=len(bom))
    return Encoding({"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(known, known))


def decide(path: Path, *, utf8: bool, option: str | None = None) -> Encoding:
    """The byte order mark, where the zero bytes fall, strict UTF-8, else a guess."""
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    if option is not None:
        return chosen(option, head)
    for bom, name in BOMS:
        if head.startswith(bom):
            return Encoding(name, skip=len(bom), damaged=name == "utf-8" and not utf8)
    if wide := _utf32(head) or _utf16(head):
        return Encoding(wide)
    if utf8:
        for switch, name in SEVEN_BIT:
            if switch in head:
                return Encoding(name, guessed=True)
        return Encoding("utf-8")
    return _guess(_telling(path), head)


def _utf32(head: bytes) -> str | None:
    """UTF-32 without a mark: of four bytes, one is always zero, one nearly always and one mostly."""
    quarter = len(head) // 4
    zeros = [head[at : quarter * 4 : 4].count(0) for at in range(4)]
    for name, (low, second, third, high) in (("utf-32-le", zeros), ("utf-32-be", reversed(zeros))):
        if quarter >= 2 and high == quarter and third >= 0.9 * quarter and low <= 0.02 * quarter <= second:
            return name
    return None


def _utf16(head: bytes) -> str | None:
    """UTF-16 without a mark: at least four fifths of every other byte are zero, none of the rest."""
    half = len(head) // 2
    even, odd = head[0 : half * 2 : 2].count(0), head[1 : half * 2 : 2].count(0)
    if half >= 2 and odd >= 0.7 * half and even <= 0.02 * half:
        return "utf-16-le"
    if half >= 2 and even >= 0.7 * half and odd <= 0.02 * half:
        return "utf-16-be"
    return None


def _telling(path: Path) -> bytes:
    """Up to `SAMPLE` bytes of the lines that are not ASCII."""
    found: list[bytes] = []
    size = 0
    rest = b""
    with path.open("rb") as file:
        while size < SAMPLE and (block := file.read(BLOCK)):
            lines = re.split(rb"[\r\n]", rest + block)
            rest = lines.pop()[:SAMPLE]
            for line in lines:
                if not line.isascii():
                    found.append(line)
                    size += len(line)
    if size < SAMPLE and not rest.isascii():
        found.append(rest)
    return b"\n".join(found)[: SAMPLE * 2]


UTF8_CHARACTER: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
HIGH: Final = re.compile(rb"[\x80-\xff]")


def _guess(text: bytes, head: bytes) -> Encoding:
    high = len(HIGH.findall(text))
    in_utf8 = sum(map(len, UTF8_CHARACTER.findall(text)))
    if high and in_utf8 >= 0.9 * high:
        return Encoding("utf-8", guessed=True, damaged=True)
    if b"\r" in head and b"\n" not in head:
        return Encoding("mac_roman", guessed=True)
    return Encoding(likeliest(text), guessed=True)


def _errors(encoding: Encoding) -> str:
    return "valar-latin-1" if SINGLE_BYTE.fullmatch(encoding.name) else "replace"


def decode(block: bytes, encoding: Encoding) -> str:
    """The characters of whole bytes, never failing on one."""
    return block.decode(encoding.name, _errors(encoding))


def open_bytes(path: Path, encoding: Encoding) -> BinaryIO:
    """Open for reading after the byte order mark."""
    file = path.open("rb", buffering=BLOCK)
    file.seek(encoding.skip)
    return file


def open_text(path: Path, encoding: Encoding) -> TextIOWrapper:
    """Open for reading after the byte order mark, line ends as they are, never failing on a byte."""
    text = TextIOWrapper(open_bytes(path, encoding), encoding=encoding.name, errors=_errors(encoding), newline="")
    text._CHUNK_SIZE = BLOCK  # type: ignore[attr-defined]  # 8 KB by default, which costs a third of the time
    return text
