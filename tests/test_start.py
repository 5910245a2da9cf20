"""A first start is safe and asks nothing; the README says only what is so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e import browser as chromium
from valar_ui.cli import COMMANDS

ROOT: Final = Path(__file__).resolve().parent.parent
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE: Final = (ROOT / "Makefile").read_text(encoding="utf-8")
SOURCES: Final = [ROOT / "app.py", *(ROOT / "valar_ui").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the repository's folder and take what it prints."""
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """The settings as Streamlit understood them."""
    done = run(sys.executable, "-m", "streamlit", "config", "show")
    assert done.returncode == 0, done.stderr
    assert "not a valid config option" not in done.stdout + done.stderr
    settings = done.stdout[done.stdout.index("\n[global]") :]
    return tomllib.loads(settings)


@pytest.mark.parametrize(
    ("section", "option", "value"),
    [
        ("server", "address", "localhost"),
        ("server", "headless", True),
        ("server", "showEmailPrompt", False),
        ("server", "maxUploadSize", 300),
        ("server", "enableCORS", True),
        ("server", "enableXsrfProtection", True),
        ("server", "enableStaticServing", False),
        ("server", "enableAgentApi", False),
        ("browser", "gatherUsageStats", False),
        ("client", "showErrorDetails", "none"),
        ("client", "showErrorLinks", False),
        ("client", "toolbarMode", "viewer"),
        ("runner", "magicEnabled", False),
    ],
)
def test_streamlit_takes_the_safe_settings(shown: dict[str, Any], section: str, option: str, value: object) -> None:
    assert shown[section][option] == value


def test_no_setting_names_another_host() -> None:
    text = (ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8")
    assert "://" not in text
    assert tomllib.loads(text)["server"]["address"] == "localhost"


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21 (WCAG 2)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_can_be_told_apart(shown: dict[str, Any], mode: str) -> None:
    theme = shown["theme"][mode]
    grounds = [theme["backgroundColor"], theme["secondaryBackgroundColor"], *theme["sidebar"].values()]
    for ground in (ground for ground in grounds if isinstance(ground, str)):
        assert contrast(theme["textColor"], ground) >= 7
        assert contrast(theme["linkColor"], ground) >= 4.5
    assert contrast("#FFFFFF", theme["primaryColor"]) >= 4.5
    assert contrast(theme["primaryColor"], theme["backgroundColor"]) >= 3
    assert contrast(theme["borderColor"], theme["backgroundColor"]) >= 3


def test_every_make_command_the_readme_names_is_one() -> None:
    named = set(re.findall(r"(?:^|`)(?:[A-Z]+=\S+ )?make ([a-z]+)", README, re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    assert {"run", "test", "check"} <= named
    assert named <= targets


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize("target", ["run", "test", "check", "torture", "bench", "clean"])
def test_make_knows_how(target: str) -> None:
    done = run("make", "--dry-run", target)
    assert done.returncode == 0, done.stderr


def test_every_file_the_readme_names_is_there() -> None:
    named = set(re.findall(r"`([\w./-]+\.(?:py|txt|toml|md|csv))`|\]\(([\w./-]+)\)", README))
    paths = {first or second for first, second in named} - {".streamlit/secrets.toml"}
    assert "requirements.txt" in paths
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_every_command_the_readme_names_is_one() -> None:
    named = set(re.findall(r"-m valar_ui ([a-z]+)", README))
    assert named == set(COMMANDS)


def test_the_readme_names_the_variables_the_code_reads() -> None:
    read = {
        name for path in SOURCES for name in re.findall(r"[\"']VALAR_[A-Z_]+[\"']", path.read_text(encoding="utf-8"))
    }
    listed = set(re.findall(r"^\| `(VALAR_[A-Z_]+)` \|", README, re.MULTILINE))
    assert {name.strip("\"'") for name in read} == listed


def test_the_readme_says_why_each_package_is_needed() -> None:
    required = re.findall(r"^([A-Za-z-]+)[><=]", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert re.findall(r"^\| `([A-Za-z-]+)` \| .", README, re.MULTILINE) == required


def tools_folder(folder: Path, *names: str, **scripts: str) -> str:
    """A PATH with only these programs of the system, and these scripts."""
    folder.mkdir()
    for name in names:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    for name, body in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="make run is for Linux and macOS")
@pytest.mark.parametrize(
    ("python", "said"),
    [
        ("exit 1", "Python 3.11 or newer"),
        ('case "$2" in *version_info*11*) exit 0;; *ensurepip*) exit 1;; *) echo 3.12;; esac', "python3.12-venv"),
    ],
    ids=["too-old", "without-venv"],
)
def test_a_missing_python_is_said_in_a_sentence(tmp_path: Path, python: str, said: str) -> None:
    path = tools_folder(tmp_path / "bin", "sh", "id", "rm", python3=python)
    done = run("sh", ".ci/venv", str(tmp_path / "venv"), PATH=path, PYTHON="")
    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="make run is for Linux and macOS")
def test_a_folder_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "thesis.txt").write_text("mine", encoding="utf-8")
    done = run("sh", ".ci/venv", str(tmp_path / "venv"))
    assert done.returncode == 1
    assert (tmp_path / "venv" / "thesis.txt").read_text(encoding="utf-8") == "mine"


def test_a_browser_that_is_named_but_missing_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROME", "/nowhere/chromium")
    assert chromium.installed() is None
