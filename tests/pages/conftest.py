"""What the tests of the pages stand on: a folder of their own and a real sandbox over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox_server import serving
from valar_ui import session
from valar_ui.sandbox import create_app
from valar_ui.settings import Settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of the test's own (`VALAR_UI_HOME`), without a key."""
    for name in ("VALAR_API_KEY", "VALAR_BASE_URL", "VALAR_UI_SHARED", "VALAR_UI_PRICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VALAR_UI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("sandbox")
    with serving(create_app(folder, faults=folder / "faults.json", pace=0.5)) as origin:
        yield folder, origin


@pytest.fixture
def sandbox(_served: tuple[Path, str], home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001 - its own
    """The folder of a sandbox that answers over HTTP, with its fault dial and its own record, both as new."""
    folder, origin = _served
    for name in ("faults.json", "accepted.jsonl"):
        (folder / name).unlink(missing_ok=True)
    monkeypatch.setenv("VALAR_SANDBOX_URL", f"{origin}/v1")
    return folder


@pytest.fixture(autouse=True)
def _ended(sandbox: Path) -> Iterator[None]:  # noqa: ARG001 - ended before the sandbox is
    """Stop the installation's threads after each test."""
    yield
    session.services(Settings.from_environment()).close()
