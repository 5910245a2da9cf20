"""A file that takes another one's place is read as that one was, as far as what the person chose fits it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from valar_ui.jobs import Progress
from valar_ui.problems import PROBLEM_HEADING, Problem, Severity
from valar_ui.readers import Reading, ReadOptions, UnreadableFile, read
from valar_ui.readers.source import GZIP, survey

CHOICES: Final = (("sheet",), ("delimiter",), ("encoding",), ("header_row", "first_data_row"))
"""What a person chooses, each as the options that belong together."""
WORKBOOKS: Final = ("xlsx", "xls", "xlsb", "ods")
DELIMITED: Final = ("csv", "tsv")
TEXTS: Final = (*DELIMITED, "json", "jsonl")
BLOCK: Final = 1 << 20


def read_like(
    before: Reading, earlier: Path, upload: Path, *, name: str, into: Path, progress: Progress | None = None
) -> Reading:
    """Read `upload` as `before` was read from `earlier`; a choice that does not fit is forgotten, and told.

    A choice fits where the file can be read with it and has the columns of the file before, or at least as many of them
    as without it. Rows left out as no data are those that look so for the same reason. Raises as `read` does.
    """
    chosen = replace(before.options, drop_rows=())
    if chosen.encoding is not None and not _decodes(upload, chosen.encoding):
        chosen = replace(chosen, encoding=None)
    reading = _tidy(_best(before, upload, chosen, name, into, progress))
    if before.options.drop_rows and (why := _reasons(before, earlier)):
        rows = tuple(footer.row for footer in reading.footers if footer.why in why)
        if rows:
            reading.table_path.unlink(missing_ok=True)
            options = replace(reading.options, drop_rows=rows)
            reading = read(upload, name=name, into=into, options=options, progress=progress)
    if told := _forgotten(before.options, reading):
        reading.report.add(
            Problem(
                "read-otherwise",
                f"What was chosen for the file before does not fit this one and is forgotten: {', '.join(told)}.",
                "Look whether the file was read as you mean it.",
                severity=Severity.NOTE,
            )
        )
    return reading


def _best(
    before: Reading, upload: Path, chosen: ReadOptions, name: str, into: Path, progress: Progress | None
) -> Reading:
    """The reading that has most of the columns there were; the one with most of the choices first."""
    wanted = {*before.columns} - {PROBLEM_HEADING}

    def score(reading: Reading) -> tuple[bool, int]:
        return _fits(before, reading), len(wanted.intersection(reading.columns))

    best: Reading | None = None
    fault: UnreadableFile | None = None
    for options in _ways(chosen):
        try:
            reading = read(upload, name=name, into=into, options=options, progress=progress)
        except UnreadableFile as refused:
            fault = refused
            continue
        if best is None or score(reading) > score(best):
            best, reading = reading, best or reading
        if reading is not best:
            reading.table_path.unlink(missing_ok=True)
        if score(best) == (True, len(wanted)):
            break
    if best is None:
        assert fault is not None
        raise fault
    return best


def _ways(chosen: ReadOptions) -> Iterator[ReadOptions]:
    """All choices, all but one, none."""
    yield chosen
    made = [names for names in CHOICES if any(getattr(chosen, name) is not None for name in names)]
    for names in made if len(made) > 1 else ():
        yield _without(chosen, names)
    if made:
        yield ReadOptions(skip_hidden=chosen.skip_hidden)


def _fits(before: Reading, reading: Reading) -> bool:
    """Whether the row of the headings may have been chosen: only among files of a kind, and no headings are data."""
    if reading.options.header_row is None and reading.options.first_data_row is None:
        return True
    return _kind(before) == _kind(reading) and PROBLEM_HEADING not in reading.table.row(0)


def _kind(reading: Reading) -> str:
    return next((kinds[0] for kinds in (WORKBOOKS, DELIMITED) if reading.format in kinds), reading.format)


def _tidy(reading: Reading) -> Reading:
    """Without the options that say nothing of such a file."""
    silent = [] if reading.format in WORKBOOKS else ["sheet"]
    silent += [] if reading.format in DELIMITED else ["delimiter"]
    silent += [] if reading.format in TEXTS else ["encoding"]
    return replace(reading, options=_without(reading.options, silent))


def _without(options: ReadOptions, names: Iterable[str]) -> ReadOptions:
    changes: dict[str, Any] = dict.fromkeys(names)
    return replace(options, **changes)


def _decodes(path: Path, encoding: str) -> bool:
    """Whether nothing speaks against an encoding: what is UTF-8 and more than ASCII is in no other."""
    with path.open("rb") as file:
        if file.read(len(GZIP)) == GZIP:
            return True
        file.seek(0)
        if all(block.isascii() for block in iter(lambda: file.read(BLOCK), b"")):
            return True
    return survey(path).utf8 == (encoding.strip().casefold() in ("utf-8", "utf8", "utf-8-sig"))


def _reasons(before: Reading, earlier: Path) -> set[str]:
    """Why the rows looked like no data that are left out of the file before; found by reading it with them."""
    with TemporaryDirectory(dir=earlier.parent) as folder:
        try:
            whole = read(earlier, name=before.name, into=Path(folder), options=replace(before.options, drop_rows=()))
        except (UnreadableFile, OSError):
            return set()
        return {footer.why for footer in whole.footers if footer.row in before.options.drop_rows}


def _forgotten(chosen: ReadOptions, reading: Reading) -> list[str]:
    """The choices that could have said something of this file and were not taken, in words."""
    taken, told = reading.options, []
    if chosen.sheet and not taken.sheet and reading.format in WORKBOOKS and reading.sheet != chosen.sheet:
        told.append(f"the sheet {chosen.sheet}")
    if chosen.delimiter and not taken.delimiter and reading.format in DELIMITED:
        told.append("how its cells end")
    if chosen.encoding and not taken.encoding and reading.format in TEXTS:
        told.append(f"the characters ({chosen.encoding})")
    row = chosen.header_row
    if row is not None and taken.header_row is None and reading.header_row not in (None, row):
        told.append(f"headings in row {row:,}" if row else "no row of headings")
    if chosen.first_data_row and not taken.first_data_row and reading.header_row is not None:
        told.append(f"data from row {chosen.first_data_row:,}")
    return told
