"""A request's body on its way in: streamed to disk, counted and hashed, stopped at the limit."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO, Final

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive

from valar_ui import limits
from valar_ui.sandbox.errors import ApiError

IN_MEMORY: Final = 1 << 20
"""Bodies up to this many bytes never touch the disk."""


@dataclass(slots=True)
class Body:
    """The bytes that came; `whole` is False when the client left or the reading was stopped."""

    file: IO[bytes]
    length: int = 0
    sha256: str = ""
    whole: bool = False
    gone: bool = False
    """The client hung up."""


class TooLarge(ApiError):
    """413: the body reaches the limit; `more` of it is still on its way."""

    def __init__(self, *, more: bool) -> None:
        self.more = more
        super().__init__(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The body must stay under {limits.MAX_BODY_BYTES:,} bytes. Split it into several batches.",
        )


async def read_body(receive: Receive, *, folder: Path, declared: int | None, stop_at: int | None = None) -> Body:
    """Read until the end, the limit (`TooLarge`) or `stop_at` bytes. The caller closes the file."""
    if declared is not None and declared >= limits.MAX_BODY_BYTES:
        raise TooLarge(more=True)
    # The file has no name on disk and is gone when it is closed.
    body = Body(tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(folder)))  # noqa: SIM115 - handed on
    digest = hashlib.sha256()
    waiting = bytearray()

    def put(chunk: bytearray) -> None:
        digest.update(chunk)
        body.file.write(chunk)

    try:
        while not body.whole:
            message = await receive()
            if message["type"] == "http.disconnect":
                body.gone = True
                return body
            chunk = message.get("body", b"")
            body.length += len(chunk)
            if body.length >= limits.MAX_BODY_BYTES:
                raise TooLarge(more=message.get("more_body", False))
            waiting += chunk
            if len(waiting) >= IN_MEMORY:
                await run_in_threadpool(put, waiting)
                waiting = bytearray()
            if stop_at is not None and body.length >= stop_at:
                return body
            body.whole = not message.get("more_body", False)
        put(waiting)
    except BaseException:
        body.file.close()
        raise
    body.file.seek(0)
    body.sha256 = digest.hexdigest()
    return body


async def drain(receive: Receive) -> None:
    """Throw away what still comes, so that the client reads the answer before the connection closes."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
