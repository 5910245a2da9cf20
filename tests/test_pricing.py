"""Rates, tokens and ranges: estimates, and honest about what is not known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from valar_ui.limits import WINDOWS
from valar_ui.pricing import (
    BUILT_IN,
    BadPrices,
    Rate,
    Usage,
    compare_models,
    estimate,
    estimate_all,
    load_prices,
    tokens_of,
)

GLM = "zai-org/GLM-5.1-FP8"


def test_the_rates_have_a_date_and_every_window() -> None:
    assert BUILT_IN.date == "June 2026"
    assert len(BUILT_IN.models) == 8
    assert all(set(known.windows) == set(WINDOWS) for known in BUILT_IN.models.values())
    assert BUILT_IN.rate(GLM) == Rate(0.73, 0.15, 2.51)
    assert sorted(name for name, known in BUILT_IN.models.items() if known.images) == [
        "google/gemma-4-31B-it",
        "moonshotai/Kimi-K2.6",
    ]


def test_a_range_from_no_output_to_all_of_it() -> None:
    cost = estimate(GLM, input_tokens=1_000_000, max_output_tokens=2_000_000)
    assert cost.low == pytest.approx(0.73)
    assert cost.high == pytest.approx(0.73 + 2 * 2.51)


@pytest.mark.parametrize(
    ("model", "limit", "low", "high"), [("no/such", 10, False, False), (GLM, None, True, False), (GLM, 10, True, True)]
)
def test_what_is_not_known_stays_open(model: str, limit: int | None, low: bool, high: bool) -> None:
    cost = estimate(model, input_tokens=10, max_output_tokens=limit)
    assert (cost.low is not None, cost.high is not None, cost.known) == (low, high, low)


def test_a_batch_of_two_models_is_their_sum_or_unknown() -> None:
    usage = {GLM: Usage(1, 1_000_000, 0), "openai/gpt-oss-120b": Usage(1, 1_000_000, 0)}
    assert estimate_all(usage).low == pytest.approx(0.77)
    assert estimate_all(usage | {"no/such": Usage(1, 1, 1)}).low is None


def test_side_by_side_cheapest_first() -> None:
    rows = compare_models({GLM: Usage(10, 1_000_000, 1_000_000)})
    highs = [windows["standard"].high or 0.0 for _, windows in rows]
    assert highs == sorted(highs)
    assert len(rows) == 8
    assert all(set(windows) == set(WINDOWS) for _, windows in rows)
    assert {name for name, _ in compare_models({GLM: Usage(1, 1, 1)}, images=True)} == {
        "google/gemma-4-31B-it",
        "moonshotai/Kimi-K2.6",
    }


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("The quick brown fox jumps over the lazy dog. " * 20, 180, 280),
        ("Быстрая коричневая лиса прыгает через ленивую собаку. " * 20, 350, 650),
        ("敏捷的棕色狐狸跳过了懒狗。" * 20, 170, 280),
        ("", 0, 0),
    ],
)
def test_tokens_by_script(text: str, low: int, high: int) -> None:
    assert low <= tokens_of(len(text), len(text.encode()) - len(text), messages=0) <= high


def test_messages_and_images_count() -> None:
    assert tokens_of(0, 0, messages=2) > 0
    assert tokens_of(0, 0, messages=0, images=2) == 2 * tokens_of(0, 0, messages=0, images=1)


def test_prices_from_json(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    rate = {"input": 1, "cached": 0.5, "output": 2}
    path.write_text(json.dumps({"date": "May", "models": {"m": {"images": True, "standard": rate}}}))
    prices = load_prices(path)
    assert (prices.date, prices.rate("m"), prices.rate("m", "flex")) == ("May", Rate(1, 0.5, 2), None)
    assert prices.takes_images("m") is True
    assert prices.takes_images("other") is None


def test_prices_from_csv(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("model,window,input,cached,output,images,date\nm,standard,1,0.5,2,no,May\nm,flex,1,1,1,no,May\n")
    prices = load_prices(path)
    assert (prices.date, prices.rate("m", "flex"), prices.takes_images("m")) == ("May", Rate(1, 1, 1), False)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.json", "nonsense"),
        ("p.json", "[]"),
        ("p.json", '{"models": {}}'),
        ("p.json", '{"models": {"m": {"fast": {"input": 1, "cached": 1, "output": 1}}}}'),
        ("p.json", '{"models": {"m": {"standard": {"input": -1, "cached": 1, "output": 1}}}}'),
        ("p.json", '{"models": {"m": {"standard": {"input": NaN, "cached": 1, "output": 1}}}}'),
        ("p.csv", "model,window\nm,standard\n"),
        ("p.csv", "model,window,input,cached,output\nm,soon,1,1,1\n"),
        ("p.csv", ""),
    ],
)
def test_a_price_file_that_does_not_fit_is_refused(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BadPrices, match=name):
        load_prices(path)


def test_a_missing_price_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadPrices):
        load_prices(tmp_path / "none.json")
