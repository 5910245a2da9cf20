"""Settings: what the environment says, folders only their owner reads, one secret an installation."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from valar_ui.settings import DEFAULT_BASE_URL, Settings


@pytest.mark.parametrize(
    ("environment", "name", "expected"),
    [
        ({}, "base_url", DEFAULT_BASE_URL),
        ({"VALAR_BASE_URL": "https://valar.example/v1/"}, "base_url", "https://valar.example/v1"),
        ({"VALAR_BASE_URL": ""}, "base_url", DEFAULT_BASE_URL),
        ({"VALAR_UI_SHARED": "yes"}, "shared", True),
        ({"VALAR_UI_SHARED": "0"}, "shared", False),
        ({"VALAR_UI_HOME": "/srv/valar"}, "home", Path("/srv/valar")),
        ({"VALAR_SANDBOX_URL": "http://127.0.0.1:9/v1/"}, "sandbox_url", "http://127.0.0.1:9/v1"),
        ({}, "sandbox_url", None),
    ],
)
def test_environment(environment: dict[str, str], name: str, expected: object) -> None:
    assert getattr(Settings.from_environment(environment), name) == expected


def test_folders_are_private(tmp_path: Path) -> None:
    folder = Settings(home=tmp_path / "home").folder("spool")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_secret_is_made_once_however_many_ask_at_once(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: settings.install_secret(), range(32)))
    assert len(found) == 1
    assert len(found.pop()) == 32
    assert stat.S_IMODE((tmp_path / "install.secret").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["install.secret"]
