"""The sample data holds what it is said to hold."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections import Counter

import pytest

from valar_ui import limits, samples


@pytest.fixture(scope="module")
def reviews() -> list[dict[str, str]]:
    with samples.REVIEWS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_two_hundred_different_reviews(reviews: list[dict[str, str]]) -> None:
    assert len(reviews) == 200
    assert list(reviews[0]) == ["review_id", "product", "country", "stars", "date", "review"]
    assert all(None not in row and None not in row.values() for row in reviews)
    assert len({row["review"] for row in reviews}) == 200


def test_one_review_is_missing_and_one_id_is_there_twice(reviews: list[dict[str, str]]) -> None:
    assert [row["review"] for row in reviews].count("") == 1
    assert sorted(Counter(row["review_id"] for row in reviews).values())[-2:] == [1, 2]


def test_ids_are_legal_as_they_stand(reviews: list[dict[str, str]]) -> None:
    assert all(limits.CUSTOM_ID.fullmatch(row["review_id"]) for row in reviews)


@pytest.mark.parametrize("held", ['"', "\n", ",", "{{", "<br>", "é", "ß", "£", "💔", "、", "NA"], ids=ascii)
def test_awkward_text_is_among_them(reviews: list[dict[str, str]], held: str) -> None:
    assert any(held in value for row in reviews for value in row.values())


@pytest.mark.parametrize(
    "script", ["CJK", "HIRAGANA", "HANGUL", "ARABIC", "HEBREW", "GREEK", "CYRILLIC", "DEVANAGARI", "THAI"]
)
def test_many_scripts_are_among_them(reviews: list[dict[str, str]], script: str) -> None:
    text = "".join(row["review"] for row in reviews)
    assert any(unicodedata.name(character, "").startswith(script) for character in set(text))


def test_the_suggested_recipe_fits_the_reviews(reviews: list[dict[str, str]]) -> None:
    recipe = samples.REVIEWS_RECIPE
    holes = set(re.findall(r"\{\{(.*?)\}\}", recipe["system"] + recipe["prompt"]))
    assert "review" in holes
    assert {*holes, recipe["id_column"]} <= set(reviews[0])
    assert limits.LABEL.fullmatch(recipe["label"])


def test_the_ready_made_requests_are_requests() -> None:
    items = [json.loads(line) for line in samples.REQUESTS.read_text(encoding="utf-8").splitlines()]
    assert len({item["custom_id"] for item in items}) == len(items) == 5
    for item in items:
        assert set(item) == {"custom_id", "params"}
        assert limits.CUSTOM_ID.fullmatch(item["custom_id"])
        assert item["params"]["model"]
        assert item["params"]["input"]
