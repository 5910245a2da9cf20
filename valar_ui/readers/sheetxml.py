"""One sheet of a .xlsx as a stream of rows: texts as shown, errors, formulas without results, what is hidden."""

from __future__ import annotations

import re
import zipfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from valar_ui.readers import numfmt
from valar_ui.readers.reading import UnreadableFile
from valar_ui.readers.xlsx import Workbook, unescaped
from valar_ui.readers.xmlpass import CHUNK, Attributes, drive, new_parser, refuse_large, whole

MAX_ROWS: Final = 1_048_576
MAX_COLUMNS: Final = 16_384

NO_WIDTH: Final = ("0", "0.0")

Area = tuple[int, int, int, int]
"""First row, first column, last row, last column of a merged cell; all from 1."""


@dataclass(slots=True)
class SheetRow:
    """One row that the file mentions."""

    number: int
    cells: list[str]
    hidden: bool = False
    errors: list[int] | None = None
    """Columns (from 0) that show an error such as #N/A."""
    unknown: list[int] | None = None
    """Columns with a formula whose result the file does not hold."""
    rounded: list[int] | None = None
    """Columns with a number of more than 15 digits."""
    blank: list[int] | None = None
    """Columns with a formula whose stored result is an empty text, where no formula of the sheet has another."""
    lost: list[int] | None = None
    """Columns with a text that the file does not hold."""

    def unread(self) -> list[int]:
        """Columns that show something in Excel and nothing here."""
        return [*(self.unknown or ()), *(self.blank or ()), *(self.lost or ())]

    def marked(self) -> bool:
        """There is something to tell about a cell."""
        return bool(self.errors or self.rounded or self.unknown or self.blank or self.lost)


@dataclass(slots=True)
class SheetFacts:
    """What holds for the sheet; complete only when its rows are read to the end."""

    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    """First and last, from 1."""
    formulas: int = 0
    """Formulas with a result."""
    zeros: int = 0
    """Those whose result is 0."""
    recalculates: bool = False
    """Excel is asked to calculate everything when it opens the workbook."""

    @property
    def uncalculated(self) -> bool:
        """No formula has a result other than 0, and the program that wrote the file knew of none."""
        return self.recalculates and 0 < self.formulas == self.zeros


def column_of(reference: str) -> int:
    """Column from 0 of a reference such as AB12; -1 where it is none. No sheet has a column of more letters than 8."""
    column = 0
    for character in reference[:8]:
        if "A" <= character <= "Z":
            column = column * 26 + ord(character) - 64
        elif "a" <= character <= "z":
            column = column * 26 + ord(character) - 96
        else:
            break
    return column - 1


MERGE: Final = re.compile(rb"""mergeCell\s+ref\s*=\s*["']\$?([A-Z]{1,3})\$?(\d{1,7}):\$?([A-Z]{1,3})\$?(\d{1,7})["']""")


def merges(archive: zipfile.ZipFile, part: str) -> list[Area]:
    """The merged cells, which stand behind all rows."""
    tail = b""
    behind = False
    found: list[Area] = []
    with archive.open(part) as stream:
        while chunk := stream.read(CHUNK * 8):
            tail += chunk
            if not behind:
                at = tail.find(b"sheetData>", 0)
                while at >= 0 and tail[:at].rpartition(b"<")[2][:1] != b"/":
                    at = tail.find(b"sheetData>", at + 1)
                behind = at >= 0
                tail = tail[at:] if behind else tail[-100:]
            if behind:
                last = 0
                for match in MERGE.finditer(tail):
                    last = match.end()
                    left, top, right, bottom = match.groups()
                    area = int(top), column_of(left.decode()) + 1, int(bottom), column_of(right.decode()) + 1
                    found.append(area)
                    if len(found) >= 100_000:
                        return found
                tail = tail[max(last, len(tail) - 200) :]
    return found


def rows(archive: zipfile.ZipFile, part: str, workbook: Workbook, facts: SheetFacts) -> Iterator[SheetRow]:
    """Every row the sheet mentions, in order."""
    facts.hidden_columns.clear()
    facts.formulas = facts.zeros = 0
    facts.recalculates = workbook.recalculates
    reader = _SheetReader(workbook, facts)
    with archive.open(part) as stream:
        for _ in drive(reader.parser, stream, part):
            while reader.done:
                yield reader.done.popleft()


class _SheetReader:
    """Expat's handlers; `done` fills with rows."""

    def __init__(self, workbook: Workbook, facts: SheetFacts) -> None:
        self.done: deque[SheetRow] = deque()
        self.parser = new_parser()
        self._facts = facts
        self._install(workbook)

    def _install(self, workbook: Workbook) -> None:
        texts, formats, epoch = workbook.texts, workbook.formats, workbook.epoch_1904
        plain_styles = {str(at) for at, form in enumerate(formats) if form.kind is numfmt.Kind.GENERAL} | {""}
        columns: dict[str, int] = {}
        done, facts = self.done, self._facts
        row = SheetRow(0, [])
        cells = row.cells
        column = -1
        kind = style = ""
        value: list[str] = []
        inline: list[str] = []
        formula = filled = phonetic = False
        prefix: str | None = None
        take: list[str] | None = None

        def start(name: str, attributes: Attributes) -> None:
            nonlocal row, cells, column, kind, style, formula, filled, phonetic, prefix, take
            if prefix is None:
                prefix = name[: name.rfind(":") + 1]
            if prefix:
                name = name.removeprefix(prefix)
            if name == "c":
                reference = attributes.get("r")
                if reference is None:
                    column += 1
                else:
                    letters = reference.rstrip("0123456789")
                    place = columns.get(letters)
                    if place is None:
                        place = columns[letters] = column_of(letters)
                    column = place
                if not 0 <= column < MAX_COLUMNS:
                    raise _outside()
                kind = attributes.get("t", "")
                style = attributes.get("s", "")
                formula = filled = False
                value.clear()
                inline.clear()
            elif name == "v":
                take = value
            elif name == "row":
                place = whole(attributes.get("r"), row.number + 1)
                if place <= row.number or place > MAX_ROWS:
                    raise _outside()
                hidden = attributes.get("hidden") in ("1", "true") or (
                    attributes.get("ht") == "0" and attributes.get("customHeight") in ("1", "true")
                )
                cells = []
                row = SheetRow(place, cells, hidden)
                column = -1
            elif name == "t":
                take = None if phonetic else inline
            elif name == "f":
                formula = True
            elif name == "rPh":
                phonetic = True
            elif name == "col" and (attributes.get("hidden") in ("1", "true") or attributes.get("width") in NO_WIDTH):
                facts.hidden_columns.append((whole(attributes.get("min"), 1), whole(attributes.get("max"), 1)))

        def end(name: str) -> None:
            nonlocal take, phonetic, filled
            if prefix:
                name = name.removeprefix(prefix)
            if name == "v":
                take = None
                filled = True
            elif name == "t":
                take = None
            elif name == "rPh":
                phonetic = False
            elif name == "c":
                text = finish()
                if text:
                    gap = column - len(cells)
                    if gap > 0:
                        cells.extend([""] * gap)
                    if gap >= 0:
                        cells.append(text)
                    else:
                        cells[column] = text
            elif name == "row":
                done.append(row)

        def finish() -> str:
            raw = value[0] if len(value) == 1 else "".join(value)
            if kind == "s":
                try:
                    at = int(raw)
                    if at >= 0:
                        return texts[at]
                except (ValueError, IndexError):
                    pass
                row.lost = [*(row.lost or ()), column]
                return ""
            if kind == "" or kind == "n":
                if not raw.strip():
                    if formula:
                        row.unknown = [*(row.unknown or ()), column]
                    return ""
                raw = raw.strip()
                if formula:
                    facts.formulas += 1
                    facts.zeros += raw == "0"
                if style in plain_styles:
                    if len(raw) > 15 and _long(raw):
                        row.rounded = [*(row.rounded or ()), column]
                    return numfmt.number(raw)
                at = whole(style, len(formats))
                form = formats[at] if at < len(formats) else numfmt.GENERAL
                return numfmt.formatted(raw, form, epoch_1904=epoch)
            if formula:
                if not filled:
                    row.unknown = [*(row.unknown or ()), column]
                    return ""
                facts.formulas += 1
            if kind == "inlineStr":
                return unescaped("".join(inline))
            if kind == "b":
                return {"1": "TRUE", "0": "FALSE", "true": "TRUE", "false": "FALSE"}.get(raw.strip(), raw)
            if kind == "e":
                row.errors = [*(row.errors or ()), column]
                return raw or "#ERROR!"
            if kind == "d":
                return _iso(raw)
            return unescaped(raw)

        def text(piece: str) -> None:
            if take is not None:
                take.append(piece)
                refuse_large(take)

        self.parser.StartElementHandler = start
        self.parser.EndElementHandler = end
        self.parser.CharacterDataHandler = text


def _iso(raw: str) -> str:
    """An ISO date of a strict workbook, without a midnight that was not meant."""
    return raw.strip().replace("T", " ").removesuffix("Z").removesuffix(".000").removesuffix(" 00:00:00")


def _long(raw: str) -> bool:
    """An integer of more than 15 digits."""
    try:
        return numfmt.is_rounded(float(raw))
    except ValueError:
        return False


def _outside() -> UnreadableFile:
    return UnreadableFile(
        "This workbook is damaged: it names cells outside any sheet or rows out of order.",
        "Open it in Excel, let Excel repair it, and save it anew.",
        code="damaged",
    )
