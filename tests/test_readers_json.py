"""JSON in its shapes: one flawed line spoils only itself, numbers keep their digits, requests are recognised."""

from __future__ import annotations

import gzip
import io
import json
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.reading import balanced, cells, codes, numbers, read_bytes, rows_of
from valar_ui.params import flaws
from valar_ui.readers import UnreadableFile
from valar_ui.readers.jsonfile import items as documents
from valar_ui.readers.jsonlines import MAX_LINE, items, utf8_items
from valar_ui.readers.jsonwindow import STEP
from valar_ui.readers.objects import MAX_LOOK, Item, sample


def lines(*texts: str) -> bytes:
    return "\n".join(texts).encode()


@pytest.mark.parametrize(
    ("bad", "code", "kept"),
    [
        ('{"a": "open}', "invalid-json", False),
        ('{"a": 2}TRAILER', "invalid-json", False),
        ('{"a": 2} {"a": 3}', "several-objects", False),
        ('{"a": 1, "a": 2}', "duplicate-key", True),
        ('{"a": NaN}', "not-a-number", True),
        ('{"a": "\\ud800"}', "lone-surrogate", True),
        ("[" * 100_000, "too-deep", False),
        ('{"a": ' + "[" * 5_000 + "]" * 5_000 + "}", "too-deep", False),
        ("42", "not-an-object", False),
        ("null", "not-an-object", False),
        ('{"a": "raw\ttab"}', "invalid-json", False),
    ],
)
def test_one_bad_line_is_that_lines_problem(bad: str, code: str, kept: bool, tmp_path: Path) -> None:
    reading = read_bytes(lines('{"a": 1}', bad, "", '{"a": 3}'), tmp_path, "f.jsonl")
    assert numbers(reading) == ([1, 2, 4] if kept else [1, 4])
    assert rows_of(reading, code) == [2]
    assert reading.records_refused == (not kept)
    assert reading.records_blank == 1
    assert balanced(reading)


def test_halves_of_characters_in_keys_and_requests_reach_nothing_else(tmp_path: Path) -> None:
    records = read_bytes(lines('{"\\ud800": "a\\udfff", "\\ud800": [1, "\\udc00"]}', '{"x": 1}'), tmp_path, "f.jsonl")
    requests = read_bytes(
        lines('{"custom_id": "a\\ud800", "params": {"model": "m", "input": "\\ud800"}, "\\ud800": 1}'),
        tmp_path,
        "f.jsonl",
    )
    for reading in (records, requests):
        json.dumps(reading.as_json(), ensure_ascii=False).encode()
        assert balanced(reading)
    assert rows_of(requests, "lone-surrogate") == [1]


def test_a_line_of_any_size_is_refused_alone(tmp_path: Path) -> None:
    content = b'{"a": 1}\n{"a": "' + b"x" * MAX_LINE + b'"}\n{"a": 3}\n'
    reading = read_bytes(content, tmp_path, "f.jsonl")
    assert (numbers(reading), rows_of(reading, "line-too-long"), balanced(reading)) == ([1, 3], [2], True)


def test_numbers_and_values_as_written(tmp_path: Path) -> None:
    text = (
        '{"i": 12345678901234567890123, "f": 1.10, "e": 1e5, "z": -0, "t": true, "n": null, '
        '"l": [1.0, "ä", {"b": 2.50}], "s": "007"}'
    )
    reading = read_bytes(lines(text), tmp_path, "f.jsonl")
    assert cells(reading) == [
        ("12345678901234567890123", "1.10", "1e5", "-0", "true", "", '[1.0,"ä",{"b":2.50}]', "007")
    ]


def test_mixed_keys_make_the_union(tmp_path: Path) -> None:
    early = [json.dumps({"a": number}) for number in range(700)]
    reading = read_bytes(lines(*early, '{"b": "x", "A": 1}', '{"a": [3]}'), tmp_path, "f.jsonl")
    assert reading.columns == ("a", "b", "A")
    assert cells(reading)[-3:] == [("699", "", ""), ("", "x", "1"), ("[3]", "", "")]
    assert "invalid-json" not in codes(reading)


def test_nested_objects_become_dotted_columns_that_no_real_key_meets(tmp_path: Path) -> None:
    text = '{"a": {"b": 1, "c": {"d": "x"}}, "a.b": 2, "a/b": 3, "e": {}}'
    reading = read_bytes(lines(text), tmp_path, "f.jsonl")
    assert dict(zip(reading.columns, cells(reading)[0], strict=True)) == {
        "a.b (nested)": "1", "a.c.d": "x", "a.b": "2", "a/b": "3", "e": "{}",
    }  # fmt: skip


def test_objects_keyed_by_anything_stay_in_one_cell(tmp_path: Path) -> None:
    rows = [json.dumps({"id": number, "tags": {f"k{number}-{at}": at for at in range(40)}}) for number in range(20)]
    reading = read_bytes(lines(*rows), tmp_path, "f.jsonl")
    assert reading.columns == ("id", "tags")
    assert json.loads(cells(reading)[3][1])["k3-39"] == 39


@pytest.mark.parametrize(
    ("document", "columns", "first"),
    [
        ([{"a": 1, "b": "x"}, {"b": "y"}], ("a", "b"), ("1", "x")),
        ({"total": 2, "data": [{"a": 1}, {"a": 2}], "next": None}, ("a",), ("1",)),
        ([["id", "name"], [1, "x"], [2, "y"]], ("id", "name"), ("1", "x")),
        ({"a": 1, "b": {"c": 2}}, ("a", "b.c"), ("1", "2")),
        ({"a": [1, 2], "b": ["x", "y"]}, ("a", "b"), ("1", "x")),
        ({"k1": {"v": 1, "w": 2}, "k2": {"v": 3, "w": 4}}, ("key", "v", "w"), ("k1", "1", "2")),
        (["x", "y"], ("value",), ("x",)),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_json_documents(
    document: Any, columns: tuple[str, ...], first: tuple[str, ...], indent: int | None, tmp_path: Path
) -> None:
    reading = read_bytes(json.dumps(document, indent=indent).encode("utf-8-sig"), tmp_path, "f.json")
    assert (reading.format, reading.columns, cells(reading)[0]) == (
        "json",
        columns,
        first,
    )
    assert balanced(reading)


@pytest.mark.parametrize(
    ("document", "first", "code", "told"),
    [
        ({"fields": [{"id": "a"}], "records": [{"x": 1}]}, {"x": "1"}, "other-lists", "fields (1)"),
        ({"columns": [{"name": "x"}], "rows": [{"x": 1}], "total": 3}, {"x": "1"}, "other-lists", "columns (1)"),
        ({"warnings": [["w", "y"]], "data": [{"x": 1}]}, {"x": "1"}, "other-lists", "warnings (1)"),
        ({"rows": [{"x": 1}], "data": [{"x": 2}] * 3}, {"x": "2"}, "other-lists", "rows (1)"),
        ({"train": [{"x": 1}], "test": [{"x": 2}] * 2}, {"x": "2"}, "other-lists", "train (1)"),
        ({"m": [[1, 2]] * 9, "test": [{"x": 2}]}, {"x": "2"}, "other-lists", "m (9)"),
        ({"meta": {"rows": [{"y": 1}]}, "train": [{"x": 1}]}, {"x": "1"}, None, ""),
        ({"ok": True, "result": {"fields": [{"id": "x"}], "records": [{"x": 1}]}}, {"x": "1"}, "other-lists",
         "result.fields (1)"),
        ({"header": {"q": "x"}, "response": {"n": 2, "docs": [{"x": 1}, {"x": 2}]}}, {"x": "1"}, "nested-list",
         "response.docs (2)"),
        ({"took": 1, "hits": {"total": {"n": 1}, "hits": [{"x": 1}]}}, {"x": "1"}, "nested-list", "hits.hits (1)"),
        ({"p": {"data": [{"x": 1}]}, "q": {"data": [{"x": 2}]}}, {"key": "p", "data": '[{"x":1}]'}, None, ""),
        ({"columns": ["x", "y"], "index": [0, 1], "data": [[1, "p"], [2, "q"]]}, {"x": "1", "y": "p"}, None, ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("step", [STEP, 7])
def test_the_list_that_is_read_is_told_where_there_are_others(
    document: Any, first: dict[str, str], code: str | None, told: str, step: int, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("valar_ui.readers.jsonwindow.STEP", step)
    reading = read_bytes(json.dumps(document).encode(), tmp_path, "f.json")
    assert dict(zip(reading.columns, cells(reading)[0], strict=True)) == first
    assert codes(reading) == ({code} if code else set())
    assert told in " ".join(problem.text for problem in reading.report)
    assert balanced(reading)


def test_a_list_of_many_small_records_takes_no_quadratic_time() -> None:
    def work(count: int) -> float:
        """Seconds of this thread's own work: what else the machine does is not in them."""
        text = io.StringIO("[" + ",".join(['{"text": "' + "x" * 40 + '"}'] * count) + "]")
        start = time.thread_time()
        assert sum(1 for _ in documents(text)) == count
        return time.thread_time() - start

    # Sixteen times the records: sixteen times the work, or 256 times where each record costs as much as all before.
    assert work(32_000) < 80 * max(0.002, min(work(2_000) for _ in range(3)))


def test_many_bad_lines_are_read_once_before_the_first_row() -> None:
    bad = iter([Item(at, at) for at in range(MAX_LOOK + 5)])
    assert sample(bad) == []
    assert next(bad).number == MAX_LOOK


@pytest.mark.parametrize(
    ("content", "name", "kind", "columns"),
    [
        (b'[{"a":1},{"a":2}]\n', "f.jsonl", "json", ("a",)),
        (b'[{"a":1},{"a":2}]', "f.ndjson", "json", ("a",)),
        (b'["a","b"]\n[1,2]\n[3,4]\n', "f.jsonl", "jsonl", ("a", "b")),
        (b'["a","b"]\n[1,2]\n[3,4]\n', "f.json", "jsonl", ("a", "b")),
        (b'{"a":1\n{"a":2}\n{"a":3}\n', "f.json", "jsonl", ("a",)),
        (b'{"a":1\n{"a":2}\n{"a":3}\n', "f.txt", "jsonl", ("a",)),
        (b'{"a":\n{"b":2}\n}\n', "f.json", "json", ("a.b",)),
    ],
)
def test_lines_or_a_document_by_what_they_hold(
    content: bytes, name: str, kind: str, columns: tuple[str, ...], tmp_path: Path
) -> None:
    reading = read_bytes(content, tmp_path, name)
    assert (reading.format, reading.columns) == (kind, columns)


def test_objects_one_a_line_are_jsonl_whatever_the_name(tmp_path: Path) -> None:
    assert read_bytes(b'{"a": 1}\r\n{"a": 2}\r\n', tmp_path, "f.json").format == "jsonl"
    assert cells(read_bytes('{"a": "\u2028x"}\n{"a": 2}'.encode("utf-16"), tmp_path, "f.txt")) == [("\u2028x",), ("2",)]
    assert cells(read_bytes(gzip.compress(b'["a","b"]\n[1,2]\n'), tmp_path, "f.jsonl.gz")) == [("1", "2")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'[{"a": 1}, {"a": 2', "invalid-json"),
        (b'[{"a": 1} {"a": 2}]', "invalid-json"),
        (b'[{"a": 1},]', "invalid-json"),
        (b'[{"a": 1}] x', "invalid-json"),
        (b'{"a": 1}\n{"b"', "no-rows"),
        (b"[]", "empty"), (b"{}", "empty"), (b'"text"', "not-a-table"), (b"12", "not-a-table"),
        (b"[" * 100_000, "invalid-json"),
        (b'{"a":' * 100_000, "invalid-json"),
        (b"\xef\xbb\xbf", "empty"), (b"{nope", "invalid-json"),
    ],
)  # fmt: skip
def test_a_broken_document_is_refused_in_a_sentence(content: bytes, code: str, tmp_path: Path) -> None:
    if code == "no-rows":
        assert rows_of(read_bytes(content, tmp_path, "f.json"), "invalid-json") == [2]
        return
    with pytest.raises(UnreadableFile) as fault:
        read_bytes(content, tmp_path, "f.json")
    assert fault.value.code == code
    assert not list(tmp_path.glob("table-*"))


def test_a_large_list_is_read_in_windows(tmp_path: Path) -> None:
    document = [{"id": number, "text": "ä" * 3_000} for number in range(1_500)]
    reading = read_bytes(json.dumps({"rows": document}, ensure_ascii=False, indent=1).encode(), tmp_path, "f.json")
    assert (reading.rows, numbers(reading)[-1]) == (1_500, 1_500)
    assert cells(reading)[-1] == ("1499", "ä" * 3_000)


def test_valar_requests_are_recognised_with_their_numbers(tmp_path: Path) -> None:
    content = lines(
        '{"custom_id": "r-1", "params": {"model": "m", "input": "Hé", "temperature": 0.10}}',
        '{"custom_id": "r-2", "params": {"model": "m", "input": [{"role": "user", "content": "x"}]}, "extra": 1}',
        '{"params": {"model": "m", "input": "x"}}',
        '{"custom_id": "r-4", "params": "text"}',
        '{"custom_id": 5, "params": {"model": "m", "input": "x"}}',
    )
    broken = content.replace(b'"custom_id": "r-4", "params": "text"', b'"custom_id": "r-4", "params": {"a":')
    reading = read_bytes(broken, tmp_path, "f.jsonl")
    assert (reading.recognised_as, reading.columns) == ("valar-requests", ("custom_id", "params"))
    assert cells(reading)[0] == ("r-1", '{"model":"m","input":"Hé","temperature":0.10}')
    assert numbers(reading) == [1, 2, 3, 5]
    assert rows_of(reading, "unexpected-key") == [2]
    assert rows_of(reading, "missing-custom-id") == [3]
    assert rows_of(reading, "invalid-json") == [4]
    assert rows_of(reading, "custom-id-not-text") == [5]
    assert balanced(reading)


def test_a_whole_batch_body_is_recognised(tmp_path: Path) -> None:
    body = {
        "endpoint": "/v1/responses",
        "requests": [{"custom_id": "a", "params": {"model": "m", "input": "x"}}],
        "label": "l",
    }
    reading = read_bytes(json.dumps(body).encode(), tmp_path, "f.json")
    assert (reading.recognised_as, cells(reading)) == ("valar-requests", [("a", '{"model":"m","input":"x"}')])


def openai(url: str, **body: Any) -> bytes:
    request = {"custom_id": "a", "method": "POST", "url": url, "body": {"model": "m", **body}}
    return json.dumps(request).encode()


CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
SCHEMA = {"name": "n", "schema": {}}
WANTED = {"type": "json_schema", "json_schema": SCHEMA}
FORMAT = {"type": "json_schema", **SCHEMA}
USER = [{"role": "user", "content": "x"}]
SYSTEM = {"role": "system", "content": "be kind"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}}


@pytest.mark.parametrize(
    ("url", "body", "params"),
    [
        (CHAT, {"messages": USER, "max_tokens": 9}, {"max_output_tokens": 9, "input": USER}),
        (CHAT, {"messages": USER, "max_completion_tokens": 9, "n": 1}, {"max_output_tokens": 9, "input": USER}),
        (
            CHAT,
            {"messages": [{"role": "developer", "content": [{"type": "text", "text": "t"}, IMAGE]}]},
            {"input": [{"role": "system", "content": [
                {"type": "input_text", "text": "t"},
                {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"}]}]},
        ),
        (
            CHAT,
            {"messages": USER, "reasoning_effort": "low", "response_format": WANTED},
            {"input": USER, "reasoning": {"effort": "low"}, "text": {"format": FORMAT}},
        ),
        (
            CHAT,
            {"messages": USER, "tools": [{"type": "function", "function": {"name": "f"}}]},
            {"input": USER, "tools": [{"type": "function", "name": "f"}]},
        ),
        (RESPONSES, {"input": "x", "instructions": "be kind"}, {"input": [SYSTEM, *USER]}),
        (RESPONSES, {"input": [{"type": "message", **USER[0]}]}, {"input": USER}),
        ("v1/responses", {"input": "x"}, {"input": "x"}),
        ("https://api.openai.com/v1/responses/", {"input": "x"}, {"input": "x"}),
        ("/openai/deployments/d/chat/completions?api-version=1", {"messages": USER}, {"input": USER}),
        ("/v1/completions", {"prompt": "x", "max_tokens": 3}, {"input": "x", "max_output_tokens": 3}),
    ],
)  # fmt: skip
def test_openai_batches_are_converted(url: str, body: dict[str, Any], params: dict[str, Any], tmp_path: Path) -> None:
    reading = read_bytes(openai(url, **body), tmp_path, "f.jsonl")
    assert reading.recognised_as == "openai-batch"
    assert json.loads(cells(reading)[0][1]) == {"model": "m", **params}
    assert reading.changes
    assert len(reading.report) == 0


@pytest.mark.parametrize(
    ("url", "body", "params"),
    [
        (CHAT, {"messages": USER, "max_tokens": 50, "max_completion_tokens": None, "tools": None, "n": None},
         {"input": USER, "max_output_tokens": 50}),
        (CHAT, {"messages": [{**USER[0], "name": None, "refusal": None}], "response_format": None}, {"input": USER}),
        (CHAT, {"messages": USER, "response_format": {**WANTED, "json_schema": {**SCHEMA, "strict": None}}},
         {"input": USER, "text": {"format": FORMAT}}),
        (CHAT, {"messages": USER, "modalities": ["text"], "logprobs": False}, {"input": USER}),
        (RESPONSES, {"input": "x", "instructions": None, "stop": None}, {"input": "x"}),
    ],
)  # fmt: skip
def test_nulls_in_an_openai_batch_say_nothing(
    url: str, body: dict[str, Any], params: dict[str, Any], tmp_path: Path
) -> None:
    reading = read_bytes(openai(url, **body), tmp_path, "f.jsonl")
    assert json.loads(cells(reading)[0][1]) == {"model": "m", **params}
    assert len(reading.report) == 0


@pytest.mark.parametrize(
    ("url", "body", "told", "found"),
    [
        (CHAT, {"messages": USER, "stream": True}, None, ["stream-refused"]),
        (CHAT, {"messages": USER, "store": False}, None, ["store-refused"]),
        (CHAT, {"messages": USER, "n": 2}, "n: 2", []),
        (CHAT, {"messages": USER, "stop": ["\n"]}, 'stop: ["\\n"]', []),
        (CHAT, {"messages": USER, "parallel_tool_calls": True}, None, ["refused-param"]),
        (CHAT, {"messages": USER, "response_format": {"type": "json_object"}}, None, ["json-object"]),
        (CHAT, {"messages": USER, "response_format": "json"}, "response_format", []),
        (CHAT, {"messages": USER, "seed": 1}, None, ["unknown-param"]),
        (CHAT, {}, None, ["input-missing"]),
        (RESPONSES, {"input": "x", "tools": [{"type": "web_search"}]}, None, ["server-tool"]),
        (RESPONSES, {"input": [{"role": "user", "content": [{"type": "input_audio"}]}]}, None, ["part-type"]),
        (RESPONSES, {"input": [{**USER[0], "type": "item_reference"}]}, None, ["message-key"]),
        (RESPONSES, {"input": "x", "previous_response_id": "r"}, None, ["refused-param"]),
        (RESPONSES, {"input": "x", "instructions": ["y"]}, None, ["refused-param"]),
    ],
)
def test_what_valar_refuses_is_told_once(
    url: str, body: dict[str, Any], told: str | None, found: list[str], tmp_path: Path
) -> None:
    reading = read_bytes(openai(url, **body), tmp_path, "f.jsonl")
    assert [told in problem.text for problem in reading.report if told] == [True] * bool(told)
    assert len(reading.report) == bool(told)
    assert [flaw.code for flaw in flaws(json.loads(cells(reading)[0][1]))] == found


def test_a_batch_of_chats_that_name_no_url_is_converted(tmp_path: Path) -> None:
    reading = read_bytes(json.dumps({"custom_id": "a", "body": {"messages": USER}}).encode(), tmp_path, "f.jsonl")
    assert (reading.recognised_as, cells(reading)) == (
        "openai-batch",
        [("a", '{"input":[{"role":"user","content":"x"}]}')],
    )
    assert any("no url" in change for change in reading.changes)
    assert len(reading.report) == 0
    plain = read_bytes(b'{"custom_id": "a", "body": {"text": "x"}}', tmp_path, "f.jsonl")
    assert (plain.recognised_as, plain.columns) == (None, ("custom_id", "body.text"))


def test_requests_for_other_endpoints_are_refused_one_by_one(tmp_path: Path) -> None:
    content = openai(RESPONSES, input="x") + b"\n" + openai("/v1/embeddings", input="x")
    reading = read_bytes(content, tmp_path, "f.jsonl")
    assert (numbers(reading), rows_of(reading, "wrong-endpoint"), balanced(reading)) == ([1], [2], True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3, alphabet="abc"), inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    rows=st.lists(
        st.dictionaries(
            st.sampled_from("abcd"), st.lists(JSON, max_size=2) | st.text(st.characters(exclude_categories=["Cs"]))
        ),
        min_size=1,
        max_size=6,
    ),
    ascii_only=st.booleans(),
)
def test_any_records_come_back(rows: list[dict[str, Any]], ascii_only: bool, tmp_path: Path) -> None:
    content = "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows)
    keys = list(dict.fromkeys(key for row in rows for key in row))
    if not keys:
        return
    reading = read_bytes(content.encode(), tmp_path, "f.jsonl")
    assert reading.columns == tuple(keys)
    for row, found in zip(rows, cells(reading), strict=True):
        for key, cell in zip(keys, found, strict=True):
            value = row.get(key, "")
            assert (cell if isinstance(value, str) else json.loads(cell)) == value


def test_parquet_values_as_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": pa.array([1, 2**60], pa.int64()),
            "t": ["ä", None],
            "f": [1.0, 0.1],
            "b": [True, None],
            "d": pa.array([0, 86_400_000_000_000], pa.timestamp("ns")),
            "n": [{"x": [1, None]}, None],
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    reading = read_bytes((tmp_path / "t.parquet").read_bytes(), tmp_path, "t.parquet")
    assert cells(reading) == [
        ("1", "ä", "1", "true", "1970-01-01 00:00:00", '{"x":[1,null]}'),
        (str(2**60), "", "0.1", "", "1970-01-02 00:00:00", ""),
    ]
    assert numbers(reading) == [1, 2]
    assert balanced(reading)
    with pytest.raises(UnreadableFile) as fault:
        read_bytes((tmp_path / "t.parquet").read_bytes()[:-20], tmp_path, "t.parquet")
    assert fault.value.code == "unreadable-parquet"


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        ([0.1, 1.0, 16777216.0, None, float("nan")], pa.float32(), ("0.1", "1", "16777216", "", "nan")),
        ([1, 1_000_000_000, -1, None], pa.timestamp("ns"),
         ("1970-01-01 00:00:00.000000001", "1970-01-01 00:00:01", "1969-12-31 23:59:59.999999999", "")),
        ([1_123_456_789], pa.timestamp("ns", "UTC"), ("1970-01-01 00:00:01.123456789+00:00",)),
        ([1_500_000], pa.timestamp("us"), ("1970-01-01 00:00:01.500000",)),
    ],
)  # fmt: skip
def test_parquet_values_keep_their_digits(
    values: list[Any], kind: pa.DataType, texts: tuple[str, ...], tmp_path: Path
) -> None:
    pq.write_table(pa.table({"v": pa.array(values, kind)}), tmp_path / "t.parquet")
    reading = read_bytes((tmp_path / "t.parquet").read_bytes(), tmp_path, "t.parquet")
    assert cells(reading) == [(text,) for text in texts]


LINE_PIECES = st.sampled_from(
    [
        *(
            '{"a": 1, "b": "x"}',
            '{"a":"","a":""}',
            '{"a": "\\\\", "b": 0}',
            '{"a": "\\"", "b": -0}',
            '{"é": "\\u00e9“"}',
        ),
        *('{"a": 18446744073709551616}', '{"a": 18446744073709551615}', '{"a": 1.0}', '{"a": {}}', '{"a": ["b"]}'),
        *('{"a": "\\ud800"}', "[1]", "NaN", '{"a": NaN}', '"text"', "12", "", " ", "\ufeff", "\t"),
        *(
            '{"a": true, "b": null}',
            '{"a"',
            '"b": 2}',
            ":",
            ",",
            "{",
            "}",
            '"',
            "\\",
            "\r",
            "\n",
            "\r\n",
            "\u2028",
            "\0",
        ),
    ]
)


@settings(max_examples=500, deadline=None)
@given(text=st.lists(st.one_of(LINE_PIECES, st.just("\n")), max_size=20).map("".join))
@example(text='{"a": 1,\r"b": 2}\n')
@example(text='{"a": 1}\r')
@example(text='{"a": 1}\r\r')
@example(text='{"a\\"": "", "a\\"": "\\""}')
def test_lines_parsed_without_decoding_are_the_lines_decoded(text: str) -> None:
    decoded = list(items(io.StringIO(text, newline="")))
    undecoded = list(utf8_items(io.BytesIO(text.encode())))
    assert [item._replace(flat=False) for item in undecoded] == decoded
    for one, other in zip(undecoded, decoded, strict=True):
        assert repr(one.value) == repr(other.value)
        assert not one.flat or not any(isinstance(value, dict | list) for value in one.value.values())


def test_plain_lines_need_no_decoding(tmp_path: Path) -> None:
    content = lines('{"a": "x\\"y\\n", "b": 12, "c": null, "d": true}', '{"a": "“", "b": 0, "c": "", "d": false}')
    assert [item.flat for item in utf8_items(io.BytesIO(content))] == [True, True]
    reading = read_bytes(content, tmp_path, "f.jsonl")
    assert cells(reading) == [('x"y\n', "12", "", "true"), ("“", "0", "", "false")]


def test_a_parquet_file_that_says_it_has_more_rows_than_it_holds_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "t.parquet")
    content = (tmp_path / "t.parquet").read_bytes()
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    refusals: list[str] = []
    for at in range(footer, len(content) - 8):
        if content[at] == 4:  # 2 as Thrift writes it; one of these bytes is the file's number of rows
            damaged = content[:at] + b"\x0c" + content[at + 1 :]
            try:
                assert balanced(read_bytes(damaged, tmp_path, "t.parquet"))
            except UnreadableFile as refusal:
                refusals.append(refusal.text)
    assert "This Parquet file is damaged: it says it has 6 rows and holds 2." in refusals


def test_a_number_of_thousands_of_digits_stays_as_it_is_wherever_it_stands(tmp_path: Path) -> None:
    digits = "9" * 6_000
    wrapped = read_bytes(f'{{"total": {digits}, "rows": [{{"a": {digits}}}, {{"a": 1}}]}}'.encode(), tmp_path, "a.json")
    assert cells(wrapped) == [(digits,), ("1",)]
    bare = read_bytes(f"[[{digits}, 1], [2, {digits}]]".encode(), tmp_path, "b.json")
    assert bare.rows in (1, 2)
