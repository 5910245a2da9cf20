"""States as sentences, the next steps, and the receipt; a page shows these and adds nothing."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any, Final

from valar_ui.ledger.submission import MAX_TRIES, WINDOW_S, Dispatch, Reason, State, Submission

ACTIONS: Final = {
    "retry_now": "Try again now",
    "ask_again": "Ask again under the same key",
    "give_key": "Give the API key",
    "adopt": "This is my batch",
    "send_again": "Send it again as a new batch",
    "split": "Split it in two",
    "run_as_background": "Run as background requests",
    "stop_remaining": "Stop sending the remaining parts",
}
"""What a person can do, by stable code, with the text for its button."""

_RETRYING: Final = {
    Reason.UNREACHABLE: "Can't reach Valar.",
    Reason.THROTTLED: "Valar asks to wait before sending more.",
    Reason.TROUBLE: "Valar is having trouble, try {attempt} of {most}.",
    Reason.ASKED: "Asking again under the same key.",
}

_HELD: Final = {
    Reason.NO_KEY: "Waiting for the API key: give the same key on Connection and it goes on by itself.",
    Reason.AUTH: "Valar does not accept the API key. Give the key again.",
    Reason.OTHER_KEY: "It may have been accepted under the old key. Look at what was found before it is sent again.",
    Reason.NO_CREDIT: "No credit left. Add credit to the account, then try again.",
    Reason.NO_BATCHES_API: "This account has no Batches API yet. Nothing was accepted.",
    Reason.SPOOL_GONE: "The prepared bytes are gone, so the same bytes cannot be sent again.",
    Reason.IDEMPOTENCY: "Stopped: the contents differ from what was sent under this key. It is not sent again.",
    Reason.UNCERTAIN: "Valar may have accepted it, and did not say. Look at what was found, then decide.",
}

_HELD_ACTIONS: Final[dict[Reason, tuple[str, ...]]] = {
    Reason.NO_KEY: ("give_key",),
    Reason.AUTH: ("give_key",),
    Reason.OTHER_KEY: ("adopt", "give_key", "send_again"),
    Reason.NO_CREDIT: ("retry_now",),
    Reason.NO_BATCHES_API: ("run_as_background", "retry_now"),
    Reason.SPOOL_GONE: ("adopt",),
    Reason.IDEMPOTENCY: ("adopt", "send_again"),
    Reason.UNCERTAIN: ("adopt", "ask_again", "send_again"),
}


def words(one: Submission) -> str:
    """What the person sees for one submission: what happened, and what happens next."""
    match one.state:
        case State.QUEUED:
            return f"{one.message} It goes on by itself." if one.message else "Waiting for its turn."
        case State.SEALED:
            return "Ready to be sent."
        case State.SENDING:
            return "Checking whether Valar got it." if one.uncertain_since is not None else "Sending."
        case State.RETRYING:
            return _retrying(one)
        case State.ACCEPTED:
            return f"Accepted as {one.batch_id} at {clock(one.finished_at)}."
        case State.REJECTED if one.reason is Reason.TOO_LARGE:
            return f"Valar finds it too large: {one.body_bytes:,} bytes. Nothing was accepted. It can be split in two."
        case State.REJECTED:
            return f"Valar refused it: {one.message} Nothing was accepted. Correct it and submit again."
        case State.HELD:
            return _held(one)
        case State.STOPPED:
            return "Stopped before it was sent."
    return "Replaced by another submission."


def _retrying(one: Submission) -> str:
    sentence = _RETRYING.get(one.reason, "Waiting.").format(attempt=one.attempt, most=MAX_TRIES)
    when = f" Next try at {clock(one.next_at)}." if one.next_at is not None and one.reason is not Reason.ASKED else ""
    unsure = " Checking whether Valar got it." if one.uncertain and one.reason is not Reason.ASKED else ""
    return f"{sentence}{unsure}{when}"


def _held(one: Submission) -> str:
    sentence = _HELD[one.reason]
    if one.reason is Reason.NO_BATCHES_API and one.uncertain:
        sentence = "This account has no Batches API now. An earlier try may have been accepted."
    if one.message and one.reason not in (Reason.NO_KEY, Reason.SPOOL_GONE):
        sentence += f" Valar said: {one.message}"
    if one.uncertain and one.reason in (Reason.NO_KEY, Reason.AUTH, Reason.NO_CREDIT):
        sentence += " Valar may have it already; that is checked first."
    if _looks(one):
        if one.candidates is None:
            sentence += " The account's batches are being looked through."
        elif one.candidates:
            sentence += f" Found: {_found(one)}."
        else:
            sentence += f" No batch labelled {one.label} with {one.requests:,} requests was found."
    return sentence


def _found(one: Submission) -> str:
    return ", ".join(f"{found.id} made {clock(found.created_at)}" for found in one.candidates or ())


def _looks(one: Submission) -> bool:
    return one.reason in LOOKED_FOR and one.uncertain_since is not None


LOOKED_FOR: Final = frozenset({Reason.UNCERTAIN, Reason.OTHER_KEY, Reason.SPOOL_GONE, Reason.IDEMPOTENCY})
"""Reasons to look through the account's batches, where the submission may have been accepted."""


def actions(one: Submission) -> tuple[str, ...]:
    """What the person can do, the likeliest first."""
    if one.state is State.RETRYING:
        return () if one.reason in (Reason.THROTTLED, Reason.ASKED) else ("retry_now",)
    if one.state is State.REJECTED and one.reason is Reason.TOO_LARGE:
        return ("split",) if one.requests > 1 else ()
    if one.state is not State.HELD:
        return ()
    possible = _HELD_ACTIONS[one.reason]
    if one.reason is Reason.NO_BATCHES_API and one.uncertain:
        possible = ("retry_now",)
    return tuple(code for code in possible if code != "adopt" or one.candidates)


def summary(dispatch: Dispatch) -> str:
    """All parts in one sentence: "2 of 5 parts confirmed, 1 uncertain: asking again under the same key"."""
    parts = dispatch.parts
    if len(parts) == 1:
        return words(parts[0])
    groups = Counter(_standing(one) for one in parts)
    confirmed = groups.pop("confirmed", 0)
    told = [f"{confirmed} of {len(parts)} parts confirmed"]
    for standing in _STANDINGS:
        if groups[standing]:
            told.append(f"{groups[standing]} {standing}")
    return ", ".join(told) + "."


_STANDINGS: Final = (
    "uncertain: asking again under the same key",
    "uncertain: you decide",
    "on the way",
    "to be tried again",
    "waiting",
    "held",
    "refused",
    "stopped",
)


def _standing(one: Submission) -> str:
    if one.uncertain:
        return _STANDINGS[0] if one.moving else _STANDINGS[1]
    return {
        State.ACCEPTED: "confirmed",
        State.SENDING: "on the way",
        State.RETRYING: "to be tried again",
        State.HELD: "held",
        State.REJECTED: "refused",
        State.STOPPED: "stopped",
    }.get(one.state, "waiting")


def receipt(one: Submission) -> dict[str, Any]:
    """What was sealed, every try and the id, as plain values."""
    return {
        "part": one.part,
        "of": one.parts,
        "generation": one.generation,
        "state": one.state.value,
        "reason": one.reason.value,
        "words": words(one),
        "batch_id": one.batch_id,
        "label": one.label,
        "requests": one.requests,
        "bytes": one.body_bytes,
        "sha256": one.sha256,
        "idempotency_key": one.idempotency_key,
        "sealed_at": moment(one.sealed_at),
        "first_sent_at": moment(one.first_sent_at),
        "finished_at": moment(one.finished_at),
        "account": {"kind": one.account.kind, "base_url": one.account.base_url, "key": one.account.fingerprint[:8]},
        "attempts": [
            {
                "number": attempt.number,
                "started_at": moment(attempt.started_at),
                "ended_at": moment(attempt.ended_at),
                "outcome": attempt.outcome.value if attempt.outcome else "under way",
                "status": attempt.status,
                "type": attempt.type,
                "message": attempt.message,
                "x_request_id": attempt.request_id,
            }
            for attempt in one.attempts
        ],
    }


def dispatch_receipt(dispatch: Dispatch) -> dict[str, Any]:
    """Every submission of a click, superseded ones too."""
    return {
        "dispatch": dispatch.id,
        "file": dispatch.file_name,
        "submitted_at": moment(dispatch.created_at),
        "contents_sha256": dispatch.content_sha256,
        "summary": summary(dispatch),
        "parts": [receipt(one) for one in dispatch.submissions],
    }


def receipt_text(dispatch: Dispatch) -> str:
    """The receipt as lines to read; times in UTC."""
    lines = [
        f"File              {dispatch.file_name}",
        f"Submitted         {moment(dispatch.created_at)}",
        f"Receipt           {dispatch.id}",
        f"Summary           {summary(dispatch)}",
    ]
    for one in dispatch.submissions:
        lines += [
            "",
            f"Part {one.part} of {one.parts}" + (f", generation {one.generation}" if one.generation > 1 else ""),
            f"  Batch id        {one.batch_id or 'none yet'}",
            f"  State           {words(one)}",
            f"  Label           {one.label}",
            f"  Sealed          {one.requests:,} requests, {one.body_bytes:,} bytes, at {moment(one.sealed_at)}",
            f"  SHA-256         {one.sha256 or 'not sealed'}",
            f"  Account         {one.account.kind}, {one.account.base_url}, key {one.account.fingerprint[:8]}",
            f"  Idempotency-Key {one.idempotency_key or 'not sealed'}",
        ]
        for attempt in one.attempts:
            outcome = attempt.outcome.value if attempt.outcome else "under way"
            status = f" {attempt.status}" if attempt.status else ""
            asked = f", X-Request-ID {attempt.request_id}" if attempt.request_id else ""
            said = f": {attempt.message}" if attempt.message else ""
            lines.append(f"  Try {attempt.number:<3} {moment(attempt.started_at)}  {outcome}{status}{asked}{said}")
    lines += ["", f"The same bytes go under the same key for {WINDOW_S / 60:.0f} minutes; then a person decides."]
    return "\n".join(lines) + "\n"


def clock(when: float | None) -> str:
    """A moment as a clock shows it here, with the date where that is not today."""
    if when is None:
        return "an unknown time"
    local = datetime.fromtimestamp(when).astimezone()
    today = datetime.now().astimezone().date()
    return local.strftime("%H:%M:%S %Z" if local.date() == today else "%Y-%m-%d %H:%M:%S %Z")


def moment(when: float | None) -> str | None:
    """A moment in UTC, to the second."""
    return None if when is None else datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
