"""Looks at every cell on its way to the disk: what cannot be seen, what was cut, what lost its digits."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from valar_ui.problems import Problem, Report, Severity
from valar_ui.table import Table

EXCEL_CELL: Final = 32_767
"""Characters that an Excel cell holds; longer text is cut there."""

SCIENTIFIC: Final = re.compile(r"[+-]?\d(?:[.,]\d+)?[eE]\+?(\d{1,3})")
SHORT: Final = 24
"""Characters up to which a cell may be a number."""

PLUS: Final = ord("+")
SPACE: Final = ord(" ")

IS_CONTROL: Final = np.isin(np.arange(SPACE), [0, *b"\t\n\r"], invert=True)
"""Which bytes below a space are neither NUL nor white space that people type."""

INTEGER: Final = re.compile(r"[+-]?\d+")
NUMBER: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?")

REPLACEMENT: Final = 0xEFBFBD
JOINERS: Final = (0xE2808C, 0xE2808D)
INVISIBLE: Final = {
    **{0xE2808B + step: "a zero-width character" for step in range(3)},
    0xE2808E: "a mark that changes the direction of writing",
    0xE2808F: "a mark that changes the direction of writing",
    **{0xE280AA + step: "a mark that changes the direction of writing" for step in range(5)},
    **{0xE281A0 + step: "an invisible character" for step in range(5)},
    **{0xE281A6 + step: "a mark that changes the direction of writing" for step in range(4)},
    0xEFBBBF: "an invisible byte order mark",
    0xE1A08E: "an invisible character",
    REPLACEMENT: "a character that could not be read",
}
"""UTF-8 bytes as one number, and what they are in words."""

LEADS: Final = tuple(sorted({code >> 16 for code in INVISIBLE}))
"""Bytes with which one of them may begin."""

IS_INVISIBLE: Final = np.zeros((16, 64, 64), dtype=bool)
"""The same by the bits that UTF-8 leaves free in each of the three bytes."""

for _code in INVISIBLE:
    IS_INVISIBLE[_code >> 16 & 0x0F, _code >> 8 & 0x3F, _code & 0x3F] = True

PIECE: Final = 1 << 18
"""Bytes searched at a time: what comes of them stays in the processor's cache, which takes a third of the time."""

Bytes = npt.NDArray[np.uint8]


class Watch:
    """Sees each batch of a table being written and reports what is in its cells."""

    def __init__(self, columns: tuple[str, ...], report: Report, *, guessed: bool = False) -> None:
        """`guessed`: the encoding is a guess, so every cell beyond ASCII is named."""
        self._columns = columns
        self._report = report
        self._guessed = guessed
        self._scientific: dict[int, list[tuple[int, str]]] = {}
        self.foreign_cells = 0
        """Cells beyond ASCII, counted where the encoding is a guess."""

    def __call__(self, batch: pa.RecordBatch) -> None:
        """Look at one batch as `TableWriter` writes it."""
        numbers = batch.column(0)
        for at in range(len(self._columns)):
            array = batch.column(at + 2)
            _, offsets_buffer, data_buffer = array.buffers()
            if data_buffer is None or not data_buffer.size:
                continue
            offsets = np.frombuffer(offsets_buffer, dtype=np.int32)[: len(array) + 1]
            data: Bytes = np.frombuffer(data_buffer, dtype=np.uint8)[: offsets[-1]]
            if not len(data):
                continue
            self._lengths(at, numbers, array, offsets)
            self._characters(at, numbers, array, offsets, data)
            if np.diff(offsets).min() > SHORT:
                continue
            for row in _rows(offsets, np.flatnonzero(data == PLUS)):
                if offsets[row + 1] - offsets[row] <= SHORT and SCIENTIFIC.fullmatch(text := array[row].as_py()):
                    self._scientific.setdefault(at, []).append((numbers[row].as_py(), text))

    def _lengths(self, at: int, numbers: pa.Array, array: pa.Array, offsets: npt.NDArray[np.int32]) -> None:
        lengths = np.diff(offsets)
        if lengths.max() < EXCEL_CELL:
            return
        for row in np.flatnonzero(lengths >= EXCEL_CELL).tolist():
            text = array[row].as_py()
            if len(text.encode("utf-16-le")) // 2 == EXCEL_CELL or len(text) == EXCEL_CELL:
                self._report.add(
                    Problem(
                        "cell-cut",
                        f"This cell has exactly {EXCEL_CELL:,} characters: Excel cuts longer text there, so "
                        "its end may be missing.",
                        "Compare it with where the text came from; export from there without Excel.",
                        numbers[row].as_py(),
                        self._columns[at],
                        Severity.WARNING,
                    )
                )

    def _characters(
        self, at: int, numbers: pa.Array, array: pa.Array, offsets: npt.NDArray[np.int32], data: Bytes
    ) -> None:
        if data.min() < SPACE:
            low = np.flatnonzero(data < SPACE)
            codes = data[low]
            for row in _rows(offsets, low[codes == 0]):
                self._flag("nul-character", "an invisible NUL character", numbers[row].as_py(), at)
            for row in _rows(offsets, low[IS_CONTROL[codes]]):
                self._flag("control-character", "an invisible control character", numbers[row].as_py(), at)
        if data.max() < 0x80:
            return
        if self._guessed:
            rows = _rows(offsets, np.flatnonzero(data >= 0x80))
            self.foreign_cells += len(rows)
            for row in rows:
                self._report.add(
                    Problem(
                        "guessed-characters",
                        f"Characters beyond plain ASCII, read with a guessed encoding: {_excerpt(array[row].as_py())}",
                        "If it looks wrong, choose another encoding.",
                        numbers[row].as_py(),
                        self._columns[at],
                        Severity.NOTE,
                    )
                )
        seen: set[tuple[int, str]] = set()
        for place, code in _invisible(data):
            what = INVISIBLE[code]
            row = int(np.searchsorted(offsets, place, side="right")) - 1
            if (row, what) not in seen:
                seen.add((row, what))
                kind = "unreadable-character" if code == REPLACEMENT else "invisible-character"
                self._flag(kind, what, numbers[row].as_py(), at)

    def _flag(self, code: str, what: str, row: int, at: int) -> None:
        hint = "It is sent as it stands; delete it in the spreadsheet if it is not meant."
        if code == "unreadable-character":
            hint = "The text was damaged when the file was saved, or the encoding is another one."
        self._report.add(Problem(code, f"This cell holds {what}.", hint, row, self._columns[at], Severity.WARNING))

    def finish(self, table: Table) -> None:
        """Tell where scientific notation stands in a column of integers: those digits are lost."""
        for at, hits in self._scientific.items():
            name = self._columns[at]
            integers = numbers = 0
            for chunk in table.chunks([name]):
                for text in chunk.columns[name]:
                    if len(text) <= SHORT and text:
                        integers += INTEGER.fullmatch(text) is not None
                        numbers += NUMBER.fullmatch(text) is not None
                if numbers > 10_000:
                    break
            for row, text in hits:
                if (integers and integers >= 0.8 * numbers) or (not numbers and _lost(text)):
                    self._report.add(
                        Problem(
                            "scientific-notation",
                            f"{text} is a number that was shortened (scientific notation) when the file was saved: "
                            "its last digits are lost.",
                            "Widen the column or format it as text where the file comes from, and export it again.",
                            row,
                            name,
                            Severity.WARNING,
                        )
                    )


def _lost(text: str) -> bool:
    match = SCIENTIFIC.fullmatch(text)
    return match is not None and int(match.group(1)) >= 11


def _invisible(data: Bytes) -> list[tuple[int, int]]:
    """Where characters stand that cannot be seen, and which they are.

    A joiner inside a word of a script beyond ASCII is none: it belongs to the spelling.
    """
    places = np.concatenate([_leads(data[start : start + PIECE]) + start for start in range(0, len(data), PIECE)])
    places = places[IS_INVISIBLE[data[places] & 0x0F, data[places + 1] & 0x3F, data[places + 2] & 0x3F]]
    if not len(places):
        return []
    codes = data[places].astype(np.uint32) << 16 | data[places + 1].astype(np.uint32) << 8 | data[places + 2]
    before = np.where(places > 0, data[np.maximum(places - 1, 0)], 0)
    after = np.where(places + 3 < len(data), data[np.minimum(places + 3, len(data) - 1)], 0)
    hit = ~np.isin(codes, JOINERS) | (before < 0x80) | (after < 0x80)
    return list(zip(places[hit].tolist(), codes[hit].tolist(), strict=True))


def _leads(piece: Bytes) -> npt.NDArray[np.intp]:
    found = piece == LEADS[0]
    for lead in LEADS[1:]:
        found |= piece == lead
    return np.flatnonzero(found)


def _rows(offsets: npt.NDArray[np.int32], places: npt.NDArray[np.intp]) -> list[int]:
    if not len(places):
        return []
    rows: list[int] = np.unique(np.searchsorted(offsets, places, side="right") - 1).tolist()
    return rows


def _excerpt(text: str) -> str:
    """About 40 characters around the first one beyond ASCII."""
    at = next((place for place, character in enumerate(text) if ord(character) > 0x7F), 0)
    start = max(at - 20, 0)
    return ("…" if start else "") + text[start : at + 20] + ("…" if at + 20 < len(text) else "")
