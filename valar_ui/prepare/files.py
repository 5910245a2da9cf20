"""The files that grow row by row: the items with their hash, the manifest, the tally of tokens."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from valar_ui.compose import Composed, Many
from valar_ui.pricing import TOKENS_A_MESSAGE, TOKENS_AN_IMAGE, Usage, text_tokens

BLOCK: Final = 1 << 20
"""Bytes gathered before they are hashed and written."""

MANIFEST: Final = pa.schema(
    [("custom_id", pa.string()), ("row", pa.int64()), ("original", pa.string()), ("request", pa.int64())]
)
"""The columns of a manifest."""


class Items:
    """Joins items by commas into a file, in blocks; a helper thread writes and hashes."""

    AHEAD: Final = 4
    """Blocks that may wait for the disk."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._hash = hashlib.sha256()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="items")
        self._waiting: deque[Future[None]] = deque()
        self._block: list[bytes | memoryview] = []
        self._gathered = 0
        self.bytes = 0

    def add(self, item: bytes) -> None:
        """Append one item."""
        self._block.append(item)
        self._gathered += len(item) + 1
        if self._gathered >= BLOCK:
            self._flush()

    def extend(self, items: memoryview) -> None:
        """Append items that are joined by commas already."""
        self._block.append(items)
        self._gathered += len(items) + 1
        if self._gathered >= BLOCK:
            self._flush()

    def _flush(self) -> None:
        block = b",".join(self._block)
        # An empty item before the next ones makes their first comma.
        self._block, self._gathered = [b""], 0
        self.bytes += len(block)
        if len(self._waiting) >= self.AHEAD:
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(self._write, block))

    def _write(self, block: bytes) -> None:
        self._file.write(block)
        self._hash.update(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                if self._gathered:
                    self._flush()
                for waiting in self._waiting:
                    waiting.result()
                self._file.flush()
                os.fsync(self._file.fileno())
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._file.close()

    @property
    def sha256(self) -> str:
        """Of everything written; right once the `with` block is over."""
        return self._hash.hexdigest()


class Manifest:
    """Writes the manifest in batches."""

    ROWS: Final = 10_000

    def __init__(self, path: Path) -> None:
        self._writer = pa.ipc.new_file(str(path), MANIFEST)
        self._rows: list[tuple[str, int, str, int]] = []

    def add(self, row: tuple[str, int, str, int]) -> None:
        """Append one row: custom_id, row, original, request."""
        self._rows.append(row)
        if len(self._rows) >= self.ROWS:
            self._flush()

    def extend(
        self, custom_ids: Sequence[str], rows: Sequence[int], originals: Sequence[str], requests: Sequence[int]
    ) -> None:
        """Append many rows, column by column."""
        self._flush()
        self._write(custom_ids, rows, originals, requests)

    def _flush(self) -> None:
        if self._rows:
            self._write(*zip(*self._rows, strict=True))
            self._rows = []

    def _write(self, *columns: Sequence[object]) -> None:
        arrays = [pa.array(column, kind.type) for column, kind in zip(columns, MANIFEST, strict=True)]
        self._writer.write_batch(pa.record_batch(arrays, schema=MANIFEST))

    def close(self) -> None:
        """Write the rest."""
        self._flush()
        self._writer.close()


@dataclass(slots=True)
class Tally:
    """Tokens and models of the requests, in order: a few bytes a request."""

    characters: array[int] = field(default_factory=lambda: array("I"))
    wide: array[int] = field(default_factory=lambda: array("I"))
    beside: array[int] = field(default_factory=lambda: array("I"))
    """Tokens of frames and images."""
    output: array[int] = field(default_factory=lambda: array("Q"))
    """max_output_tokens; 0 for none."""
    model: array[int] = field(default_factory=lambda: array("I"))
    models: dict[str, int] = field(default_factory=dict)

    def add(self, composed: Composed) -> bool:
        """Count one request; True where it sets max_output_tokens."""
        params = composed.params
        messages = params["input"]
        self.characters.append(composed.characters)
        self.wide.append(composed.wide)
        count = len(messages) if isinstance(messages, list) else 1
        self.beside.append(count * TOKENS_A_MESSAGE + composed.images * TOKENS_AN_IMAGE)
        limit = params.get("max_output_tokens")
        self.output.append(limit or 0)
        self.model.append(self.models.setdefault(params["model"], len(self.models)))
        return limit is not None

    def extend(self, many: Many) -> int:
        """Count many requests; returns how many set max_output_tokens."""
        count = len(many.rows)
        self.characters.frombytes(many.characters.astype(np.uint32).tobytes())
        self.wide.frombytes(many.wide.astype(np.uint32).tobytes())
        self.beside.extend([len(many.params["input"]) * TOKENS_A_MESSAGE] * count)
        limit = many.params.get("max_output_tokens")
        self.output.extend([limit or 0] * count)
        self.model.extend([self.models.setdefault(many.params["model"], len(self.models))] * count)
        return 0 if limit is None else count

    def usage(self, kept: npt.NDArray[np.intp] | None) -> dict[str, Usage]:
        """Sums by model over the kept requests (None: all)."""
        characters, wide, beside, output, model = (
            np.frombuffer(column, np.dtype(column.typecode))
            for column in (self.characters, self.wide, self.beside, self.output, self.model)
        )
        tokens = text_tokens(characters.astype(np.int64), wide.astype(np.int64)) + beside
        if kept is not None:
            model, tokens, output = model[kept], tokens[kept], output[kept]
        found = {}
        for name, number in self.models.items():
            mine = model == number
            if mine.any():
                limits = output[mine]
                # Thousands of absurdly high limits would not fit 64 bits.
                most = None if (limits == 0).any() else min(int(limits.sum(dtype=np.float64)), 2**63 - 1)
                found[name] = Usage(int(mine.sum()), int(tokens[mine].sum()), most)
        return found
