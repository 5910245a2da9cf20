"""What came of one pass: `Prepared`, read back from its folder; `fingerprint`, what it depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from valar_ui.prepare.files import MANIFEST
from valar_ui.pricing import Usage
from valar_ui.problems import Report, Severity
from valar_ui.readers.reading import Reading
from valar_ui.recipe import STEPS, Lapsed, LeaveOut, Recipe, Step

VERSION: Final = 3
"""Raised when the same draft would compose to other bytes, problems or estimates than before."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What came of one pass; `load` reads it back from its folder."""

    folder: Path
    fingerprint: str
    rows: int
    """Rows of the table, and records that could not become one."""
    requests: int
    """Requests in `items.bin`: rows without errors, less those left out and those collapsed."""
    left_out: int
    """Rows that a step leaves out."""
    blocked: int
    """Rows with errors that no step leaves out."""
    collapsed: int
    """Rows that share the request of an earlier row."""
    report: Report
    """Problems of the rows that are not left out, and of the whole."""
    left_out_report: Report
    """Problems of the rows that are left out."""
    items_bytes: int
    """Bytes of `items.bin`."""
    content_sha256: str
    """SHA-256 of `items.bin`."""
    usage: dict[str, Usage]
    """Model → requests and estimated tokens."""
    repeated_usage: dict[str, Usage]
    """The same of the requests that are identical to an earlier one: what sending them once would save."""
    longest: int | None
    """Table index of the row with the longest request; None where there is none."""
    shortest: int | None
    first_problem: int | None
    """Table index of the first row with an error or warning."""
    id_column: str | None = None
    """Where the ids come from; None where they are made from row numbers."""
    instead: dict[str, int] = field(default_factory=dict)
    """Model that rows ask for, where a mend says to ask another → how many rows."""

    @property
    def ok(self) -> bool:
        """No error in the way and at least one request; only then may it be sent."""
        return self.requests > 0 and self.report.count(Severity.ERROR) == 0

    @property
    def models(self) -> dict[str, int]:
        """Requests by model."""
        return {model: used.requests for model, used in self.usage.items()}

    @property
    def input_tokens(self) -> int:
        """Estimated tokens of all requests."""
        return sum(used.input_tokens for used in self.usage.values())

    @property
    def output_tokens_max(self) -> int | None:
        """The sum of `max_output_tokens`; None where a request sets none."""
        limits = [used.output_tokens_max for used in self.usage.values()]
        return None if None in limits else sum(limit for limit in limits if limit is not None)

    @property
    def items_path(self) -> Path:
        """The requests, joined by commas."""
        return self.folder / "items.bin"

    @property
    def sizes(self) -> npt.NDArray[np.uint32]:
        """Bytes of each request, in order."""
        return np.fromfile(self.folder / "sizes.bin", np.uint32)

    @property
    def manifest_path(self) -> Path:
        """Arrow file: custom_id, row (spreadsheet number), original (id as typed), request (index in the items)."""
        return self.folder / "manifest.arrow"

    @property
    def problems_path(self) -> Path:
        """Every problem, one JSON object a line, with `left_out` true or false.

        Those of a row with an id have `id`, as typed, and whether it is `shared` by several rows.
        """
        return self.folder / "problems.jsonl"

    def manifest(self) -> Iterator[tuple[str, int, str, int]]:
        """(custom_id, row, original, request) of each row that gets an answer, in the order of the sheet."""
        with pa.ipc.open_file(pa.memory_map(str(self.manifest_path), "r")) as file:
            for at in range(file.num_record_batches):
                batch = file.get_batch(at)
                yield from zip(*(batch.column(name).to_pylist() for name in MANIFEST.names), strict=True)

    def filled_rows(self) -> npt.NDArray[np.uint64]:
        """The rows that are filled from an earlier row's answer, ascending."""
        if not self.collapsed:
            return np.empty(0, np.uint64)
        with pa.ipc.open_file(pa.memory_map(str(self.manifest_path), "r")) as file:
            manifest = file.read_all()
        rows, requests = (manifest.column(name).to_numpy() for name in ("row", "request"))
        own = np.unique(requests, return_index=True)[1]
        filled: npt.NDArray[np.uint64] = np.delete(rows, own).astype(np.uint64)
        return filled

    def left_out_by(self, step: LeaveOut) -> int:
        """Rows that a step leaves out, those included that another one leaves out as well."""
        rows: set[int] = set()
        for group in self.left_out_report.groups:
            fits = group.code == step.code and step.column in (None, group.column)
            if fits or (step.code == "*" and group.severity is Severity.ERROR):
                rows.update(group.rows)
        return len(rows)

    @classmethod
    def load(cls, folder: Path) -> Prepared:
        """Read a prepared folder; FileNotFoundError where there is none.

        A folder of `VERSION` 1 has no `repeated_usage`; what was submitted from it is still sent, so it is read, too.
        """
        value = {"repeated_usage": {}} | orjson.loads((folder / "prepared.json").read_bytes())
        return cls(
            folder=folder,
            **value
            | {
                "report": Report.from_json(value["report"]),
                "left_out_report": Report.from_json(value["left_out_report"]),
                **{name: _usage(value[name]) for name in ("usage", "repeated_usage")},
            },
        )


def _usage(value: dict[str, dict[str, int]]) -> dict[str, Usage]:
    return {model: Usage(**used) for model, used in value.items()}


def fingerprint(reading: Reading, recipe: Recipe, steps: Sequence[Step] = ()) -> str:
    """Names what a pass depends on: file, how it was read, recipe (not its name or label), steps; 32 hex digits.

    Steps count by their effect: lapsed ones do not, nor do the records they are tied to.
    """
    taken = tuple(step for step in steps if not isinstance(step, Lapsed))
    facts = {
        "version": VERSION,
        "file": reading.sha256,
        "columns": reading.columns,
        "rows": reading.rows,
        "table": [reading.format, reading.encoding, reading.delimiter, reading.sheet, reading.header_row],
        "options": reading.options,
        "recipe": recipe.model_dump(mode="json", exclude={"name", "label"}),
        "steps": STEPS.dump_python(taken, mode="json", exclude={"__all__": {"record"}}),
    }
    return hashlib.sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
