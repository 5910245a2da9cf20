"""What every call goes through: token, fault dial, body, record, request id, and then its answer."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, QueryParams
from starlette.types import Message, Receive, Scope, Send

from valar_ui import limits
from valar_ui.sandbox.body import Body, TooLarge, drain, read_body
from valar_ui.sandbox.errors import ApiError, Refusal
from valar_ui.sandbox.faults import Fault, FaultDial, FaultKind
from valar_ui.sandbox.hangup import hang_up
from valar_ui.sandbox.local import Answer, Call, LocalValar
from valar_ui.sandbox.record import Arrival, Record

Handler = Callable[[Call], Answer]

HANG_UPS: Final = (FaultKind.LOST_ANSWER, FaultKind.DROPPED, FaultKind.RESET)
"""Faults that end the connection without an answer."""


def new_request_id() -> str:
    """What X-Request-ID says."""
    return f"req_{secrets.token_hex(12)}"


@dataclass(frozen=True, slots=True)
class Hall:
    """What all doors share."""

    valar: LocalValar
    dial: FaultDial
    record: Record
    folder: Path
    """Where bodies lie while they are judged."""
    record_reads: bool
    """Record every call; otherwise only POSTs and what the fault dial touched."""


class Door:
    """One path of the API as an ASGI app: a handler for each method, 405 for others."""

    def __init__(self, hall: Hall, handlers: Mapping[str, Handler]) -> None:
        self._hall = hall
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Visit(self._hall, self._handlers, scope, receive, send).run()


class Visit:
    """One call from its first byte to its answer."""

    def __init__(self, hall: Hall, handlers: Mapping[str, Handler], scope: Scope, receive: Receive, send: Send) -> None:
        self._hall, self._handlers = hall, handlers
        self._scope, self._receive, self._send = scope, receive, send
        self._headers = Headers(scope=scope)
        root: str = scope.get("root_path", "")
        path: str = scope["path"].removeprefix(root)
        self._arrival = Arrival(
            hall.record.next_number(), time.time(), scope["method"], path, request_id=new_request_id()
        )
        self._body: Body | None = None
        self._drained = scope["method"] != "POST"

    async def run(self) -> None:
        """Answer, or end the connection when the fault dial says so."""
        arrival = self._arrival
        fault: Fault | None = None
        try:
            try:
                handler = self._handler()
                token = self._token()
                arrival.account = self._hall.valar.account_of(token)
                arrival.key = self._key()
                due = self._hall.dial.due(method=arrival.method, path=arrival.path, key=arrival.key, token=token)
                fault = due.fault
                arrival.fault = None if fault is None else fault.kind.value
                call = Call(
                    arrival.account, self._scope["path_params"], self._query(), arrival.key, fail_share=due.share
                )
                if arrival.method == "POST":
                    call = await self._with_body(call, fault)
                    if self._body is not None and self._body.gone:
                        return
                if fault is not None and await self._before(fault):
                    return
                answer = await run_in_threadpool(handler, call)
                arrival.id, arrival.count = answer.id, answer.count
                arrival.accepted, arrival.replayed = answer.accepted, answer.replayed
                if fault is not None:
                    answer_or_none = await self._after(fault, answer)
                    if answer_or_none is None:
                        return
                    answer = answer_or_none
            except ApiError as error:
                answer = error_answer(error)
            arrival.status = answer.status
            await self._write()
            await self._answer(answer, fault)
        finally:
            if self._body is not None:
                self._body.file.close()

    def _handler(self) -> Handler:
        handler = self._handlers.get(self._arrival.method)
        if handler is None:
            allowed = ", ".join(sorted(self._handlers))
            text = f"{self._arrival.method} is not possible here, only {allowed}."
            raise ApiError(HTTPStatus.METHOD_NOT_ALLOWED, text, headers={"Allow": allowed})
        return handler

    def _token(self) -> str:
        scheme, _, token = self._headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise ApiError(HTTPStatus.UNAUTHORIZED, "Send Authorization: Bearer with an API key; here any will do.")
        return token.strip()

    def _key(self) -> str | None:
        key = self._headers.get("idempotency-key")
        if key and len(key) > limits.MAX_IDEMPOTENCY_KEY:
            text = f"Idempotency-Key must have at most {limits.MAX_IDEMPOTENCY_KEY} characters."
            raise Refusal("Idempotency-Key", text)
        return key or None

    def _query(self) -> Mapping[str, str]:
        query = QueryParams(self._scope["query_string"])
        for name in query:
            if len(query.getlist(name)) > 1:
                raise Refusal(name[:100], f"{name[:100]} is given twice.")
        return query

    async def _with_body(self, call: Call, fault: Fault | None) -> Call:
        kind = self._headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refusal(None, "Send Content-Type: application/json.")
        declared = self._headers.get("content-length")
        stop_at = fault.bytes if fault is not None and fault.kind in HANG_UPS and not fault.after else None
        try:
            self._body = await read_body(
                self._receive,
                folder=self._hall.folder,
                declared=int(declared) if declared else None,
                stop_at=stop_at,
            )
        except TooLarge as error:
            self._drained = not error.more
            raise
        self._drained = self._body.whole or self._body.gone
        self._arrival.bytes = self._body.length
        self._arrival.sha256 = self._body.sha256 or None
        if self._body.gone:
            await self._write()
        return Call(call.account, call.path, call.query, call.key, self._body.file, self._body.sha256, call.fail_share)

    async def _before(self, fault: Fault) -> bool:
        """What goes wrong before anything is accepted; True when the call ends with it."""
        if fault.kind is FaultKind.DROPPED or (fault.kind is FaultKind.RESET and not fault.after):
            await self._write()
            reset = fault.kind is FaultKind.RESET
            await hang_up(self._scope, self._receive, self._send, reset=reset, midway=not self._drained)
            return True
        if fault.kind is FaultKind.STATUS and not fault.after:
            raise _planned(fault)
        if fault.kind is FaultKind.SLOW and not fault.after:
            await asyncio.sleep(fault.seconds)
        if fault.kind is FaultKind.LATE:
            await self._wait_for_hang_up(fault.seconds)
        return False

    async def _after(self, fault: Fault, answer: Answer) -> Answer | None:
        """What goes wrong after accepting: another answer, or None when there is none."""
        if fault.kind is FaultKind.LOST_ANSWER or (fault.kind is FaultKind.RESET and fault.after):
            await self._write()
            await hang_up(self._scope, self._receive, self._send, reset=fault.kind is FaultKind.RESET)
            return None
        if fault.kind is FaultKind.STATUS and fault.after:
            return error_answer(_planned(fault))
        if fault.kind is FaultKind.SLOW and fault.after:
            await self._write()
            await asyncio.sleep(fault.seconds)
        return answer

    async def _wait_for_hang_up(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while (await self._receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            pass

    async def _write(self) -> None:
        if self._arrival.method != "POST" and self._arrival.fault is None and not self._hall.record_reads:
            return
        await run_in_threadpool(self._hall.record.write, self._arrival)

    async def _answer(self, answer: Answer, fault: Fault | None) -> None:
        content = answer.content
        start: Message = {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(content)).encode()),
                (b"x-request-id", (self._arrival.request_id or "").encode()),
                *((name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()),
            ],
        }
        await self._send(start)
        if fault is not None and fault.kind is FaultKind.CUT_OFF:
            sent = len(content) // 2 if fault.bytes is None else fault.bytes
            await self._send({"type": "http.response.body", "body": content[:sent], "more_body": True})
            await hang_up(self._scope, self._receive, self._send, reset=False)
            return
        await self._send({"type": "http.response.body", "body": content, "more_body": not self._drained})
        if not self._drained:
            # The answer is out; a client that still sends would lose it if the connection closed now.
            await drain(self._receive)
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def error_answer(error: ApiError) -> Answer:
    """The envelope as an answer."""
    return Answer(error.status, json.dumps(error.envelope()).encode(), error.headers)


def _planned(fault: Fault) -> ApiError:
    wait = fault.retry_after_header()
    message = fault.message or f"The sandbox's fault dial answers {fault.status} here."
    return ApiError(fault.status, message, headers={} if wait is None else {"Retry-After": wait})
