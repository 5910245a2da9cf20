"""The pass itself: compose, check, leave out, write; then collapse and drop what only the whole could tell."""

from __future__ import annotations

import os
import secrets
import shutil
from array import array
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from valar_ui.checks import Inspection, Scope, Sent, identical, several_parts, unread_rows
from valar_ui.compose import Many, compose_many
from valar_ui.ids import Ids, repeats
from valar_ui.jobs import Progress
from valar_ui.prepare.files import MANIFEST, Items, Manifest, Tally, manifest_column, manifest_ids
from valar_ui.prepare.prepared import Prepared, fingerprint
from valar_ui.pricing import BUILT_IN, Prices, Usage
from valar_ui.problems import Problem, Report, Severity
from valar_ui.readers.reading import Reading
from valar_ui.recipe import Collapse, LeaveOut, LeaveOutRow, Recipe, Step
from valar_ui.spool import sync_folder

EVERY: Final = 500
"""Rows between two calls of `progress`."""


def prepare(
    reading: Reading,
    recipe: Recipe,
    *,
    steps: Sequence[Step] = (),
    folder: Path,
    progress: Progress | None = None,
    prices: Prices = BUILT_IN,
) -> Prepared:
    """Compose and check every row and write `folder`; one that is already there is read back instead.

    `progress` is called every few hundred rows and may raise `jobs.Cancelled`: then nothing is left behind.
    """
    if (folder / "prepared.json").exists():
        return Prepared.load(folder)
    partial = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}.partial")
    partial.mkdir(parents=True, mode=0o700)
    try:
        ids = Ids.scan(reading.table, recipe, steps)
        while crowded := _Pass(reading, recipe, tuple(steps), partial, progress or _silent, prices, ids).run():
            ids = ids.apart_from(crowded)
        sync_folder(partial)
        if folder.exists():
            shutil.rmtree(folder)
        partial.rename(folder)
        sync_folder(folder.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return Prepared.load(folder)


def _silent(fraction: float) -> None:
    """Nobody looks."""


class _Pass:
    """One run of `prepare`."""

    def __init__(
        self,
        reading: Reading,
        recipe: Recipe,
        steps: tuple[Step, ...],
        folder: Path,
        progress: Progress,
        prices: Prices,
        ids: Ids,
    ) -> None:
        self._reading, self._recipe, self._steps, self._folder = reading, recipe, steps, folder
        self._progress, self._prices, self._ids = progress, prices, ids
        self._table = reading.table
        self._leave = [step for step in steps if isinstance(step, LeaveOut)]
        self._keeps = {(step.code, step.column) for step in self._leave if step.keep_first}
        self._kept: set[str] = set()
        """Ids of which a row goes that others are left out for."""
        self._leave_rows = {step.row for step in steps if isinstance(step, LeaveOutRow)}
        self._sent, self._tally = Sent(), Tally()
        self._left_out = self._blocked = 0
        self._repeated: list[int] = []
        self._instead: dict[str, list[int]] = {}
        """Model that rows ask for and another is asked instead of → those requests."""
        self._unread_rows = 0
        self._crowded: frozenset[str] = frozenset()
        self._original = ""
        """The id, as typed, of the row whose problems are told."""

    def run(self) -> frozenset[str]:
        """Write every file of the folder; returns made ids that met another id, for which all is to be done again."""
        with (self._folder / "problems.jsonl").open("wb") as file:
            report = Report(sink=self._sink(file.write, left_out=False))
            gone = Report(sink=self._sink(file.write, left_out=True))
            items_bytes, sha256, merged, usage = self._rows(report, gone)
            sizes = np.fromfile(self._folder / "sizes.bin", np.uint32)
            report.extend(several_parts(sizes))
            file.flush()
            os.fsync(file.fileno())
        if crowded := self._crowded:
            return crowded
        rows = self._going_rows
        value = {
            "fingerprint": fingerprint(self._reading, self._recipe, self._steps),
            "rows": len(self._table) + self._unread_rows,
            "requests": len(sizes),
            "left_out": self._left_out,
            "blocked": self._blocked,
            "collapsed": merged,
            "report": report.as_json(),
            "left_out_report": gone.as_json(),
            "items_bytes": items_bytes,
            "content_sha256": sha256,
            "usage": usage,
            "repeated_usage": self._tally.usage(np.array(self._repeated, np.intp)),
            "longest": self._table.index_of(int(rows[int(sizes.argmax())])) if len(sizes) else None,
            "shortest": self._table.index_of(int(rows[int(sizes.argmin())])) if len(sizes) else None,
            "first_problem": self._first_problem(report),
            "id_column": self._ids.column,
            "instead": {model: len(found) for model, found in self._instead.items() if found},
        }
        with (self._folder / "prepared.json").open("wb") as file:
            file.write(orjson.dumps(value))
            file.flush()
            os.fsync(file.fileno())
        self._progress(1.0)
        return frozenset()

    def _rows(self, report: Report, gone: Report) -> tuple[int, str, int, dict[str, Usage]]:
        ids = self._ids
        inspection = Inspection(
            Scope(
                self._recipe,
                self._table.columns,
                self._table,
                self._steps,
                self._reading.report,
                ids,
                self._prices,
            )
        )
        report.extend(inspection.start())
        sent, tally, total = self._sent, self._tally, max(len(self._table), 1)
        items_path, manifest_path = self._folder / "items.bin", self._folder / "manifest.arrow"
        manifest = Manifest(manifest_path)
        with Items(items_path) as items:
            for composed in compose_many(
                self._table, self._recipe, steps=self._steps, ids=ids, clear=partial(self._clear, inspection)
            ):
                if isinstance(composed, Many):
                    self._progress(0.95 * composed.start / total)
                    self._many(composed, items, manifest)
                    inspection.many_go(composed)
                    continue
                if composed.index % EVERY == 0:
                    self._progress(0.95 * composed.index / total)
                problems = inspection.row(composed)
                self._original = composed.original
                if self._leave_rows or problems:
                    if composed.row in self._leave_rows or any(map(self._leaves, problems)):
                        self._left_out += 1
                        gone.extend(problems)
                        continue
                    blocked = any(problem.severity is Severity.ERROR for problem in problems)
                    if self._keeps and not blocked:
                        self._kept.add(self._original)
                        problems = [it for it in problems if (it.code, it.column) not in self._keeps]
                    report.extend(problems)
                    if blocked:
                        self._blocked += 1
                        continue
                item = composed.item
                items.add(item)
                manifest.add((composed.custom_id, composed.row, composed.original, len(sent.rows)))
                sent.rows.append(composed.row)
                sent.sizes.append(len(item))
                sent.marks.append(hash(composed.body))
                sent.ids.append(hash(composed.custom_id))
                if not tally.add(composed):
                    sent.no_limit([composed.row])
                if composed.instead_of:
                    self._instead.setdefault(composed.instead_of, []).append(len(sent.rows) - 1)
                inspection.goes(composed)
        manifest.close()
        self._progress(0.95)
        self._crowded = repeats(partial(manifest_ids, manifest_path), sent.ids)
        sent.ids = array("q")
        rows = np.frombuffer(sent.rows, np.uint64)
        dropped: set[int] = set()
        originals: pa.ChunkedArray | None = None
        collapses = any(isinstance(step, Collapse) for step in self._steps)
        waiting: list[tuple[int, str, Problem]] = []
        for problem in inspection.end(sent):
            at = None if problem.row is None else int(np.searchsorted(rows, np.uint64(problem.row)))
            if at is not None and originals is None:
                originals = manifest_column(manifest_path, "original")
            self._original = "" if at is None or originals is None else originals[at].as_py()
            if at is not None and self._leaves(problem):
                gone.add(problem)
                dropped.add(at)
            elif at is not None and collapses:
                # What is wrong with what a row sends is no matter where another row's request is sent.
                waiting.append((at, self._original, problem))
            else:
                report.add(problem)
            if at is not None and problem.code == "identical-request":
                self._repeated.append(at)
        self._repeated = [at for at in self._repeated if at not in dropped]
        self._instead = {name: [at for at in found if at not in dropped] for name, found in self._instead.items()}
        self._left_out += len(dropped)
        first = self._merge(items_path, dropped) if collapses else None
        for at, self._original, problem in waiting:
            if first is None or at not in first:
                report.add(problem)
        self._unread(report, gone)
        if not dropped and first is None:
            (self._folder / "sizes.bin").write_bytes(sent.sizes.tobytes())
            self._going_rows = rows
            return items.bytes, items.sha256, 0, tally.usage(None)
        return self._rewrite(items_path, manifest_path, dropped, first)

    def _unread(self, report: Report, gone: Report) -> None:
        """Records that are no row of the table count as rows with errors, until they are left out."""
        self._original = ""
        for row, problems in unread_rows(self._reading):
            self._unread_rows += 1
            if row in self._leave_rows or any(map(self._leaves, problems)):
                self._left_out += 1
                gone.extend(problems)
            else:
                self._blocked += 1
                report.extend(problems)

    def _sink(self, write: Callable[[bytes], Any], *, left_out: bool) -> Callable[[Problem], None]:
        """Writes a problem as one line, with what tells its record from others: the id as typed, if one has it."""

        def sink(problem: Problem) -> None:
            line = problem.as_json() | {"left_out": left_out}
            if problem.row is not None and self._original:
                line |= {"id": self._original, "shared": self._original in self._ids.repeated}
            write(orjson.dumps(line) + b"\n")

        return sink

    def _clear(self, inspection: Inspection, many: Many) -> bool:
        return self._leave_rows.isdisjoint(many.rows) and inspection.clear(many)

    def _many(self, many: Many, items: Items, manifest: Manifest) -> None:
        """Rows that nothing stands against go as they are."""
        sent = self._sent
        items.extend(many.items)
        begun = len(sent.rows)
        manifest.extend(many.custom_ids, many.rows, many.originals, range(begun, begun + len(many.rows)))
        sent.rows.extend(many.rows)
        sent.sizes.frombytes(many.sizes.astype(np.uint32).tobytes())
        sent.marks.extend(many.marks())
        sent.ids.extend(map(hash, many.custom_ids))
        if not self._tally.extend(many):
            sent.no_limit(many.rows)

    def _leaves(self, problem: Problem) -> bool:
        """Whether a step leaves out the row whose problem is told."""
        return any(
            (
                step.code == problem.code
                and step.column in (None, problem.column)
                and (not step.keep_first or self._original in self._kept)
            )
            or (step.code == "*" and problem.severity is Severity.ERROR)
            for step in self._leave
        )

    def _merge(self, items_path: Path, dropped: set[int]) -> dict[int, int] | None:
        """Request → the earlier identical one it shares, compared byte for byte; None where none is identical."""
        starts = self._starts()
        first: dict[int, int] = {}
        with items_path.open("rb") as items:

            def body(at: int) -> bytes:
                items.seek(int(starts[at]))
                return items.read(self._sent.sizes[at]).partition(b',"params":')[2]

            for head, others in identical(self._sent.marks):
                known: dict[bytes, int] = {}
                for at in (head, *others):
                    if at not in dropped:
                        earlier = known.setdefault(body(at), at)
                        if earlier != at:
                            first[at] = earlier
        return first or None

    def _starts(self) -> npt.NDArray[np.int64]:
        sizes = np.frombuffer(self._sent.sizes, np.uint32).astype(np.int64) + 1
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)[:-1]]) if len(sizes) else sizes

    def _rewrite(
        self, items_path: Path, manifest_path: Path, dropped: set[int], first: dict[int, int] | None
    ) -> tuple[int, str, int, dict[str, Usage]]:
        """Write the items again without what is dropped or shared."""
        first = first or {}
        sizes, starts = np.frombuffer(self._sent.sizes, np.uint32), self._starts()
        kept = np.array([at for at in range(len(sizes)) if at not in dropped and at not in first], np.intp)
        whole, renumbered = items_path.with_name("items.all"), np.full(len(sizes), -1, np.int64)
        renumbered[kept] = np.arange(len(kept))
        items_path.rename(whole)
        with whole.open("rb") as source, Items(items_path) as items:
            for at in kept.tolist():
                source.seek(int(starts[at]))
                items.add(source.read(int(sizes[at])))
        whole.unlink()
        (self._folder / "sizes.bin").write_bytes(sizes[kept].tobytes())
        self._going_rows = np.frombuffer(self._sent.rows, np.uint64)[kept]
        before = manifest_path.with_name("manifest.all")
        manifest_path.rename(before)
        manifest = Manifest(manifest_path)
        with pa.ipc.open_file(pa.memory_map(str(before), "r")) as file:
            ids = manifest_column(before, "custom_id")
            for at in range(file.num_record_batches):
                batch = file.get_batch(at)
                for custom_id, row, original, request in zip(
                    *(batch.column(name).to_pylist() for name in MANIFEST.names), strict=True
                ):
                    if request in dropped:
                        continue
                    target = first.get(request, request)
                    name = custom_id if target == request else ids[target].as_py()
                    manifest.add((name, row, original, int(renumbered[target])))
        manifest.close()
        before.unlink()
        return items.bytes, items.sha256, len(first), self._tally.usage(kept)

    def _first_problem(self, report: Report) -> int | None:
        rows = [min(group.rows) for group in report.groups if group.rows and group.severity is not Severity.NOTE]
        found = (self._table.index_of(row) for row in sorted(rows))
        return next((index for index in found if index is not None), None)
