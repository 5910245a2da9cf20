"""JSON as it is written: numbers keep their digits, duplicate keys and NaN are noticed, text comes back compact."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

import orjson


class Number(str):
    """A JSON number, as written."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class JsonFlaw:
    """What is wrong with one JSON text; `fatal`: there is no value."""

    code: str
    text: str
    fatal: bool = True


SPACE: Final = " \t\r\n\ufeff\x1e"
"""What may stand between values: white space, a byte order mark, the mark of a JSON text sequence (RFC 7464)."""

SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")

PLAIN: Final = {
    "Unterminated string starting at": "a text is not closed: its quote is missing (unterminated string)",
    "Expecting value": "a value is missing or misspelled",
    "Expecting ',' delimiter": "a comma is missing",
    "Expecting ':' delimiter": "a colon is missing after a key",
    "Expecting property name enclosed in double quotes": "a key is not in double quotes",
    "Extra data": "there is something extra after its end",
    "Invalid control character at": "a text holds a raw line break or control character",
    "Invalid \\escape": "a backslash stands before a letter that it cannot escape",
    "Illegal trailing comma before end of object": "there is a comma too many",
    "Illegal trailing comma before end of array": "there is a comma too many",
}


class JsonParser:
    """Reads one JSON text at a time and tells what it noticed."""

    def __init__(self) -> None:
        self._duplicate: str | None = None
        self._constant: str | None = None
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_float=Number, parse_int=Number, parse_constant=self._not_a_number
        )

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    self._duplicate = key
                seen.add(key)
        return found

    def _not_a_number(self, name: str) -> Number:
        self._constant = name
        return Number(name)

    def parse(self, text: str) -> tuple[Any, JsonFlaw | None]:
        """The value and what is wrong with it; the value is None where the flaw is fatal."""
        self._duplicate = self._constant = None
        try:
            value, end = self._decoder.raw_decode(text, len(text) - len(text.lstrip(SPACE)))
        except (json.JSONDecodeError, RecursionError) as fault:
            return None, explain(fault)
        rest = text[end:].strip(SPACE)
        if rest:
            if rest[0] in "{[":
                return None, JsonFlaw(
                    "several-objects", "This line holds several JSON values: extra data after the first."
                )
            return None, JsonFlaw(
                "invalid-json", f"This line is not valid JSON: something extra stands after its end: {rest[:40]}"
            )
        return self.noticed(value, text)

    def scan(self, text: str, at: int) -> tuple[Any, int]:
        """The value that begins at `at` and where it ends; raises what the standard library raises."""
        return self._decoder.raw_decode(text, at)

    def noticed(self, value: Any, text: str) -> tuple[Any, JsonFlaw | None]:
        """The last value, fit to be written, and what it had that JSON does not allow; forgets it."""
        duplicate, constant, self._duplicate, self._constant = self._duplicate, self._constant, None, None
        halved = "\\u" in text and SURROGATE.search(text) is not None and not _encodable(value)
        if halved:
            value = _whole_characters(value)
        if duplicate is not None:
            key = _whole_characters(duplicate[:60])
            return value, JsonFlaw(
                "duplicate-key", f"The key {key!r} stands there twice; only its last value counts.", fatal=False
            )
        if constant is not None:
            return value, JsonFlaw("not-a-number", f"{constant} is not a JSON number; the API refuses it.", fatal=False)
        if halved:
            return value, JsonFlaw(
                "lone-surrogate", "A text holds half a character (a lone surrogate) that cannot be sent.", fatal=False
            )
        return value, None


def plain_object(line: bytes) -> dict[str, Any] | None:
    """An object of nothing but texts, integers, true, false and null; None where a closer look is needed.

    orjson says nothing of duplicate keys: as many quotes as the keys and texts need show that there are none.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if type(value) is not dict:
        return None
    texts, numbers = 0, []
    for key, item in value.items():
        kind = type(item)
        if kind is str:
            texts += 1
        elif kind is int:
            numbers.append(key)
        elif item is not None and kind is not bool:
            return None
    quotes = line.count(b'"')
    if b"\\" in line:
        if b"\\\\" in line:
            return None
        quotes -= line.count(b'\\"')
    if quotes != 2 * (len(value) + texts) or (numbers and b"-0" in line):
        return None
    for key in numbers:
        value[key] = Number(value[key])
    return value


def _whole_characters(value: Any) -> Any:
    """The same value with U+FFFD for each half of a surrogate pair."""
    if isinstance(value, Number):
        return value
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole_characters(item) for item in value]
    if isinstance(value, dict):
        return {_whole_characters(key): _whole_characters(item) for key, item in value.items()}
    return value


def explain(fault: json.JSONDecodeError | RecursionError, *, place: bool = True) -> JsonFlaw:
    """A parser's error in words, with its place in the parsed text unless that says nothing."""
    if isinstance(fault, RecursionError):
        return JsonFlaw("too-deep", "This JSON is nested too deep to be read.")
    plain = next((text for start, text in PLAIN.items() if fault.msg.startswith(start)), fault.msg)
    if fault.msg.startswith("Expecting"):
        mark = fault.doc[fault.pos : fault.pos + 1]
        before = fault.doc[max(fault.pos - 40, 0) : fault.pos].rstrip()[-1:]
        if mark and mark in "]}" and before == ",":
            plain = "there is a comma too many"
        elif mark and mark in "/#":
            plain = "a comment stands there, which JSON does not have"
        elif mark and mark in "'’“”":
            plain = f"a text stands in {mark} and not in straight double quotes"
    where = f" (character {fault.pos + 1:,})" if place else ""
    return JsonFlaw("invalid-json", f"This is not valid JSON: {plain}{where}.")


def _encodable(value: Any) -> bool:
    try:
        compact(value)
    except (ValueError, RecursionError):
        return False
    return True


def _as_written(value: Any) -> Any:
    if isinstance(value, Number):
        return orjson.Fragment(str(value))
    raise TypeError


def compact(value: Any) -> str:
    """The smallest JSON text of a value, numbers as written; ValueError for half a surrogate pair."""
    try:
        return orjson.dumps(value, default=_as_written, option=orjson.OPT_PASSTHROUGH_SUBCLASS).decode()
    except orjson.JSONEncodeError as fault:
        if "recursion" in str(fault).lower():
            return _by_hand(value)
        raise ValueError(str(fault)) from None


def _by_hand(value: Any) -> str:
    """As `compact`, for values nested deeper than orjson writes."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{_by_hand(item)}" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(map(_by_hand, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def cell(value: Any) -> str:
    """A value as a cell's text: null is empty, nested values are compact JSON."""
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    try:
        return compact(value)
    except (ValueError, RecursionError):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
