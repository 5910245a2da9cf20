"""Cells beyond the last column: they are in the sheet to be mended, and in what comes of dropping it again."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest
from openpyxl import load_workbook

from tests.composing import prompt
from valar_ui.prepare import (
    PROBLEM_HEADING,
    anchored,
    dropped_again,
    prepare,
    sheet_with_problems,
    stamped,
    surplus,
)
from valar_ui.readers import Reading, read
from valar_ui.recipe import LeaveOutRow

LONG = b"id,heat,text\na,1,one\nb,2,two, and a half,=3\nc,3,three\nd,4,four,,4\ne,5,five\nf,6,six\n"
"""Row 3 has two cells too many, row 5 as well, the first of them empty."""
BEYOND = {3: [" and a half", "=3"], 5: ["", "4"]}
RECIPE = prompt("{{text}}")


def sheet(folder: Path, contents: bytes, name: str = "t.csv") -> Reading:
    """A file, read as a draft's."""
    (folder / name).write_bytes(contents)
    return dropped_again(read(folder / name, name=name, into=folder))


def long_rows(reading: Reading) -> list[int]:
    """The rows that are told to be too long."""
    return [row for group in reading.report.groups if group.code == "long-row" for row in group.rows]


@pytest.mark.parametrize(
    ("name", "contents", "beyond"),
    [
        ("t.csv", LONG, BEYOND),
        ("t.csv", b"sep=,\n" + LONG, BEYOND),
        ("t.csv", LONG.replace(b"\n", b"\r\n"), BEYOND),
        ("t.csv", LONG.replace(b"one", b'"one\nmore"'), BEYOND),
        ("t.csv", LONG.replace(b"half", "hälf".encode("cp1252")), {**BEYOND, 3: [" and a hälf", "=3"]}),
        ("t.csv", LONG.decode().encode("utf-16"), BEYOND),
        ("t.csv.gz", gzip.compress(LONG), BEYOND),
        ("t.tsv", LONG.replace(b",", b"\t"), BEYOND),
        ("t.csv", b"id,heat,text\na,1,one\nb,2,two\n", {}),
        ("t.jsonl", b'["id","text"]\n["a","one"]\n["b","two"]\n["c","three",null,4]\n', {4: ["", "4"]}),
        ("t.json", b'[["id","text"],["a","one"],["b","two"],["c","three","x"]]', {4: ["x"]}),
    ],
)
def test_what_the_columns_do_not_hold_is_found_in_the_file(
    tmp_path: Path, name: str, contents: bytes, beyond: dict[int, list[str]]
) -> None:
    reading = sheet(tmp_path, contents, name)
    assert long_rows(reading) == list(beyond)
    assert surplus(tmp_path / name, reading) == beyond


@pytest.mark.parametrize("longest", [9, 40_000], ids=["xlsx", "csv"])
def test_a_row_with_too_many_cells_comes_back_as_it_was(tmp_path: Path, longest: int) -> None:
    contents = LONG.replace(b"three", b"x" * longest)
    reading = sheet(tmp_path, contents)
    done = prepare(reading, RECIPE, folder=tmp_path / "p")
    assert done.requests == 4
    beyond = surplus(tmp_path / "t.csv", reading)
    path = sheet_with_problems(reading, done, tmp_path / "mend", surplus=beyond)
    if path.suffix == ".xlsx":
        book = load_workbook(path)
        rows = [[str(cell.value or "") for cell in row] for row in book.active.iter_rows()]
        book.close()
    else:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    assert rows[0][:4] == ["id", "heat", "text", PROBLEM_HEADING]
    assert [cell.removeprefix("'") for cell in rows[2][4:]] == BEYOND[3]
    again = sheet(tmp_path, path.read_bytes(), path.name)
    assert long_rows(again) == [3, 5]
    assert "and a half" in next(it.text for it in again.report if it.code == "long-row")
    after = prepare(again, RECIPE, folder=tmp_path / "again")
    assert after.content_sha256 == done.content_sha256
    assert list(surplus(path, again)) == [3, 5]
    second = sheet_with_problems(again, after, tmp_path / "second", surplus=surplus(path, again))
    third = sheet(tmp_path, second.read_bytes(), second.name)
    assert (third.columns[:4], long_rows(third)) == (("id", "heat", "text", PROBLEM_HEADING), [3, 5])


def test_a_row_left_out_by_hand_is_known_again_by_its_own_cells(tmp_path: Path) -> None:
    reading = sheet(tmp_path, LONG)
    steps = stamped(reading, [LeaveOutRow(row=3)])
    done = prepare(reading, RECIPE, folder=tmp_path / "p", steps=steps)
    path = sheet_with_problems(reading, done, tmp_path / "mend", surplus=surplus(tmp_path / "t.csv", reading))
    again = sheet(tmp_path, path.read_bytes(), path.name)
    assert anchored(again, steps) == steps


def test_a_mended_row_is_long_no_more(tmp_path: Path) -> None:
    reading = sheet(tmp_path, LONG)
    done = prepare(reading, RECIPE, folder=tmp_path / "p")
    path = sheet_with_problems(reading, done, tmp_path / "mend", surplus=surplus(tmp_path / "t.csv", reading))
    book = load_workbook(path)
    book.active["C3"], book.active["E3"], book.active["F3"] = "two and a half", None, None
    book.save(path)
    assert long_rows(sheet(tmp_path, path.read_bytes(), path.name)) == [5]


def test_a_column_that_a_person_added_behind_the_problems_is_a_column(tmp_path: Path) -> None:
    again = sheet(tmp_path, f"id,text,{PROBLEM_HEADING},notes\na,one,,mine\nb,two,,\n".encode())
    assert long_rows(again) == []
