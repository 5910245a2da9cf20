"""`python -m valar_ui inspect`: one JSON object, or a sentence; the exit status tells a refusal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from valar_ui.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    status = main(["inspect", *arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_everything_that_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes("id;text\n1;Zoë\n\n2;x;y\nTotal\n".encode("cp1252"))
    status, found = run(capsys, str(path), "--cells")
    assert status == 0
    assert (found["format"], found["encoding"], found["delimiter"], found["header_row"]) == ("csv", "cp1252", ";", 1)
    assert (found["columns"], found["rows"]) == (["id", "text"], 3)
    assert found["cells"] == [[2, ["1", "Zoë"]], [4, ["2", "x"]], [5, ["Total", ""]]]
    assert found["records"] == {
        "all": 5, "above": 0, "heading": 1, "rows": 3, "blank": 1, "left_out": 0, "refused": 0,
    }  # fmt: skip
    assert {"long-row", "short-row", "encoding-guessed"} <= {problem["code"] for problem in found["problems"]}
    assert found["suggestions"] == {"custom_id": "id", "input": "text"}
    assert (found["error"], found["sheet"], found["recognised_as"], found["hidden_rows"]) == (None, None, None, 0)


def test_what_a_person_would_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes("x\na|b\n1|Ж\n2|y\n".encode("cp1251"))
    status, found = run(
        capsys, str(path), "--cells", "--encoding", "cp1251", "--delimiter", "pipe",
        "--header-row", "2", "--first-data-row", "3", "--drop-row", "4",
    )  # fmt: skip
    assert (status, found["columns"], found["cells"]) == (0, ["a", "b"], [[3, ["1", "Ж"]]])


def test_ready_made_requests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "f.jsonl"
    path.write_text('{"custom_id": "a", "params": {"model": "m", "input": "é"}}\n', encoding="utf-8")
    status, found = run(capsys, str(path), "--cells")
    assert (status, found["recognised_as"]) == (0, "valar-requests")
    assert found["requests"] == [{"custom_id": "a", "params": {"model": "m", "input": "é"}}]


@pytest.mark.parametrize("name", ["empty.csv", "missing.csv"])
def test_a_refusal(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    status, found = run(capsys, str(tmp_path / name))
    assert status == 2
    assert found["error"]
    assert main(["inspect", str(tmp_path / name)]) == 2
    assert found["error"] in capsys.readouterr().err


def test_words_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(b"id,id\n1,2\n")
    assert main(["inspect", str(path)]) == 0
    told = capsys.readouterr().out
    assert "1 row, 2 columns" in told
    assert "warning" in told


def test_every_row_with_a_problem_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(b"id,text\n" + b"1,a\n2\n" * 50)
    _, found = run(capsys, str(path))
    rows = [problem["row"] for problem in found["problems"] if problem["code"] == "short-row"]
    assert rows == list(range(3, 103, 2))
    assert main(["inspect", str(path)]) == 0
    assert "warning × 50  row 3: This row is too short" in capsys.readouterr().out


def test_what_valar_refuses_in_ready_made_requests_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bodies: list[dict[str, Any]] = [
        {"response_format": {"type": "json_object"}},
        {"tools": [{"type": "web_search"}]},
        {"stream": True},
        {"stop": ["."]},
    ]
    spoken = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    lines = [
        json.dumps({"custom_id": f"r-{at}", "method": "POST", "url": "/v1/chat/completions", "body": spoken | more})
        for at, more in enumerate(bodies)
    ]
    path = tmp_path / "openai.jsonl"
    path.write_text("\n".join(lines))
    status, found = run(capsys, str(path))
    told = found["problems"]
    assert status == 0
    assert {row for row in (1, 2, 3, 4) if any(problem["row"] == row for problem in told)} == {1, 2, 3, 4}
    assert any(problem["row"] == 3 and "stream: true" in problem["message"] for problem in told)


def test_whoever_reads_only_the_beginning_gets_no_complaint(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_text("id,text\n" + "1,a longer text in every row\n" * 40_000)
    command = [sys.executable, "-m", "valar_ui", "inspect", str(path), "--json", "--cells"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.read(10).startswith(b"{")
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 1
