"""What a batch may cost: the rates with their date, tokens from text, a range in dollars. Every figure is an estimate.

The built-in rates can be replaced by a JSON or CSV file (`load_prices`; docs/recipe.md shows both).
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from valar_ui.limits import BATCH_WINDOW, WINDOWS

TOKENS_A_MESSAGE: Final = 4
"""Added for each message's role and frame."""
TOKENS_AN_IMAGE: Final = 1_000
"""A guess: the vendor publishes no figure."""


@dataclass(frozen=True, slots=True)
class Rate:
    """US dollars per million tokens."""

    input: float
    cached: float
    output: float


@dataclass(frozen=True, slots=True)
class ModelPrices:
    """One model's rates by completion window, and whether it takes images."""

    windows: Mapping[str, Rate]
    images: bool | None = None
    """None: not known."""


@dataclass(frozen=True, slots=True)
class Prices:
    """All rates and the date they are from."""

    date: str
    models: Mapping[str, ModelPrices] = field(default_factory=dict)

    def rate(self, model: str, window: str = BATCH_WINDOW) -> Rate | None:
        """The rates of a model in a window; None where they are not known."""
        prices = self.models.get(model)
        return None if prices is None else prices.windows.get(window)

    def takes_images(self, model: str) -> bool | None:
        """Whether a model takes images; None where that is not known."""
        prices = self.models.get(model)
        return None if prices is None else prices.images


@dataclass(frozen=True, slots=True)
class Usage:
    """What requests to one model come to, estimated."""

    requests: int
    input_tokens: int
    output_tokens_max: int | None
    """The sum of `max_output_tokens`; None where a request sets none."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A range in US dollars: no output at all, up to every answer at its `max_output_tokens`."""

    model: str
    window: str
    low: float | None
    """None: the model's price is not known."""
    high: float | None
    """None: not known, or a request sets no `max_output_tokens`."""

    @property
    def known(self) -> bool:
        """Whether there is a price at all."""
        return self.low is not None


def _model(images: bool, *rates: float) -> ModelPrices:
    triples = [Rate(*rates[at : at + 3]) for at in (0, 3, 6)]
    return ModelPrices(dict(zip(WINDOWS, triples, strict=True)), images)


BUILT_IN: Final = Prices(
    "June 2026",
    {
        "deepseek-ai/DeepSeek-V4-Pro": _model(False, 1.60, 0.15, 4.10, 0.90, 0.15, 2.30, 0.62, 0.06, 1.60),
        "deepseek-ai/DeepSeek-V4-Flash": _model(False, 0.09, 0.03, 0.19, 0.05, 0.015, 0.10, 0.035, 0.012, 0.075),
        "moonshotai/Kimi-K2.6": _model(True, 0.90, 0.20, 3.60, 0.45, 0.20, 1.80, 0.35, 0.08, 1.40),
        "zai-org/GLM-5.1-FP8": _model(False, 1.30, 0.26, 4.40, 0.73, 0.15, 2.51, 0.51, 0.10, 1.70),
        "openai/gpt-oss-120b": _model(False, 0.06, 0.03, 0.40, 0.04, 0.02, 0.30, 0.024, 0.012, 0.155),
        "Qwen/Qwen3.5-397B-A17B": _model(False, 0.45, 0.09, 1.35, 0.25, 0.05, 0.75, 0.175, 0.035, 0.525),
        "google/gemma-4-31B-it": _model(True, 0.36, 0.20, 0.60, 0.18, 0.10, 0.30, 0.14, 0.08, 0.24),
        "MiniMaxAI/MiniMax-M2.7": _model(False, 0.27, 0.054, 1.08, 0.15, 0.03, 0.60, 0.105, 0.021, 0.42),
    },
)
"""The vendor's price page, June 2026: asap, standard, flex, each input / cached input / output."""


def tokens_of(characters: int, wide: int, *, messages: int = 1, images: int = 0) -> int:
    """Tokens of a text, estimated from its characters and its UTF-8 bytes beyond one a character.

    About four characters a token in Latin script, two in Cyrillic or Greek, 1.3 in Chinese, Japanese and Korean.
    """
    return int(text_tokens(characters, wide)) + messages * TOKENS_A_MESSAGE + images * TOKENS_AN_IMAGE


def text_tokens(characters: Any, wide: Any) -> Any:
    """The same of the texts alone, rounded up; takes whole columns of numbers as well."""
    return (characters * 25 + wide * 26 + 99) // 100


def estimate(
    model: str,
    window: str = BATCH_WINDOW,
    *,
    input_tokens: int,
    max_output_tokens: int | None,
    prices: Prices = BUILT_IN,
) -> Estimate:
    """What that many tokens cost; `max_output_tokens` is the sum over all requests, None for no limit."""
    rate = prices.rate(model, window)
    if rate is None:
        return Estimate(model, window, None, None)
    low = input_tokens * rate.input / 1e6
    return Estimate(
        model, window, low, None if max_output_tokens is None else low + max_output_tokens * rate.output / 1e6
    )


def estimate_all(usage: Mapping[str, Usage], window: str = BATCH_WINDOW, *, prices: Prices = BUILT_IN) -> Estimate:
    """The sum over the models of a batch; unknown as soon as one model's price is (`model` names them, joined)."""
    parts = [
        estimate(model, window, input_tokens=used.input_tokens, max_output_tokens=used.output_tokens_max, prices=prices)
        for model, used in usage.items()
    ]
    return Estimate(", ".join(usage), window, _sum(part.low for part in parts), _sum(part.high for part in parts))


def compare_models(
    usage: Mapping[str, Usage], *, prices: Prices = BUILT_IN, images: bool = False, always: Container[str] = ()
) -> list[tuple[str, dict[str, Estimate]]]:
    """The same requests on every model in every window, cheapest first: `[(model, {window: estimate})]`.

    With `images`, only models that take them, and those in `always`.
    """
    tokens = sum(used.input_tokens for used in usage.values())
    output = _sum(used.output_tokens_max for used in usage.values())
    rows = [
        (
            model,
            {
                window: estimate(
                    model,
                    window,
                    input_tokens=tokens,
                    max_output_tokens=None if output is None else int(output),
                    prices=prices,
                )
                for window in WINDOWS
            },
        )
        for model, known in prices.models.items()
        if known.images or not images or model in always
    ]
    return sorted(rows, key=lambda row: (row[1][BATCH_WINDOW].high or row[1][BATCH_WINDOW].low or 0.0, row[0]))


def _sum(values: Iterable[float | None]) -> float | None:
    total = 0.0
    for value in values:
        if value is None:
            return None
        total += value
    return total


class BadPrices(ValueError):
    """A price file that cannot be used; the message is for the person."""


def load_prices(path: Path) -> Prices:
    """Read a price file, JSON or CSV by its extension; `BadPrices` says what does not fit.

    JSON: `{"date": …, "models": {name: {"images": true, "standard": {"input": 1, "cached": 1, "output": 1}}}}`.
    CSV: columns model, window, input, cached, output and optionally images, date.
    """
    try:
        text = path.read_text("utf-8-sig")
        prices = _from_csv(text) if path.suffix.casefold() == ".csv" else _from_json(json.loads(text))
    except (OSError, UnicodeDecodeError) as fault:
        raise BadPrices(f"The price file {path.name} cannot be read: {fault}.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise BadPrices(f"The price file {path.name} is not as described: {fault}.") from None
    if not prices.models:
        raise BadPrices(f"The price file {path.name} names no model.")
    return prices


def _rate(value: Mapping[str, Any]) -> Rate:
    numbers = [float(value[name]) for name in ("input", "cached", "output")]
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        raise ValueError("a price is a number from 0 up")
    return Rate(*numbers)


def _from_json(value: Any) -> Prices:
    models = {}
    for name, known in value["models"].items():
        unknown = set(known) - {*WINDOWS, "images"}
        if unknown:
            raise ValueError(f"{name} has {sorted(unknown)[0]!r}, which is no completion window")
        windows = {window: _rate(known[window]) for window in WINDOWS if window in known}
        models[name] = ModelPrices(windows, known.get("images"))
    return Prices(str(value.get("date", "an unknown date")), models)


def _from_csv(text: str) -> Prices:
    date, windows, images = "an unknown date", dict[str, dict[str, Rate]](), dict[str, bool | None]()
    for row in csv.DictReader(io.StringIO(text)):
        if row["window"] not in WINDOWS:
            raise ValueError(f"{row['window']!r} is no completion window")
        windows.setdefault(row["model"], {})[row["window"]] = _rate(row)
        flag = (row.get("images") or "").strip().casefold()
        images[row["model"]] = {"yes": True, "true": True, "no": False, "false": False}.get(flag)
        date = row.get("date") or date
    return Prices(date, {model: ModelPrices(rates, images[model]) for model, rates in windows.items()})
