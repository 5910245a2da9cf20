"""Parquet by row group: every value as text, nested values as compact JSON."""

from __future__ import annotations

import json
import math
import re
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
        whole = _values(pa.array([count for count, _ in counts], pa.timestamp("us", column.type.tz)))
        return [_with_nanoseconds(value, more) for value, (_, more) in zip(whole, counts, strict=True)]
    if pa.types.is_time64(column.type) and column.type.unit == "ns":
        return ["" if text is None else _without_zeros(text) for text in column.cast(pa.string()).to_pylist()]
    if pa.types.is_nested(column.type) and _holds_narrow(column.type):
        return [text_of(_shortened(value, column.type)) for value in column.to_pylist()]
    return [text_of(value) for value in _values(column)]


def _values(column: pa.Array) -> list[Any]:
    """The values as Python has them; one by one where a single one is out of its range."""
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):
        if not pa.types.is_temporal(column.type):
            raise
        values = [_far(column.slice(at, 1)) for at in range(len(column))]
    return values


def _far(one: pa.Array) -> Any:
    """The value of an array of one; its text where Python knows no such day, in UTC where it knows no such zone."""
    zoned = pa.types.is_timestamp(one.type) and one.type.tz is not None
    in_utc = one.cast(pa.timestamp(one.type.unit, "UTC")) if zoned else one
    for attempt in (one, in_utc):
        try:
            return attempt.to_pylist()[0]
        except (OverflowError, ValueError):
            continue
    return _without_zeros(in_utc.cast(pa.string())[0].as_py())


def _without_zeros(text: str) -> str:
    """A time without a fraction that is zero, and in microseconds unless it has nanoseconds."""
    return re.sub(r"\.0+(?=$|Z)|(?<=\.\d{6})000$", "", text)


def _holds_narrow(kind: pa.DataType) -> bool:
    """Numbers of less than 64 bits lie somewhere inside."""
    if pa.types.is_map(kind):
        return _holds_narrow(kind.key_type) or _holds_narrow(kind.item_type)
    if pa.types.is_nested(kind):
        return any(_holds_narrow(kind.field(at).type) for at in range(kind.num_fields))
    return bool(pa.types.is_float32(kind) or pa.types.is_float16(kind))


def _shortened(value: Any, kind: pa.DataType) -> Any:
    """A nested value whose narrow numbers have the fewest digits that tell them apart."""
    if value is None:
        return None
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        return float(str((np.float32 if pa.types.is_float32(kind) else np.float16)(value)))
    if pa.types.is_map(kind):
        return [(_shortened(key, kind.key_type), _shortened(item, kind.item_type)) for key, item in value]
    if pa.types.is_struct(kind):
        return {field.name: _shortened(value[field.name], field.type) for field in kind}
    if pa.types.is_nested(kind) and isinstance(value, list):
        return [_shortened(item, kind.value_type) for item in value]
    return value


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
