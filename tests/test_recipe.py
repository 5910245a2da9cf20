"""Recipes: JSON there and back, no data in them, a plain sentence for a file that is none."""

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
    LeaveOut,
    LeaveOutRow,
    MakeLegalIds,
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
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        '{"version": 2}',
        '{"turns": [{"role": "user"}]}',
        '{"rows": [1]}',
        '{"kind": "ready", "turns": [{"role": "user", "text": "x"}]}',
    ],
)
def test_what_is_no_recipe_is_said_so(text: str) -> None:
    with pytest.raises(BadRecipe, match="not a recipe"):
        Recipe.from_json(text)


def test_a_refusal_repeats_nothing_of_the_file() -> None:
    with pytest.raises(BadRecipe) as caught:
        Recipe.from_json('{"temperature": {"fixed": {"secret": "sk-canary"}}}')
    assert "canary" not in str(caught.value)


def test_prompt_and_system_are_found() -> None:
    assert (FULL.prompt, FULL.system) == ("{{review}}", "Short.")
    assert (Recipe().prompt, Recipe().system) == ("", "")


def test_steps_round_trip() -> None:
    steps = (
        LeaveOut(code="*"),
        LeaveOut(code="empty-prompt", column="review"),
        LeaveOutRow(row=7),
        EditCell(row=8, column="review", text="{{x}}"),
        Collapse(),
        MakeLegalIds(),
    )
    assert STEPS.validate_json(STEPS.dump_json(steps)) == steps
