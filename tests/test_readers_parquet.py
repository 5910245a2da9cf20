"""Parquet values that Python or JSON has no exact word for still have a text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.reading import cells, read_bytes

FAR = 2**56
"""Microseconds of a day that no calendar of Python holds."""


def texts(column: pa.Array, folder: Path) -> list[str]:
    pq.write_table(pa.table({"a": column}), folder / "t.parquet")
    return [row[0] for row in cells(read_bytes((folder / "t.parquet").read_bytes(), folder, "t.parquet"))]


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([0, FAR, None], pa.timestamp("us"), ["1970-01-01 00:00:00", "4253-05-31 22:20:37.927936", ""]),
        ([0, 253_402_300_800], pa.timestamp("s"), ["1970-01-01 00:00:00", "10000-01-01 00:00:00"]),
        ([0, 253_402_300_800_000], pa.timestamp("ms", "UTC"), ["1970-01-01 00:00:00+00:00", "10000-01-01 00:00:00Z"]),
        ([0], pa.timestamp("s", "Mars/Phobos"), ["1970-01-01 00:00:00+00:00"]),
        ([0, 10_000_000, -10_000_000], pa.date32(), ["1970-01-01", "29349-01-26", "-25410-12-06"]),
        ([37_200_000_000_001, 37_200_500_000_000, 0, None], pa.time64("ns"),
         ["10:20:00.000000001", "10:20:00.500000", "00:00:00", ""]),
        ([[0.1, None], None, []], pa.list_(pa.float32()), ["[0.1,null]", "", "[]"]),
        ([{"x": 0.1, "y": [("k", 0.7)]}], pa.struct({"x": pa.float32(), "y": pa.map_(pa.string(), pa.float32())}),
         ['{"x":0.1,"y":[["k",0.7]]}']),
    ],
)  # fmt: skip
def test_values_beyond_the_usual(values: list[Any], kind: pa.DataType, expected: list[str], tmp_path: Path) -> None:
    assert texts(pa.array(values, kind), tmp_path) == expected
