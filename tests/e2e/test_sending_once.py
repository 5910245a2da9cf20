"""One click, one batch: whatever the browser, the network and the server do in the middle, by the sandbox's record."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import StartApp
from tests.e2e.driver import Visitor, keyed, leave, open_page, press, refresh, running, upload
from tests.e2e.journey import (
    batch_id_shown,
    button,
    dispatches,
    made,
    sheet,
    to_submit,
    turn_dial,
    wait_until,
)
from tests.e2e.server import AppServer
from tests.sending import arrivals
from valar_ui.ledger import State
from valar_ui.sandbox.faults import Fault, FaultKind

pytestmark = pytest.mark.browser

SLOW = Fault(kind=FaultKind.SLOW, path="/v1/batches", seconds=3, arrivals=(1,))
SLOW_ANSWER = SLOW.model_copy(update={"after": True, "seconds": 60.0})
LOST = Fault(kind=FaultKind.LOST_ANSWER, path="/v1/batches", arrivals=(1,))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server for the tests that do not kill it."""
    server = AppServer(tmp_path_factory.mktemp("sending")).start()
    yield server
    server.kill()
    assert "page failed" not in server.logged()


@pytest.fixture
def page(warm_visitor: Visitor) -> Page:
    """One person's tab."""
    return warm_visitor.tab()


@pytest.fixture(autouse=True)
def _dial_back(app: AppServer) -> Iterator[None]:
    yield
    turn_dial(app)


def sending(app: AppServer) -> bool:
    """Whether something is on its way at this moment."""
    return any(part.state is State.SENDING for it in dispatches(app) for part in it.parts)


def test_a_double_click_makes_one_batch(app: AppServer, page: Page) -> None:
    before = made(app)
    turn_dial(app, SLOW)
    to_submit(page, app, sheet("twice"))
    button(page, "submit").dblclick()
    batch_id = batch_id_shown(page)
    assert made(app) == [*before, batch_id]
    assert len([it for it in dispatches(app) if it.file_name == "twice.csv"]) == 1


def test_a_label_is_checked_while_it_is_typed(app: AppServer, page: Page) -> None:
    to_submit(page, app, sheet("labelled"))
    label = page.locator('[class*="st-key-label-"] input').first
    label.press_sequentially("two words")
    expect(button(page, "submit")).to_be_disabled()
    label.fill("two-words")
    expect(button(page, "submit")).to_be_enabled()
    press(page, key="submit")
    batch_id_shown(page)
    assert dispatches(app)[0].parts[0].label == "two-words"


def test_a_refresh_in_the_middle_changes_nothing(app: AppServer, page: Page) -> None:
    before = made(app)
    turn_dial(app, SLOW)
    to_submit(page, app, sheet("refreshed"))
    button(page, "submit").click()
    wait_until(page, lambda: sending(app), "the first byte")
    refresh(page)
    assert button(page, "submit").count() == 0
    batch_id = batch_id_shown(page)
    assert made(app) == [*before, batch_id]


def test_a_look_at_another_page_in_the_middle_changes_nothing(app: AppServer, page: Page) -> None:
    before = made(app)
    turn_dial(app, SLOW)
    to_submit(page, app, sheet("strolled"))
    button(page, "submit").click()
    wait_until(page, lambda: sending(app), "the first byte")
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Batches").click()
    # The address changes before the page does: both must be there before the way back is one.
    expect(page.get_by_role("heading", name="Batches", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("/batches.*draft="))
    page.go_back()
    batch_id = batch_id_shown(page)
    assert made(app) == [*before, batch_id]


def test_a_lost_answer_ends_with_the_one_batch(app: AppServer, page: Page) -> None:
    before = made(app)
    turn_dial(app, LOST)
    to_submit(page, app, sheet("lost"))
    press(page, key="submit")
    batch_id = batch_id_shown(page)
    assert made(app) == [*before, batch_id]
    sent = [line for line in arrivals(app.data / "sandbox") if line["id"] == batch_id]
    assert len(sent) == 2
    assert len({line["key"] for line in sent}) == 1


def test_two_tabs_that_both_press_make_one_batch(app: AppServer, warm_visitor: Visitor) -> None:
    before = made(app)
    turn_dial(app, SLOW)
    one = to_submit(warm_visitor.tab(), app, sheet("tabs"))
    other = open_page(warm_visitor.tab(), one.url)
    expect(button(other, "submit")).to_be_enabled()
    button(one, "submit").click(no_wait_after=True)
    button(other, "submit").click(no_wait_after=True)
    batch_id = batch_id_shown(one)
    assert batch_id_shown(other) == batch_id
    assert made(app) == [*before, batch_id]
    assert len([it for it in dispatches(app) if it.file_name == "tabs.csv"]) == 1
    assert warm_visitor.foreign(app.url) == set()


def test_the_same_contents_go_again_only_when_confirmed(app: AppServer, page: Page) -> None:
    to_submit(page, app, sheet("again"))
    press(page, key="submit")
    first = batch_id_shown(page)
    before = made(app)
    press(page, key="anew")
    open_page(page, app.url)
    upload(page, sheet("again"))
    expect(button(page, "way-on")).to_be_visible()
    leave(page)
    press(page, key="use-last")
    leave(page)
    leave(page)
    expect(button(page, "submit")).to_be_disabled()
    expect(page.get_by_text(first).first).to_be_visible()
    running(page, lambda: page.locator('[class*="st-key-again-"] label').first.click())
    press(page, key="submit")
    wait_until(page, lambda: len(made(app)) == len(before) + 1, "the second batch")


@pytest.mark.parametrize(
    ("fault", "so_far"),
    [(SLOW.model_copy(update={"seconds": 60.0}), 0), (SLOW_ANSWER, 1)],
    ids=["before-accepting", "after-accepting"],
)
def test_a_server_killed_in_the_middle_of_sending_ends_with_one_batch(
    start_app: StartApp, page: Page, fault: Fault, so_far: int
) -> None:
    app = start_app()
    turn_dial(app, fault)
    to_submit(page, app, sheet("killed"))
    button(page, "submit").click()
    wait_until(page, lambda: sending(app) and len(made(app)) == so_far, "the moment to kill")
    app.kill()
    assert len(made(app)) == so_far
    turn_dial(app)
    app.start()
    refresh(page)
    assert button(page, "submit").count() == 0
    batch_id = batch_id_shown(page)
    assert made(app) == [batch_id]
    (dispatch,) = dispatches(app)
    assert dispatch.accepted
    assert len({line["key"] for line in arrivals(app.data / "sandbox")}) == 1


@pytest.mark.parametrize("address", ["map", "batches", "connection"])
def test_a_deep_link_to_a_fresh_server_has_navigation_and_account(
    start_app: StartApp, warm_visitor: Visitor, address: str
) -> None:
    app = start_app()
    page = open_page(warm_visitor.tab(), f"{app.url}/{address}")
    expect(page.get_by_test_id("stSidebarNav").get_by_role("link").first).to_be_visible()
    assert page.get_by_test_id("stSidebarNav").get_by_role("link").count() >= 6
    expect(page.get_by_text("Sandbox").first).to_be_visible()
    expect(page).to_have_url(re.compile(f"/{address}"))
    assert warm_visitor.foreign(app.url) == set()


def test_without_an_answer_for_models_a_name_is_typed(start_app: StartApp, page: Page, free_port: int) -> None:
    app = start_app(VALAR_SANDBOX_URL=f"http://127.0.0.1:{free_port}/v1")
    open_page(page, app.url)
    press(page, key="sample")
    leave(page)
    box = page.locator('[class*="st-key-map-"][class*="-model-fixed"] input').first
    box.click()
    box.fill("a-model/of-mine")
    running(page, lambda: box.press("Enter"))
    prompt = page.locator('[class*="st-key-map-"][class*="-prompt"] textarea').first
    prompt.fill("Judge {{review}}")
    running(page, lambda: prompt.press("Control+Enter"))
    keyed(page, "as-code").get_by_text("JSON").click()
    expect(page.get_by_text("a-model/of-mine").first).to_be_visible()
    leave(page)
    expect(page).to_have_url(re.compile("/check"))
