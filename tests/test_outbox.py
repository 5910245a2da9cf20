"""The event table of sending: what happens, what the person sees, what is sent again; the sandbox's record judges."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox_server import serving
from tests.sending import KEY, OTHER_KEY, Clock, Rig, accepted, arrivals, fault, prepared_rows
from valar_ui.ledger import WINDOW_S, NotPossible, Outcome, Reason, SentBefore, State
from valar_ui.outbox import ask_again, give_key, send_again, split, stop_remaining
from valar_ui.prepare import Prepared
from valar_ui.sandbox import create_app

LOST = {"kind": "lost-answer", "path": "/v1/batches"}


def status(code: int, **more: Any) -> dict[str, Any]:
    """A fault that answers a POST with an error."""
    return {"kind": "status", "status": code, "path": "/v1/batches", **more}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Six requests, composed."""
    return prepared_rows(tmp_path_factory.mktemp("draft"))


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A sandbox's folder (faults.json in it is its dial) and base URL."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with serving(create_app(folder, faults=folder / "faults.json", pace=0.0)) as origin:
        yield folder, f"{origin}/v1"


@pytest.fixture
def rig(tmp_path: Path, sandbox: tuple[Path, str]) -> Iterator[Rig]:
    """A sender."""
    rig = Rig(tmp_path / "home", sandbox[1])
    yield rig
    rig.close()


def test_each_part_becomes_one_batch_in_order(rig: Rig, sandbox: tuple[Path, str], prepared: Prepared) -> None:
    clicked = rig.click(prepared, counts=[2, 3, 1])
    assert clicked.states == (State.QUEUED,) * 3
    rig.run()
    done = rig.dispatch(clicked)
    assert done.states == (State.ACCEPTED,) * 3
    made = accepted(sandbox[0])
    assert [(one["id"], one["count"], one["key"], one["sha256"], one["bytes"]) for one in made] == [
        (part.batch_id, part.requests, part.idempotency_key, part.sha256, part.body_bytes) for part in done.parts
    ]
    assert len({part.idempotency_key for part in done.parts}) == 3
    assert [batch.id for batch in rig.ledger.batches("ann")] == [part.batch_id for part in reversed(done.parts)]
    assert rig.spool.names() == []
    assert done.summary == "3 of 3 parts confirmed."


UNKNOWN = [
    LOST,
    {"kind": "cut-off"},
    {"kind": "reset", "after": True},
    status(500, after=True),
    status(408, after=True),
]
UNMADE = [status(500), status(503), status(408), status(409), {"kind": "dropped"}, {"kind": "reset"}]


@pytest.mark.parametrize("what", UNKNOWN + UNMADE, ids=str)
def test_an_uncertain_try_is_repeated_under_the_same_key(
    rig: Rig, sandbox: tuple[Path, str], prepared: Prepared, what: dict[str, Any]
) -> None:
    fault(sandbox[0], {"method": "POST", **what, "arrivals": (1, 2)})
    clicked = rig.click(prepared)
    rig.run()
    one = rig.only(clicked)
    assert (one.state, one.reason, one.uncertain) == (State.RETRYING, Reason.TROUBLE, True)
    assert one.actions == ("retry_now",)
    rig.run_for(120)
    one = rig.only(clicked)
    assert one.state is State.ACCEPTED
    assert [attempt.outcome for attempt in one.attempts] == [Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.ACCEPTED]
    assert [made["id"] for made in accepted(sandbox[0])] == [one.batch_id]
    assert {arrival["key"] for arrival in arrivals(sandbox[0])} == {one.idempotency_key}


def test_after_half_an_hour_the_account_is_looked_through_and_a_person_decides(
    rig: Rig, sandbox: tuple[Path, str], prepared: Prepared
) -> None:
    fault(sandbox[0], LOST)
    clicked = rig.click(prepared)
    rig.run_for(WINDOW_S + 120)
    one = rig.only(clicked)
    assert (one.state, one.reason) == (State.HELD, Reason.UNCERTAIN)
    assert one.candidates is not None
    (made,) = accepted(sandbox[0])
    assert [found.id for found in one.candidates] == [made["id"]]
    assert one.actions == ("adopt", "ask_again", "send_again")
    posts = len(arrivals(sandbox[0]))
    rig.run_for(86_400)
    assert len(arrivals(sandbox[0])) == posts
    with pytest.raises(NotPossible):
        rig.ledger.adopt(one.id, "ann", "batch_of_somebody_else", deadline_s=1.0, now=1.0)
    done = rig.ledger.adopt(one.id, "ann", made["id"], deadline_s=1.0, now=rig.clock())
    assert (done.states, done.batch_ids) == ((State.ACCEPTED,), (made["id"],))


def test_asking_again_after_the_window_finds_the_batch(rig: Rig, sandbox: tuple[Path, str], prepared: Prepared) -> None:
    fault(sandbox[0], LOST)
    clicked = rig.click(prepared)
    rig.run_for(WINDOW_S + 120)
    fault(sandbox[0])
    ask_again(rig.ledger, rig.only(clicked).id, "ann", now=rig.clock())
    rig.run()
    assert rig.dispatch(clicked).batch_ids == (accepted(sandbox[0])[0]["id"],)
    assert len(accepted(sandbox[0])) == 1


def test_sending_again_is_a_new_generation_under_a_new_key(
    rig: Rig, sandbox: tuple[Path, str], prepared: Prepared
) -> None:
    fault(sandbox[0], {"kind": "dropped", "path": "/v1/batches"})
    clicked = rig.click(prepared)
    rig.run_for(WINDOW_S + 120)
    first = rig.only(clicked)
    assert (first.reason, first.candidates) == (Reason.UNCERTAIN, ())
    fault(sandbox[0])
    send_again(rig.ledger, first.id, "ann", now=rig.clock())
    with pytest.raises(NotPossible):
        send_again(rig.ledger, first.id, "ann", now=rig.clock())
    rig.run()
    done = rig.dispatch(clicked)
    assert [(one.generation, one.state) for one in done.submissions] == [(1, State.SUPERSEDED), (2, State.ACCEPTED)]
    assert done.submissions[0].idempotency_key != done.submissions[1].idempotency_key
    assert len(accepted(sandbox[0])) == 1


def test_a_refused_connection_is_certainly_unsent(rig: Rig, sandbox: tuple[Path, str], prepared: Prepared) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        rig.origin = f"http://127.0.0.1:{nobody.getsockname()[1]}/v1"
        clicked = rig.click(prepared)
        rig.run_for(3_600)
    one = rig.only(clicked)
    assert (one.state, one.reason, one.uncertain) == (State.RETRYING, Reason.UNREACHABLE, False)
    rig.origin = sandbox[1]
    rig.run_for(120)
    assert rig.only(clicked).state is State.ACCEPTED
    assert len(arrivals(sandbox[0])) == 1


@pytest.mark.parametrize(
    ("header", "at_least", "at_most"),
    [
        ({"retry_after": 7_200}, 7_200, 7_200),
        ({"retry_after_date": 600}, 598, 601),
        ({"retry_after": "99999999999"}, 86_400, 86_400),
        ({"retry_after": "-5"}, 2, 2),
        ({"retry_after": "soon"}, 2, 2),
        ({}, 2, 2),
    ],
    ids=str,
)
def test_retry_after_is_honoured_in_full_across_a_restart(
    tmp_path: Path,
    sandbox: tuple[Path, str],
    prepared: Prepared,
    header: dict[str, Any],
    at_least: float,
    at_most: float,
) -> None:
    fault(sandbox[0], status(429, arrivals=(1,), **header))
    clock = Clock()
    rig = Rig(tmp_path / "home", sandbox[1], clock=clock)
    clicked = rig.click(prepared)
    rig.run()
    one = rig.only(clicked)
    assert (one.state, one.reason, one.uncertain, one.actions) == (State.RETRYING, Reason.THROTTLED, False, ())
    assert one.next_at is not None
    assert at_least <= one.next_at - clock() <= at_most
    with pytest.raises(NotPossible):
        ask_again(rig.ledger, one.id, "ann", now=clock())
    rig.close()
    rig = Rig(tmp_path / "home", sandbox[1], clock=clock)
    clock.now = one.next_at - 0.5
    rig.run()
    assert len(arrivals(sandbox[0])) == 1
    clock.now = one.next_at
    rig.run()
    assert rig.only(clicked).state is State.ACCEPTED
    rig.close()


def test_a_clock_put_back_a_day_makes_nothing_wait_a_day(
    rig: Rig, sandbox: tuple[Path, str], prepared: Prepared
) -> None:
    fault(sandbox[0], status(429, retry_after=60, arrivals=(1,)))
    clicked = rig.click(prepared)
    rig.run()
    rig.clock.advance(-86_400)
    rig.run()
    one = rig.only(clicked)
    assert one.state is State.RETRYING
    rig.run_for(61)
    assert rig.only(clicked).state is State.ACCEPTED
    assert len(accepted(sandbox[0])) == 1


REFUSALS = [
    (400, State.REJECTED, Reason.INVALID, ()),
    (422, State.REJECTED, Reason.INVALID, ()),
    (413, State.REJECTED, Reason.TOO_LARGE, ("split",)),
    (401, State.HELD, Reason.AUTH, ("give_key",)),
    (402, State.HELD, Reason.NO_CREDIT, ("retry_now",)),
    (403, State.HELD, Reason.NO_BATCHES_API, ("run_as_background", "retry_now")),
    (404, State.HELD, Reason.NO_BATCHES_API, ("run_as_background", "retry_now")),
    (501, State.HELD, Reason.NO_BATCHES_API, ("run_as_background", "retry_now")),
]


@pytest.mark.parametrize(("code", "state", "reason", "actions"), REFUSALS)
def test_a_refusal_is_not_sent_again_and_the_next_part_goes_on(
    rig: Rig,
    sandbox: tuple[Path, str],
    prepared: Prepared,
    code: int,
    state: State,
    reason: Reason,
    actions: tuple[str, ...],
) -> None:
    fault(sandbox[0], status(code, arrivals=(1,)))
    clicked = rig.click(prepared, counts=[2, 4])
    rig.run_for(7_200)
    first, second = rig.dispatch(clicked).parts
    assert (first.state, first.reason, first.actions) == (state, reason, actions)
    assert first.attempts[0].request_id
    assert second.state is State.ACCEPTED
    assert len(arrivals(sandbox[0])) == 2


@pytest.mark.parametrize("code", [400, 401, 402, 403, 404, 413])
def test_a_refusal_after_an_uncertain_try_is_never_taken_for_the_last_word(
    rig: Rig, sandbox: tuple[Path, str], prepared: Prepared, code: int
) -> None:
    fault(sandbox[0], {**LOST, "arrivals": (1,)}, status(code, arrivals=(2, 3)))
    clicked = rig.click(prepared)
    rig.run_for(60)
    one = rig.only(clicked)
    assert one.state is State.HELD
    assert one.uncertain
    assert "run_as_background" not in one.actions
    assert len(accepted(sandbox[0])) == 1


def test_a_preview_answer_counts_as_no_batches_api(rig: Rig, sandbox: tuple[Path, str], prepared: Prepared) -> None:
    fault(sandbox[0], status(400, message="The Batches API is not available for this account."))
    clicked = rig.click(prepared)
    rig.run()
    assert rig.only(clicked).reason is Reason.NO_BATCHES_API


def test_the_key_given_again_goes_on_with_the_same_submission(
    rig: Rig, sandbox: tuple[Path, str], prepared: Prepared
) -> None:
    fault(sandbox[0], status(401, arrivals=(1,)))
    clicked = rig.click(prepared)
    rig.run()
    before = rig.only(clicked)
    give_key(rig.ledger, before.id, "ann", rig.account(KEY), now=rig.clock())
    rig.run()
    after = rig.only(clicked)
    assert (after.id, after.state) == (before.id, State.ACCEPTED)


def test_another_key_is_fine_where_nothing_was_uncertain(
    rig: Rig, sandbox: tuple[Path, str], prepared: Prepared
) -> None:
    fault(sandbox[0], status(401, token=KEY))
    clicked = rig.click(prepared, counts=[3, 3])
    rig.run()
    other = rig.keyring.add(OTHER_KEY, kind="sandbox", base_url="sandbox")
    give_key(rig.ledger, rig.dispatch(clicked).parts[0].id, "ann", other, now=rig.clock())
    rig.run()
    assert rig.dispatch(clicked).states == (State.ACCEPTED, State.ACCEPTED)


def test_another_key_after_an_uncertain_try_waits_for_a_person(
    rig: Rig, sandbox: tuple[Path, str], prepared: Prepared
) -> None:
    fault(sandbox[0], {**LOST, "arrivals": (1,)}, status(401, token=KEY, method="*", path="*", arrivals=None))
    clicked = rig.click(prepared)
    rig.run_for(10)
    one = rig.only(clicked)
    assert (one.state, one.reason, one.uncertain) == (State.HELD, Reason.AUTH, True)
    other = rig.keyring.add(OTHER_KEY, kind="sandbox", base_url="sandbox")
    give_key(rig.ledger, one.id, "ann", other, now=rig.clock())
    rig.run_for(3_600)
    one = rig.only(clicked)
    assert (one.state, one.reason, one.candidates) == (State.HELD, Reason.OTHER_KEY, ())
    assert len(accepted(sandbox[0])) == 1
    send_again(rig.ledger, one.id, "ann", now=rig.clock())
    rig.run()
    assert rig.only(clicked).state is State.ACCEPTED


def test_a_key_for_another_address_is_refused(rig: Rig, sandbox: tuple[Path, str], prepared: Prepared) -> None:
    fault(sandbox[0], status(401))
    clicked = rig.click(prepared)
    rig.run()
    elsewhere = rig.keyring.add(KEY, kind="valar", base_url="https://elsewhere.example/v1")
    with pytest.raises(NotPossible):
        give_key(rig.ledger, rig.only(clicked).id, "ann", elsewhere, now=rig.clock())


def test_without_a_key_it_waits_and_goes_on_when_the_key_comes(
    tmp_path: Path, sandbox: tuple[Path, str], prepared: Prepared
) -> None:
    rig = Rig(tmp_path / "home", sandbox[1], keys=())
    clicked = rig.click(prepared)
    rig.run()
    one = rig.only(clicked)
    assert (one.state, one.reason, one.moving) == (State.HELD, Reason.NO_KEY, True)
    rig.keyring.add(KEY, kind="sandbox", base_url="sandbox")
    rig.run()
    assert rig.only(clicked).state is State.ACCEPTED
    rig.close()


def test_the_origin_of_a_click_never_changes(rig: Rig, prepared: Prepared) -> None:
    asked: list[str] = []

    def where(account: Any) -> str:
        asked.append(account.base_url)
        return rig.origin

    rig.where = where
    first = rig.keyring.add(KEY, kind="valar", base_url="https://first.example/v1")
    clicked = rig.click(prepared, account=first)
    second = rig.keyring.add(KEY, kind="valar", base_url="https://second.example/v1")
    other = rig.click(prepared, account=second)
    rig.run()
    assert set(asked) == {"https://first.example/v1", "https://second.example/v1"}
    assert rig.only(clicked).account == first
    assert rig.only(other).account == second


def test_the_same_click_twice_is_one_dispatch(rig: Rig, sandbox: tuple[Path, str], prepared: Prepared) -> None:
    first = rig.click(prepared)
    rig.run()
    second = rig.click(prepared, session="another tab")
    rig.run()
    assert first.id == second.id
    assert len(accepted(sandbox[0])) == 1


def test_the_same_contents_need_an_explicit_confirmation(
    rig: Rig, sandbox: tuple[Path, str], prepared: Prepared
) -> None:
    first = rig.click(prepared)
    rig.run()
    with pytest.raises(SentBefore) as raised:
        rig.click(prepared, draft_id="another")
    assert raised.value.earlier.id == first.id
    again = rig.click(prepared, draft_id="another", confirmed=first.id)
    assert rig.click(prepared, draft_id="another", confirmed=first.id).id == again.id
    rig.run()
    assert len(accepted(sandbox[0])) == 2
    assert rig.ledger.sent_before("bob", prepared.content_sha256, rig.account()) is None


def test_what_was_refused_may_be_submitted_again(rig: Rig, sandbox: tuple[Path, str], prepared: Prepared) -> None:
    fault(sandbox[0], status(400, arrivals=(1,)))
    first = rig.click(prepared)
    rig.run()
    second = rig.click(prepared)
    rig.run()
    assert first.id != second.id
    assert rig.only(second).state is State.ACCEPTED


def test_stopping_leaves_alone_what_may_be_with_valar(rig: Rig, sandbox: tuple[Path, str], prepared: Prepared) -> None:
    fault(sandbox[0], {**LOST, "arrivals": (1,)}, status(429, retry_after=60, arrivals=(2,)))
    clicked = rig.click(prepared, counts=[2, 2, 2])
    rig.run_for(5)
    stopped = stop_remaining(rig.ledger, clicked.id, "ann", now=rig.clock())
    assert stopped.states == (State.RETRYING, State.STOPPED, State.STOPPED)
    assert stopped.actions == ()
    rig.run_for(120)
    assert rig.dispatch(clicked).states == (State.ACCEPTED, State.STOPPED, State.STOPPED)
    assert len(accepted(sandbox[0])) == 1


def test_a_part_too_large_is_split_under_two_keys(rig: Rig, sandbox: tuple[Path, str], prepared: Prepared) -> None:
    fault(sandbox[0], status(413, arrivals=(1,)))
    clicked = rig.click(prepared)
    rig.run()
    split(rig.ledger, rig.only(clicked).id, "ann", now=rig.clock())
    rig.run()
    done = rig.dispatch(clicked)
    assert [one.requests for one in done.parts] == [3, 3]
    assert done.states == (State.ACCEPTED, State.ACCEPTED)
    assert sum(made["count"] for made in accepted(sandbox[0])) == prepared.requests


def test_damaged_bytes_are_made_again_only_where_the_hash_agrees(
    rig: Rig, sandbox: tuple[Path, str], prepared: Prepared, tmp_path: Path
) -> None:
    clicked = rig.click(prepared)
    assert rig.outbox.step()
    (name,) = rig.spool.names()
    body = bytearray((rig.spool.folder / name).read_bytes())
    body[-3] ^= 1
    (rig.spool.folder / name).write_bytes(body)
    rig.run()
    one = rig.only(clicked)
    assert one.state is State.ACCEPTED
    assert accepted(sandbox[0])[0]["sha256"] == one.sha256

    other = prepared_rows(tmp_path / "other", prompt="Now {{word}}")
    clicked = rig.click(other, draft_id="other", label="other")
    assert rig.outbox.step()
    (name,) = rig.spool.names()
    (rig.spool.folder / name).unlink()
    items = bytearray(other.items_path.read_bytes())
    items[-20] ^= 1
    other.items_path.write_bytes(items)
    rig.run()
    one = rig.only(clicked)
    assert (one.state, one.reason) == (State.HELD, Reason.SPOOL_GONE)
    assert len(arrivals(sandbox[0])) == 1


def test_a_reused_key_is_held_for_good(rig: Rig, sandbox: tuple[Path, str], prepared: Prepared) -> None:
    fault(sandbox[0], {**LOST, "arrivals": (1,)})
    clicked = rig.click(prepared)
    rig.run()
    key = rig.only(clicked).idempotency_key
    other = Rig(rig.home.parent / "second", sandbox[1], make_key=lambda: key)
    theirs = other.click(prepared, label="different")
    other.run_for(60)
    one = other.only(theirs)
    assert (one.state, one.reason) == (State.HELD, Reason.IDEMPOTENCY)
    other.close()


def test_two_senders_share_the_work_and_send_once(
    tmp_path: Path, sandbox: tuple[Path, str], prepared: Prepared
) -> None:
    first = Rig(tmp_path / "home", sandbox[1])
    second = Rig(tmp_path / "home", sandbox[1])
    clicked = first.click(prepared, counts=[1, 1, 1, 1, 1, 1])
    while first.outbox.step() or second.outbox.step():
        pass
    assert first.dispatch(clicked).accepted
    assert len(arrivals(sandbox[0])) == 6
    first.close()
    second.close()


def test_the_receipt_tells_every_try(rig: Rig, sandbox: tuple[Path, str], prepared: Prepared) -> None:
    fault(sandbox[0], status(500, arrivals=(1,)))
    clicked = rig.click(prepared, counts=[4, 2])
    rig.run_for(60)
    done = rig.dispatch(clicked)
    told = done.receipt["parts"][0]
    recorded = [one for one in arrivals(sandbox[0]) if one["key"] == told["idempotency_key"]]
    assert [attempt["x_request_id"] for attempt in told["attempts"]] == [one["request_id"] for one in recorded]
    assert (told["requests"], told["bytes"], told["sha256"]) == (4, recorded[1]["bytes"], recorded[1]["sha256"])
    for fact in (told["batch_id"], told["sha256"], told["idempotency_key"], recorded[0]["request_id"]):
        assert fact in done.receipt_text


def test_one_uncertain_part_among_several_is_said(rig: Rig, sandbox: tuple[Path, str], prepared: Prepared) -> None:
    fault(sandbox[0], {**LOST, "arrivals": (3,)})
    clicked = rig.click(prepared, counts=[1, 1, 1, 3])
    rig.run()
    assert rig.dispatch(clicked).summary.startswith(
        "2 of 4 parts confirmed, 1 uncertain: asking again under the same key"
    )
