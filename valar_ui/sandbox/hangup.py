"""Ends a connection the way a broken network does: no answer, or a reset, whatever server runs the app.

The connection is found among the process's own sockets by its two addresses, because ASGI has no word for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
import struct
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.types import Receive, Scope, Send

NOTICE_SECONDS: Final = 10.0
"""How long the server may take to notice that the connection is gone."""

_DESCRIPTORS: Final = Path("/dev/fd")


async def hang_up(scope: Scope, receive: Receive, send: Send, *, reset: bool, midway: bool = False) -> None:
    """End the connection, with a TCP reset where `reset` is set; afterwards nothing can be answered.

    `midway`: the client is still sending its body. Raises ConnectionResetError where the connection cannot be found
    (an app called without a network): the server then makes of it what it makes of a crash.
    """
    connection = _connection_of(scope)
    if connection is None:
        raise ConnectionResetError("the fault dial ended this connection")
    with connection, contextlib.suppress(OSError):
        if reset:
            # With no lingering the close that follows sends RST instead of FIN.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD if reset and not midway else socket.SHUT_RDWR)
    if midway:
        # The server does not see the end behind what still arrives; a write that cannot leave tells it.
        await send({"type": "http.response.start", "status": HTTPStatus.BAD_REQUEST, "headers": []})
        await send({"type": "http.response.body", "body": b" ", "more_body": True})
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(NOTICE_SECONDS):
            while (await receive())["type"] != "http.disconnect":
                pass


def _connection_of(scope: Scope) -> socket.socket | None:
    client, server = scope.get("client"), scope.get("server")
    if not client or not server:
        return None
    for candidate in _sockets():
        with contextlib.suppress(OSError):
            if candidate.getpeername()[:2] == tuple(client) and candidate.getsockname()[1] == server[1]:
                return candidate
        candidate.close()
    return None


def _sockets() -> Iterator[socket.socket]:
    """A duplicate of each socket this process has open; the caller closes them."""
    if not _DESCRIPTORS.is_dir():
        return
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208 - names only, and fast
        with contextlib.suppress(OSError, ValueError):
            # Looked at first: a duplicate of anything else would stay open.
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                yield socket.socket(fileno=os.dup(int(name)))
