"""One pass writes everything, whole or not at all; steps leave out, collapse and mend, and can be taken back."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from tests.composing import MODEL, codes, make_reading, prompt, ready, ready_rows
from valar_ui.checks import Inspection
from valar_ui.compose import Many, compose, compose_many
from valar_ui.jobs import Cancelled
from valar_ui.plan import part_body, plan
from valar_ui.prepare import (
    PROBLEM_HEADING,
    Prepared,
    all_problems,
    fingerprint,
    neutral,
    prepare,
    problems_csv,
    problems_page,
    sheet_with_problems,
)
from valar_ui.pricing import Usage
from valar_ui.problems import Severity
from valar_ui.readers import Reading, ReadOptions, read
from valar_ui.recipe import (
    AnswerField,
    Collapse,
    EditCell,
    Fixed,
    FromColumn,
    IdRule,
    LeaveOut,
    LeaveOutRow,
    MendNumbers,
    Recipe,
    Step,
    Turn,
    UseModel,
)

COLUMNS = ["id", "text", "heat"]
ROWS = [
    ["A 1", "hello", "0.7"],
    ["b", "", "0,7"],
    ["c", "=1+1", ""],
    ["d", "hello", "0.7"],
    ["e", "hello", "0.7"],
    ["f", "last", "9"],
]
RECIPE = prompt("Do: {{text}}", temperature=FromColumn(column="heat"), custom_id=IdRule(column="id"))


def sheet(folder: Path, rows: Sequence[Sequence[str]] = ROWS) -> Reading:
    """The sheet that most tests here use; rows 3 and 7 have errors, 2, 5 and 6 ask the same."""
    return make_reading(folder, COLUMNS, rows)


def run(folder: Path, *steps: Step, recipe: Recipe = RECIPE, rows: Sequence[Sequence[str]] = ROWS) -> Prepared:
    """One pass into a folder named by its fingerprint."""
    reading = sheet(folder, rows)
    return prepare(reading, recipe, steps=steps, folder=folder / fingerprint(reading, recipe, steps))


def rows_sent(result: Prepared) -> list[int]:
    """The rows that get an answer."""
    return [row for _, row, _, _ in result.manifest()]


def test_what_sending_identical_requests_once_saves_is_exact(tmp_path: Path) -> None:
    texts = [
        "short",
        "a much longer text of another row, " * 9,
        "short",
        "once",
        "a much longer text of another row, " * 9,
    ]
    rows = [[str(at), text, "0.7"] for at, text in enumerate(texts)]
    every, once = run(tmp_path, rows=rows), run(tmp_path, Collapse(), rows=rows)
    saved = every.repeated_usage[MODEL]
    assert saved == Usage(
        every.usage[MODEL].requests - once.usage[MODEL].requests,
        every.usage[MODEL].input_tokens - once.usage[MODEL].input_tokens,
        200,
    )
    assert saved.requests == 2
    assert once.repeated_usage == {}
    assert run(tmp_path, LeaveOut(code="identical-request"), rows=rows).repeated_usage == {}


def test_what_a_pass_leaves_behind(tmp_path: Path) -> None:
    result = run(tmp_path)
    items = result.items_path.read_bytes()
    assert (result.rows, result.requests, result.blocked, result.left_out, result.collapsed) == (6, 4, 2, 0, 0)
    assert rows_sent(result) == [2, 4, 5, 6]
    assert result.content_sha256 == hashlib.sha256(items).hexdigest()
    assert result.items_bytes == len(items) == int(result.sizes.sum()) + 3
    requests = json.loads(b"[" + items + b"]")
    assert [request["custom_id"] for request in requests] == [custom_id for custom_id, _, _, _ in result.manifest()]
    assert [original for _, _, original, _ in result.manifest()] == ["A 1", "c", "d", "e"]
    assert result.models == {MODEL: 4}
    assert result.output_tokens_max == 400
    assert result.input_tokens == result.usage[MODEL].input_tokens > 0
    assert (result.longest, result.shortest, result.first_problem) == (0, 2, 1)
    assert not result.ok
    assert sorted(path.name for path in result.folder.iterdir()) == [
        "items.bin",
        "manifest.arrow",
        "prepared.json",
        "problems.jsonl",
        "sizes.bin",
    ]


def test_it_loads_as_it_was(tmp_path: Path) -> None:
    result = run(tmp_path, LeaveOut(code="*"))
    again = Prepared.load(result.folder)
    assert again.report.as_json() == result.report.as_json()
    assert again.left_out_report.as_json() == result.left_out_report.as_json()
    assert (again.usage, again.fingerprint, again.ok) == (result.usage, result.fingerprint, True)


@pytest.mark.parametrize(
    ("steps", "sent", "left_out", "blocked"),
    [
        ([], [2, 4, 5, 6], 0, 2),
        ([LeaveOut(code="*")], [2, 4, 5, 6], 2, 0),
        ([LeaveOut(code="empty-prompt", column="text")], [2, 4, 5, 6], 1, 1),
        ([LeaveOut(code="empty-prompt", column="heat")], [2, 4, 5, 6], 0, 2),
        ([LeaveOut(code="temperature-range")], [2, 4, 5, 6], 1, 1),
        ([LeaveOutRow(row=4)], [2, 5, 6], 1, 2),
        ([LeaveOut(code="identical-request")], [2, 4], 2, 2),
        ([EditCell(row=7, column="heat", text="0.9")], [2, 4, 5, 6, 7], 0, 1),
        ([EditCell(row=3, column="text", text="x"), EditCell(row=3, column="heat", text="")], [2, 3, 4, 5, 6], 0, 1),
        ([Collapse()], [2, 4, 5, 6], 0, 2),
    ],
)
def test_each_step_and_its_undo(
    tmp_path: Path, steps: list[Step], sent: list[int], left_out: int, blocked: int
) -> None:
    before = run(tmp_path)
    result = run(tmp_path, *steps)
    assert (rows_sent(result), result.left_out, result.blocked) == (sent, left_out, blocked)
    assert result.left_out + result.blocked + len(sent) == result.rows
    after = run(tmp_path)
    assert after.items_path.read_bytes() == before.items_path.read_bytes()
    assert after.report.as_json() == before.report.as_json()


@pytest.mark.parametrize(
    ("steps", "rows"),
    [
        ([LeaveOut(code="*")], [2]),
        ([LeaveOut(code="empty-prompt")], [1]),
        ([LeaveOut(code="empty-prompt", column="text")], [1]),
        ([LeaveOut(code="empty-prompt", column="heat")], [0]),
        ([LeaveOut(code="identical-request")], [2]),
        ([LeaveOut(code="*"), LeaveOut(code="temperature-range"), LeaveOut(code="id-length")], [2, 1, 0]),
        ([EditCell(row=7, column="heat", text="1"), LeaveOut(code="temperature-range")], [0]),
    ],
)
def test_how_many_rows_each_step_leaves_out(tmp_path: Path, steps: list[Step], rows: list[int]) -> None:
    result = run(tmp_path, *steps)
    assert [result.left_out_by(step) for step in steps if isinstance(step, LeaveOut)] == rows


def test_collapsed_rows_share_one_request(tmp_path: Path) -> None:
    result = run(tmp_path, LeaveOut(code="*"), Collapse())
    assert (result.requests, result.collapsed) == (2, 2)
    manifest = list(result.manifest())
    assert [(row, request) for _, row, _, request in manifest] == [(2, 0), (4, 1), (5, 0), (6, 0)]
    assert len({custom_id for custom_id, _, _, _ in manifest}) == 2
    requests = json.loads(b"[" + result.items_path.read_bytes() + b"]")
    assert [requests[request]["custom_id"] for *_, request in manifest] == [custom_id for custom_id, *_ in manifest]
    assert result.content_sha256 == hashlib.sha256(result.items_path.read_bytes()).hexdigest()
    assert result.usage[MODEL] == Usage(2, result.input_tokens, 200)
    (part,) = plan(result.sizes, "l").parts
    assert len(orjson.loads(b"".join(part_body(result.items_path, result.sizes, part)))["requests"]) == 2


def test_a_collapsed_row_whose_first_is_left_out_is_sent_itself(tmp_path: Path) -> None:
    result = run(tmp_path, LeaveOut(code="*"), LeaveOutRow(row=2), Collapse())
    assert [(row, request) for _, row, _, request in result.manifest()] == [(4, 0), (5, 1), (6, 1)]


def test_a_fingerprint_names_what_matters_and_nothing_else(tmp_path: Path) -> None:
    reading = sheet(tmp_path)
    base = fingerprint(reading, RECIPE)
    assert base == fingerprint(reading, RECIPE.model_copy(update={"label": "other", "name": "n"}))
    assert base != fingerprint(reading, prompt("Other {{text}}"))
    assert base != fingerprint(reading, RECIPE, [Collapse()])
    assert base != fingerprint(sheet(tmp_path, ROWS[:2]), RECIPE)


def test_a_folder_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    result = run(tmp_path)
    stamp = (result.folder / "prepared.json").stat().st_mtime_ns
    assert run(tmp_path).content_sha256 == result.content_sha256
    assert (result.folder / "prepared.json").stat().st_mtime_ns == stamp


def test_cancelling_leaves_nothing_behind(tmp_path: Path) -> None:
    reading = sheet(tmp_path)
    seen: list[float] = []

    def progress(fraction: float) -> None:
        seen.append(fraction)
        if fraction > 0.5:
            raise Cancelled

    before = set(tmp_path.iterdir())
    with pytest.raises(Cancelled):
        prepare(reading, RECIPE, folder=tmp_path / "p", progress=progress)
    assert set(tmp_path.iterdir()) == before
    assert seen


def test_a_folder_half_written_by_a_crash_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "items.bin").write_bytes(b"half")
    result = prepare(sheet(tmp_path), RECIPE, folder=tmp_path / "p")
    assert result.requests == 4


def test_problems_by_page_cause_column_and_row(tmp_path: Path) -> None:
    result = run(tmp_path, LeaveOut(code="temperature-range"))
    everything = list(all_problems(result))
    assert problems_page(result, limit=2) == everything[:2]
    assert problems_page(result, offset=2) == everything[2:]
    assert codes(problems_page(result, row=3)) == ["temperature-number", "empty-prompt"]
    assert codes(problems_page(result, column="text")) == ["empty-prompt"]
    assert codes(problems_page(result, code="identical-request")) == ["identical-request"] * 2
    assert codes(problems_page(result, severity=Severity.ERROR)) == ["temperature-number", "empty-prompt"]
    assert codes(problems_page(result, left_out=True)) == ["temperature-range"]
    assert len(problems_page(result, left_out=None)) == len(everything) + 1


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_of_an_export_is_a_formula(text: str) -> None:
    assert neutral(text) == "'" + text
    assert neutral("x" + text) == "x" + text


def test_the_problem_list_as_csv(tmp_path: Path) -> None:
    rows = [["", "x", "=cmd"]]
    result = run(tmp_path, rows=rows)
    with problems_csv(result).open(encoding="utf-8-sig", newline="") as file:
        read_back = list(csv.DictReader(file))
    first = read_back[0]
    assert (first["Row"], first["Column"], first["Code"]) == ("2", "heat", "temperature-number")
    assert all(not cell.startswith(("=", "+", "@")) for line in read_back for cell in line.values())


def test_the_sheet_with_its_problems_comes_back_as_it_was(tmp_path: Path) -> None:
    result = run(tmp_path)
    path = sheet_with_problems(sheet(tmp_path), result, tmp_path / "mend.xlsx")
    book = load_workbook(path)
    cells = [[cell.value for cell in row] for row in book.active.iter_rows()]
    assert cells[0] == [*COLUMNS, PROBLEM_HEADING]
    assert [[cell or "" for cell in row[:3]] for row in cells[1:]] == ROWS
    assert [bool(row[3]) for row in cells[1:]] == [False, True, False, True, True, True]
    assert all(cell.data_type != "f" for row in book.active.iter_rows() for cell in row)
    book.close()


def written(path: Path) -> list[list[str]]:
    """The cells of a workbook, row by row from row 1."""
    book = load_workbook(path)
    cells = [[str(cell.value or "") for cell in row] for row in book.active.iter_rows()]
    book.close()
    return cells


def test_the_sheet_holds_the_cells_as_mended_and_says_what_is_left_out(tmp_path: Path) -> None:
    steps: list[Step] = [
        EditCell(row=3, column="text", text="mended"),
        LeaveOutRow(row=2),
        LeaveOut(code="temperature-range"),
    ]
    path = sheet_with_problems(sheet(tmp_path), run(tmp_path, *steps), tmp_path / "mend.xlsx", steps=steps)
    cells = written(path)
    assert [row[1] for row in cells[1:]] == ["hello", "mended", "=1+1", "hello", "hello", "last"]
    assert cells[1][3] == "Left out by hand."
    assert cells[6][3].startswith("Left out: temperature is 9, outside")
    assert cells[2][3].startswith("temperature")


@pytest.mark.parametrize(
    ("name", "contents", "numbers"),
    [
        ("t.csv", "id,text\na,WORDS\n\n\nb,y\n", {1: "id", 2: "a", 5: "b"}),
        ("t.csv", "Report of May,\n,\nid,text\na,WORDS\nb,y\nc,z\n", {3: "id", 4: "a", 5: "b", 6: "c"}),
        ("t.jsonl", '{"id":"a","text":"WORDS"}\n\n{"id":"b","text":"y"}\n', {1: "id", 2: "a", 4: "b"}),
        ("t.jsonl", '\n{"id":"a","text":"WORDS"}\n{"id":"b","text":"y"}\n', {1: "id", 2: "a", 3: "b"}),
    ],
)
@pytest.mark.parametrize("longest", [9, 40_000], ids=["xlsx", "csv"])
def test_each_row_is_at_its_own_number(
    tmp_path: Path, name: str, contents: str, numbers: dict[int, str], longest: int
) -> None:
    (tmp_path / "upload").write_text(contents.replace("WORDS", "x" * longest))
    reading = read(tmp_path / "upload", name=name, into=tmp_path)
    result = prepare(reading, RECIPE, folder=tmp_path / "p")
    path = sheet_with_problems(reading, result, tmp_path / "mend")
    if longest == 9:
        cells = written(path)
    else:
        with path.open(encoding="utf-8-sig", newline="") as file:
            cells = [line or [""] for line in csv.reader(file)]
    assert {at: row[0] for at, row in enumerate(cells, start=1) if row[0]} == numbers
    again = read(path, name=path.name, into=tmp_path)
    table = again.table
    assert again.columns == ("id", "text", PROBLEM_HEADING)
    assert {table.number(at): table.row(at)[0] for at in range(again.rows)} == {
        number: text for number, text in numbers.items() if text != "id"
    }


def test_cells_that_show_an_error_are_still_errors_when_the_sheet_comes_back(tmp_path: Path) -> None:
    book = Workbook()
    for row in (["id", "text"], ["a", "#N/A"], ["b", "fine"], ["c", "#DIV/0!"], ["d", "x"]):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    first = read(tmp_path / "t.xlsx", name="t.xlsx", into=tmp_path)
    recipe = prompt("{{text}}")
    steps = [EditCell(row=4, column="text", text="mended")]
    done = prepare(first, recipe, steps=steps, folder=tmp_path / "p")
    path = sheet_with_problems(first, done, tmp_path / "mend", steps=steps)
    again = read(path, name=path.name, into=tmp_path)
    assert {(group.code, *group.rows) for group in first.report.groups} == {("error-cell", 2, 4)}
    assert {(group.code, *group.rows) for group in again.report.groups} == {("error-cell", 2)}
    assert [again.table.row(at)[1] for at in range(4)] == ["#N/A", "fine", "mended", "x"]


def test_a_sheet_dropped_again_gets_one_problem_column(tmp_path: Path) -> None:
    path = sheet_with_problems(sheet(tmp_path), run(tmp_path), tmp_path / "mend.xlsx")
    again = read(path, name=path.name, into=tmp_path)
    assert again.columns == (*COLUMNS, PROBLEM_HEADING)
    done = prepare(again, RECIPE, folder=tmp_path / "again")
    second = sheet_with_problems(again, done, tmp_path / "second.xlsx")
    assert read(second, name=second.name, into=tmp_path).columns == (*COLUMNS, PROBLEM_HEADING)


def test_a_sheet_that_excel_cannot_hold_becomes_csv(tmp_path: Path) -> None:
    rows = [["=1", "x" * 32_768, ""]]
    path = sheet_with_problems(sheet(tmp_path, rows), run(tmp_path, rows=rows), tmp_path / "mend.xlsx")
    assert path.suffix == ".csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1][:2] == ["'=1", "x" * 32_768]


def test_another_model_is_asked_checked_and_priced_in_place_of_one(tmp_path: Path) -> None:
    picture = [{"role": "user", "content": [{"type": "input_image", "image_url": "https://x.org/a.png"}]}]
    requests = [{"model": "gpt-4o", "input": "one"}, {"model": MODEL, "input": "two"}]
    requests += [{"model": "gpt-4o", "input": picture}, {"model": "gpt-4o", "input": "one"}]  # type: ignore[dict-item]
    rows = [*ready_rows(*requests), ("r-4", "no JSON")]
    reading = make_reading(tmp_path, ["custom_id", "params"], rows)
    before = prepare(reading, ready(), folder=tmp_path / "before")
    assert (before.models, before.instead) == ({"gpt-4o": 3, MODEL: 1}, {})
    assert "image-model" not in codes(before.report)
    use = UseModel(instead_of="gpt-4o", model=MODEL)
    after = prepare(reading, ready(), steps=[use], folder=tmp_path / "after")
    assert (after.models, after.instead) == ({MODEL: 4}, {"gpt-4o": 3})
    assert "image-model" in codes(after.report)
    assert b"gpt-4o" not in after.items_path.read_bytes()
    fewer = prepare(reading, ready(), steps=[use, LeaveOut(code="identical-request")], folder=tmp_path / "fewer")
    assert (fewer.models, fewer.instead) == ({MODEL: 3}, {"gpt-4o": 2})


def test_a_folder_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    done = run(tmp_path)
    path = done.folder / "prepared.json"
    value = json.loads(path.read_bytes())
    del value["instead"], value["repeated_usage"]
    path.write_bytes(orjson.dumps(value))
    assert (Prepared.load(done.folder).instead, Prepared.load(done.folder).requests) == ({}, done.requests)


def test_ready_made_requests_to_two_models(tmp_path: Path) -> None:
    requests = [{"model": model, "input": "x", "max_output_tokens": 5} for model in ("a", "b", "a")]
    reading = make_reading(tmp_path, ["custom_id", "params"], ready_rows(*requests))
    result = prepare(reading, ready(), folder=tmp_path / "p")
    assert result.models == {"a": 2, "b": 1}
    assert result.output_tokens_max == 15


def test_absurd_limits_are_summed(tmp_path: Path) -> None:
    requests = [{"model": "a", "input": str(at), "max_output_tokens": 2**53 - 1} for at in range(4_000)]
    reading = make_reading(tmp_path, ["custom_id", "params"], ready_rows(*requests))
    result = prepare(reading, ready(), folder=tmp_path / "p")
    assert result.output_tokens_max == 2**63 - 1


def test_a_table_without_rows_is_told(tmp_path: Path) -> None:
    result = run(tmp_path, rows=[])
    assert codes(result.report) == ["no-requests"]
    assert (result.longest, result.first_problem, list(result.manifest())) == (None, None, [])
    assert plan(result.sizes, "l").parts == ()


def _everything(prepared: Prepared) -> dict[str, object]:
    """All that a pass found and wrote."""
    return {
        "facts": {**orjson.loads((prepared.folder / "prepared.json").read_bytes())},
        "items": prepared.items_path.read_bytes(),
        "sizes": prepared.sizes.tolist(),
        "manifest": list(prepared.manifest()),
        "problems": prepared.problems_path.read_bytes(),
    }


CELLS = st.one_of(
    st.sampled_from(["", " ", "\u3000", "\x85", "\x1c", "\x00", "\x1f", "\x7f", '"', "\\", "\n\r\t", "\b"]),
    st.sampled_from(["é", "😀", "x" * 999, "ü" * 999]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    st.text(st.sampled_from('ab "\\\n“,😀'), min_size=1, max_size=40),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(
    rows=st.lists(st.tuples(st.sampled_from(["a", "b", "r-1", "r-2", "R 3", "", "r-4"]), CELLS, CELLS), min_size=1),
    turns=st.lists(
        st.tuples(
            st.sampled_from(["system", "assistant"]), st.sampled_from(["Be “brief”.", "{{a}} was", "\x00valar\x00"])
        ),
        max_size=2,
    ),
    text=st.sampled_from(['Say "{{a}}"\nof {{b}}!', "{{a}}", "{{a}}{{b}}{{a}}", "{{ a }} {{unknown}}", "ü{{b}}", "no"]),
    column=st.sampled_from([None, "id"]),
    legal=st.booleans(),
    capped=st.booleans(),
    described=st.sampled_from([None, "plain", "heiter oder düster"]),
    steps=st.sampled_from(
        [
            (),
            (EditCell(row=3, column="a", text="mended"),),
            (LeaveOutRow(row=2),),
            (LeaveOut(code="*"),),
            (Collapse(),),
        ]
    ),
)
def test_a_pass_over_many_rows_at_once_is_the_pass_over_each(
    rows: list[tuple[str, str, str]],
    turns: list[tuple[str, str]],
    text: str,
    column: str | None,
    legal: bool,
    capped: bool,
    described: str | None,
    steps: tuple[Step, ...],
    tmp_path: Path,
) -> None:
    recipe = Recipe(
        answer_fields=() if described is None else (AnswerField(name="mood", description=described),),
        model=Fixed(fixed=MODEL),
        turns=tuple(Turn.model_validate({"role": role, "text": said}) for role, said in [*turns, ("user", text)]),
        max_output_tokens=Fixed(fixed=9) if capped else None,
        custom_id=IdRule(column=column, legal=legal),
    )
    reading = make_reading(tmp_path, ["id", "a", "b"], rows)
    found = []
    for name in ("many", "each"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        with pytest.MonkeyPatch.context() as patch:
            if name == "each":
                patch.setattr(Inspection, "clear", lambda *_: False)
            found.append(_everything(prepare(reading, recipe, steps=steps, folder=tmp_path / name)))
    assert found[0] == found[1]


def test_sound_rows_are_composed_many_at_a_time(tmp_path: Path) -> None:
    reading = make_reading(tmp_path, ["id", "text"], [(f"r-{at}", f'“{at}"\\\n') for at in range(5_000)])
    recipe = prompt("Sum up: {{text}}", custom_id=IdRule(column="id"))
    made = list(compose_many(reading.table, recipe, clear=lambda _: True))
    assert {type(one) for one in made} == {Many}
    single = list(compose(reading.table, recipe))
    assert b",".join(one.items for one in made if isinstance(one, Many)) == b",".join(one.item for one in single)
    marks = [mark for one in made if isinstance(one, Many) for mark in one.marks()]
    assert marks == [hash(one.body) for one in single]


def test_a_record_that_could_not_be_read_counts_until_it_is_left_out(tmp_path: Path) -> None:
    lines = [b'{"id": "a", "text": "one"}', b'{"id": "b", "text": ', b'{"id": "c", "text": "three"}']
    (tmp_path / "rows.jsonl").write_bytes(b"\n".join(lines))
    reading = read(tmp_path / "rows.jsonl", name="rows.jsonl", into=tmp_path)
    recipe = prompt("Do: {{text}}", custom_id=IdRule(column="id"))
    found = prepare(reading, recipe, folder=tmp_path / "found")
    assert (found.rows, found.requests, found.blocked, found.left_out, found.ok) == (3, 2, 1, 0, False)
    assert codes(problems_page(found, row=2)) == ["invalid-json"]
    for step in (LeaveOut(code="*"), LeaveOut(code="invalid-json"), LeaveOutRow(row=2)):
        left = prepare(reading, recipe, steps=[step], folder=tmp_path / step.model_dump_json()[-12:-2])
        assert (left.rows, left.requests, left.blocked, left.left_out, left.ok) == (3, 2, 0, 1, True)
        assert codes(problems_page(left, row=2, left_out=True)) == ["invalid-json"]


def test_numbers_are_read_as_they_are_meant_only_when_asked(tmp_path: Path) -> None:
    rows = [["a", "one", "0,7"], ["b", "two", " 0.5"], ["c", "three", "hot"], ["d", "four", ""], ["e", "five", "3,5"]]
    recipe = prompt("{{text}} at {{heat}}", temperature=FromColumn(column="heat"))
    before = run(tmp_path, recipe=recipe, rows=rows)
    assert before.blocked == 4
    after = run(tmp_path, MendNumbers(column="heat"), recipe=recipe, rows=rows)
    assert {(it.code, it.row) for it in all_problems(after) if it.severity is Severity.ERROR} == {
        ("temperature-number", 4),
        ("temperature-range", 6),
    }
    sent = [item["params"] for item in json.loads(b"[" + after.items_path.read_bytes() + b"]")]
    assert [params.get("temperature") for params in sent] == [0.7, 0.5, None]
    assert sent[0]["input"][0]["content"] == "one at 0,7"


def test_a_row_left_out_while_reading_is_not_missed(tmp_path: Path) -> None:
    text = "id,review\n1,Great\n2,Small\nSource: Eurostat, Brussels, 2024, own work\n"
    (tmp_path / "a.csv").write_text(text)
    recipe = prompt("{{review}}", custom_id=IdRule(column="id"))
    for options, rows, ok in ((ReadOptions(), 3, False), (ReadOptions(drop_rows=(4,)), 2, True)):
        reading = read(tmp_path / "a.csv", name="a.csv", into=tmp_path, options=options)
        done = prepare(reading, recipe, folder=tmp_path / f"p-{ok}")
        assert (done.rows, done.requests, done.ok) == (rows, 2, ok)


def test_an_unread_record_with_two_errors_is_left_out_whole(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"a": "x"}\n[{"a": 1, "a": 2}]\n{"a": "y"}\n')
    reading = read(tmp_path / "a.jsonl", name="a.jsonl", into=tmp_path)
    found = {problem.code for problem in reading.report if problem.row == 2}
    assert len(found) > 1
    for code in found:
        done = prepare(reading, prompt("{{a}}"), steps=[LeaveOut(code=code)], folder=tmp_path / code)
        assert (done.rows, done.requests, done.left_out, done.blocked, done.ok) == (3, 2, 1, 0, True)


def test_how_many_batches_are_told_of_what_goes_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("valar_ui.checks.whole.MAX_REQUESTS", 3)
    rows = [[str(at), "same", "0.7"] for at in range(5)]
    assert "several-parts" in codes(run(tmp_path, rows=rows).report)
    assert "several-parts" not in codes(run(tmp_path, Collapse(), rows=rows).report)


def test_a_very_long_prompt_is_composed_row_by_row(tmp_path: Path) -> None:
    recipe = prompt("long " * 20_000 + "{{text}}")
    reading = make_reading(tmp_path, ["text"], [[f"text {at}"] for at in range(2_000)])
    made = list(compose_many(reading.table, recipe, clear=lambda _many: True))
    assert not any(isinstance(one, Many) for one in made)
    short = list(compose_many(reading.table, prompt("{{text}}"), clear=lambda _many: True))
    assert all(isinstance(one, Many) for one in short)


def test_a_folder_of_the_first_version_is_still_read(tmp_path: Path) -> None:
    done = run(tmp_path)
    told = done.folder / "prepared.json"
    value = json.loads(told.read_bytes())
    del value["repeated_usage"], value["id_column"]
    told.write_text(json.dumps(value))
    old = Prepared.load(done.folder)
    assert (old.requests, old.content_sha256, old.usage) == (done.requests, done.content_sha256, done.usage)
    assert old.repeated_usage == {}
