"""The Connection page: where requests go, a key that is kept in memory only, a test, the fault dial, the disk."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.pages.person import REVIEWS, Person
from tests.sending import accepted, fault
from valar_ui import session
from valar_ui.sandbox.faults import PRESETS, Fault, FaultKind, FaultPlan
from valar_ui.settings import Settings

CANARY = "sk-valar-canary-4711"


@pytest.fixture
def valar(sandbox: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Valar at the address that the environment names: the sandbox in its place."""
    monkeypatch.setenv("VALAR_BASE_URL", Settings.from_environment().sandbox_url or "")
    return sandbox


def badge(person: Person) -> str:
    """What every page says about the account."""
    return next(str(it.value) for it in person.at.markdown if "badge[" in str(it.value))


def test_without_a_key_everything_is_the_sandbox() -> None:
    person = Person("connection")
    assert person.at.radio[0].value == "sandbox"
    assert person.at.radio[0].disabled
    assert not person.has("forget-key")
    for page in ("upload", "map", "check", "submit", "batches", "batch", "connection"):
        assert "green-badge" in badge(person.go(page)), page


def test_a_typed_key_is_used_and_forgotten(valar: Path) -> None:  # noqa: ARG001 - stands in for Valar
    person = Person("connection").type("typed-key", f"  {CANARY} ")
    assert person.state.typed_key == CANARY
    assert person.at.radio[0].value == "valar"
    assert person.at.text_input(key="typed-key").value == ""
    for page in ("upload", "batches", "connection"):
        assert "orange-badge" in badge(person.go(page)), page
    assert person.has("forget-key")
    person.choose(str(person.at.radio[0].key), "sandbox")
    assert "green-badge" in badge(person)
    person.press("forget-key")
    assert person.state.typed_key is None
    assert person.at.radio[0].disabled


def test_a_key_from_the_environment_is_used(valar: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setenv("VALAR_API_KEY", CANARY)
    person = Person("connection")
    assert person.at.radio[0].value == "valar"
    assert CANARY not in person.words
    assert person.press("test-connection").at.success


def test_a_key_from_the_secrets_file_is_used(valar: Path) -> None:  # noqa: ARG001 - stands in for Valar
    person = Person("connection")
    person.at.secrets["VALAR_API_KEY"] = CANARY
    assert person.look().at.radio[0].value == "valar"
    assert CANARY not in person.words


def test_a_typed_key_is_on_no_disk_and_in_no_log(valar: Path, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    person = Person("connection").type("typed-key", CANARY).press("test-connection")
    person.go("upload").mapped("reviews.csv", REVIEWS, prompt="Judge {{review}}", ids="id")
    person.go("submit").press("submit").arrived().go("batches")
    assert len(accepted(valar)) == 1
    session.services().close()
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []
    assert CANARY not in caplog.text
    assert CANARY not in person.words
    assert CANARY not in repr(person.state)


def test_the_test_of_the_connection_says_what_came_back() -> None:
    person = Person("connection").press("test-connection")
    assert person.at.success
    assert list(person.table("model")["model"]) == list(person.state.models or ())


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_the_test_of_the_connection_says_what_went_wrong(sandbox: Path, status: int) -> None:
    fault(sandbox, Fault(kind=FaultKind.STATUS, status=status, method="*"))
    person = Person("connection").press("test-connection")
    assert len(person.at.error) == 1
    assert not person.at.dataframe


def test_nobody_at_the_other_end_is_said(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setenv("VALAR_SANDBOX_URL", f"http://127.0.0.1:{free_port}/v1")
    assert len(Person("connection").press("test-connection").at.error) == 1


@pytest.mark.parametrize("name", list(PRESETS))
def test_the_fault_dial_is_turned(home: Path, name: str) -> None:
    person = Person("connection").choose("fault-preset", name).press("fault-set")
    assert FaultPlan.load(home / "sandbox" / "faults.json") == PRESETS[name][1]
    assert not person.at.error


def test_the_fault_dial_is_the_sandboxs_only(valar: Path) -> None:  # noqa: ARG001 - stands in for Valar
    person = Person("connection")
    assert person.has("fault-set")
    assert not person.type("typed-key", CANARY).has("fault-set")


def test_files_that_nothing_needs_are_cleaned_up(home: Path) -> None:
    person = Person().mapped("reviews.csv", REVIEWS, prompt="Judge {{review}}", ids="id")
    person.press("way-on").press("submit").arrived()
    batch = person.dispatches[0].batch_ids
    before = {path for path in home.rglob("*") if path.is_file()}
    person.go("connection")
    if person.may("clean-up"):
        person.press("clean-up")
    assert before
    assert person.dispatches[0].batch_ids == batch
    assert [list(frame.value["id"]) for frame in person.go("batches").at.dataframe] == [list(batch)]


def test_a_refresh_keeps_where_requests_go(valar: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    monkeypatch.setenv("VALAR_API_KEY", CANARY)
    person = Person("connection")
    person.choose(str(person.at.radio[0].key), "sandbox")
    again = Person("connection", **{key: str(value) for key, value in person.at.query_params.items()})
    assert again.at.radio[0].value == "sandbox"
