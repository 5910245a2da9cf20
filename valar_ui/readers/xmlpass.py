"""XML read as a stream of events, with no document type and so no entities that could grow."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import IO, Final
from xml.parsers import expat

from valar_ui.readers.reading import UnreadableFile

CHUNK: Final = 1 << 17
"""Bytes parsed at once."""

MAX_CELL: Final = 16_000_000
"""Characters in one cell."""

Attributes = dict[str, str]


def whole(text: str | None, otherwise: int) -> int:
    """A whole number as an attribute holds it; `otherwise` for anything else. More than ten digits count as ten."""
    if text is None or not (text.isascii() and text.isdigit()):
        return otherwise
    return int(text.lstrip("0")[:10] or 0)


def new_parser() -> expat.XMLParserType:
    """A parser that refuses document type declarations."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> None:
    raise UnreadableFile(
        "This workbook is refused: its XML declares entities, as attacks do and spreadsheets never.",
        "Open it in your spreadsheet program and save it anew.",
        code="xml-entities",
    )


def refuse_large(pieces: list[str]) -> None:
    """Called for each piece of a cell's text; raises where they have become too many characters."""
    if len(pieces) & 0xFF == 0 and sum(map(len, pieces)) > MAX_CELL:
        raise _too_large_cell()


def _too_large_cell() -> UnreadableFile:
    """The refusal for a cell that no spreadsheet program writes."""
    return UnreadableFile(
        "A cell of this workbook is larger than any spreadsheet or model takes.",
        "Check that this is the right file.",
        code="cell-too-large",
    )


def broken(where: str) -> UnreadableFile:
    """The refusal for XML that does not parse."""
    return UnreadableFile(
        f"This workbook is damaged: its part {where!r} cannot be read.",
        "Open it in Excel, let Excel repair it, and save it anew.",
        code="damaged",
    )


@lru_cache(maxsize=1_024)
def local(name: str) -> str:
    """A name without its namespace prefix."""
    return name.rpartition(":")[2]


def drive(parser: expat.XMLParserType, stream: IO[bytes], where: str) -> Iterator[None]:
    """Parse a stream chunk by chunk; yields after each so that the caller can take what was gathered."""
    try:
        while chunk := stream.read(CHUNK):
            parser.Parse(chunk, False)
            yield
        parser.Parse(b"", True)
        yield
    except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, OSError, LookupError, UnicodeDecodeError):
        raise broken(where) from None


def elements(archive: zipfile.ZipFile, where: str, see: Callable[[str, Attributes, tuple[str, ...]], None]) -> None:
    """Call `see(name, attributes, names above)` for each element of a small part; names without prefixes."""
    parser = new_parser()
    above: list[str] = []

    def start(name: str, attributes: Attributes) -> None:
        here = local(name)
        see(here, {local(key): value for key, value in attributes.items()}, tuple(above))
        above.append(here)

    def end(_: str) -> None:
        above.pop()

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    with archive.open(where) as stream:
        for _ in drive(parser, stream, where):
            pass
