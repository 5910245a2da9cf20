"""The server as people meet it: a first start, a deep link, a crash, a foreign host."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import StartApp
from tests.e2e import browser as chromium
from tests.e2e.driver import Visitor, open_page, refresh, settled
from tests.e2e.server import ROOT, AppServer, NotStarted, free_port

pytestmark = pytest.mark.browser

EMPTY_TEST = """
def test_it(page):
    pass
"""


def navigation(page: Page) -> list[str]:
    """The pages that the side of the window offers."""
    links = page.get_by_test_id("stSidebarNav").get_by_role("link")
    expect(links.first).to_be_visible()
    return links.all_inner_texts()


def test_no_page_asks_another_host(app_server: AppServer, visitor: Visitor) -> None:
    page = open_page(visitor.tab(), app_server.url)
    links = page.get_by_test_id("stSidebarNav").get_by_role("link")
    expect(links.first).to_be_visible()
    for at in range(links.count()):
        links.nth(at).click()
        settled(page)
    assert links.count() >= 6
    assert visitor.foreign(app_server.url) == set()
    assert visitor.complaints == []


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("localhost", "/_stcore/health", 200),
        ("evil.example", "/_stcore/health", 400),
        ("evil.example", "/sandbox/v1/models", 400),
        ("evil.example", "/download/x", 400),
        ("localhost", "/download/x", 404),
        ("localhost", "/sandbox/v1/models", 401),
    ],
)
def test_on_ones_own_computer_it_answers_to_its_own_names_only(
    app_server: AppServer, host: str, path: str, status: int
) -> None:
    address = urlsplit(app_server.url)
    connection = HTTPConnection(address.hostname or "localhost", address.port or 80, timeout=10)
    connection.request("GET", path, headers={"Host": f"{host}:{address.port}"})
    assert connection.getresponse().status == status
    connection.close()


@pytest.mark.parametrize("address", ["batches", "connection", "batch?id=batch_unknown"])
def test_a_deep_link_as_the_first_request_lands_in_the_router(app_server: AppServer, page: Page, address: str) -> None:
    open_page(page, f"{app_server.url}/{address}")
    first = navigation(page)
    assert len(first) >= 6
    expect(page).to_have_url(re.compile(re.escape(address.split("?")[0])))
    open_page(page, app_server.url)
    assert navigation(page) == first


def test_a_page_left_open_goes_on_after_a_crash_of_the_server(app_server: AppServer, page: Page) -> None:
    open_page(page, app_server.url)
    before = navigation(page)
    app_server.kill()
    app_server.start()
    refresh(page)
    assert navigation(page) == before


def test_it_ends_when_asked_and_says_nothing_odd(app_server: AppServer, page: Page) -> None:
    open_page(page, app_server.url)
    app_server.stop()
    assert not app_server.running
    assert "Traceback" not in app_server.logged()
    assert "not a valid config option" not in app_server.logged()


def test_app_py_is_a_program_of_its_own(tmp_path: Path, page: Page) -> None:
    port = free_port()
    # Streamlit reads its variables under `streamlit run` only; a file in the current folder counts either way.
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text(f"[server]\nport = {port}\n", encoding="utf-8")
    command = [sys.executable, str(ROOT / "app.py")]
    with AppServer(tmp_path / "home", port=port, folder=tmp_path, command=command) as app:
        open_page(page, app.url)
        assert len(navigation(page)) >= 6


def test_two_apps_do_not_see_each_others_folder(start_app: StartApp) -> None:
    one, other = start_app(), start_app()
    assert one.data != other.data
    assert one.data.is_dir()
    assert other.data.is_dir()


def test_a_server_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such luck')"]
    with pytest.raises(NotStarted, match="no such luck"):
        AppServer(tmp_path, command=command).start()


@pytest.mark.parametrize(
    ("variables", "status", "said"),
    [
        ({"CHROME": "/nowhere/chromium"}, 1, chromium.MISSING[:28]),
        ({"CHROME": "/nowhere/chromium", "VALAR_NO_BROWSER": "1"}, 0, "1 skipped"),
    ],
    ids=["missing", "left-out"],
)
def test_no_browser_is_never_passed_over_in_silence(
    tmp_path: Path, variables: dict[str, str], status: int, said: str
) -> None:
    (tmp_path / "test_empty.py").write_text(EMPTY_TEST, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tests.e2e.conftest", "-p", "no:cacheprovider", "-rs", "."]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**kept, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stdout
    assert said in done.stdout
