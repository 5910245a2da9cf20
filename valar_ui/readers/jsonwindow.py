"""A window on JSON text that grows when a value does not fit and forgets what is behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, TextIO

from valar_ui.readers.jsontext import SPACE, JsonFlaw, JsonParser, explain
from valar_ui.readers.reading import UnreadableFile

STEP: Final = 1 << 20
"""Characters read at once."""

MAX_VALUE: Final = 64_000_000
"""Characters of one value that is not a list of records."""

CUT: Final = 20
"""Characters before the end of the window where a flaw may come of the cut; no word of JSON is longer."""

PLAIN: Final = json.JSONDecoder(parse_int=str, parse_float=str)
"""Takes values whose worth nobody asks for: Python refuses to make a number of more than 4,300 digits."""


class Broken(UnreadableFile):
    """The text stops being JSON near `line`, for a `reason` in words."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(
            f"This JSON file is broken near line {line:,}: {reason}",
            "Mend it there, or save the records one a line (JSONL), so that one bad record spoils only itself.",
            code="invalid-json",
        )
        self.reason = reason
        self.line = line


class Window:
    """Values one after the other out of a stream; `text[at:]` is what was read and not yet taken."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._parser = JsonParser()
        self.text = ""
        self.at = 0
        self._ended = False
        self._line = 1
        self._counted = 0
        """Characters of the window whose line ends are part of `_line`."""

    def more(self) -> bool:
        """Read on; False at the end."""
        if self._ended:
            return False
        piece = self._stream.read(max(STEP, len(self.text) - self.at))
        self._line, self._counted = self.line, 0
        self.text = self.text[self.at :] + piece
        self.at = 0
        self._ended = not piece
        if len(self.text) > MAX_VALUE:
            raise UnreadableFile(
                f"One value of this JSON file is longer than {MAX_VALUE:,} characters.",
                "Write one record a line (JSONL).",
                code="cell-too-large",
            )
        return bool(piece)

    def peek(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            text = self.text
            while self.at < len(text) and text[self.at] in SPACE:
                self.at += 1
            if self.at < len(text):
                return text[self.at]
            if not self.more():
                return ""

    def peek_inside(self) -> str:
        """The first character inside the list that begins here, which stays unread."""
        place = self.at
        self.at += 1
        while True:
            mark = self.text[self.at : self.at + 1]
            if mark and mark in SPACE:
                self.at += 1
            elif mark:
                self.at = place
                return mark
            else:
                self.at = place
                if not self.more():
                    return ""
                place = 0
                self.at = 1

    @property
    def line(self) -> int:
        """The line in a text editor where the next value begins."""
        self._line += self.text.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line

    def value(self) -> tuple[Any, JsonFlaw | None]:
        """The next whole value; `Broken` where there is none."""
        value, end = self._next(self._parser.scan)
        found = self._parser.noticed(value, self.text[self.at : end])
        self.at = end
        return found

    def skip(self) -> None:
        """Pass over the next whole value."""
        self.at = self._next(PLAIN.raw_decode)[1]

    def to_line_with(self, mark: str) -> bool:
        """Go on to the next line that begins with `mark`; False at the end where there is none."""
        while True:
            place = self.text.find("\n" + mark, self.at)
            if place >= 0:
                self.at = place + 1
                return True
            self.at = max(self.at, len(self.text) - len(mark))
            if not self.more():
                self.at = len(self.text)
                return False

    def _next(self, scan: Callable[[str, int], tuple[Any, int]]) -> tuple[Any, int]:
        """The next whole value and where it ends."""
        self.peek()
        while True:
            try:
                value, end = scan(self.text, self.at)
            except json.JSONDecodeError as fault:
                self._parser.noticed(None, "")
                within = fault.pos - self.at
                cut = fault.pos >= len(self.text) - CUT or fault.msg.startswith("Unterminated string")
                if not cut or not self.more():
                    raise self._broken(explain(fault, place=False).text, self.at + within) from None
                continue
            except RecursionError as fault:
                raise self._broken(explain(fault).text, self.at) from None
            if end == len(self.text) and self.more():
                continue
            return value, end

    def _broken(self, reason: str, place: int) -> Broken:
        return Broken(reason, self.line + self.text.count("\n", self.at, place))

    def expected(self, what: str) -> Broken:
        """The refusal where something else should stand."""
        return self._broken(f"This is not valid JSON: {what}.", self.at)
