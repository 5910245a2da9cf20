"""What the browser tests ask for: a Chromium, people who use it, and a picture when a test fails."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.e2e import browser as chromium
from tests.e2e.driver import ARTIFACTS, Visitor, screenshot

FAILED = pytest.StashKey[bool]()

NewVisitor = Callable[..., Visitor]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let fixtures know at their end whether the test failed."""
    report = yield
    if call.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium for the tests of one file; tests fail, never pass in silence, where there is none.

    One a file and not one a run: Playwright keeps an event loop going in this thread, which would stop
    every later test that starts its own.
    """
    if chromium.left_out():
        pytest.skip("VALAR_NO_BROWSER=1 leaves the browser tests out")
    path = chromium.installed()
    if path is None:
        pytest.fail(chromium.MISSING)
    with sync_playwright() as playwright:
        running = chromium.launch(playwright, path)
        yield running
        running.close()


@pytest.fixture
def new_visitor(browser: Browser, request: pytest.FixtureRequest) -> Iterator[NewVisitor]:
    """Make a person with a browser of their own; keyword arguments as for Playwright's `new_context`.

    If the test fails, a picture of each tab is in test-artifacts.
    """
    visitors: list[Visitor] = []
    with ExitStack() as open_contexts:

        def make(**options: Any) -> Visitor:
            context = browser.new_context(**{"viewport": {"width": 1360, "height": 900}, "locale": "en-GB", **options})
            open_contexts.callback(context.close)
            visitors.append(Visitor(context))
            return visitors[-1]

        yield make
        if request.node.stash.get(FAILED, False):
            _keep_pictures(request.node.name, visitors)


@pytest.fixture(scope="module")
def _warm(browser: Browser) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": 1360, "height": 900}, locale="en-GB")
    yield Visitor(context)
    context.close()


@pytest.fixture
def warm_visitor(_warm: Visitor, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """One person without cookies, whose browser has the app's own files already: quicker than a new one."""
    _warm.context.clear_cookies()
    _warm.hosts.clear()
    _warm.complaints.clear()
    yield _warm
    if request.node.stash.get(FAILED, False):
        _keep_pictures(request.node.name, [_warm])
    for page in _warm.context.pages:
        page.close()


def _keep_pictures(name: str, visitors: list[Visitor]) -> None:
    for at, page in enumerate(page for visitor in visitors for page in visitor.context.pages):
        try:
            print(f"picture: {screenshot(page, f'failed-{name}-{at}').relative_to(ARTIFACTS.parent)}")
        except Error as fault:
            print(f"no picture of {page.url}: {fault}")


@pytest.fixture
def visitor(new_visitor: NewVisitor) -> Visitor:
    """One person."""
    return new_visitor()


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """One person's tab."""
    return visitor.tab()
