"""Every state has its words, its next steps and its receipt; a refusal finds its row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from tests.sandbox_server import serving
from tests.sending import Rig, prepared_rows
from valar_ui.ledger import ACTIONS, Candidate, Dispatch, Reason, State
from valar_ui.ledger.words import LOOKED_FOR
from valar_ui.outbox import ago, row_of_refusal, run_as_background
from valar_ui.prepare import Prepared
from valar_ui.sandbox import create_app

RETRYING = (Reason.UNREACHABLE, Reason.THROTTLED, Reason.TROUBLE, Reason.ASKED)
HELD = (
    Reason.NO_KEY,
    Reason.AUTH,
    Reason.OTHER_KEY,
    Reason.NO_CREDIT,
    Reason.NO_BATCHES_API,
    Reason.SPOOL_GONE,
    Reason.UNCERTAIN,
    Reason.IDEMPOTENCY,
)
STANDINGS = [
    *product((State.QUEUED,), (Reason.NONE, Reason.DISK_FULL)),
    (State.SEALED, Reason.NONE),
    (State.SENDING, Reason.NONE),
    *product((State.RETRYING,), RETRYING),
    (State.ACCEPTED, Reason.NONE),
    *product((State.REJECTED,), (Reason.INVALID, Reason.TOO_LARGE)),
    *product((State.HELD,), HELD),
    (State.STOPPED, Reason.NONE),
    (State.SUPERSEDED, Reason.NONE),
]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A sandbox's base URL."""
    with serving(create_app(tmp_path / "sandbox", pace=0.0)) as origin:
        yield f"{origin}/v1"


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    """Six requests."""
    return prepared_rows(tmp_path / "draft")


@pytest.fixture
def dispatch(tmp_path: Path, prepared: Prepared) -> Iterator[Dispatch]:
    """A click of two parts that nobody sends."""
    rig = Rig(tmp_path / "home", "http://127.0.0.1:9/v1")
    yield rig.click(prepared, counts=[2, 4])
    rig.close()


@pytest.mark.parametrize("uncertain", [None, 1_700_000_000.0], ids=["certain", "uncertain"])
@pytest.mark.parametrize("candidates", [None, (), (Candidate("batch_1", 2, 1.0, "torture"),)], ids=str)
def test_every_standing_has_words_and_only_known_actions(
    dispatch: Dispatch, uncertain: float | None, candidates: tuple[Candidate, ...] | None
) -> None:
    told = set()
    for state, reason in STANDINGS:
        one = replace(
            dispatch.parts[0],
            state=state,
            reason=reason,
            message="The disk is full." if reason is Reason.DISK_FULL else "",
            uncertain_since=uncertain,
            candidates=candidates,
            next_at=1_700_000_000.0,
            batch_id="batch_7" if state is State.ACCEPTED else None,
        )
        told.add(one.words)
        assert one.words.endswith(".")
        assert set(one.actions) <= set(ACTIONS)
        assert ("adopt" in one.actions) == (state is State.HELD and reason in LOOKED_FOR and bool(candidates))
        if one.uncertain:
            assert "run_as_background" not in one.actions
            assert not one.stoppable
        whole = replace(dispatch, submissions=(one, dispatch.parts[1]))
        assert whole.summary
        assert one.label in whole.receipt_text
        assert json.loads(json.dumps(whole.receipt))["parts"][0]["state"] == state.value
    assert len(told) == len(STANDINGS)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (185, "3 minutes ago"),
        (7_200, "2 hours ago"),
        (90_000, "1 day ago"),
    ],
)
def test_how_long_ago(seconds: float, words: str) -> None:
    assert ago(seconds) == words


def test_a_refusal_names_the_row_of_the_sheet(tmp_path: Path, url: str, prepared: Prepared) -> None:
    body = prepared.items_path.read_bytes().split(b',{"custom_id"')
    body[4] = body[4].replace(b'"max_output_tokens":64', b'"max_output_tokens":-4')
    prepared.items_path.write_bytes(b',{"custom_id"'.join(body))
    rig = Rig(tmp_path / "home", url)
    clicked = rig.click(prepared, counts=[2, 4])
    rig.run()
    first, second = rig.dispatch(clicked).parts
    assert (first.state, second.state, second.reason) == (State.ACCEPTED, State.REJECTED, Reason.INVALID)
    assert row_of_refusal(prepared, second) == 6
    assert row_of_refusal(prepared, first) is None
    assert run_as_background(rig.ledger, second.id, "ann")
    assert rig.dispatch(clicked).states == (State.ACCEPTED, State.REJECTED)
    rig.close()
