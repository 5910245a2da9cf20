"""Which character parts the cells, and how they are quoted: found by the share of records of equal width."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Final

from valar_ui.readers.reading import UnreadableFile

CANDIDATES: Final = (",", ";", "\t", "|")
"""Delimiters tried, the likeliest first."""

RARE: Final = (":", "^", "~", "\x1f", "\x01")
"""Tried only where none of the common ones parts the records."""

WHOLE_LINE: Final = "\x1e"
"""Stands for no delimiter at all: each record is one cell."""

SPOKEN: Final = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "\\t": "\t",
    "pipe": "|",
    "space": " ",
    "colon": ":",
    "none": WHOLE_LINE,
}
"""Names for delimiters on the command line."""

SAMPLE_RECORDS: Final = 300


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a line is parted into cells."""

    delimiter: str = ","
    quote: str = '"'
    spaces: bool = False
    """A quote counts after spaces, too."""
    escape: str | None = None
    """The character that stands before a literal quote where quotes are not doubled."""
    width: int = 1
    """Cells in most of the records."""


def chosen_delimiter(text: str) -> str:
    """What a person named or typed; `UnreadableFile` where it cannot part cells."""
    delimiter = SPOKEN.get(text.strip().lower(), text) if len(text) != 1 else text
    if not delimiter or any(character in delimiter for character in '"\r\n') or len(delimiter) > 8:
        raise UnreadableFile(
            f"{text!r} cannot part cells.",
            "Use a comma, semicolon, tab, pipe or one other character.",
            code="bad-delimiter",
        )
    return delimiter


def declared(line: str) -> str | None:
    """The delimiter of a first line such as `sep=;`, which is an instruction to Excel."""
    match = re.fullmatch(r'"?sep=(.)"?[\r\n]*', line, re.IGNORECASE | re.DOTALL)
    return match.group(1) if match else None


def widths(text: str, dialect: Dialect) -> list[int]:
    """Cells in each of the first records that are not blank."""
    found: list[int] = []
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        skipinitialspace=dialect.spaces,
        escapechar=dialect.escape,
    )
    try:
        for cells in reader:
            if any(cells):
                found.append(len(cells))
                if len(found) >= SAMPLE_RECORDS:
                    break
    except csv.Error:
        pass
    return found


def _share(found: list[int]) -> tuple[float, int]:
    """The share of the commonest width above 1, and that width; (0, 1) where no record is parted."""
    counts = Counter(width for width in found if width > 1)
    if not counts:
        return 0.0, 1
    width, count = max(counts.items(), key=lambda pair: (pair[1], pair[0]))
    return count / len(found), width


def _run(found: list[int], width: int) -> int:
    """The longest run of records of this width, which prose with commas does not have."""
    if width < 2:
        return 0
    return max((sum(1 for _ in run) for wide, run in groupby(found) if wide == width), default=0)


def sniff(text: str, *, delimiter: str | None = None, prefer: str | None = None) -> Dialect:
    """The dialect of a sample that ends with a whole line."""
    if delimiter is not None and len(delimiter) != 1:
        return Dialect(delimiter, spaces=_spaced(text, delimiter), width=_width_by_split(text, delimiter))
    candidates = CANDIDATES if delimiter is None else (delimiter,)
    best = _best(text, candidates, prefer)
    if best.width == 1 and delimiter is None:
        rare = _best(text, RARE, None)
        if rare.width > 1 and _share(widths(text, rare))[0] >= 0.95 and len(widths(text, rare)) >= 3:
            best = rare
    if best.width == 1 and delimiter is None:
        blank = next((mark for mark in CANDIDATES if mark in text and not widths(text, Dialect(mark))), None)
        best = replace(best, delimiter=blank or WHOLE_LINE)
    best = replace(best, spaces=_spaced(text, best.delimiter))
    best = _with_escape(text, best)
    return _with_single_quotes(text, best)


def _best(text: str, candidates: tuple[str, ...], prefer: str | None) -> Dialect:
    best, best_rank = Dialect(candidates[0]), (0.0, False, 0)
    for delimiter in candidates:
        found = widths(text, Dialect(delimiter, spaces=_spaced(text, delimiter)))
        share, width = _share(found)
        enough = share >= 0.6 or (share >= 0.25 and found[0] > 1) or _run(found, width) >= max(3, 0.3 * len(found))
        rank = (round(share, 2), delimiter == prefer, width)
        if enough and rank > best_rank:
            best, best_rank = Dialect(delimiter, width=width), rank
    return best


def _spaced(text: str, delimiter: str) -> bool:
    """Quotes come after a delimiter and spaces, and hardly ever right after the delimiter."""
    if delimiter == " ":
        return False
    mark = re.escape(delimiter)
    after_space = len(re.findall(mark + r' +"[^"\r\n]*"', text))
    directly = len(re.findall(mark + r'"', text))
    return after_space > 0 and after_space > 4 * directly


def _with_escape(text: str, dialect: Dialect) -> Dialect:
    """Backslashes before quotes, where the quotes make no sense without them and all the sense with them."""
    if '\\"' not in text or dialect.spaces or _sensible(text, dialect):
        return dialect
    escaped = replace(dialect, escape="\\")
    return escaped if _sensible(text, escaped) else dialect


def _sensible(text: str, dialect: Dialect) -> bool:
    """The strict reader finds every quote in its place."""
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        escapechar=dialect.escape,
        strict=True,
    )
    try:
        for _ in islice(reader, SAMPLE_RECORDS):
            pass
    except csv.Error:
        return False
    return True


def _with_single_quotes(text: str, dialect: Dialect) -> Dialect:
    """`'` parts nothing unless it makes more records equally wide and no `"` opens a cell."""
    mark = re.escape(dialect.delimiter)
    if dialect.width < 2 or re.search(rf'(?:^|{mark})"', text, re.MULTILINE):
        return dialect
    if not re.search(rf"(?:^|{mark})'[^'\r\n]*{mark}[^'\r\n]*'(?:{mark}|[\r\n]|$)", text):
        return dialect
    single = replace(dialect, quote="'")
    return single if _share(widths(text, single))[0] > _share(widths(text, dialect))[0] else dialect


def _width_by_split(text: str, delimiter: str) -> int:
    return _share([line.count(delimiter) + 1 for line in re.split(r"\r\n|\r|\n", text) if line])[1]
