"""What a person does in the browser, in a test's words: open, upload, press, fill, see."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect

ARTIFACTS: Final = Path(__file__).resolve().parents[2] / "test-artifacts"
"""Screenshots and logs of failed tests; not part of the repository."""

WAIT_MS: Final = 30_000
"""How long the driver waits for anything; a test that needs it all is failing."""

expect.set_options(timeout=WAIT_MS)

SETTLED: Final = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    const still = app !== null
        && app.getAttribute('data-test-script-state') === 'notRunning'
        && document.querySelector('[data-testid=stSkeleton]') === null
        && ![...document.querySelectorAll('[data-testid=stProgress]')].some(it => it.textContent.includes('…'));
    if (!still) { window.stillSince = undefined; return false; }
    window.stillSince ??= performance.now();
    return performance.now() - window.stillSince > 250;
}"""
"""True once the page has been drawn, and for a quarter of a second nothing has run and no background work was shown."""

WATCH_RUNS: Final = """() => {
    window.runs = 0;
    window.watchedSince = performance.now();
    window.watched?.disconnect();
    window.watched = new MutationObserver(() => { window.runs += 1; });
    const app = document.querySelector('[data-testid=stApp]');
    window.watched.observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
}"""
"""Counts from now on how often the page's script begins or ends."""


@dataclass(slots=True)
class Visitor:
    """A person in a browser of their own (own cookies), and every host that their pages asked."""

    context: BrowserContext
    hosts: set[str] = field(default_factory=set)
    """`host:port` of every request and web socket."""
    complaints: list[str] = field(default_factory=list)
    """Errors the browser's console showed."""

    def tab(self) -> Page:
        """A new tab, watched."""
        page = self.context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("request", lambda request: self._note(request.url))
        page.on("websocket", lambda socket: self._note(socket.url))
        page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        return page

    def foreign(self, *own: str) -> set[str]:
        """The hosts asked that are not those of `own` addresses."""
        return self.hosts - {urlsplit(address).netloc for address in own}

    def _note(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme in {"http", "https", "ws", "wss"}:
            self.hosts.add(parts.netloc)


def settled(page: Page) -> Page:
    """Wait until the page's script, and the reading or checking it waits for, have ended and everything is drawn."""
    page.evaluate("() => { window.stillSince = undefined; }")
    page.wait_for_function(SETTLED, timeout=WAIT_MS)
    return page


def running(page: Page, act: Callable[[], object]) -> Page:
    """Do what makes the page's script run, and wait until it has run; a run too quick to be seen counts too."""
    page.evaluate(WATCH_RUNS)
    act()
    page.wait_for_function("() => window.runs > 0 || performance.now() - window.watchedSince > 1500")
    return settled(page)


def open_page(page: Page, address: str) -> Page:
    """Go to an address and wait until it is drawn."""
    page.goto(address, wait_until="domcontentloaded")
    page.wait_for_selector("[data-testid=stApp]")
    return settled(page)


def refresh(page: Page) -> Page:
    """Press the browser's reload button."""
    page.reload(wait_until="domcontentloaded")
    page.wait_for_selector("[data-testid=stApp]")
    return settled(page)


def keyed(page: Page, key: str) -> Locator:
    """The widget or container with this key."""
    return page.locator(f".st-key-{re.sub(r'[^a-zA-Z0-9_-]', '-', key.strip())}")


def control(page: Page, name: str | re.Pattern[str]) -> Locator:
    """The button or link that carries these words; the first one, if several do."""
    return page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).first


def press(page: Page, name: str | re.Pattern[str] | None = None, *, key: str | None = None) -> Page:
    """Press the button or link with these words, or the one with this key, and wait for what follows on this page."""
    if (name is None) == (key is None):
        raise TypeError("press takes either the words or the key")
    found = control(page, name) if name is not None else keyed(page, key or "").locator("button, a").first
    return running(page, found.click)


def leave(page: Page, *, key: str = "way-on", act: Callable[[], object] | None = None) -> Page:
    """Press the button that leads to another page, or do what presses it, and wait until that page is drawn."""
    title = page.get_by_role("heading", level=1)
    before = title.inner_text()
    (act or keyed(page, key).locator("button").first.click)()
    expect(title).not_to_have_text(before)
    return settled(page)


def upload(page: Page, file: Path | tuple[str, bytes], *, key: str | None = None) -> Page:
    """Drop a file, from disk or as (name, contents), onto the uploader: the only one, or the one with this key."""
    field_ = (keyed(page, key) if key else page).locator("input[type=file]").first
    if isinstance(file, Path):
        field_.set_input_files(file)
    else:
        name, contents = file
        field_.set_input_files(FilePayload(name=name, mimeType="application/octet-stream", buffer=contents))
    return settled(page)


def fill(page: Page, text: str, *, key: str) -> Page:
    """Replace the text of an input or text area and leave it."""
    box = keyed(page, key).locator("input, textarea").first
    box.fill(text)
    box.press("Tab")
    return settled(page)


def choose(page: Page, option: str, *, key: str) -> Page:
    """Pick an option of a select box."""
    keyed(page, key).locator("input, [role=combobox]").first.click()
    page.get_by_role("option", name=option, exact=True).first.click()
    return settled(page)


def see(page: Page, words: str | re.Pattern[str], *, seconds: float = WAIT_MS / 1000) -> Locator:
    """Wait until these words stand on the page."""
    found = page.get_by_text(words).locator("visible=true").first
    expect(found).to_be_visible(timeout=seconds * 1000)
    return found


def save_download(page: Page, name: str | re.Pattern[str], into: Path) -> Path:
    """Press the button or link and keep the file that comes down, under the name the app gave it."""
    with page.expect_download() as caught:
        control(page, name).click()
    path = into / caught.value.suggested_filename
    caught.value.save_as(path)
    return path


def screenshot(page: Page, name: str, *, folder: Path = ARTIFACTS) -> Path:
    """A picture of the whole page, for a person to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{re.sub(r'[^a-zA-Z0-9_.-]+', '-', name).strip('-')}.png"
    window = page.viewport_size or {"width": 1360, "height": 900}
    # The page scrolls inside the window, so the window is made as tall as the page.
    height = page.evaluate("() => document.querySelector('[data-testid=stMain]')?.scrollHeight ?? 0")
    page.set_viewport_size({"width": window["width"], "height": max(window["height"], int(height))})
    page.screenshot(path=path)
    page.set_viewport_size(window)
    return path
