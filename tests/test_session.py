"""Text that is never markup, and whose work and whose key a page speaks of."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.runtime.context import ContextProxy

from valar_ui import session
from valar_ui.settings import Settings

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    "text",
    [
        "[click](https://evil.example)",
        "![x](https://evil.example/a.png)",
        "**bold** _it_ ~no~ `code`",
        "# heading",
        "- item",
        "1. item",
        "> quote",
        "| a | b |",
        "<img src=x onerror=alert(1)>",
        "<script>alert(1)</script>",
        "&lt;b&gt;",
        ":material/skull: :smile: :red[blood]",
        "$x^2$ $$y$$",
        "{{review}} {nested {{a}}}",
        "\\[escaped\\]",
        "plain words",
        "ünïcødé 日本語 🗂️",
    ],
)
def test_every_mark_is_escaped_and_nothing_is_lost(text: str) -> None:
    shown = session.literal(text)
    assert re.sub(r"\\(.)", r"\1", shown).replace("\u2060", "") == text
    assert not re.search(r"(?<!\\)(?:\\\\)*[\[\]`*_<>$#|~!{}]", shown)


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("http://evil.example", "://"),
        ("https://evil.example", "://"),
        ("www.evil.example", "www."),
        ("WWW.evil.example", "WWW."),
        ("mail@evil.example", "@evil"),
        (":material/skull:", ":material"),
        ("a -> b", "->"),
        ("a <- b", "<-"),
        ("a -- b", "--"),
        ("a >= b", ">="),
    ],
)
def test_what_backslashes_do_not_stop_is_broken_by_an_invisible_mark(text: str, broken: str) -> None:
    shown = session.literal(text).replace("\\", "")
    assert broken not in shown
    assert shown.replace("\u2060", "") == text


@given(st.text())
def test_any_text_comes_back_on_one_line(text: str) -> None:
    shown = session.literal(text, most=10_000)
    assert "\n" not in shown
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", shown).replace("\u2060", "") == " ".join(text.split()).replace(
        "\u2060", ""
    )


@pytest.mark.parametrize(("length", "shown"), [(200, 200), (201, 200), (5_000, 200)])
def test_long_text_is_cut_with_a_sign(length: int, shown: int) -> None:
    text = session.literal("x" * length)
    assert len(text) == shown
    assert text.endswith("…") == (length > 200)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An installation of the test's own, without a key."""
    for name in ("VALAR_API_KEY", "VALAR_BASE_URL", "VALAR_UI_SHARED", "VALAR_SANDBOX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VALAR_UI_HOME", str(tmp_path))
    return monkeypatch


def browser(monkeypatch: pytest.MonkeyPatch, *, cookie: str = "", host: str = "localhost:8501", **headers: str) -> None:
    """What the browser in front of the pages sends."""
    monkeypatch.setattr(ContextProxy, "cookies", {session.BROWSER_COOKIE: cookie} if cookie else {})
    monkeypatch.setattr(ContextProxy, "headers", {"Host": host, **headers})


@pytest.mark.parametrize("host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST:80"])
def test_on_ones_own_computer_everybody_is_the_same_owner(environment: pytest.MonkeyPatch, host: str) -> None:
    browser(environment, cookie="a", host=host)
    assert session.owner() == "local"


@pytest.mark.parametrize(
    ("host", "headers", "shared"),
    [
        ("batches.example", {}, ""),
        ("batches.example:443", {}, ""),
        ("10.0.0.7:8501", {}, ""),
        ("localhost.evil.example", {}, ""),
        ("localhost:8501", {"X-Forwarded-For": "10.0.0.9"}, ""),
        ("localhost:8501", {}, "1"),
    ],
    ids=["name", "port", "address", "look-alike", "proxy", "shared"],
)
def test_elsewhere_each_browser_is_its_own_owner(
    environment: pytest.MonkeyPatch, host: str, headers: dict[str, str], shared: str
) -> None:
    environment.setenv("VALAR_UI_SHARED", shared)
    owners = []
    for cookie in ("one", "other", "one"):
        browser(environment, cookie=cookie, host=host, **headers)
        owners.append(session.owner())
    assert owners[0] == owners[2] != owners[1]
    assert "local" not in owners
    assert not any("one" in owner for owner in owners)


ASKED = """
import json, sys
import streamlit as st
from streamlit.runtime.context import ContextProxy
from valar_ui import session
ContextProxy.cookies = {session.BROWSER_COOKIE: sys.argv[1]}
ContextProxy.headers = {"Host": "localhost"}
print(json.dumps([session.owner(), session.api_key(), session.destination()]))
session.services().close()
"""


def asked(home: Path, cookie: str, **environment: str) -> tuple[str, str, str]:
    """Owner, key and destination of one browser, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", ASKED, cookie],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "VALAR_UI_HOME": str(home / "home"), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    owner, key, where = json.loads(done.stdout)
    return owner, key, where


def test_the_sandboxs_key_is_the_persons_own_and_stays_the_same(tmp_path: Path) -> None:
    ann, eve, again = (asked(tmp_path, cookie, VALAR_UI_SHARED="1") for cookie in ("ann", "eve", "ann"))
    assert ann == again
    assert ann[0] != eve[0]
    assert ann[1] != eve[1]
    assert ann[1].startswith("sandbox-")
    (tmp_path / "elsewhere").mkdir()
    assert asked(tmp_path / "elsewhere", "ann", VALAR_UI_SHARED="1")[1] != ann[1]


@pytest.mark.parametrize(("key", "where"), [("", "sandbox"), ("   ", "sandbox"), ("sk-canary", "valar")])
def test_requests_go_to_valar_exactly_when_there_is_a_key(tmp_path: Path, key: str, where: str) -> None:
    _, used, destination = asked(tmp_path, "ann", VALAR_API_KEY=key)
    assert destination == where
    assert (used == key) == (where == "valar")


@pytest.mark.parametrize(
    ("setting", "address"),
    [("http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1"), ("http://127.0.0.1:9/v1/", "http://127.0.0.1:9/v1")],
)
def test_a_named_sandbox_is_the_one_that_is_asked(environment: pytest.MonkeyPatch, setting: str, address: str) -> None:
    environment.setenv("VALAR_SANDBOX_URL", setting)
    assert session.sandbox_url() == address


def test_without_a_name_the_sandbox_is_the_one_beside_the_pages(environment: pytest.MonkeyPatch) -> None:
    assert Settings.from_environment().sandbox_url is None
    environment.setattr("streamlit.get_option", {"server.address": "0.0.0.0", "server.port": 8765}.get)  # noqa: S104
    assert session.sandbox_url() == "http://localhost:8765/sandbox/v1"
    options = {"server.address": "127.0.0.2", "server.port": 1, "server.baseUrlPath": "/batches/"}
    environment.setattr("streamlit.get_option", options.get)
    assert session.sandbox_url() == "http://127.0.0.2:1/batches/sandbox/v1"


def test_what_a_session_holds_never_shows_its_key() -> None:
    assert "canary" not in repr(session.State(typed_key="sk-canary"))
