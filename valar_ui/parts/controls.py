"""The Map page's widgets: a param left out, the fixed value, or from a column."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import orjson
import streamlit as st

from valar_ui import session
from valar_ui.flaws import is_integer, is_number
from valar_ui.ledger import Draft
from valar_ui.recipe import Fixed, FromColumn, Source

LEFT_OUT: Final = "leave out"
FIXED: Final = "fixed value"
COLUMN: Final = "from a column"
BIGGEST_SHOWN: Final = 1 << 53
"""Whole numbers from here on are none that a browser tells apart."""
NOTHING: Final = ""
"""The choice of no column; no column has an empty name."""


class Controls:
    """Widgets of one draft: each begins with the recipe's value and keeps its own afterwards.

    The recipe's value is each widget's default, not put into the session: a browser that draws a widget anew, after a
    look at another page, then shows what the recipe has.
    """

    def __init__(self, draft: Draft, columns: Sequence[str]) -> None:
        self.prefix = f"map-{draft.id}-{session.state().revision}"
        self.columns = list(columns)

    def key(self, name: str) -> str:
        """A widget's key."""
        return f"{self.prefix}-{name}"

    def column(
        self, name: str, label: str, value: str | None, *, none: str | None = None, bare: bool = False
    ) -> str | None:
        """A choice of one column; one that this sheet lacks stays chosen, so that it is named and mended.

        With `none`, the words for it, no column can be chosen as well.
        """
        options = [*([NOTHING] if none is not None else []), *self.with_lacking(value)]
        chosen: str | None = st.selectbox(
            label,
            options,
            options.index(value) if value is not None else 0 if none is not None else None,
            key=self.key(name),
            format_func=lambda it: self.named(it) if it else none or "",
            label_visibility="collapsed" if bare else "visible",
            placeholder=none or "Choose a column",
        )
        return chosen or None

    def with_lacking(self, *chosen: str | None) -> list[str]:
        """The sheet's columns, then those that were chosen for another sheet and are not in this one."""
        return [*self.columns, *(it for it in chosen if it is not None and it not in self.columns)]

    def named(self, column: str) -> str:
        """A column as a choice shows it."""
        return column if column in self.columns else f"{column} (not in this sheet)"

    def source(
        self,
        name: str,
        label: str,
        source: Source | None,
        control: Any,
        *,
        required: bool = False,
        help: str | None = None,
    ) -> Source | None:
        """A param: left out, the same everywhere, or from a column. `control(key, value)` draws the fixed value."""
        modes = [FIXED, COLUMN] if required else [LEFT_OUT, FIXED, COLUMN]
        here = COLUMN if isinstance(source, FromColumn) else FIXED if isinstance(source, Fixed) else modes[0]
        with st.container():
            how, what = st.columns([1, 2] if required else [1, 1.4], vertical_alignment="bottom")
            below = st.container()
        mode = how.selectbox(label, modes, modes.index(here), key=self.key(f"{name}-mode"), help=help)
        with what:
            if mode == COLUMN:
                column = self.column(f"{name}-column", f"{label}: column", getattr(source, "column", None), bare=True)
                return FromColumn(column=column) if column is not None else None
            if mode == FIXED:
                value = control(f"{label}: value", f"{name}-fixed", getattr(source, "fixed", None))
                if value not in (None, ""):
                    return Fixed(fixed=value)
                if not required:
                    below.caption("Left out until there is a value here.")
        return None

    def whole(self, label: str, name: str, value: Any) -> int | None:
        """A whole number of at least 1, or nothing; a value that is none (from a recipe by hand) counts as nothing."""
        whole: int | None = value if is_integer(value) and 1 <= value < BIGGEST_SHOWN else None
        return st.number_input(
            label,
            min_value=1,
            value=whole,
            step=1,
            placeholder="1024 tokens",
            key=self.key(name),
            label_visibility="collapsed",
        )

    def decimal(self, highest: float) -> Any:
        """A control for a number from 0 to `highest`."""

        def draw(label: str, name: str, value: Any) -> float | None:
            value = value if is_number(value) and 0 <= value <= highest else None
            return st.number_input(
                label,
                0.0,
                highest,
                None if value is None else float(value),
                step=0.1,
                key=self.key(name),
                label_visibility="collapsed",
            )

        return draw

    def choice(self, options: Sequence[str]) -> Any:
        """A control for one of a few words."""

        def draw(label: str, name: str, value: Any) -> str | None:
            listed = list(options) if value is None or value in options else [str(value), *options]
            return st.selectbox(
                label,
                listed,
                listed.index(str(value)) if value is not None else 0,
                key=self.key(name),
                label_visibility="collapsed",
            )

        return draw

    def json_object(
        self, name: str, label: str, value: dict[str, Any], *, height: int, placeholder: str = "", blank: bool = False
    ) -> dict[str, Any]:
        """A JSON object as text. A text that is none yet stays in the box and the value as it was; see `unfinished`.

        `blank`: no text stands for no entries.
        """
        kept = self.key(f"{name}-unfinished")
        shown = "" if blank and not value else json.dumps(value, indent=2, ensure_ascii=False)
        text = st.text_area(
            label, st.session_state.get(kept, shown), key=self.key(name), height=height, placeholder=placeholder
        )
        if blank and not text.strip():
            st.session_state.pop(kept, None)
            return {}
        told = 'It is an object: {"name": value}.'
        try:
            found = orjson.loads(text)
        except orjson.JSONDecodeError as fault:
            found, told = None, f"This is no JSON yet, line {fault.lineno}: {session.literal(fault.msg)}."
        if isinstance(found, dict):
            st.session_state.pop(kept, None)
            return found
        st.session_state[kept] = text
        st.error(f"{told} The last good version stays in use.")
        return value

    def unfinished(self, *names: str) -> str | None:
        """The first of these JSON objects whose text is none yet, also while its box is folded away."""
        return next((name for name in names if self.key(f"{name}-unfinished") in st.session_state), None)

    def text(self, label: str, name: str, value: Any) -> str | None:
        """A line of text."""
        return st.text_input(label, value or "", key=self.key(name), label_visibility="collapsed")

    def model(self, label: str, name: str, value: Any) -> str | None:
        """One of the account's models, or a name typed freely."""
        known = list(session.models())
        options = known if value is None or value in known else [value, *known]
        return st.selectbox(
            label,
            options,
            options.index(value or options[0]) if options else None,
            key=self.key(name),
            accept_new_options=True,
            placeholder="Type a model's name",
            label_visibility="collapsed",
        )
