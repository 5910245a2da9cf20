"""Ready-made requests: `{custom_id, params}` as they are, OpenAI batch files converted with every change told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from valar_ui.problems import Problem
from valar_ui.readers.openai_batch import convert_body
from valar_ui.readers.reading import Recognised

VALAR = frozenset({"custom_id", "params"})
OPENAI = frozenset({"custom_id", "method", "url", "body"})


def recognise(values: Sequence[Any]) -> Recognised | None:
    """What most of the values are; None where they are plain records."""
    objects = [value for value in values if isinstance(value, dict)]
    if not objects or len(objects) < 0.5 * len(values):
        return None
    valar = sum(value.keys() >= VALAR and isinstance(value["params"], dict) for value in objects)
    if valar > 0.5 * len(objects):
        return "valar-requests"
    openai = sum(
        value.keys() >= {"custom_id", "body"}
        and isinstance(value["body"], dict)
        and ("url" in value or isinstance(value["body"].get("messages"), list))
        for value in objects
    )
    return "openai-batch" if openai > 0.5 * len(objects) else None


@dataclass(frozen=True, slots=True)
class Made:
    """One request, or None where the value makes none."""

    custom_id: str
    params: dict[str, Any] | None
    problems: tuple[Problem, ...] = ()


class Converter:
    """Turns values into requests one by one and counts what it changed."""

    def __init__(self, kind: Recognised) -> None:
        self._kind = kind
        self._changes: Counter[str] = Counter()

    def convert(self, value: Any, number: int) -> Made:
        """One value of the file; `number` is its row."""
        inner, keys = ("params", VALAR) if self._kind == "valar-requests" else ("body", OPENAI)
        if not isinstance(value, dict) or not isinstance(value.get(inner), dict):
            text = f"This line is no request: it has no {inner!r} object."
            hint = (
                "Each line needs custom_id and params."
                if inner == "params"
                else "Each line needs custom_id, url and body."
            )
            return Made("", None, (Problem("not-a-request", text, hint, number),))
        problems: list[Problem] = []
        custom_id = value.get("custom_id")
        if type(custom_id) is not str:
            problems.append(_bad_id(custom_id, number))
        extra = sorted(value.keys() - keys)
        if extra:
            problems.append(
                Problem(
                    "unexpected-key",
                    f"Beside custom_id and {inner} this request has: {', '.join(extra)[:200]}. Valar takes nothing "
                    "else in a request.",
                    "Move it into params if it is one, or delete it.",
                    number,
                )
            )
        params = value[inner]
        if self._kind == "openai-batch":
            params, changes, faults = convert_body(params, value.get("url"), value.get("method", "POST"), number)
            self._changes.update(changes)
            problems += faults
        return Made("" if custom_id is None else str(custom_id), params, tuple(problems))

    def changes(self) -> tuple[str, ...]:
        """Each kind of change in a sentence, with how many requests it touched."""
        return tuple(f"{text} ({count:,} request{'s' if count != 1 else ''})" for text, count in self._changes.items())


def _bad_id(custom_id: Any, number: int) -> Problem:
    if custom_id is None:
        return Problem("missing-custom-id", "This request has no custom_id.", "Give it one.", number)
    return Problem(
        "custom-id-not-text", "The custom_id of this request is not a text.", "Put it in double quotes.", number
    )
