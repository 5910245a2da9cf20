"""Many people on one deployment: nobody sees, opens or changes what is another's."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.runtime.context import ContextProxy

from tests.pages.person import REVIEWS, Person
from tests.sending import accepted
from valar_ui.settings import Settings


@pytest.fixture(autouse=True)
def _shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALAR_UI_SHARED", "1")
    # AppTest has no browser and so no cookies; the browser tests have both.
    monkeypatch.setattr(ContextProxy, "cookies", {})


@pytest.fixture
def ann() -> Person:
    """Somebody who has mapped a sheet, kept a recipe and sent a batch."""
    person = Person().drop("anns.csv", REVIEWS).press("way-on")
    person.choose(person.map("id"), "id").type(person.map("prompt"), "Judge {{review}}")
    person.keep_recipe("Anns recipe").press("way-on").press("way-on")
    return person.press("submit").arrived()


def test_each_browser_is_an_owner() -> None:
    one, other = Person(), Person()
    assert one.owner != other.owner
    assert "local" not in (one.owner, other.owner)


@pytest.mark.parametrize("page", ["upload", "map", "check", "submit", "batches"])
def test_an_address_with_anothers_draft_opens_nothing(ann: Person, page: str) -> None:
    eve = Person(page, draft=ann.state.draft_id or "")
    assert eve.state.draft_id is None
    assert "anns" not in eve.plain
    assert "kettle" not in eve.plain
    assert accepted_id(ann) not in eve.plain


def accepted_id(person: Person) -> str:
    """The id of the batch a person made."""
    return person.dispatches[0].batch_ids[0]


def test_an_address_with_anothers_batch_opens_nothing(ann: Person) -> None:
    eve = Person("batch", id=ann.dispatches[0].id)
    assert not eve.at.code
    assert accepted_id(ann) not in eve.words


def test_recipes_and_mappings_are_not_offered_to_others(ann: Person) -> None:  # noqa: ARG001 - who went before
    eve = Person().drop("eves.csv", REVIEWS).press("way-on")
    assert not eve.has("recipe-load")
    assert not eve.has("use-last")


def test_batches_are_not_listed_to_others(ann: Person) -> None:
    assert not Person("batches").at.dataframe
    assert [list(frame.value["id"]) for frame in ann.go("batches").at.dataframe] == [[accepted_id(ann)]]


def test_the_same_contents_of_another_are_not_told(ann: Person, sandbox: Path) -> None:
    eve = Person().mapped("eves.csv", REVIEWS, prompt="Judge {{review}}", ids="id").press("way-on")
    assert accepted_id(ann) not in eve.plain
    eve.press("submit").arrived()
    assert len(accepted(sandbox)) == 2
    assert len({batch["account"] for batch in accepted(sandbox)}) == 2


def test_a_typed_key_is_its_own_sessions_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALAR_BASE_URL", Settings.from_environment().sandbox_url or "")
    ann = Person("connection").type("typed-key", "sk-anns-canary")
    eve = Person("connection")
    assert (ann.at.radio[0].value, eve.at.radio[0].value) == ("valar", "sandbox")
    assert eve.state.typed_key is None
