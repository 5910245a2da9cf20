"""The uploaded rows: every cell text as typed, row numbers as the spreadsheet shows them, Arrow on disk."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

CHUNK_ROWS: Final = 2_000
"""Rows gathered before they are written; also the unit of streaming."""

CHUNK_BYTES: Final = 1_000_000
"""Characters gathered before they are written, so that a few huge cells do not pile up."""

CELL_BYTES: Final = 8
"""What a cell counts at least towards `CHUNK_BYTES`, so that very wide rows do not pile up either."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of consecutive rows, column by column."""

    start: int
    """Index of the first row in the table, from 0."""
    numbers: list[int]
    """Row numbers as the spreadsheet shows them."""
    lines: list[int]
    """Lines in a text editor where the records begin; 0 where there is no such thing."""
    columns: dict[str, list[str]]
    """The columns asked for, each as long as `numbers`."""

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True, slots=True)
class Slice:
    """A run of consecutive rows as Arrow arrays, of which Python objects are made only when asked for."""

    start: int
    """Index of the first row in the table, from 0."""
    numbers: pa.Array
    lines: pa.Array
    columns: dict[str, pa.Array]

    def chunk(self) -> Chunk:
        """The same as lists."""
        columns = {name: column.to_pylist() for name, column in self.columns.items()}
        return Chunk(self.start, self.numbers.to_pylist(), self.lines.to_pylist(), columns)


class Table:
    """Random access for previews, streams for work; opening one reads no cell.

    The file is an Arrow IPC file with columns `n` (row number), `l` (line) and `0`, `1`, … (cells).
    """

    def __init__(self, path: Path) -> None:
        """Memory-map `path`, which `TableWriter` wrote."""
        self.path = path
        self._file = pa.ipc.open_file(pa.memory_map(str(path), "r"))
        metadata = self._file.schema
        self.columns: tuple[str, ...] = tuple(
            field.metadata[b"name"].decode() for field in metadata if field.metadata and b"name" in field.metadata
        )
        self._position = {name: str(at) for at, name in enumerate(self.columns)}
        told = path.stat()
        self._starts, self._first_numbers = _index(path, told.st_mtime_ns, told.st_size)

    def __len__(self) -> int:
        return self._starts[-1]

    def _locate(self, index: int) -> tuple[pa.RecordBatch, int]:
        if not 0 <= index < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        at = bisect_left(self._starts, index + 1) - 1
        return self._file.get_batch(at), index - self._starts[at]

    def row(self, index: int) -> tuple[str, ...]:
        """The cells of one row, by its index from 0; IndexError outside the table."""
        batch, at = self._locate(index)
        return tuple(batch.column(str(column))[at].as_py() for column in range(len(self.columns)))

    def number(self, index: int) -> int:
        """The row number the spreadsheet shows for an index."""
        batch, at = self._locate(index)
        number: int = batch.column("n")[at].as_py()
        return number

    def numbers(self) -> npt.NDArray[np.uint64]:
        """The row numbers of all rows, in order: 8 bytes a row."""
        file = self._stream(())
        batches = [file.get_batch(at).column("n").to_numpy() for at in range(file.num_record_batches)]
        return np.concatenate([np.empty(0, np.uint64), *batches]).astype(np.uint64)

    def line(self, index: int) -> int | None:
        """The line in a text editor where the row begins, where that is known."""
        batch, at = self._locate(index)
        return batch.column("l")[at].as_py() or None

    def index_of(self, number: int) -> int | None:
        """The index of a spreadsheet row number, or None where the table has no such row."""
        at = bisect_left(self._first_numbers, number + 1) - 1
        if at < 0:
            return None
        found = pc.index(self._file.get_batch(at).column("n"), pa.scalar(number, pa.int64())).as_py()
        return None if found < 0 else self._starts[at] + found

    def _stream(self, columns: Sequence[str]) -> pa.ipc.RecordBatchFileReader:
        """A reader for a whole pass: mapped pages would stay in memory, what it reads is let go batch by batch."""
        fields = sorted({0, 1, *(2 + int(self._position[name]) for name in columns)})
        options = pa.ipc.IpcReadOptions(included_fields=fields)
        return pa.ipc.open_file(pa.OSFile(str(self.path)), options=options)

    def chunks(
        self, columns: Sequence[str] | None = None, *, start: int = 0, stop: int | None = None
    ) -> Iterator[Chunk]:
        """Stream rows `start` to `stop` with the named columns (all by default), in order."""
        return (part.chunk() for part in self.slices(columns, start=start, stop=stop))

    def slices(
        self, columns: Sequence[str] | None = None, *, start: int = 0, stop: int | None = None
    ) -> Iterator[Slice]:
        """As `chunks`, without making Python objects."""
        names = self.columns if columns is None else tuple(columns)
        stop = len(self) if stop is None else min(stop, len(self))
        file = self._stream(names)
        for at in range(file.num_record_batches):
            low, high = max(start, self._starts[at]), min(stop, self._starts[at + 1])
            if low < high:
                batch = file.get_batch(at).slice(low - self._starts[at], high - low)
                yield Slice(
                    low,
                    batch.column("n"),
                    batch.column("l"),
                    {name: batch.column(self._position[name]) for name in names},
                )


@lru_cache(maxsize=64)
def _index(path: Path, _changed: int, _size: int) -> tuple[list[int], list[int]]:
    """Where each batch begins (and the last ends), and its first row number: a table is opened at every click."""
    starts, numbers = [0], []
    with pa.memory_map(str(path), "r") as source:
        file = pa.ipc.open_file(source)
        for at in range(file.num_record_batches):
            batch = file.get_batch(at)
            numbers.append(batch.column("n")[0].as_py())
            starts.append(starts[-1] + batch.num_rows)
    return starts, numbers


def _texts(cells: Sequence[str]) -> pa.Array:
    try:
        return pa.array(cells, pa.string())
    except UnicodeEncodeError:
        return pa.array([cell.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for cell in cells])


class TableWriter:
    """Write a table row by row; the file appears under its name only when the `with` block ends well.

    `watch`, where given, sees each batch just before it is written: that is how readers look at every cell.
    """

    def __init__(
        self, path: Path, columns: Sequence[str], *, watch: Callable[[pa.RecordBatch], None] | None = None
    ) -> None:
        """Columns must be unique."""
        if len(set(columns)) != len(columns):
            raise ValueError("column names must be unique")
        self._path = path
        self._partial = path.with_suffix(".partial")
        fields = [pa.field("n", pa.int64()), pa.field("l", pa.int64())]
        fields += [pa.field(str(at), pa.string(), metadata={"name": name}) for at, name in enumerate(columns)]
        self._schema = pa.schema(fields)
        self._writer = pa.ipc.new_file(str(self._partial), self._schema)
        self._disk = ThreadPoolExecutor(1, "table")
        self._writing: Future[None] | None = None
        self._numbers: list[int] = []
        self._lines: list[int] = []
        self._rows: list[Sequence[str]] = []
        self._characters = 0
        self._width = len(columns)
        self._watch = watch
        self.rows = 0
        """Rows appended so far."""

    def append(self, number: int, line: int, cells: Sequence[str]) -> None:
        """Add one row; `cells` has one text per column, `line` is 0 where there is none.

        A half of a UTF-16 surrogate pair, which UTF-8 cannot hold, is stored as U+FFFD.
        """
        self._numbers.append(number)
        self._lines.append(line)
        self._rows.append(cells)
        self._characters += sum(map(len, cells)) + CELL_BYTES * self._width
        self.rows += 1
        if len(self._rows) >= CHUNK_ROWS or self._characters >= CHUNK_BYTES:
            self._flush()

    def append_batch(self, numbers: pa.Array, lines: pa.Array, cells: Sequence[pa.Array]) -> None:
        """Add many rows at once: 64-bit integers, and one array of UTF-8 texts without nulls per column."""
        self._flush()
        batch = pa.record_batch([numbers, lines, *cells], schema=self._schema)
        if self._watch is not None:
            self._watch(batch)
        for start in range(0, len(numbers), CHUNK_ROWS):
            self._write(batch.slice(start, CHUNK_ROWS))
        self.rows += len(numbers)

    def _flush(self) -> None:
        if not self._rows:
            return
        columns = list(zip(*self._rows, strict=True)) if self._width else []
        arrays = [pa.array(self._numbers, pa.int64()), pa.array(self._lines, pa.int64())]
        arrays += [_texts(cells) for cells in columns]
        batch = pa.record_batch(arrays, schema=self._schema)
        if self._watch is not None:
            self._watch(batch)
        self._write(batch)
        self._numbers, self._lines, self._rows, self._characters = [], [], [], 0

    def _write(self, batch: pa.RecordBatch) -> None:
        """Hand a batch to the thread that writes, once it is done with the one before."""
        if self._writing is not None:
            self._writing.result()
        self._writing = self._disk.submit(self._writer.write_batch, batch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
            if self._writing is not None:
                self._writing.result()
            self._writer.close()
            if kind is None:
                self._partial.replace(self._path)
        finally:
            self._disk.shutdown()
            self._partial.unlink(missing_ok=True)
