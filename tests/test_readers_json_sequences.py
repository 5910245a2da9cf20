"""JSON values one after the other, as programs print and stream them: records by line, or lists that go on."""

from __future__ import annotations

import gzip
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.reading import balanced, cells, codes, numbers, read_bytes, rows_of
from valar_ui.readers import UnreadableFile
from valar_ui.readers.jsonfile import find_list
from valar_ui.readers.jsonfile import items as documents

PEOPLE = [{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob"}, {"id": 3, "name": "Cid"}]
ROWS = [("1", "Ann"), ("2", "Bob"), ("3", "Cid")]
PRINTED = "\n".join(json.dumps(person, indent=2) for person in PEOPLE) + "\n"


@pytest.mark.parametrize("name", ["f.json", "f.jsonl", "f.ndjson", "f.txt", "f"])
@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (PRINTED.encode(), [1, 5, 9]),
        (PRINTED.replace("\n", "\r\n").encode("utf-8-sig"), [1, 5, 9]),
        (PRINTED.encode("utf-16"), [1, 5, 9]),
        (gzip.compress(PRINTED.encode(), mtime=0), [1, 5, 9]),
        (PRINTED.replace("}\n{", "}\n\n{").encode(), [1, 6, 11]),
        (PRINTED.replace("}\n{", "}{").encode(), [1, 4, 7]),
        (("\x1e" + PRINTED.replace("}\n{", "}\n\x1e{")).encode(), [1, 5, 9]),
    ],
)
def test_printed_objects_are_records_by_the_line_they_begin(
    content: bytes, lines: list[int], name: str, tmp_path: Path
) -> None:
    reading = read_bytes(content, tmp_path, name + ".gz" * content.startswith(b"\x1f"))
    assert (reading.format, reading.columns, cells(reading)) == ("json", ("id", "name"), ROWS)
    assert numbers(reading) == lines
    assert codes(reading) == set()
    assert balanced(reading)


@pytest.mark.parametrize("join", ["", " ", "\x1e"])
def test_objects_on_one_line_are_counted(join: str, tmp_path: Path) -> None:
    reading = read_bytes(join.join(map(json.dumps, PEOPLE)).encode(), tmp_path, "f.json")
    assert (cells(reading), numbers(reading)) == (ROWS, [1, 2, 3])


@pytest.mark.parametrize("name", ["f.json", "f.jsonl", "f.json-seq", "f.txt"])
def test_a_json_text_sequence_is_jsonl(name: str, tmp_path: Path) -> None:
    content = "".join(f"\x1e{json.dumps(person)}\n" for person in PEOPLE)
    reading = read_bytes(content.encode(), tmp_path, name)
    assert (reading.format, cells(reading), numbers(reading)) == ("jsonl", ROWS, [1, 2, 3])


@pytest.mark.parametrize(
    ("bad", "last"),
    [
        ('{\n  "id": 2,\n  "name": "Bob\n}\n', 13),
        ('{\n  "id": 2,\n  "name": "Bob",\n}\n', 13),
        ("NOTE\n", 10),
        ("[1]\n", 10),
    ],
)
def test_one_broken_object_spoils_only_itself(bad: str, last: int, tmp_path: Path) -> None:
    first, second, third = (json.dumps(person, indent=2) for person in PEOPLE)
    reading = read_bytes(f"{first}\n{second}\n{bad}{third}".encode(), tmp_path, "f.json")
    assert (cells(reading), numbers(reading)) == (ROWS, [1, 5, last])
    assert rows_of(reading, "invalid-json") == [9]
    assert balanced(reading)


def test_a_cut_end_is_the_last_records_problem(tmp_path: Path) -> None:
    reading = read_bytes(PRINTED.encode() + b'{\n  "id": 4,\n  "na', tmp_path, "f.json")
    assert (cells(reading), rows_of(reading, "invalid-json")) == (ROWS, [13])


@pytest.mark.parametrize("step", [7, 1 << 20])
def test_windows_of_any_size_see_the_same_lines(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("valar_ui.readers.jsonwindow.STEP", step)
    chosen, others = find_list(io.StringIO(PRINTED))
    assert [item.number for item in documents(io.StringIO(PRINTED), chosen)] == [1, 5, 9]
    assert others == []


def test_a_long_sequence_takes_no_quadratic_time() -> None:
    def seconds(count: int) -> float:
        text = (json.dumps({"text": "x" * 40}, indent=1) + "\n") * count
        start = time.perf_counter()
        chosen, _ = find_list(io.StringIO(text))
        assert sum(1 for _ in documents(io.StringIO(text), chosen)) == count
        return time.perf_counter() - start

    assert seconds(16_000) < 10 * min(seconds(4_000) for _ in range(3)) + 0.1


@pytest.mark.parametrize("join", ["", "\n"])
@pytest.mark.parametrize(("name", "indent"), [("f.json", None), ("f.json", 2), ("f.jsonl", None)])
def test_lists_of_objects_go_on(join: str, name: str, indent: int | None, tmp_path: Path) -> None:
    content = join.join(json.dumps(part, indent=indent) for part in (PEOPLE[:2], PEOPLE[2:]))
    reading = read_bytes(content.encode(), tmp_path, name)
    assert (cells(reading), numbers(reading)) == (ROWS, [1, 2, 3])


@pytest.mark.parametrize(
    ("document", "columns", "rows"),
    [
        ({"id": {"0": 1, "1": 2}, "name": {"0": "a", "1": "b"}}, ("id", "name"), [("1", "a"), ("2", "b")]),
        ({"name": {"0": "a", "1": "b"}}, ("name",), [("a",), ("b",)]),
        ({"name": {"3": "a", "17": "b"}}, ("index", "name"), [("3", "a"), ("17", "b")]),
        ({"ann": {"2019": 1, "2020": 2, "2021": 3}}, ("ann.2019", "ann.2020", "ann.2021"), [("1", "2", "3")]),
        ({"a": {"7": 1}, "b": {"7": 2}}, ("key", "7"), [("a", "1"), ("b", "2")]),
        ({"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 4}}, ("key", "x", "y"), [("a", "1", "2"), ("b", "3", "4")]),
    ],
)
def test_columns_of_numbered_cells_are_turned_into_rows(
    document: Any, columns: tuple[str, ...], rows: list[tuple[str, ...]], tmp_path: Path
) -> None:
    reading = read_bytes(json.dumps(document).encode(), tmp_path, "f.json")
    assert (reading.columns, cells(reading)) == (columns, rows)


@pytest.mark.parametrize("name", ["f.json", "f.geojson", "f.txt"])
@pytest.mark.parametrize(
    "document", [{"data": {"people": PEOPLE}}, {"a": {"b": {"c": PEOPLE}}}, {"type": "x", "people": PEOPLE}]
)
def test_the_only_list_of_an_object_is_read_whatever_its_names(document: Any, name: str, tmp_path: Path) -> None:
    assert cells(read_bytes(json.dumps(document).encode(), tmp_path, name)) == ROWS


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'[{"a": 1,}]', "a comma too many"),
        (b'[\n{"a": 1},\n// more\n{"a": 2}]', "line 3: This is not valid JSON: a comment"),
        (b"[{'a': 1}]", "straight double quotes"),
        (b'[{"a": 1}' + b' {"a": 2}' * 300_000 + b"]", "a comma between two records is missing"),
        (b'[{"a": tru}' + b', {"a": 2}' * 9_000_000 + b"]", "line 1: This is not valid JSON: a value is missing"),
        (b'window.YTD.tweets.part0 = [ {"a": 1} ]', "JavaScript"),
        (b'var rows = [{"a": 1},\n{"a": 2}];\n', "JavaScript"),
    ],
)
def test_what_is_wrong_with_a_document_is_said(content: bytes, told: str, tmp_path: Path) -> None:
    name = "f.js" if b"= [" in content else "f.json"
    with pytest.raises(UnreadableFile) as fault:
        read_bytes(content, tmp_path, name)
    assert told in fault.value.text
