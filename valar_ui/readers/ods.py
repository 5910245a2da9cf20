"""OpenDocument spreadsheets as a stream of rows, repeats unrolled only where there is something in them."""

from __future__ import annotations

import re
import zipfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from valar_ui.readers import numfmt
from valar_ui.readers.reading import Sheet, UnreadableFile
from valar_ui.readers.sheetxml import MAX_COLUMNS, MAX_ROWS, Area, SheetFacts, SheetRow
from valar_ui.readers.xmlpass import Attributes, drive, local, new_parser, refuse_large, whole

CONTENT: Final = "content.xml"

MAX_CELLS: Final = 20_000_000
"""Cells that repeats may unroll to."""

TIME: Final = re.compile(r"(-?)P(?:(\d{1,9})D)?T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:[.,](\d+))?S)?")
ERROR: Final = re.compile(r"#[A-Z0-9/!?]+[!?A]|Err:\d+")


@dataclass(slots=True)
class Tables:
    """The sheets of a document."""

    sheets: list[Sheet] = field(default_factory=list)
    merged: dict[str, list[Area]] = field(default_factory=dict)


def open_tables(archive: zipfile.ZipFile) -> Tables:
    """Which sheets there are; `UnreadableFile` for an encrypted document."""
    names = archive.namelist()
    if "META-INF/manifest.xml" in names:
        with archive.open("META-INF/manifest.xml") as stream:
            if b"encryption-data" in stream.read(1 << 20):
                raise UnreadableFile(
                    "This spreadsheet is protected with a password (encrypted).",
                    "Save a copy without the password and upload that.",
                    code="password",
                )
    reader = _Reader(None)
    for _ in reader.run(archive):
        pass
    return reader.tables


def rows(archive: zipfile.ZipFile, name: str, facts: SheetFacts) -> Iterator[SheetRow]:
    """The rows of one sheet that hold something."""
    facts.hidden_columns.clear()
    reader = _Reader(name)
    reader.hidden_columns = facts.hidden_columns
    yield from reader.run(archive)


class _Reader:
    """Expat's handlers for content.xml; rows only of the table called `name`, all facts of the others."""

    def __init__(self, name: str | None) -> None:
        self.tables = Tables()
        self.hidden_columns: list[tuple[int, int]] = []
        self._name = name
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._table: str | None = None
        self._done: deque[SheetRow] = deque()
        self._number = self._column = self._columns = self._emitted = 0
        self._row = SheetRow(0, [])
        self._row_repeat = self._cell_repeat = 1
        self._cell: Attributes | None = None
        self._text: list[str] = []
        self._paragraphs = self._aside = self._depth = 0
        self._inside_text = 0

    def run(self, archive: zipfile.ZipFile) -> Iterator[SheetRow]:
        parser = new_parser()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        with archive.open(CONTENT) as stream:
            for _ in drive(parser, stream, CONTENT):
                while self._done:
                    yield self._done.popleft()

    def _start(self, name: str, attributes: Attributes) -> None:
        name = local(name)
        if self._aside:
            self._aside += 1
        elif name in ("annotation", "shapes", "tracked-changes", "frame", "custom-shape"):
            self._aside = 1
        elif name == "style":
            self._style = attributes.get("style:name", "")
        elif name == "table-properties" and attributes.get("table:display") == "false":
            self._hidden_styles.add(self._style)
        elif name == "table":
            self._begin_table(attributes)
        elif name == "table-column":
            self._begin_column(attributes)
        elif name == "table-row":
            self._row_repeat = _count(attributes.get("table:number-rows-repeated"))
            hidden = attributes.get("table:visibility") in ("collapse", "filter")
            self._row = SheetRow(self._number + 1, [], hidden)
            self._column = 0
        elif name in ("table-cell", "covered-table-cell"):
            self._cell = attributes
            self._cell_repeat = _count(attributes.get("table:number-columns-repeated"))
            self._text.clear()
            self._paragraphs = 0
        elif self._cell is not None:
            self._begin_text(name, attributes)

    def _begin_table(self, attributes: Attributes) -> None:
        self._depth += 1
        if self._depth > 1:
            return
        name = attributes.get("table:name", "")
        self._table = name
        self._number = self._columns = 0
        self.tables.sheets.append(Sheet(name, attributes.get("table:style-name", "") not in self._hidden_styles))

    def _begin_column(self, attributes: Attributes) -> None:
        count = _count(attributes.get("table:number-columns-repeated"))
        if attributes.get("table:visibility") in ("collapse", "filter") and self._table == self._name:
            self.hidden_columns.append((self._columns + 1, self._columns + count))
        self._columns += count

    def _begin_text(self, name: str, attributes: Attributes) -> None:
        if name == "p":
            if self._paragraphs:
                self._text.append("\n")
            self._paragraphs += 1
            self._inside_text += 1
        elif name == "s":
            self._text.append(" " * min(_count(attributes.get("text:c")), 10_000))
        elif name == "tab":
            self._text.append("\t")
        elif name == "line-break":
            self._text.append("\n")

    def _characters(self, piece: str) -> None:
        if self._inside_text and not self._aside:
            self._text.append(piece)
            refuse_large(self._text)

    def _end(self, name: str) -> None:
        if self._aside:
            self._aside -= 1
            return
        name = local(name)
        if name == "p" and self._cell is not None:
            self._inside_text = max(self._inside_text - 1, 0)
        elif name in ("table-cell", "covered-table-cell") and self._cell is not None:
            self._end_cell(self._cell)
            self._cell = None
        elif name == "table-row":
            self._end_row()
        elif name == "table":
            self._depth -= 1
            if not self._depth:
                self._table = None

    def _end_cell(self, cell: Attributes) -> None:
        column, self._column = self._column, self._column + self._cell_repeat
        if "table:number-rows-spanned" in cell or "table:number-columns-spanned" in cell:
            down, right = (
                _count(cell.get("table:number-rows-spanned")),
                _count(cell.get("table:number-columns-spanned")),
            )
            if down > 1 or right > 1:
                area = (self._number + 1, column + 1, self._number + down, column + right)
                self.tables.merged.setdefault(self._table or "", []).append(area)
        if self._name is None or self._table != self._name:
            return
        shown = "".join(self._text)
        text = _value(cell, shown)
        if not text and "table:formula" in cell and "office:value-type" not in cell:
            self._row.unknown = [*(self._row.unknown or ()), column]
        if not text:
            return
        if column + self._cell_repeat > MAX_COLUMNS:
            self._cell_repeat = max(MAX_COLUMNS - column, 0)
        cells = self._row.cells
        cells.extend([""] * (column - len(cells)))
        cells.extend([text] * self._cell_repeat)
        self._emitted += self._cell_repeat * self._row_repeat
        if self._emitted > MAX_CELLS:
            raise UnreadableFile(
                "This spreadsheet repeats its cells more often than a sheet has room for.",
                "Open it in your spreadsheet program and save it anew.",
                code="zip-bomb",
            )
        if cell.get("calcext:value-type") == "error" or ("table:formula" in cell and ERROR.fullmatch(text)):
            self._row.errors = [*(self._row.errors or ()), column]
        elif cell.get("office:value-type") == "float" and numfmt.is_rounded(
            _float(cell.get("office:value", "")) or 0.0
        ):
            self._row.rounded = [*(self._row.rounded or ()), column]

    def _end_row(self) -> None:
        row, repeat = self._row, self._row_repeat
        if self._depth == 1 and self._table == self._name and (row.cells or row.unknown):
            for step in range(min(repeat, MAX_ROWS - self._number)):
                number = self._number + 1 + step
                self._done.append(SheetRow(number, row.cells, row.hidden, row.errors, row.unknown, row.rounded))
        self._number += repeat


def _count(text: str | None) -> int:
    return max(whole(text, 1), 1)


def _value(cell: Attributes, shown: str) -> str:
    """The text of a cell: dates in ISO form, numbers with 15 digits unless they are shown in a way that says more."""
    kind = cell.get("office:value-type")
    if kind is None or kind == "string":
        return shown or cell.get("office:string-value", "")
    if kind == "boolean":
        return "TRUE" if cell.get("office:boolean-value") == "true" else "FALSE"
    if kind == "date":
        return cell.get("office:date-value", shown).replace("T", " ").removesuffix(".000000000")
    if kind == "time":
        return _time(cell.get("office:time-value", "")) or shown
    raw = cell.get("office:value")
    if raw is None or _float(raw) is None or ERROR.fullmatch(shown):
        return shown
    text, shown = numfmt.number(raw), shown.strip()
    if kind in ("percentage", "currency"):
        return shown or text
    plain = shown.replace(" ", "").replace("\u00a0", "").replace("\u202f", "")
    bare = re.fullmatch(r"[-−]?[\d.,'’]+(?:[eE][-+]?\d+)?", plain) is not None
    padded = re.fullmatch(r"0\d+(?:[.,]\d+)?", plain) is not None and float(plain.replace(",", ".")) == _float(raw)
    return shown if shown.strip("#") and (padded or not bare) else text


def _float(raw: str) -> float | None:
    """A number as OpenDocument writes it; None where a damaged file has something else there."""
    try:
        return float(raw)
    except ValueError:
        return None


def _time(text: str) -> str:
    match = TIME.fullmatch(text)
    if match is None:
        return ""
    sign, days, hours, minutes, seconds, fraction = match.groups()
    elapsed = int(days or 0) * 24 + int(hours or 0)
    rest = (fraction or "").rstrip("0")[:3]
    clock = f"{elapsed:02}:{int(minutes or 0):02}:{int(seconds or 0):02}"
    return sign + clock + (f".{rest}" if rest else "")
