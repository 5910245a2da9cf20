"""`python -m valar_ui submit`: ids printed, exit statuses, and the same keys after a crash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox_server import serving
from tests.sending import accepted, arrivals, fault
from valar_ui.sandbox import create_app

RECIPE = {
    "model": {"fixed": "zai-org/GLM-5.1-FP8"},
    "turns": [{"role": "user", "text": "Classify {{review}}"}],
    "max_output_tokens": {"fixed": 50},
}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A sandbox's folder and base URL."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with serving(create_app(folder, faults=folder / "faults.json", pace=0.0)) as origin:
        yield folder, f"{origin}/v1"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A sheet and a recipe as arguments."""
    (tmp_path / "reviews.csv").write_text("id,review\n1,Great\n2,Bad\n3,So so\n", "utf-8")
    (tmp_path / "recipe.json").write_text(json.dumps(RECIPE), "utf-8")
    return [str(tmp_path / "reviews.csv"), "--recipe", str(tmp_path / "recipe.json"), "--label", "reviews"]


def start(home: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start the command with its own home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VALAR_")}
    return subprocess.Popen(
        [sys.executable, "-m", "valar_ui", "submit", *arguments, "--json"],
        env=kept | {"VALAR_UI_HOME": str(home)} | environment,
        cwd=Path(__file__).resolve().parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def submit(home: Path, *arguments: str, **environment: str) -> tuple[int, dict[str, Any]]:
    """Run the command; its exit status and what it printed."""
    with start(home, *arguments, **environment) as process:
        out, _err = process.communicate(timeout=60)
        return process.returncode, json.loads(out)


def test_a_sheet_becomes_a_batch_once_however_often_it_is_run(
    tmp_path: Path, sandbox: tuple[Path, str], files: list[str]
) -> None:
    folder, url = sandbox
    status, first = submit(tmp_path / "home", *files, "--sandbox-url", url)
    assert (status, first["ok"]) == (0, True)
    assert first["batch_ids"] == [made["id"] for made in accepted(folder)]
    assert first["parts"][0]["label"] == "reviews"
    status, second = submit(tmp_path / "home", *files, "--sandbox-url", url)
    assert (status, second["batch_ids"]) == (0, first["batch_ids"])
    assert len(arrivals(folder)) == 1
    status, third = submit(tmp_path / "home", *files, "--sandbox-url", url, "--again")
    assert status == 0
    assert third["batch_ids"] != first["batch_ids"]
    assert len(accepted(folder)) == 2


def test_after_a_kill_the_same_command_goes_on_under_the_same_key(
    tmp_path: Path, sandbox: tuple[Path, str], files: list[str]
) -> None:
    folder, url = sandbox
    fault(folder, {"kind": "slow", "seconds": 30, "after": True, "arrivals": (1,)})
    with start(tmp_path / "home", *files, "--sandbox-url", url) as process:
        while not accepted(folder):
            assert process.poll() is None, process.stderr
        process.send_signal(signal.SIGKILL)
    fault(folder)
    status, told = submit(tmp_path / "home", *files, "--sandbox-url", url)
    assert (status, told["batch_ids"]) == (0, [made["id"] for made in accepted(folder)])
    assert [attempt["outcome"] for attempt in told["parts"][0]["attempts"]] == ["interrupted", "accepted"]
    assert len({arrival["key"] for arrival in arrivals(folder)}) == 1


def test_what_valar_refuses_and_what_is_blocked_end_with_1(
    tmp_path: Path, sandbox: tuple[Path, str], files: list[str]
) -> None:
    folder, url = sandbox
    fault(folder, {"kind": "status", "status": 400})
    status, told = submit(tmp_path / "home", *files, "--sandbox-url", url)
    assert (status, told["ok"], told["parts"][0]["state"]) == (1, False, "rejected")
    (tmp_path / "recipe.json").write_text(json.dumps(RECIPE | {"temperature": {"fixed": 9}}), "utf-8")
    status, told = submit(tmp_path / "home", *files, "--sandbox-url", url)
    assert status == 1
    assert told["problems"]
    assert len(arrivals(folder)) == 1


@pytest.mark.parametrize("wrong", ["file", "recipe", "key", "no key"])
def test_what_cannot_be_used_ends_with_2(tmp_path: Path, files: list[str], wrong: str) -> None:
    environment = {"VALAR_API_KEY": "sk-fine", "VALAR_BASE_URL": "http://127.0.0.1:9/v1"}
    match wrong:
        case "file":
            Path(files[0]).unlink()
        case "recipe":
            Path(files[2]).write_text("{", "utf-8")
        case "key":
            environment["VALAR_API_KEY"] = "sk-with a space"
        case "no key":
            del environment["VALAR_API_KEY"]
    status, told = submit(tmp_path / "home", *files, **environment)
    assert (status, told["ok"]) == (2, False)
    assert "sk-" not in json.dumps(told)
