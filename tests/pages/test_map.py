"""The Map page: every param as a control, the request of any row beside it, recipes kept and loaded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.pages.person import REVIEWS, Person
from valar_ui import samples, session
from valar_ui.answer import fields_schema
from valar_ui.checks import check_recipe
from valar_ui.compose import with_column
from valar_ui.recipe import AnswerField, Fixed, FromColumn, IdRule, Image, Recipe, Turn

WIDE = b"id,review,words,heat,shot,shop\nr-1,Great kettle,50,0.2,https://shop.example/1.png,Leeds\nr-2,Small,,,,York\n"


@pytest.fixture
def person() -> Person:
    """Somebody who has dropped a sheet and begins to map it."""
    return Person().drop("wide.csv", WIDE).press("way-on")


def request_shown(person: Person) -> dict[str, Any]:
    """The request beside the mapping, as JSON."""
    person.choose("as-code", "JSON")
    shown = [json.loads(it.value) for it in person.at.code if it.language == "json"]
    assert len(shown) == 1
    found: dict[str, Any] = shown[0]
    return found


def params_shown(person: Person) -> dict[str, Any]:
    """The params of the request beside the mapping."""
    found: dict[str, Any] = request_shown(person)["params"]
    return found


def test_an_empty_page_says_where_to_begin() -> None:
    person = Person("map")
    assert not person.has("way-on")
    assert person.press("begin").may("sample")


def test_the_way_on_says_what_is_missing_until_there_is_a_prompt(person: Person) -> None:
    # It can be pressed before: the press that leaves the text field hands its text over.
    assert person.press("way-on").page == "Map columns"
    assert [it.value for it in person.at.error] != []
    assert person.type(person.map("prompt"), "Judge {{review}}").press("way-on").page == "Check"


def test_a_click_inserts_a_column(person: Person) -> None:
    person.type(person.map("prompt"), "Judge").press(person.map("insert-1")).press(person.map("insert-5"))
    assert person.recipe.prompt == "Judge {{review}} {{shop}}"
    assert any(it.value == "Judge Great kettle Leeds" for it in person.at.text)


def test_every_model_of_the_account_is_offered(person: Person) -> None:
    offered = person.at.selectbox(key=person.map("model-fixed")).options
    assert person.state.models is not None
    assert list(offered) == list(person.state.models) != []


def test_without_an_answer_from_the_account_the_page_works(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setenv("VALAR_SANDBOX_URL", f"http://127.0.0.1:{free_port}/v1")
    person = Person().drop("wide.csv", WIDE).press("way-on")
    person.type(person.map("prompt"), "Judge {{review}}")
    assert list(person.at.selectbox(key=person.map("model-fixed")).options) == []
    assert not person.may_leave_map()


def test_the_system_message_and_examples_come_before_the_prompt(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").type(person.map("system"), "Be brief.")
    person.choose(person.map("examples"), True)
    person.type(person.map("earlier-0"), "Judge Good").type(person.map("earlier-1"), "positive")
    assert [(turn.role, turn.text) for turn in person.recipe.turns] == [
        ("system", "Be brief."),
        ("user", "Judge Good"),
        ("assistant", "positive"),
        ("user", "Judge {{review}}"),
    ]
    assert [message["role"] for message in params_shown(person)["input"]] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(
    ("name", "fixed", "param", "column", "cell"),
    [
        ("max-output", 100, "max_output_tokens", "words", 50),
        ("temperature", 0.5, "temperature", "heat", 0.2),
        ("top-p", 0.9, "top_p", "heat", 0.2),
        ("user", "ann", "user", "shop", "Leeds"),
        ("cache", "week-1", "prompt_cache_key", "shop", "Leeds"),
    ],
)
def test_a_param_is_fixed_or_from_a_column_or_left_out(
    person: Person, name: str, fixed: object, param: str, column: str, cell: object
) -> None:
    person.type(person.map("prompt"), "Judge {{review}}")
    person.choose(person.map(f"{name}-mode"), "fixed value").choose(person.map(f"{name}-fixed"), fixed)
    assert params_shown(person)[param] == fixed
    person.choose(person.map(f"{name}-mode"), "from a column").choose(person.map(f"{name}-column"), column)
    assert params_shown(person)[param] == cell
    person.choose(person.map(f"{name}-mode"), "leave out")
    assert param not in params_shown(person)


def test_thinking_is_set_with_two_controls(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}")
    person.choose(person.map("effort-mode"), "fixed value").choose(person.map("effort-fixed"), "low")
    assert params_shown(person)["reasoning"]["effort"] == "low"


def test_images_and_metadata_come_from_columns(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}")
    person.choose(person.map("images"), ["shot"]).choose(person.map("detail"), "low")
    person.choose(person.map("metadata"), ["shop", "id"])
    params = params_shown(person)
    assert params["metadata"] == {"shop": "Leeds", "id": "r-1"}
    image = params["input"][-1]["content"][-1]
    assert (image["type"], image["image_url"], image["detail"]) == ("input_image", "https://shop.example/1.png", "low")
    assert person.choose(person.map("images"), []).recipe.images == ()


def test_the_answers_fields_become_a_strict_schema(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").choose(person.map("answer"), "fields")
    shape = params_shown(person)["text"]["format"]
    assert (shape["type"], shape["strict"], shape["schema"]["additionalProperties"]) == ("json_schema", True, False)
    editor = person.map("answer-editor")
    person.at.session_state[editor] = {
        "edited_rows": {0: {"name": "mood", "type": "text"}},
        "added_rows": [{"name": "score", "type": "integer", "required": True}],
        "deleted_rows": [],
    }
    person.look()
    assert [(field.name, field.type) for field in person.recipe.answer_fields] == [
        ("mood", "text"),
        ("score", "integer"),
    ]
    assert set(params_shown(person)["text"]["format"]["schema"]["properties"]) == {"mood", "score"}
    assert "text" not in params_shown(person.choose(person.map("answer"), "free text"))


def test_a_schema_by_hand_is_checked_as_it_is_typed(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").choose(person.map("answer"), "a JSON schema")
    good = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
    person.type(person.map("schema"), json.dumps(good))
    assert params_shown(person)["text"]["format"]["schema"] == good
    for broken in ('{"type": ', "[1]", ""):
        person.type(person.map("schema"), broken)
        assert "The last good version stays in use." in person.plain
        assert person.recipe.answer_schema == good
        assert not person.may_leave_map()
    assert person.choose(person.map("answer"), "free text").may_leave_map()


def test_more_params_are_json_that_follows_the_rules(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}")
    person.type(person.map("more"), '{"include": ["message.output_text.logprobs"]}')
    assert params_shown(person)["include"] == ["message.output_text.logprobs"]
    assert person.may_leave_map()
    for broken in ("{", "[]", "7"):
        person.type(person.map("more"), broken)
        assert "The last good version stays in use." in person.plain
        assert params_shown(person)["include"] == ["message.output_text.logprobs"]
        assert not person.may_leave_map()
    for refused in ('{"stream": true}', '{"store": false}', '{"instructions": "Be brief."}', '{"input": "x"}'):
        person.type(person.map("more"), refused)
        assert not person.may_leave_map(), refused
    assert person.type(person.map("more"), "").may_leave_map()
    assert person.recipe.more == {}


def test_more_params_that_are_no_json_yet_are_kept_as_they_were_typed(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").type(person.map("more"), '{"include": [')
    assert not person.may_leave_map()
    person.go("check").go("map")
    assert "More params is no JSON object yet" in person.plain
    box = person.map("more")
    assert person.at.text_area(key=box).value == '{"include": ['
    assert person.type(person.map("more"), '{"include": []}').may_leave_map()


FILLED_IN = (
    b"prompt,temperature,user,picture\nJudge this kettle,0.5,ann,https://shop.example/1.png\nAnd this,0.2,bob,\n"
)


def test_every_suggestion_says_why_as_long_as_it_stands() -> None:
    person = Person().drop("params.csv", FILLED_IN).press("way-on").look()
    for filled in ("the prompt: column prompt", "temperature: column temperature", "user: column user"):
        assert f"Filled in for {filled}" in person.plain.replace("*", "")
    assert person.recipe.user == FromColumn(column="user")
    person.type(person.map("prompt"), "Judge: {{prompt}}").choose(person.map("temperature-mode"), "leave out")
    told = person.plain.replace("*", "")
    assert "Filled in for user: column user" in told
    assert "Filled in for temperature" not in told
    assert "Proposed for temperature: column temperature" in told


def test_a_fixed_value_that_is_missing_is_told(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").choose(person.map("temperature-mode"), "fixed value")
    assert "Left out until there is a value here." in person.plain
    assert "Left out until" not in person.choose(person.map("temperature-fixed"), 0.5).plain


def test_long_names_stay_apart_on_their_buttons() -> None:
    names = [f"How satisfied were you with the {what}?" for what in ("delivery", "price", "colour of the box")]
    person = Person().drop("survey.csv", (",".join(names) + "\n1,2,3\n").encode()).press("way-on")
    labels = [person.at.button(key=person.map(f"insert-{at}")).label for at in range(3)]
    assert len(set(labels)) == 3
    assert all(len(label.replace("\\", "")) <= 28 for label in labels)
    assert person.press(person.map("insert-2")).recipe.prompt == f"{{{{{names[2]}}}}}"


def test_a_long_text_is_shown_in_part_and_says_so() -> None:
    person = Person().drop("long.csv", b"id,review\n1,short\n2," + b"x" * 30_000 + b"\n").press("way-on")
    person.type(person.map("prompt"), "{{review}}")
    assert "characters are shown" not in person.plain
    assert "The first 20,000 of 30,000 characters are shown" in person.press("preview-on").plain


def test_a_row_that_will_not_go_is_called_so() -> None:
    person = Person().drop("heat.csv", b"review,heat\nGood,0.5\nBad,9\n").press("way-on")
    person.type(person.map("prompt"), "{{review}}").choose(person.map("temperature-mode"), "from a column")
    person.choose(person.map("temperature-column"), "heat")
    assert "not sent as it stands" not in person.plain
    assert "This row is not sent as it stands" in person.press("preview-on").plain


def test_the_first_problem_is_named_where_only_check_sees_it() -> None:
    rows = b"id,review\n1,Fine\n2,Same\n3,Same\n"
    person = Person().drop("same.csv", rows).press("way-on")
    person.type(person.map("prompt"), "{{review}}").press("preview-first_problem")
    number = next(it for it in person.at.number_input if str(it.key).startswith("preview-"))
    assert number.value == min(row for rows in person.causes.values() for row in rows)
    assert "Check names this row for" in person.plain
    assert "Check names this row for" not in person.press("preview-back").plain


def test_an_unknown_hole_is_named_with_the_nearest_column(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{reviw}}")
    assert "{{reviw}}" in person.plain
    assert "{{review}}" in person.plain
    assert not person.may_leave_map()


def test_a_cell_that_looks_like_a_hole_stays_a_cell() -> None:
    person = Person().drop("tricky.csv", b'id,review\n1,"{{id}} {{review}}"\n').press("way-on")
    person.type(person.map("prompt"), "Judge {{review}}")
    assert any(it.value == "Judge {{id}} {{review}}" for it in person.at.text)


def test_the_preview_goes_to_any_row(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").choose(person.map("id"), "id")
    assert request_shown(person)["custom_id"] == "r-1"
    assert request_shown(person.press("preview-on"))["custom_id"] == "r-2"
    assert not person.may("preview-on")
    assert request_shown(person.press("preview-back"))["custom_id"] == "r-1"
    assert request_shown(person.press("preview-shortest"))["custom_id"] == "r-2"
    assert request_shown(person.press("preview-longest"))["custom_id"] == "r-1"


def test_the_preview_finds_the_first_problem() -> None:
    person = Person().drop("gap.csv", b"id,review\na,Good\nb,Fine\nc,\n").press("way-on")
    person.type(person.map("prompt"), "{{review}}").choose(person.map("id"), "id").press("preview-first_problem")
    number = next(it for it in person.at.number_input if str(it.key).startswith("preview-"))
    assert number.value == 4


def test_ids_that_cannot_be_sent_are_shown_with_what_becomes_of_them() -> None:
    person = Person().drop("ids.csv", "id,review\nÄ 1,Good\nok-2,Fine\n".encode()).press("way-on")
    person.type(person.map("prompt"), "{{review}}").choose(person.map("id"), "id")
    made = request_shown(person)["custom_id"]
    assert made in person.words
    assert "Ä 1" in person.plain


def test_what_leaves_this_computer_is_counted(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").choose(person.map("id"), "")
    assert "1 of 6 columns" in person.plain
    assert "2 of 6 columns" in person.choose(person.map("metadata"), ["shop"]).plain


def test_the_samples_example_fills_an_empty_mapping() -> None:
    person = Person().press("sample").press("way-on").press("example")
    assert person.recipe.prompt == samples.REVIEWS_RECIPE["prompt"]
    assert person.at.text_area(key=person.map("prompt")).value == samples.REVIEWS_RECIPE["prompt"]
    assert person.draft.label == samples.REVIEWS_RECIPE["label"]
    assert person.may_leave_map()
    assert not person.has("example")


def test_the_mapping_is_there_after_a_refresh(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").type(person.map("system"), "Be brief.")
    again = Person("map", draft=person.state.draft_id or "")
    assert again.at.text_area(key=again.map("prompt")).value == "Judge {{review}}"
    assert again.at.text_area(key=again.map("system")).value == "Be brief."


def test_the_mapping_is_there_after_a_look_at_another_page(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").choose(person.map("answer"), "fields")
    person.choose(person.map("temperature-mode"), "fixed value").choose(person.map("temperature-fixed"), 0.3)
    before = person.recipe
    assert person.go("batches").go("map").recipe == before
    assert params_shown(person)["temperature"] == 0.3
    assert "text" in params_shown(person)


def test_a_schema_begins_as_that_of_the_fields_and_leads_back(person: Person) -> None:
    fields = (
        AnswerField(name="mood", type="one of", choices=("good", "bad, or worse", 'a "so-so"', '5"', "it's")),
        AnswerField(name="score", type="integer"),
    )
    recipe = Recipe(
        model=Fixed(fixed="some/model"), turns=(Turn(role="user", text="Say {{review}}"),), answer_fields=fields
    )
    person.drop("recipe.json", recipe.to_json().encode())
    person.choose(person.map("answer"), "a JSON schema")
    assert person.recipe.answer_schema == fields_schema(fields)
    assert person.choose(person.map("answer"), "fields").recipe.answer_fields == fields


def test_a_model_that_valar_does_not_list_is_named(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}")
    assert "not among the models" not in person.plain
    recipe = person.recipe.model_copy(update={"model": Fixed(fixed="foo/bar-1")})
    assert "foo/bar-1 is not among the models" in person.drop("recipe.json", recipe.to_json().encode()).plain


def test_a_lone_example_is_told(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").choose(person.map("examples"), True)
    person.type(person.map("earlier-1"), "good")
    assert "one of them is still empty" in person.plain
    assert "one of them is still empty" not in person.type(person.map("earlier-0"), "What is it?").plain


def test_a_recipe_is_kept_loaded_and_forgotten(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").keep_recipe("Mood")
    kept = session.services().ledger.recipes(person.owner)
    assert [it.name for it in kept] == ["Mood"]
    person.type(person.map("prompt"), "Something else").look()
    person.press("recipe-load")
    assert person.recipe.prompt == "Judge {{review}}"
    assert person.at.text_area(key=person.map("prompt")).value == "Judge {{review}}"
    person.press("recipe-drop")
    assert not person.has("recipe-load")
    assert session.services().ledger.recipes(person.owner) == []


def test_a_recipe_that_was_loaded_can_be_taken_back(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").keep_recipe("Mood")
    person.type(person.map("prompt"), "Weigh {{review}}").press("recipe-load")
    assert person.recipe.prompt == "Judge {{review}}"
    assert person.press("recipe-back").recipe.prompt == "Weigh {{review}}"
    assert person.at.text_area(key=person.map("prompt")).value == "Weigh {{review}}"
    assert not person.has("recipe-back")


def test_a_recipe_holds_no_cell_and_no_key(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").keep_recipe("Mood")
    text = json.dumps([it.recipe for it in session.services().ledger.recipes(person.owner)])
    assert "kettle" not in text
    assert "sandbox-" not in text


def test_a_recipe_file_is_put_over_the_mapping(person: Person) -> None:
    recipe = Recipe(
        model=Fixed(fixed="some/model"),
        turns=(Turn(role="user", text="Say {{review}}"),),
        temperature=FromColumn(column="heat"),
        images=(Image(column="shot"),),
        answer_fields=(AnswerField(name="mood", type="one of", choices=("good", "bad")),),
    )
    person.drop("recipe.json", recipe.to_json().encode())
    assert person.recipe == recipe
    assert person.at.text_area(key=person.map("prompt")).value == "Say {{review}}"
    assert person.at.selectbox(key=person.map("temperature-column")).value == "heat"


@pytest.mark.parametrize("contents", [b"{", b"[]", b'{"version": 9}', b'{"prompt": "x"}', b"\xff\xfe"])
def test_a_file_that_is_no_recipe_is_refused(person: Person, contents: bytes) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").drop("recipe.json", contents)
    assert len(person.at.error) == 1
    assert person.recipe.prompt == "Judge {{review}}"


LACKING = [
    Recipe(turns=(Turn(role="user", text="Say {{reviews}}"),)),
    Recipe(turns=(Turn(role="user", text="Say {{review}}"), Turn(role="user", text="{{reviews}}"))),
    Recipe(turns=(Turn(role="user", text="Say {{review}}"),), temperature=FromColumn(column="reviews")),
    Recipe(turns=(Turn(role="user", text="Say {{review}}"),), custom_id=IdRule(column="reviews")),
    Recipe(turns=(Turn(role="user", text="Say {{review}}"),), images=(Image(column="reviews"),)),
    Recipe(turns=(Turn(role="user", text="Say {{review}}"),), metadata={"it": FromColumn(column="reviews")}),
]


@pytest.mark.parametrize("recipe", LACKING, ids=["prompt", "example", "param", "ids", "image", "metadata"])
def test_a_recipe_for_another_sheet_says_which_column_is_missing_and_the_nearest(recipe: Recipe) -> None:
    person = Person().drop("reviews.csv", REVIEWS).press("way-on")
    recipe = recipe.model_copy(update={"model": Fixed(fixed="some/model")})
    person.drop("recipe.json", recipe.to_json().encode())
    flaw = next(it for it in check_recipe(person.recipe, ["id", "review"]) if it.code == "unknown-column")
    assert (flaw.column, "review" in flaw.hint) == ("reviews", True)
    assert flaw.text in person.plain
    assert flaw.hint in person.plain
    assert not person.may_leave_map()
    person.press("instead-reviews")
    assert person.recipe == with_column(recipe, "reviews", "review")
    assert person.may_leave_map()


def test_any_column_can_stand_in_for_a_missing_one() -> None:
    person = Person().drop("words.csv", b"no,wording\n1,Great kettle\n2,Too small\n").press("way-on")
    recipe = Recipe(model=Fixed(fixed="some/model"), turns=(Turn(role="user", text="Say {{review}}"),))
    person.drop("recipe.json", recipe.to_json().encode())
    assert not person.has("instead-review")
    assert person.choose("other-review", "wording").recipe.prompt == "Say {{wording}}"
    assert person.may_leave_map()


def test_another_file_that_lacks_a_column_says_so() -> None:
    person = Person().drop("wide.csv", WIDE).press("way-on")
    person.type(person.map("prompt"), "Judge {{review}}")
    person.choose(person.map("user-mode"), "from a column").choose(person.map("user-column"), "shop")
    person.go("upload").drop("reviews.csv", REVIEWS).go("map")
    assert person.recipe.user == FromColumn(column="shop")
    assert not person.may_leave_map()
    assert person.choose(person.map("user-column"), "id").may_leave_map()


def test_a_mapping_is_offered_again_for_the_same_headings() -> None:
    first = Person().mapped("week-1.csv", REVIEWS, prompt="Judge {{review}}", ids="id")
    first.press("way-on").press("submit")
    again = Person().drop("week-2.csv", REVIEWS.replace(b"r-1", b"r-9")).press("way-on").press("use-last")
    assert again.recipe == first.recipe
    assert not again.has("use-last")
    other = Person().drop("other.csv", b"word\nkettle\n").press("way-on")
    assert not other.has("use-last")


def test_a_mapping_that_was_checked_is_offered_over_one_that_the_headings_made() -> None:
    first = Person().drop("week-1.csv", FILLED_IN).press("way-on")
    first.type(first.map("prompt"), "Weigh {{prompt}}").press("way-on")
    again = Person().drop("week-2.csv", FILLED_IN.replace(b"kettle", b"lamp")).press("way-on")
    assert again.recipe.prompt == "{{prompt}}"
    assert again.press("use-last").recipe.prompt == "Weigh {{prompt}}"
    assert not again.has("use-last")


def test_images_need_no_prompt(person: Person) -> None:
    person.choose(person.map("images"), ["shot"])
    assert person.recipe.turns == (Turn(role="user", text=""),)
    assert person.may_leave_map()
    assert person.press("way-on").sending == (1, 2)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(turns=tuple(Turn(role="user" if at % 2 == 0 else "assistant", text="x") for at in range(13))),
        Recipe(turns=(Turn(role="user", text="x"),), max_output_tokens=Fixed(fixed=9_007_199_254_740_993)),
        Recipe(turns=(Turn(role="user", text="x"),), max_output_tokens=Fixed(fixed=True)),
        Recipe(turns=(Turn(role="user", text="x"),), temperature=Fixed(fixed=True)),
        Recipe(turns=(Turn(role="user", text="x"),), more={"include": 10**30}),
        Recipe(turns=(Turn(role="user", text="x"),), answer_schema={"maximum": 10**30}),
        Recipe(turns=(Turn(role="user", text="x"),), completion_window=Fixed(fixed="flex")),
        Recipe(turns=(Turn(role="user", text="x"),), completion_window=FromColumn(column="shop")),
        Recipe(turns=(Turn(role="user", text="x"),), images=(Image(column="shot"),)),
        Recipe(images=(Image(column="shot"),)),
    ],
)
def test_an_odd_recipe_breaks_no_page(person: Person, recipe: Recipe) -> None:
    person.drop("recipe.json", recipe.model_copy(update={"model": Fixed(fixed="m")}).to_json().encode())
    assert person.recipe.completion_window == recipe.completion_window
    person.open(person.map("more-settings")).go("check").go("map").look()


def test_the_fields_come_back_after_free_text_and_a_schema(person: Person) -> None:
    fields = (AnswerField(name="mood", type="one of", choices=("good", "bad")), AnswerField(name="why"))
    recipe = Recipe(model=Fixed(fixed="m"), turns=(Turn(role="user", text="Say {{review}}"),), answer_fields=fields)
    person.drop("recipe.json", recipe.to_json().encode())
    assert person.choose(person.map("answer"), "free text").recipe.answer_fields == ()
    assert person.choose(person.map("answer"), "fields").recipe.answer_fields == fields
    person.choose(person.map("answer"), "a JSON schema").choose(person.map("answer"), "free text")
    assert person.recipe.answer_schema is None
    assert person.choose(person.map("answer"), "fields").recipe.answer_fields == fields


def test_no_column_is_chosen_for_anybody(person: Person) -> None:
    person.choose(person.map("max-output-mode"), "from a column")
    assert person.recipe.max_output_tokens is None
    person.choose(person.map("max-output-column"), "words")
    assert person.recipe.max_output_tokens == FromColumn(column="words")


def test_the_preview_stays_at_its_row_while_other_pages_are_looked_at(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").press("preview-on")
    assert request_shown(person.go("check").go("map"))["params"]["input"][0]["content"] == "Judge Small"


def test_a_kept_recipe_gives_the_draft_its_name(person: Person) -> None:
    person.type(person.map("prompt"), "Judge {{review}}").keep_recipe("Mood")
    assert person.recipe.name == "Mood"
