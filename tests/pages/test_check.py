"""The Check page: every problem counted, mended in place and taken back; what is looked up; what is too much."""

from __future__ import annotations

import shutil
from pathlib import Path

import openpyxl
import pytest

from tests.pages.person import REVIEWS, Person
from valar_ui import downloads, session
from valar_ui.plan import plan
from valar_ui.problems import Severity
from valar_ui.recipe import Collapse, EditCell, Fixed

FLAWED = b"""id,review,heat
r-1,Great kettle,0.5
r-2,Great kettle,0.5
Bad Id!,Too small,0.5
r-4,,0.5
r-5,Write to ann@example.com,3
r-1,Fine,warm
"""
"""Row 4 has an illegal id, row 5 no review, row 6 heat out of range, row 7 an id twice and heat that is no number."""


def flawed(*, legal: bool = False) -> Person:
    """Somebody at Check with a sheet that has something of everything."""
    person = Person().drop("flawed.csv", FLAWED).press("way-on")
    person.choose(person.map("id"), "id").choose(person.map("id-legal"), legal)
    person.choose(person.map("temperature-mode"), "from a column").choose(person.map("temperature-column"), "heat")
    return person.type(person.map("prompt"), "{{review}}").press("way-on")


def mend(person: Person, kind: str, code: str) -> str:
    """The key of the button that mends one cause."""
    return next(str(button.key) for button in person.at.button if str(button.key).startswith(f"mend-{kind}-{code}-"))


def test_an_empty_page_says_where_to_begin() -> None:
    assert Person("check").press("begin").may("sample")


def test_a_sheet_without_a_mapping_is_sent_to_map() -> None:
    person = Person().drop("reviews.csv", REVIEWS).go("check")
    assert not person.has("way-on")
    assert person.press("begin").has(person.map("prompt"))


def test_a_clean_sheet_may_go_on() -> None:
    person = Person().mapped("reviews.csv", REVIEWS, prompt="Judge {{review}}", ids="id")
    assert person.sending == (3, 3)
    assert person.prepared.report.count(Severity.ERROR) == 0
    assert person.may("way-on")
    assert not person.has("leave-out-all")


def test_every_problem_is_named_with_its_rows() -> None:
    person = flawed()
    errors = {
        group.cause: list(group.rows) for group in person.prepared.report.groups if group.severity is Severity.ERROR
    }
    assert {row for rows in errors.values() for row in rows} == {4, 5, 6, 7}
    for group in person.prepared.report.groups:
        assert " ".join(group.examples[0].text.split())[:100] in person.plain
    assert person.sending == (2, 6)
    assert not person.may("way-on")


def test_rows_with_errors_are_left_out_with_one_click_and_come_back() -> None:
    person = flawed()
    person.press("leave-out-all")
    assert person.sending == (2, 6)
    assert (person.prepared.left_out, person.prepared.blocked) == (4, 0)
    assert person.may("way-on")
    person.press("undo-0")
    assert (person.prepared.left_out, person.prepared.blocked) == (0, 4)
    assert not person.may("way-on")


def test_one_cause_is_left_out_and_comes_back() -> None:
    person = flawed()
    before = person.causes
    person.press(mend(person, "leave-out", "empty-prompt"))
    assert person.prepared.left_out == 1
    assert "empty-prompt" not in person.codes
    assert person.press("undo-0").causes == before


def test_each_mend_says_what_it_does_now() -> None:
    person = flawed().press("leave-out-all")
    assert "Rows with errors are left out (4 rows)" in person.plain
    person.press("undo-0").press(mend(person, "leave-out", "empty-prompt"))
    assert "Rows left out: Nothing to ask, column review (1 row)" in person.plain
    assert not person.at.warning


def test_a_mend_that_leaves_out_nothing_any_more_is_told() -> None:
    person = flawed()
    person.press(mend(person, "leave-out", "empty-prompt"))
    person.go("map").type(person.map("prompt"), "Judge: {{review}} at {{heat}}").go("check")
    (told,) = person.at.warning
    assert "leaves out no row now" in told.value
    assert person.press("undo-0").draft.steps == []
    assert not person.at.warning


def test_what_a_mend_of_a_cell_does_is_told() -> None:
    person = flawed()
    steps = [
        EditCell(row=5, column="review", text="First"),
        EditCell(row=5, column="review", text="Second"),
        EditCell(row=3, column="heat", text="0.5"),
        EditCell(row=99, column="heat", text="1"),
        Collapse(),
    ]
    session.services().ledger.save_draft(
        person.draft.id, person.owner, steps=[step.model_dump(mode="json") for step in steps]
    )
    told = person.look().plain
    assert "Row 5, review: now “First” (a later mend of this cell counts)" in told
    assert "Row 5, review: now “Second”" in told
    assert "Row 3, heat: now “0.5” (as it stands in the file)" in told
    assert "Row 99, heat: now “1” – there is no such cell in the sheet" in told
    assert "Identical requests are sent once (1 row filled from another row's answer)" in told


def test_ids_are_made_legal_and_come_back() -> None:
    person = flawed()
    assert {"id-characters", "id-repeated"} <= person.codes
    person.press(mend(person, "legal-ids", "id-characters"))
    assert not {"id-characters", "id-repeated"} & person.codes
    assert person.sending == (3, 6)
    person.press("undo-0")
    assert person.sending == (2, 6)
    assert {"id-characters", "id-repeated"} <= person.codes


def test_the_first_row_of_each_id_is_kept_and_the_others_come_back() -> None:
    sheet = b"id,review\nr-1,Good\nr-2,Bad\nr-1,Fine\nr-1,Small\n"
    person = Person().mapped("twice.csv", sheet, prompt="{{review}}", ids="id")
    assert person.at.button(key=mend(person, "leave-out", "id-shared")).label == "Leave all of them out"
    person.press(mend(person, "keep-first", "id-shared"))
    assert person.sending == (2, 4)
    assert [(custom_id, row) for custom_id, row, *_ in person.prepared.manifest()] == [("r-1", 2), ("r-2", 3)]
    assert "Rows left out but the first of each: Same id in several rows, column id (2 rows)" in person.plain
    assert "id-shared" not in person.codes
    assert person.press("undo-0").sending == (4, 4)


def test_identical_requests_are_sent_once_and_come_back() -> None:
    sheet = b"id,review\n" + b"".join(b"r-%d,Fine\n" % at for at in range(1, 6)) + b"r-6,Small\n"
    person = Person().mapped("same.csv", sheet, prompt="Judge {{review}}", ids="id")
    assert (person.prepared.requests, person.prepared.collapsed) == (6, 0)
    person.press(mend(person, "collapse", "identical-request"))
    assert (person.prepared.requests, person.prepared.collapsed) == (2, 4)
    assert person.may("way-on")
    person.press("undo-0")
    assert (person.prepared.requests, person.prepared.collapsed) == (6, 0)


def test_a_cell_is_mended_beside_its_problem_and_comes_back() -> None:
    person = flawed()
    cause = "empty-prompt-review"
    person.choose(f"rows-{cause}", True)
    assert list(person.table("row")["row"]) == [5]
    assert not person.may(f"edit-keep-{cause}")
    person.type(f"edit-text-{cause}-5", "Mended").press(f"edit-keep-{cause}")
    assert "empty-prompt" not in person.codes
    assert person.sending == (3, 6)
    assert b"Mended" in person.prepared.items_path.read_bytes()
    assert person.press("undo-0").sending == (2, 6)


def test_a_column_called_id_tells_which_record_it_is_also_where_it_is_not_the_id() -> None:
    person = Person().mapped("gap.csv", b"id,region,review\nr-1,north,Good\nr-2,south,\n", prompt="{{review}}")
    table = person.choose("rows-empty-prompt-review", True).table("row")
    assert table[["row", "id", "region"]].to_dict("list") == {"row": [3], "id": ["r-2"], "region": ["south"]}


def test_a_cell_mended_twice_is_one_step() -> None:
    person = flawed()
    heat = next(f"{code}-{column}" for code, column in person.causes if column == "heat" and "number" in code)
    person.choose(f"rows-{heat}", True).type(f"edit-text-{heat}-7", "hot").press(f"edit-keep-{heat}")
    person.type(f"edit-text-{heat}-7", "0.7").press(f"edit-keep-{heat}")
    assert len(person.draft.steps) == 1
    assert not any(column == "heat" and 7 in rows for (_, column), rows in person.causes.items())


@pytest.mark.parametrize("mark", ["\n", "\r\n", "\r"])
def test_a_mended_cell_keeps_its_line_breaks(mark: str) -> None:
    sheet = f'id,review\nr-1,"Write to{mark}ann@example.com{mark}today"\nr-2,Fine\n'.encode()
    person = Person().mapped("lines.csv", sheet, prompt="{{review}}", ids="id")
    cause = "personal-email-review"
    person.choose(f"rows-{cause}", True)
    # A browser hands over line feeds, whatever it was given.
    person.type(f"edit-text-{cause}-2", "Write to\nAnn\ntoday").press(f"edit-keep-{cause}")
    (step,) = person.draft.steps
    assert step["text"] == f"Write to{mark}Ann{mark}today"
    assert "personal-email" not in person.codes


def test_a_cell_of_many_lines_that_nobody_changed_is_no_mend() -> None:
    person = Person().mapped("lines.csv", b'id,review\nr-1,"ann@example.com\ntoday"\n', prompt="{{review}}", ids="id")
    person.choose("rows-personal-email-review", True).press("edit-keep-personal-email-review")
    assert person.draft.steps == []


def test_where_all_of_the_prompt_is_empty_any_of_its_cells_can_be_filled() -> None:
    sheet = b"id,title,review\nr-1,Kettle,Good\nr-2,,\n"
    person = Person().mapped("empty.csv", sheet, prompt="{{title}}: {{review}}", ids="id")
    assert person.causes[("empty-prompt", None)] == [3]
    person.choose("rows-empty-prompt-", True).choose("edit-column-empty-prompt-", "title")
    person.type("edit-text-empty-prompt--3-title", "Toaster").press("edit-keep-empty-prompt-")
    assert "empty-prompt" not in person.codes
    assert person.sending == (2, 2)
    assert person.press("undo-0").causes[("empty-prompt", None)] == [3]


def test_mends_can_be_taken_back_in_any_order() -> None:
    person = flawed()
    person.press(mend(person, "legal-ids", "id-characters")).press("leave-out-all")
    assert person.sending == (3, 6)
    person.press("undo-0")
    assert person.sending == (2, 6)
    assert person.prepared.left_out == 4
    person.press("undo-0")
    assert person.draft.steps == []


def test_the_mends_are_there_after_a_refresh() -> None:
    person = flawed().press("leave-out-all")
    again = Person("check", draft=person.state.draft_id or "")
    assert again.has("undo-0")
    assert again.may("way-on")


def test_a_row_that_has_a_cause_twice_is_named_once_with_each_remedy() -> None:
    params = b'{"model": "m", "input": "Hi", "instructions": "Be kind", "previous_response_id": "r"}'
    person = Person().drop("ready.jsonl", b'{"custom_id": "r-1", "params": ' + params + b"}\n").go("check")
    (rows,) = [rows for (code, _), rows in person.causes.items() if "refused" in code]
    assert rows == [1, 1]
    assert "column params · row 1  \n" in person.plain
    assert "Valar refuses instructions." in person.plain
    assert "Valar refuses previous_response_id." in person.plain
    assert [it.label for it in person.at.toggle if "refused" in str(it.key)] == ["Show 1 row"]


def test_all_that_several_rows_are_refused_for_is_told() -> None:
    line = b'{"custom_id": "r-%d", "params": {"model": "m", "input": "Hi %d", "conversation": "c", "prompt": {}}}\n'
    person = Person().drop("ready.jsonl", b"".join(line % (at, at) for at in range(1, 4))).go("check")
    assert "column params · rows 1, 2, 3  \n" in person.plain
    assert "Valar refuses conversation." in person.plain
    assert "Valar refuses prompt." in person.plain
    assert "For example row" not in person.plain


@pytest.mark.parametrize(
    ("longest", "told"),
    [(1, "less than \\$0.0001 (estimate)"), (1000, "less than \\$0.0001 – \\$0.0003 (estimate)")],
)
def test_a_cost_too_small_to_be_told_is_not_about(longest: int, told: str) -> None:
    params = b'{"model": "openai/gpt-oss-120b", "input": "Hi", "max_output_tokens": %d}' % longest
    person = Person().drop("ready.jsonl", b'{"custom_id": "r-1", "params": ' + params + b"}\n").go("check")
    assert f"**{told}**" in person.words


def openai_batch(*models: str) -> bytes:
    """An OpenAI batch file of chat completions."""
    line = '{"custom_id": "r-%d", "method": "POST", "url": "/v1/chat/completions", "body": %s}\n'
    body = '{"model": "%s", "messages": [{"role": "user", "content": "Say %d"}], "max_tokens": 9}'
    return "".join(line % (at, body % (model, at)) for at, model in enumerate(models)).encode()


def test_a_model_that_is_not_listed_is_replaced_and_comes_back() -> None:
    person = Person().drop("batch.jsonl", openai_batch("gpt-4o", "gpt-4o", "zai-org/GLM-5.1-FP8")).go("check")
    assert "2 requests ask for a model that Valar does not list for you: gpt-4o." in person.plain
    assert not person.may("use-model-instead-gpt-4o")
    assert list(person.at.selectbox(key="model-instead-gpt-4o").options) == list(person.state.models or ())
    person.choose("model-instead-gpt-4o", "moonshotai/Kimi-K2.6").press("use-model-instead-gpt-4o")
    assert person.prepared.models == {"moonshotai/Kimi-K2.6": 2, "zai-org/GLM-5.1-FP8": 1}
    assert "Model moonshotai/Kimi-K2.6 is used instead of gpt-4o (2 rows)" in person.plain
    assert "does not list" not in person.plain
    assert person.may("way-on")
    person.press("undo-0")
    assert person.prepared.models == {"gpt-4o": 2, "zai-org/GLM-5.1-FP8": 1}


def test_a_model_from_a_column_is_replaced_too_and_a_fixed_one_on_map() -> None:
    person = Person().drop("models.csv", b"id,review,model\nr-1,Good,gpt-4o\nr-2,Bad,gpt-4o\n").press("way-on")
    person.choose(person.map("model-mode"), "from a column").choose(person.map("model-column"), "model")
    person.type(person.map("prompt"), "{{review}}").press("way-on")
    person.choose("model-instead-gpt-4o", "moonshotai/Kimi-K2.6").press("use-model-instead-gpt-4o")
    assert person.prepared.models == {"moonshotai/Kimi-K2.6": 2}
    fixed = person.recipe.model_copy(update={"model": Fixed(fixed="gpt-4o")})
    session.services().ledger.save_draft(person.draft.id, person.owner, recipe=fixed.model_dump(mode="json"))
    assert "choose another model on Map" in person.look().plain
    assert not person.has("model-instead-gpt-4o")
    assert "no row that goes asks for that model now" in person.plain


def test_without_a_list_of_models_another_one_is_typed(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setenv("VALAR_SANDBOX_URL", f"http://127.0.0.1:{free_port}/v1")
    person = Person().drop("batch.jsonl", openai_batch("gpt-4o", "zai-org/GLM-5.1-FP8")).go("check")
    assert "1 request asks for a model that this app does not know, and Valar could not be asked" in person.plain
    person.type("model-instead-gpt-4o", "zai-org/GLM-5.1-FP8").press("use-model-instead-gpt-4o")
    assert person.prepared.models == {"zai-org/GLM-5.1-FP8": 2}


def test_a_row_is_looked_up_by_its_number() -> None:
    person = flawed()
    person.choose("lookup", 7)
    for problem in person.prepared.report:
        if problem.row == 7:
            assert problem.text in person.plain
    assert "This row has no problem." in person.choose("lookup", 2).plain
    assert "no such row" in person.choose("lookup", 9_999).plain
    assert "no problem" not in person.plain
    person.press("leave-out-all")
    assert "This row is left out." in person.choose("lookup", 5).plain
    assert "no problem" not in person.plain


def test_the_request_of_a_row_is_shown_where_it_is_looked_up() -> None:
    requests = b"".join(
        b'{"custom_id": "r-%d", "params": {"model": "m", "input": "Say %d"}}\n' % (at, at) for at in (1, 2)
    )
    person = Person().drop("ready.jsonl", requests).go("check").choose("lookup", 2)
    assert "Say 2" not in person.plain
    assert "Say 2" in person.open("row-request").plain


def test_problems_are_shown_for_one_column_cause_or_severity() -> None:
    def shown() -> set[str]:
        return {str(it.key) for it in person.at.toggle}

    person = flawed()
    assert {"rows-empty-prompt-review"} < shown()
    person.choose("only-column", "heat")
    assert {key.rsplit("-", 1)[-1] for key in shown()} == {"heat"}
    person.choose("only-column", "").choose("only-cause", "empty-prompt")
    assert shown() == {"rows-empty-prompt-review"}
    person.choose("only-cause", "").choose("kinds-error-warning", [Severity.WARNING])
    kept = {group.cause for group in person.prepared.report.groups if group.severity is Severity.WARNING and group.rows}
    assert shown() == {f"rows-{code}-{column or ''}" for code, column in kept}


def test_decimal_commas_are_mended_with_one_click_and_come_back() -> None:
    sheet = "id;review;heat\n" + "".join(f"r-{at};Fine {at};0,{at}\n" for at in range(1, 6)) + "r-6;Bad;hot\n"
    person = Person().drop("german.csv", sheet.encode()).press("way-on")
    person.choose(person.map("temperature-mode"), "from a column").choose(person.map("temperature-column"), "heat")
    person.type(person.map("prompt"), "{{review}}").press("way-on")
    assert person.sending == (0, 6)
    assert "6 rows with errors: mend them or leave them out first." in person.plain
    button = mend(person, "numbers", "temperature-number")
    assert person.at.button(key=button).label == "Read 0\\,1 as 0.1"
    assert person.press(button).sending == (5, 6)
    assert not person.has(button)
    assert person.press("undo-0").sending == (0, 6)


def test_a_number_with_a_space_behind_it_is_mended_by_a_button_that_says_so() -> None:
    person = Person().drop("spaced.csv", b"id,review,heat\nr-1,Fine,0.5 \nr-2,Bad,1\n").press("way-on")
    person.choose(person.map("temperature-mode"), "from a column").choose(person.map("temperature-column"), "heat")
    person.type(person.map("prompt"), "{{review}}").press("way-on")
    button = mend(person, "numbers", "temperature-number")
    assert person.at.button(key=button).label == "Read it without the spaces, as 0.5"
    assert person.press(button).sending == (2, 2)


def test_a_record_that_could_not_be_read_is_named_until_it_is_left_out() -> None:
    lines = b'{"id": "a", "review": "Good"}\n{"id": "b", "revi\n{"id": "c", "review": "Bad"}\n'
    person = Person().drop("broken.jsonl", lines).press("way-on")
    person.type(person.map("prompt"), "{{review}}").press("way-on")
    assert person.sending == (2, 3)
    assert not person.may("way-on")
    assert person.causes[("invalid-json", None)] == [2]
    person.press("leave-out-all")
    assert person.sending == (2, 3)
    assert person.may("way-on")


def test_rows_that_could_not_be_read_are_counted_alike_on_upload_and_on_check() -> None:
    lines = b'{"id": "a", "review": "Good"}\n{"id": "b", "revi\n{"id": "c", "review": "Bad"}\n'
    person = Person().drop("broken.jsonl", lines)
    assert "3 rows, 1 of them unreadable" in person.plain
    assert "3 records = 2 readable rows + 1 unreadable" in person.plain
    person.press("way-on").type(person.map("prompt"), "{{review}}").press("way-on")
    assert "2 of 3 rows will be sent" in person.plain


def test_a_warning_says_how_many_of_its_rows_are_sent() -> None:
    picture = '[{"role": "user", "content": [{"type": "input_image", "image_url": "https://x.org/%s.png"}]}]'
    line = '{"custom_id": "r-%d", "params": {"model": "zai-org/GLM-5.1-FP8", "input": %s%s}}\n'
    rows = [("a", ""), ("b", ""), ("b", ""), ("c", ', "temperature": 9')]
    requests = "".join(line % (at, picture % name, more) for at, (name, more) in enumerate(rows))
    person = Person().drop("pictures.jsonl", requests.encode()).go("check")
    assert person.causes[("image-model", None)] == [1, 2, 3, 4]
    assert "3 of 4 rows will be sent; 1 has errors." in person.plain
    person.press(mend(person, "collapse", "identical-request"))
    assert "2 of 4 rows will be sent; 1 has errors, 1 is filled from another row's answer." in person.plain
    person.press("leave-out-all")
    assert "2 of 3 rows will be sent; 1 is filled from another row's answer." in person.plain


def test_a_label_used_before_is_told_before_submitting() -> None:
    person = Person().mapped("reviews.csv", REVIEWS, prompt="Judge {{review}}", ids="id")
    label = f"label-{person.state.draft_id}"
    assert "used before" not in person.type(label, "november").plain
    person.press("way-on").press("submit").arrived()
    again = Person().mapped("reviews.csv", REVIEWS, prompt="Weigh {{review}}", ids="id")
    assert "used before" in again.type(f"label-{again.state.draft_id}", "november").plain
    assert "used before" not in again.type(f"label-{again.state.draft_id}", "december").plain


def test_models_that_valar_does_not_list_are_told() -> None:
    line = b'{"custom_id": "r-1", "params": {"model": "foo/bar", "input": "Hi"}}\n'
    person = Person().drop("ready.jsonl", line).go("check")
    assert "does not list for you: foo/bar" in person.plain
    assert person.may("way-on")


def test_more_problems_than_fit_are_shown_page_by_page() -> None:
    sheet = b"id,review\n" + b"".join(b"r-%d,\n" % at for at in range(1, 41))
    person = Person().mapped("empty.csv", sheet, prompt="{{review}}", ids="id")
    cause = "empty-prompt-review"
    person.choose(f"rows-{cause}", True)
    first = list(person.table("row")["row"])
    second = list(person.choose(f"rows-page-{cause}", 2).table("row")["row"])
    assert first + second == list(range(2, 42))


def test_another_version_of_the_file_is_compared_with_the_one_before() -> None:
    person = flawed()
    person.go("upload").drop(
        "flawed-2.csv", FLAWED.replace(b"r-4,,", b"r-4,Mended,").replace(b"r-5,Write", b"r 5,Write")
    )
    person.go("check")
    assert "1 → 0" in person.plain
    assert "1 → 2" in person.plain


def test_a_row_newly_broken_does_not_hide_behind_a_fixed_one() -> None:
    person = flawed()
    again = FLAWED.replace(b"r-4,,", b"r-4,Mended,").replace(b"r-2,Great kettle", b"r-2,")
    person.go("upload").drop("flawed-2.csv", again).go("check")
    assert "Better:** Nothing to ask, review: 1 row fixed (5) · 1 → 1" in person.plain
    assert "Worse:** Nothing to ask, review: 1 row new (3) · 1 → 1" in person.plain


def download(person: Person, key: str) -> Path:
    """The file behind a download link, by the server's own rule."""
    link = next(it for it in person.at.get("link_button") if it.key == key)
    settings = session.services().settings
    token = str(link.proto.url).rsplit("/", 1)[-1]
    found = downloads.verify(token, home=settings.home, secret=settings.install_secret(), now=session.now())
    assert found is not None
    return found.path


def test_the_problems_and_the_sheet_can_be_downloaded() -> None:
    person = flawed()
    told = download(person, "problems-csv").read_text("utf-8-sig").splitlines()
    assert len(told) == 1 + len(person.prepared.report)
    person.press("sheet-with-problems")
    label = next(it for it in person.at.get("link_button") if it.key == "sheet-file").proto.label
    assert label == "Download flawed\\-with\\-problems\\.xlsx"
    sheet = openpyxl.load_workbook(download(person, "sheet-file"), read_only=True)
    rows = list(sheet.active.values)
    sheet.close()
    assert [row[0] for row in rows] == ["id", "r-1", "r-2", "Bad Id!", "r-4", "r-5", "r-1"]
    assert [bool(row[-1]) for row in rows[3:]] == [True, True, True, True]


def test_the_mended_sheet_is_dropped_back() -> None:
    person = flawed().press("sheet-with-problems")
    book = openpyxl.load_workbook(download(person, "sheet-file"))
    sheet = book.active
    sheet["B5"] = "Mended"
    mended = person.draft.folder + "/mended.xlsx"
    book.save(mended)
    person.go("upload").drop("mended.xlsx", Path(mended).read_bytes()).go("check")
    assert ("empty-prompt", "review") not in person.causes
    assert "1 → 0" in person.plain


def test_a_row_with_too_many_cells_dropped_back_unchanged_is_not_mended() -> None:
    sheet = b"id,review\nr-1,Great kettle\nr-2,Small, and loud\nr-3,Fine\n"
    person = Person().mapped("long.csv", sheet, prompt="{{review}}", ids="id").press("sheet-with-problems")
    path = download(person, "sheet-file")
    person.go("upload").drop(path.name, path.read_bytes()).go("check")
    assert person.causes[("long-row", None)] == [3]
    assert person.sending == (2, 3)
    assert "Better" not in person.plain
    assert "and loud" in person.plain


def with_mended_heat() -> Person:
    """Somebody who has mended one cell, of row 7."""
    person = flawed()
    person.choose("rows-temperature-number-heat", True)
    return person.type("edit-text-temperature-number-heat-7", "0.7").press("edit-keep-temperature-number-heat")


def test_a_mend_whose_row_is_no_longer_in_the_file_is_told_and_can_be_removed() -> None:
    person = with_mended_heat()
    person.go("upload").drop("flawed-2.csv", FLAWED.replace(b"r-1,Fine", b"r-9,Fine")).go("check")
    told = "No longer applies: Row 7, heat: now “0.7”. This row of the file before is not in this file as it was."
    assert told in person.plain
    assert ("temperature-number", "heat") in person.causes
    assert person.at.button(key="undo-0").label == "Remove"
    person.press("undo-0")
    assert person.draft.steps == []
    assert told not in person.plain


def test_a_mend_stays_with_its_row_below_new_title_rows() -> None:
    person = with_mended_heat()
    person.go("upload").drop("flawed-2.csv", b"Reviews of May,,\n,,\n" + FLAWED).go("check")
    assert "Row 9, heat: now “0.7”" in person.plain
    assert "No longer" not in person.plain
    assert ("temperature-number", "heat") not in person.causes


def test_the_downloaded_sheet_dropped_again_asks_the_same() -> None:
    person = with_mended_heat().press("leave-out-all")
    before = person.prepared
    sheet = download(person.press("sheet-with-problems"), "sheet-file")
    person.go("upload").drop(sheet.name, sheet.read_bytes()).go("check")
    after = person.prepared
    assert after.folder != before.folder
    assert after.content_sha256 == before.content_sha256
    assert list(after.manifest()) == list(before.manifest())
    assert "No longer needed: Row 7, heat: now “0.7” (the file holds it)" in person.plain


def test_100_001_requests_go_in_two_parts() -> None:
    sheet = b"word\n" + b"".join(b"w%d\n" % at for at in range(100_001))
    person = Person().mapped("words.csv", sheet, prompt="{{word}}")
    assert person.sending == (100_001, 100_001)
    assert [part.count for part in plan(person.prepared.sizes, "").parts] == [100_000, 1]
    assert "100,000 + 1" in person.plain
    assert person.may("way-on")


@pytest.mark.parametrize("label", ["reviews november", "müll", "a.b", "{{id}}"])
def test_a_label_that_cannot_be_is_named_and_stops_the_way_on(label: str) -> None:
    person = Person().mapped("reviews.csv", REVIEWS, prompt="Judge {{review}}", ids="id")
    widget = f"label-{person.draft.id}"
    assert person.may("way-on")
    assert not person.type(widget, label).may("way-on")
    assert person.at.error
    assert person.type(widget, "reviews-november").may("way-on")
    assert person.draft.label == "reviews-november"


@pytest.mark.parametrize("page", ["check", "submit"])
def test_a_mapping_changed_in_another_tab_is_told_before_anybody_goes_on(page: str) -> None:
    person = Person().mapped("reviews.csv", REVIEWS, prompt="Judge {{review}}", ids="id").go(page)
    told = "The mapping was changed in another tab"
    assert told not in person.plain
    changed = person.recipe.with_text("user", "Weigh {{review}}").model_dump(mode="json", exclude_defaults=True)
    session.services().ledger.save_draft(person.draft.id, person.owner, recipe=changed)
    before = person.page
    if page == "check":
        person.press("way-on")
    else:
        person.look()
    assert (person.page, told in person.plain) == (before, True)
    assert b"Weigh" in person.prepared.items_path.read_bytes()
    person.go("check")
    assert told not in person.plain
    assert person.press("way-on").page == "Submit"


def test_the_mapping_of_ones_own_tab_is_not_told_as_another_ones() -> None:
    person = Person().mapped("reviews.csv", REVIEWS, prompt="Judge {{review}}", ids="id")
    person.go("map").type(person.map("prompt"), "Weigh {{review}}").go("check")
    assert "another tab" not in person.plain
    assert "another tab" not in person.go("upload").drop("reviews-2.csv", REVIEWS + b"r-4,New\n").go("check").plain


def test_a_preparation_that_is_gone_is_made_again() -> None:
    person = Person().mapped("reviews.csv", REVIEWS, prompt="Judge {{review}}", ids="id")
    shutil.rmtree(person.prepared.folder)
    again = Person("submit", draft=person.state.draft_id or "")
    assert again.may("submit")
    assert again.prepared.requests == 3


def test_rows_that_are_gone_are_not_passed_off_as_mended() -> None:
    person = flawed().go("upload")
    person.drop("shorter.csv", b"\n".join(FLAWED.splitlines()[:3]) + b"\n").go("check")
    assert "a row that is no longer there counts as fixed" in person.plain
    assert "The file before had 6 rows, this one has 2." in person.plain
