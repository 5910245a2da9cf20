"""What the rules of a request say: `Flaw`, and the few shapes all rules share."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from valar_ui.problems import Severity


class Flaw(NamedTuple):
    """One broken rule, not yet tied to a row or column; `code` is stable."""

    code: str
    text: str
    hint: str = ""
    severity: Severity = Severity.ERROR


Rule = Callable[[Any], Iterator[Flaw]]
"""Takes a param's value, yields what is wrong with it."""


def shown(value: Any) -> str:
    """A value inside a sentence, as JSON writes it: short, in quotes where it is text."""
    text = f'"{value}"' if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…" + ('"' if isinstance(value, str) else "")


def is_number(value: Any) -> bool:
    """A finite JSON number (true and false are none)."""
    return is_integer(value) or (isinstance(value, float) and math.isfinite(value))


def is_integer(value: Any) -> bool:
    """A JSON number written without a point."""
    return isinstance(value, int) and not isinstance(value, bool)


def number(name: str, low: float, high: float) -> Rule:
    """A number between two bounds, both allowed, or null."""

    def rule(value: Any) -> Iterator[Flaw]:
        if value is None:
            return
        if not is_number(value):
            yield Flaw(f"{name}-number", f"{name} is {shown(value)}, which is not a number.", "Write it as 0.7.")
        elif not low <= value <= high:
            yield Flaw(
                f"{name}-range",
                f"{name} is {shown(value)}, outside {low:g} to {high:g}.",
                f"Use a number from {low:g} to {high:g}.",
            )

    return rule


def integer(name: str, low: int, high: int) -> Rule:
    """A whole number between two bounds, both allowed, or null."""

    def rule(value: Any) -> Iterator[Flaw]:
        if value is None:
            return
        if not is_integer(value):
            yield Flaw(
                f"{name}-number",
                f"{name} is {shown(value)}, which is not a whole number.",
                "Write it in digits only, as 1024.",
            )
        elif not low <= value <= high:
            yield Flaw(f"{name}-range", f"{name} is {shown(value)}, outside {low} to {high:,}.", f"Use at least {low}.")

    return rule


def choice(name: str, allowed: Collection[str], hint: str = "") -> Rule:
    """One of a few words."""

    def rule(value: Any) -> Iterator[Flaw]:
        if not (isinstance(value, str) and value in allowed):
            meant = next(
                (word for word in allowed if isinstance(value, str) and word == value.strip().casefold()), None
            )
            yield Flaw(
                f"{name}-choice",
                f"{name} is {shown(value)}, which is not among {', '.join(allowed)}.",
                f"Write {meant}." if meant else hint or f"Use one of {', '.join(allowed)}.",
            )

    return rule


def text(name: str, longest: int | None = None, *, filled: bool = False) -> Rule:
    """Text, of at most `longest` characters, not empty where `filled`."""

    def rule(value: Any) -> Iterator[Flaw]:
        if not isinstance(value, str):
            yield Flaw(f"{name}-text", f"{name} is {shown(value)}, which is not text.", "Write it as text.")
        elif longest is not None and len(value) > longest:
            yield Flaw(
                f"{name}-length",
                f"{name} has {len(value):,} characters; Valar takes {longest}.",
                f"Shorten it to {longest} characters.",
            )
        elif filled and not value.strip():
            yield Flaw(f"{name}-missing", f"{name} is empty.", f"Fill in {name}.")

    return rule


def boolean(name: str) -> Rule:
    """True or false."""

    def rule(value: Any) -> Iterator[Flaw]:
        if not isinstance(value, bool):
            yield Flaw(f"{name}-boolean", f"{name} is {shown(value)}, neither true nor false.", "Use true or false.")

    return rule


def only(name: str, accepted: Any, remedy: str) -> Rule:
    """A param of which Valar accepts one value."""

    def rule(value: Any) -> Iterator[Flaw]:
        if type(value) is not type(accepted) or value != accepted:
            yield Flaw(f"{name}-refused", f"Valar refuses {name}: {shown(value)}.", remedy)

    return rule
