"""`python -m valar_ui compose`: the bodies, the manifest, the problems, the exit status."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from valar_ui.cli import main
from valar_ui.pricing import load_prices
from valar_ui.recipe import Recipe

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "recipe.md"


def documented(language: str) -> list[str]:
    """The examples of docs/recipe.md in one language."""
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)


def compose(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """Run the command; its exit status and what it printed."""
    status = main(["compose", *map(str, arguments), "--json"])
    return status, json.loads(capsys.readouterr().out)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A recipe for a sheet with the columns id and text."""
    path = tmp_path / "recipe.json"
    path.write_text(
        json.dumps(
            {
                "model": {"fixed": "zai-org/GLM-5.1-FP8"},
                "turns": [{"role": "user", "text": "{{text}}"}],
                "max_output_tokens": {"fixed": 1024},
                "custom_id": {"column": "id"},
            }
        )
    )
    return path


def test_the_journey_on_the_command_line(tmp_path: Path, recipe: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text('id,text\nmy-first-request,"Hello, world!"\nmy-second-request,Hello again!\n')
    command = [sys.executable, "-m", "valar_ui", "compose", str(sheet), "--recipe", str(recipe)]
    command += ["--label", "my-batch-job", "--out", str(tmp_path / "out"), "--json"]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=60, check=True)
    told = json.loads(done.stdout)
    body = (tmp_path / "out" / "body.json").read_bytes()
    assert (told["ok"], told["requests"], told["bytes"]) == (True, 2, len(body))
    assert told["sha256"] == hashlib.sha256(body).hexdigest()
    whole = json.loads(body)
    assert (whole["endpoint"], whole["label"]) == ("/v1/responses", "my-batch-job")
    assert [request["custom_id"] for request in whole["requests"]] == ["my-first-request", "my-second-request"]
    with (tmp_path / "out" / "manifest.csv").open(newline="") as file:
        assert [(line["custom_id"], line["row"]) for line in csv.DictReader(file)] == [
            ("my-first-request", "2"),
            ("my-second-request", "3"),
        ]


@pytest.mark.parametrize(
    ("text", "options", "status", "requests", "code"),
    [
        ("id,text\na,x\nb,y\n", [], 0, 2, None),
        ("id,text\na,x\nb,\n", [], 1, 1, "empty-prompt"),
        ("id,text\na,x\nb,\n", ["--leave-out-errors"], 0, 1, None),
        ("id,text\na,x\nb,x\n", ["--collapse"], 0, 1, None),
        ("id,words\na,x\n", [], 1, 1, "unknown-column"),
        ("id,text\na,x\n", ["--label", "no spaces"], 1, 1, "label-characters"),
    ],
)
def test_the_exit_status(
    tmp_path: Path,
    recipe: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    options: list[str],
    status: int,
    requests: int,
    code: str | None,
) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(text)
    got, told = compose(capsys, sheet, "--recipe", recipe, "--out", tmp_path / "out", *options)
    assert (got, told["requests"], told["ok"]) == (status, requests, status == 0)
    assert (tmp_path / "out" / "body.json").exists() is (status == 0)
    assert code is None or code in {problem["code"] for problem in told["problems"]}
    assert (tmp_path / "out" / "problems.csv").exists()


@pytest.mark.parametrize(
    ("sheet", "recipe_text"),
    [(None, None), ("", "{}"), ("id,text\na,x\n", "{"), ("id,text\na,x\n", '{"promt": 1}'), ("id,text\na,x\n", None)],
)
def test_what_cannot_be_read_is_told_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sheet: str | None, recipe_text: str | None
) -> None:
    path, recipe = tmp_path / "sheet.csv", tmp_path / "r.json"
    options: list[str | Path] = []
    if sheet is not None:
        path.write_text(sheet)
    if recipe_text is not None:
        recipe.write_text(recipe_text)
        options = ["--recipe", recipe]
    status, told = compose(capsys, path, "--out", tmp_path / "out", *options)
    assert status == 2
    assert told["error"]
    assert not (tmp_path / "out").exists()


def test_ready_made_requests_need_no_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "requests.jsonl"
    lines = [
        {"custom_id": f"r-{at}", "params": {"model": "m", "input": "ü", "max_output_tokens": 1}} for at in range(3)
    ]
    sheet.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    status, told = compose(capsys, sheet, "--out", tmp_path / "out")
    assert (status, told["requests"]) == (0, 3)
    assert json.loads((tmp_path / "out" / "body.json").read_bytes())["requests"] == lines


def test_another_model_is_asked_where_one_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text('{"custom_id": "a", "params": {"model": "gpt-4o", "input": "Hi"}}\n')
    status, told = compose(capsys, file, "--use-model", "gpt-4o", "openai/gpt-oss-120b", "--out", tmp_path / "out")
    assert (status, told["requests"]) == (0, 1)
    (request,) = json.loads((tmp_path / "out" / "body.json").read_bytes())["requests"]
    assert request["params"] == {"model": "openai/gpt-oss-120b", "input": "Hi"}


def test_several_parts(tmp_path: Path, recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("id,text\n" + "".join(f"r-{at},x{at}\n" for at in range(100_002)))
    status, told = compose(capsys, sheet, "--recipe", recipe, "--label", "l", "--out", tmp_path / "out")
    assert (status, told["sha256"]) == (0, None)
    assert [(part["file"], part["label"], part["requests"]) for part in told["parts"]] == [
        ("body-1of2.json", "l-1of2", 100_000),
        ("body-2of2.json", "l-2of2", 2),
    ]
    for part in told["parts"]:
        body = (tmp_path / "out" / part["file"]).read_bytes()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (part["bytes"], part["sha256"])
    with (tmp_path / "out" / "manifest.csv").open(newline="") as file:
        assert [line["part"] for line in csv.DictReader(file)][-3:] == ["1", "2", "2"]


def test_the_documented_recipe_composes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example, prices = documented("json")
    (tmp_path / "r.json").write_text(example, encoding="utf-8")
    (tmp_path / "p.json").write_text(prices)
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(
        "review_id,country,product,review,temperature,photo\n"
        "R 1,GB,Kettle,Boils fast,0.2,https://example.org/1.jpg\n"
        "R 2,FR,Kettle,Too loud,,\n"
    )
    status, told = compose(
        capsys, sheet, "--recipe", tmp_path / "r.json", "--out", tmp_path / "out", "--prices", tmp_path / "p.json"
    )
    assert (status, [problem["code"] for problem in told["problems"]]) == (0, ["image-none", "ids-changed"])
    assert told["estimate"]["prices"] == "March 2027"
    assert told["estimate"]["usd_low"] < told["estimate"]["usd_high"]
    first, second = json.loads((tmp_path / "out" / "body.json").read_bytes())["requests"]
    given = set(json.loads(example)) - {"version", "name", "label", "turns", "images", "custom_id", "more", "model"}
    assert given <= set(Recipe.model_fields)
    assert first["params"]["temperature"] == 0.2
    assert "temperature" not in second["params"]
    assert len(first["params"]["input"]) == 4
    assert first["params"]["input"][3]["content"][1]["image_url"] == "https://example.org/1.jpg"
    assert second["params"]["input"][3]["content"] == "Kettle: Too loud"
    assert first["params"]["metadata"] == {"completion_window": "standard", "team": "support", "market": "GB"}
    assert first["params"]["text"]["format"]["strict"] is True
    assert first["custom_id"].startswith("r-1-")


def test_the_documented_prices_load_as_csv(tmp_path: Path) -> None:
    (table,) = documented("csv")
    path = tmp_path / "p.csv"
    path.write_text(table)
    assert load_prices(path).date == "March 2027"


def test_words_for_people(tmp_path: Path, recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("id,text\na,\n")
    assert main(["compose", str(sheet), "--recipe", str(recipe), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr()
    assert "row 2" in told.out
    assert "no body was written" in told.err


def test_decimal_commas_are_read_where_asked(tmp_path: Path, recipe: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("id;text;heat\na;hello;0,7\n")
    recipe.write_text(json.dumps(json.loads(recipe.read_text()) | {"temperature": {"column": "heat"}}))
    given = (sheet, "--recipe", recipe, "--out", tmp_path / "out")
    assert compose(capsys, *given)[0] == 1
    assert compose(capsys, *given, "--numbers", "heat")[0] == 0
    assert json.loads((tmp_path / "out" / "body.json").read_text())["requests"][0]["params"]["temperature"] == 0.7
