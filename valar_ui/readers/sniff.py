"""A file of any kind becomes a `Reading`: what it is, by its bytes first and its name second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TextIO

from valar_ui.jobs import Progress
from valar_ui.problems import Problem, Report, Severity
from valar_ui.readers import archive, calamine, delimited, dialect, grid, jsonlines, objects, workbook
from valar_ui.readers.encodings import Encoding, decide, open_text
from valar_ui.readers.kinds import kind_of, text_kind
from valar_ui.readers.reading import Reading, ReadOptions, UnreadableFile
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
        return _read(plain, facts, kind, name, into, options, _part(progress, SURVEY_SHARE, 1.0), gzip=True)
    finally:
        plain.unlink(missing_ok=True)


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
    *,
    gzip: bool = False,
) -> Reading:
    if kind == "ole":
        report = Report()
        made = calamine.read_xls(path, into=into, options=options, report=report, progress=progress)
        return _workbook_reading(made, "xls", found, name, options, report)
    if kind == "zip":
        return _read_zip(path, found, name, into, options, progress)
    inner_name = name[:-3] if gzip and name.lower().endswith(".gz") else name
    encoding = decide(path, utf8=found.utf8, option=options.encoding)
    with open_text(path, encoding) as stream:
        sample = _sample(stream)
    kind = text_kind(sample, inner_name)
    if kind == "jsonl":
        reading = _read_lines(path, found, name, into, options, encoding, progress)
    else:
        reading = _read_delimited(path, found, kind, name, into, options, encoding, sample, progress)
    return reading


def _read_zip(
    path: Path, found: Survey, name: str, into: Path, options: ReadOptions, progress: Progress | None
) -> Reading:
    report = Report()
    with archive.open_archive(path) as opened:
        kind = archive.kind_of_archive(opened)
        if kind == "xlsx":
            made = workbook.read_xlsx(opened, into=into, options=options, report=report, progress=progress)
        elif kind == "ods":
            made = workbook.read_ods(opened, into=into, options=options, report=report, progress=progress)
        else:
            made = calamine.read_xlsb(path, into=into, options=options, report=report, progress=progress)
    return _workbook_reading(made, kind, found, name, options, report)


def _workbook_reading(
    made: workbook.Made, kind: str, found: Survey, name: str, options: ReadOptions, report: Report
) -> Reading:
    built = made.grid
    return Reading(
        format=kind,
        name=name,
        size=found.size,
        sha256=found.sha256,
        table_path=built.path,
        columns=built.columns,
        rows=built.rows,
        options=options,
        sheet=made.sheet,
        sheets=made.sheets,
        header_row=built.header_row,
        records=built.ledger.records,
        records_above=built.ledger.above,
        records_heading=built.ledger.heading,
        records_blank=built.ledger.blank,
        records_left_out=built.ledger.left_out,
        hidden_rows=built.hidden_rows,
        hidden_columns=made.hidden_columns,
        footers=built.footers,
        report=report,
    )


def _sample(stream: TextIO) -> str:
    """The beginning, up to the end of a line."""
    text = stream.read(SAMPLE)
    if len(text) == SAMPLE:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    return text


def _watched(
    stream: TextIO, path: Path, progress: Progress | None, records: Iterator[grid.Record]
) -> Iterator[grid.Record]:
    """Tell how far the file is read, every thousand records."""
    if progress is None:
        yield from records
        return
    size = path.stat().st_size
    raw = stream.buffer  # type: ignore[attr-defined]  # TextIOWrapper has it, TextIO does not say so
    for count, record in enumerate(records):
        if count % 1_000 == 0:
            progress(raw.tell() / size)
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
    form = dialect.sniff(body, delimiter=chosen, prefer="\t" if kind == "tsv" else None)
    facts = grid.Facts(guessed=encoding.guessed)

    def flaw(code: str, number: int, line: int) -> None:
        report.add(_quote_problem(code, number, line))
        facts.flawed.add(number)

    with open_text(path, encoding) as stream:
        if declared:
            stream.readline()
        records = delimited.Records(stream, form, flaw=flaw, first_line=2 if declared else 1)
        made = grid.build(
            _watched(stream, path, progress, iter(records)), into=into, options=options, report=report, facts=facts
        )
    _report_encoding(report, encoding, made.guessed_cells)
    return Reading(
        format="tsv" if form.delimiter == "\t" else "csv",
        name=name,
        size=found.size,
        sha256=found.sha256,
        table_path=made.path,
        columns=made.columns,
        rows=made.rows,
        options=options,
        encoding=encoding.name,
        encoding_guessed=encoding.guessed,
        delimiter=form.delimiter,
        header_row=made.header_row,
        records=made.ledger.records,
        records_above=made.ledger.above,
        records_heading=made.ledger.heading,
        records_blank=made.ledger.blank,
        records_left_out=made.ledger.left_out,
        records_refused=made.ledger.refused,
        footers=made.footers,
        report=report,
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


def _read_lines(
    path: Path,
    found: Survey,
    name: str,
    into: Path,
    options: ReadOptions,
    encoding: Encoding,
    progress: Progress | None,
) -> Reading:
    report = Report()

    def items() -> Iterator[objects.Item]:
        with open_text(path, encoding) as stream:
            for count, item in enumerate(jsonlines.items(stream)):
                if progress is not None and count % 1_000 == 0:
                    progress(stream.buffer.tell() / max(path.stat().st_size, 1))
                yield item

    return _from_objects(items, "jsonl", found, name, into, options, encoding, report)


def _from_objects(
    items: Callable[[], Iterator[objects.Item]],
    kind: str,
    found: Survey,
    name: str,
    into: Path,
    options: ReadOptions,
    encoding: Encoding,
    report: Report,
) -> Reading:
    made = objects.build(items, into=into, options=options, report=report)
    _report_encoding(report, encoding, 0)
    ledger = made.grid.ledger
    return Reading(
        format=kind,
        name=name,
        size=found.size,
        sha256=found.sha256,
        table_path=made.grid.path,
        columns=made.grid.columns,
        rows=made.grid.rows,
        options=options,
        encoding=encoding.name,
        encoding_guessed=encoding.guessed,
        records=ledger.records,
        records_above=ledger.above,
        records_blank=ledger.blank,
        records_left_out=ledger.left_out,
        records_refused=ledger.refused,
        recognised_as=made.recognised_as,
        changes=made.changes,
        report=report,
    )
