"""The cells of a row beyond the last column: no column holds them, and the sheet to be mended must not lose them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from valar_ui.jobs import Progress
from valar_ui.problems import PROBLEM_HEADING, Problem, Report
from valar_ui.readers import delimited, dialect, jsonfile, jsonlines, objects
from valar_ui.readers.encodings import decide, open_text
from valar_ui.readers.reading import Reading, Record
from valar_ui.readers.source import survey, unpack

CODE: Final = "long-row"
SAMPLE: Final = 1 << 18
"""Characters from which the quote is found, as in reading."""
EVERY: Final = 1_000
"""Records between two calls of `progress`."""
SHOWN: Final = 200
"""Characters of the surplus cells that a problem quotes."""

Surplus = Mapping[int, list[str]]
"""Spreadsheet row → its cells beyond the last column, up to the last one that is not empty."""


def surplus(upload: Path, reading: Reading, *, progress: Progress | None = None) -> Surplus:
    """The cells that the table of an uploaded file could not hold; the file is read again only where there are some."""
    beyond = beyond_columns(reading)
    wanted = {row for group in reading.report.groups if group.code == CODE for row in group.rows}
    if not wanted:
        return {}
    found: dict[int, list[str]] = {}
    cells: Sequence[str]
    places = [reading.columns.index(column) for column in beyond]
    for row in wanted if places else ():
        index = reading.table.index_of(row)
        cells = () if index is None else reading.table.row(index)
        found[row] = [cells[place] for place in places] if cells else []
    if reading.format in ("csv", "tsv", "json", "jsonl"):
        width, last = len(reading.columns), max(wanted)
        with _records(upload, reading) as records:
            for number, _, cells in records:
                if progress is not None and number % EVERY == 0:
                    progress(number / max(reading.records, number))
                if number in wanted:
                    found[number] = [*found.get(number, []), *cells[width:]]
                if number >= last:
                    break
    return {row: filled for row, cells in found.items() if (filled := _filled(cells))}


def beyond_columns(reading: Reading) -> tuple[str, ...]:
    """The columns without a heading behind the Problem column: there a sheet that was dropped again holds surplus."""
    if PROBLEM_HEADING not in reading.columns:
        return ()
    nameless = {group.column for group in reading.report.groups if group.code == "column-without-name"}
    after = reading.columns[reading.columns.index(PROBLEM_HEADING) + 1 :]
    return tuple(column for column in after if column in nameless)


def dropped_again(reading: Reading) -> Reading:
    """A reading of the sheet with its Problem column: what that says is no matter, rows with surplus are too long.

    In a workbook the widest row makes the width, so no row is too long by itself.
    """
    report = reading.report.without(PROBLEM_HEADING)
    columns = beyond_columns(reading)
    if columns:
        _tell(reading, columns, report)
    return replace(reading, report=report)


def _tell(reading: Reading, columns: tuple[str, ...], report: Report) -> None:
    width = len([column for column in reading.columns if column not in (PROBLEM_HEADING, *columns)])
    for chunk in reading.table.chunks(columns):
        for number, *cells in zip(chunk.numbers, *chunk.columns.values(), strict=True):
            if filled := _filled(cells):
                told = " | ".join(filled)
                told = told if len(told) <= SHOWN else told[:SHOWN] + "…"
                report.add(
                    Problem(
                        CODE,
                        f"This row has too many cells: {width + len(filled)} for {width} columns. The extra cells, "
                        f"behind the Problem column, hold: {told}",
                        "Put what they hold where it belongs and empty them, or leave the row out.",
                        number,
                    )
                )


def _filled(cells: list[str]) -> list[str]:
    """Up to the last cell that is not empty."""
    width = len(cells)
    while width and not cells[width - 1]:
        width -= 1
    return cells[:width]


@contextmanager
def _records(upload: Path, reading: Reading) -> Iterator[Iterator[Record]]:
    """The records of a file of text, numbered as reading numbered them."""
    with TemporaryDirectory(dir=upload.parent) as folder:
        path = unpack(upload, Path(folder)) if reading.gzip else upload
        encoding = decide(path, utf8=survey(path).utf8, option=reading.options.encoding)
        with open_text(path, encoding) as text:
            if reading.format == "jsonl":
                yield objects.records(jsonlines.items(text), Report())
                return
            if reading.format == "json":
                chosen, _ = jsonfile.find_list(text)
                with open_text(path, encoding) as again:
                    yield objects.records(jsonfile.items(again, chosen), Report())
                return
            sample = text.read(SAMPLE)
        if len(sample) == SAMPLE:
            sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
        first, end, _ = sample.partition("\n")
        declared = dialect.declared(first.split("\r", 1)[0])
        body = sample[len(first + end) :] if declared else sample
        form = dialect.sniff(body, delimiter=reading.delimiter)
        with open_text(path, encoding) as text:
            if declared:
                text.readline()
            yield iter(delimited.Records(text, form, flaw=_silent, first_line=2 if declared else 1))


def _silent(_code: str, _number: int, _line: int) -> None:
    """Reading told it already."""
