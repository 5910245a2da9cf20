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


@pytest.fixture
def sandbox(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The sandbox's folder, where its fault dial and its own record lie; it answers over HTTP."""
    folder = home / "sandbox"
    with serving(create_app(folder, faults=folder / "faults.json", pace=0.5)) as origin:
        monkeypatch.setenv("VALAR_SANDBOX_URL", f"{origin}/v1")
        yield folder


@pytest.fixture(autouse=True)
def _ended(sandbox: Path) -> Iterator[None]:  # noqa: ARG001 - ended before the sandbox is
    """Stop the installation's threads after each test."""
    yield
    session.services(Settings.from_environment()).close()
