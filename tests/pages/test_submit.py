"""The pages Submit, Batches and Batch: one click is one batch, and what became of it is never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.person import REVIEWS, Person, wait_until
from tests.sending import accepted, arrivals, fault
from valar_ui import session
from valar_ui.ledger import Reason, State
from valar_ui.sandbox.faults import Fault, FaultKind


def at_submit(name: str = "reviews.csv", contents: bytes = REVIEWS) -> Person:
    """Somebody with a checked sheet, at the button."""
    return Person().mapped(name, contents, prompt="Judge {{review}}", ids="id").press("way-on")


def label_key(person: Person) -> str:
    """The key of the label's field."""
    return f"label-{person.draft.id}"


def test_an_empty_page_says_where_to_begin() -> None:
    assert Person("submit").press("begin").may("sample")


def test_a_sheet_without_a_mapping_is_sent_to_map() -> None:
    person = Person().drop("reviews.csv", REVIEWS).go("submit")
    assert not person.has("submit")
    assert person.press("begin").has(person.map("prompt"))


def test_errors_are_sent_back_to_check() -> None:
    person = Person().mapped("gap.csv", b"id,review\na,Good\nb,\n", prompt="{{review}}", ids="id").go("submit")
    assert not person.has("submit")
    assert person.press("begin").may("leave-out-all")
    assert person.press("leave-out-all").press("way-on").may("submit")


@pytest.mark.parametrize("label", ["reviews november", "reviews/november", "rückblick"])
def test_a_label_that_cannot_be_closes_the_button(label: str) -> None:
    person = at_submit()
    assert person.may("submit")
    assert not person.type(label_key(person), label).may("submit")
    assert person.at.error
    assert person.type(label_key(person), "reviews-november_2").may("submit")


def test_a_click_is_one_batch_and_the_page_says_its_id(sandbox: Path) -> None:
    person = at_submit()
    person.type(label_key(person), "reviews-november").press("submit").arrived()
    (batch,) = accepted(sandbox)
    assert any(batch["id"] == it.value for it in person.at.code)
    assert "3 requests" in person.plain
    assert "reviews-november" in person.plain
    (part,) = person.dispatches[0].parts
    assert (part.state, part.batch_id, part.idempotency_key) == (State.ACCEPTED, batch["id"], batch["key"])
    assert (part.sha256, part.body_bytes) == (batch["sha256"], batch["bytes"])
    assert not person.has("submit")


def test_the_bytes_told_before_the_click_are_those_that_are_sent(sandbox: Path) -> None:
    person = Person().mapped("reviews.csv", REVIEWS, prompt="Judge {{review}}", ids="id")
    told = [str(bar.proto.text) for bar in person.at.get("progress")]
    person.press("way-on").press("submit").arrived()
    (batch,) = accepted(sandbox)
    assert any(f"({batch['bytes']:,} bytes)" in text for text in told)


def test_a_changed_mapping_is_sent_on_top_of_what_was_sent_before() -> None:
    person = at_submit()
    assert "earlier version" not in person.plain
    person.press("submit").arrived()
    (sent,) = person.dispatches
    person.go("map").type(person.map("prompt"), "Weigh {{review}}").go("submit")
    assert f"An earlier version of this was sent just now, as {sent.batch_ids[0]}." in person.plain
    assert person.may("submit")


def test_a_refresh_after_the_click_shows_the_same_batch(sandbox: Path) -> None:
    person = at_submit().press("submit").arrived()
    again = Person("submit", draft=person.state.draft_id or "")
    assert not again.has("submit")
    assert any(accepted(sandbox)[0]["id"] == it.value for it in again.at.code)
    assert len(accepted(sandbox)) == 1


def test_two_sessions_that_both_press_make_one_batch(sandbox: Path) -> None:
    one = at_submit()
    other = Person("submit", draft=one.state.draft_id or "")
    assert other.may("submit")
    one.press("submit")
    # The other page was drawn before that click and still shows its button.
    other.press("submit")
    assert len(one.arrived().dispatches) == 1
    assert not other.look().has("submit")
    assert len(accepted(sandbox)) == 1


def test_the_same_contents_are_sent_again_only_when_confirmed(sandbox: Path) -> None:
    first = at_submit().press("submit").arrived()
    (sent,) = first.dispatches
    again = at_submit()
    assert accepted(sandbox)[0]["id"] in again.plain
    assert not again.may("submit")
    again.choose(f"again-{sent.id}", True).press("submit").arrived()
    assert len(accepted(sandbox)) == 2
    assert len({batch["key"] for batch in accepted(sandbox)}) == 2


def test_other_contents_need_no_confirmation(sandbox: Path) -> None:
    at_submit().press("submit").arrived()
    at_submit("other.csv", REVIEWS + b"r-4,Broken\n").press("submit").arrived()
    assert len(accepted(sandbox)) == 2


def test_a_changed_mapping_is_another_submission_of_the_draft(sandbox: Path) -> None:
    person = at_submit().press("submit").arrived()
    person.go("map").type(person.map("prompt"), "Rate {{review}}").go("submit").press("submit").arrived()
    assert len(accepted(sandbox)) == 2
    assert len(person.dispatches) == 2


def test_a_lost_answer_ends_with_the_one_batch_that_was_made(sandbox: Path) -> None:
    fault(sandbox, Fault(kind=FaultKind.LOST_ANSWER, path="/v1/batches", arrivals=(1,)))
    person = at_submit().press("submit").arrived()
    (batch,) = accepted(sandbox)
    assert any(batch["id"] == it.value for it in person.at.code)
    assert len(arrivals(sandbox)) == 2


def test_a_refusal_says_what_valar_said_and_leads_back(sandbox: Path) -> None:
    refusal = Fault(kind=FaultKind.STATUS, status=400, message="The model is not yours to use.", path="/v1/batches")
    fault(sandbox, refusal)
    person = at_submit().press("submit").arrived()
    assert "The model is not yours to use." in person.plain
    request_id = person.dispatches[0].parts[0].attempts[-1].request_id
    assert request_id
    assert request_id in person.plain
    assert accepted(sandbox) == []
    fault(sandbox)
    person.press("way-on").press("way-on").press("submit").arrived()
    assert len(accepted(sandbox)) == 1


@pytest.mark.parametrize(
    ("status", "reason", "action"),
    [
        (401, Reason.AUTH, "give_key"),
        (402, Reason.NO_CREDIT, "retry_now"),
        (404, Reason.NO_BATCHES_API, "run_as_background"),
    ],
)
def test_what_holds_it_is_said_with_the_next_step(sandbox: Path, status: int, reason: Reason, action: str) -> None:
    fault(sandbox, Fault(kind=FaultKind.STATUS, status=status, path="/v1/batches"))
    person = at_submit().press("submit")
    wait_until(lambda: not person.dispatches[0].moving, "the refusal")
    (part,) = person.look().dispatches[0].parts
    assert (part.state, part.reason) == (State.HELD, reason)
    assert part.words in person.plain
    assert person.may(f"{action}-{part.id}")
    assert accepted(sandbox) == []


def test_credit_that_came_lets_it_go_on_under_the_same_key(sandbox: Path) -> None:
    fault(sandbox, Fault(kind=FaultKind.STATUS, status=402, path="/v1/batches", arrivals=(1,)))
    person = at_submit().press("submit")
    wait_until(lambda: not person.dispatches[0].moving, "the refusal")
    (part,) = person.look().dispatches[0].parts
    person.press(f"retry_now-{part.id}").arrived()
    assert [arrival["key"] for arrival in arrivals(sandbox)] == [part.idempotency_key] * 2
    assert len(accepted(sandbox)) == 1


def test_the_background_lane_is_named_but_not_there_yet(sandbox: Path) -> None:
    fault(sandbox, Fault(kind=FaultKind.STATUS, status=404, path="/v1/batches"))
    person = at_submit().press("submit")
    wait_until(lambda: not person.dispatches[0].moving, "the refusal")
    (part,) = person.look().dispatches[0].parts
    person.press(f"run_as_background-{part.id}")
    assert person.dispatches[0].parts[0].state is State.HELD
    assert person.at.info


def test_the_list_of_batches_is_empty_and_says_where_to_begin() -> None:
    person = Person("batches")
    assert not person.at.dataframe
    assert person.press("begin").may("sample")


def test_this_sessions_batches_stand_above_the_earlier_ones(sandbox: Path) -> None:
    at_submit().press("submit").arrived()
    person = at_submit("other.csv", REVIEWS + b"r-4,Broken\n")
    person.type(label_key(person), "second").press("submit").arrived().go("batches")
    first, second = (batch["id"] for batch in accepted(sandbox))
    mine, earlier = (frame.value for frame in person.at.dataframe)
    assert list(mine["id"]) == [second]
    assert list(mine["label"]) == ["second"]
    assert list(mine["requests"]) == [4]
    assert list(mine["file"]) == ["other.csv"]
    assert list(earlier["id"]) == [first]
    assert any(it.key == "batches-csv" for it in person.at.get("download_button"))


def test_what_is_on_its_way_or_held_stands_in_the_list_too(sandbox: Path) -> None:
    fault(sandbox, Fault(kind=FaultKind.STATUS, status=402, path="/v1/batches"))
    person = at_submit().press("submit")
    wait_until(lambda: not person.dispatches[0].moving, "the refusal")
    (held,) = person.dispatches
    person.go("batches").press(f"open-{held.id}")
    assert person.at.query_params["id"] == held.id
    assert held.parts[0].words in person.plain


def test_the_receipt_names_what_was_sealed_and_every_try(sandbox: Path) -> None:
    fault(sandbox, Fault(kind=FaultKind.LOST_ANSWER, path="/v1/batches", arrivals=(1,)))
    sent = at_submit().press("submit").arrived()
    person = Person("batch", id=sent.dispatches[0].id)
    (part,) = sent.dispatches[0].parts
    receipt = next(it.value for it in person.at.code if part.sha256 and part.sha256 in it.value)
    for fact in (part.batch_id, part.idempotency_key, f"{part.body_bytes:,} bytes", "3 requests", "Try 1", "Try 2"):
        assert fact is not None
        assert fact in receipt
    assert [it.key for it in person.at.get("download_button")] == [f"receipt-file-{sent.dispatches[0].id}"]


@pytest.mark.parametrize("batch_id", ["", "nowhere", "../../etc/passwd", "' or 1=1 --"])
def test_an_address_of_no_batch_shows_nothing(batch_id: str) -> None:
    person = Person("batch", id=batch_id)
    assert not person.at.code
    assert person.may("begin")


def test_the_ledger_keeps_what_was_sent_across_a_restart(sandbox: Path) -> None:
    person = at_submit().press("submit").arrived()
    session.services().close()
    session._services.cache_clear()
    again = Person("batches")
    assert [list(frame.value["id"]) for frame in again.at.dataframe] == [[accepted(sandbox)[0]["id"]]]
    assert again.state.name != person.state.name
