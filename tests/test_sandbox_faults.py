"""Every fault of the dial as a client sees it, and what the sandbox's own record says about it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.sandbox_server import KEY, batch, client, item, recorded, serving
from valar_ui.sandbox import PRESETS, BadFaultPlan, Fault, FaultKind, FaultPlan, create_app


@dataclass(frozen=True)
class Dialled:
    """A sandbox, its client, its fault file."""

    api: httpx.Client
    faults: Path
    folder: Path

    def dial(self, *faults: Fault) -> None:
        """Write the fault file."""
        FaultPlan(faults=faults).save(self.faults)

    def post(self, key: str = "k1", **options: Any) -> httpx.Response:
        """Send the same batch under a key."""
        return self.api.post("/batches", json=batch(label="sent"), headers={"Idempotency-Key": key}, **options)

    def batches(self) -> int:
        """How many batches the account has."""
        return len(self.api.get("/batches").json())


@pytest.fixture(params=["alone", "mounted"])
def dialled(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Dialled]:
    """A sandbox with a fault file, standing alone and mounted in another app."""
    faults = tmp_path / "faults.json"
    sandbox = create_app(tmp_path / "sandbox", faults=faults, fail_share=0, pace=0)
    mounted = request.param == "mounted"
    app = Starlette(routes=[Mount("/sandbox", sandbox)]) if mounted else sandbox
    with serving(app) as origin, client(origin, prefix="/sandbox/v1" if mounted else "/v1") as api:
        yield Dialled(api, faults, tmp_path / "sandbox")
    sandbox.state.close()


LOST: list[tuple[str, Fault, type[Exception], bool]] = [
    ("lost answer", Fault(kind=FaultKind.LOST_ANSWER, arrivals=(1,)), httpx.RemoteProtocolError, True),
    ("dropped", Fault(kind=FaultKind.DROPPED, arrivals=(1,)), httpx.RemoteProtocolError, False),
    ("reset", Fault(kind=FaultKind.RESET, arrivals=(1,)), httpx.ReadError, False),
    ("reset after", Fault(kind=FaultKind.RESET, after=True, arrivals=(1,)), httpx.ReadError, True),
    ("cut off", Fault(kind=FaultKind.CUT_OFF, arrivals=(1,)), httpx.RemoteProtocolError, True),
    ("cut off at once", Fault(kind=FaultKind.CUT_OFF, bytes=0, arrivals=(1,)), httpx.RemoteProtocolError, True),
]


@pytest.mark.parametrize(("fault", "error", "accepted"), [row[1:] for row in LOST], ids=[row[0] for row in LOST])
def test_a_broken_connection_and_what_became_of_the_batch(
    dialled: Dialled, fault: Fault, error: type[Exception], accepted: bool
) -> None:
    dialled.dial(fault)
    with pytest.raises(error):
        dialled.post()
    assert dialled.batches() == int(accepted)
    again = dialled.post()
    assert again.status_code == 200
    assert dialled.batches() == 1
    first, second = recorded(dialled.folder)
    assert (first["accepted"], first["fault"]) == (accepted, fault.kind.value)
    assert (second["accepted"], second["replayed"], second["fault"]) == (not accepted, accepted, None)
    assert first["sha256"] == second["sha256"]
    assert second["id"] == again.json()["id"]


@pytest.mark.parametrize("kind", [FaultKind.DROPPED, FaultKind.RESET])
def test_a_connection_can_end_in_the_middle_of_the_body(dialled: Dialled, kind: FaultKind) -> None:
    dialled.dial(Fault(kind=kind, bytes=100_000, arrivals=(1,)))

    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 50_000

    with pytest.raises((httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError)):
        dialled.api.post("/batches", content=endless(), headers={"Content-Type": "application/json"})
    arrival = recorded(dialled.folder)[0]
    assert (arrival["accepted"], arrival["sha256"], arrival["status"]) == (False, None, None)
    assert dialled.post().status_code == 200


TYPES = {401: "authentication_error", 402: "billing_error", 403: "permission_error", 429: "rate_limit_error"}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_error_before_or_after_accepting(dialled: Dialled, after: bool) -> None:
    for made, status in enumerate((400, 401, 402, 403, 404, 408, 409, 413, 429, 500, 501, 502, 503, 504)):
        dialled.dial(Fault(kind=FaultKind.STATUS, status=status, after=after, arrivals=(1,)))
        answer = dialled.post(f"key-{status}")
        assert answer.status_code == status
        kind = TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
        assert answer.json()["error"]["type"] == kind
        assert answer.headers["x-request-id"]
        assert dialled.batches() == made + after
        assert dialled.post(f"key-{status}").status_code == 200
        assert [arrival["accepted"] for arrival in recorded(dialled.folder)[-2:]] == [after, not after]


@pytest.mark.parametrize("wait", [20, "99999999999", "soon", "-5", ""])
def test_retry_after_is_sent_as_it_is_written(dialled: Dialled, wait: int | str) -> None:
    dialled.dial(Fault(kind=FaultKind.STATUS, status=429, retry_after=wait))
    assert dialled.post().headers["retry-after"] == str(wait)


def test_retry_after_as_a_date(dialled: Dialled) -> None:
    dialled.dial(Fault(kind=FaultKind.STATUS, status=429, retry_after_date=90))
    when = parsedate_to_datetime(dialled.post().headers["retry-after"]).timestamp()
    assert 0 < when - time.time() <= 91


@pytest.mark.parametrize("after", [False, True])
def test_slow_is_slow_and_then_well(dialled: Dialled, after: bool) -> None:
    dialled.dial(Fault(kind=FaultKind.SLOW, seconds=2, after=after))
    with pytest.raises(httpx.ReadTimeout):
        dialled.post(timeout=0.3)
    dialled.dial(Fault(kind=FaultKind.SLOW, seconds=0.1, after=after))
    assert dialled.post().status_code == 200
    assert dialled.batches() == 1


def test_a_batch_accepted_after_the_client_gave_up(dialled: Dialled) -> None:
    dialled.dial(Fault(kind=FaultKind.LATE, seconds=60, arrivals=(1,)))
    with pytest.raises(httpx.ReadTimeout):
        dialled.post(timeout=3)
    deadline = time.monotonic() + 30
    # The record is written right after the batch: a second call could come in between.
    while not recorded(dialled.folder):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert dialled.post().status_code == 200
    assert dialled.batches() == 1
    assert [arrival["accepted"] for arrival in recorded(dialled.folder)] == [True, False]


def test_a_share_of_the_requests_fails(dialled: Dialled) -> None:
    dialled.dial(Fault(kind=FaultKind.FAILURES, share=0.5, arrivals=(1,)))
    body = batch(*(item(f"r{number}") for number in range(400)))
    some, none = (dialled.api.post("/batches", json=body).json()["id"] for _ in range(2))

    def failed(batch_id: str) -> int:
        status = dialled.api.get(f"/batches/{batch_id}").json()["request_status"]
        return [entry["status"] for entry in status.values()].count("FAILED")

    assert 140 < failed(some) < 260
    assert failed(none) == 0


def statuses(dialled: Dialled, *keys: str) -> list[int]:
    """What a series of POSTs is answered."""
    return [dialled.post(key).status_code for key in keys]


def test_arrivals_are_counted_from_when_the_file_was_written(dialled: Dialled) -> None:
    fault = Fault(kind=FaultKind.STATUS, status=503, arrivals=(2, 3))
    dialled.dial(fault)
    assert statuses(dialled, *"abcd") == [200, 503, 503, 200]
    dialled.dial(fault)
    assert statuses(dialled, *"abcd") == [200, 503, 503, 200]
    dialled.faults.unlink()
    assert statuses(dialled, *"abcd") == [200, 200, 200, 200]


def test_a_script_of_several_faults(dialled: Dialled) -> None:
    dialled.dial(
        *(Fault(kind=FaultKind.STATUS, status=status, arrivals=(at,)) for at, status in enumerate((500, 429, 409), 1))
    )
    assert statuses(dialled, *"aaaa") == [500, 429, 409, 200]


def test_faults_by_key_and_for_each_key(dialled: Dialled) -> None:
    dialled.dial(Fault(kind=FaultKind.STATUS, key="part-*", per_key=True, arrivals=(1,)))
    assert statuses(dialled, "part-1", "part-2", "part-1", "other", "part-2") == [500, 500, 200, 200, 200]


def test_faults_by_method_and_path(dialled: Dialled) -> None:
    dialled.dial(
        Fault(kind=FaultKind.STATUS, status=404, path="/v1/batches"),
        Fault(kind=FaultKind.STATUS, status=503, method="GET", path="/v1/models"),
    )
    assert dialled.post().status_code == 404
    assert dialled.api.get("/models").status_code == 503
    assert dialled.api.get("/batches").status_code == 200
    assert dialled.api.post("/responses", json=item()["params"]).status_code == 200


def test_a_token_can_be_refused(dialled: Dialled) -> None:
    dialled.dial(Fault(kind=FaultKind.STATUS, status=401, method="*", token=KEY))
    assert dialled.api.get("/models").status_code == 401
    assert dialled.api.get("/models", headers={"Authorization": "Bearer other"}).status_code == 200


def test_a_broken_fault_file_leaves_the_earlier_plan(dialled: Dialled, caplog: pytest.LogCaptureFixture) -> None:
    dialled.dial(Fault(kind=FaultKind.STATUS, status=503))
    assert dialled.post().status_code == 503
    dialled.faults.write_text('{"faults": [{"kind": ')
    assert dialled.post().status_code == 503
    assert "fault plan ignored" in caplog.text


@pytest.mark.parametrize("text", ["", "[]", '{"faults": [{"kind": "x"}]}', '{"faults": [{"kind": "slow", "sec": 1}]}'])
def test_a_bad_plan_says_why(tmp_path: Path, text: str) -> None:
    path = tmp_path / "faults.json"
    path.write_text(text)
    with pytest.raises(BadFaultPlan, match=r"faults\.json: \w"):
        FaultPlan.load(path)


@pytest.mark.parametrize("name", list(PRESETS))
def test_presets_are_saved_and_loaded(tmp_path: Path, name: str) -> None:
    about, plan = PRESETS[name]
    assert about.endswith(".")
    plan.save(tmp_path / "faults.json")
    assert FaultPlan.load(tmp_path / "faults.json") == plan


def test_no_file_is_no_fault(tmp_path: Path) -> None:
    assert FaultPlan.load(tmp_path / "none.json") == FaultPlan()


def test_the_manual_names_every_kind_and_every_setting() -> None:
    manual = (Path(__file__).resolve().parents[1] / "docs" / "sandbox.md").read_text("utf-8")
    words = [*(kind.value for kind in FaultKind), *Fault.model_fields]
    assert [word for word in words if f"`{word}`" not in manual and f'"{word}"' not in manual] == []


def test_the_manual_s_fault_file_is_a_plan(tmp_path: Path) -> None:
    manual = (Path(__file__).resolve().parents[1] / "docs" / "sandbox.md").read_text("utf-8")
    start = manual.index('    {"faults"')
    (tmp_path / "faults.json").write_text(manual[start : manual.index("\n    ]}", start) + 7])
    assert [fault.kind for fault in FaultPlan.load(tmp_path / "faults.json").faults] == ["lost-answer", "status"]
