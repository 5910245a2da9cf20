"""Rows that look like no record: totals, sources, notes, comments, headings once more. Proposed, never dropped."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from valar_ui.problems import PROBLEM_HEADING
from valar_ui.readers.reading import Footer

TAIL: Final = 12
"""Rows at the end that may be totals, sources or notes."""

TOTAL: Final = re.compile(
    r"(grand |sub|overall )?(totals?|total général|sum|sums|summe|gesamt(summe)?|somme|totale|suma|soma|totaal|итого"
    r"|合計|总计|average|mean|mittelwert|moyenne)\b.*",
    re.IGNORECASE,
)
SOURCE: Final = re.compile(
    r"(sources?|notes?|footnotes?|fuentes?|nota|notas|quellen?|anmerkung(en)?|fonte|fonti|bron|źródło|remarks?"
    r"|disclaimer|copyright|generated|exported|created|last updated|updated|data (from|as of)|as of|stand|hinweis"
    r"|applied filters)\b\s*[:：(]?.*|[©*†]\s?\S.*",
    re.IGNORECASE | re.DOTALL,
)
RULERS: Final = frozenset("-=_+~*:|")
RULE: Final = re.compile(r"[-=_+~*:| ]{3,}")
"""A line drawn with characters, as below the headings of a printed table."""

COUNT: Final = re.compile(
    r"\(?\d[\d,.]* (rows?|records?|results?|zeilen|lignes|filas)( (affected|selected|returned))?\)?\.?", re.IGNORECASE
)

EARLY: Final = 1_000
"""Rows that tell how many cells of a row are filled."""

MOST: Final = 50
"""Rows of one kind in the middle of the table that are proposed one by one."""


class Footers:
    """Sees each row once; `found` tells which look like no record."""

    def __init__(self, headings: Sequence[str]) -> None:
        """`headings`: the cells of the row of headings, as typed; empty where there is none."""
        self._headings = [cell.strip() for cell in headings]
        self._told = [at for at, heading in enumerate(self._headings) if heading == PROBLEM_HEADING]
        for at in self._told:
            self._headings[at] = ""
        self._comparable = sum(map(bool, self._headings)) >= 2
        self._tail: deque[tuple[int, list[str]]] = deque(maxlen=TAIL)
        self._inside: list[Footer] = []
        self._filled = 0
        self._rows = 0

    def see(self, number: int, cells: list[str]) -> None:
        """One row of the table, in order; what its Problem column tells is none of its cells."""
        if self._told:
            cells = ["" if at in self._told else cell for at, cell in enumerate(cells)]
        self._tail.append((number, cells))
        self._rows += 1
        self._filled += sum(map(bool, cells)) if self._rows <= EARLY else 0
        first = cells[0]
        if first.startswith("#") and len(self._inside) < MOST and sum(map(bool, cells)) == 1 and len(cells) > 1:
            self._inside.append(Footer(number, "comment", first))
        elif len(self._inside) < MOST and _is_rule(cells):
            self._inside.append(Footer(number, "rule", " · ".join(filter(None, cells))[:200]))
        elif (
            self._comparable
            and first.strip() == self._headings[0]
            and len(self._inside) < MOST
            and [cell.strip() for cell in cells][: len(self._headings)] == self._headings
        ):
            self._inside.append(Footer(number, "headings", " · ".join(filter(None, self._headings))))

    def see_bulk(self, numbers: npt.NDArray[np.int64], columns: Sequence[pa.Array]) -> None:
        """Consecutive rows, in order: only those are looked at one by one that may be told or counted."""
        seen = self._rows
        looked_at = pc.starts_with(columns[0], "#").to_numpy(zero_copy_only=False).copy()
        looked_at |= self._like_headings(columns)
        looked_at[: max(0, EARLY - seen)] = True
        looked_at[-TAIL:] = True
        for place in np.flatnonzero(looked_at).tolist():
            self._rows = seen + place
            self.see(int(numbers[place]), [column[place].as_py() for column in columns])
        self._rows = seen + len(numbers)

    def _like_headings(self, columns: Sequence[pa.Array]) -> npt.NDArray[np.bool_]:
        """Rows that hold every heading somewhere in its column."""
        like = np.full(len(columns[0]), self._comparable)
        for heading, column in zip(self._headings, columns, strict=False):
            if heading and like.any():
                like &= pc.match_substring(column, heading).to_numpy(zero_copy_only=False)
        return like

    def found(self) -> tuple[Footer, ...]:
        """In row order."""
        known = {footer.row for footer in self._inside}
        tail = [footer for footer in self._at_end() if footer.row not in known]
        return tuple(sorted([*self._inside, *tail], key=lambda footer: footer.row))

    def _at_end(self) -> list[Footer]:
        width = len(self._tail[0][1]) if self._tail else 0
        if width < 2 or self._rows < 2:
            return []
        typical = self._filled / min(self._rows, EARLY)
        found: list[Footer] = []
        for number, cells in reversed(self._tail):
            filled = [cell.strip() for cell in cells if cell.strip()]
            if not filled:
                break
            first = filled[0]
            text = " · ".join(filled)[:200]
            sparse = len(filled) <= max(1, 0.4 * typical)
            if TOTAL.fullmatch(first) and (sparse or len(first) < 40):
                found.append(Footer(number, "total", text))
            elif len(filled) <= 2 and (SOURCE.fullmatch(first) or COUNT.fullmatch(first)):
                found.append(Footer(number, "source", text))
            elif sparse and typical >= 2.5 and len(filled) <= max(1, typical / 3):
                found.append(Footer(number, "note", text))
            else:
                break
        return found if len(found) < self._rows else []


def _is_rule(cells: Sequence[str]) -> bool:
    """Nothing but lines drawn with characters, at least one of them."""
    first = next((cell for cell in cells if cell), "").lstrip()
    return first[:1] in RULERS and all(RULE.fullmatch(cell.strip()) for cell in cells if cell.strip())
