"""`make run` as a newcomer types it: in a new copy of the sources, with nothing installed but what it installs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from playwright.sync_api import sync_playwright

from tests.e2e import browser as chromium
from tests.e2e.driver import Visitor, open_page, screenshot
from tests.e2e.server import ROOT, AppServer, free_port

INSTALL_SECONDS: Final = 600.0
"""How long a first start may take, everything installed on the way."""


def copy_sources(into: Path) -> None:
    """Copy what belongs to the repository, as it lies here now, without a virtual environment or caches."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name)


def look(url: str) -> None:
    """Load the first page in a browser; it must draw something, and ask no other host."""
    path = chromium.installed()
    if path is None:
        raise SystemExit(chromium.MISSING)
    with sync_playwright() as playwright, chromium.launch(playwright, path) as browser:
        visitor = Visitor(browser.new_context())
        page = open_page(visitor.tab(), url)
        words = page.locator("[data-testid=stMain]").inner_text().strip()
        screenshot(page, "fresh")
        if not words or "Something went wrong" in words:
            raise SystemExit(f"The first page of a fresh start shows {words!r}.")
        if visitor.foreign(url) or visitor.complaints:
            raise SystemExit(f"A fresh start asked {visitor.foreign(url)} and complained {visitor.complaints}.")


def main() -> int:
    """Do it once; the exit status is 0 if the app came up and drew its first page."""
    with tempfile.TemporaryDirectory(prefix="fresh-") as folder:
        copy = Path(folder) / "copy"
        copy_sources(copy)
        port = free_port()
        app = AppServer(
            Path(folder) / "home",
            port=port,
            folder=copy,
            command=["make", "run", f"PORT={port}"],
            start_seconds=INSTALL_SECONDS,
        )
        began = time.monotonic()
        with app:
            seconds = time.monotonic() - began
            if not (copy / ".venv" / "bin" / "python").exists():
                raise SystemExit("The fresh start did not make an environment of its own.")
            if not chromium.left_out():
                look(app.url)
        print(f"Fresh start: `make run` was up after {seconds:.0f} s, its first page drawn.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
