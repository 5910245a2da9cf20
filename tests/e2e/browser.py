"""The Chromium that the tests drive: found on this computer, or installed; `python -m tests.e2e.browser` does both."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Playwright

ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""What a Chromium needs to run as root, without a screen, and without calling home."""

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")

APPLICATIONS: Final = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)

MISSING: Final = (
    "No Chromium was found. `make test` installs one; or install Chromium or Chrome yourself, "
    "or name one in the variable CHROME. VALAR_NO_BROWSER=1 leaves the browser tests out."
)


def left_out() -> bool:
    """Somebody asked for the tests without a browser."""
    return os.environ.get("VALAR_NO_BROWSER") == "1"


def installed() -> str | None:
    """The path of a Chromium of this computer: `CHROME`, one on the PATH, or Playwright's own."""
    named = os.environ.get("CHROME")
    if named:
        return named if Path(named).exists() else shutil.which(named)
    found = next(filter(None, map(shutil.which, NAMES)), None)
    found = found or next((path for path in APPLICATIONS if Path(path).exists()), None)
    if found:
        return found
    own = _ask_playwright("print(playwright.chromium.executable_path)")
    return own if own and Path(own).exists() else None


def _ask_playwright(question: str) -> str | None:
    """What Playwright says, in a process of its own: where its driver cannot run, it leaves threads behind."""
    script = f"from playwright.sync_api import sync_playwright\nwith sync_playwright() as playwright:\n    {question}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def works(path: str) -> bool:
    """Playwright can start this browser here."""
    return bool(
        _ask_playwright(f"print(playwright.chromium.launch(executable_path={path!r}, args={ARGUMENTS}).version)")
    )


def launch(playwright: Playwright, path: str) -> Browser:
    """A headless browser; the caller closes it."""
    return playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))


def _as_root() -> list[str] | None:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None


def install() -> str | None:
    """Install Debian's Chromium where that can be done without asking, else Playwright's; its path, if there is one.

    `libatomic1` is what Playwright's driver needs and a small Debian lacks.
    """
    root = _as_root()
    if shutil.which("apt-get") and root is not None:
        print("Installing Chromium with the system's package manager …", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-q"], ["install", "-yq", "--no-install-recommends", "chromium", "libatomic1"]):
            subprocess.run([*root, "apt-get", *command], env=quiet, stdout=subprocess.DEVNULL, check=False)
        if found := installed():
            return found
    print("Installing Playwright's Chromium …", flush=True)
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return installed()


def main() -> int:
    """Print the browser that the tests will use; 1 if none can be had."""
    if left_out():
        print("Browser tests are left out: VALAR_NO_BROWSER=1.")
        return 0
    path = installed()
    if path is None or not works(path):
        path = install()
    if path is None or not works(path):
        print(MISSING if path is None else f"{path} does not start. VALAR_NO_BROWSER=1 leaves the browser tests out.")
        return 1
    print(f"Browser for the tests: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
