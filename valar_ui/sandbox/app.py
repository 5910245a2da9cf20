"""The sandbox as an ASGI app: its paths, and the API's envelope for everything that has none."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from valar_ui.sandbox.door import Door, Hall, error_answer, new_request_id
from valar_ui.sandbox.errors import ApiError
from valar_ui.sandbox.faults import FaultDial
from valar_ui.sandbox.local import LocalValar
from valar_ui.sandbox.record import Record
from valar_ui.sandbox.store import Store

PACE: Final = 6.0
"""Seconds until the last request of a batch is done."""

FAIL_SHARE: Final = 0.01
"""The share of requests that fail without a reason."""


def create_app(
    folder: Path | None,
    *,
    faults: Path | None = None,
    seed: int = 0,
    pace: float = PACE,
    fail_share: float = FAIL_SHARE,
    record_reads: bool = False,
    clock: Callable[[], float] = time.time,
) -> Starlette:
    """A local Valar with its paths under /v1; what it accepted lies in `folder` and survives a restart.

    No `folder`: a temporary one that goes with the app. `faults` names the fault dial's file, which may appear and
    change at any time. `folder/accepted.jsonl` is the sandbox's own record of what arrived: POSTs and
    whatever the fault dial touched, with `record_reads` every other call too.
    """
    temporary = tempfile.TemporaryDirectory(prefix="valar-sandbox-") if folder is None else None
    home = Path(temporary.name) if temporary is not None else Path(folder or "")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = Store(home / "sandbox.sqlite3")
    valar = LocalValar(store, seed=seed, pace=pace, fail_share=fail_share, clock=clock)
    hall = Hall(valar, FaultDial(faults), Record(home / "accepted.jsonl"), home, record_reads)

    def close() -> None:
        store.close()
        if temporary is not None:
            temporary.cleanup()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        close()

    app = Starlette(
        routes=[
            Route("/v1/models", Door(hall, {"GET": valar.models})),
            Route("/v1/batches", Door(hall, {"GET": valar.list_batches, "POST": valar.create_batch})),
            Route("/v1/batches/{batch_id}", Door(hall, {"GET": valar.batch})),
            Route("/v1/batches/{batch_id}/{custom_id}", Door(hall, {"GET": valar.batch_result})),
            Route("/v1/responses", Door(hall, {"POST": valar.create_response})),
            Route("/v1/responses/{response_id}", Door(hall, {"GET": valar.response})),
        ],
        exception_handlers={HTTPException: _unrouted, Exception: _crashed},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    # Where another app mounts this one, its lifespan does not run: the mounting app calls this when it ends.
    app.state.close = close
    return app


async def _unrouted(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND
    return _envelope(ApiError(status, f"There is no {request.url.path[:200]} here.", code="not_found"))


async def _crashed(_request: Request, _error: Exception) -> Response:
    return _envelope(ApiError(HTTPStatus.INTERNAL_SERVER_ERROR, "The sandbox failed; its log says why."))


def _envelope(error: ApiError) -> Response:
    answer = error_answer(error)
    headers = {**answer.headers, "X-Request-ID": new_request_id()}
    return Response(answer.content, answer.status, headers, media_type="application/json")
