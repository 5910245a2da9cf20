"""Kills and faults of the sending, a hundred runs of them, and mutants of the protocol that must not get through.

`python -m tests.torture` does more of the same for as long as one likes.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Final

import pytest

from tests.mutants import MUTANTS
from tests.torture import FAULTS, KILL_POINTS, SCRIPTS, Plan, Torture, drawn, rack, systematic

SEED: Final = int(os.environ.get("TORTURE_SEED", "0")) or random.SystemRandom().randrange(1 << 32)
RUNS: Final = 100


def lost(point: str | None, name: str = "lost answer") -> Plan:
    """One fault at the first arrival, and one kill."""
    return Plan(f"{point} × {name}", ((point, 1),) if point else (), name, (1,), ())


CAUGHT_BY: Final[dict[str, Plan | str]] = {
    "new_key_each_try": lost(None),
    "key_in_memory": lost("answered", "none"),
    "composed_again": lost(None),
    "unchecked_bytes": "damaged on disk",
    "refusal_tried_again": lost(None, "400"),
    "uncertain_is_refused": lost(None),
    "uncertain_is_unsent": "other key",
    "reused_key_gets_a_new_one": lost(None),
    "other_key_goes_on": "other key",
    "lost_lease": "two senders at once",
    "unreadable_is_a_yes": lost(None, "answer cut off"),
    "restart_begins_anew": lost("answered", "none"),
    "retry_after_forgotten": "told to wait",
    "click_counts_twice": "two clicks",
    "accepted_in_two_steps": lost("accepting", "none"),
    "no_end": "an outage without end",
    "stop_drops_the_uncertain": "stopped after a lost answer",
    "one_key_for_all_parts": lost(None, "none"),
}


@pytest.fixture(scope="module")
def torture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Torture]:
    """A sandbox and a forge for all runs."""
    with rack(tmp_path_factory.mktemp("torture")) as torture:
        yield torture


def run(torture: Torture, course: Plan | str, mutant: str | None = None) -> list[str]:
    """A plan, or a script by its name."""
    if isinstance(course, str):
        return torture.script(SCRIPTS[course], mutant=mutant)
    return torture.run(course, mutant=mutant)


def test_a_hundred_runs_keep_the_promise(torture: Torture) -> None:
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    plans = [Plan(f"{point} × none", ((point, 1),), "none", (1,), ()) for point in KILL_POINTS]
    plans += [Plan(f"answered × {name}", (("answered", 1),), name, (1,), ()) for name in FAULTS]
    plans += rng.sample(list(systematic()), 28)
    plans += [drawn(rng, number, SEED) for number in range(RUNS - len(plans))]
    wrong = [one for plan in plans for one in torture.run(plan)]
    assert wrong == [], f"seed {SEED}\n{torture.figures.as_text()}"
    assert torture.figures.clean
    assert torture.figures.runs == RUNS
    assert set(torture.figures.faults) == set(FAULTS)
    assert torture.figures.kills >= RUNS // 2


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_keeps_the_promise(torture: Torture, name: str) -> None:
    assert torture.script(SCRIPTS[name]) == []


@pytest.mark.parametrize("mutant", MUTANTS)
def test_each_mutant_is_caught(torture: Torture, mutant: str) -> None:
    course = CAUGHT_BY[mutant]
    assert run(torture, course) == []
    assert run(torture, course, mutant) != []
