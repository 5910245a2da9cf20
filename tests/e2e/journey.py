"""The journey's pages in a browser: their widgets by key, the sandbox's record as the judge."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

from playwright.sync_api import Locator, Page, expect

from tests.e2e.driver import keyed, leave, open_page, running, upload
from tests.e2e.server import AppServer
from tests.sending import accepted
from valar_ui.ledger import Dispatch, Ledger
from valar_ui.sandbox.faults import Fault, FaultPlan

PATIENCE_S: Final = 45.0
FIND_KEY: Final = """name => {
    for (const element of document.querySelectorAll('[class*="st-key-map-"]'))
        for (const word of element.classList)
            if (word.match(new RegExp('^st-key-map-[0-9a-zA-Z]+-[0-9]+-' + name + '$'))) return word.slice(7);
    return null;
}"""


def sheet(mark: str, rows: int = 3) -> tuple[str, bytes]:
    """A sheet of reviews that differs from every other sheet by its mark."""
    lines = "".join(f"{mark}-{at},Review {at} of {mark}\n" for at in range(1, rows + 1))
    return f"{mark}.csv", f"id,review\n{lines}".encode()


def mapping(page: Page, name: str) -> str:
    """The key of one of the mapping's widgets."""
    found: str | None = page.evaluate(FIND_KEY, name)
    assert found is not None, f"the mapping has no {name}"
    return found


def write(page: Page, text: str, name: str = "prompt") -> Page:
    """Write another text into one of the mapping's boxes and leave it."""
    box = keyed(page, mapping(page, name)).locator("textarea, input").first
    box.fill(text)
    return running(page, lambda: box.press("Tab"))


def pick(page: Page, option: str, name: str) -> Page:
    """Choose another option of one of the mapping's select boxes by typing it."""
    box = keyed(page, mapping(page, name)).locator("input").first
    box.click()
    box.fill(option)
    expect(page.get_by_role("option").first).to_be_visible()
    return running(page, lambda: box.press("Enter"))


def to_map(page: Page, app: AppServer, file: tuple[str, bytes], *, prompt: str = "Judge {{review}}") -> Page:
    """Open the app, drop a file and write the prompt."""
    open_page(page, app.url)
    upload(page, file)
    leave(page)
    expect(page.locator('[class*="st-key-map-"][class*="-prompt"]').first).to_be_visible()
    return write(page, prompt)


def to_submit(page: Page, app: AppServer, file: tuple[str, bytes], *, prompt: str = "Judge {{review}}") -> Page:
    """The journey as far as the button."""
    to_map(page, app, file, prompt=prompt)
    leave(page)
    leave(page)
    expect(button(page, "submit")).to_be_enabled()
    return page


def button(page: Page, key: str) -> Locator:
    """The button with this key."""
    return keyed(page, key).locator("button").first


def batch_id_shown(page: Page) -> str:
    """Wait for the id that the page shows once the batch was accepted."""
    found = page.get_by_text(re.compile(r"^batch_\w+$")).first
    expect(found).to_be_visible(timeout=PATIENCE_S * 1000)
    return found.inner_text().strip()


def made(app: AppServer) -> list[str]:
    """The ids of all batches that the app's sandbox has made, by its own record."""
    return list(dict.fromkeys(line["id"] for line in accepted(app.data / "sandbox")))


def turn_dial(app: AppServer, *faults: Fault) -> None:
    """Let the app's sandbox misbehave; none: behave."""
    folder = app.data / "sandbox"
    folder.mkdir(parents=True, exist_ok=True)
    FaultPlan(faults=faults).save(folder / "faults.json")


def dispatches(app: AppServer, owner: str = "local") -> list[Dispatch]:
    """What the app's own ledger says was submitted."""
    ledger = Ledger(f"sqlite:///{app.data / 'ledger.sqlite3'}")
    try:
        return ledger.dispatches(owner)
    finally:
        ledger.close()


def wait_until(page: Page, holds: Callable[[], bool], what: str) -> None:
    """Look again and again until something holds, while the browser goes on."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:.0f} s for: {what}"
        page.wait_for_timeout(50)
