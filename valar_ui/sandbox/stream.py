"""JSON read from a file through a sliding window: large bodies are judged item by item, never held whole."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Iterator
from typing import IO, Any, Final, NoReturn

from valar_ui.sandbox.errors import Refusal

CHUNK: Final = 1 << 20
"""Bytes read at once; a value longer than the window doubles it."""

NEARLY: Final = 16
"""A syntax fault this close to the window's end may only mean that the rest has not been read."""

_SPACE = re.compile(r"[ \t\n\r]*")


class _Repeated(ValueError):
    """An object that names a key twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Repeated(name)
            seen.add(name)
    return made


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite)


class JsonStream:
    """A cursor over the UTF-8 JSON text in a binary file; every fault is a `Refusal`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._before = 0
        self._ended = False

    @property
    def position(self) -> int:
        """Characters read so far, for messages."""
        return self._before + self._at

    def peek(self) -> str:
        """The next character that is not space, "" at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, expected: str) -> None:
        """Step over one character of punctuation."""
        if self.peek() != expected:
            self._refuse(f"expected {expected!r}")
        self._at += 1

    def value(self) -> Any:
        """The next whole value; objects that repeat a key are refused."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as fault:
                unfinished = fault.msg.startswith("Unterminated string") or fault.pos >= len(self._text) - NEARLY
                if unfinished and self._more():
                    continue
                self._at = min(fault.pos, len(self._text))
                self._refuse(fault.msg)
            except _Repeated as fault:
                name = str(fault)[:100]
                raise Refusal(None, f"The body names the key {name!r} twice in one object.") from None
            except RecursionError:
                self._refuse("nested too deeply")
            except ValueError as fault:
                self._refuse(str(fault)[:200])
            # A number at the window's end may go on behind it: "1" of "1.5", and "1" of "1e" and "1e+" too.
            if end + 2 >= len(self._text) and isinstance(value, int | float) and self._more():
                continue
            self._at = end
            return value

    def members(self) -> Iterator[str]:
        """The keys of an object; after each, the caller reads its value before going on."""
        seen: set[str] = set()
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            if self.peek() != '"':
                self._refuse("expected a key in double quotes")
            key: str = self.value()
            if key in seen:
                raise Refusal(key[:100], f"The body names the key {key[:100]!r} twice.")
            seen.add(key)
            self.take(":")
            yield key
            if self.peek() == "}":
                self.take("}")
                return
            self.take(",")

    def items(self) -> Iterator[Any]:
        """The values of an array, one by one."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            yield self.value()
            if self.peek() == "]":
                self.take("]")
                return
            self.take(",")

    def end(self) -> None:
        """Nothing but space may follow."""
        if self.peek():
            self._refuse("something follows the end of the body")

    def _more(self) -> bool:
        """Read on, keeping what is not yet consumed; False at the end of the file."""
        if self._ended:
            return False
        kept = self._text[self._at :]
        self._before += self._at
        chunk = self._file.read(max(CHUNK, len(kept)))
        self._ended = not chunk
        try:
            self._text, self._at = kept + self._decode.decode(chunk, final=self._ended), 0
        except UnicodeDecodeError:
            self._refuse("the text is not UTF-8")
        return True

    def _refuse(self, why: str) -> NoReturn:
        raise Refusal(None, f"The body is not valid JSON: {why} (near character {self.position}).") from None
