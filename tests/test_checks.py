"""Every check names what it should, where it should, and nothing else."""

from __future__ import annotations

from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.composing import (
    FIRST_ROW,
    MODEL,
    codes,
    errors,
    looked_at,
    make_reading,
    make_table,
    prompt,
    ready,
    ready_rows,
)
from valar_ui.checks import CHECKS, Check, check_label, check_recipe, identical, look
from valar_ui.checks.check import FRAME_BYTES
from valar_ui.checks.rows import BodyLimit
from valar_ui.compose import preview
from valar_ui.limits import MAX_BODY_BYTES
from valar_ui.params import RULES, flaws, read_cell
from valar_ui.personal import kinds_in
from valar_ui.plan import HEAD, tail
from valar_ui.prepare import Prepared, prepare
from valar_ui.problems import Problem, Report, Severity
from valar_ui.recipe import AnswerField, Collapse, EditCell, Fixed, FromColumn, IdRule, Image, LeaveOut, Recipe, Turn


def prepared(folder: Path, rows: list[list[str]], recipe: Recipe | None = None, **more: Any) -> Prepared:
    """A whole pass over a table with the columns id and text."""
    return prepare(make_reading(folder, ["id", "text"], rows), recipe or prompt(), folder=folder / "p", **more)


def rows_of(result: Prepared, code: str) -> list[int]:
    """The rows that one cause names."""
    return [row for group in result.report.groups if group.code == code for row in group.rows]


def test_the_checks_are_a_visible_tuple() -> None:
    assert isinstance(CHECKS, tuple)
    assert all(issubclass(check, Check) for check in CHECKS)
    assert all(check.__doc__ for check in CHECKS)


def test_a_clean_recipe_has_no_problems() -> None:
    assert check_recipe(prompt(), ["text"]) == []


@pytest.mark.parametrize(
    ("recipe", "code", "column"),
    [
        (prompt("{{reveiw}} {{text}}"), "unknown-column", "reveiw"),
        (prompt(temperature=FromColumn(column="reveiw")), "unknown-column", "reveiw"),
        (prompt(images=(Image(column="reveiw"),)), "unknown-column", "reveiw"),
        (prompt(custom_id=IdRule(column="reveiw")), "unknown-column", "reveiw"),
        (prompt(metadata={"a": FromColumn(column="reveiw")}), "unknown-column", "reveiw"),
        (prompt(" "), "prompt-missing", None),
        (Recipe(model=Fixed(fixed=MODEL)), "prompt-missing", None),
        (prompt(model=None), "model-missing", None),
        (prompt(model=Fixed(fixed="")), "model-missing", None),
        (prompt(model=Fixed(fixed=3)), "model-text", None),
        (prompt(temperature=Fixed(fixed=2.1)), "temperature-range", None),
        (prompt(temperature=Fixed(fixed="0.7")), "temperature-number", None),
        (prompt(temperature=Fixed(fixed=True)), "temperature-number", None),
        (prompt(temperature=Fixed(fixed=float("nan"))), "param-number", None),
        (prompt(top_p=Fixed(fixed=-0.1)), "top_p-range", None),
        (prompt(max_output_tokens=Fixed(fixed=0)), "max_output_tokens-range", None),
        (prompt(max_output_tokens=Fixed(fixed=1.0)), "max_output_tokens-number", None),
        (prompt(max_output_tokens=Fixed(fixed=10**30)), "param-number", None),
        (prompt(reasoning_effort=Fixed(fixed="High")), "reasoning.effort-choice", None),
        (prompt(reasoning_summary=Fixed(fixed="x")), "reasoning.generate_summary-choice", None),
        (prompt(completion_window=Fixed(fixed="asap")), "window-in-batch", None),
        (prompt(completion_window=Fixed(fixed="flex")), "window-in-batch", None),
        (prompt(user=Fixed(fixed="u" * 257)), "user-length", None),
        (prompt(metadata={"completion_webhook": Fixed(fixed="x")}), "webhook-url", None),
        (prompt(metadata={"a": Fixed(fixed=1)}), "metadata-text", None),
        (prompt(images=tuple(Image(column="text") for _ in range(21))), "image-count", None),
        (Recipe(model=Fixed(fixed=MODEL), images=(Image(column="text"),)), "image-without-prompt", None),
        (prompt(answer_fields=(AnswerField(name=" "),)), "answer-field-name", None),
        (prompt(answer_fields=(AnswerField(name="a"), AnswerField(name="a"))), "answer-field-twice", None),
        (prompt(answer_fields=(AnswerField(name="a", type="one of"),)), "answer-choices", None),
        (prompt(answer_fields=(AnswerField(name="a", type="one of", choices=("x", "x")),)), "answer-choices", None),
        (prompt(answer_fields=(AnswerField(name="a"),), answer_name="a b"), "answer-name", None),
        (prompt(answer_schema={"type": "array"}), "schema-root", None),
        (prompt(answer_schema={"type": "object", "properties": []}), "schema-shape", None),
        (prompt(answer_schema={"type": "object", "properties": {"a": {"type": "text"}}}), "schema-type", None),
        (prompt(answer_schema={"type": "object", "required": ["a"]}), "schema-required", None),
        (prompt(answer_schema={"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}}), "schema-ref", None),
        (prompt(more={"temperature": 3}), "temperature-range", None),
        (prompt(temperature=Fixed(fixed=1), more={"temperature": 1}), "param-twice", None),
        (prompt(more={"input": "x"}), "param-twice", None),
        (prompt(more={"instructions": "x"}), "refused-param", None),
        (prompt(more={"previous_response_id": "x"}), "refused-param", None),
        (prompt(more={"conversation": "x"}), "refused-param", None),
        (prompt(more={"prompt": {}}), "refused-param", None),
        (prompt(more={"parallel_tool_calls": True}), "refused-param", None),
        (prompt(more={"stream": True}), "stream-refused", None),
        (prompt(more={"store": False}), "store-refused", None),
        (prompt(more={"truncation": "auto"}), "truncation-refused", None),
        (prompt(more={"service_tier": "flex"}), "service_tier-refused", None),
        (prompt(more={"text": {"format": {"type": "json_object"}}}), "json-object", None),
        (prompt(more={"tools": [{"type": "web_search"}]}), "server-tool", None),
        (prompt(more={"tools": [{"type": "web_search_preview"}]}), "server-tool", None),
        (prompt(more={"tools": [{"type": "mcp"}]}), "server-tool", None),
        (prompt(more={"big": 10**30}), "param-number", None),
    ],
)
def test_a_recipe_that_is_wrong_is_named_before_any_row(recipe: Recipe, code: str, column: str | None) -> None:
    found = errors(check_recipe(recipe, ["text", "review"]))
    assert codes(found) == [code]
    assert found[0].column == column
    assert found[0].row is None
    assert found[0].hint


def test_an_unknown_column_names_the_nearest() -> None:
    (problem,) = check_recipe(prompt("{{reveiw}}"), ["product", "review"])[:1]
    assert "{{review}}" in problem.hint


@pytest.mark.parametrize(
    ("recipe", "code", "severity"),
    [
        (prompt("no column"), "prompt-without-column", Severity.WARNING),
        (prompt("{{text}} {{"), "hole-unclosed", Severity.WARNING),
        (prompt("{{text}} {text}"), "hole-single-brace", Severity.WARNING),
        (prompt(more={"seed": 1}), "unknown-param", Severity.WARNING),
        (prompt(more={"max_tokens": 1}), "unknown-param", Severity.WARNING),
        (prompt(completion_window=Fixed(fixed="flex"), more={"background": True}), "window-ignored", Severity.WARNING),
        (prompt(answer_schema={"type": "object", "properties": {}}), "schema-not-strict", Severity.NOTE),
    ],
)
def test_what_is_worth_a_warning_does_not_block(recipe: Recipe, code: str, severity: Severity) -> None:
    found = check_recipe(recipe, ["text"])
    assert [(problem.code, problem.severity) for problem in found] == [(code, severity)]


@pytest.mark.parametrize(
    ("text", "cells", "column"),
    [
        ("{{text}}", ("1", ""), "text"),
        ("{{text}}", ("1", " \n"), "text"),
        ("Classify: {{text}}", ("1", ""), "text"),
        ("{{id}} {{text}}", ("", " "), None),
    ],
)
def test_a_prompt_that_says_nothing_names_its_columns(
    tmp_path: Path, text: str, cells: tuple[str, str], column: str | None
) -> None:
    _, ((_, problems),) = looked_at(make_table(tmp_path, ["id", "text"], [cells]), prompt(text))
    assert [(problem.code, problem.column, problem.row) for problem in problems] == [
        ("empty-prompt", column, FIRST_ROW)
    ]


def test_a_prompt_of_which_one_column_is_empty_is_sent_with_a_warning(tmp_path: Path) -> None:
    _, ((_, problems),) = looked_at(make_table(tmp_path, ["id", "text"], [("", "x")]), prompt("{{id}} {{text}}"))
    assert [(problem.code, problem.column, problem.severity) for problem in problems] == [
        ("hole-empty", "id", Severity.WARNING)
    ]


def test_ready_made_requests_need_their_two_columns() -> None:
    found = check_recipe(ready(), ["text"])
    assert [(problem.code, problem.column) for problem in found] == [
        ("unknown-column", "custom_id"),
        ("unknown-column", "params"),
    ]


def test_an_image_stands_in_for_the_prompt(tmp_path: Path) -> None:
    table = make_table(tmp_path, ["text", "url"], [("", "https://x.org/a.png"), ("", "")])
    for text, beside in (("{{text}}", ["hole-empty"]), ("", [])):
        recipe = prompt(text, model=Fixed(fixed="moonshotai/Kimi-K2.6"), images=(Image(column="url"),))
        start, rows = looked_at(table, recipe)
        assert errors(start) == []
        assert [codes(problems) for _, problems in rows] == [beside, ["empty-prompt"]]


@pytest.mark.parametrize(
    ("model", "found"), [(MODEL, ["image-model"]), ("moonshotai/Kimi-K2.6", []), ("not/known", [])]
)
def test_images_for_a_model_that_takes_none(tmp_path: Path, model: str, found: list[str]) -> None:
    recipe = prompt("Look", model=Fixed(fixed=model), images=(Image(column="url"),))
    table = make_table(tmp_path, ["url"], [("https://x.org/a.png",), ("",)])
    assert [codes(problems) for _, problems in looked_at(table, recipe)[1]] == [found, ["image-none"]]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"input": "x"}, "model-missing"),
        ({"model": "m"}, "input-missing"),
        ({"model": "m", "input": ""}, "input-missing"),
        ({"model": "m", "input": " "}, "empty-prompt"),
        ({"model": "m", "input": []}, "input-missing"),
        ({"model": "m", "input": None}, "input-shape"),
        ({"model": "m", "input": {"messages": [], "x": 1}}, "input-shape"),
        ({"model": "m", "input": [{"role": "user", "content": " "}]}, "empty-prompt"),
        ({"model": "m", "input": [{"role": "developer", "content": "x"}]}, "role-choice"),
        ({"model": "m", "input": [{"role": "user", "content": "x", "id": 1}]}, "message-key"),
        ({"model": "m", "input": [{"role": "user", "content": "x"}, {"role": "user"}]}, "message-shape"),
        ({"model": "m", "input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "part-type"),
        ({"model": "m", "input": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "part-type"),
        ({"model": "m", "input": "x", "max_output_tokens": 1.0}, "max_output_tokens-number"),
        ({"model": "m", "input": "x", "metadata": {"completion_window": "asap"}}, "window-in-batch"),
        ({"model": "m", "input": "x", "instructions": None}, "refused-param"),
    ],
)
def test_ready_made_requests_obey_the_same_rules(tmp_path: Path, params: dict[str, Any], code: str) -> None:
    table = make_table(tmp_path, ["custom_id", "params"], ready_rows(params))
    _, ((_, problems),) = looked_at(table, ready())
    assert codes(errors(problems)) == [code]
    assert {(problem.row, problem.column) for problem in problems} == {(FIRST_ROW, "params")}


@pytest.mark.parametrize(("count", "found"), [(20, []), (21, ["image-count"])])
def test_at_most_20_images(count: int, found: list[str]) -> None:
    part = {"type": "input_image", "image_url": "https://x.org/a.png"}
    params = {"model": "m", "input": [{"role": "user", "content": [part] * count}]}
    assert [flaw.code for flaw in flaws(params)] == found


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("temperature", "0", "-0.0000001"),
        ("temperature", "2", "2.0000001"),
        ("top_p", "0", "-0.0000001"),
        ("top_p", "1", "1.0000001"),
        ("max_output_tokens", "1", "0"),
        ("max_output_tokens", str(2**53 - 1), str(2**53)),
        ("user", "u" * 256, "u" * 257),
        ("prompt_cache_key", "k" * 9_999, None),
        ("reasoning.effort", "none", "None"),
        ("reasoning.generate_summary", "detailed", "detail"),
    ],
)
def test_each_limit_exactly(name: str, good: str, bad: str | None) -> None:
    assert read_cell(name, good)[1] == ()
    if bad is not None:
        assert [flaw.severity for flaw in read_cell(name, bad)[1]] == [Severity.ERROR]


def test_every_documented_param_has_a_rule() -> None:
    assert set(RULES) == {
        *("model", "input", "max_output_tokens", "temperature", "top_p", "text", "reasoning", "tools", "tool_choice"),
        *("include", "prompt_cache_key", "user", "metadata", "background", "store", "stream", "truncation"),
        "service_tier",
    }


@pytest.mark.parametrize(("size", "found"), [(MAX_BODY_BYTES - 1, []), (MAX_BODY_BYTES, ["request-too-big"])])
def test_one_request_alone_under_the_limit(tmp_path: Path, size: int, found: list[str]) -> None:
    small = preview(make_table(tmp_path, ["text"], [["x"]]), prompt(), 0)
    beside = len(small.item) - len(small.body) + FRAME_BYTES
    composed = replace(small, body=b"x" * (size - beside))
    assert len(HEAD + composed.item + tail("")) == size
    assert codes(BodyLimit().row(composed)) == found


def reading_report() -> Report:
    """What a reader may have found."""
    report = Report()
    report.add(Problem("long-row", "This row has too many cells.", row=3))
    report.add(Problem("error-cell", "The cell holds #N/A.", row=4, column="text"))
    report.add(Problem("error-cell", "The cell holds #N/A.", row=4, column="other"))
    report.add(Problem("nul", "The cell holds a NUL.", row=5, column="text", severity=Severity.WARNING))
    report.add(Problem("encoding", "A guess.", severity=Severity.WARNING))
    return report


def test_problems_of_reading_block_their_row_or_their_column(tmp_path: Path) -> None:
    reading = make_reading(tmp_path, ["text", "other"], [["a", "b"]] * 4, report=reading_report())
    start, rows = looked_at(reading.table, prompt(), reading=reading.report)
    assert codes(start) == ["encoding"]
    assert [[(problem.code, problem.column) for problem in problems] for _, problems in rows] == [
        [],
        [("long-row", None)],
        [("error-cell", "text")],
        [("nul", "text")],
    ]


def test_what_reading_found_twice_in_a_row_is_told_once_and_all_of_it(tmp_path: Path) -> None:
    report = Report()
    for text in ("A zero-width character.", "A mark of direction.", "A zero-width character."):
        report.add(Problem("invisible-character", text, row=2, column="text", severity=Severity.WARNING))
    reading = make_reading(tmp_path, ["text"], [["a"]], report=report)
    _, rows = looked_at(reading.table, prompt(), reading=reading.report)
    assert [[problem.text for problem in problems] for _, problems in rows] == [
        ["A zero-width character.", "A mark of direction."]
    ]


def test_problems_of_reading_are_told_for_every_row(tmp_path: Path) -> None:
    report = Report()
    for row in range(2, 102):
        report.add(Problem("long-row", f"Row {row} has too many cells.", row=row))
    reading = make_reading(tmp_path, ["text"], [["a"]] * 100, report=report)
    done = prepare(reading, prompt(), folder=tmp_path / "p")
    assert done.blocked == 100
    assert list(done.report.groups[0].rows if done.report.groups[0].code == "long-row" else []) == list(range(2, 102))


def test_looking_at_one_row_tells_all_that_is_wrong_with_it(tmp_path: Path) -> None:
    reading = make_reading(tmp_path, ["text", "other"], [["a", "b"], ["", ""]], report=reading_report())
    composed, problems = look(reading.table, prompt(), 1, reading=reading.report)
    assert composed.row == 3
    assert sorted(codes(problems)) == ["empty-prompt", "long-row"]


def test_identical_requests_are_counted_once_for_each_repeat(tmp_path: Path) -> None:
    result = prepared(tmp_path, [["1", "a"], ["2", "b"], ["3", "a"], ["4", "a"]])
    assert rows_of(result, "identical-request") == [4, 5]
    assert result.ok


def test_equal_marks_are_grouped_in_order() -> None:
    assert list(identical(array("q", [5, 7, 5, 7, 5, 9]))) == [(0, [2, 4]), (1, [3])]
    assert list(identical(array("q"))) == []


def test_prompts_far_longer_than_the_rest(tmp_path: Path) -> None:
    rows = [["", "x" * 100]] * 40 + [["", "y" * 4_000], ["", "y" * 3_000]]
    assert rows_of(prepared(tmp_path, rows), "long-prompt") == [42]


def test_max_output_tokens_missing_is_told_once(tmp_path: Path) -> None:
    result = prepared(tmp_path, [["1", "a"], ["", "b"]], prompt(max_output_tokens=FromColumn(column="id")))
    (group,) = [group for group in result.report.groups if group.code == "output-unlimited"]
    assert (group.count, group.severity) == (1, Severity.WARNING)
    assert "1 of 2" in group.examples[0].text
    assert result.output_tokens_max is None


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("write to ann.smith+x@example.co.uk please", ("email",)),
        ("@home a@b, 3@4.5", ()),
        ("call +49 30 1234567", ("phone",)),
        ("call (555) 123-4567", ("phone",)),
        ("0171 2345678", ("phone",)),
        ("0049 30 123456", ("phone",)),
        ("in 2015 2016 2017, 1,204 of 12.50, 2026-03-02, ISBN 9783161484100", ()),
        ("DE89 3704 0044 0532 0130 00", ("iban",)),
        ("GB82WEST12345698765432", ("iban",)),
        ("DE89 3704 0044 0532 0130 01", ()),
        ("AB12CDEF34567890", ()),
    ],
)
def test_patterns_of_personal_data(text: str, kinds: tuple[str, ...]) -> None:
    assert kinds_in(text) == kinds


def test_personal_data_is_found_in_columns_that_are_sent(tmp_path: Path) -> None:
    rows = [["a@b.de", "call +49 30 1234567 or a@b.de"], ["c@d.de", "nothing"], ["", "x@y.org"]]
    result = prepared(tmp_path, rows, steps=[EditCell(row=4, column="text", text="gone")])
    assert rows_of(result, "personal-email") == [2]
    assert rows_of(result, "personal-phone") == [2]
    assert result.ok
    assert {group.column for group in result.report.groups if group.code.startswith("personal")} == {"text"}


def test_personal_data_that_an_edit_brings_in_is_found(tmp_path: Path) -> None:
    result = prepared(tmp_path, [["", "x"]], steps=[EditCell(row=2, column="text", text="x@y.org")])
    assert rows_of(result, "personal-email") == [2]


def test_nothing_left_to_send_is_an_error(tmp_path: Path) -> None:
    result = prepared(tmp_path, [["", ""]], steps=[LeaveOut(code="*")])
    assert "no-requests" in codes(result.report)
    assert not result.ok


def test_more_than_one_batch_is_a_note(tmp_path: Path) -> None:
    result = prepared(tmp_path, [["", str(at)] for at in range(100_001)])
    assert [(group.code, group.severity) for group in result.report.groups] == [("several-parts", Severity.NOTE)]
    assert result.ok


@pytest.mark.parametrize(
    ("label", "parts", "code"),
    [
        ("", 1, None),
        ("a-Z_9", 1, None),
        ("l" * 128, 1, None),
        ("l" * 129, 1, "label-length"),
        ("l" * 123, 9, None),
        ("l" * 124, 9, "label-length"),
        ("l" * 122, 10, "label-length"),
        ("a b", 1, "label-characters"),
        ("ä", 1, "label-characters"),
        ("a\n", 1, "label-characters"),
    ],
)
def test_labels(label: str, parts: int, code: str | None) -> None:
    problem = check_label(label, parts=parts)
    assert (problem.code if problem else None) == code


def test_a_conversation_that_does_not_end_with_the_prompt() -> None:
    turns = (Turn(role="user", text="{{text}}"), Turn(role="assistant", text="Well"))
    assert codes(check_recipe(Recipe(model=Fixed(fixed=MODEL), turns=turns), ["text"])) == ["prompt-not-last"]


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        (["a", "b", "c"], []),
        (["A", "b", "c"], ["1 of 3 ids is changed"]),
        (["A", "B", "c"], ["2 of 3 ids are changed"]),
    ],
)
def test_changed_ids_are_counted_in_words(tmp_path: Path, ids: list[str], told: list[str]) -> None:
    recipe = prompt(custom_id=IdRule(column="id"))
    result = prepared(tmp_path, [[name, f"text {name}"] for name in ids], recipe)
    said = [problem.text for problem in result.report if problem.code == "ids-changed"]
    assert [text.split(" so that")[0] for text in said] == told


def test_what_a_row_would_have_sent_is_no_matter_where_another_rows_request_is_sent(tmp_path: Path) -> None:
    rows = [["A", "ask ann@example.com"], ["B", "ask ann@example.com"], ["c", "ask bob@example.com"]]
    recipe = prompt("{{text}}", custom_id=IdRule(column="id"))
    result = prepared(tmp_path, rows, recipe, steps=[Collapse()])
    assert rows_of(result, "personal-email") == [2, 4]
    assert result.filled_rows().tolist() == [3]
    (told,) = [problem.text for problem in result.report if problem.code == "ids-changed"]
    assert told.startswith("2 of 3 ids (of the rows that get an answer) are changed")


def test_rows_that_would_share_a_request_are_left_out_with_it(tmp_path: Path) -> None:
    rows = [["A", "ask ann@example.com"], ["B", "ask ann@example.com"], ["c", "ask nobody"]]
    result = prepared(tmp_path, rows, steps=[Collapse(), LeaveOut(code="personal-email")])
    assert (result.requests, result.left_out, result.collapsed) == (1, 2, 0)
    assert rows_of(result, "personal-email") == []


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (["9", "", "9"], "1 of 3 rows: row 3."),
        (["", "9", "", "9"], "2 of 4 rows: rows 2, 4."),
        (["", "", ""], "3 of 3 rows."),
        ([""] * 9 + ["9"], "9 of 10 rows: rows 2, 3, 4, 5, 6, 7, 8, 9 and 1 more."),
    ],
)
def test_rows_without_a_limit_are_named_where_they_are_the_exception(
    tmp_path: Path, limits: list[str], told: str
) -> None:
    recipe = prompt("{{text}} {{id}}", max_output_tokens=FromColumn(column="id"))
    result = prepared(tmp_path, [[limit, f"text {at}"] for at, limit in enumerate(limits)], recipe)
    (said,) = [problem.text for problem in result.report if problem.code == "output-unlimited"]
    assert said == f"max_output_tokens is missing in {told}"


def test_the_first_row_of_each_id_that_can_be_sent_stays(tmp_path: Path) -> None:
    rows = [["a", "one"], ["b", ""], ["a", "two"], ["b", "three"], ["B 1", "four"], ["B 1", "five"], ["b", "six"]]
    recipe = prompt("{{text}}", custom_id=IdRule(column="id"))
    every = prepared(tmp_path, rows, recipe)
    assert rows_of(every, "id-shared") == [2, 3, 4, 5, 6, 7, 8]
    (tmp_path / "kept").mkdir()
    step = LeaveOut(code="id-shared", column="id", keep_first=True)
    kept = prepared(tmp_path / "kept", rows, recipe, steps=[step])
    assert [row for _, row, _, _ in kept.manifest()] == [2, 5, 6]
    ids = [custom_id for custom_id, *_ in kept.manifest()]
    assert ids[:2] == ["a", "b"]
    assert ids[2].startswith("b-1-")
    assert (kept.blocked, kept.left_out, kept.left_out_by(step)) == (1, 3, 3)
    assert rows_of(kept, "id-shared") == [3]


def test_an_empty_id_is_none_that_is_shared(tmp_path: Path) -> None:
    recipe = prompt("{{text}}", custom_id=IdRule(column="id"))
    step = LeaveOut(code="id-shared", column="id", keep_first=True)
    kept = prepared(tmp_path, [["", "one"], ["", "two"], ["a", "three"], ["a", "four"]], recipe, steps=[step])
    assert [row for _, row, _, _ in kept.manifest()] == [2, 3, 4]


def test_rows_are_told_with_thousands_parted(tmp_path: Path) -> None:
    rows = [[f"r-{at}", f"text {at}"] for at in range(1_998)] + [["r-x", "again"], ["r-x", "again"]]
    result = prepared(tmp_path, rows, prompt(custom_id=IdRule(column="id", legal=False)), steps=[])
    (repeated,) = [problem for problem in result.report if problem.code == "id-repeated"]
    assert "that of row 2,000." in repeated.text
    (tmp_path / "again").mkdir()
    result = prepared(tmp_path / "again", rows)
    (same,) = [problem for problem in result.report if problem.code == "identical-request"]
    assert "the same as row 2,000." in same.text


def test_a_column_that_is_not_there_is_not_told_as_no_column() -> None:
    assert codes(check_recipe(prompt("Judge {{reveiw}}"), ["text"])) == ["unknown-column"]


def test_collapsing_silences_the_warning_it_mends(tmp_path: Path) -> None:
    result = prepared(tmp_path, [["1", "a"], ["2", "a"]], steps=[Collapse()])
    assert rows_of(result, "identical-request") == []
    assert (result.requests, result.collapsed) == (1, 1)


def test_holes_among_the_more_params_are_told_to_stay_as_they_are() -> None:
    recipe = prompt(more={"metadata": {"who": "{{text}}"}})
    assert [(it.code, it.severity) for it in check_recipe(recipe, ["text"])] == [("hole-in-more", Severity.WARNING)]
    assert check_recipe(prompt(more={"metadata": {"who": "text"}}), ["text"]) == []


def test_an_empty_hole_beside_an_image_is_told(tmp_path: Path) -> None:
    table = make_table(tmp_path, ["text", "url"], [("", "https://x.org/a.png"), ("b", "https://x.org/b.png")])
    recipe = prompt("Judge {{text}}", model=Fixed(fixed="moonshotai/Kimi-K2.6"), images=(Image(column="url"),))
    _, rows = looked_at(table, recipe)
    assert [[(it.code, it.column) for it in problems] for _, problems in rows] == [[("hole-empty", "text")], []]
