"""Problems as a person reads them: one line a cause, then the rows."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np
import streamlit as st

from valar_ui.problems import Group, Severity, title
from valar_ui.session import literal

ICONS: Final = {
    Severity.ERROR: ":red[:material/cancel:]",
    Severity.WARNING: ":orange[:material/warning:]",
    Severity.NOTE: ":blue[:material/info:]",
}
NAMED_ROWS: Final = 8
TOLD_TEXTS: Final = 5
"""What a cause says of several rows is told in as many ways, each of which speaks for more than one of them."""


def distinct_rows(group: Group) -> int:
    """How many rows a cause is in: one row may have it several times, one after the other."""
    rows = np.frombuffer(group.rows, np.uint64)
    return int(np.count_nonzero(rows[1:] != rows[:-1])) + 1 if len(rows) else 0


def rows_of(group: Group) -> str:
    """`row 9`, `rows 9, 212, 388 … (16 in all)`; empty where no row is meant."""
    rows = distinct_rows(group)
    named = ", ".join(f"{row:,}" for row in list(dict.fromkeys(group.rows[: 4 * NAMED_ROWS]))[:NAMED_ROWS])
    if rows < 2:
        return f"row {named}" if rows else ""
    return f"rows {named}" + (f" … ({rows:,} in all)" if rows > NAMED_ROWS else "")


def group(group: Group) -> None:
    """One cause: what, where, what to do."""
    told = dict.fromkeys((problem.text, problem.hint) for problem in group.examples)
    times = Counter(problem.text for problem in group.examples)
    each = 1 < len(times) <= TOLD_TEXTS and min(times.values()) > 1
    if distinct_rows(group) > 1 and not each:
        # A text that quotes one row's cell speaks for that row only.
        first, hints = group.examples[0], {problem.hint for problem in group.examples}
        text = first.text if len(times) == 1 or first.row is None else f"For example row {first.row:,}: {first.text}"
        of_first = "" if len(hints) == 1 or first.row is None else f"For row {first.row:,}: "
        told = {(text, of_first + first.hint if first.hint else ""): None}
    place = [f"column {literal(group.column)}"] if group.column else []
    place += [rows_of(group)] if group.rows else []
    where = f" · {' · '.join(place)}" if place else ""
    head = f"{ICONS[group.severity]} **{title(group.code)}**{where}  \n"
    for text, hint in told:
        st.markdown(head + literal(text, most=400))
        if hint:
            st.caption(literal(hint, most=400))
        head = ""
