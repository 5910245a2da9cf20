"""The HTTP calls, each with its shape; whatever goes wrong becomes one of `faults`."""

from __future__ import annotations

import contextlib
import logging
import re
import ssl
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx
import orjson
from pydantic import TypeAdapter, ValidationError

from valar_ui import wire
from valar_ui.client.faults import (
    KINDS,
    BadKey,
    KeyReused,
    NotAvailable,
    Refused,
    Throttled,
    Unknown,
    Unreachable,
    ValarFault,
    retry_after,
)

CONNECT_S: Final = 10.0
"""Seconds to make a connection."""

WRITE_S: Final = 60.0
"""Seconds until the next bytes of the body must have gone out."""

ANSWER_S: Final = 180.0
"""Seconds to wait for the answer, and for the whole of it."""

MAX_ANSWER_BYTES: Final = 64_000_000
"""More than any answer holds (the status of 100,000 requests: 4 MB); beyond it the answer counts as broken."""

_ABSENT = re.compile(r"batch.{0,80}(not\b.{0,20}(available|enabled|supported)|coming soon|preview)", re.IGNORECASE)
_SENDABLE_KEY = re.compile(r"[\x21-\x7e]{1,1000}")
_KEYLESS: Final = "[key]"

for _noisy in ("httpx", "httpcore"):
    # Their INFO and DEBUG lines print whole addresses and headers.
    logging.getLogger(_noisy).setLevel(logging.WARNING)

Shape = TypeVar("Shape")

_MODELS = TypeAdapter(wire.ModelList)
_BATCH = TypeAdapter(wire.Batch)
_BATCHES = TypeAdapter(list[wire.Batch])
_RESPONSE = TypeAdapter(wire.Response)


@dataclass(frozen=True, slots=True)
class Answered:
    """A 2xx answer as it came."""

    status: int
    content: bytes
    request_id: str | None


@dataclass(frozen=True, slots=True)
class BatchDetail:
    """A batch and where each of its requests stands."""

    batch: wire.Batch
    statuses: dict[str, str]
    """By custom_id, casefolded."""


class _Bearer(httpx.Auth):
    def __init__(self, key: str) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._key}"
        yield request

    def __repr__(self) -> str:
        return "<bearer>"


class Valar:
    """The API at one address under one key; threads may share it. Every method raises `ValarFault`."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.time,
        answer_seconds: float = ANSWER_S,
    ) -> None:
        """`BadKey` where the key cannot be sent as it is; nothing connects before the first call."""
        if not _SENDABLE_KEY.fullmatch(key):
            raise BadKey(
                "This cannot be an API key: it is empty or holds spaces, line breaks or letters outside "
                "a-z, A-Z, 0-9 and punctuation. Copy it again, without what stands around it.",
                type="malformed_key",
            )
        self.base_url = base_url.rstrip("/")
        self._key = key
        self._transport = transport
        self._clock = clock
        self._answer_seconds = answer_seconds
        self._http: httpx.Client | None = None
        self._opening = threading.Lock()

    def __repr__(self) -> str:
        return f"<Valar at {self.base_url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the connections."""
        with self._opening:
            if self._http is not None:
                self._http.close()
                self._http = None

    def models(self) -> list[str]:
        """The models this key may use (GET /models)."""
        return [model.id for model in self._call("GET", "/models", _MODELS.validate_json).data]

    def create_batch(
        self, chunks: Iterable[bytes], *, length: int, idempotency_key: str
    ) -> tuple[wire.Batch, Answered]:
        """Send a body of exactly `length` bytes (POST /batches)."""
        headers = {"Content-Length": str(length), "Idempotency-Key": idempotency_key}
        answer = self._answer("POST", "/batches", headers=headers, content=chunks)
        return self._shaped(answer, _BATCH.validate_json), answer

    def list_batches(
        self, *, limit: int = 25, after_id: str | None = None, before_id: str | None = None
    ) -> list[wire.Batch]:
        """One page of the account's batches, newest first (GET /batches)."""
        given = {"limit": str(limit), "after_id": after_id, "before_id": before_id}
        params = {name: value for name, value in given.items() if value is not None}
        return self._call("GET", "/batches", _BATCHES.validate_json, params=params)

    def batch(self, batch_id: str) -> BatchDetail:
        """A batch with the status of each request (GET /batches/{batch_id})."""
        return self._call("GET", f"/batches/{_segment(batch_id)}", _detail)

    def batch_result(self, batch_id: str, custom_id: str) -> wire.Response:
        """The answer to one request (GET /batches/{batch_id}/{custom_id})."""
        return self._call("GET", f"/batches/{_segment(batch_id)}/{_segment(custom_id)}", _RESPONSE.validate_json)

    def create_response(self, body: bytes, *, idempotency_key: str) -> wire.Response:
        """Send one request (POST /responses)."""
        headers = {"Content-Length": str(len(body)), "Idempotency-Key": idempotency_key}
        return self._call("POST", "/responses", _RESPONSE.validate_json, headers=headers, content=(body,))

    def response(self, response_id: str) -> wire.Response:
        """A response as it now stands (GET /responses/{response_id})."""
        return self._call("GET", f"/responses/{_segment(response_id)}", _RESPONSE.validate_json)

    def _call(
        self,
        method: str,
        path: str,
        shape: Callable[[bytes], Shape],
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: Iterable[bytes] | None = None,
    ) -> Shape:
        return self._shaped(self._answer(method, path, headers=headers, params=params, content=content), shape)

    @staticmethod
    def _shaped(answer: Answered, shape: Callable[[bytes], Shape]) -> Shape:
        with contextlib.suppress(ValueError):
            return shape(answer.content)
        # Raised outside the handler: pydantic's error repeats its input.
        raise Unknown(
            "The answer was cut off or unreadable.",
            status=answer.status,
            type="bad_answer",
            request_id=answer.request_id,
        )

    def _answer(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: Iterable[bytes] | None = None,
    ) -> Answered:
        sent = {"Content-Type": "application/json", **(headers or {})} if content is not None else {}
        fault: ValarFault
        try:
            http = self._client()
            request = http.build_request(method, self.base_url + path, headers=sent, params=params, content=content)
            response = http.send(request, auth=_Bearer(self._key), stream=True)
            with contextlib.closing(response):
                answer = Answered(response.status_code, self._read(response), _request_id(response.headers))
            if 200 <= answer.status < 300:
                return answer
            fault = self._fault(answer, response.headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            fault = Unreachable("Can't reach Valar: no connection was made.", type="unreachable")
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            fault = Unreachable("Can't reach Valar: the address set for it is not a web address.", type="bad_address")
        except httpx.TimeoutException:
            fault = Unknown("Valar took too long to answer.", type="timeout")
        except httpx.TransportError:
            fault = Unknown("The connection broke before the answer was complete.", type="connection_lost")
        except httpx.RequestError:
            fault = Unknown("The answer could not be decoded.", type="bad_answer")
        # Raised outside the handlers: what httpx raised keeps the request, and the request the key.
        raise fault

    def _read(self, response: httpx.Response) -> bytes:
        began, parts, size = time.monotonic(), [], 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER_BYTES or time.monotonic() - began > self._answer_seconds:
                raise Unknown("The answer did not end.", status=response.status_code, type="bad_answer")
        return b"".join(parts)

    def _client(self) -> httpx.Client:
        with self._opening:
            if self._http is None:
                timeout = httpx.Timeout(self._answer_seconds, connect=CONNECT_S, write=WRITE_S)
                self._http = httpx.Client(
                    transport=self._transport, timeout=timeout, verify=_tls(), trust_env=False, follow_redirects=False
                )
            return self._http

    def _fault(self, answer: Answered, headers: httpx.Headers) -> ValarFault:
        status = answer.status
        error = _error(answer.content)
        message = self._safe(error.message) or f"Valar answered {status} without saying why."
        kind = KINDS.get(status, Refused)
        if status < 400:
            kind, message = Unknown, "The address set for Valar points on to another one, which is not followed."
        elif status == 400 and error.type == "idempotency_error":
            kind = KeyReused
        elif 400 <= status < 500 and kind is Refused and _ABSENT.search(message):
            kind = NotAvailable
        elif status >= 500 and status != 501:
            kind = Unknown
        fault = kind(
            message,
            status=status,
            type=self._safe(error.type),
            param=self._safe(error.param or "") or None,
            request_id=answer.request_id,
        )
        if isinstance(fault, Throttled):
            fault.retry_after = retry_after(headers.get("retry-after"), now=self._now(headers))
        return fault

    def _now(self, headers: httpx.Headers) -> float:
        """The server's clock where it tells it: an HTTP-date is meant by that clock, not by ours."""
        with contextlib.suppress(ValueError, TypeError):
            return parsedate_to_datetime(headers.get("date", "")).timestamp()
        return self._clock()

    def _safe(self, text: str) -> str:
        """Text of the server's without the key, control characters or more than 1,000 characters."""
        plain = "".join(letter if letter.isprintable() else " " for letter in text.replace(self._key, _KEYLESS))
        return plain[:1_000].strip()


def _error(content: bytes) -> wire.ErrorBody:
    with contextlib.suppress(ValidationError):
        return wire.ErrorEnvelope.model_validate_json(content[:100_000]).error
    return wire.ErrorBody()


def _detail(content: bytes) -> BatchDetail:
    """Without an object for each request: there may be 100,000."""
    value: Any = orjson.loads(content)
    batch = _BATCH.validate_python(value)
    try:
        statuses = {name: sys.intern(entry["status"].casefold()) for name, entry in value["request_status"].items()}
    except (KeyError, TypeError, AttributeError):
        raise ValueError("no request_status") from None
    return BatchDetail(batch, statuses)


def _request_id(headers: httpx.Headers) -> str | None:
    value = headers.get("x-request-id", "")
    return value[:200] if value and value.isascii() and value.isprintable() else None


def _segment(name: str) -> str:
    """A path segment that cannot climb or end the path."""
    return "".join(letter if re.match(r"[\w.~-]", letter, re.ASCII) else f"%{ord(letter):02X}" for letter in name)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def warm_up() -> None:
    """Load the certificates now, which takes a moment once in a process."""
    _tls()
