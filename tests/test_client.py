"""The client: each answer becomes the failure that names the next step, and the key is in none of them."""

from __future__ import annotations

import logging
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox_server import serving
from tests.sending import KEY, fault
from valar_ui.client import (
    MAX_RETRY_AFTER,
    BadKey,
    KeyReused,
    Keyring,
    NoCredit,
    NotAvailable,
    Refused,
    Throttled,
    TooLarge,
    Unknown,
    Unreachable,
    Valar,
    ValarFault,
    account_of,
    retry_after,
)
from valar_ui.sandbox import create_app

SECRET = b"s" * 32


def answering(status: int, body: Any = None, **headers: str) -> Valar:
    """A client whose every call is answered so; the transport stands in for the network, nothing of ours."""

    def handle(_request: httpx.Request) -> httpx.Response:
        content = body if isinstance(body, bytes) else None
        return httpx.Response(status, content=content, json=None if content is not None else body, headers=headers)

    return Valar("https://valar.example/v1", KEY, transport=httpx.MockTransport(handle))


def error(message: str = "No.", kind: str = "invalid_request_error", **more: Any) -> dict[str, Any]:
    """The API's error envelope."""
    return {"error": {"message": message, "type": kind, **more}}


def post(valar: Valar) -> Any:
    """The call that matters."""
    return valar.create_batch(iter((b"{", b"}")), length=2, idempotency_key="k")


ANSWERS: list[tuple[int, Any, type[ValarFault]]] = [
    (400, error(), Refused),
    (400, error(kind="idempotency_error"), KeyReused),
    (400, error("The Batches API is not generally available yet."), NotAvailable),
    (400, error("Batches are in private preview."), NotAvailable),
    (400, error("The model x is not available."), Refused),
    (401, error(kind="authentication_error"), BadKey),
    (402, error(kind="billing_error"), NoCredit),
    (403, error(), NotAvailable),
    (404, error(), NotAvailable),
    (501, error(), NotAvailable),
    (413, b"<html>too large</html>", TooLarge),
    (422, error(), Refused),
    (429, error(kind="rate_limit_error"), Throttled),
    (408, error(), Unknown),
    (409, error(), Unknown),
    (500, error(kind="api_error"), Unknown),
    (502, b"bad gateway", Unknown),
    (504, b"", Unknown),
    (301, b"", Unknown),
    (200, b'{"id": "batch_1", "request_c', Unknown),
    (200, b"", Unknown),
    (200, {"id": "", "request_counts": 1, "created_at": 1}, Unknown),
    (200, {"request_counts": 1, "created_at": 1}, Unknown),
    (200, {"id": "batch_1", "request_counts": "1", "created_at": 1}, Unknown),
]


@pytest.mark.parametrize(("status", "body", "kind"), ANSWERS)
def test_each_answer_names_the_next_step(status: int, body: Any, kind: type[ValarFault]) -> None:
    with pytest.raises(ValarFault) as raised:
        post(answering(status, body, **{"x-request-id": "req_7"}))
    assert type(raised.value) is kind
    assert (raised.value.status, raised.value.request_id) == (status, "req_7")


def test_a_good_answer_comes_back_whole() -> None:
    batch, answer = post(
        answering(200, {"id": "batch_1", "request_counts": 2, "created_at": 3, "label": "x", "new": 1})
    )
    assert (batch.id, batch.request_counts, batch.created_at, batch.label) == ("batch_1", 2, 3, "x")
    assert answer.status == 200


def test_statuses_are_told_whatever_their_case() -> None:
    body = {"id": "b", "request_counts": 2, "created_at": 1, "request_status": {"a": {"status": "COMPLETED"}}}
    assert answering(200, body).batch("b").statuses == {"a": "completed"}
    with pytest.raises(Unknown):
        answering(200, body | {"request_status": ["a"]}).batch("b")


NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("7200", 7_200.0),
        ("1.5", 1.5),
        ("-3", 0.0),
        ("99999999999", MAX_RETRY_AFTER),
        ("inf", MAX_RETRY_AFTER),
        ("nan", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2023 22:12:20 GMT", 0.0),
        ("Tue, 14 Nov 9999 22:12:20 GMT", MAX_RETRY_AFTER),
        ("Tue, 99 Nov 2023 22:12:20 GMT", None),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, now=NOW) == seconds


def test_a_date_is_meant_by_the_servers_clock() -> None:
    headers = {"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT", "date": "Tue, 14 Nov 2023 22:13:50 GMT"}
    with pytest.raises(Throttled) as raised:
        post(answering(429, error(), **headers))
    assert raised.value.retry_after == 30.0


@pytest.mark.parametrize("key", ["", " ", "sk-canary\n", "sk canary", "sk-cänary", "sk-\x00canary", "k" * 2_000])
def test_what_cannot_be_a_key_is_refused_in_our_words(key: str) -> None:
    with pytest.raises(BadKey) as raised:
        Valar("https://valar.example/v1", key)
    assert key.strip() == "" or key not in "".join(traceback.format_exception(raised.value))


def test_no_connection_is_certainly_unsent() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        valar = Valar(f"http://127.0.0.1:{nobody.getsockname()[1]}/v1", KEY)
        with pytest.raises(Unreachable):
            post(valar)
    for address in ("http://nowhere.invalid/v1", "ftp://127.0.0.1/v1", "http://[::1", "127.0.0.1/v1"):
        with pytest.raises(Unreachable):
            post(Valar(address, KEY))


@pytest.fixture
def wire() -> Iterator[Callable[[bytes], str]]:
    """A server that reads a little, writes these bytes and ends the connection; gives its base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(answer: bytes) -> str:
        def once() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)

        threads.append(threading.Thread(target=once))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

    yield serve
    for thread in threads:
        thread.join()
    listener.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{",
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_a_broken_answer_may_have_been_a_yes(wire: Callable[[bytes], str], answer: bytes) -> None:
    with pytest.raises(Unknown):
        post(Valar(wire(answer), KEY, answer_seconds=2.0))


def test_the_key_stands_in_no_error_log_or_repr(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = error(f"Incorrect API key provided: {KEY}.\x00\n", param=KEY)
    for status in (400, 401, 403, 429, 500):
        with pytest.raises(ValarFault) as raised:
            post(answering(status, echo))
        told = "".join(traceback.format_exception(raised.value)) + repr(vars(raised.value)) + str(raised.value)
        assert KEY not in told
        assert raised.value.message == "Incorrect API key provided: [key]."
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with serving(create_app(folder, faults=folder / "faults.json")) as origin:
        valar = Valar(f"{origin}/v1", KEY, answer_seconds=1.0)
        assert valar.models()
        for kind in ("reset", "dropped", "lost-answer", "cut-off"):
            fault(folder, {"kind": kind, "method": "*"})
            with pytest.raises(ValarFault) as raised:
                post(valar)
            assert KEY not in "".join(traceback.format_exception(raised.value)) + repr(raised.value)
        valar.close()
    keyring = Keyring(SECRET)
    account = keyring.add(KEY, kind="valar", base_url="https://valar.example/v1")
    assert KEY not in repr((valar, keyring, account, vars(valar).keys()))
    assert KEY not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith(("httpx", "httpcore"))]


def test_an_account_is_an_address_and_a_fingerprint() -> None:
    first = account_of(KEY, kind="valar", base_url="https://valar.example/v1/", secret=SECRET)
    assert first == account_of(KEY, kind="valar", base_url="https://valar.example/v1", secret=SECRET)
    assert first.fingerprint != account_of(KEY, kind="valar", base_url="", secret=b"t" * 32).fingerprint
    assert account_of(KEY, kind="sandbox", base_url="http://127.0.0.1:1", secret=SECRET).base_url == "sandbox"
    keyring = Keyring(SECRET)
    assert keyring.find(first.fingerprint) is None
    keyring.add(KEY, kind="valar", base_url="https://valar.example/v1")
    assert keyring.find(first.fingerprint) == KEY


def test_an_id_cannot_climb_out_of_its_path() -> None:
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(404, json=error())

    valar = Valar("https://valar.example/v1", KEY, transport=httpx.MockTransport(handle))
    with pytest.raises(NotAvailable):
        valar.batch("../models?x=1#")
    assert asked == ["/v1/batches/..%2Fmodels%3Fx%3D1%23"]
