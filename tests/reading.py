"""What the reader tests share: a file from bytes, its rows, its problems."""

from __future__ import annotations

from pathlib import Path

from valar_ui.readers import Reading, ReadOptions, read


def read_bytes(content: bytes, folder: Path, name: str = "file.csv", **options: object) -> Reading:
    """Read `content` as if a person had dropped a file of that name."""
    path = folder / "upload"
    path.write_bytes(content)
    chosen = ReadOptions(**options)  # type: ignore[arg-type]  # the tests name fields of ReadOptions
    return read(path, name=name, into=folder, options=chosen)


def cells(reading: Reading) -> list[tuple[str, ...]]:
    """Every row."""
    table = reading.table
    return [table.row(index) for index in range(len(table))]


def numbers(reading: Reading) -> list[int]:
    """Every row's number."""
    table = reading.table
    return [table.number(index) for index in range(len(table))]


def codes(reading: Reading) -> set[str]:
    """The codes of all problems."""
    return {group.code for group in reading.report.groups}


def rows_of(reading: Reading, code: str) -> list[int]:
    """The rows that have a problem of this code."""
    return sorted(row for group in reading.report.groups if group.code == code for row in group.rows)


def balanced(reading: Reading) -> bool:
    """The ledger of records adds up."""
    parts = (
        reading.records_above,
        reading.records_heading,
        reading.rows,
        reading.records_blank,
        reading.records_left_out,
        reading.records_refused,
    )
    return reading.records == sum(parts)
