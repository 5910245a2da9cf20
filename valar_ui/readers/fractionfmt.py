"""Numbers in a format such as `# ?/?`: fractions, where the fraction is the number itself."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

FORM: Final = re.compile(r"(?:([0#?]+) +)?[0#?]+ ?/ ?([0#?]+|[1-9]\d{0,4})")


def parts(plain: str) -> tuple[str, str] | None:
    """The places before a fraction and those of its denominator (or the denominator), of a format that is one."""
    match = FORM.fullmatch(plain.strip())
    return None if match is None else (match[1] or "", match[2])


def text(value: float, whole: str, below: str) -> str | None:
    """The fraction; None where it would only be near the number."""
    if not abs(value) < 1e15:
        return None
    number = Fraction(abs(value))
    if below.strip("0#?"):
        denominator = int(below)
        above = round(number * denominator)
    else:
        nearest = number.limit_denominator(10 ** min(len(below), 6) - 1)
        above, denominator = nearest.numerator, nearest.denominator
    if f"{above / denominator:.15g}" != f"{abs(value):.15g}":
        return None
    sign = "-" if value < 0 else ""
    before, above = divmod(above, denominator) if whole else (0, above)
    if whole and not above:
        return f"{sign}{before}"
    return f"{sign}{before} {above}/{denominator}" if before else f"{sign}{above}/{denominator}"
