"""Personal data in the columns that are sent: e-mail, phone, IBAN.

The search runs on the Arrow data in a thread of its own and holds no Python lock while it does.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from typing import Final

import pyarrow.compute as pc

from valar_ui.table import Table

EMAIL: Final = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
PHONE: Final = (
    r"(?:\+|\b00)[1-9][0-9 ()./-]{7,17}[0-9]"
    r"|\b0[1-9][0-9]{1,3}[ /-][0-9]{3,4}[ -]?[0-9]{3,5}\b"
    r"|\(?\b[2-9][0-9]{2}\)?[-. ][0-9]{3}[-.][0-9]{4}\b"
)
IBAN: Final = r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"
KINDS: Final = {"email": EMAIL, "phone": PHONE, "iban": IBAN}
"""What is looked for; an IBAN must also have the right check digits."""

_ANY: Final = "|".join(KINDS.values())
_COMPILED: Final = {kind: re.compile(pattern, re.ASCII) for kind, pattern in KINDS.items()}

Found = dict[tuple[str, str], "array[int]"]
"""(kind, column) → spreadsheet rows, ascending."""


def kinds_in(text: str) -> tuple[str, ...]:
    """The kinds of personal data a text seems to hold."""
    kinds = ["email"] if _COMPILED["email"].search(text) else []
    # The digits of an IBAN may look like a phone number.
    if _COMPILED["phone"].search(_COMPILED["iban"].sub(" ", text)):
        kinds.append("phone")
    if any(is_iban(match[0]) for match in _COMPILED["iban"].finditer(text)):
        kinds.append("iban")
    return tuple(kinds)


def is_iban(text: str) -> bool:
    """Whether the check digits of an IBAN are right (ISO 13616: remainder 1 by 97)."""
    plain = text.replace(" ", "")
    if not 15 <= len(plain) <= 34:
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def personal_data(table: Table, columns: Sequence[str]) -> Found:
    """Which rows of which columns hold which kind; edited cells are not seen here."""
    found: Found = {}
    for part in table.slices(columns):
        for column, cells in part.columns.items():
            suspects = pc.indices_nonzero(pc.match_substring_regex(cells, _ANY))
            for at in suspects.to_pylist():
                for kind in kinds_in(cells[at].as_py()):
                    found.setdefault((kind, column), array("Q")).append(part.numbers[at].as_py())
    return found


def personal_data_in(row: int, column: str, text: str, found: Found) -> None:
    """Correct what was found for one cell that was edited."""
    kinds = kinds_in(text)
    for kind in KINDS:
        rows = found.get((kind, column), array("Q"))
        kept = sorted({*rows, row} if kind in kinds else set(rows) - {row})
        if kept:
            found[(kind, column)] = array("Q", kept)
        else:
            found.pop((kind, column), None)


__all__ = ["KINDS", "Found", "is_iban", "kinds_in", "personal_data", "personal_data_in"]
