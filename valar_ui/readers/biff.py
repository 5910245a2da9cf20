"""What a .xls says beside its values: sheets, hidden rows and columns, merges, errors, number formats."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from valar_ui.readers import numfmt
from valar_ui.readers.reading import Sheet, UnreadableFile
from valar_ui.readers.sheetxml import Area

ERRORS: Final = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}

BOF, EOF, FILEPASS, DATEMODE, FORMAT, XF, BOUNDSHEET = 0x0809, 0x000A, 0x002F, 0x0022, 0x041E, 0x00E0, 0x0085
ROW, COLINFO, MERGED, NUMBER, RK, MULRK, FORMULA, BOOLERR = (
    0x0208,
    0x007D,
    0x00E5,
    0x0203,
    0x027E,
    0x00BD,
    0x0006,
    0x0205,
)


@dataclass(slots=True)
class XlsSheet:
    """What one sheet's records say; rows and columns from 1 but in `texts`, where both count from 0."""

    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merged: list[Area] = field(default_factory=list)
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    """Numbers in a format that changes how they read."""
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    rounded: set[tuple[int, int]] = field(default_factory=set)
    """Integers of more than 15 digits."""
    blank: set[tuple[int, int]] = field(default_factory=set)
    """Formulas whose stored result is an empty text; none where any formula has another result."""
    calculated: bool = False
    """A formula has a result other than an empty text."""


@dataclass(slots=True)
class XlsBook:
    """The workbook's own records."""

    sheets: list[tuple[Sheet, int]] = field(default_factory=list)
    """Worksheets with the place of their first record."""
    epoch_1904: bool = False
    formats: list[numfmt.Format] = field(default_factory=list)
    modern: bool = True
    """BIFF8, of Excel 97 and later."""


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length


def open_book(stream: bytes) -> XlsBook:
    """Read the global records; `UnreadableFile` for an encrypted workbook."""
    book = XlsBook()
    codes: dict[int, str] = dict(numfmt.BUILT_IN)
    styles: list[int] = []
    try:
        for kind, body in _records(stream, 0):
            if kind == BOF:
                book.modern = struct.unpack_from("<H", body)[0] == 0x0600
            elif kind == FILEPASS:
                raise UnreadableFile(
                    "This workbook is protected with a password (encrypted).",
                    "Save a copy without the password and upload that.",
                    code="password",
                )
            elif kind == DATEMODE:
                book.epoch_1904 = struct.unpack_from("<H", body)[0] == 1
            elif kind == FORMAT:
                identity = struct.unpack_from("<H", body)[0]
                codes[identity] = _text(body, 2, wide=True) if book.modern else body[3:].decode("cp1252", "replace")
            elif kind == XF:
                styles.append(struct.unpack_from("<H", body, 2)[0])
            elif kind == BOUNDSHEET:
                place, state, sort = struct.unpack_from("<IBB", body)
                name = _text(body, 6, wide=False) if book.modern else body[7:].decode("cp1252", "replace")
                if sort == 0:
                    book.sheets.append((Sheet(name, state & 3 == 0), place))
            elif kind == EOF:
                break
    except struct.error:
        raise UnreadableFile(
            "This workbook is damaged.", "Open it in Excel and save it as .xlsx.", code="damaged"
        ) from None
    book.formats = [numfmt.parse(codes.get(style, "")) for style in styles]
    return book


def _text(body: bytes, at: int, *, wide: bool) -> str:
    """A counted string, its length in two bytes (wide) or one."""
    length = struct.unpack_from("<H" if wide else "<B", body, at)[0]
    at += 2 if wide else 1
    flags = body[at]
    raw = body[at + 1 :]
    return raw[: length * 2].decode("utf-16-le", "replace") if flags & 1 else raw[:length].decode("latin-1")


def read_sheet(stream: bytes, book: XlsBook, place: int) -> XlsSheet:
    """One pass over a sheet's records."""
    sheet = XlsSheet()
    depth = 0
    try:
        for kind, body in _records(stream, place):
            if kind == BOF:
                depth += 1
            elif kind == EOF:
                depth -= 1
                if depth <= 0:
                    break
            elif depth == 1:
                _take(kind, body, book, sheet)
    except struct.error:
        raise UnreadableFile(
            "This workbook is damaged.", "Open it in Excel and save it as .xlsx.", code="damaged"
        ) from None
    if sheet.calculated:
        sheet.blank.clear()
    return sheet


def _take(kind: int, body: bytes, book: XlsBook, sheet: XlsSheet) -> None:
    if kind == ROW:
        row, options = struct.unpack_from("<H", body)[0], struct.unpack_from("<H", body, 12)[0]
        if options & 0x20:
            sheet.hidden_rows.add(row + 1)
    elif kind == COLINFO:
        first, last, _, _, options = struct.unpack_from("<5H", body)
        if options & 1:
            sheet.hidden_columns.append((first + 1, last + 1))
    elif kind == MERGED:
        for at in range(struct.unpack_from("<H", body)[0]):
            top, bottom, left, right = struct.unpack_from("<4H", body, 2 + 8 * at)
            sheet.merged.append((top + 1, left + 1, bottom + 1, right + 1))
    elif kind == NUMBER:
        row, column, style = struct.unpack_from("<3H", body)
        _number(book, sheet, row, column, style, struct.unpack_from("<d", body, 6)[0])
    elif kind == RK:
        row, column, style = struct.unpack_from("<3H", body)
        _number(book, sheet, row, column, style, _rk(body, 6))
    elif kind == MULRK:
        row, first = struct.unpack_from("<2H", body)
        for step in range((len(body) - 6) // 6):
            style = struct.unpack_from("<H", body, 4 + 6 * step)[0]
            _number(book, sheet, row, first + step, style, _rk(body, 6 + 6 * step))
    elif kind == FORMULA:
        row, column, style = struct.unpack_from("<3H", body)
        empty = body[12:14] == b"\xff\xff" and body[6] == 3
        sheet.calculated |= not empty
        if empty:
            sheet.blank.add((row, column))
        elif body[12:14] != b"\xff\xff":
            _number(book, sheet, row, column, style, struct.unpack_from("<d", body, 6)[0])
        elif body[6] == 2:
            sheet.errors[row, column] = ERRORS.get(body[8], "#ERROR!")
    elif kind == BOOLERR:
        row, column, _ = struct.unpack_from("<3H", body)
        if body[7] == 1:
            sheet.errors[row, column] = ERRORS.get(body[6], "#ERROR!")


def _number(book: XlsBook, sheet: XlsSheet, row: int, column: int, style: int, value: float) -> None:
    form = book.formats[style] if style < len(book.formats) else numfmt.GENERAL
    if form.kind is not numfmt.Kind.GENERAL:
        sheet.texts[row, column] = numfmt.formatted(repr(value), form, epoch_1904=book.epoch_1904)
    elif numfmt.is_rounded(value):
        sheet.rounded.add((row, column))


def _rk(body: bytes, at: int) -> float:
    """A number packed into four bytes."""
    (packed,) = struct.unpack_from("<i", body, at)
    if packed & 2:
        value = float(packed >> 2)
    else:
        (value,) = struct.unpack("<d", b"\0\0\0\0" + struct.pack("<I", packed & 0xFFFFFFFC))
    return value / 100 if packed & 1 else value
