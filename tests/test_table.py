"""The table on disk: what goes in comes out, at any row, and nothing half-written stays."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from valar_ui.table import CHUNK_ROWS, Table, TableWriter


def write(path: Path, columns: list[str], rows: list[tuple[str, ...]], numbers: list[int] | None = None) -> Table:
    with TableWriter(path, columns) as writer:
        for at, row in enumerate(rows):
            writer.append(numbers[at] if numbers else at + 2, at + 2, row)
    return Table(path)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(rows=st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[TEXT] * width), max_size=12)))
def test_any_text_comes_back(rows: list[tuple[str, ...]], tmp_path: Path) -> None:
    width = len(rows[0]) if rows else 1
    table = write(tmp_path / "t.arrow", [f"c{at}" for at in range(width)], rows)
    assert [table.row(at) for at in range(len(table))] == rows


def test_random_access_and_streaming_agree_over_several_batches(tmp_path: Path) -> None:
    count = 2 * CHUNK_ROWS + 7
    numbers = [3 * at + 5 for at in range(count)]
    table = write(tmp_path / "t.arrow", ["a", "b"], [(str(at), "x" * (at % 5)) for at in range(count)], numbers)
    streamed = [
        (number, a, b)
        for chunk in table.chunks(["b", "a"], start=10, stop=count - 3)
        for number, a, b in zip(chunk.numbers, chunk.columns["a"], chunk.columns["b"], strict=True)
    ]
    assert streamed == [(table.number(at), *table.row(at)) for at in range(10, count - 3)]
    assert table.index_of(numbers[CHUNK_ROWS]) == CHUNK_ROWS
    assert table.index_of(numbers[-1]) == count - 1
    assert table.index_of(6) is None
    assert table.index_of(1) is None
    assert table.line(0) == 2


@pytest.mark.parametrize("index", [-1, 3])
def test_a_row_outside_the_table(tmp_path: Path, index: int) -> None:
    table = write(tmp_path / "t.arrow", ["a"], [("1",), ("2",), ("3",)])
    with pytest.raises(IndexError):
        table.row(index)


def test_half_a_surrogate_pair_becomes_the_replacement_character(tmp_path: Path) -> None:
    table = write(tmp_path / "t.arrow", ["a"], [("x\ud800y",), ("ok",)])
    assert [table.row(0), table.row(1)] == [("x\ufffdy",), ("ok",)]


def test_columns_must_differ(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unique"):
        TableWriter(tmp_path / "t.arrow", ["a", "a"])


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    def write_and_fail() -> None:
        with TableWriter(tmp_path / "t.arrow", ["a"]) as writer:
            writer.append(1, 1, ("x",))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_and_fail()
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - names only


def test_the_watch_sees_every_batch(tmp_path: Path) -> None:
    seen: list[pa.RecordBatch] = []
    with TableWriter(tmp_path / "t.arrow", ["a"], watch=seen.append) as writer:
        for at in range(CHUNK_ROWS + 1):
            writer.append(at, 0, (str(at),))
    assert [batch.num_rows for batch in seen] == [CHUNK_ROWS, 1]
