"""Records by the block: Arrow parses a block whose quotes all stand in place, the careful reader any other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv

from valar_ui.jobs import Progress
from valar_ui.readers.delimited import Flaw, Records
from valar_ui.readers.dialect import WHOLE_LINE, Dialect
from valar_ui.readers.encodings import SINGLE_BYTE, Encoding, decode, open_text
from valar_ui.readers.reading import Record

BLOCK: Final = 1 << 21
"""Bytes parsed at once."""

MOST_BLOCKS: Final = 64
"""Blocks at most that are read with care after several in a row needed it."""

BOM: Final = b"\xef\xbb\xbf"
NEWLINE, RETURN = b"\n"[0], b"\r"[0]

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Bulk:
    """Consecutive records, all as wide as the table."""

    first: int
    """Number of the first record."""
    lines: npt.NDArray[np.int64]
    """Line in a text editor where each record begins."""
    cells: pa.RecordBatch

    def records(self) -> Iterator[Record]:
        """The same records one by one."""
        columns = [column.to_pylist() for column in self.cells.columns]
        for at, (line, *cells) in enumerate(zip(self.lines.tolist(), *columns, strict=True)):
            yield self.first + at, line, cells


def fits(encoding: Encoding, dialect: Dialect, *, utf8: bool) -> bool:
    """Whether a file can be read by the block at all: bytes are characters of ASCII, one quote, one delimiter."""
    known = (encoding.name == "utf-8" and utf8) or SINGLE_BYTE.fullmatch(encoding.name) is not None
    plain = not dialect.spaces and dialect.escape is None and dialect.delimiter != WHOLE_LINE
    return known and plain and len(dialect.delimiter) == 1 and dialect.delimiter.isascii() and dialect.quote.isascii()


class Blocks:
    """Reads the first records one by one and the rest by the block, once the table's width is known."""

    def __init__(
        self,
        path: Path,
        encoding: Encoding,
        dialect: Dialect,
        *,
        flaw: Flaw,
        skip_line: bool = False,
        progress: Progress | None = None,
    ) -> None:
        """`skip_line`: the first line is no record. Only for files that `fits` allows."""
        self._path = path
        self._encoding = encoding
        self._dialect = dialect
        self._flaw = flaw
        self._skip_line = skip_line
        self._progress = progress
        self._size = path.stat().st_size
        self._at = encoding.skip
        """Bytes that belong to records handed out."""
        self._number = 1
        self._line = 1

    def __iter__(self) -> Iterator[Record]:
        """Records one by one; `rest` goes on wherever this was left."""
        with self._text() as text:
            stream = _Counted(text, self._encoding)
            if self._skip_line:
                stream.readline()
                self._at, self._line = self._at + stream.bytes, 2
                stream.bytes = 0
            yield from self._careful(stream, None)

    def rest(self, width: int) -> Iterator[Record | Bulk]:
        """What is left, in records of `width` cells where they come in bulk; the next block is parsed meanwhile."""
        parser = _Parser(self._path, self._dialect, width, self._encoding)
        failures = 0
        with ThreadPoolExecutor(1, "parse") as pool:
            ahead = pool.submit(parser.parse, self._at, self._number, self._line)
            while self._at < self._size:
                if self._progress is not None:
                    self._progress(self._at / self._size)
                parsed = ahead.result()
                if parsed is None:
                    failures += 1
                    with self._text() as text:
                        enough = min(BLOCK << (failures - 1), MOST_BLOCKS * BLOCK)
                        yield from self._careful(_Counted(text, self._encoding), enough)
                else:
                    failures = 0
                    self._at += parsed.bytes
                    self._number += parsed.bulk.cells.num_rows
                    self._line += parsed.line_ends
                ahead = pool.submit(parser.parse, self._at, self._number, self._line)
                if parsed is not None:
                    yield parsed.bulk

    def _text(self) -> TextIO:
        return open_text(self._path, Encoding(self._encoding.name, skip=self._at))

    def _careful(self, stream: _Counted, enough: int | None) -> Iterator[Record]:
        """Records one by one until `enough` bytes are used, or all of them."""
        start = self._at
        records = Records(stream, self._dialect, flaw=self._flaw, first_line=self._line, first_number=self._number)
        for count, record in enumerate(records):
            self._number, self._line = record[0] + 1, records.next_line
            self._at = start + stream.bytes - sum(map(stream.size, records.ahead))
            if self._progress is not None and count % 1_000 == 0:
                self._progress(self._at / self._size)
            yield record
            if enough is not None and self._at - start >= enough and not records.by_hand:
                return
        self._at = self._size


class _Counted:
    """A text stream that knows how many bytes its lines took."""

    def __init__(self, stream: TextIO, encoding: Encoding) -> None:
        self._stream = stream
        self._wide = SINGLE_BYTE.fullmatch(encoding.name) is None
        self.bytes = 0

    def readline(self, limit: int = -1, /) -> str:
        line = self._stream.readline(limit)
        self.bytes += self.size(line)
        return line

    def size(self, line: str) -> int:
        """Bytes of a line in the file."""
        return len(line.encode()) if self._wide and not line.isascii() else len(line)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A block that was plain."""

    bulk: Bulk
    bytes: int
    line_ends: int


class _Parser:
    """Parses whole blocks; refuses those that the strict rules of CSV do not make plain."""

    def __init__(self, path: Path, dialect: Dialect, width: int, encoding: Encoding) -> None:
        names = [str(at) for at in range(width)]
        self._path = path
        self._quote = ord(dialect.quote)
        self._delimiter = ord(dialect.delimiter)
        self._encoding = encoding
        self._width = width
        self._parsing = arrow_csv.ParseOptions(
            delimiter=dialect.delimiter, quote_char=dialect.quote, newlines_in_values=True, ignore_empty_lines=False
        )
        self._reading = arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=4 * BLOCK)
        self._conversion = arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), null_values=[], strings_can_be_null=False, check_utf8=False
        )

    def parse(self, at: int, number: int, line: int) -> Parsed | None:
        """The whole records of the block that begins `at` a byte; None where somebody has to look closer."""
        with self._path.open("rb", buffering=0) as file:
            file.seek(at)
            block = file.read(BLOCK)
            last = len(block) < BLOCK or not file.read(1)
        if self._width < 2 or block.startswith(BOM):
            return None
        data = np.frombuffer(block, np.uint8)
        quotes = np.flatnonzero(data == self._quote)
        lines = np.flatnonzero(data == NEWLINE)
        ends = lines[np.searchsorted(quotes, lines) % 2 == 0] if len(quotes) else lines
        if last and len(quotes) % 2 == 0 and (not len(ends) or ends[-1] != len(block) - 1):
            ends = np.append(ends, len(block))
        if not len(ends):
            return None
        used = min(int(ends[-1]) + 1, len(block))
        quotes = quotes[: np.searchsorted(quotes, used)]
        part = block[:used]
        within = lines[: np.searchsorted(lines, used)]
        if not self._in_place(data[:used], quotes) or _lone_return(data[:used], within):
            return None
        if not part.isascii() and self._encoding.name != "utf-8":
            part = decode(part, self._encoding).encode()
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(part),
                read_options=self._reading,
                parse_options=self._parsing,
                convert_options=self._conversion,
            )
        except pa.ArrowInvalid:
            return None
        batches = table.to_batches()
        if len(batches) != 1 or batches[0].num_rows != len(ends):
            return None
        starts = np.searchsorted(lines, ends[:-1], side="right")
        bulk = Bulk(number, np.concatenate([[0], starts]).astype(np.int64) + line, batches[0])
        return Parsed(bulk, used, len(within))

    def _in_place(self, data: npt.NDArray[np.uint8], quotes: Places) -> bool:
        """Each quote opens a cell, closes one, or is doubled, as the strict reader of the standard library asks."""
        if not len(quotes):
            return True
        opening, closing = quotes[0::2], quotes[1::2]
        if len(opening) != len(closing):
            return False
        doubled = closing[:-1] + 1 == opening[1:]
        before = data[np.maximum(opening - 1, 0)]
        opens = (before == self._delimiter) | (before == NEWLINE) | (opening == 0)
        after = data[np.minimum(closing + 1, len(data) - 1)]
        closes = (after == self._delimiter) | (after == NEWLINE) | (after == RETURN) | (closing == len(data) - 1)
        opens[1:] |= doubled
        closes[:-1] |= doubled
        return bool(opens.all() and closes.all())


def _lone_return(data: npt.NDArray[np.uint8], lines: Places) -> bool:
    """A carriage return stands somewhere without a line feed (at one of `lines`) behind it."""
    after_return = data[np.maximum(lines - 1, 0)] == RETURN
    return bool(np.count_nonzero(data == RETURN) != np.count_nonzero(after_return))
