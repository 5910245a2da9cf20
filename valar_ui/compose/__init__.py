"""Table × Recipe → requests: the only row loop. A preview is a slice of it.

A row becomes a `Composed`: its custom_id, its params, the exact bytes, and what is wrong with its cells. Rules that
need more than one row, and rules about the recipe itself, live in `checks`.
"""

from valar_ui.compose.asked import fixed_params, sendable, sent_columns, sources, used_columns
from valar_ui.compose.loop import Composed, compose, placed, preview

__all__ = [
    "Composed",
    "compose",
    "fixed_params",
    "placed",
    "preview",
    "sendable",
    "sent_columns",
    "sources",
    "used_columns",
]
