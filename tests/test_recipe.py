"""Recipes: JSON there and back, no data in them, a plain sentence for a file that is none."""

from typing import Literal

import pytest

from valar_ui.recipe import (
    STEPS,
    AnswerField,
    BadRecipe,
    Collapse,
    EditCell,
    Fixed,
    FromColumn,
    IdRule,
    Image,
    Lapsed,
    LeaveOut,
    LeaveOutRow,
    MakeLegalIds,
    MendNumbers,
    Recipe,
    Turn,
)

FULL = Recipe(
    name="Sentiment",
    model=Fixed(fixed="zai-org/GLM-5.1-FP8"),
    turns=(Turn(role="system", text="Short."), Turn(role="user", text="{{review}}")),
    max_output_tokens=FromColumn(column="tokens"),
    temperature=Fixed(fixed=0.5),
    images=(Image(column="photo", detail="low"),),
    metadata={"shop": FromColumn(column="shop")},
    answer_fields=(AnswerField(name="mood", type="one of", choices=("good", "bad")),),
    more={"include": ["message.output_text.logprobs"]},
    custom_id=IdRule(column="id", legal=False),
)


@pytest.mark.parametrize("recipe", [Recipe(), FULL, Recipe(kind="ready")])
def test_json_round_trip(recipe: Recipe) -> None:
    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "it is not JSON"),
        ("null", "it is JSON, but no recipe"),
        ("[]", "it is JSON, but no recipe"),
        ("{", "it is not JSON"),
        ('{"version": 2}', "version has a value that this version does not know"),
        ('{"turns": [{"role": "user"}]}', "turns.0.text is missing"),
        ('{"rows": [1]}', "it has rows, which no recipe has"),
        ('{"kind": "ready", "turns": [{"role": "user", "text": "x"}]}', "no turns"),
    ],
)
def test_what_is_no_recipe_is_said_so(text: str, what: str) -> None:
    with pytest.raises(BadRecipe, match=f"not a recipe of this app: .*{what}"):
        Recipe.from_json(text)


def test_a_refusal_repeats_nothing_of_the_file() -> None:
    with pytest.raises(BadRecipe) as caught:
        Recipe.from_json('{"temperature": {"fixed": {"secret": "sk-canary"}}}')
    assert "canary" not in str(caught.value)


def test_prompt_and_system_are_found() -> None:
    assert (FULL.prompt, FULL.system) == ("{{review}}", "Short.")
    assert (Recipe().prompt, Recipe().system) == ("", "")


@pytest.mark.parametrize(
    ("role", "text", "turns"),
    [
        ("user", "New", [("system", "Short."), ("user", "q"), ("assistant", "a"), ("user", "New")]),
        ("user", "", [("system", "Short."), ("user", "q"), ("assistant", "a")]),
        ("system", "New", [("system", "New"), ("user", "q"), ("assistant", "a"), ("user", "{{x}}")]),
        ("system", "", [("user", "q"), ("assistant", "a"), ("user", "{{x}}")]),
    ],
)
def test_another_text_takes_the_place_of_the_prompt_or_the_system_message(
    role: Literal["system", "user"], text: str, turns: list[tuple[str, str]]
) -> None:
    before = [("system", "Short."), ("user", "q"), ("assistant", "a"), ("user", "{{x}}")]
    recipe = Recipe.model_validate({"turns": [{"role": said, "text": words} for said, words in before]})
    assert [(turn.role, turn.text) for turn in recipe.with_text(role, text).turns] == turns


def test_steps_round_trip() -> None:
    steps = (
        LeaveOut(code="*"),
        LeaveOut(code="empty-prompt", column="review"),
        LeaveOutRow(row=7, record=("0f",)),
        Lapsed(step=LeaveOutRow(row=7), done=True),
        EditCell(row=8, column="review", text="{{x}}"),
        Collapse(),
        MakeLegalIds(),
        MendNumbers(column="heat"),
    )
    assert STEPS.validate_json(STEPS.dump_json(steps)) == steps
