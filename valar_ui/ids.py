"""custom_ids: a legal unique original stays, any other is made legal, unique and stable.

A made id is a slug of the original and 8 base32 characters of its SHA-256 (`SKU 0012/ä` → `sku-0012-a-vi362pri`);
for repeated and empty originals the row number is hashed in. Ids do not depend on the order of rows.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, Self

import numpy as np
import pyarrow as pa

from valar_ui.limits import CUSTOM_ID, MAX_CUSTOM_ID
from valar_ui.recipe import EditCell, IdRule, LeaveOut, MakeLegalIds, Recipe, Step
from valar_ui.table import Chunk, Table

DIGEST: Final = 8
"""Base32 characters of the hash in a made id."""

_BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"
# Ten bits at a time: the standard library's b32encode takes five microseconds.
_PAIRS: Final = [first + second for first in _BASE32 for second in _BASE32]

_Texts = Iterator[tuple[list[int], list[str]]]
"""Row numbers and texts, chunk by chunk."""

_OTHER: Final = re.compile(r"[^a-z0-9_]+")


class Edits:
    """The cells a person changed on Check, laid over the table; the file stays as it is."""

    def __init__(self, steps: Sequence[Step] = ()) -> None:
        self.rows: dict[int, dict[str, str]] = {}
        """Spreadsheet row → column → the new text; the last edit of a cell counts."""
        for step in steps:
            if isinstance(step, EditCell):
                self.rows.setdefault(step.row, {})[step.column] = step.text

    def touch(self, numbers: pa.Array) -> bool:
        """Whether one of these ascending row numbers, of which there is one at least, may have an edited cell."""
        if not self.rows:
            return False
        first, last = numbers[0].as_py(), numbers[-1].as_py()
        return any(first <= row <= last for row in self.rows)

    def apply(self, chunk: Chunk) -> None:
        """Put the new texts into a chunk's columns."""
        if not self.rows or not chunk.numbers:
            return
        first, last = chunk.numbers[0], chunk.numbers[-1]
        for row, cells in self.rows.items():
            if first <= row <= last and row in chunk.numbers:
                at = chunk.numbers.index(row)
                for column, text in cells.items():
                    if column in chunk.columns:
                        chunk.columns[column][at] = text


def is_legal(custom_id: str) -> bool:
    """Whether Valar takes it as it stands."""
    return len(custom_id) <= MAX_CUSTOM_ID and CUSTOM_ID.fullmatch(custom_id) is not None


def all_legal(custom_ids: Sequence[str]) -> bool:
    """Whether Valar takes each as it stands."""
    return max(map(len, custom_ids), default=0) <= MAX_CUSTOM_ID and all(map(CUSTOM_ID.fullmatch, custom_ids))


def slug(original: str, longest: int) -> str:
    """The letters, digits, - and _ of a text, lowercase, starting with a letter or digit; may be empty."""
    if not original.isascii():
        original = unicodedata.normalize("NFKD", original).encode("ascii", "ignore").decode()
    return _OTHER.sub("-", original.lower()).strip("-_")[:longest].rstrip("-_")


def made(original: str, number: int | None = None, *, again: int = 0) -> str:
    """A legal id for an original; `number` (the spreadsheet row) where the original is empty or repeated.

    `again` counts up where the id made before met another one.
    """
    hashed = original if number is None else f"{original}\0{number}"
    hashed += f"\0{again}" if again else ""
    bits = int.from_bytes(hashlib.sha256(hashed.encode()).digest()[:5], "big")
    tail = _PAIRS[bits >> 30] + _PAIRS[bits >> 20 & 1023] + _PAIRS[bits >> 10 & 1023] + _PAIRS[bits & 1023]
    head = slug(original, MAX_CUSTOM_ID - DIGEST - 1) if original else f"row-{number}"
    return f"{head}-{tail}" if head else tail


class Ids:
    """Every row's custom_id under one rule; `scan` reads the id column once, rows are asked one by one."""

    __slots__ = ("_crowded", "column", "first_only", "legal", "repeated")

    def __init__(
        self,
        column: str | None,
        *,
        legal: bool = True,
        repeated: frozenset[str] = frozenset(),
        first_only: bool = False,
        crowded: tuple[frozenset[str], ...] = (),
    ) -> None:
        self.column = column
        """The column the originals come from; None: `row-<number>`."""
        self.legal = legal
        """False sends originals as they stand."""
        self.repeated = repeated
        """Originals that occur more than once."""
        self.first_only = first_only
        """Only one row of each original is sent, so that it needs no id made of its number."""
        # Made ids that met another id, one set for each time it was tried.
        self._crowded = crowded

    def of(self, number: int, original: str) -> str:
        """The custom_id of a row."""
        if self.column is None:
            return f"row-{number}"
        shared = original in self.repeated and not self.first_only
        if not self.legal or (original and not shared and is_legal(original)):
            return original
        row = number if not original or shared else None
        custom_id = made(original, row)
        for again, crowded in enumerate(self._crowded, start=1):
            if custom_id not in crowded:
                break
            custom_id = made(original, row, again=again)
        return custom_id

    def of_many(self, numbers: list[int], originals: list[str]) -> list[str]:
        """The custom_ids of many rows, in order."""
        if self.column is not None and not self.repeated and (not self.legal or all_legal(originals)):
            return originals
        return list(map(self.of, numbers, originals))

    @classmethod
    def scan(cls, table: Table, recipe: Recipe, steps: Sequence[Step] = ()) -> Self:
        """Find what repeats in the id column; a column the table lacks counts as none."""
        rule = id_rule(recipe, steps)
        if rule.column is None or rule.column not in table.columns:
            return cls(None)
        edits = Edits(steps)
        repeated = repeats(partial(_originals, table, rule.column, edits))
        first_only = any(isinstance(step, LeaveOut) and step.keep_first for step in steps)
        return cls(rule.column, legal=rule.legal, repeated=repeated, first_only=first_only)

    def apart_from(self, crowded: frozenset[str]) -> Ids:
        """The same, but made ids among `crowded` are made once more."""
        crowds = (*self._crowded, crowded)
        return Ids(self.column, legal=self.legal, repeated=self.repeated, first_only=self.first_only, crowded=crowds)


def id_rule(recipe: Recipe, steps: Sequence[Step] = ()) -> IdRule:
    """Where ids come from, and whether they are made legal, once the steps are taken."""
    mended = any(isinstance(step, MakeLegalIds) for step in steps)
    if recipe.kind == "ready":
        return IdRule(column="custom_id", legal=mended)
    return IdRule(column=recipe.custom_id.column, legal=recipe.custom_id.legal or mended)


def _originals(table: Table, column: str, edits: Edits) -> _Texts:
    for chunk in table.chunks([column]):
        edits.apply(chunk)
        yield chunk.numbers, chunk.columns[column]


def repeats(stream: Callable[[], _Texts], marks: array[int] | None = None) -> frozenset[str]:
    """The texts that occur more than once: 8 bytes a row while counting, exact in the end.

    `marks` are the texts' hashes where they are known already.
    """
    if marks is None:
        marks = array("q")
        for _, texts in stream():
            marks.extend(map(hash, texts))
    ordered = np.sort(np.frombuffer(marks, dtype=np.int64)) if marks else np.empty(0, np.int64)
    suspects = set(np.unique(ordered[1:][ordered[1:] == ordered[:-1]]).tolist())
    if not suspects:
        return frozenset()
    counts: Counter[str] = Counter()
    for _, texts in stream():
        counts.update(text for text in texts if hash(text) in suspects)
    return frozenset(text for text, count in counts.items() if count > 1)
