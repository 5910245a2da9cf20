"""A file of any kind becomes a `Reading`: what it is, by its bytes first and its name second."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import Any, Final, TextIO

from valar_ui.jobs import Progress
from valar_ui.problems import Problem, Report, Severity
from valar_ui.readers import (
    archive,
    bulk,
    calamine,
    delimited,
    dialect,
    filling,
    grid,
    jsonfile,
    jsonlines,
    objects,
    parquet,
    workbook,
)
from valar_ui.readers.encodings import Encoding, decide, open_bytes, open_text
from valar_ui.readers.kinds import kind_of, refuse_binary, refuse_nuls, text_kind
from valar_ui.readers.reading import Reading, ReadOptions, Record, UnreadableFile
from valar_ui.readers.source import Survey, survey, unpack

SAMPLE: Final = 1 << 18
"""Characters from which the delimiter is found."""

SURVEY_SHARE: Final = 0.15
"""How much of the progress the first pass takes."""


def read(
    path: Path, *, name: str, into: Path, options: ReadOptions | None = None, progress: Progress | None = None
) -> Reading:
    """Read the upload at `path` (never changed) into a table in the existing folder `into`.

    `name` is what the person called the file. Raises `UnreadableFile`, and whatever `progress` raises.
    """
    options = options or ReadOptions()
    found = survey(path, progress=_part(progress, 0.0, SURVEY_SHARE))
    if not found.size:
        raise UnreadableFile(
            "This file is empty: it has no data at all.", "Upload the file with the rows.", code="empty"
        )
    kind = kind_of(path, name)
    if kind != "gzip":
        return _read(path, found, kind, name, into, options, _part(progress, SURVEY_SHARE, 1.0))
    plain = unpack(path, into)
    try:
        inner = survey(plain)
        if not inner.size:
            raise UnreadableFile("This compressed file is empty.", "Upload the file with the rows.", code="empty")
        inner_name = name[:-3] if name.lower().endswith(".gz") else name
        kind = kind_of(plain, inner_name)
        if kind == "gzip":
            raise UnreadableFile("This file is compressed twice.", "Unpack it first.", code="compressed-twice")
        facts = Survey(found.size, found.sha256, inner.utf8)
        reading = _read(plain, facts, kind, inner_name, into, options, _part(progress, SURVEY_SHARE, 1.0))
        return replace(reading, name=name, gzip=True)
    finally:
        plain.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Facts:
    """What every `Reading` tells beside its table."""

    survey: Survey
    name: str
    options: ReadOptions
    report: Report
    encoding: Encoding | None = None

    def reading(self, table: grid.Grid, **more: Any) -> Reading:
        """The `Reading` of a table; `more` are its other fields."""
        if self.encoding is not None:
            _report_encoding(self.report, self.encoding, table.guessed_cells)
        ledger = table.ledger
        return Reading(
            name=self.name,
            size=self.survey.size,
            sha256=self.survey.sha256,
            table_path=table.path,
            columns=table.columns,
            rows=table.rows,
            options=self.options,
            encoding=None if self.encoding is None else self.encoding.name,
            encoding_guessed=self.encoding is not None and self.encoding.guessed,
            header_row=table.header_row,
            records=ledger.records,
            records_above=ledger.above,
            records_heading=ledger.heading,
            records_blank=ledger.blank,
            records_left_out=ledger.left_out,
            records_refused=ledger.refused,
            hidden_rows=table.hidden_rows,
            footers=table.footers,
            report=self.report,
            **more,
        )

    def workbook(self, made: workbook.Made, kind: str) -> Reading:
        """The `Reading` of a sheet."""
        return self.reading(
            made.grid, format=kind, sheet=made.sheet, sheets=made.sheets, hidden_columns=made.hidden_columns
        )


def _part(progress: Progress | None, low: float, high: float) -> Progress | None:
    if progress is None:
        return None
    return lambda fraction: progress(low + (high - low) * fraction)


def _read(
    path: Path,
    found: Survey,
    kind: str,
    name: str,
    into: Path,
    options: ReadOptions,
    progress: Progress | None,
) -> Reading:
    if kind == "ole":
        report = Report()
        made = calamine.read_xls(path, into=into, options=options, report=report, progress=progress)
        return Facts(found, name, options, report).workbook(made, "xls")
    if kind == "parquet":
        report = Report()
        table = parquet.read(path, into=into, options=options, report=report, progress=progress)
        return Facts(found, name, options, report).reading(table, format="parquet")
    if kind == "zip":
        return _read_zip(path, found, name, into, options, progress)
    encoding = decide(path, utf8=found.utf8, option=options.encoding)
    with open_text(path, encoding) as stream:
        sample = _sample(stream)
    if encoding.guessed:
        refuse_binary(sample)
    refuse_nuls(sample)
    kind = text_kind(sample, name)
    if kind in ("json", "jsonl"):
        return _read_json(path, found, kind, name, into, options, encoding, progress)
    return _read_delimited(path, found, kind, name, into, options, encoding, sample, progress)


def _read_zip(
    path: Path, found: Survey, name: str, into: Path, options: ReadOptions, progress: Progress | None
) -> Reading:
    report = Report()
    with archive.open_archive(path) as opened:
        kind = archive.kind_of_archive(opened)
        try:
            if kind == "xlsx":
                made = workbook.read_xlsx(opened, into=into, options=options, report=report, progress=progress)
            elif kind == "ods":
                made = workbook.read_ods(opened, into=into, options=options, report=report, progress=progress)
            else:
                made = calamine.read_xlsb(path, opened, into=into, options=options, report=report, progress=progress)
        except archive.FAULTS:
            raise archive.damaged() from None
    return Facts(found, name, options, report).workbook(made, kind)


def _sample(stream: TextIO) -> str:
    """The beginning, up to the end of a line."""
    text = stream.read(SAMPLE)
    if len(text) == SAMPLE:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    return text


def _place(stream: TextIOWrapper) -> int:
    """Bytes read so far."""
    place: int = stream.buffer.tell()  # type: ignore[attr-defined]  # the typed buffer only promises what reading needs
    return place


def _watched(
    stream: TextIOWrapper, path: Path, progress: Progress | None, records: Iterator[Record]
) -> Iterator[Record]:
    """Tell how far the file is read, every thousand records."""
    if progress is None:
        yield from records
        return
    size = path.stat().st_size
    for count, record in enumerate(records):
        if count % 1_000 == 0:
            progress(_place(stream) / size)
        yield record


def _read_delimited(
    path: Path,
    found: Survey,
    kind: str,
    name: str,
    into: Path,
    options: ReadOptions,
    encoding: Encoding,
    sample: str,
    progress: Progress | None,
) -> Reading:
    report = Report()
    first_line = sample.split("\n", 1)[0].split("\r", 1)[0]
    declared = dialect.declared(first_line)
    chosen = dialect.chosen_delimiter(options.delimiter) if options.delimiter else declared
    body = sample[_line_length(sample) :] if declared else sample
    prefer = "\t" if kind == "tsv" else None
    form = dialect.sniff(body, delimiter=chosen, prefer=prefer)
    if form.delimiter == dialect.WHOLE_LINE and options.header_row and not chosen:
        below = StringIO(body, newline="").readlines()[options.header_row - 1 :]
        form = dialect.sniff("".join(below) or body, prefer=prefer)
    facts = filling.Facts(guessed=encoding.guessed)

    def flaw(code: str, number: int, line: int) -> None:
        report.add(_quote_problem(code, number, line))
        facts.flawed.add(number)

    if bulk.fits(encoding, form, utf8=found.utf8):
        blocks = bulk.Blocks(path, encoding, form, flaw=flaw, skip_line=bool(declared), progress=progress)
        facts.rest = blocks.rest
        made = grid.build(blocks, into=into, options=options, report=report, facts=facts)
    else:
        with open_text(path, encoding) as stream:
            if declared:
                stream.readline()
            records = delimited.Records(stream, form, flaw=flaw, first_line=2 if declared else 1)
            watched = _watched(stream, path, progress, iter(records))
            made = grid.build(watched, into=into, options=options, report=report, facts=facts)
    facts_found = Facts(found, name, options, report, encoding)
    return facts_found.reading(
        made,
        format="tsv" if form.delimiter == "\t" else "csv",
        delimiter=None if form.delimiter == dialect.WHOLE_LINE else form.delimiter,
    )


def _line_length(text: str) -> int:
    """Characters of the first line with its end."""
    for place, character in enumerate(text):
        if character in "\r\n":
            return place + (2 if text[place : place + 2] == "\r\n" else 1)
    return len(text)


def _quote_problem(code: str, number: int, line: int) -> Problem:
    at = line if line != number else None
    if code == "quote-never-closes":
        text = "A quote opens in this row and never closes; the rest of the row was read without it."
        return Problem(
            code, text, "Add the closing quote, or delete the opening one.", number, None, Severity.ERROR, at
        )
    text = "A quote inside a cell of this row is not doubled; its text was kept as it stands."
    return Problem(
        code,
        text,
        'Check the cells of this row; write "" for a quote inside a cell.',
        number,
        None,
        Severity.WARNING,
        at,
    )


def _report_encoding(report: Report, encoding: Encoding, cells: int) -> None:
    if not encoding.guessed:
        return
    count = f"{cells:,} cell{'s have' if cells != 1 else ' has'} accents or other characters beyond plain ASCII"
    text = f"The encoding (character set) of this file is a guess: {encoding.label}; {count}."
    if encoding.damaged:
        text = "This file is UTF-8, but some of its bytes are not; those characters cannot be read."
    report.add(
        Problem(
            "encoding-guessed",
            text,
            "Look at those cells; if they are wrong, choose another encoding.",
            severity=Severity.WARNING,
        )
    )


def _read_json(
    path: Path,
    found: Survey,
    kind: str,
    name: str,
    into: Path,
    options: ReadOptions,
    encoding: Encoding,
    progress: Progress | None,
) -> Reading:
    report = Report()
    size = max(path.stat().st_size, 1)
    chosen: jsonfile.Found | jsonfile.Sequence | None = None
    if kind == "json":
        with open_text(path, encoding) as text:
            chosen, others = jsonfile.find_list(text)
        if isinstance(chosen, jsonfile.Found) and (choice := jsonfile.told(chosen, others)) is not None:
            report.add(choice)

    def items() -> Iterator[objects.Item]:
        with open_bytes(path, encoding) as file, open_text(path, encoding) as text:
            if kind == "jsonl" and encoding.name == "utf-8" and found.utf8:
                found_items, place = jsonlines.utf8_items(file), file.tell
            else:
                found_items = jsonlines.items(text) if kind == "jsonl" else jsonfile.items(text, chosen)
                place = partial(_place, text)
            for count, item in enumerate(found_items):
                if progress is not None and count % 1_000 == 0:
                    progress(place() / size)
                yield item

    facts = Facts(found, name, options, report, encoding)
    sample = objects.sample(items())
    if objects.all_lists(sample):
        table = grid.build(objects.records(items(), report), into=into, options=options, report=report)
        return facts.reading(table, format=kind)
    made = objects.build(items, sample, into=into, options=options, report=report)
    return facts.reading(made.grid, format=kind, recognised_as=made.recognised_as, changes=made.changes)
