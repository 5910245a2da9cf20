"""Runs `python-calamine` in a process of its own: a damaged workbook may end that one, never the app.

A single field of a damaged .xls can ask the library for hundreds of gigabytes, which aborts the process it runs in.
Run as `python calamine_child.py FILE [SHEET]`, the sheet's name written as JSON, it writes lines of JSON: the sheets as
[name, visible, has cells], or a
sheet's first and last place (null for none) and then lists of rows. Dates and the like are [kind, text], a length of
time is ["timedelta", days, seconds, microseconds]. A refusal is written as a text.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

MEMORY: Final = 4_000_000_000
"""Bytes of address space it may take, where the system can limit that."""

ROWS: Final = 500
"""Rows handed over at once."""


def answers(path: str, sheet: str | None) -> Iterator[Any]:
    """What is written, one line each."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    try:
        with Path(path).open("rb") as file:
            book = CalamineWorkbook.from_filelike(file)
        if sheet is None:
            yield [
                (found.name, found.visible == SheetVisibleEnum.Visible, found.typ == SheetTypeEnum.WorkSheet)
                for found in book.sheets_metadata
            ]
            return
        found = book.get_sheet_by_name(sheet)
        yield found.start, found.end
        rows = iter(found.iter_rows()) if found.start is not None else iter(())
        while batch := list(islice(rows, ROWS)):
            yield batch
    except PasswordError:
        yield "password"
    except (CalamineError, OSError, ValueError):
        yield "damaged"


def _tagged(value: Any) -> list[Any]:
    if isinstance(value, timedelta):
        return ["timedelta", value.days, value.seconds, value.microseconds]
    return [type(value).__name__, value.isoformat()]


def main() -> None:
    """Answer what the arguments ask."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for answer in answers(sys.argv[1], json.loads(sys.argv[2]) if len(sys.argv) > 2 else None):
        print(json.dumps(answer, default=_tagged), flush=True)


if __name__ == "__main__":
    main()
