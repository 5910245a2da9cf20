"""What became of a request at a given moment, computed from the clock and its draw: status, answer, usage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from valar_ui.sandbox.catalogue import MODELS
from valar_ui.sandbox.conform import Unsatisfiable
from valar_ui.sandbox.samples import sample
from valar_ui.sandbox.store import Job

NOTICES: Final = (
    "This answer comes from the built-in sandbox: no model has read your request.",
    "Sandbox answer. Nothing was sent to Valar and nothing was billed.",
    "The sandbox made this up: it stands where the model's answer will be.",
    "Made-up answer of the local sandbox; a real model will have more to say.",
)
"""Every text answer begins with one of these."""

UNLUCKY: Final = "The sandbox lets a small share of the requests fail; this is one of them."
"""The message of a failure without a reason."""

TOKENS_A_WORD: Final = 1.4
"""How the sandbox counts output tokens."""


class Status(StrEnum):
    """Where a request stands; the last two are final."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


def status_at(draw: int, fails: bool, *, age: float, pace: float) -> Status:
    """The status `age` seconds after creation; everything is done at `pace` seconds."""
    starts = (draw & 0xFFFF) / 0x10000 * 0.5
    ends = starts + 0.1 + (draw >> 16 & 0xFFFF) / 0x10000 * (0.9 - starts)
    if age < starts * pace:
        return Status.PENDING
    if age < ends * pace:
        return Status.RUNNING
    return Status.FAILED if fails else Status.COMPLETED


def unlucky(draw: int, fail_share: float) -> bool:
    """Whether a request is among the share of those that fail without a reason."""
    return (draw >> 32 & 0xFFFFFF) / 0x1000000 < fail_share


def flaw_of(echo: Mapping[str, Any]) -> dict[str, str] | None:
    """Why every request with these params fails, as the answer's `error`; None where they are good."""
    if echo["model"] not in MODELS:
        text = f"The sandbox has no model {echo['model']!r}. GET /v1/models lists those it has."
        return {"code": "model_not_found", "message": text}
    schema = echo.get("text", {}).get("format", {}).get("schema")
    if schema is not None:
        try:
            sample(schema, seed=0)
        except Unsatisfiable as fault:
            return {"code": "invalid_json_schema", "message": f"The sandbox found no answer that fits: {fault}."}
    return None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a finished request ended: a text, or an error."""

    text: str | None
    error: dict[str, str] | None
    cut: bool = False
    """The text was cut at max_output_tokens."""


def outcome_of(job: Job, echo: dict[str, Any]) -> Outcome:
    """The same for the same body, seed and custom_id, every time."""
    if job.fails:
        return Outcome(None, flaw_of(echo) or {"code": "server_error", "message": UNLUCKY})
    schema = echo.get("text", {}).get("format", {}).get("schema")
    if schema is not None:
        return Outcome(json.dumps(sample(schema, seed=job.draw), ensure_ascii=False), None)
    notice = NOTICES[job.draw % len(NOTICES)]
    text = f"{notice} ({job.name}, {echo['model']}, about {job.input_tokens} input tokens)"
    allowed = echo.get("max_output_tokens")
    words = text.split(" ")
    if allowed is not None and _tokens(text) > allowed:
        return Outcome(" ".join(words[: max(1, int(allowed / TOKENS_A_WORD))]), None, cut=True)
    return Outcome(text, None)


def response_object(job: Job, *, now: float) -> dict[str, Any]:
    """The Response object as it reads at `now`."""
    echo: dict[str, Any] = json.loads(job.echo)
    status = status_at(job.draw, job.fails, age=now - job.created, pace=job.pace)
    done = status in (Status.COMPLETED, Status.FAILED)
    outcome = outcome_of(job, echo) if done else Outcome(None, None)
    output: list[dict[str, Any]] = []
    if outcome.text is not None:
        part = {"type": "output_text", "text": outcome.text, "annotations": [], "logprobs": []}
        message = {"type": "message", "id": f"msg_{job.id[5:]}", "status": "completed", "role": "assistant"}
        output.append({**message, "content": [part]})
    answer: dict[str, Any] = {
        "id": job.id,
        "object": "response",
        "created_at": int(job.created),
        "status": status.value,
        "background": echo.get("background", False),
        "model": echo["model"],
        "output": output,
        "error": outcome.error,
        "incomplete_details": {"reason": "max_output_tokens"} if outcome.cut else None,
        "max_output_tokens": echo.get("max_output_tokens"),
        "reasoning": echo.get("reasoning", {}),
        "text": echo.get("text", {"format": {"type": "text"}}),
        "store": True,
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        "truncation": "disabled",
        "usage": _usage(job.input_tokens if done else 0, _tokens(outcome.text) if outcome.text else 0),
        "user": echo.get("user"),
        "metadata": echo.get("metadata", {}),
    }
    for name in ("temperature", "top_p"):
        if echo.get(name) is not None:
            answer[name] = echo[name]
    return answer


def _tokens(text: str) -> int:
    return max(1, round(len(text.split()) * TOKENS_A_WORD))


def _usage(input_tokens: int, output_tokens: int) -> dict[str, Any]:
    # The OpenAPI requires both details in both places.
    details = {"cached_tokens": 0, "reasoning_tokens": 0}
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": details,
        "output_tokens": output_tokens,
        "output_tokens_details": details,
        "total_tokens": input_tokens + output_tokens,
    }
