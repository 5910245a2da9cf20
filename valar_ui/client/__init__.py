"""The HTTP calls to Valar; each failure is named by what to do next, and none holds the key."""

from valar_ui.client.calls import Answered, BatchDetail, Valar, warm_up
from valar_ui.client.faults import (
    MAX_RETRY_AFTER,
    BadKey,
    KeyReused,
    NoCredit,
    NotAvailable,
    Refused,
    Throttled,
    TooLarge,
    Unknown,
    Unreachable,
    ValarFault,
    retry_after,
)
from valar_ui.client.keys import Keyring, account_of
from valar_ui.ledger import Account, Destination

__all__ = [
    "MAX_RETRY_AFTER",
    "Account",
    "Answered",
    "BadKey",
    "BatchDetail",
    "Destination",
    "KeyReused",
    "Keyring",
    "NoCredit",
    "NotAvailable",
    "Refused",
    "Throttled",
    "TooLarge",
    "Unknown",
    "Unreachable",
    "Valar",
    "ValarFault",
    "account_of",
    "retry_after",
    "warm_up",
]
