"""What machines do to the sending: a full disk, a locked database, an outage, and anything in any order."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings, stateful
from hypothesis import strategies as st

from tests.sandbox_server import serving
from tests.sending import KEY, OTHER_KEY, Rig, accepted, arrivals, fault, prepared_rows
from valar_ui.ledger import LedgerBusy, LedgerFull, NotPossible, Outcome, Reason, SentBefore, State
from valar_ui.outbox import ask_again, give_key
from valar_ui.sandbox import create_app
from valar_ui.spool import HEADROOM_BYTES

CANARY_FILES = ("ledger.sqlite3", "spool", "leases")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A sandbox's folder and base URL."""
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with serving(create_app(folder, faults=folder / "faults.json", pace=0.0)) as origin:
        yield folder, f"{origin}/v1"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 40 MB; skipped where none can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(disk)], check=False)
    if mounted.returncode != 0:
        pytest.skip("no small disk can be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    """Fill a disk but for so many bytes."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        while (free := shutil.disk_usage(disk).free - leave) > 0:
            file.write(b"\0" * min(free, 1 << 20))
            file.flush()
    return filler


def test_a_full_disk_before_the_seal_sends_nothing_and_goes_on_by_itself(
    small_disk: Path, tmp_path: Path, sandbox: tuple[Path, str]
) -> None:
    rig = Rig(small_disk / "home", sandbox[1])
    clicked = rig.click(prepared_rows(tmp_path / "draft"))
    filler = fill(small_disk, leave=HEADROOM_BYTES // 2)
    rig.run()
    one = rig.only(clicked)
    assert (one.state, one.reason) == (State.QUEUED, Reason.DISK_FULL)
    assert "MB" in one.words
    assert arrivals(sandbox[0]) == []
    filler.unlink()
    rig.run_for(60)
    assert rig.only(clicked).state is State.ACCEPTED
    rig.close()


def test_a_full_disk_after_the_answer_loses_no_id(small_disk: Path, tmp_path: Path, sandbox: tuple[Path, str]) -> None:
    filler: list[Path] = []

    def failpoint(name: str) -> None:
        if name == "answered" and not filler:
            filler.append(fill(small_disk, leave=0))

    rig = Rig(small_disk / "home", sandbox[1], failpoint=failpoint)
    clicked = rig.click(prepared_rows(tmp_path / "draft"))
    with pytest.raises(LedgerFull):
        rig.run()
    assert rig.outbox.unwritten == 1
    assert rig.only(clicked).state is State.SENDING
    filler[0].unlink()
    rig.run()
    assert rig.dispatch(clicked).batch_ids == (accepted(sandbox[0])[0]["id"],)
    assert len(arrivals(sandbox[0])) == 1
    rig.close()


def test_a_full_disk_after_the_answer_and_a_crash_are_mended_by_a_replay(
    small_disk: Path, tmp_path: Path, sandbox: tuple[Path, str]
) -> None:
    def failpoint(name: str) -> None:
        if name == "answered":
            fill(small_disk, leave=0)

    rig = Rig(small_disk / "home", sandbox[1], failpoint=failpoint)
    clicked = rig.click(prepared_rows(tmp_path / "draft"))
    with pytest.raises(LedgerFull):
        rig.run()
    rig.close()
    (small_disk / "filler").unlink()
    rig = Rig(small_disk / "home", sandbox[1], clock=rig.clock)
    rig.run()
    one = rig.only(clicked)
    assert [attempt.outcome for attempt in one.attempts] == [Outcome.INTERRUPTED, Outcome.ACCEPTED]
    assert [made["id"] for made in accepted(sandbox[0])] == [one.batch_id]
    rig.close()


@pytest.mark.parametrize("point", ["taken", "spooled", "sealed", "claimed", "answered", "accepted"])
def test_a_locked_database_delays_and_loses_nothing(tmp_path: Path, sandbox: tuple[Path, str], point: str) -> None:
    locks: list[sqlite3.Connection] = []

    def failpoint(name: str) -> None:
        if name == point and not locks:
            locks.append(sqlite3.connect(tmp_path / "home" / "ledger.sqlite3", isolation_level=None))
            locks[0].execute("BEGIN EXCLUSIVE")

    rig = Rig(tmp_path / "home", sandbox[1], failpoint=failpoint, busy_seconds=0.05)
    clicked = rig.click(prepared_rows(tmp_path / "draft"))
    with pytest.raises(LedgerBusy):
        rig.run()
    locks[0].execute("ROLLBACK")
    locks[0].close()
    rig.run_for(60)
    assert rig.dispatch(clicked).batch_ids == (accepted(sandbox[0])[0]["id"],)
    assert len(accepted(sandbox[0])) == 1
    rig.close()


@pytest.mark.parametrize("kind", [{"kind": "status", "status": 503}, {"kind": "dropped"}], ids=str)
def test_a_ten_minute_outage_costs_hardly_any_request(
    tmp_path: Path, sandbox: tuple[Path, str], kind: dict[str, Any]
) -> None:
    rig = Rig(tmp_path / "home", sandbox[1])
    prepared = prepared_rows(tmp_path / "draft", rows=12)
    fault(sandbox[0], {**kind, "method": "*"})
    clicked = rig.click(prepared, counts=[1] * 12)
    rig.run_for(600)
    fault(sandbox[0])
    rig.run_for(120)
    assert rig.dispatch(clicked).accepted
    sent_per_needed = len(arrivals(sandbox[0])) / 12
    print(f"requests sent per request needed over a ten-minute outage: {sent_per_needed:.2f}")
    assert sent_per_needed <= 1.1
    rig.close()


class Anything(stateful.RuleBasedStateMachine):
    """Click, kill, change of key, change of address, edit, time passing, faults, decisions: in any order."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="valar-anything-"))
        self._sandbox = self._folder / "sandbox"
        self._sandbox.mkdir()
        self._serving = serving(create_app(self._sandbox, faults=self._sandbox / "faults.json", pace=0.0))
        self._origin = f"{self._serving.__enter__()}/v1"
        self._versions = [
            prepared_rows(self._folder / "draft", prompt=prompt) for prompt in ("A {{word}}", "B {{word}}")
        ]
        self._version = 0
        self._rig = self._start()

    def _start(self, **options: Any) -> Rig:
        return Rig(self._folder / "home", self._origin, keys=(KEY, OTHER_KEY), answer_seconds=2.0, **options)

    @stateful.rule(again=st.booleans())
    def click(self, again: bool) -> None:
        """Submit what is on the page; with `again` the person confirms that it was sent before."""
        account = self._rig.keyring.add(KEY, kind="sandbox", base_url="sandbox")
        try:
            self._rig.click(self._versions[self._version], counts=[2, 4], account=account)
        except SentBefore as fault:
            if again:
                self._rig.click(
                    self._versions[self._version], counts=[2, 4], account=account, confirmed=fault.earlier.id
                )

    @stateful.rule()
    def edit(self) -> None:
        """Change the prompt."""
        self._version = 1 - self._version

    @stateful.rule(seconds=st.sampled_from([1.0, 30.0, 1_200.0]))
    def time_passes(self, seconds: float) -> None:
        """The sender works meanwhile."""
        self._rig.run_for(seconds)

    @stateful.rule(days=st.sampled_from([-1, 1]))
    def clock_jumps(self, days: int) -> None:
        """Somebody sets the clock."""
        self._rig.clock.advance(days * 86_400.0)

    @stateful.rule(
        kind=st.sampled_from(["lost-answer", "dropped", "cut-off", "reset"])
        | st.sampled_from([400, 401, 402, 429, 500]),
        arrivals=st.sets(st.integers(1, 4), min_size=1, max_size=3),
    )
    def trouble(self, kind: str | int, arrivals: set[int]) -> None:
        """The next POSTs go wrong."""
        what = {"kind": kind} if isinstance(kind, str) else {"kind": "status", "status": kind, "retry_after": 60}
        fault(self._sandbox, {**what, "path": "/v1/batches", "arrivals": tuple(arrivals)})

    @stateful.rule(point=st.sampled_from(["spooled", "sealed", "claimed", "sent", "answered", "accepting", "settled"]))
    def killed(self, point: str) -> None:
        """The process dies at a point, or after an hour without reaching it, and a new one starts."""
        clock = self._rig.clock
        self._rig.close()

        class Killed(BaseException):
            pass

        def failpoint(name: str) -> None:
            if name == point:
                raise Killed

        doomed = self._start(clock=clock, failpoint=failpoint)
        with contextlib.suppress(Killed):
            doomed.run_for(3_600)
        doomed.close()
        self._rig = self._start(clock=clock)

    @stateful.rule(key=st.sampled_from([KEY, OTHER_KEY]))
    def key_is_given(self, key: str) -> None:
        """The person answers a question for the key with one or the other."""
        account = self._rig.keyring.add(key, kind="sandbox", base_url="sandbox")
        for one in self._waiting("give_key"):
            give_key(self._rig.ledger, one, "ann", account, now=self._rig.clock())

    @stateful.rule()
    def address_changes(self) -> None:
        """A key for another address is no answer."""
        account = self._rig.keyring.add(KEY, kind="valar", base_url="https://other.example/v1")
        for one in self._waiting("give_key"):
            with pytest.raises(NotPossible):
                give_key(self._rig.ledger, one, "ann", account, now=self._rig.clock())

    @stateful.rule()
    def person_asks_again(self) -> None:
        """Same key, same bytes."""
        for code in ("ask_again", "retry_now"):
            for one in self._waiting(code):
                ask_again(self._rig.ledger, one, "ann", now=self._rig.clock())

    @stateful.rule()
    def person_adopts(self) -> None:
        """The first batch found is recognised."""
        for one in self._waiting("adopt"):
            submission = self._rig.ledger.submission(one, "ann")
            found = (submission.candidates or ())[0].id
            taken = {batch.id for batch in self._rig.ledger.batches("ann")}
            if found not in taken:
                self._rig.ledger.adopt(one, "ann", found, deadline_s=1.0, now=self._rig.clock())

    def _waiting(self, action: str) -> list[str]:
        dispatches = self._rig.ledger.dispatches("ann")
        return [one.id for found in dispatches for one in found.parts if action in one.actions]

    @stateful.invariant()
    def nothing_is_paid_twice_and_nothing_is_lost(self) -> None:
        """Each key made at most one batch, each accepted batch is known or still being asked for."""
        made = accepted(self._sandbox)
        assert len({one["key"] for one in made}) == len(made)
        parts = [one for found in self._rig.ledger.dispatches("ann") for one in found.submissions]
        keys = {one.idempotency_key: one for one in parts}
        for one in made:
            mine = keys[one["key"]]
            assert mine.sha256 == one["sha256"]
            assert mine.batch_id == one["id"] or mine.uncertain or mine.state is State.SENDING
        ids = [one.batch_id for one in parts if one.batch_id]
        assert sorted(ids) == sorted(batch.id for batch in self._rig.ledger.batches("ann"))
        assert len(set(ids)) == len(ids)

    def teardown(self) -> None:
        """In the end everything that can be decided is; then the keys are looked for in every file."""
        fault(self._sandbox)
        for _ in range(4):
            self._rig.run_for(100_000)
            self.key_is_given(KEY)
            self.person_asks_again()
        self._rig.run_for(100_000)
        self.nothing_is_paid_twice_and_nothing_is_lost()
        assert not any(found.moving for found in self._rig.ledger.dispatches("ann"))
        self._rig.close()
        self._serving.__exit__(None, None, None)
        for name in CANARY_FILES:
            for path in [self._folder / "home" / name, *(self._folder / "home" / name).rglob("*")]:
                if path.is_file():
                    held = path.read_bytes()
                    assert KEY.encode() not in held
                    assert OTHER_KEY.encode() not in held
        shutil.rmtree(self._folder)


TestAnything = Anything.TestCase
TestAnything.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)
