"""Parquet by row group: every value as text, nested values as compact JSON."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from valar_ui.jobs import Progress
from valar_ui.problems import Report
from valar_ui.readers import grid, numfmt
from valar_ui.readers.filling import Ledger
from valar_ui.readers.headings import unique_names
from valar_ui.readers.reading import ReadOptions, UnreadableFile
from valar_ui.readers.watch import Watch
from valar_ui.table import Table, TableWriter

BATCH_ROWS: Final = 2_000
"""Rows turned into text at once."""

MAX_GROUP: Final = 2_000_000_000
"""Bytes of one row group when unpacked."""


def read(
    path: Path, *, into: Path, options: ReadOptions, report: Report, progress: Progress | None = None
) -> grid.Grid:
    """The table of a Parquet file; rows are numbered from 1."""
    try:
        with pq.ParquetFile(path) as file:
            _refuse_large(file.metadata)
            return _write(file, into, options, report, progress)
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as fault:
        reason = str(fault).split("\n", 1)[0][:160]
        raise UnreadableFile(
            f"This Parquet file cannot be read: {reason}",
            "It may be damaged, or use a type that is not supported; save it again, or save it as CSV.",
            code="unreadable-parquet",
        ) from None


def _refuse_large(metadata: pq.FileMetaData) -> None:
    for at in range(metadata.num_row_groups):
        if metadata.row_group(at).total_byte_size > MAX_GROUP:
            raise UnreadableFile(
                "A part of this Parquet file is too large to be read.",
                "Write it with smaller row groups.",
                code="too-large-unpacked",
            )
    if not metadata.num_rows:
        raise UnreadableFile("This Parquet file has no rows.", "Upload the file with the rows.", code="no-rows")


def _write(
    file: pq.ParquetFile, into: Path, options: ReadOptions, report: Report, progress: Progress | None
) -> grid.Grid:
    columns = unique_names(file.schema_arrow.names)[0]
    total, number = file.metadata.num_rows, 0
    dropped = frozenset(options.drop_rows)
    ledger = Ledger(records=total)
    watch = Watch(columns, report)
    path = into / f"table-{uuid.uuid4().hex}.arrow"
    with TableWriter(path, columns, watch=watch) as writer:
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            if progress is not None:
                progress(number / total)
            for cells in zip(*(_texts(column) for column in batch.columns), strict=True):
                number += 1
                if number in dropped:
                    ledger.left_out += 1
                else:
                    writer.append(number, 0, cells)
        if number != total:
            raise UnreadableFile(
                f"This Parquet file is damaged: it says it has {total:,} rows and holds {number:,}.",
                "Write or download it again.",
                code="unreadable-parquet",
            )
        if not writer.rows:
            raise UnreadableFile("No rows are left: all are left out.", "Put some back.", code="no-rows-left")
    watch.finish(Table(path))
    return grid.Grid(path, columns, writer.rows, None, ledger)


def _texts(column: pa.Array) -> list[str]:
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return [value or "" for value in column.to_pylist()]
    if pa.types.is_float32(column.type) or pa.types.is_float16(column.type):
        return ["" if value is None else _short(value) for value in _narrow(column)]
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        counts = [(None, 0) if value is None else divmod(value, 1_000) for value in column.cast(pa.int64()).to_pylist()]
        whole = pa.array([count for count, _ in counts], pa.timestamp("us", column.type.tz)).to_pylist()
        return [_with_nanoseconds(value, more) for value, (_, more) in zip(whole, counts, strict=True)]
    return [text_of(value) for value in column.to_pylist()]


def _narrow(column: pa.Array) -> Iterator[np.floating[Any] | None]:
    """Numbers of less than 64 bits as such, which have a shorter text than the same in 64 bits."""
    values = column.to_numpy(zero_copy_only=False)
    return (value if known else None for value, known in zip(values, column.is_valid().to_pylist(), strict=True))


def _short(value: np.floating[Any]) -> str:
    """The fewest digits that tell a number from its neighbours."""
    return text_of(float(str(value)))


def _with_nanoseconds(value: datetime | None, more: int) -> str:
    """A time with the nanoseconds behind its microseconds."""
    if value is None or not more:
        return text_of(value)
    whole = value.isoformat(sep=" ", timespec="microseconds")
    return f"{whole[:26]}{more:03}{whole[26:]}"


def text_of(value: Any) -> str:
    """One value as text; bytes that are no UTF-8 as hexadecimal digits."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return numfmt.plain(value) if math.isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return numfmt.when(value / timedelta(days=1), numfmt.Kind.DURATION, epoch_1904=False) or ""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex()
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=text_of)
