"""What is written down before it is done: drafts, recipes, submissions, batches, in one SQLite file."""

from valar_ui.ledger.batches import Batch, Batches, BatchState
from valar_ui.ledger.database import LedgerBusy, LedgerFault, LedgerFull, LedgerTooNew
from valar_ui.ledger.dispatches import Dispatches, PartToSend
from valar_ui.ledger.drafts import Draft, Drafts, NoSuchDraft, SavedRecipe, headers_key
from valar_ui.ledger.files import Files
from valar_ui.ledger.lease import Holder
from valar_ui.ledger.rows import NoSuchDispatch, NotPossible, SentBefore
from valar_ui.ledger.sending import CLOCK_SLACK_S, Accepted, Alive, Ending, Sending, due, tried_enough
from valar_ui.ledger.submission import (
    MAX_TRIES,
    WINDOW_S,
    Account,
    Attempt,
    Candidate,
    Destination,
    Dispatch,
    Outcome,
    Reason,
    State,
    Submission,
)
from valar_ui.ledger.words import ACTIONS, LOOKED_FOR, clock

__all__ = [
    "ACTIONS",
    "CLOCK_SLACK_S",
    "LOOKED_FOR",
    "MAX_TRIES",
    "WINDOW_S",
    "Accepted",
    "Account",
    "Alive",
    "Attempt",
    "Batch",
    "BatchState",
    "Candidate",
    "Destination",
    "Dispatch",
    "Draft",
    "Ending",
    "Holder",
    "Ledger",
    "LedgerBusy",
    "LedgerFault",
    "LedgerFull",
    "LedgerTooNew",
    "NoSuchDispatch",
    "NoSuchDraft",
    "NotPossible",
    "Outcome",
    "PartToSend",
    "Reason",
    "SavedRecipe",
    "SentBefore",
    "State",
    "Submission",
    "clock",
    "due",
    "headers_key",
    "tried_enough",
]


class Ledger(Drafts, Dispatches, Sending, Batches, Files):
    """The whole ledger; safe to share between threads, and between processes through the file."""
