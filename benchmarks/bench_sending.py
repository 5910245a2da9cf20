"""Send just under 256 MB to a loopback server that only counts bytes: the sender, bare httpx, requests.post(json=…).

`python -m benchmarks.bench_sending [--runs 3] [--requests 100000]`. Each way runs in fresh processes; memory is the
peak above the process as it stood with everything imported.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import orjson
import requests

from valar_ui.client import Keyring, Valar
from valar_ui.lanes import BatchLane
from valar_ui.ledger import Holder, Ledger, PartToSend
from valar_ui.limits import MAX_BODY_BYTES
from valar_ui.outbox import Outbox
from valar_ui.spool import Spool

KEY: Final = "sk-benchmark"
CHUNK: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of one way."""

    seconds: float
    megabytes: float


def count_bytes(listener: socket.socket, requests_in_body: int) -> None:
    """Answer every POST like POST /batches, after reading its body and forgetting it."""
    answer = json.dumps({"id": "batch_counted", "request_counts": requests_in_body, "created_at": 1}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
    room = bytearray(1 << 20)
    while True:
        connection, _ = listener.accept()
        with connection:
            seen = b""
            while b"\r\n\r\n" not in seen:
                seen += connection.recv(65_536)
            headers, _, begun = seen.partition(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in headers.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            )
            left = length - len(begun)
            while left:
                left -= connection.recv_into(room, min(len(room), left))
            connection.sendall(head + answer)


def write_body(path: Path, count: int) -> int:
    """A body of `count` requests just under 256 MB; returns its bytes."""
    frame = len(b'{"endpoint":"/v1/responses","requests":[') + len(b'],"label":"bench"}')
    each = (MAX_BODY_BYTES - 1 - frame) // count - 1
    with path.open("wb") as file:
        file.write(b'{"endpoint":"/v1/responses","requests":[')
        for number in range(count):
            item = {"custom_id": f"row-{number}", "params": {"model": "zai-org/GLM-5.1-FP8", "input": ""}}
            words = f"Größe {number} – kettle, {'très bon ☕ ' * 400}"
            body = orjson.dumps(item)
            item["params"]["input"] = words.encode()[: each - len(body)].decode(errors="ignore")  # type: ignore[index]  # a dict
            file.write(orjson.dumps(item) + (b"," if number < count - 1 else b""))
        file.write(b'],"label":"bench"}')
    return path.stat().st_size


def chunks(path: Path) -> Iterator[bytes]:
    """A file in pieces."""
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def measured(work: Callable[[], None]) -> Measured:
    """Time and peak memory above what the process holds now."""
    idle = _resident()
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Measured(seconds, max(peak - idle, 0) / 1e6)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def ours(path: Path, url: str, count: int) -> Measured:
    """Claim, check the hash, stream, accept: everything between a sealed submission and its id."""
    with tempfile.TemporaryDirectory(dir=path.parent) as name:
        home = Path(name)
        for folder in ("spool", "leases"):
            (home / folder).mkdir()
        ledger = Ledger(f"sqlite:///{home / 'ledger.sqlite3'}")
        keyring = Keyring(b"b" * 32)
        account = keyring.add(KEY, kind="valar", base_url=url)
        holder = Holder(home / "leases")
        outbox = Outbox(
            ledger,
            Spool(home / "spool"),
            keyring,
            holder,
            origin=lambda found: found.base_url,
            bodies=lambda _folder, _one: chunks(path),
            open_lane=lambda where, key: BatchLane(Valar(where, key)),
        )
        part = PartToSend(1, 1, 0, count, path.stat().st_size, "bench")
        clicked = ledger.click(
            "bench",
            draft_id="bench",
            session="bench",
            file_name="bench",
            typed_label="bench",
            label="bench",
            fingerprint="bench",
            content_sha256="bench",
            prepared=str(home),
            account=account,
            parts=[part],
            confirmed=None,
            now=time.time(),
        )
        assert outbox.step()
        result = measured(lambda: _sent(outbox))
        found = ledger.dispatch(clicked.id, "bench")
        assert found is not None
        assert found.batch_ids == ("batch_counted",)
        outbox.close()
        holder.close()
        ledger.close()
        return result


def _sent(outbox: Outbox) -> None:
    assert outbox.step()


def bare_httpx(path: Path, url: str, _count: int) -> Measured:
    """The same file through httpx, with nothing around it."""

    def send() -> None:
        headers = {"Content-Length": str(path.stat().st_size), "Content-Type": "application/json"}
        with httpx.Client(timeout=300, trust_env=False) as client:
            client.post(f"{url}/batches", content=chunks(path), headers=headers).raise_for_status()

    return measured(send)


def obvious(path: Path, url: str, _count: int) -> Measured:
    """What most people would write, from dicts in memory (making those is not counted in the time)."""
    idle = _resident()
    body = orjson.loads(path.read_bytes())
    result = measured(lambda: requests.post(f"{url}/batches", json=body, timeout=300).raise_for_status())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Measured(result.seconds, (peak - idle) / 1e6)


WAYS: Final = {"the sender": ours, "bare httpx": bare_httpx, "requests.post(json=…)": obvious}


def _run(name: str, path: Path, url: str, count: int, answers: multiprocessing.SimpleQueue[Measured]) -> None:
    answers.put(WAYS[name](path, url, count))


def main() -> None:
    """Measure every way in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--requests", type=int, default=100_000)
    arguments = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="valar-bench-") as folder:
        path = Path(folder) / "body.json"
        size = write_body(path, arguments.requests)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = multiprocessing.get_context("fork").Process(
                target=count_bytes, args=(listener, arguments.requests), daemon=True
            )
            server.start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            found: dict[str, list[Measured]] = {name: [] for name in WAYS}
            for _ in range(arguments.runs):
                for name, results in found.items():
                    answers: multiprocessing.SimpleQueue[Measured] = spawn.SimpleQueue()
                    process = spawn.Process(target=_run, args=(name, path, url, arguments.requests, answers))
                    process.start()
                    results.append(answers.get())
                    process.join()
            server.terminate()
            server.join()
    print(f"{arguments.requests:,} requests, {size:,} bytes, medians of {arguments.runs}")
    base = statistics.median(result.seconds for result in found["bare httpx"])
    for name, results in found.items():
        seconds = statistics.median(result.seconds for result in results)
        memory = statistics.median(result.megabytes for result in results)
        print(f"{name:<24} {seconds:6.2f} s  {seconds / base:5.1f} × bare httpx  {memory:8.0f} MB above idle")


if __name__ == "__main__":
    main()
