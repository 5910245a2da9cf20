"""Formats whose values `python-calamine` reads: .xls, with its own records beside it, and .xlsb."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Final

from valar_ui.jobs import Progress
from valar_ui.problems import Report
from valar_ui.readers import biff, numfmt, workbook
from valar_ui.readers.compound import Compound
from valar_ui.readers.reading import ReadOptions, Sheet, UnreadableFile
from valar_ui.readers.sheetxml import SheetFacts, SheetRow
from valar_ui.readers.xlsx import unescaped

MAX_AREA: Final = 20_000_000
"""Cells in the rectangle around all cells, which calamine keeps whole."""


CHILD: Final = Path(__file__).with_name("calamine_child.py")


def _ask(path: Path, sheet: str | None = None) -> Iterator[Any]:
    """What the child process answers; `UnreadableFile` where it refuses or dies."""
    command = [sys.executable, "-P", "-W", "ignore", str(CHILD), str(path.absolute())]
    if sheet is not None:
        # A damaged name may hold what no argument can: it goes as JSON in ASCII.
        command.append(json.dumps(sheet))
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=1 << 20
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            answer = json.loads(line)
            if answer == "password":
                raise UnreadableFile(
                    "This workbook is protected with a password (encrypted).",
                    "Save a copy without the password and upload that.",
                    code="password",
                )
            if answer == "damaged":
                raise _damaged()
            yield answer
        if process.wait() != 0:
            raise _damaged()
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def _damaged() -> UnreadableFile:
    return UnreadableFile(
        "This workbook cannot be read: it is damaged, or of a kind that Excel has not written since 1997.",
        "Open it in Excel and save it as .xlsx.",
        code="damaged",
    )


def cell_text(value: Any) -> str:
    """A value as the child process writes it, as text."""
    if isinstance(value, str):
        return unescaped(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float | int):
        return numfmt.plain(float(value))
    if isinstance(value, list):
        kind, *rest = value
        if kind == "datetime":
            return datetime.fromisoformat(rest[0]).isoformat(sep=" ", timespec="milliseconds").removesuffix(".000")
        if kind == "time":
            return time.fromisoformat(rest[0]).isoformat(timespec="milliseconds").removesuffix(".000")
        if kind == "timedelta":
            days = timedelta(*rest) / timedelta(days=1)
            return numfmt.when(days, numfmt.Kind.DURATION, epoch_1904=False) or ""
        return str(rest[0])
    return str(value)


def read_xls(
    path: Path, *, into: Path, options: ReadOptions, report: Report, progress: Progress | None
) -> workbook.Made:
    """A workbook of Excel 97-2003."""
    container = Compound(path)
    if "encryptedpackage" in container.streams:
        raise UnreadableFile(
            "This workbook is protected with a password (encrypted).",
            "Save a copy without the password and upload that.",
            code="password",
        )
    name = next((name for name in ("workbook", "book") if name in container.streams), None)
    if name is None:
        what = "a Word document" if "worddocument" in container.streams else "no Excel workbook"
        raise UnreadableFile(
            f"This file is {what}, although it is packed like one of Excel 97-2003.",
            "Save the table as .xlsx or CSV.",
            code="not-a-table",
        )
    stream = container.stream(name)
    book = biff.open_book(stream)
    places = {sheet.name: place for sheet, place in book.sheets}

    def open_sheet(name: str) -> workbook.Source:
        found = biff.read_sheet(stream, book, places[name])
        facts = SheetFacts(found.hidden_columns)
        return workbook.Source(lambda: _rows(path, name, found), found.merged, facts)

    return workbook.read_sheets(
        tuple(sheet for sheet, _ in book.sheets),
        open_sheet,
        into=into,
        options=options,
        report=report,
        progress=progress,
    )


def read_xlsb(
    path: Path, archive: zipfile.ZipFile, *, into: Path, options: ReadOptions, report: Report, progress: Progress | None
) -> workbook.Made:
    """A binary workbook: values only."""
    for part in archive.namelist():
        if part.lower().startswith("xl/worksheets/") and part.lower().endswith(".bin"):
            _refuse_far_cells(archive.read(part))
    sheets = tuple(Sheet(name, visible) for name, visible, has_cells in next(_ask(path), ()) if has_cells)
    return workbook.read_sheets(
        sheets,
        lambda name: workbook.Source(lambda: _rows(path, name, biff.XlsSheet())),
        into=into,
        options=options,
        report=report,
        progress=progress,
    )


def _refuse_far_cells(part: bytes) -> None:
    """Row headers (record 0) and cells (1 to 11) say how large the rectangle is that calamine would keep."""
    at = rows = columns = 0
    while at < len(part):
        kind, at = _variable(part, at, 2)
        length, at = _variable(part, at, 4)
        if kind <= 11 and length >= 4:
            place = int.from_bytes(part[at : at + 4], "little") + 1
            if kind:
                columns = max(columns, place)
            else:
                rows = max(rows, place)
        at += length
    if rows * columns > MAX_AREA:
        raise _too_far()


def _variable(part: bytes, at: int, most: int) -> tuple[int, int]:
    """A number in up to `most` bytes of seven bits, and where it ends."""
    value = 0
    for step in range(most):
        if at >= len(part):
            break
        byte = part[at]
        at += 1
        value |= (byte & 0x7F) << (7 * step)
        if byte < 0x80:
            break
    return value, at


def _too_far() -> UnreadableFile:
    return UnreadableFile(
        "The cells of this sheet lie too far apart.", "Delete the stray cells, or save it as .xlsx.", code="too-wide"
    )


def _rows(path: Path, name: str, found: biff.XlsSheet) -> Iterator[SheetRow]:
    """The rows as calamine reads them, and those of which only the records beside them know."""
    answers = _ask(path, name)
    start, end = next(answers, (None, None))
    texts, errors = found.texts, found.errors
    marked = _by_row(errors)
    blank = _by_row(found.blank)
    rounded = _by_row(found.rounded)
    row = -1
    if start is not None and end is not None:
        if (end[0] + 1) * (end[1] + 1) > MAX_AREA:
            raise _too_far()
        left = [""] * start[1]
        for row, values in enumerate(chain.from_iterable(answers)):
            cells = left + [cell_text(value) for value in values]
            if texts:
                cells = [texts.get((row, column), cell) if cell else cell for column, cell in enumerate(cells)]
            made = _marked(row, cells, found, marked.pop(row, []), blank.pop(row, []))
            made.rounded = rounded.get(row)
            yield made
    for below in sorted(at for at in {*marked, *blank} if at > row):
        yield _marked(below, [], found, marked.get(below, []), blank.get(below, []))


def _by_row(places: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """Columns of these cells, row by row."""
    found: dict[int, list[int]] = {}
    for row, column in sorted(places):
        found.setdefault(row, []).append(column)
    return found


def _marked(row: int, cells: list[str], found: biff.XlsSheet, wrong: list[int], blank: list[int]) -> SheetRow:
    """One row with its error cells; `row` counts from 0."""
    for column in wrong:
        cells.extend([""] * (column + 1 - len(cells)))
        cells[column] = found.errors[row, column]
    return SheetRow(row + 1, cells, row + 1 in found.hidden_rows, wrong or None, blank=blank or None)
