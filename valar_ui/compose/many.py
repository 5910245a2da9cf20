"""Whole slices of a table at once, where nothing but texts of the prompt differs from row to row.

The bytes are those that `Prompts.make` composes one by one; only the way there is shorter: Arrow escapes the cells and
joins them with the rest of the request, which is the same in every row, and no Python object is made of a cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from valar_ui.compose.builders import LONG, Prompts
from valar_ui.table import Slice

_MARK: Final = "\0valar\0"
"""Stands for a turn's text while the frame is serialised; JSON escapes it in a way that no other text is."""

_ID: Final = b'{"custom_id":"'
_PARAMS: Final = b'","params":'
_END: Final = b"},"

_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
"""What JSON asks to be written otherwise; backslashes first. Other control characters are composed one by one."""

MOST_CONSTANT: Final = 1 << 26
"""Bytes of what is the same in every request that a slice may repeat; with more, rows are composed one by one."""

PIECE: Final = 1 << 18
"""Bytes looked at a time, few enough for the processor's cache."""

_BLANK_FIRST: Final = np.isin(np.arange(256), [*range(33), 0xC2, 0xE1, 0xE2, 0xE3])
"""Bytes with which a cell of nothing but white space may begin."""
_BLANK_LAST: Final = np.isin(np.arange(256), [*range(33), *range(0x80, 0x8B), 0x85, 0x9F, 0xA0, 0xA8, 0xA9, 0xAF])
"""Bytes with which it may end."""

Numbers = npt.NDArray[np.int64]


@dataclass(slots=True)
class Many:
    """Consecutive rows that compose to requests without any flaw; their prompts say something, none has an image."""

    start: int
    """Index of the first row in the table, from 0."""
    rows: list[int]
    """Row numbers as the spreadsheet shows them."""
    originals: list[str]
    custom_ids: list[str]
    items: memoryview
    """`{"custom_id":…,"params":…}` of each row, joined by commas; the ids must be legal."""
    ends: Numbers
    """Where each row's item ends in `items`, its comma included."""
    characters: Numbers
    wide: Numbers
    params: dict[str, Any]
    """What is the same in all of them; of `input` only the number of messages counts."""

    @property
    def sizes(self) -> Numbers:
        """Bytes of each item."""
        return np.diff(self.ends, prepend=0) - 1

    def marks(self) -> Iterator[int]:
        """The hash of each row's params, as `hash` gives it for their bytes."""
        lengths = np.fromiter(map(len, self.custom_ids), np.int64, len(self.custom_ids))
        begins = self.ends - self.sizes - 1 + lengths + (len(_ID) + len(_PARAMS))
        runs = map(slice, begins.tolist(), (self.ends - len(_END)).tolist())
        return map(hash, map(self.items.__getitem__, runs))


class Frame:
    """What is the same in every request, with gaps for cells."""

    def __init__(self, prompts: Prompts) -> None:
        fixed = [(turn, last) for turn, last in prompts.turns if not turn.holes]
        messages = [{"role": turn.role, "content": _MARK if turn.holes else turn.first} for turn, _ in prompts.turns]
        self._turns = [turn for turn, _ in prompts.turns if turn.holes]
        self._columns = {at: prompts.columns[at] for turn in self._turns for at, _ in turn.holes}
        self._beside = prompts.beside
        self._schema = prompts.schema
        self._characters = sum(len(turn.first) for turn, _ in fixed)
        self._wide = sum(turn.wide for turn, _ in fixed)
        self.params = prompts.base | {"input": messages}
        pieces = orjson.dumps(self.params).split(_escaped(_MARK).encode())
        says_something = all(turn.first and not turn.first.isspace() for turn, last in fixed if last)
        self.fits = prompts.texts_only and says_something and len(pieces) == len(self._turns) + 1 > 1
        """Whether this recipe's rows can be composed many at a time."""
        self._joined: list[str | int] = [_PARAMS.decode() + pieces[0].decode()]
        """Constant text and the positions of columns, in turn."""
        for turn, piece in zip(self._turns, pieces[1:], strict=False):
            self._constant(_escaped(turn.first))
            for position, literal in turn.holes:
                self._joined.append(position)
                self._constant(_escaped(literal))
            self._constant(piece.decode())
        self._constant(_END.decode())
        self._constant_bytes = sum(len(piece.encode()) for piece in self._joined if isinstance(piece, str))

    def _constant(self, text: str) -> None:
        last = self._joined[-1]
        if isinstance(last, str):
            self._joined[-1] = last + text
        else:
            self._joined.append(text)

    def make(self, part: Slice, originals: list[str], custom_ids: list[str]) -> Many | None:
        """A slice's rows; None where a cell in a hole is blank or asks for more care, or the prompt is very long."""
        if len(part.numbers) * self._constant_bytes > MOST_CONSTANT:
            return None
        cells = {at: part.columns[name] for at, name in self._columns.items()}
        escaped = {at: _escaped_cells(column) for at, column in cells.items()}
        if None in escaped.values() or any(map(_any_blank, cells.values())):
            return None
        joined = pc.binary_join_element_wise(
            _ID.decode(),
            pa.array(custom_ids, pa.string()),
            *(piece if isinstance(piece, str) else escaped[piece] for piece in self._joined),
            "",
        )
        _, offsets, data = joined.buffers()
        ends = np.frombuffer(offsets, np.int32)[1 : len(joined) + 1].astype(np.int64)
        characters, wide = self._lengths(cells, np.diff(ends, prepend=0) - self._around(custom_ids))
        items = memoryview(data.to_pybytes())[: ends[-1] - 1]
        rows = part.numbers.to_pylist()
        return Many(part.start, rows, originals, custom_ids, items, ends, characters, wide, self.params)

    def _around(self, custom_ids: list[str]) -> Numbers:
        """Bytes of each item beside its params, the comma included."""
        lengths = np.fromiter(map(len, custom_ids), np.int64, len(custom_ids))
        return lengths + (len(_ID) + len(_PARAMS) + len(_END))

    def _lengths(self, cells: Mapping[int, pa.Array], bodies: Numbers) -> tuple[Numbers, Numbers]:
        """Characters, and UTF-8 bytes beyond one a character, as the row loop counts them."""
        in_cells = {at: pc.utf8_length(column).to_numpy().astype(np.int64) for at, column in cells.items()}
        beyond = {at: np.diff(_offsets(column)) - in_cells[at] for at, column in cells.items()}
        characters = np.full(len(bodies), self._characters, np.int64)
        wide = np.full(len(bodies), self._wide, np.int64)
        estimated = np.zeros(len(bodies), dtype=bool)
        for turn in self._turns:
            literals = turn.first + "".join(literal for _, literal in turn.holes)
            length = len(literals) + sum(in_cells[at] for at, _ in turn.holes)
            more = len(literals.encode()) - len(literals) + sum(beyond[at] for at, _ in turn.holes)
            characters += length
            wide += np.where(length < LONG, more, 0)
            estimated |= (length >= LONG) & (more > 0)
        wide = np.where(estimated, np.maximum(bodies - self._beside - characters, wide), wide)
        return characters + self._schema[0], wide + self._schema[1]


def _escaped(text: str) -> str:
    """A text as it stands in JSON, without its quotes."""
    return orjson.dumps(text).decode()[1:-1]


def _offsets(column: pa.Array) -> npt.NDArray[np.int32]:
    """Where each cell begins in the column's data, and where the last ends."""
    return np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]


def _bytes(column: pa.Array) -> npt.NDArray[np.uint8]:
    """The column's data."""
    data = column.buffers()[2]
    return np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)


def _escaped_cells(column: pa.Array) -> pa.Array | None:
    """The cells as they stand in JSON; None where one holds a rare control character."""
    offsets, data = _offsets(column), _bytes(column)
    data = data[offsets[0] : offsets[-1]]
    present: set[str] = set()
    for start in range(0, len(data), PIECE):
        piece = data[start : start + PIECE]
        present.update(map(chr, np.unique(piece[piece < ord(" ")]).tolist()))
        present.update(mark for mark in '"\\' if (piece == ord(mark)).any())
    if not present <= _ESCAPES.keys():
        return None
    for mark, written in _ESCAPES.items():
        if mark in present:
            column = pc.replace_substring(column, mark, written)
    return column


def _any_blank(column: pa.Array) -> bool:
    """Whether a cell is empty or nothing but white space."""
    offsets = _offsets(column)
    if (np.diff(offsets) == 0).any():
        return True
    data = _bytes(column)
    suspects = _BLANK_FIRST[data[offsets[:-1]]] & _BLANK_LAST[data[offsets[1:] - 1]]
    return any(column[at].as_py().isspace() for at in np.flatnonzero(suspects).tolist())
