"""Which row holds the headings, and what the columns are called: unique, on one line, nothing invisible."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

LOOKED_AT: Final = 120
"""Records looked at for the row of headings."""

HEADING_WITHIN: Final = 40
"""Records among which the row of headings is sought."""

NUMERIC: Final = re.compile(r"[-+]?[$€£]?\s?\d[\d.,   ']*(?:[eE][-+]?\d+)?\s?[%€$]?")
YEAR: Final = re.compile(r"(19|20)\d\d")
TIME: Final = re.compile(r"(19|20)\d\d|\d{4}-\d\d-\d\d|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
LIKE_DATA: Final = re.compile(r"\d{4}-\d\d-\d\d.*|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|https?://\S+|[^@\s]+@[^@\s]+\.\w+")


def letters(position: int) -> str:
    """The name Excel gives a column: 0 is A, 26 is AA."""
    name = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def tidy(name: str) -> str:
    """A heading on one line: runs of white space become one space, what cannot be seen goes."""
    kept = "".join(
        " " if character.isspace() else character
        for character in name
        if character.isspace() or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Cn")
    )
    return " ".join(kept.split())


def unique_names(raw: Sequence[str]) -> tuple[tuple[str, ...], list[int], list[int]]:
    """Display names; and the positions of those that had no name, and of those whose name came before."""
    tidied = [tidy(name) for name in raw]
    taken = {name for name in tidied if name}
    seen: set[str] = set()
    names: list[str] = []
    nameless: list[int] = []
    repeated: list[int] = []
    for position, name in enumerate(tidied):
        if not name:
            nameless.append(position)
            name = f"Column {letters(position)}"
            base, taken_by_others = name, name in taken or name in seen
        else:
            base, taken_by_others = name, name in seen
            if taken_by_others:
                repeated.append(position)
        copy = 2
        while taken_by_others:
            name = f"{base} ({copy})"
            copy += 1
            taken_by_others = name in taken or name in seen
        seen.add(name)
        names.append(name)
    return tuple(names), nameless, repeated


def find_header(records: Sequence[tuple[int, Sequence[str]]]) -> int:
    """The number of the record that holds the headings; 0 where the first rows are all data."""
    rows = [(number, cells) for number, cells in records[:LOOKED_AT] if any(cell.strip() for cell in cells)]
    if not rows:
        return 0
    filled = [sum(bool(cell.strip()) for cell in cells) for _, cells in rows]
    typical = sorted(filled)[len(filled) // 2]
    if at := _below_notes(rows, filled, typical):
        return rows[at][0]
    at = _first_full(rows, filled, typical)
    number, cells = rows[at]
    if _looks_like_data(cells, [row for _, row in rows[at + 1 :]]):
        return 0
    return number


def _below_notes(rows: Sequence[tuple[int, Sequence[str]]], filled: Sequence[int], typical: int) -> int:
    """Where the headings stand below so many narrow notes that these are most of the rows; 0 where there are none."""
    widest = max(filled)
    if widest < 3 or typical >= 0.75 * widest:
        return 0
    at = next(at for at, count in enumerate(filled) if count >= 0.75 * widest)
    notes = max(filled[:at], default=0)
    if not 0 < at < HEADING_WITHIN or notes > 0.5 * widest:
        return 0
    # Rows as narrow as what stands above are rows of that, and the wide one has cells too many.
    least = max(0.5 * widest, notes + 1)
    below = [row for (_, row), count in zip(rows[at + 1 :], filled[at + 1 :], strict=True) if count >= least]
    if len(below) < max(1, 0.4 * (len(rows) - at - 1)):
        return 0
    cells = rows[at][1]
    return at if (_all_texts(cells) and _measured(cells, below)) or _calendar(cells, below) else 0


def _measured(cells: Sequence[str], below: Sequence[Sequence[str]]) -> int:
    """How many columns hold a text in this row and nothing but numbers or dates below it."""
    count = 0
    for position, cell in enumerate(cells):
        column = [row[position].strip() for row in below if position < len(row) and row[position].strip()]
        texts = cell.strip() and not NUMERIC.fullmatch(cell.strip())
        count += bool(texts and column and all(NUMERIC.fullmatch(text) or LIKE_DATA.fullmatch(text) for text in column))
    return count


def _first_full(rows: Sequence[tuple[int, Sequence[str]]], filled: Sequence[int], typical: int) -> int:
    if typical <= 1:
        return 0
    for at in range(min(len(rows), HEADING_WITHIN)):
        cells = rows[at][1]
        if filled[at] >= max(2, 0.5 * typical) and not _comment(rows, filled, at, typical):
            if _title_before_better(rows, filled, at, typical) or _groups(rows, filled, at) or _prose(rows, at):
                continue
            return at
        if at == 0 and typical == 2 and len(cells) == 2 and len(rows) > 1 and not cells[0].startswith("#"):
            following = rows[1][1]
            if any(NUMERIC.fullmatch(cell.strip()) for cell in following if cell):
                return 0
    return 0


def _comment(rows: Sequence[tuple[int, Sequence[str]]], filled: Sequence[int], at: int, typical: int) -> bool:
    """A line that begins with `#`, narrower than the rows or with better headings below it."""
    cells = rows[at][1]
    if not cells[0].lstrip().startswith("#") or len(cells[0].strip()) < 2:
        return False
    if filled[at] < typical:
        return True
    following = at + 1
    while following < len(rows) and rows[following][1][0].lstrip().startswith("#"):
        following += 1
    if following + 1 >= len(rows) or filled[following] < typical or not _all_texts(rows[following][1]):
        return False
    return following > at + 1 or not _all_texts(rows[following + 1][1])


def _title_before_better(
    rows: Sequence[tuple[int, Sequence[str]]], filled: Sequence[int], at: int, typical: int
) -> bool:
    """A half-filled row (`Period | 2024`) right above a fuller one without any number is a title, not the headings."""
    if filled[at] >= 0.75 * typical:
        return False
    for later in range(at + 1, min(at + 12, len(rows))):
        if filled[later] >= max(typical, filled[at] + 1):
            below = [row for _, row in rows[later + 1 :]]
            return bool(below) and (_all_texts(rows[later][1]) or _calendar(rows[later][1], below))
    return False


def _calendar(row: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Texts, and years or dates above columns of other numbers, as in a pivot table or statistics over time."""
    times = [(position, cell.strip()) for position, cell in enumerate(row) if TIME.fullmatch(cell.strip())]
    years = [int(cell) for _, cell in times if YEAR.fullmatch(cell)]
    steps = {later - earlier for earlier, later in pairwise(years)}
    uneven = years and (steps not in ({1}, {-1}) or len(years) < len(times))
    if not times or uneven or len({cell for _, cell in times}) < len(times):
        return False
    if not _all_texts([cell for cell in row if not TIME.fullmatch(cell.strip())]):
        return False
    columns = [[line[position].strip() for line in below if position < len(line)] for position, _ in times]
    return all(any(column) and not all(TIME.fullmatch(text) for text in column if text) for column in columns)


def _prose(rows: Sequence[tuple[int, Sequence[str]]], at: int) -> bool:
    """A title parted at the comma of its sentence: a cell begins with a space, as none of the headings below does."""
    cells = rows[at][1]
    if not any(cell.startswith(" ") and cell.strip() for cell in cells[1:]):
        return False
    usual = Counter(len(row) for _, row in rows[at + 1 :]).most_common(1)
    width = usual[0][0] if usual else 0
    later = next((row for row in range(at + 1, min(at + 12, len(rows) - 1)) if len(rows[row][1]) == width), 0)
    if not later or len(cells) > width or any(cell.startswith(" ") for _, row in rows[later:] for cell in row):
        return False
    headings = rows[later][1]
    below = [row for _, row in rows[later + 1 :]]
    return _all_texts(headings) and all(headings) and (len(cells) < width or _measured(headings, below) > 0)


def _groups(rows: Sequence[tuple[int, Sequence[str]]], filled: Sequence[int], at: int) -> bool:
    """A row that repeats what groups the columns (`,2023,2023,2024,2024`), right above the headings."""
    if rows[at][1][0].strip() or at + 2 >= len(rows) or filled[at + 1] <= filled[at]:
        return False
    names = [cell.strip() for cell in rows[at][1] if cell.strip()]
    following = rows[at + 1][1]
    texts = not any(NUMERIC.fullmatch(cell.strip()) for cell in following)
    repeated = 1 < len(set(names)) < len(names)
    return repeated and texts and _measured(following, [row for _, row in rows[at + 2 :]]) >= 2


def _all_texts(row: Sequence[str]) -> bool:
    """No number, no date, nothing twice, as in a row of headings."""
    cells = [cell.strip() for cell in row if cell.strip()]
    texts = not any(NUMERIC.fullmatch(cell) or LIKE_DATA.fullmatch(cell) for cell in cells)
    return texts and len(set(cells)) == len(cells)


def _looks_like_data(cells: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """A column of numbers or dates starts in this row already, and none only below it."""
    numbers = [cell.strip() for cell in cells if NUMERIC.fullmatch(cell.strip())]
    if _sequence(numbers):
        numbers = []
    dated = [cell for cell in cells if LIKE_DATA.fullmatch(cell.strip())]
    if not below or not (numbers or dated):
        return False
    same = 0
    for position, cell in enumerate(cells):
        column = [row[position].strip() for row in below if position < len(row) and row[position].strip()]
        if not column:
            continue
        for pattern in (NUMERIC, LIKE_DATA):
            share = sum(pattern.fullmatch(text) is not None for text in column) / len(column)
            if share >= 0.9:
                if not pattern.fullmatch(cell.strip()) or ("%" in cell and not any("%" in text for text in column)):
                    return False
                same += pattern is LIKE_DATA or bool(numbers)
    return same > 0


def _sequence(numbers: Sequence[str]) -> bool:
    """Years or a running number make headings."""
    if not all(re.fullmatch(r"\d{1,4}", text) for text in numbers) or len(numbers) < 2:
        return len(numbers) == 1 and re.fullmatch(r"(19|20)\d\d", numbers[0]) is not None
    values = [int(text) for text in numbers]
    steps = {later - earlier for earlier, later in pairwise(values)}
    return len(steps) == 1 and 0 not in steps
