"""How long each click of the journey takes in a real browser, at 100 and at 100,000 rows.

    python -m benchmarks.bench_journey [--rows 100 100000] [--megabytes 200] [--runs 3]

Each run starts the app on an empty folder, walks upload → map → check → submit on the embedded sandbox and prints the
medians as a Markdown table. While the largest sheet is checked, a second person's page is asked for health every
50 ms; the median answer is printed as well.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.e2e import browser
from tests.e2e.driver import control, keyed, open_page, screenshot, settled
from tests.e2e.server import AppServer

WAIT_MS = 60_000
WORDS = ["kettle", "lamp", "größe", "naïve", "fine", "bad", "good", "slow", "quiet", "lid", "良い", "冷たい"]

SHOWN = """pattern => {
    const words = new RegExp(pattern, "i"), nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
        const element = node.parentElement;
        if (element.closest("textarea, style, script")) continue;
        if ((words.test(node.data) || words.test(element.textContent)) && element.checkVisibility()) return true;
    }
    return false;
}"""
"""Whether an element that is shown, other than a field somebody types into, has these words."""


def write_sheet(path: Path, rows: int, size: int) -> None:
    """A CSV of `rows` rows and about `size` bytes: an id that is no legal custom_id, a product, a review."""
    chance = random.Random(7)
    words = max(5, size // rows // 7)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sku", "product", "review"])
        for row in range(rows):
            writer.writerow([f"SKU {row:06d}", chance.choice(WORDS), " ".join(chance.choices(WORDS, k=words))])


class Stopwatch:
    """Times from a click to the words that answer it, in seconds."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.times: dict[str, float] = {}

    def __call__(self, name: str, act: Callable[[], object], words: str | re.Pattern[str]) -> None:
        began = time.perf_counter()
        act()
        pattern = words.pattern if isinstance(words, re.Pattern) else re.escape(words)
        # Playwright's own waiting looks again only after 100 ms, then 250: too coarse for what is measured here.
        try:
            self.page.wait_for_function(SHOWN, arg=pattern, polling=5, timeout=WAIT_MS)
        except PlaywrightTimeout:
            picture = screenshot(self.page, f"no-answer-to-{name}")
            raise SystemExit(f"“{name}” was not answered within {WAIT_MS / 1000:.0f} s: {picture}") from None
        self.times[name] = time.perf_counter() - began


def journey(page: Page, url: str, sheet: Path, rows: int, ping: Callable[[], None]) -> dict[str, float]:
    """Walk once; `ping` is called when the check begins."""
    page.set_default_timeout(WAIT_MS)
    watch = Stopwatch(page)
    watch("open the app", lambda: open_page(page, url), "Upload a spreadsheet")
    field = page.locator("input[type=file]").first
    watch("upload and read", lambda: field.set_input_files(sheet), f"{rows:,} rows · 3 columns")
    watch("Next: map columns", control(page, "Next: map columns").click, "What will be sent")
    prompt = page.get_by_role("textbox", name="What should the model do")
    prompt.fill("First: {{review}}")
    watch("type a prompt, see the request", lambda: prompt.press("Control+Enter"), re.compile("^First: "))
    settled(page)
    prompt.fill("Second: {{review}}")
    watch("change the prompt, see the request", lambda: prompt.press("Control+Enter"), re.compile("^Second: "))
    settled(page)
    ids = page.get_by_role("combobox", name="Ids: which")
    ids.click()
    ids.press_sequentially("sku")
    watch("choose the id column", lambda: ids.press("Enter"), "What becomes of ids")
    ping()
    watch("Next: check (every row)", control(page, "Next: check").click, re.compile(r"rows will be sent"))
    watch("Next: submit", control(page, "Next: submit").click, re.compile("one batch|batches"))
    submit = keyed(page, "submit").locator("button")
    watch("Submit, to the batch id", submit.click, re.compile("^Submitted:"))
    watch("open Batches", control(page, "See all batches").click, "This session: 1 batch")
    return watch.times


class Pings:
    """Another person's requests, from a thread of its own; seconds each."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_stcore/health"
        self._stop = threading.Event()
        self.seconds: list[float] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> float:
        """End; the median, in seconds."""
        self._stop.set()
        self._thread.join()
        return statistics.median(self.seconds)

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            began = time.perf_counter()
            with urllib.request.urlopen(self._url, timeout=30) as answer:
                answer.read()
            self.seconds.append(time.perf_counter() - began)


def measure(rows: int, size: int, runs: int) -> tuple[dict[str, float], float]:
    """Medians of `runs` walks, and of the other person's pings in all of them."""
    walks: list[dict[str, float]] = []
    pings: list[float] = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        sheet = Path(folder) / "sheet.csv"
        write_sheet(sheet, rows, size)
        found = browser.installed()
        if found is None:
            raise SystemExit("There is no browser: run `make browser` first.")
        chromium = browser.launch(playwright, found)
        for run in range(runs):
            with AppServer(Path(folder) / f"home-{run}") as server:
                context = chromium.new_context()
                other = Pings(server.url)
                walks.append(journey(context.new_page(), server.url, sheet, rows, other.start))
                pings.append(other.stop())
                context.close()
        chromium.close()
    return {name: statistics.median(walk[name] for walk in walks) for name in walks[0]}, statistics.median(pings)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 100_000])
    parser.add_argument("--megabytes", type=int, default=200, help="size of the sheet at 100,000 rows")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    found = [
        measure(rows, arguments.megabytes * 1_000_000 * rows // 100_000, arguments.runs) for rows in arguments.rows
    ]
    print("| click | " + " | ".join(f"{rows:,} rows" for rows in arguments.rows) + " |")
    print("| --- |" + " --- |" * len(arguments.rows))
    for name in found[0][0]:
        print(f"| {name} | " + " | ".join(f"{times[name]:.2f} s" for times, _ in found) + " |")
    print("| another person's ping meanwhile | " + " | ".join(f"{ping * 1000:.0f} ms" for _, ping in found) + " |")


if __name__ == "__main__":
    main()
