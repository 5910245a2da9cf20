"""Table × Recipe → requests: the only row loop. A preview is a slice of it.

A row becomes a `Composed`: its custom_id, its params, the exact bytes, and what is wrong with its cells. Rules that
need more than one row, and rules about the recipe itself, live in `checks`.
"""

from valar_ui.compose.asked import (
    fixed_params,
    prompt_columns,
    sendable,
    sent_columns,
    sources,
    used_columns,
    with_column,
)
from valar_ui.compose.loop import Composed, compose, compose_many, placed, preview
from valar_ui.compose.many import Many

__all__ = [
    "Composed",
    "Many",
    "compose",
    "compose_many",
    "fixed_params",
    "placed",
    "preview",
    "prompt_columns",
    "sendable",
    "sent_columns",
    "sources",
    "used_columns",
    "with_column",
]
