"""The sandbox over real HTTP, in a thread of the test's own process."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

KEY = "sk-valar-test-canary"
MODEL = "zai-org/GLM-5.1-FP8"


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Run an ASGI app with uvicorn on a free port; gives its origin."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=10))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def client(origin: str, *, key: str | None = KEY, prefix: str = "/v1") -> Iterator[httpx.Client]:
    """A client of the sandbox at `origin`; without `key` it sends no token."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=origin + prefix, headers=headers, timeout=120, trust_env=False) as made:
        yield made


def item(custom_id: str = "a", **params: Any) -> dict[str, Any]:
    """One request; params may be replaced or added, None of `input` included."""
    return {"custom_id": custom_id, "params": {"model": MODEL, "input": "Hello", **params}}


def batch(*items: Any, **more: Any) -> dict[str, Any]:
    """A batch body, of one request where none is given."""
    return {"endpoint": "/v1/responses", "requests": list(items) or [item()], **more}


def recorded(folder: Path) -> list[dict[str, Any]]:
    """The sandbox's own record of POSTs; none where nothing has arrived yet."""
    path = folder / "accepted.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [arrival for arrival in map(json.loads, lines) if arrival["method"] == "POST"]
