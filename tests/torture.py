"""Kill and fault the sending until something gives: `python -m tests.torture --runs 1000 --seed 1`.

Each run: one click of several parts, one fault of the sandbox, one or more SIGKILLs at named points, then a restart
that runs to the end. The sandbox's own record of what it accepted is the judge. Senders run in children forked from a
process without threads (`--forge`), so that a run costs milliseconds and a kill is a real one.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from tests import mutants
from tests.sandbox_server import serving
from tests.sending import KEY, OTHER_KEY, Clock, Rig, arrivals, fault, prepared_rows
from valar_ui.client import warm_up
from valar_ui.ledger import Dispatch, Outcome, Reason, State, Submission
from valar_ui.outbox import adopt, ask_again, give_key
from valar_ui.prepare import Prepared
from valar_ui.sandbox import create_app

KILL_POINTS: Final = (
    "taken",
    "spool-begun",
    "spool-written",
    "spool-renamed",
    "spool-synced",
    "spooled",
    "sealed",
    "claimed",
    "checked",
    "connected",
    "half-sent",
    "sent",
    "answered",
    "failed",
    "settled",
    "accepting",
    "accepted",
    "cleaned",
)
"""Every step of the sender at which the process is killed."""

BATCHES: Final = {"path": "/v1/batches", "method": "POST"}

FAULTS: Final[dict[str, dict[str, Any]]] = {
    "none": {},
    "lost answer": {"kind": "lost-answer"},
    "answer cut off": {"kind": "cut-off"},
    "answer cut to nothing": {"kind": "cut-off", "bytes": 1},
    "dropped": {"kind": "dropped"},
    "dropped in the body": {"kind": "dropped", "bytes": 100},
    "reset": {"kind": "reset"},
    "reset after": {"kind": "reset", "after": True},
    "500 before": {"kind": "status", "status": 500},
    "500 after": {"kind": "status", "status": 500, "after": True},
    "503": {"kind": "status", "status": 503},
    "408": {"kind": "status", "status": 408},
    "409": {"kind": "status", "status": 409, "after": True},
    "429 seconds": {"kind": "status", "status": 429, "retry_after": 90},
    "429 date": {"kind": "status", "status": 429, "retry_after_date": 600},
    "429 absurd": {"kind": "status", "status": 429, "retry_after": "99999999999"},
    "slow": {"kind": "slow", "seconds": 0.05},
    "late": {"kind": "late", "seconds": 2},
    "400": {"kind": "status", "status": 400},
    "401": {"kind": "status", "status": 401},
    "402": {"kind": "status", "status": 402},
    "403": {"kind": "status", "status": 403},
    "404": {"kind": "status", "status": 404},
    "413": {"kind": "status", "status": 413},
}
"""What the sandbox does to the arrivals a run chooses."""

REFUSED: Final = frozenset({(State.REJECTED, Reason.INVALID), (State.REJECTED, Reason.TOO_LARGE)})
"""Ends that a part may come to where Valar says no."""

PARTS: Final = (2, 1, 3)


@dataclass(frozen=True, slots=True)
class Job:
    """What one forked sender does; `kill` names a point and how often it is passed first."""

    home: str
    origin: str
    steps: Sequence[Sequence[Any]]
    now: float
    keys: tuple[str, ...] = (KEY,)
    kill: tuple[str, int] | None = None
    mutant: str | None = None
    prepared: str = ""
    real_time: bool = False


def child(job: Job) -> None:
    """Be one sender; ends the process by SIGKILL at the job's point."""
    if job.mutant is not None:
        mutants.MUTANTS[job.mutant]()
    seen: Counter[str] = Counter()

    def failpoint(name: str) -> None:
        seen[name] += 1
        if job.kill == (name, seen[name]):
            os.kill(os.getpid(), signal.SIGKILL)

    home = Path(job.home)
    logging.basicConfig(filename=home / "log.txt", level=logging.DEBUG)
    options: dict[str, Any] = {} if job.real_time else {"jitter": lambda _low, high: high}
    rig = Rig(
        home,
        job.origin,
        clock=Clock(job.now),
        failpoint=failpoint,
        keys=job.keys,
        answer_seconds=0.4,
        **options,
    )
    if job.real_time:
        rig.clock = _RealTime(rig)
    prepared = Prepared.load(Path(job.prepared)) if job.prepared else None
    for name, *values in job.steps:
        if name == "click":
            assert prepared is not None
            clicked = rig.click(prepared, account=rig.account(job.keys[0]), **values[0])
            (home / "dispatch").write_text(clicked.id)
            continue
        dispatch = rig.ledger.dispatch((home / "dispatch").read_text(), "ann")
        assert dispatch is not None
        match name:
            case "run":
                rig.run_for(values[0])
            case "wait":
                _wait(rig, dispatch, values[0])
            case "person":
                _person(rig, dispatch, job.keys[0])
            case "key":
                for one in dispatch.parts:
                    if "give_key" in one.actions:
                        give_key(rig.ledger, one.id, "ann", rig.account(values[0]), now=rig.clock())
            case "stop":
                rig.ledger.stop_remaining(dispatch.id, "ann", now=rig.clock())
            case "overlap":
                _overlap(rig, home, job)
    (home / "clock").write_text(str(rig.clock()))
    rig.close()


class _RealTime(Clock):
    def __init__(self, rig: Rig) -> None:
        super().__init__()
        rig.outbox._clock = self
        rig.ledger.clock = self

    def __call__(self) -> float:
        return time.time()


def _wait(rig: Rig, dispatch: Dispatch, seconds: float) -> None:
    """Run in real time until every part has its id."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and not rig.dispatch(dispatch).accepted:
        if not rig.outbox.step():
            time.sleep(0.02)


def _person(rig: Rig, dispatch: Dispatch, key: str) -> None:
    """Decide what only a person decides: the batch found is ours, the key is right, there is credit again."""
    for part in dispatch.parts:
        # A decision about one part may have gone on with its siblings.
        one = rig.ledger.submission(part.id, "ann")
        if one.state is not State.HELD:
            continue
        if one.candidates:
            adopt(rig.ledger, one.id, "ann", one.candidates[0].id, now=rig.clock())
        elif one.reason in (Reason.AUTH, Reason.NO_KEY):
            give_key(rig.ledger, one.id, "ann", rig.account(key), now=rig.clock())
        elif {"ask_again", "retry_now"} & set(one.actions):
            ask_again(rig.ledger, one.id, "ann", now=rig.clock())


def _overlap(rig: Rig, home: Path, job: Job) -> None:
    """While the first sender's bytes are on their way, a second process's sender takes a look."""
    second = Rig(home, job.origin, clock=rig.clock, answer_seconds=2.0, keys=job.keys)
    inside = False

    def failpoint(name: str) -> None:
        nonlocal inside
        if name == "connected" and not inside:
            inside = True
            second.outbox.step()

    rig.outbox._failpoint = failpoint
    rig.run_for(60)
    second.close()


def forge() -> int:
    """Fork a child for each job that stdin brings; answers with its exit status."""
    # What every process loads once is loaded before the forks.
    warm_up()
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(Path(folder) / "warm", "http://127.0.0.1:9/v1")
        rig.click(prepared_rows(Path(folder) / "draft"))
        rig.run()
        rig.close()
    for line in sys.stdin:
        value = json.loads(line)
        kill = value.pop("kill")
        job = Job(**value | {"kill": tuple(kill) if kill else None, "keys": tuple(value["keys"])})
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                child(job)
                status = 0
            except BaseException:  # noqa: BLE001 - the child's outermost edge
                traceback.print_exc()
            sys.stderr.flush()
            os._exit(status)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
    return 0


class Forge:
    """The process that forks senders."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture", "--forge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[1],
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(self, job: Job) -> int:
        """The exit status of one sender; -9 where it was killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        value = {name: getattr(job, name) for name in Job.__slots__}
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@dataclass(slots=True)
class Figures:
    """What the runs came to."""

    runs: int = 0
    kills: int = 0
    posts: int = 0
    batches: int = 0
    duplicate_batches: int = 0
    duplicate_rows: int = 0
    lost: int = 0
    wrong: int = 0
    unknown: int = 0
    canaries: int = 0
    faulty: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    points: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def as_text(self) -> str:
        """Lines to report."""
        p95 = statistics.quantiles(self.seconds, n=20)[18] if len(self.seconds) > 1 else float("nan")
        missing = sorted(set(KILL_POINTS) - set(self.points))
        lines = [
            f"runs {self.runs}, kills {self.kills}, POSTs {self.posts}, batches {self.batches}",
            f"duplicate batches {self.duplicate_batches}, duplicate rows {self.duplicate_rows}, lost {self.lost}, "
            f"wrong id {self.wrong}, unknown {self.unknown}, canary sightings {self.canaries}",
            f"kill points reached {len(self.points)} of {len(KILL_POINTS)}"
            + (f", not {', '.join(missing)}" if missing else ""),
            f"faults {len(self.faults)} of {len(FAULTS)}",
        ]
        if self.seconds:
            lines.append(
                f"from restart to the right state: median {statistics.median(self.seconds):.2f} s, 95 % in {p95:.2f} s "
                f"({len(self.seconds)} runs in real time)"
            )
        return "\n".join([*lines, *self.faulty])

    @property
    def clean(self) -> bool:
        """Whether the promise held."""
        bad = (self.duplicate_batches, self.duplicate_rows, self.lost, self.wrong, self.unknown, self.canaries)
        return not any(bad) and not self.faulty


@dataclass(frozen=True, slots=True)
class Plan:
    """One run, as drawn."""

    name: str
    kills: tuple[tuple[str, int], ...]
    fault: str
    arrivals: tuple[int, ...]
    jumps: tuple[float, ...]
    """How far the clock jumps at each restart."""


class Torture:
    """A sandbox, a forge and a sheet; every run is another installation and another account of the sandbox."""

    def __init__(self, forge_: Forge, folder: Path, origin: str, sandbox: Path) -> None:
        self.forge = forge_
        self.folder = folder
        self.origin = origin
        self.sandbox = sandbox
        self.prepared = prepared_rows(folder / "draft")
        self.figures = Figures()
        self._number = 0

    def job(self, home: Path, *steps: Sequence[Any], **options: Any) -> Job:
        """A job in a home folder, at the clock where the last one ended."""
        clock = home / "clock"
        now = float(clock.read_text()) if clock.exists() else time.time()
        values: dict[str, Any] = {"now": now, "prepared": str(self.prepared.folder)} | options
        return Job(str(home), self.origin, steps, **values)

    def home(self) -> Path:
        """A new installation."""
        self._number += 1
        home = self.folder / f"run-{self._number:05}"
        home.mkdir()
        return home

    def run(self, plan: Plan, *, mutant: str | None = None, real_time: bool = False) -> list[str]:
        """One run; what went wrong, in words."""
        home = self.home()
        keys = (f"{KEY}-{home.name}",)
        settings = FAULTS[plan.fault]
        fault(self.sandbox, *([{**BATCHES, **settings, "arrivals": plan.arrivals}] if settings else []))
        before = len(arrivals(self.sandbox))
        click = ["click", {"counts": PARTS}]
        jumps = list(plan.jumps)
        for number, kill in enumerate(plan.kills):
            steps = [click, ["run", 7_200.0]] if number == 0 else [["run", 7_200.0]]
            status = self.forge.run(self.job(home, *steps, kill=kill, mutant=mutant, keys=keys))
            if status == -signal.SIGKILL:
                self.figures.kills += 1
                self.figures.points[kill[0]] += 1
            elif status != 0:
                return [f"{plan.name}: the sender ended with {status}"]
            if number == 0 and not (home / "dispatch").exists():
                return [f"{plan.name}: nothing was clicked"]
            (home / "clock").write_text(str(self.job(home).now + (jumps.pop(0) if jumps else 5.0)))
        began = time.monotonic()
        if real_time:
            last = [["wait", 30.0]] if plan.kills else [click, ["wait", 30.0]]
        else:
            # Long enough for three waits of a day; as many decisions as there are faulty arrivals.
            days = [["run", 300_000.0]] if plan.kills else [click, ["run", 300_000.0]]
            last = [*days, *([["person"], ["run", 90_000.0]] * 6)]
        status = self.forge.run(self.job(home, *last, mutant=mutant, keys=keys, real_time=real_time))
        if real_time:
            self.figures.seconds.append(time.monotonic() - began)
        self.figures.runs += 1
        self.figures.faults[plan.fault] += 1
        wrong = [] if status == 0 else [f"the last sender ended with {status}"]
        allowed = REFUSED if plan.fault in ("400", "413") else frozenset()
        wrong += self._judge(home, arrivals(self.sandbox)[before:], allowed=allowed)
        return [f"{plan.name}: {one}" for one in wrong]

    def script(self, script: Script, *, mutant: str | None = None) -> list[str]:
        """One scripted run; what went wrong, in words."""
        home = self.home()
        keys = (f"{KEY}-{home.name}", OTHER_KEY)
        before = len(arrivals(self.sandbox))
        for act, *values in script.acts:
            match act:
                case "fault":
                    mine = json.loads(json.dumps(values).replace("$KEY", keys[0]))
                    fault(self.sandbox, *mine)
                case "damage":
                    for path in (home / "spool").iterdir():
                        path.write_bytes(path.read_bytes().replace(b"canary", b"Canary"))
                case "job":
                    steps, kill = values
                    status = self.forge.run(self.job(home, *steps, kill=kill, mutant=mutant, keys=keys))
                    if status != (-signal.SIGKILL if kill else 0):
                        return [f"{script.name}: the sender ended with {status}"]
        posts = arrivals(self.sandbox)[before:]
        wrong = self._judge(home, posts, allowed=script.allowed)
        low, high = script.posts
        if not low <= len(posts) <= high:
            wrong.append(f"{len(posts)} POSTs, where {low} to {high} are due")
        self.figures.runs += 1
        return [f"{script.name}: {one}" for one in wrong]

    def _judge(self, home: Path, posts: list[dict[str, Any]], *, allowed: frozenset[tuple[State, Reason]]) -> list[str]:
        """Compare the ledger with the sandbox's own record."""
        rig = Rig(home, self.origin)
        dispatch = rig.ledger.dispatch((home / "dispatch").read_text(), "ann")
        assert dispatch is not None
        wrong = []
        made = [post for post in posts if post["accepted"]]
        mine = {one.batch_id for one in dispatch.parts if one.batch_id}
        self.figures.posts += len(posts)
        self.figures.batches += len(made)
        for digest, count in Counter(post["sha256"] for post in made).items():
            if count > 1:
                self.figures.duplicate_batches += count - 1
                self.figures.duplicate_rows += sum(post["count"] for post in made if post["sha256"] == digest) // count
                wrong.append(f"{count} batches of the same contents")
        expected = {one.sha256 for one in dispatch.submissions}
        if any(post["sha256"] not in expected for post in made):
            self.figures.wrong += 1
            wrong.append("a batch of contents that were never sealed")
        candidates = {found.id for one in dispatch.parts for found in one.candidates or ()}
        awaited = any(one.uncertain and (one.state, one.reason) in allowed for one in dispatch.parts)
        for post in made:
            if post["id"] not in mine and post["id"] not in candidates and not awaited:
                self.figures.lost += 1
                wrong.append(f"{post['id']} was accepted and is not in the history")
        for one in dispatch.parts:
            wrong += self._judge_part(one, posts, allowed)
        if {batch.id for batch in rig.ledger.batches("ann")} != mine:
            self.figures.lost += 1
            wrong.append("the list of batches differs from the submissions")
        rig.close()
        (home / "receipt.txt").write_text(dispatch.receipt_text + json.dumps(dispatch.receipt))
        sightings = canaries(home)
        self.figures.canaries += len(sightings)
        return [*wrong, *(f"a key or a cell stands in {name}" for name in sightings)]

    def _judge_part(
        self, one: Submission, posts: list[dict[str, Any]], allowed: frozenset[tuple[State, Reason]]
    ) -> list[str]:
        made = [post["id"] for post in posts if post["sha256"] == one.sha256 and post["accepted"]]
        wrong = []
        for at, tried in enumerate(one.attempts[:-1]):
            certain = not any(earlier.outcome and earlier.outcome.uncertain for earlier in one.attempts[:at])
            if certain and tried.outcome is Outcome.REFUSED and tried.status in (400, 413):
                wrong.append(f"part {one.part} was refused and sent again")
        if one.state is State.ACCEPTED:
            if made[:1] != [one.batch_id]:
                self.figures.wrong += 1
                wrong.append(f"part {one.part} has {one.batch_id}")
        elif (one.state, one.reason) not in allowed:
            self.figures.unknown += 1
            wrong.append(f"part {one.part} ended {one.state} {one.reason}: {one.words}")
        return wrong


@dataclass(frozen=True, slots=True)
class Script:
    """A run with a course of its own."""

    name: str
    acts: tuple[tuple[Any, ...], ...]
    """`fault`: turn the dial; `damage`: change the spooled bytes; `job`: a sender with its steps and its kill."""
    posts: tuple[int, int]
    """How many POSTs are due, at least and at most."""
    allowed: frozenset[tuple[State, Reason]] = frozenset()


_ONE: Final = ["click", {"counts": [6]}]
_LOST_ONCE: Final = {**BATCHES, "kind": "lost-answer", "arrivals": [1]}

SCRIPTS: Final = {
    script.name: script
    for script in (
        Script(
            "other key",
            (
                (
                    "fault",
                    _LOST_ONCE,
                    {"kind": "status", "status": 401, "method": "*", "token": "$KEY"},
                ),
                ("job", [_ONE, ["run", 10.0], ["key", OTHER_KEY], ["run", 600.0]], None),
            ),
            (2, 2),
            frozenset({(State.HELD, Reason.OTHER_KEY)}),
        ),
        Script(
            "told to wait",
            (
                ("fault", {**BATCHES, "kind": "status", "status": 429, "retry_after": 3600, "arrivals": [1]}),
                ("job", [_ONE, ["run", 600.0]], None),
                ("job", [["run", 600.0]], None),
            ),
            (1, 1),
            frozenset({(State.RETRYING, Reason.THROTTLED)}),
        ),
        Script(
            "two clicks",
            (("fault",), ("job", [_ONE, ["run", 60.0], _ONE, ["run", 60.0]], None)),
            (1, 1),
        ),
        Script(
            "an outage without end",
            (("fault", {**BATCHES, "kind": "lost-answer"}), ("job", [_ONE, ["run", 7_200.0]], None)),
            (2, 62),
            frozenset({(State.HELD, Reason.UNCERTAIN)}),
        ),
        Script(
            "stopped after a lost answer",
            (
                ("fault", _LOST_ONCE),
                ("job", [["click", {"counts": [3, 3]}], ["run", 1.0], ["stop"], ["run", 600.0]], None),
            ),
            (2, 2),
            frozenset({(State.STOPPED, Reason.NONE), (State.STOPPED, Reason.TROUBLE)}),
        ),
        Script(
            "damaged on disk",
            (("fault",), ("job", [_ONE, ["run", 60.0]], ("sealed", 1)), ("damage",), ("job", [["run", 60.0]], None)),
            (1, 1),
        ),
        Script(
            "two senders at once",
            (("fault",), ("job", [["click", {"counts": [2, 1, 3]}], ["overlap"]], None)),
            (3, 3),
        ),
    )
}
"""What kill points and single faults do not cover."""


def canaries(home: Path) -> list[str]:
    """Files of an installation in which a key stands, and files beside the spool in which a cell does."""
    found = []
    for path in home.rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            if KEY.encode() in held or (b"canary cell" in held and path.parent.name != "spool"):
                found.append(path.name)
    return found


def systematic() -> Iterator[Plan]:
    """Every kill point with every fault."""
    for point in KILL_POINTS:
        for name in FAULTS:
            yield Plan(f"{point} × {name}", ((point, 1),), name, (1,), ())


def drawn(rng: random.Random, number: int, seed: int) -> Plan:
    """A random run: up to three kills, a fault on random arrivals, a clock that may jump by a day."""
    kills = tuple((rng.choice(KILL_POINTS), rng.choice((1, 1, 1, 2, 3))) for _ in range(rng.choice((0, 1, 1, 2, 3))))
    hits = tuple(sorted(rng.sample(range(1, 7), rng.choice((1, 1, 2, 3)))))
    jumps = tuple(rng.choice((1.0, 5.0, 5.0, 60.0, 86_400.0, -86_400.0)) for _ in kills)
    return Plan(f"seed {seed} run {number}", kills, rng.choice(list(FAULTS)), hits, jumps)


@contextmanager
def rack(folder: Path) -> Iterator[Torture]:
    """Everything that runs need, in a folder."""
    sandbox = folder / "sandbox"
    sandbox.mkdir(parents=True)
    app = create_app(sandbox, faults=sandbox / "faults.json", pace=0.0, record_reads=False)
    with Forge() as forge_, serving(app) as origin:
        yield Torture(forge_, folder, f"{origin}/v1", sandbox)


def main(argv: Sequence[str] | None = None) -> int:
    """Run and report; 0 where the promise held."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000, help="runs in all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=None, help="of the random runs; printed")
    parser.add_argument("--forge", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.forge:
        return forge()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    rng = random.Random(seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="valar-torture-") as folder, rack(Path(folder)) as torture:
        plans = list(systematic())
        if arguments.runs < len(plans):
            plans = rng.sample(plans, arguments.runs * 2 // 3)
        plans += [drawn(rng, number, seed) for number in range(arguments.runs - len(plans))]
        for number, plan in enumerate(plans, 1):
            torture.figures.faulty += torture.run(plan)
            if number % 100 == 0:
                print(f"{number} of {len(plans)}, {len(torture.figures.faulty)} wrong", flush=True)
        for script in SCRIPTS.values():
            torture.figures.faulty += torture.script(script)
        for point in KILL_POINTS:
            for name in ("none", "lost answer", "500 after"):
                torture.figures.faulty += torture.run(
                    Plan(f"real time {point} × {name}", ((point, 1),), name, (1,), ()), real_time=True
                )
        print(torture.figures.as_text())
        print(f"{time.monotonic() - began:.0f} s")
        return 0 if torture.figures.clean else 1


if __name__ == "__main__":
    sys.exit(main())
