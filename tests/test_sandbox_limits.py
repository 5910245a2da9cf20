"""The sandbox counts requests and bytes exactly, at full size, and goes on answering meanwhile."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.sandbox_server import MODEL, batch, client, item, recorded, serving
from valar_ui import limits
from valar_ui.sandbox import create_app

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the sandbox under test keeps things."""
    return tmp_path / "sandbox"


@pytest.fixture
def origin(folder: Path) -> Iterator[str]:
    """A running sandbox."""
    with serving(create_app(folder, pace=0.0, fail_share=0)) as found:
        yield found


def tiny(count: int) -> bytes:
    """A batch of so many small requests."""
    entries = ",".join(
        f'{{"custom_id":"r{number}","params":{{"model":"{MODEL}","input":"x"}}}}' for number in range(count)
    )
    return f'{{"endpoint":"/v1/responses","requests":[{entries}]}}'.encode()


def exactly(length: int, *, requests: int) -> Iterator[bytes]:
    """A batch body of exactly so many bytes, in pieces."""
    head, tail = b'{"endpoint":"/v1/responses","requests":[', b"]}"
    frames = [
        f'{{"custom_id":"r{number:05d}","params":{{"model":"{MODEL}","input":""}}}}'.encode()
        for number in range(requests)
    ]
    room = length - len(head) - len(tail) - sum(map(len, frames)) - (requests - 1)
    each, more = divmod(room, requests)
    piece = bytearray(head)
    for number, frame in enumerate(frames):
        text = b"y" * (each + (more if number == 0 else 0))
        piece += frame[:-3] + text + frame[-3:] + (b"," if number < requests - 1 else tail)
        if len(piece) > 1 << 20:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def test_100_000_requests_are_accepted_and_100_001_refused(origin: str, folder: Path) -> None:
    with client(origin) as api:
        accepted = api.post("/batches", content=tiny(100_000), headers=JSON)
        assert accepted.json()["request_counts"] == 100_000
        refused = api.post("/batches", content=tiny(100_001), headers=JSON)
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "requests")
        status = api.get(f"/batches/{accepted.json()['id']}").json()["request_status"]
        assert list(status) == [f"r{number}" for number in range(100_000)]
        assert {entry["status"] for entry in status.values()} == {"COMPLETED"}
    assert [arrival["accepted"] for arrival in recorded(folder)] == [True, False]


def test_a_body_of_255_999_999_bytes_goes_and_256_000_000_does_not(origin: str, folder: Path) -> None:
    with client(origin) as api:

        def post(length: int) -> httpx.Response:
            headers = {**JSON, "Content-Length": str(length)}
            return api.post("/batches", content=exactly(length, requests=4000), headers=headers)

        too_long = post(limits.MAX_BODY_BYTES)
        assert (too_long.status_code, too_long.json()["error"]["type"]) == (413, "invalid_request_error")
        assert post(limits.MAX_BODY_BYTES - 1).json()["request_counts"] == 4000
    assert [arrival["accepted"] for arrival in recorded(folder)] == [False, True]
    assert recorded(folder)[1]["bytes"] == 255_999_999


@pytest.mark.parametrize("more", [0, 1_000_000])
def test_a_body_of_unknown_length_is_counted_as_it_comes(origin: str, more: int) -> None:
    with client(origin) as api:
        body = exactly(limits.MAX_BODY_BYTES + more, requests=4000)
        assert api.post("/batches", content=body, headers=JSON).status_code == 413
        # The connection goes on being used.
        assert api.post("/batches", json=batch()).status_code == 200


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_the_largest_body_takes_little_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "valar_ui", "sandbox", "--port", "0", "--folder", str(tmp_path)]

    def peak(process: subprocess.Popen[str]) -> int:
        status = Path(f"/proc/{process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            with client(process.stdout.readline().strip(), prefix="") as api:
                assert api.post("/batches", json=batch()).status_code == 200
                idle = peak(process)
                largest = exactly(limits.MAX_BODY_BYTES - 1, requests=limits.MAX_REQUESTS)
                assert api.post("/batches", content=largest, headers=JSON).json()["request_counts"] == 100_000
                assert peak(process) - idle < 100_000  # kB
        finally:
            process.terminate()


def test_a_declared_length_beyond_the_limit_is_refused_before_the_body_comes(origin: str) -> None:
    host, _, port = origin.removeprefix("http://").partition(":")
    head = f"POST /v1/batches HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer k\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"{head}Content-Length: {limits.MAX_BODY_BYTES}\r\n\r\n".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_other_calls_are_answered_while_a_large_body_is_judged(origin: str) -> None:
    body = tiny(100_000)
    answered: list[httpx.Response] = []

    def post() -> None:
        with client(origin) as api:
            answered.append(api.post("/batches", content=body, headers=JSON))

    sending = threading.Thread(target=post)
    sending.start()
    meanwhile = 0
    with client(origin) as api:
        while sending.is_alive():
            assert api.get("/models").status_code == 200
            meanwhile += not answered
            assert api.post("/batches", json=batch(item())).status_code == 200
    sending.join()
    assert answered[0].json()["request_counts"] == 100_000
    assert meanwhile > 3


def test_a_body_that_repeats_a_key_is_refused(origin: str) -> None:
    body = b'{"endpoint":"/v1/responses","requests":[{"custom_id":"a","params":{"model":"m","input":"x","input":"y"}}]}'
    with client(origin) as api:
        assert api.post("/batches", content=body, headers=JSON).status_code == 400


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_must_say_that_it_is_json(origin: str, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    with client(origin) as api:
        refused = api.post("/batches", content=json.dumps(batch()).encode(), headers=headers)
    assert (refused.status_code, refused.json()["error"]["type"]) == (400, "invalid_request_error")
