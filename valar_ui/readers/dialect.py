"""Which character parts the cells, and how they are quoted: found by the share of records of equal width."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import groupby, islice, pairwise
from typing import Final

from valar_ui.readers.reading import UnreadableFile

CANDIDATES: Final = (",", ";", "\t", "|")
"""Delimiters tried, the likeliest first."""

RARE: Final = (":", "^", "~", "\x1f", "\x01")
"""Tried only where none of the common ones parts the records."""

PARTING_COLON: Final = re.compile(r"(?<!\d):(?!//)|:(?!\d|//)")
"""A colon that stands neither inside a time nor in an address."""

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

NEAR: Final = 0.1
"""How far the shares of two delimiters may lie apart for the headings to decide between them."""

COMMENT: Final = "#"
"""Begins a line that need not be parted like the records."""


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
    """Cells in each of the first records that are not blank; a comment counts where it is as wide as most."""
    found: list[int] = []
    comments: list[int] = []
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
                if cells[0].startswith(COMMENT):
                    comments.append(len(found))
                found.append(len(cells))
                if len(found) >= SAMPLE_RECORDS:
                    break
    except csv.Error:
        pass
    if 0 < len(comments) < len(found):
        others = Counter(found)
        others.subtract(found[at] for at in comments)
        usual = max(others, key=lambda width: others[width])
        strays = {at for at in comments if found[at] != usual}
        found = [width for at, width in enumerate(found) if at not in strays]
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
        rare = _best(text, RARE if PARTING_COLON.search(text) else RARE[1:], None)
        if rare.width > 1 and _share(widths(text, rare))[0] >= 0.95 and len(widths(text, rare)) >= 3:
            best = rare
    if best.width == 1 and delimiter is None:
        blank = next((mark for mark in CANDIDATES if mark in text and not widths(text, Dialect(mark))), None)
        best = replace(best, delimiter=blank or WHOLE_LINE)
    best = replace(best, spaces=_spaced(text, best.delimiter))
    best = _with_escape(text, best)
    return _with_single_quotes(text, best)


@dataclass(frozen=True, slots=True)
class _Parting:
    """How well a delimiter parts the records."""

    delimiter: str
    share: float
    width: int
    start: int
    """The first record with which the usual width begins: 0 where the headings are parted like the rows."""
    strong: bool
    """The delimiter is not one that prose or decimal numbers hold anyway."""

    def rank(self, prefer: str | None) -> tuple[int, bool, float, bool, int]:
        """The higher, the likelier, among delimiters with nearly equal shares."""
        return -self.start, self.strong, round(self.share, 2), self.delimiter == prefer, self.width


def _best(text: str, candidates: tuple[str, ...], prefer: str | None) -> Dialect:
    partings: list[_Parting] = []
    for delimiter in candidates:
        found = widths(text, Dialect(delimiter, spaces=_spaced(text, delimiter)))
        share, width = _share(found)
        if len(found) > 1 and found[0] > 1 == max(found[1:]) and f"{delimiter} " in text:
            continue
        if share >= 0.6 or (share >= 0.25 and found[0] > 1) or _run(found, width) >= max(3, 0.3 * len(found)):
            partings.append(_Parting(delimiter, share, width, _start(found, width), _strong(text, delimiter)))
    if not partings:
        return Dialect(candidates[0])
    between = {found.delimiter: text.count(f'"{found.delimiter}"') for found in partings}
    if sum(map(bool, between.values())) == 1 and max(between.values()) >= max(3, 0.5 * text.count("\n")):
        partings = [found for found in partings if between[found.delimiter]]
    if any(parting.delimiter == "," for parting in partings) and _is_prose(text):
        wider = [found for found in partings if found.delimiter != "," and found.strong and _heads(text, found)]
        partings = [found for found in partings if not any(found.width < other.width for other in wider)] or partings
    highest = max(parting.share for parting in partings)
    best = max((found for found in partings if found.share >= highest - NEAR), key=lambda found: found.rank(prefer))
    return Dialect(best.delimiter, width=best.width)


def _start(found: list[int], width: int) -> int:
    """The first of two records in a row with this width; a title above may have it by chance."""
    if len(found) == 1:
        return 0
    return next((at for at, pair in enumerate(pairwise(found)) if pair == (width, width)), len(found))


def _strong(text: str, delimiter: str) -> bool:
    """Not always followed by a space, as in prose, nor a comma that always stands between digits."""
    sample = text[:100_000]
    mark = re.escape(delimiter)
    spaced = re.search(mark + r"(?! )", sample) is None
    decimal = delimiter == "," and re.search(r"(?<!\d),|,(?!\d)", sample) is None
    return not spaced and not decimal


def _is_prose(text: str) -> bool:
    """Most commas stand between digits, or nearly all of them there or before a space, as in titles and names."""
    sample = text[:100_000]
    count, decimal = sample.count(","), len(re.findall(r"(?<=\d),(?=\d)", sample))
    return decimal >= 0.6 * count or decimal + sample.count(", ") >= 0.9 * count


def _heads(text: str, parting: _Parting) -> bool:
    """The first record that is parted like the others holds no number, as headings do."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=parting.delimiter)
    try:
        found = next((cells for cells in reader if len(cells) == parting.width and any(cells)), [])
    except csv.Error:
        return False
    return bool(found) and not any(re.fullmatch(r"[\d.,+-]+", cell) for cell in found)


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
    if not re.search(rf"(?:^|{mark})'[^'\r\n]*{mark}[^'\r\n]*'(?:{mark}|[\r\n]|$)", text, re.MULTILINE):
        return dialect
    single = replace(dialect, quote="'")
    share, width = _share(widths(text, single))
    return replace(single, width=width) if share > _share(widths(text, dialect))[0] else dialect


def _width_by_split(text: str, delimiter: str) -> int:
    return _share([line.count(delimiter) + 1 for line in re.split(r"\r\n|\r|\n", text) if line])[1]
