"""A row becomes a request: texts, params, images, answers, ids, and the exact bytes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from array import array
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.composing import FIRST_ROW, MODEL, codes, looked_at, make_reading, make_table, prompt, ready
from valar_ui.answer import answer_format
from valar_ui.compose import compose, preview, sent_columns, used_columns, with_column
from valar_ui.ids import Ids, is_legal, made, repeats
from valar_ui.plan import part_body, plan
from valar_ui.prepare import prepare
from valar_ui.problems import Severity
from valar_ui.recipe import (
    AnswerField,
    EditCell,
    Fixed,
    FromColumn,
    IdRule,
    Image,
    MakeLegalIds,
    Recipe,
    Turn,
    UseModel,
)
from valar_ui.snippets import curl, python

VENDOR = {
    "endpoint": "/v1/responses",
    "label": "my-batch-job",
    "requests": [
        {
            "custom_id": custom_id,
            "params": {
                "model": MODEL,
                "max_output_tokens": 1024,
                "input": [{"role": "user", "content": content}],
            },
        }
        for custom_id, content in (("my-first-request", "Hello, world!"), ("my-second-request", "Hello again!"))
    ],
}
"""The example of the vendor's page "Create a batch"."""


def one(folder: Path, recipe: Recipe, **cells: str) -> dict[str, Any]:
    """The params of a table with one row."""
    params: dict[str, Any] = json.loads(
        preview(make_table(folder, list(cells), [list(cells.values())]), recipe, 0).body
    )
    return params


def test_the_vendors_example_composes_to_the_same_json(tmp_path: Path) -> None:
    rows = [["my-first-request", "Hello, world!"], ["my-second-request", "Hello again!"]]
    recipe = prompt(max_output_tokens=Fixed(fixed=1024), custom_id=IdRule(column="id"))
    prepared = prepare(make_reading(tmp_path, ["id", "text"], rows), recipe, folder=tmp_path / "prepared")
    (part,) = plan(prepared.sizes, "my-batch-job").parts
    body = b"".join(part_body(prepared.items_path, prepared.sizes, part))
    assert json.loads(body) == VENDOR
    assert len(body) == part.body_bytes


def test_the_body_is_the_smallest_json(tmp_path: Path) -> None:
    composed = preview(make_table(tmp_path, ["text"], [['Zürich "1"\n東京 \x00\u2028😀']]), prompt(), 0)
    smallest = json.dumps(composed.params, ensure_ascii=False, separators=(",", ":")).encode()
    assert composed.body == smallest
    assert composed.item == b'{"custom_id":"row-2","params":' + smallest + b"}"


def test_every_turn_is_sent_in_its_order(tmp_path: Path) -> None:
    turns = (
        Turn(role="system", text="You are {{who}}."),
        Turn(role="user", text="Hi"),
        Turn(role="assistant", text="{{said}}"),
        Turn(role="user", text="{{text}}"),
    )
    recipe = Recipe(model=Fixed(fixed=MODEL), turns=turns)
    assert one(tmp_path, recipe, who="kind", said="Hello.", text="{{who}}")["input"] == [
        {"role": "system", "content": "You are kind."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "{{who}}"},
    ]


def test_a_turn_that_comes_out_empty_is_left_out_but_not_the_prompt(tmp_path: Path) -> None:
    turns = (Turn(role="system", text="{{who}}"), Turn(role="user", text="{{text}}"))
    recipe = Recipe(model=Fixed(fixed=MODEL), turns=turns)
    assert one(tmp_path, recipe, who="", text="")["input"] == [{"role": "user", "content": ""}]
    assert one(tmp_path, recipe, who=" ", text="x")["input"][0] == {"role": "system", "content": " "}


@pytest.mark.parametrize(
    ("field", "cell", "placed"),
    [
        ("model", "m", {"model": "m"}),
        ("max_output_tokens", "1024", {"max_output_tokens": 1024}),
        ("temperature", "0.7", {"temperature": 0.7}),
        ("temperature", "2", {"temperature": 2}),
        ("top_p", "1e-1", {"top_p": 0.1}),
        ("reasoning_effort", "low", {"reasoning": {"effort": "low"}}),
        ("reasoning_summary", "auto", {"reasoning": {"generate_summary": "auto"}}),
        ("prompt_cache_key", "007", {"prompt_cache_key": "007"}),
        ("user", " u ", {"user": " u "}),
        ("completion_window", "standard", {"metadata": {"completion_window": "standard"}}),
    ],
)
@pytest.mark.parametrize("way", ["fixed", "column", "empty"])
def test_every_param_fixed_from_a_column_or_left_out(
    tmp_path: Path, field: str, cell: str, placed: dict[str, Any], way: str
) -> None:
    base = {"model": MODEL, "input": [{"role": "user", "content": "x"}]}
    name, value = next(iter(placed.items()))
    fixed = next(iter(value.values())) if isinstance(value, dict) else value
    source = Fixed(fixed=fixed) if way == "fixed" else FromColumn(column="cell")
    recipe = prompt("x", **{"max_output_tokens": None} | {field: source})
    params = one(tmp_path, recipe, cell="" if way == "empty" else cell)
    if way != "empty":
        assert params == base | placed
        assert type(params[name]) is type(value)
    elif field == "model":
        assert params["model"] is None
    else:
        assert params == base


@pytest.mark.parametrize(
    ("field", "cell", "code", "hint"),
    [
        ("temperature", "0,7", "temperature-number", "0.7"),
        ("temperature", " 0.7", "temperature-number", "0.7"),
        ("temperature", "NaN", "temperature-number", None),
        ("temperature", "TRUE", "temperature-number", None),
        ("temperature", "٠", "temperature-number", None),
        ("temperature", "1e999", "temperature-number", None),
        ("temperature", "9" * 400, "temperature-range", None),
        ("temperature", "2.01", "temperature-range", None),
        ("temperature", "-0.1", "temperature-range", None),
        ("top_p", "1.01", "top_p-range", None),
        ("max_output_tokens", "100.0", "max_output_tokens-number", "100"),
        ("max_output_tokens", "1,024", "max_output_tokens-number", "1024"),
        ("max_output_tokens", "1e3", "max_output_tokens-number", None),
        ("max_output_tokens", "0", "max_output_tokens-range", None),
        ("max_output_tokens", "9" * 30, "max_output_tokens-range", None),
        ("reasoning_effort", "High", "reasoning.effort-choice", "high"),
        ("reasoning_summary", "long", "reasoning.generate_summary-choice", None),
        ("user", "u" * 257, "user-length", None),
        ("completion_window", "asap", "window-in-batch", "standard"),
        ("completion_window", "flex", "window-in-batch", "standard"),
        ("completion_window", "soon", "metadata.completion_window-choice", None),
        ("model", "", "model-missing", None),
        ("model", " ", "model-missing", None),
    ],
)
def test_a_cell_that_is_no_such_value_is_named(
    tmp_path: Path, field: str, cell: str, code: str, hint: str | None
) -> None:
    table = make_table(tmp_path, ["text", "cell"], [["x", cell]])
    given: dict[str, Any] = {field: FromColumn(column="cell")}
    composed = preview(table, prompt(**given), 0)
    (problem,) = composed.problems
    assert (problem.code, problem.row, problem.column) == (code, FIRST_ROW, "cell")
    assert hint is None or hint in problem.hint


def test_metadata_columns(tmp_path: Path) -> None:
    recipe = prompt(metadata={"team": FromColumn(column="t"), "run": Fixed(fixed="7")})
    assert one(tmp_path, recipe, text="x", t="1.0")["metadata"] == {"run": "7", "team": "1.0"}
    assert one(tmp_path, recipe, text="x", t="")["metadata"] == {"run": "7"}


def test_images_join_the_last_user_turn(tmp_path: Path) -> None:
    recipe = prompt("Look", images=(Image(column="a", detail="low"), Image(column="b")))
    content = one(tmp_path, recipe, a="https://x.org/1.png", b="")["input"][0]["content"]
    assert content == [
        {"type": "input_text", "text": "Look"},
        {"type": "input_image", "image_url": "https://x.org/1.png", "detail": "low"},
    ]
    assert one(tmp_path, recipe, a="", b="")["input"][0]["content"] == "Look"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://x.org/a b.png", "image-url"),
        (" https://x.org/a.png", "image-url"),
        ("ftp://x.org", "image-url"),
        ("https://", "image-url"),
        ("a.png", "image-url"),
        ("data:image/tiff;base64,AAAA", "image-type"),
        ("data:image/png;base64,R0lGODlh", "image-type"),
        ("data:image/gif;base64,R0lGODlh!", "image-base64"),
        ("data:image/png,abc", "image-url"),
        ("data:image/gif;base64," + "A" * 26_666_672, "image-size"),
    ],
)
def test_image_cells_that_are_none(tmp_path: Path, url: str, code: str) -> None:
    table = make_table(tmp_path, ["a"], [[url]])
    assert codes(preview(table, prompt("x", images=(Image(column="a"),)), 0).problems) == [code]


@pytest.mark.parametrize(
    "url", ["HTTP://x.org", "https://x.org/ü?a=1#b", "data:image/gif;base64,R0lGODlh", "data:IMAGE/GIF;base64,R0lGODlh"]
)
def test_image_cells_that_are_good(tmp_path: Path, url: str) -> None:
    table = make_table(tmp_path, ["a"], [[url]])
    assert preview(table, prompt("x", images=(Image(column="a"),)), 0).problems == ()


def test_answer_fields_become_a_strict_schema() -> None:
    fields = (
        AnswerField(name="mood", type="one of", choices=("good", "bad"), description="How it sounds"),
        AnswerField(name="score", type="integer", required=False),
        AnswerField(name="why", type="one of", choices=("a",), required=False),
        AnswerField(name="tags", type="list of text"),
        AnswerField(name="ok", type="yes/no"),
    )
    assert answer_format(Recipe(answer_name="review", answer_fields=fields)) == {
        "type": "json_schema",
        "name": "review",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "mood": {"type": "string", "enum": ["good", "bad"], "description": "How it sounds"},
                "score": {"type": ["integer", "null"]},
                "why": {"type": ["string", "null"], "enum": ["a", None]},
                "tags": {"type": "array", "items": {"type": "string"}},
                "ok": {"type": "boolean"},
            },
            "required": ["mood", "score", "why", "tags", "ok"],
            "additionalProperties": False,
        },
    }


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        ({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}, True),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, False),
        ({"type": "object", "properties": {}}, False),
    ],
)
def test_a_schema_by_hand_is_strict_only_where_it_is(schema: dict[str, Any], strict: bool) -> None:
    form = answer_format(Recipe(answer_schema=schema))
    assert form is not None
    assert (form["schema"], form["strict"]) == (schema, strict)


def test_more_params_are_merged(tmp_path: Path) -> None:
    assert one(tmp_path, prompt(more={"background": True, "include": ["x"]}), text="x")["background"] is True


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        ('{"model":"old","input":"x"}', '{"model":"new","input":"x"}'),
        ('{ "input": "old", "model" : "old", "top_p": 1.0 }', '{ "input": "old", "model" : "new", "top_p": 1.0 }'),
        (
            '{"metadata":{"model":"old"},"model":"old","input":"x"}',
            '{"metadata":{"model":"old"},"model":"new","input":"x"}',
        ),
        ('{"input":"\\"model\\":\\"old\\"","model":"old"}', '{"input":"\\"model\\":\\"old\\"","model":"new"}'),
        ('{"mod\\u0065l":"old","input":"ä"}', '{"model":"new","input":"ä"}'),
        ('{"model":"other","input":"x"}', '{"model":"other","input":"x"}'),
        ('{"model":["old"],"input":"x"}', '{"model":["old"],"input":"x"}'),
    ],
)
def test_another_model_is_asked_and_every_other_byte_stays(tmp_path: Path, params: str, sent: str) -> None:
    table = make_table(tmp_path, ["custom_id", "params"], [["a", params]])
    composed = preview(table, ready(), 0, steps=[UseModel(instead_of="old", model="new")])
    assert composed.body.decode() == sent
    assert composed.params == json.loads(sent)
    assert composed.instead_of == ("old" if params != sent else "")


@pytest.mark.parametrize(
    ("steps", "model"),
    [
        ([("old", "new")], "new"),
        ([("old", "newer"), ("newer", "newest")], "newest"),
        ([("newer", "newest"), ("old", "newer")], "newer"),
        ([("old", "new"), ("new", "old")], "old"),
    ],
)
def test_models_are_replaced_in_the_order_of_the_mends(
    tmp_path: Path, steps: list[tuple[str, str]], model: str
) -> None:
    uses = [UseModel(instead_of=named, model=used) for named, used in steps]
    table = make_table(tmp_path, ["custom_id", "params"], [["a", '{"model":"old","input":"x"}']])
    assert preview(table, ready(), 0, steps=uses).params["model"] == model
    mapped = prompt("Do {{text}}", model=FromColumn(column="model"))
    named = make_table(tmp_path, ["text", "model"], [["x", "old"]])
    assert preview(named, mapped, 0, steps=uses).params["model"] == model


def test_ready_made_params_pass_byte_for_byte(tmp_path: Path) -> None:
    odd = '{ "input":"\\u00fc", "model":"m",\n"temperature":0.70 }'
    composed = preview(make_table(tmp_path, ["custom_id", "params"], [["a", odd]]), ready(), 0)
    assert composed.problems == ()
    assert composed.item == b'{"custom_id":"a","params":' + odd.encode() + b"}"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ("", "params-json"),
        ("{", "params-json"),
        ("[" * 5_000, "params-json"),
        ('{"model":"m","input":"x","metadata":' + "[" * 300 + "]" * 300 + "}", "too-deep"),
        ('{"a":NaN}', "params-json"),
        ('{"input":"\\ud800"}', "params-json"),
        ("[]", "params-object"),
        ("3", "params-object"),
        ('{"model":"m","input":"x","model":"n"}', "params-repeated-key"),
        ('{"model":"m","input":"x","metadata":{"a":"1","a":"2"}}', "params-repeated-key"),
    ],
)
def test_ready_made_params_that_are_none(tmp_path: Path, params: str, code: str) -> None:
    composed = preview(make_table(tmp_path, ["custom_id", "params"], [["a", params]]), ready(), 0)
    assert codes(composed.problems) == [code]
    assert composed.body == b""


def test_which_columns_leave_this_computer(tmp_path: Path) -> None:
    recipe = prompt(
        "{{ a }} {{b}}",
        temperature=FromColumn(column="c"),
        images=(Image(column="d"),),
        metadata={"x": FromColumn(column="e")},
        custom_id=IdRule(column="f"),
    )
    assert used_columns(recipe) == {"a", "b", "c", "d", "e", "f"}
    assert sent_columns(recipe, ["a", "c", "g"]) == {"a", "c"}
    composed = preview(make_table(tmp_path, list("abcdefg"), [["", "", "", "", "", "", "SECRET"]]), recipe, 0)
    assert b"SECRET" not in composed.item


def test_a_preview_is_the_row_that_is_sent(tmp_path: Path) -> None:
    table = make_table(tmp_path, ["id", "text"], [[f"A {at % 3}", str(at)] for at in range(50)])
    recipe = prompt(custom_id=IdRule(column="id"))
    assert [composed.item for composed in compose(table, recipe)] == [
        preview(table, recipe, at).item for at in range(50)
    ]
    with pytest.raises(IndexError):
        preview(table, recipe, 50)


def test_an_edited_cell_is_sent_and_the_table_stays(tmp_path: Path) -> None:
    table = make_table(tmp_path, ["text"], [["a"], ["b"]])
    steps = [EditCell(row=3, column="text", text="c"), EditCell(row=99, column="text", text="d")]
    assert [composed.prompt for composed in compose(table, prompt(), steps=steps)] == ["a", "c"]
    assert table.row(1) == ("b",)


@pytest.mark.parametrize(
    ("original", "custom_id"),
    [
        ("SKU 0012/ä", "sku-0012-a-vi362pri"),
        ("ok-1_a", "ok-1_a"),
        ("a" * 64, "a" * 64),
    ],
)
def test_ids(tmp_path: Path, original: str, custom_id: str) -> None:
    table = make_table(tmp_path, ["id"], [[original]])
    assert preview(table, prompt("x", custom_id=IdRule(column="id")), 0).custom_id == custom_id


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=70) | st.sampled_from(["", "a", "A", "a ", "-", "東京", "x" * 90]), max_size=30))
def test_ids_are_legal_unique_and_stable(tmp_path_factory: pytest.TempPathFactory, originals: list[str]) -> None:
    folder = tmp_path_factory.mktemp("ids")
    recipe = prompt("x", custom_id=IdRule(column="id"))
    ids = [composed.custom_id for composed in compose(make_table(folder, ["id"], [[o] for o in originals]), recipe)]
    assert all(map(is_legal, ids))
    assert len(set(ids)) == len(ids)
    kept = [o for o in originals if originals.count(o) == 1 and is_legal(o)]
    assert set(kept) <= set(ids)
    back = list(compose(make_table(folder, ["id"], [[o] for o in reversed(originals)]), recipe))
    unique = {o for o in originals if o and originals.count(o) == 1}
    assert {c.original: c.custom_id for c in back if c.original in unique} == {
        o: custom_id for o, custom_id in zip(originals, ids, strict=True) if o in unique
    }


def test_a_made_id_that_meets_an_original_is_made_again(tmp_path: Path) -> None:
    rows = [["SKU 0012/ä"], ["sku-0012-a-vi362pri"]]
    reading = make_reading(tmp_path, ["id"], rows)
    prepared = prepare(reading, prompt("x", custom_id=IdRule(column="id")), folder=tmp_path / "p")
    ids = [custom_id for custom_id, _, _, _ in prepared.manifest()]
    assert ids == [made("SKU 0012/ä", again=1), "sku-0012-a-vi362pri"]
    assert prepared.ok


def test_repeats_do_not_trust_a_hash_alone() -> None:
    texts = ["a", "b", "c"]
    assert (
        repeats(partial(lambda: iter([([1, 2, 3], texts)])), array("q", [hash("a"), hash("a"), hash("c")]))
        == frozenset()
    )
    assert repeats(lambda: iter([([1, 2], ["a", "a"])])) == {"a"}


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        (["a", "b"], [[], []]),
        (["a", "a"], [[], ["id-repeated"]]),
        (["", "A"], [["id-empty"], ["id-characters"]]),
        (["a\n", "-a"], [["id-characters"], ["id-characters"]]),
        (["a" * 64, "a" * 65], [[], ["id-length"]]),
    ],
)
@pytest.mark.parametrize("kind", ["ready", "prompt"])
def test_ids_sent_as_they_stand_are_checked(tmp_path: Path, ids: list[str], found: list[list[str]], kind: str) -> None:
    recipe = ready() if kind == "ready" else prompt("x", custom_id=IdRule(column="custom_id", legal=False))
    params = json.dumps({"model": "m", "input": "x"})
    table = make_table(tmp_path, ["custom_id", "params"], [[custom_id, params] for custom_id in ids])
    _, rows = looked_at(table, recipe)
    assert [codes(problems) for _, problems in rows] == found
    _, mended = looked_at(table, recipe, steps=[MakeLegalIds()])
    shared = ["id-shared"] if len(set(ids)) == 1 else []
    assert [codes(problems) for _, problems in mended] == [shared for _ in ids]
    assert all(problem.severity is Severity.WARNING for _, problems in mended for problem in problems)
    assert len({composed.custom_id for composed, _ in mended}) == len(ids)


def test_ids_of_a_large_table_need_no_second_look(tmp_path: Path) -> None:
    table = make_table(tmp_path, ["id"], [[f"r-{at}"] for at in range(5_000)] + [["r-7"]])
    ids = Ids.scan(table, prompt(custom_id=IdRule(column="id")))
    assert ids.repeated == {"r-7"}
    assert re.fullmatch(r"r-7-[a-z2-7]{8}", ids.of(9, "r-7"))
    assert ids.of(9, "r-8") == "r-8"


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, self.headers["Authorization"], body))  # type: ignore[attr-defined]  # ours
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *arguments: Any) -> None:
        """Keep quiet."""


@pytest.mark.parametrize("writer", [curl, python])
@pytest.mark.parametrize("text", ['it\'s $HOME `date` "x" \\n ! ü 😀 \x00 \n', "y" * 150_000])
def test_the_snippets_send_exactly_these_bytes(tmp_path: Path, writer: Any, text: str) -> None:
    composed = preview(make_table(tmp_path, ["text"], [[text]]), prompt(), 0)
    with HTTPServer(("127.0.0.1", 0), _Receiver) as server:
        server.got = []  # type: ignore[attr-defined]  # read by the handler above
        Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}/v1"
        for way in ("response", "batch"):
            program = writer(composed, base_url=base, way=way, label="l")
            assert "canary" not in program
            path = tmp_path / "program"
            path.write_text(program, encoding="utf-8")
            command = ["bash", str(path)] if writer is curl else [sys.executable, str(path)]
            subprocess.run(
                command,
                check=True,
                capture_output=True,
                timeout=60,
                env={"VALAR_API_KEY": "canary", "PATH": "/usr/bin:/bin"},
            )
        got = server.got  # type: ignore[attr-defined]  # read by the handler above
        server.shutdown()
    assert [(path, key) for path, key, _ in got] == [
        ("/v1/responses", "Bearer canary"),
        ("/v1/batches", "Bearer canary"),
    ]
    assert got[0][2].rstrip(b"\n") == composed.body
    assert orjson.loads(got[1][2]) == {
        "endpoint": "/v1/responses",
        "requests": [{"custom_id": "row-2", "params": composed.params}],
        "label": "l",
    }


@pytest.mark.parametrize(
    "text", ['abc "q"\n' * 300, "Größe über alles " * 200, "速くて静か" * 400, "short ü", "😀" * 1_200]
)
def test_characters_and_bytes_for_the_token_estimate(tmp_path: Path, text: str) -> None:
    composed = preview(make_table(tmp_path, ["text"], [[text]]), prompt("Do: {{text}}", user=Fixed(fixed="u")), 0)
    sent = f"Do: {text}"
    assert composed.characters == len(sent)
    assert composed.wide == pytest.approx(len(sent.encode()) - len(sent), rel=0.05, abs=3)


@pytest.mark.parametrize(
    "given",
    [
        {"answer_fields": (AnswerField(name="mood", description="heiter oder düster"),)},
        {"answer_schema": {"type": "object", "properties": {"größe": {"type": "number"}}, "required": []}},
        {"more": {"text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}}}}},
    ],
)
@pytest.mark.parametrize("text", ["short", "Größe über alles " * 200])
def test_the_answers_schema_counts_once_in_each_request(tmp_path: Path, given: dict[str, Any], text: str) -> None:
    table = make_table(tmp_path, ["text"], [[text]])
    without, composed = preview(table, prompt("Do: {{text}}"), 0), preview(table, prompt("Do: {{text}}", **given), 0)
    schema = json.dumps(composed.params["text"]["format"], ensure_ascii=False, separators=(",", ":"))
    assert composed.characters - without.characters == len(schema)
    assert composed.wide - without.wide == len(schema.encode()) - len(schema)
    passed = preview(make_table(tmp_path, ["custom_id", "params"], [["a", composed.body.decode()]]), ready(), 0)
    assert passed.characters == composed.characters
    assert passed.wide == pytest.approx(composed.wide, rel=0.05, abs=3)


def test_another_answer_format_counts_nothing(tmp_path: Path) -> None:
    table = make_table(tmp_path, ["text"], [["x"]])
    plain = prompt("{{text}}", more={"text": {"format": {"type": "text"}}})
    assert preview(table, plain, 0).characters == 1


def test_another_column_takes_a_missing_ones_place_everywhere_but_in_what_was_typed_by_hand() -> None:
    def naming(column: str) -> Recipe:
        return Recipe(
            turns=(Turn(role="system", text="About {{" + column + "}}"), Turn(role="user", text="{{other}}")),
            temperature=FromColumn(column=column),
            images=(Image(column=column),),
            metadata={"column": FromColumn(column=column), "kept": FromColumn(column="other")},
            custom_id=IdRule(column=column),
            answer_schema={"column": "lost"},
            more={"include": [{"column": "lost"}]},
            user=Fixed(fixed="lost"),
        )

    assert with_column(naming("lost"), "lost", "found") == naming("found")
