"""Which column is which param: exact names only, then a look at the cells; each guess says why."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from valar_ui.limits import EFFORTS, TEMPERATURE, TOP_P
from valar_ui.problems import PROBLEM_HEADING
from valar_ui.table import Table

NAMES: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "input": (
        ("input", "prompt", "user prompt", "user input"),
        (
            "text",
            "question",
            "query",
            "message",
            "content",
            "user message",
            "user content",
            "body",
            "review",
            "review text",
            "comment",
            "comments",
            "feedback",
            "description",
            "task",
            "instruction",
            "request",
            "eingabe",
            "frage",
            "texte",
            "question text",
            "prompt text",
            "input text",
            "full text",
        ),
    ),
    "custom_id": (
        ("custom id",),
        (
            "id",
            "request id",
            "row id",
            "record id",
            "item id",
            "uid",
            "uuid",
            "guid",
            "identifier",
            "key",
            "external id",
            "ref",
            "reference",
        ),
    ),
    "model": (("model",), ("model name", "model id", "llm")),
    "system": (
        ("system", "system prompt", "system message"),
        ("instructions", "system instruction", "system instructions"),
    ),
    "max_output_tokens": (
        ("max output tokens",),
        ("max tokens", "max completion tokens", "maximum tokens", "max new tokens"),
    ),
    "temperature": (("temperature",), ()),
    "top_p": (("top p",), ("nucleus sampling",)),
    "reasoning_effort": (("reasoning effort",), ("effort", "thinking effort")),
    "image": (
        ("image", "image url", "image urls"),
        ("images", "img", "img url", "picture", "picture url", "photo", "photo url"),
    ),
    "user": (("user",), ("user id", "end user", "end user id")),
    "prompt_cache_key": (("prompt cache key",), ("cache key",)),
}
"""For each target its own names, then what else people call it; all as `normal` writes them."""

LONG_TEXT: Final = 20
"""Characters on average from which a column may be the input."""

SAMPLE_ROWS: Final = 5_000

COPY: Final = re.compile(r" \(\d+\)$")
"""What a repeated heading ends with."""

INTEGER: Final = re.compile(r"[1-9]\d{0,9}")
NUMERIC: Final = re.compile(r"[-+]?[\d.,\s]+%?")
IMAGE: Final = re.compile(r"https?://\S+|data:image/\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One column for one param; `exact` ones may be filled in for the person."""

    target: str
    column: str
    reason: str
    exact: bool


def normal(name: str) -> str:
    """A heading for comparing: compatible forms, no invisibles, camelCase parted, one space between words."""
    name = unicodedata.normalize("NFKC", name)
    name = "".join(character for character in name if unicodedata.category(character) != "Cf")
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return " ".join(re.sub(r"[\W_]+", " ", name).casefold().split())


def suggest(table: Table) -> dict[str, Suggestion]:
    """At most one suggestion for each target and each column; where two columns fit equally, none."""
    by_name: dict[str, list[str]] = {}
    for column in table.columns:
        by_name.setdefault(normal(_raw(column, table.columns)), []).append(column)
    found: dict[str, Suggestion] = {}
    taken = {PROBLEM_HEADING}
    for target, tiers in NAMES.items():
        for names in tiers:
            fitting = [
                column
                for name in names
                for column in by_name.get(name, ())
                if column not in taken and _gate(target, table, column)
            ]
            if len(fitting) > 1:
                break
            if fitting:
                column = fitting[0]
                found[target] = Suggestion(target, column, _reason(target, column), exact=True)
                taken.add(column)
                break
    if "input" not in found and not _ambiguous("input", by_name):
        offered = _longest(table, taken)
        if offered is not None:
            found["input"] = offered
    return found


def _raw(column: str, columns: Sequence[str]) -> str:
    """The heading without the number that tells it from another one of the same name."""
    base = COPY.sub("", column)
    return base if base in columns else column


def _ambiguous(target: str, by_name: dict[str, list[str]]) -> bool:
    return any(sum(len(by_name.get(name, ())) for name in names) > 1 for names in NAMES[target])


def _reason(target: str, column: str) -> str:
    gate = {
        "custom_id": " and its cells are all filled and all different",
        "temperature": " and its cells are numbers from 0 to 2",
        "top_p": " and its cells are numbers from 0 to 1",
        "max_output_tokens": " and its cells are whole numbers",
        "reasoning_effort": " and its cells are levels of effort",
        "image": " and its cells are web addresses of images",
        "input": " and its cells are text",
    }.get(target, "")
    return f"The column is called {column!r}{gate}."


def _cells(table: Table, column: str) -> Iterator[str]:
    for chunk in table.chunks([column]):
        yield from chunk.columns[column]


def _gate(target: str, table: Table, column: str) -> bool:
    """The cells of a column are what the target needs."""
    if target == "custom_id":
        return _unique(table, column)
    fits = {
        "temperature": lambda cell: _within(cell, *TEMPERATURE),
        "top_p": lambda cell: _within(cell, *TOP_P),
        "max_output_tokens": lambda cell: INTEGER.fullmatch(cell) is not None,
        "reasoning_effort": lambda cell: cell in EFFORTS,
    }.get(target)
    if fits is not None:
        return _all(table, column, fits)
    if target == "image":
        return _share(table, column, lambda cell: IMAGE.fullmatch(cell) is not None) >= 0.9
    if target in ("input", "system", "model"):
        return _share(table, column, lambda cell: NUMERIC.fullmatch(cell) is None) > 0.5
    return _share(table, column, bool) > 0


def _within(cell: str, low: float, high: float) -> bool:
    try:
        return low <= float(cell) <= high
    except ValueError:
        return False


def _all(table: Table, column: str, fits: Callable[[str], bool]) -> bool:
    filled = 0
    for cell in _cells(table, column):
        if cell:
            filled += 1
            if not fits(cell):
                return False
    return filled > 0


def _share(table: Table, column: str, fits: Callable[[str], bool]) -> float:
    """The share of the first filled cells that fit."""
    filled = fitting = 0
    for cell in _cells(table, column):
        if cell.strip():
            filled += 1
            fitting += fits(cell.strip())
            if filled >= SAMPLE_ROWS:
                break
    return fitting / filled if filled else 0.0


def _unique(table: Table, column: str) -> bool:
    seen: set[int] = set()
    for cell in _cells(table, column):
        mark = hash(cell)
        if not cell or mark in seen:
            return False
        seen.add(mark)
    return True


def _longest(table: Table, taken: set[str]) -> Suggestion | None:
    """The column with the longest text on average, if it is text at all."""
    lengths: dict[str, int] = {}
    rows = 0
    for chunk in table.chunks(stop=SAMPLE_ROWS):
        rows += len(chunk)
        for column, cells in chunk.columns.items():
            if column not in taken:
                texts = sum(len(cell) for cell in cells if not NUMERIC.fullmatch(cell) and not IMAGE.fullmatch(cell))
                lengths[column] = lengths.get(column, 0) + texts
    if not lengths or not rows:
        return None
    column = max(lengths, key=lambda name: lengths[name])
    average = lengths[column] / rows
    if average < LONG_TEXT:
        return None
    reason = (
        f"No column has a name that says so, but {column!r} has the longest text: {average:,.0f} characters on average."
    )
    return Suggestion("input", column, reason, exact=False)
