"""Sends each Part exactly once: the click, the sender that takes it step by step, and what is cleaned up after."""

from valar_ui.outbox.cleaning import DiskUsage, cleanup, disk_usage, sweep_spool
from valar_ui.outbox.clicks import (
    Contents,
    NotReady,
    SentBefore,
    adopt,
    ago,
    ask_again,
    give_key,
    plan_to_send,
    retry_now,
    row_of_refusal,
    run_as_background,
    send_again,
    sent_before,
    sent_before_words,
    split,
    stop_remaining,
    submit,
)
from valar_ui.outbox.sender import Outbox
from valar_ui.outbox.sources import batch_lane, prepared_body

__all__ = [
    "Contents",
    "DiskUsage",
    "NotReady",
    "Outbox",
    "SentBefore",
    "adopt",
    "ago",
    "ask_again",
    "batch_lane",
    "cleanup",
    "disk_usage",
    "give_key",
    "plan_to_send",
    "prepared_body",
    "retry_now",
    "row_of_refusal",
    "run_as_background",
    "send_again",
    "sent_before",
    "sent_before_words",
    "split",
    "stop_remaining",
    "submit",
    "sweep_spool",
]
