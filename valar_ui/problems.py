"""What is wrong, where, and what to do: `Problem`, and the `Report` that groups and counts them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

PROBLEM_HEADING: Final = "Problem (Valar batches)"
"""The column that a sheet to be mended tells each row's problems in; no cell of the person's."""


TITLES: Final = {
    "answer-choices": "Answer field without proper choices",
    "answer-field-name": "Answer field without a name",
    "answer-field-twice": "Two answer fields of one name",
    "answer-name": "Improper name of the answer",
    "cell-cut": "Cell cut off by Excel",
    "column-without-name": "Column without a heading",
    "control-character": "Control character in a cell",
    "custom-id-not-text": "Id is no text",
    "digits-lost": "Digits rounded away by Excel",
    "empty-prompt": "Nothing to ask",
    "encoding-guessed": "Encoding is a guess",
    "error-cell": "Cell shows an error",
    "footer-row": "Row looks like a total or a note",
    "formula-without-text": "Formula whose text may be missing",
    "guessed-characters": "Characters read by a guess",
    "hole-empty": "Empty cell in the prompt",
    "hole-in-more": "Braces among the more params",
    "hole-single-brace": "Single braces in the prompt",
    "hole-unclosed": "Unclosed braces in the prompt",
    "id-characters": "Id with characters Valar does not take",
    "id-empty": "Id is empty",
    "id-length": "Id is too long",
    "id-repeated": "Same id twice",
    "id-shared": "Same id in several rows",
    "identical-request": "Same request twice",
    "image-base64": "Image is not valid base64",
    "image-count": "Too many images",
    "image-model": "Model takes no images",
    "image-none": "Row without an image",
    "image-size": "Image is too large",
    "image-type": "Image of a wrong type",
    "image-url": "Improper image address",
    "json-object": "Answer format json_object",
    "label-characters": "Label with characters Valar does not take",
    "line-too-long": "Line is too long",
    "lone-surrogate": "Half a character",
    "long-prompt": "Request far longer than the rest",
    "long-row": "Too many cells in the row",
    "message-key": "Message with an unknown key",
    "metadata.completion_window-choice": "Completion window is not among the choices",
    "missing-custom-id": "Request without an id",
    "no-requests": "No row is left",
    "not-a-number": "Value is no JSON number",
    "not-a-request": "Line is no request",
    "not-an-object": "Line is no object",
    "nul-character": "NUL character",
    "other-lists": "More than one list in the file",
    "output-unlimited": "No limit to the answer's length",
    "param-number": "Param with an improper value",
    "param-twice": "Param given twice",
    "part-type": "Message part of a wrong type",
    "personal-email": "E-mail address",
    "personal-iban": "IBAN",
    "personal-phone": "Phone number",
    "prompt-not-last": "Prompt is not the last message",
    "prompt-without-column": "Prompt uses no column",
    "quote-not-doubled": "Quote inside a cell",
    "read-otherwise": "Read otherwise than the file before",
    "reasoning.generate_summary-choice": "Reasoning summary is not among the choices",
    "refused-param": "Param that Valar refuses",
    "request-too-big": "Request is too large",
    "response-format": "Improper answer format",
    "schema-not-strict": "Schema is not strict",
    "schema-ref": "Schema refers to nothing",
    "schema-required": "Schema requires what it lacks",
    "schema-root": "Schema is not of an object",
    "schema-type": "Schema with an unknown type",
    "server-tool": "Tool that Valar refuses",
    "several-parts": "More than one batch",
    "short-row": "Too few cells in the row",
    "text-format": "Improper answer format of text",
    "text-missing": "Text is missing",
    "text-shape": "Answer format has a wrong shape",
    "too-deep": "Nested too deep",
    "tools-shape": "Tools have a wrong shape",
    "trailing-delimiter": "Delimiters after the last column",
    "webhook-url": "Improper webhook address",
    "window-ignored": "Completion window has no effect",
    "window-in-batch": "Completion window not for batches",
}
"""What some codes mean, in a few words; see `title`."""

ENDINGS: Final = {
    "boolean": "is neither true nor false",
    "choice": "is not among the choices",
    "length": "is too long",
    "missing": "is missing",
    "number": "is no number",
    "range": "is out of range",
    "refused": "is refused",
    "shape": "has a wrong shape",
    "text": "is no text",
}
"""What the last word of a code says of the words before it."""

ALWAYS: Final = {"json": "JSON", "top p": "Top-p", "url": "URL"}
"""Words that are not written like others."""


def title(code: str) -> str:
    """A cause in a few words, for a list or a button: `identical-request` → `Same request twice`."""
    if code in TITLES:
        return TITLES[code]
    what, _, ending = code.rpartition("-")
    words = re.sub(r"[-_.]+", " ", f"{what} {ENDINGS[ending]}" if what and ending in ENDINGS else code)
    for word, written in ALWAYS.items():
        words = re.sub(rf"\b{word}\b", written, words)
    return words[:1].upper() + words[1:]


class Severity(StrEnum):
    """How much a problem matters."""

    ERROR = "error"
    """The row (or the whole file, where no row is named) cannot be sent."""
    WARNING = "warning"
    """It can be sent; somebody should look first."""
    NOTE = "note"
    """Worth knowing; nothing to do."""

    @property
    def rank(self) -> int:
        """0 for the worst, for sorting."""
        return ("error", "warning", "note").index(self.value)


@dataclass(frozen=True, slots=True)
class Problem:
    """One flaw with its place, in words for somebody who does not program.

    `code` is stable (tests and mends name it). `row` is the number the spreadsheet shows (JSONL: the line),
    `line` the line in a text editor where that differs; both None when the flaw is not in one row.
    """

    code: str
    text: str
    hint: str = ""
    row: int | None = None
    column: str | None = None
    severity: Severity = Severity.ERROR
    line: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values, in the shape `python -m valar_ui inspect` prints."""
        return {
            "severity": self.severity.value,
            "code": self.code,
            "row": self.row,
            "line": self.line,
            "column": self.column,
            "message": self.text,
            "hint": self.hint,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Problem:
        """The inverse of `as_json`."""
        return cls(
            value["code"],
            value["message"],
            value["hint"],
            value["row"],
            value["column"],
            Severity(value["severity"]),
            value["line"],
        )


Cause = tuple[str, str | None]
"""What groups problems: (code, column)."""


@dataclass(slots=True)
class Group:
    """All problems of one cause: how many, which rows, the first few whole."""

    code: str
    column: str | None
    severity: Severity
    examples: list[Problem] = field(default_factory=list)
    rows: array[int] = field(default_factory=lambda: array("Q"))
    count: int = 0

    @property
    def cause(self) -> Cause:
        """What the members have in common."""
        return (self.code, self.column)


class Report:
    """Problems gathered in order, grouped by cause; memory stays at 8 bytes a problem.

    `sink`, where given, is called with every problem: that is how all of them reach the disk.
    """

    EXAMPLES = 20
    """Problems kept whole in each group; the rest by row number only."""

    def __init__(self, *, sink: Callable[[Problem], None] | None = None) -> None:
        self._groups: dict[Cause, Group] = {}
        self._sink = sink

    def add(self, problem: Problem) -> None:
        """Count one problem."""
        cause = (problem.code, problem.column)
        group = self._groups.get(cause)
        if group is None:
            group = self._groups[cause] = Group(problem.code, problem.column, problem.severity)
        group.count += 1
        if problem.row is not None:
            group.rows.append(problem.row)
        if len(group.examples) < self.EXAMPLES:
            group.examples.append(problem)
        if problem.severity.rank < group.severity.rank:
            group.severity = problem.severity
        if self._sink is not None:
            self._sink(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Count several."""
        for problem in problems:
            self.add(problem)

    def absorb(self, other: Report) -> None:
        """Take over everything another report counted."""
        for cause, group in other._groups.items():
            mine = self._groups.setdefault(cause, Group(group.code, group.column, group.severity))
            mine.count += group.count
            mine.rows.extend(group.rows)
            mine.examples.extend(group.examples[: self.EXAMPLES - len(mine.examples)])
            mine.severity = min(mine.severity, group.severity, key=lambda severity: severity.rank)

    def without(self, column: str) -> Report:
        """The same, less what was found in one column."""
        kept = Report()
        kept._groups = {cause: group for cause, group in self._groups.items() if cause[1] != column}
        return kept

    @property
    def groups(self) -> list[Group]:
        """Worst first, then the most frequent, then in order of appearance."""
        return sorted(self._groups.values(), key=lambda group: (group.severity.rank, -group.count))

    def count(self, severity: Severity) -> int:
        """Problems of one severity."""
        return sum(group.count for group in self._groups.values() if group.severity == severity)

    def __len__(self) -> int:
        return sum(group.count for group in self._groups.values())

    def __iter__(self) -> Iterator[Problem]:
        """The problems kept whole, worst group first."""
        for group in self.groups:
            yield from group.examples

    def as_json(self) -> list[dict[str, Any]]:
        """Groups as plain values; `from_json` restores them."""
        return [
            {
                "code": group.code,
                "column": group.column,
                "severity": group.severity.value,
                "count": group.count,
                "rows": group.rows.tolist(),
                "examples": [problem.as_json() for problem in group.examples],
            }
            for group in self._groups.values()
        ]

    @classmethod
    def from_json(cls, value: list[dict[str, Any]]) -> Report:
        """The inverse of `as_json`."""
        report = cls()
        for entry in value:
            report._groups[(entry["code"], entry["column"])] = Group(
                entry["code"],
                entry["column"],
                Severity(entry["severity"]),
                [Problem.from_json(problem) for problem in entry["examples"]],
                array("Q", entry["rows"]),
                entry["count"],
            )
        return report
