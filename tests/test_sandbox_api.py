"""The sandbox answers as the API's pages say: envelopes, ids, paging, idempotency, progress, restart."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.sandbox_server import KEY, MODEL, batch, client, item, recorded, serving
from valar_ui.sandbox import create_app


@dataclass
class Clock:
    """A clock that tests turn."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Running:
    """A sandbox and what a test needs of it."""

    api: httpx.Client
    origin: str
    clock: Clock
    folder: Path


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A sandbox whose clock stands still."""
    clock = Clock()
    app = create_app(tmp_path, clock=clock, pace=10, fail_share=0)
    with serving(app) as origin, client(origin) as api:
        yield Running(api, origin, clock, tmp_path)


def made(answer: httpx.Response) -> dict[str, Any]:
    """The body of a 200."""
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def refused(answer: httpx.Response, status: int, kind: str, param: str | None = None) -> str:
    """Check an error envelope; gives its message."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert answer.headers["x-request-id"].startswith("req_")
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == (kind, param), error
    return str(error["message"])


def test_two_requests_make_a_batch_with_the_four_documented_fields(running: Running) -> None:
    hello = {"model": MODEL, "max_output_tokens": 1024, "input": [{"role": "user", "content": "Good morning"}]}
    body = batch(
        {"custom_id": "first-one", "params": hello}, {"custom_id": "second-one", "params": hello}, label="two-greetings"
    )
    answer = running.api.post("/batches", json=body)
    assert made(answer) == {
        "id": answer.json()["id"],
        "request_counts": 2,
        "created_at": 1_700_000_000,
        "label": "two-greetings",
    }
    assert re.fullmatch(r"batch_[0-9a-f]{24}", answer.json()["id"])
    assert answer.headers["x-request-id"].startswith("req_")


def test_a_batch_without_label_has_none(running: Running) -> None:
    assert sorted(made(running.api.post("/batches", json=batch()))) == ["created_at", "id", "request_counts"]


@pytest.mark.parametrize("token", [None, "", "Basic abc", "Bearer"])
def test_without_a_token_nothing_is_answered(running: Running, token: str | None) -> None:
    headers = {} if token is None else {"Authorization": token}
    for path in ("/v1/models", "/v1/batches", "/v1/batches/batch_x", "/v1/responses/resp_x"):
        refused(httpx.get(running.origin + path, headers=headers), 401, "authentication_error")
    refused(httpx.post(f"{running.origin}/v1/batches", headers=headers, json=batch()), 401, "authentication_error")


@pytest.mark.parametrize("path", ["/nothing", "/batches/", "/batches/batch_1/a/b", "/responses/x", "/batches/batch_1"])
def test_unknown_places_are_404_in_the_envelope(running: Running, path: str) -> None:
    refused(running.api.get(path), 404, "invalid_request_error")


def test_a_method_that_is_not_there_is_405_with_those_that_are(running: Running) -> None:
    answer = running.api.delete("/batches")
    refused(answer, 405, "invalid_request_error")
    assert answer.headers["allow"] == "GET, POST"


def test_models_are_listed(running: Running) -> None:
    listed = made(running.api.get("/models"))
    assert listed["object"] == "list"
    assert MODEL in [model["id"] for model in listed["data"]]


def test_accounts_do_not_see_each_other(running: Running) -> None:
    batch_id = made(running.api.post("/batches", json=batch()))["id"]
    with client(running.origin, key="another") as other:
        assert other.get("/batches").json() == []
        refused(other.get(f"/batches/{batch_id}"), 404, "invalid_request_error")
        refused(other.get(f"/batches/{batch_id}/a"), 404, "invalid_request_error")
        refused(other.get("/batches", params={"after_id": batch_id}), 400, "invalid_request_error", "after_id")


def test_requests_progress_with_the_clock(running: Running) -> None:
    items = [item(f"row-{number}") for number in range(100)]
    batch_id = made(running.api.post("/batches", json=batch(*items)))["id"]
    seen: list[list[str]] = []
    for _ in range(5):
        status = made(running.api.get(f"/batches/{batch_id}"))["request_status"]
        assert list(status) == [entry["custom_id"] for entry in items]
        seen.append([entry["status"] for entry in status.values()])
        one = made(running.api.get(f"/batches/{batch_id}/row-7"))
        assert one["status"] == status["row-7"]["status"].lower()
        running.clock.now += 2.5
    words = ["PENDING", "RUNNING", "COMPLETED"]
    assert [words[0] in seen[0], words[1] in seen[2], set(seen[4])] == [True, True, {"COMPLETED"}]
    for before, after in itertools.pairwise(seen):
        assert all(words.index(one) <= words.index(two) for one, two in zip(before, after, strict=True))


def test_an_answer_says_that_it_is_the_sandbox_s(running: Running) -> None:
    batch_id = made(running.api.post("/batches", json=batch(item("a", metadata={"row": "7"}, temperature=0.5))))["id"]
    pending = made(running.api.get(f"/batches/{batch_id}/a"))
    assert (pending["output"], pending["usage"]["total_tokens"]) == ([], 0)
    running.clock.now += 10
    answer = made(running.api.get(f"/batches/{batch_id}/a"))
    text = answer["output"][0]["content"][0]["text"]
    assert "andbox" in text
    assert answer["usage"]["total_tokens"] == answer["usage"]["input_tokens"] + answer["usage"]["output_tokens"]
    assert (answer["metadata"], answer["temperature"], answer["model"]) == ({"row": "7"}, 0.5, MODEL)
    refused(running.api.get(f"/batches/{batch_id}/b"), 404, "invalid_request_error")


def test_the_same_seed_gives_the_same_answers_and_another_seed_others(tmp_path: Path) -> None:
    body = batch(*(item(f"row-{number}") for number in range(500)))

    def answers(seed: int, name: str) -> tuple[list[str], list[Any]]:
        clock = Clock()
        with serving(create_app(tmp_path / name, clock=clock, seed=seed)) as origin, client(origin) as api:
            batch_id = made(api.post("/batches", json=body))["id"]
            clock.now += 60
            status = made(api.get(f"/batches/{batch_id}"))["request_status"]
            outputs = [made(api.get(f"/batches/{batch_id}/row-{number}"))["output"] for number in range(20)]
            return [entry["status"] for entry in status.values()], [
                [part["text"] for entry in output for part in entry["content"]] for output in outputs
            ]

    one = answers(1, "one")
    assert answers(1, "again") == one
    assert answers(2, "two") != one
    assert 1 <= one[0].count("FAILED") <= 15


def test_a_schema_is_answered_with_an_object_that_satisfies_it(running: Running) -> None:
    schema = {
        "type": "object",
        "properties": {"mood": {"enum": ["good", "bad"]}, "stars": {"type": "integer", "minimum": 1, "maximum": 5}},
        "required": ["mood", "stars"],
        "additionalProperties": False,
    }
    shape = {"format": {"type": "json_schema", "name": "review", "schema": schema, "strict": True}}
    answer = made(running.api.post("/responses", json=item(text=shape)["params"]))
    value = json.loads(answer["output"][0]["content"][0]["text"])
    assert value["mood"] in ("good", "bad")
    assert value["stars"] in range(1, 6)
    assert answer["text"] == shape


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"model": "no-such-model"}, "model_not_found"),
        ({"text": {"format": {"type": "json_schema", "name": "x", "schema": {"enum": []}}}}, "invalid_json_schema"),
    ],
)
def test_what_no_model_can_answer_fails_alike_in_status_and_result(
    running: Running, params: dict[str, Any], code: str
) -> None:
    batch_id = made(running.api.post("/batches", json=batch(item("bad", **params), item("good"))))["id"]
    running.clock.now += 10
    status = made(running.api.get(f"/batches/{batch_id}"))["request_status"]
    assert status == {"bad": {"status": "FAILED"}, "good": {"status": "COMPLETED"}}
    failed = made(running.api.get(f"/batches/{batch_id}/bad"))
    assert (failed["status"], failed["error"]["code"], failed["output"]) == ("failed", code, [])


def test_max_output_tokens_cuts_a_text(running: Running) -> None:
    answer = made(running.api.post("/responses", json=item(max_output_tokens=3)["params"]))
    assert answer["incomplete_details"] == {"reason": "max_output_tokens"}
    assert answer["usage"]["output_tokens"] <= 3


def test_responses_now_and_in_the_background(running: Running) -> None:
    now = running.api.post("/responses", json=item()["params"])
    assert (now.status_code, now.json()["status"]) == (200, "completed")
    later = running.api.post("/responses", json=item(background=True, metadata={"completion_window": "flex"})["params"])
    assert later.status_code == 202
    assert later.json()["status"] in ("pending", "running")
    running.clock.now += 10
    assert made(running.api.get(f"/responses/{later.json()['id']}"))["status"] == "completed"


def test_the_openai_package_creates_and_retrieves_a_background_response(running: Running) -> None:
    with openai.OpenAI(base_url=f"{running.origin}/v1", api_key=KEY) as sdk:
        created = sdk.responses.create(model=MODEL, input="Say something", background=True)
        assert created.id.startswith("resp_")
        running.clock.now += 10
        found = sdk.responses.retrieve(created.id)
        assert found.status == "completed"
        assert "andbox" in found.output_text
        assert MODEL in [model.id for model in sdk.models.list()]
        with pytest.raises(openai.BadRequestError) as caught:
            sdk.responses.create(model=MODEL, input="Say something", instructions="Be brief")
        assert caught.value.param == "instructions"


def test_paging_walks_both_ways(running: Running) -> None:
    ids = [made(running.api.post("/batches", json=batch(label=f"n{number}")))["id"] for number in range(30)]

    def page(**query: Any) -> list[str]:
        found: list[dict[str, Any]] = running.api.get("/batches", params=query).json()
        return [entry["id"] for entry in found]

    newest_first = ids[::-1]
    assert page() == newest_first[:25]
    assert page(limit=200) == newest_first
    assert page(limit=7) == newest_first[:7]
    assert page(limit=7, before_id=newest_first[6]) == newest_first[7:14]
    assert page(limit=7, before_id=ids[0]) == []
    assert page(limit=7, after_id=ids[3]) == ids[4:11][::-1]
    assert page(after_id=ids[29]) == []
    assert page(after_id=ids[3], before_id=ids[6]) == [ids[5], ids[4]]
    walked: list[str] = []
    while found := page(limit=4, **({"before_id": walked[-1]} if walked else {})):
        walked += found
    assert walked == newest_first


@pytest.mark.parametrize("limit", ["0", "201", "-1", "x", "1.5", "", "١", "99999999999999999999", "+5", " 5"])
def test_a_limit_outside_1_to_200_is_refused(running: Running, limit: str) -> None:
    refused(running.api.get("/batches", params={"limit": limit}), 400, "invalid_request_error", "limit")


def test_query_parameters_are_checked(running: Running) -> None:
    refused(running.api.get("/batches?limit=1&limit=2"), 400, "invalid_request_error", "limit")
    refused(running.api.get("/batches?before_id=batch_x"), 400, "invalid_request_error", "before_id")


def test_one_key_makes_one_batch_and_replays_it(running: Running) -> None:
    body = json.dumps(batch(label="once")).encode()
    headers = {"Idempotency-Key": "k1", "Content-Type": "application/json"}
    first = made(running.api.post("/batches", content=body, headers=headers))
    running.clock.now += 100
    assert made(running.api.post("/batches", content=body, headers=headers)) == first
    assert len(running.api.get("/batches").json()) == 1
    outcomes = [(arrival["accepted"], arrival["replayed"]) for arrival in recorded(running.folder)]
    assert outcomes == [(True, False), (False, True)]


def test_a_replayed_response_shows_its_current_state(running: Running) -> None:
    params, headers = item(background=True)["params"], {"Idempotency-Key": "k1"}
    first = running.api.post("/responses", json=params, headers=headers).json()
    running.clock.now += 10
    again = running.api.post("/responses", json=params, headers=headers)
    assert again.status_code == 202
    assert (again.json()["id"], again.json()["status"]) == (first["id"], "completed")


def test_a_key_with_another_body_is_an_idempotency_error(running: Running) -> None:
    headers = {"Idempotency-Key": "k1"}
    made(running.api.post("/batches", json=batch(), headers=headers))
    # A space more is another body.
    spaced = json.dumps(batch(), indent=1).encode()
    typed = {**headers, "Content-Type": "application/json"}
    refused(running.api.post("/batches", content=spaced, headers=typed), 400, "idempotency_error")
    refused(running.api.post("/responses", json=item()["params"], headers=headers), 400, "idempotency_error")
    assert len(running.api.get("/batches").json()) == 1


def test_a_refused_body_leaves_the_key_free(running: Running) -> None:
    headers = {"Idempotency-Key": "k1"}
    refused(running.api.post("/batches", json=batch(label="?"), headers=headers), 400, "invalid_request_error", "label")
    made(running.api.post("/batches", json=batch(), headers=headers))


def test_the_same_key_of_another_account_is_another_reservation(running: Running) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = made(running.api.post("/batches", json=batch(), headers=headers))
    with client(running.origin, key="another") as other:
        assert made(other.post("/batches", json=batch(label="x"), headers=headers))["id"] != first["id"]


def test_without_a_key_every_post_is_a_new_batch(running: Running) -> None:
    ids = {made(running.api.post("/batches", json=batch()))["id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize(("length", "status"), [(255, 200), (256, 400)])
def test_a_key_has_at_most_255_characters(running: Running, length: int, status: int) -> None:
    answer = running.api.post("/batches", json=batch(), headers={"Idempotency-Key": "k" * length})
    assert answer.status_code == status


def test_identical_posts_at_once_make_one_batch(running: Running) -> None:
    body = batch(*(item(f"row-{number}") for number in range(2000)))

    def post(_: int) -> str:
        with client(running.origin) as api:
            return str(made(api.post("/batches", json=body, headers={"Idempotency-Key": "k1"}))["id"])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(post, range(16)))) == 1
    assert len(running.api.get("/batches").json()) == 1
    assert sum(arrival["accepted"] for arrival in recorded(running.folder)) == 1


def test_batches_responses_and_keys_survive_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    headers = {"Idempotency-Key": "k1"}
    with serving(create_app(tmp_path, clock=clock, fail_share=0)) as origin, client(origin) as api:
        first = made(api.post("/batches", json=batch(label="kept"), headers=headers))
        response = api.post("/responses", json=item(background=True)["params"]).json()
    clock.now += 60
    with serving(create_app(tmp_path, clock=clock, fail_share=0)) as origin, client(origin) as api:
        assert api.get("/batches").json() == [first]
        assert made(api.get(f"/batches/{first['id']}"))["request_status"] == {"a": {"status": "COMPLETED"}}
        assert made(api.get(f"/responses/{response['id']}"))["status"] == "completed"
        assert made(api.post("/batches", json=batch(label="kept"), headers=headers)) == first
    assert [arrival["number"] for arrival in recorded(tmp_path)] == sorted(
        {arrival["number"] for arrival in recorded(tmp_path)}
    )


@pytest.mark.parametrize(("reads", "methods"), [(False, ["POST"]), (True, ["GET", "POST", "GET"])])
def test_calls_that_only_read_are_recorded_where_asked(tmp_path: Path, reads: bool, methods: list[str]) -> None:
    with serving(create_app(tmp_path, record_reads=reads)) as origin, client(origin) as api:
        api.get("/models")
        api.post("/batches", json=batch())
        api.get("/batches")
    lines = (tmp_path / "accepted.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["method"] for line in lines] == methods


def test_neither_token_nor_prompt_is_written_anywhere(running: Running) -> None:
    made(running.api.post("/batches", json=batch(item("a", input="an unmistakable prompt"))))
    refused(running.api.post("/batches", json=batch(label="?")), 400, "invalid_request_error", "label")
    written = b"".join(path.read_bytes() for path in running.folder.rglob("*") if path.is_file())
    assert b"batch_" in written
    assert KEY.encode() not in written
    assert b"unmistakable" not in written


def test_mounted_in_another_app_it_works_below_its_prefix(tmp_path: Path) -> None:
    sandbox = create_app(tmp_path)
    with (
        serving(Starlette(routes=[Mount("/sandbox", sandbox)])) as origin,
        client(origin, prefix="/sandbox/v1") as api,
    ):
        batch_id = made(api.post("/batches", json=batch()))["id"]
        assert made(api.get(f"/batches/{batch_id}"))["id"] == batch_id
        refused(api.get("/nothing"), 404, "invalid_request_error")
        assert recorded(tmp_path)[0]["path"] == "/v1/batches"
    sandbox.state.close()


def test_the_command_prints_its_url_and_serves(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "valar_ui", "sandbox", "--port", "0", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/v1", url)
            sent = json.dumps(batch(label="by-curl"))
            arguments = ["-s", f"{url}/batches", "-H", f"Authorization: Bearer {KEY}"]
            curl = subprocess.run(
                ["curl", *arguments, "-H", "Content-Type: application/json", "-d", sent],
                capture_output=True,
                check=True,
            )
            assert sorted(json.loads(curl.stdout)) == ["created_at", "id", "label", "request_counts"]
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_the_command_refuses_a_bad_fault_file(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('{"faults": [{"kind": "explosion"}]}')
    command = [sys.executable, "-m", "valar_ui", "sandbox", "--port", "0", "--faults", str(faults)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "faults.0.kind" in ended.stderr
