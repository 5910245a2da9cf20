"""The files that grow row by row: the items with their hash, the manifest, the tally of tokens."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from valar_ui.compose import Composed, Many
from valar_ui.pricing import TOKENS_A_MESSAGE, Usage, text_tokens, tokens_of

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


def manifest_ids(path: Path) -> Iterator[tuple[list[int], list[str]]]:
    """Row numbers and custom_ids of a manifest, batch by batch."""
    with pa.ipc.open_file(pa.memory_map(str(path), "r")) as file:
        for at in range(file.num_record_batches):
            batch = file.get_batch(at)
            yield batch.column("row").to_pylist(), batch.column("custom_id").to_pylist()


def manifest_column(path: Path, name: str) -> pa.ChunkedArray:
    """One column of a manifest."""
    with pa.ipc.open_file(pa.memory_map(str(path), "r")) as file:
        kind = MANIFEST.field(name).type
        batches = [file.get_batch(at).column(name) for at in range(file.num_record_batches)]
        return pa.chunked_array(batches, kind)


@dataclass(slots=True)
class Tally:
    """Estimated tokens of the requests, their models and limits, in order: 8 bytes a request."""

    AT_ONCE: ClassVar = 100_000
    """Requests added up at a time."""

    tokens: array[int] = field(default_factory=lambda: array("I"))
    """Input tokens of each request."""
    kind: array[int] = field(default_factory=lambda: array("I"))
    """Which model and limit it has, by their place in `kinds`."""
    kinds: dict[tuple[str, int | None], int] = field(default_factory=dict)
    """Model and `max_output_tokens`, where there is one."""

    def add(self, composed: Composed) -> bool:
        """Count one request; True where it sets max_output_tokens."""
        params = composed.params
        spoken = params["input"]
        count = len(spoken) if isinstance(spoken, list) else 1
        self.tokens.append(tokens_of(composed.characters, composed.wide, messages=count, images=composed.images))
        limit = params.get("max_output_tokens")
        self.kind.append(self._kind(params["model"], limit))
        return limit is not None

    def extend(self, many: Many) -> int:
        """Count many requests; returns how many set max_output_tokens."""
        count = len(many.rows)
        tokens = text_tokens(many.characters, many.wide) + len(many.params["input"]) * TOKENS_A_MESSAGE
        self.tokens.frombytes(tokens.astype(np.uint32).tobytes())
        limit = many.params.get("max_output_tokens")
        self.kind.extend([self._kind(many.params["model"], limit)] * count)
        return 0 if limit is None else count

    def _kind(self, model: str, limit: int | None) -> int:
        return self.kinds.setdefault((model, limit), len(self.kinds))

    def usage(self, kept: npt.NDArray[np.intp] | None = None) -> dict[str, Usage]:
        """Sums by model over the kept requests (None: all)."""
        tokens, kind = np.frombuffer(self.tokens, np.uint32), np.frombuffer(self.kind, np.uint32)
        if kept is not None:
            tokens, kind = tokens[kept], kind[kept]
        counts, sums = np.zeros(len(self.kinds), np.int64), np.zeros(len(self.kinds))
        for start in range(0, len(kind), self.AT_ONCE):
            here = slice(start, start + self.AT_ONCE)
            counts += np.bincount(kind[here], minlength=len(counts))
            # Exact: a sum of whole numbers stays far below 2**53.
            sums += np.bincount(kind[here], tokens[here], minlength=len(sums))
        found: dict[str, Usage] = {}
        for (model, limit), count, total in zip(self.kinds, counts.tolist(), sums.tolist(), strict=True):
            if count:
                before = found.get(model, Usage(0, 0, 0))
                most = _most(before.output_tokens_max, limit, count)
                found[model] = Usage(before.requests + count, before.input_tokens + int(total), most)
        return found


def _most(so_far: int | None, limit: int | None, count: int) -> int | None:
    """The longest answers together; None as soon as one has no limit. Absurdly high limits stay within 64 bits."""
    return None if so_far is None or limit is None else min(so_far + count * limit, 2**63 - 1)
