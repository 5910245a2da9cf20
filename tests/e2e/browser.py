"""The Chromium that the tests drive: found on this computer, or installed; `python -m tests.e2e.browser` does both."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Playwright, sync_playwright

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
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


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
    """Install Debian's Chromium where that can be done without asking, else Playwright's; its path, if it worked."""
    root = _as_root()
    if shutil.which("apt-get") and root is not None:
        print("Installing Chromium with the system's package manager …", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update", "-q"], ["install", "-yq", "--no-install-recommends", "chromium"]):
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
    path = installed() or install()
    print(f"Browser for the tests: {path}" if path else MISSING)
    return 0 if path else 1


if __name__ == "__main__":
    sys.exit(main())
