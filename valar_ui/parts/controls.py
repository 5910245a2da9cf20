"""The Map page's widgets: a param left out, the same for every row, or from a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from valar_ui import session
from valar_ui.ledger import Draft
from valar_ui.recipe import Fixed, FromColumn, Source

LEFT_OUT: Final = "leave out"
FIXED: Final = "same for every row"
COLUMN: Final = "from a column"


class Controls:
    """Widgets of one draft: each begins with the recipe's value and keeps its own afterwards."""

    def __init__(self, draft: Draft, columns: Sequence[str]) -> None:
        self.prefix = f"map-{draft.id}-{session.state().revision}"
        self.columns = list(columns)

    def key(self, name: str, value: Any) -> str:
        """A widget's key, its first value put in the session where it has none."""
        key = f"{self.prefix}-{name}"
        if key not in st.session_state:
            st.session_state[key] = value
        return key

    def column(
        self, name: str, label: str, value: str | None, *, none: str | None = None, bare: bool = False
    ) -> str | None:
        """A choice of one column; one that this sheet lacks stays chosen, so that it is named and mended."""
        options: list[str | None] = [*([None] if none is not None else []), *self.with_lacking(value)]
        chosen: str | None = st.selectbox(
            label,
            options,
            key=self.key(name, value if value in options else options[0]),
            format_func=lambda it: none or "" if it is None else self.named(it),
            label_visibility="collapsed" if bare else "visible",
            placeholder=none or "Choose a column",
        )
        return chosen

    def with_lacking(self, *chosen: str | None) -> list[str]:
        """The sheet's columns, then those that were chosen for another sheet and are not in this one."""
        return [*self.columns, *(it for it in chosen if it is not None and it not in self.columns)]

    def named(self, column: str) -> str:
        """A column as a choice shows it."""
        return column if column in self.columns else f"{column} (not in this sheet)"

    def source(
        self, name: str, label: str, source: Source | None, control: Any, *, required: bool = False
    ) -> Source | None:
        """A param: left out, the same everywhere, or from a column. `control(key, value)` draws the fixed value."""
        modes = [FIXED, COLUMN] if required else [LEFT_OUT, FIXED, COLUMN]
        here = COLUMN if isinstance(source, FromColumn) else FIXED if isinstance(source, Fixed) else modes[0]
        how, what = st.columns([1, 1.4], vertical_alignment="bottom")
        mode = how.selectbox(label, modes, key=self.key(f"{name}-mode", here))
        with what:
            if mode == COLUMN:
                column = self.column(f"{name}-column", f"{label}: column", getattr(source, "column", None), bare=True)
                return FromColumn(column=column) if column is not None else None
            if mode == FIXED:
                value = control(f"{label}: value", f"{name}-fixed", getattr(source, "fixed", None))
                return Fixed(fixed=value) if value not in (None, "") else None
        return None

    def whole(self, label: str, name: str, value: Any) -> int | None:
        """A whole number of at least 1, or nothing; a value that is none (from a recipe by hand) counts as nothing."""
        value = value if isinstance(value, int) and value >= 1 else None
        return st.number_input(
            label, min_value=1, step=1, placeholder="1024", key=self.key(name, value), label_visibility="collapsed"
        )

    def decimal(self, highest: float) -> Any:
        """A control for a number from 0 to `highest`."""

        def draw(label: str, name: str, value: Any) -> float | None:
            value = value if isinstance(value, int | float) and 0 <= value <= highest else None
            return st.number_input(
                label,
                0.0,
                highest,
                step=0.1,
                key=self.key(name, None if value is None else float(value)),
                label_visibility="collapsed",
            )

        return draw

    def choice(self, options: Sequence[str]) -> Any:
        """A control for one of a few words."""

        def draw(label: str, name: str, value: Any) -> str | None:
            return st.selectbox(
                label,
                list(options),
                key=self.key(name, value if value in options else options[0]),
                label_visibility="collapsed",
            )

        return draw

    def text(self, label: str, name: str, value: Any) -> str | None:
        """A line of text."""
        return st.text_input(label, key=self.key(name, value or ""), label_visibility="collapsed")

    def model(self, label: str, name: str, value: Any) -> str | None:
        """One of the account's models, or a name typed freely."""
        known = list(session.models())
        options = known if value is None or value in known else [value, *known]
        first = value or (options[0] if options else None)
        return st.selectbox(
            label,
            options,
            key=self.key(name, first),
            accept_new_options=True,
            placeholder="Type a model's name",
            label_visibility="collapsed",
        )
