"""One request as the `curl` or the Python (httpx) that would send it; the key stays in `$VALAR_API_KEY`."""

from __future__ import annotations

import shlex
from typing import Final, Literal

from valar_ui.compose import Composed
from valar_ui.plan import HEAD, tail

Way = Literal["response", "batch"]
"""`response`: POST /responses with this row's params; `batch`: POST /batches with this one request."""

LONGEST_ARGUMENT: Final = 100_000
"""Bytes a shell argument may have; longer bodies come as standard input (Linux: 128 KiB for one argument)."""


def body_of(composed: Composed, way: Way = "response", *, label: str = "") -> bytes:
    """The exact body of one request on its own."""
    return composed.body if way == "response" else HEAD + composed.item + tail(label)


def curl(composed: Composed, *, base_url: str, way: Way = "response", label: str = "") -> str:
    """A command for a POSIX shell that sends exactly these bytes."""
    body = body_of(composed, way, label=label).decode()
    command = [
        f"curl {shlex.quote(_address(base_url, way))}",
        '  -H "Authorization: Bearer $VALAR_API_KEY"',
        "  -H 'Content-Type: application/json'",
    ]
    if len(body.encode()) <= LONGEST_ARGUMENT:
        command.append(f"  --data-binary {shlex.quote(body)}")
        return " \\\n".join(command) + "\n"
    command.append("  --data-binary @- <<'END_OF_BODY'")
    return " \\\n".join(command) + f"\n{body}\nEND_OF_BODY\n"


def python(composed: Composed, *, base_url: str, way: Way = "response", label: str = "") -> str:
    """A Python program that sends exactly these bytes with httpx."""
    body = body_of(composed, way, label=label).decode()
    return f"""import os

import httpx

body = {body!r}
answer = httpx.post(
    {_address(base_url, way)!r},
    content=body.encode(),
    headers={{
        "Authorization": f"Bearer {{os.environ['VALAR_API_KEY']}}",
        "Content-Type": "application/json",
    }},
    timeout=600,
)
print(answer.status_code, answer.text)
"""


def _address(base_url: str, way: Way) -> str:
    return f"{base_url.rstrip('/')}/{'responses' if way == 'response' else 'batches'}"
