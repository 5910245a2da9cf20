"""The server: the pages, the sandbox and large downloads beside them, the worker behind them."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from valar_ui import downloads
from valar_ui.sandbox import create_app
from valar_ui.session import BROWSER_COOKIE, services
from valar_ui.settings import Settings

log = logging.getLogger("valar_ui.app")
LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")
settings = Settings.from_environment()
# Streamlit would log a failed page with its exception's message, which may hold a cell; `on_script_error` does not.
logging.getLogger("streamlit.error_util").addFilter(lambda _: False)


CONDITIONS = (b"if-none-match", b"if-modified-since")


class BrowserCookie:
    """Gives each browser a random name, by which a shared deployment keeps people apart."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the cookie to the first page a browser gets."""
        if scope["type"] != "http" or BROWSER_COOKIE in Request(scope).cookies:
            await self.app(scope, receive, send)
            return
        if "text/html" in Request(scope).headers.get("accept", ""):
            # A page that the browser kept would be answered with "not modified", and without a cookie.
            kept = [header for header in scope["headers"] if header[0] not in CONDITIONS]
            scope = {**scope, "headers": kept}

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                cookie = f"{BROWSER_COOKIE}={token_hex(16)}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"
                if scope.get("scheme") == "https":
                    cookie += "; Secure"
                message["headers"] = [*message["headers"], (b"set-cookie", cookie.encode())]
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _is_page(message: Message) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])


def known_hosts() -> list[str]:
    """The names this server answers to: those configured, else its own while it listens on this computer only.

    A page elsewhere that points its own name at this computer (DNS rebinding) gets no answer then.
    """
    configured = list(st.get_option("server.allowedHosts") or [])
    if configured:
        return [*configured, *LOOPBACK]
    return [*LOOPBACK] if st.get_option("server.address") in LOOPBACK else ["*"]


async def download(request: Request) -> Response:
    """One file named by a signed address."""
    found = downloads.verify(
        request.path_params["token"], home=settings.home, secret=settings.install_secret(), now=time.time()
    )
    if found is None:
        return PlainTextResponse("This download address has expired. Go back to the page and ask again.", 404)
    return FileResponse(found.path, filename=found.name, headers={"X-Content-Type-Options": "nosniff"})


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, Any]]:
    """Run the worker as long as the server runs."""
    running = services(settings)
    running.worker.start()
    try:
        yield {}
    finally:
        running.close()
        sandbox.state.close()


def on_script_error(fault: Exception) -> bool:
    """Tell the person plainly; log where it happened, never what was in it (cells and keys)."""
    frames = traceback.extract_tb(fault.__traceback__)[-4:]
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    log.error("page failed: %s at %s", type(fault).__name__, where)
    st.error(
        "Something went wrong on this page. Your file, your mapping and your batches are safe. "
        "Reload the page; if it happens again, tell whoever runs this app the time and the page."
    )
    return True


sandbox = create_app(settings.folder("sandbox"), faults=settings.folder("sandbox") / "faults.json")
app = st.App(
    Path(__file__).parent / "valar_ui" / "router.py",
    routes=[
        Mount("/sandbox", app=sandbox),
        Route("/download/{token}", download),
    ],
    middleware=[
        Middleware(TrustedHostMiddleware, allowed_hosts=known_hosts(), www_redirect=False),
        Middleware(BrowserCookie),
    ],
    lifespan=lifespan,
    on_script_error=on_script_error,
)

if __name__ == "__main__":
    app.run()
