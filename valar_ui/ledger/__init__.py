"""What is written down before it is done: drafts, recipes, submissions, batches, in one SQLite file."""

from valar_ui.ledger.database import LedgerBusy, LedgerFault, LedgerFull, LedgerTooNew
from valar_ui.ledger.drafts import Draft, Drafts, NoSuchDraft, SavedRecipe, headers_key

__all__ = [
    "Draft",
    "Ledger",
    "LedgerBusy",
    "LedgerFault",
    "LedgerFull",
    "LedgerTooNew",
    "NoSuchDraft",
    "SavedRecipe",
    "headers_key",
]


class Ledger(Drafts):
    """The whole ledger; safe to share between threads, and between processes through the file."""
