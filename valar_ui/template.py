"""Text with {{column}} holes: find them, fill them in one pass.

`{{name}}` is a hole; spaces and line breaks inside the braces do not matter. `\\{{` writes two braces that are
no hole, `\\\\{{name}}` a backslash followed by a hole. A cell that itself holds `{{x}}` arrives as it is.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

_MARK: Final = re.compile(
    r"(?P<odd>\\(?:\\\\)*)\{\{|(?P<even>(?:\\\\)+)(?=\{\{)"
    r"|\{\{(?!\{)(?P<name>(?:(?!\{\{|\}\}).)*?\S(?:(?!\{\{|\}\}).)*?)\}\}",
    re.DOTALL,
)
_SINGLE: Final = re.compile(r"(?<!\{)\{([^{}]+)\}(?!\})")


class Template:
    """One text with holes, taken apart once.

    `literals` has one more member than `slots`; `slots` are the names as written between the braces, in order.
    """

    __slots__ = ("literals", "slots", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        literals, slots, literal, at = [], [], "", 0
        for mark in _MARK.finditer(text):
            literal += text[at : mark.start()]
            at = mark.end()
            if mark["name"] is not None:
                literals.append(literal)
                slots.append(mark["name"])
                literal = ""
            elif mark["odd"] is not None:
                literal += "\\" * (len(mark["odd"]) // 2) + "{{"
            else:
                literal += "\\" * (len(mark["even"]) // 2)
        literals.append(literal + text[at:])
        self.literals: tuple[str, ...] = tuple(literals)
        self.slots: tuple[str, ...] = tuple(slots)

    @property
    def holes(self) -> tuple[str, ...]:
        """The names asked for, in order, each once, without the spaces around them."""
        return tuple(dict.fromkeys(slot.strip() for slot in self.slots))

    @property
    def unclosed(self) -> bool:
        """True where the text has braces that look like a hole and are none."""
        return "{{" in _MARK.sub("", self.text)

    @property
    def single_braced(self) -> tuple[str, ...]:
        """Names in single braces: `{name}` is sent as it stands, though somebody may have meant a hole."""
        return tuple(dict.fromkeys(found.strip() for found in _SINGLE.findall(self.text)))

    def fill(self, cells: Mapping[str, str]) -> str:
        """The text with each hole replaced by its cell; KeyError where no column answers to a hole."""
        found = {slot: resolve(slot, cells) for slot in self.slots}
        filled = [self.literals[0]]
        for slot, literal in zip(self.slots, self.literals[1:], strict=True):
            column = found[slot]
            if column is None:
                raise KeyError(slot.strip())
            filled += (cells[column], literal)
        return "".join(filled)


def holes(text: str) -> tuple[str, ...]:
    """The names of the columns a text asks for, in order, each once."""
    return Template(text).holes


def hole(column: str) -> str:
    """The hole that asks for a column, to be inserted into a prompt; spaces keep a brace of its name inside."""
    before, after = " " * column.startswith("{"), " " * column.endswith("}")
    return "{{" + before + column + after + "}}"


def renamed(text: str, name: str, column: str) -> str:
    """The template with the holes that ask for `name` asking for `column`; everything else as it stands."""

    def changed(mark: re.Match[str]) -> str:
        asked: str | None = mark["name"]
        return hole(column) if asked is not None and asked.strip() == name else mark[0]

    return _MARK.sub(changed, text)


def literal(text: str) -> str:
    """A template that yields exactly `text`, braces and all."""
    return re.sub(r"(\\*)\{\{", lambda mark: mark[1] * 2 + r"\{{", text)


def resolve(slot: str, columns: Iterable[str]) -> str | None:
    """The column that a hole means: exactly so named, else the only one that differs in spaces alone."""
    names = list(columns)
    for name in (slot, slot.strip()):
        if name in names:
            return name
    alike = [name for name in names if _spaced(name) == _spaced(slot)]
    return alike[0] if len(alike) == 1 else None


def nearest(name: str, columns: Iterable[str]) -> str | None:
    """The column most like `name`, for "did you mean"; None where nothing comes close."""
    by_folded: dict[str, str] = {}
    for column in columns:
        by_folded.setdefault(_folded(column), column)
    close = difflib.get_close_matches(_folded(name), by_folded, n=1, cutoff=0.6)
    return by_folded[close[0]] if close else None


def _spaced(name: str) -> str:
    return " ".join(name.split())


def _folded(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKC", name).casefold() if letter.isalnum()) or name
