"""The vendor's OpenAPI description as judge: schemathesis finds nothing, and every Response object satisfies it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.sandbox_server import KEY, MODEL, batch, client, item, serving
from valar_ui.sandbox import Fault, FaultKind, FaultPlan, create_app

OPENAPI = Path(__file__).resolve().parents[1].parent / "shared" / "valar-openapi.json"

pytestmark = pytest.mark.skipif(not OPENAPI.exists(), reason="the OpenAPI description is not beside the project")

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "use_after_free",
    "ignored_auth",
)
"""All but `positive_data_acceptance` (params that the description leaves open are judged by the vendor's pages, and
ids are unknown) and `ensure_resource_availability` (what is created has another id in each call)."""


@pytest.mark.slow
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    # Any token is an account of the sandbox; one that schemathesis invents has to be refused to satisfy ignored_auth.
    faults = tmp_path / "faults.json"
    FaultPlan(faults=(Fault(kind=FaultKind.STATUS, status=401, method="*", token="[!s]*"),)).save(faults)
    with serving(create_app(tmp_path / "sandbox", faults=faults)) as origin:
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", str(OPENAPI), "--url", f"{origin}/v1"),
            *("--header", f"Authorization: Bearer {KEY}", "--exclude-path", "/chat/completions"),
            *("--checks", ",".join(CHECKS), "--max-examples", "10", "--seed", "1", "--no-color"),
            *("--phases", "examples,coverage,fuzzing,stateful", "--mode", "all"),
        ]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=240)
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]


def validator(name: str) -> Draft202012Validator:
    """A validator for one of the description's schemas."""
    described = json.loads(OPENAPI.read_text("utf-8"))
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": described["components"]})


PARAMS: list[dict[str, Any]] = [
    {},
    {"temperature": None, "top_p": None, "max_output_tokens": None},
    {"temperature": 0.5, "top_p": 1, "max_output_tokens": 2, "user": "u", "metadata": {"a": "b"}},
    {"reasoning": {"effort": "high"}, "text": {"format": {"type": "text"}}, "background": True},
    {"text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}}},
    {"model": "unknown-model"},
]


@pytest.mark.parametrize("params", PARAMS, ids=range(len(PARAMS)))
@pytest.mark.parametrize("age", [0.0, 5.0, 10.0])
@pytest.mark.parametrize("fail_share", [0.0, 1.0])
def test_response_objects_satisfy_the_description(
    tmp_path: Path, params: dict[str, Any], age: float, fail_share: float
) -> None:
    judge = validator("ResponseObject")
    now = [1_700_000_000.0]
    app = create_app(tmp_path, clock=lambda: now[0], pace=10, fail_share=fail_share)
    with serving(app) as origin, client(origin) as api:
        batch_id = api.post("/batches", json=batch(item(**params))).json()["id"]
        alone = api.post("/responses", json=item(**params)["params"])
        now[0] += age
        answers = [api.get(f"/batches/{batch_id}/a"), api.get(f"/responses/{alone.json()['id']}"), alone]
        assert [list(judge.iter_errors(answer.json())) for answer in answers] == [[], [], []]
        assert answers[0].json()["model"] == params.get("model", MODEL)
