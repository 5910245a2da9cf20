"""Problems as a person reads them: one line a cause, then the rows."""

from __future__ import annotations

from typing import Final

import streamlit as st

from valar_ui.problems import Group, Severity, title
from valar_ui.session import literal

ICONS: Final = {
    Severity.ERROR: ":red[:material/cancel:]",
    Severity.WARNING: ":orange[:material/warning:]",
    Severity.NOTE: ":blue[:material/info:]",
}
NAMED_ROWS: Final = 8


def rows_of(group: Group) -> str:
    """`row 9`, `rows 9, 212, 388 … (16)`; empty where no row is meant."""
    if not group.rows:
        return ""
    named = ", ".join(f"{row:,}" for row in group.rows[:NAMED_ROWS])
    if len(group.rows) == 1:
        return f"row {named}"
    return f"rows {named}" + (f" … ({len(group.rows):,} in all)" if len(group.rows) > NAMED_ROWS else "")


def group(group: Group) -> None:
    """One cause: what, where, what to do."""
    first = group.examples[0]
    texts = {problem.text for problem in group.examples}
    hints = {problem.hint for problem in group.examples}
    # A text that quotes one row's cell speaks for that row only.
    text = first.text if len(texts) == 1 or first.row is None else f"For example row {first.row:,}: {first.text}"
    place = [f"column {literal(group.column)}"] if group.column else []
    place += [rows_of(group)] if group.rows else []
    where = f" · {' · '.join(place)}" if place else ""
    st.markdown(f"{ICONS[group.severity]} **{title(group.code)}**{where}  \n{literal(text, most=400)}")
    if first.hint:
        of_first = "" if len(hints) == 1 or first.row is None else f"For row {first.row:,}: "
        st.caption(of_first + literal(first.hint, most=400))
