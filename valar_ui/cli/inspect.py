"""Tell how a file is read: its columns, rows, problems and, when asked, every cell."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from valar_ui.compose import compose
from valar_ui.problems import Problem, Report
from valar_ui.readers import Reading, ReadOptions, UnreadableFile, read
from valar_ui.recipe import Recipe
from valar_ui.suggest import suggest

HELP = "tell how a file is read, and what is wrong with it"

UNREADABLE = 2
"""Exit status for a file that is refused."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--cells", action="store_true", help="with --json: print every record")
    parser.add_argument("--encoding", help="for example utf-8, cp1252, utf-16, shift_jis")
    parser.add_argument("--delimiter", help="one character, or comma, semicolon, tab, pipe")
    parser.add_argument("--sheet", help="the sheet of a workbook")
    parser.add_argument("--header-row", type=int, metavar="N", help="the row of the headings; 0 for none")
    parser.add_argument("--first-data-row", type=int, metavar="N", help="the first row that is a record")
    parser.add_argument("--skip-hidden", action="store_true", help="leave out hidden and filtered rows")
    parser.add_argument("--drop-row", type=int, action="append", default=[], metavar="N", help="leave out this row")


def run(arguments: argparse.Namespace) -> int:
    """Read the file and print; 0, or 2 where it is refused."""
    options = ReadOptions(
        encoding=arguments.encoding,
        delimiter=arguments.delimiter,
        sheet=arguments.sheet,
        header_row=arguments.header_row,
        first_data_row=arguments.first_data_row,
        skip_hidden=arguments.skip_hidden,
        drop_rows=tuple(arguments.drop_row),
    )
    with tempfile.TemporaryDirectory(prefix="valar-inspect-") as folder:
        try:
            reading = read(arguments.file, name=arguments.file.name, into=Path(folder), options=options)
        except UnreadableFile as fault:
            return _refuse(fault.text, fault.hint, fault.code, as_json=arguments.json)
        except OSError as fault:
            text = f"The file cannot be opened: {fault.strerror or fault}."
            return _refuse(text, "Check its name.", "cannot-open", as_json=arguments.json)
        if arguments.json:
            _print_json(reading, cells=arguments.cells)
        else:
            _print_text(reading)
    return 0


def _refuse(text: str, hint: str, code: str, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": text, "code": code, "hint": hint, "problems": []}, ensure_ascii=False))
    else:
        print(f"{text} {hint}", file=sys.stderr)
    return UNREADABLE


def _print_json(reading: Reading, *, cells: bool) -> None:
    table = reading.table
    ready = reading.recognised_as is not None
    value: dict[str, Any] = {
        "format": reading.format,
        "gzip": reading.gzip,
        "encoding": reading.encoding,
        "encoding_guessed": reading.encoding_guessed,
        "delimiter": reading.delimiter,
        "sheet": reading.sheet,
        "header_row": reading.header_row,
        "sheets": [{"name": sheet.name, "visible": sheet.visible} for sheet in reading.sheets],
        "columns": list(reading.columns),
        "rows": reading.rows,
        "records": {
            "all": reading.records,
            "above": reading.records_above,
            "heading": reading.records_heading,
            "rows": reading.rows,
            "blank": reading.records_blank,
            "left_out": reading.records_left_out,
            "refused": reading.records_refused,
        },
        "hidden_rows": reading.hidden_rows,
        "hidden_columns": list(reading.hidden_columns),
        "recognised_as": reading.recognised_as,
        "changes": list(reading.changes),
        "footers": [{"row": footer.row, "why": footer.why, "text": footer.text} for footer in reading.footers],
        "suggestions": {}
        if ready
        else {target: found.column for target, found in suggest(table).items() if found.exact},
        "problems": [problem.as_json() for problem in _problems(_found(reading))],
        "error": None,
    }
    out = sys.stdout
    head = json.dumps(value)
    if not cells:
        print(head)
        return
    out.write(head[:-1] + ', "cells": [')
    for place, (number, row) in enumerate(_rows(reading)):
        out.write((", " if place else "") + json.dumps([number, list(row)]))
    out.write("]")
    if ready:
        out.write(', "requests": [')
        for place, (_, (custom_id, params)) in enumerate(_rows(reading)):
            name = json.dumps(custom_id)
            out.write((", " if place else "") + f'{{"custom_id": {name}, "params": {_ascii(params)}}}')
        out.write("]")
    out.write("}\n")


def _found(reading: Reading) -> Report:
    """What reading found; of ready-made requests also what Valar would refuse in them."""
    report = Report()
    report.absorb(reading.report)
    if reading.recognised_as is not None:
        for composed in compose(reading.table, Recipe(kind="ready")):
            report.extend(composed.problems)
    return report


def _problems(report: Report) -> Iterator[Problem]:
    """Every problem with its row; those that were not kept whole point to the last one that was."""
    for group in report.groups:
        yield from group.examples
        last = group.examples[-1]
        for row in group.rows[len(group.examples) :] if last.row is not None else ():
            yield replace(last, row=row, line=None, text=f"The same as in row {last.row:,}, with this row's own cells.")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"


def _ascii(text: str) -> str:
    """JSON text with everything beyond ASCII escaped."""
    return text.encode("ascii", "backslashreplace").decode() if text.isascii() else json.dumps(json.loads(text))


def _rows(reading: Reading) -> Any:
    for chunk in reading.table.chunks():
        columns = [chunk.columns[name] for name in reading.columns]
        yield from zip(chunk.numbers, zip(*columns, strict=True), strict=True)


def _print_text(reading: Reading) -> None:
    parts = [reading.format + (", gzip" if reading.gzip else "")]
    if reading.encoding:
        parts.append(reading.encoding + (" (a guess)" if reading.encoding_guessed else ""))
    if reading.delimiter:
        parts.append(f"delimiter {reading.delimiter!r}")
    if reading.sheet:
        parts.append(f"sheet {reading.sheet!r}")
    if reading.header_row is not None:
        parts.append(f"headings in row {reading.header_row}" if reading.header_row else "no headings")
    print(f"{reading.name}: {', '.join(parts)}")
    rows, columns = _counted(reading.rows, "row"), _counted(len(reading.columns), "column")
    print(f"{rows}, {columns}: {', '.join(reading.columns[:20])}")
    for group in _found(reading).groups:
        example = group.examples[0]
        row = f"row {example.row:,}: " if example.row is not None else ""
        print(f"{group.severity.value} × {group.count:,}  {row}{example.text} {example.hint}")
