"""A sender on a bench: a real ledger, spool and outbox in a folder, sending to the real sandbox over HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from valar_ui.client import Keyring, Valar
from valar_ui.lanes import BatchLane, Lane
from valar_ui.ledger import Account, Dispatch, Holder, Ledger, PartToSend, State, Submission
from valar_ui.outbox import Outbox
from valar_ui.plan import plan
from valar_ui.prepare import Prepared, prepare
from valar_ui.readers import read
from valar_ui.recipe import Fixed, Recipe, Turn
from valar_ui.sandbox import Fault, FaultPlan
from valar_ui.spool import Failpoint, Spool, no_failpoint

KEY = "sk-canary-9f3c7d51e2"
OTHER_KEY = "sk-second-canary-77aa"
SECRET = b"\x07" * 32


class Clock:
    """A clock that tests set; a wait advances it."""

    def __init__(self, now: float | None = None) -> None:
        self.now = time.time() if now is None else now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def prepared_rows(folder: Path, *, rows: int = 6, prompt: str = "Say {{word}}") -> Prepared:
    """A real preparation of a small sheet."""
    folder.mkdir(parents=True, exist_ok=True)
    sheet = folder / "words.csv"
    sheet.write_text("word\n" + "".join(f"canary cell {row}\n" for row in range(rows)), "utf-8")
    reading = read(sheet, name="words.csv", into=folder)
    recipe = Recipe(
        model=Fixed(fixed="zai-org/GLM-5.1-FP8"),
        turns=(Turn(role="user", text=prompt),),
        max_output_tokens=Fixed(fixed=64),
    )
    return prepare(reading, recipe, folder=folder / f"prepared-{abs(hash(prompt))}")


def cut(prepared: Prepared, counts: Sequence[int], label: str) -> list[PartToSend]:
    """Parts of the given numbers of requests: what the plan makes of far larger sheets."""
    parts, first = [], 0
    for number, count in enumerate(counts, 1):
        name = label if len(counts) == 1 else f"{label}-{number}of{len(counts)}"
        body = plan(prepared.sizes[first : first + count], name).parts[0].body_bytes
        parts.append(PartToSend(number, len(counts), first, count, body, name))
        first += count
    return parts


class Rig:
    """One installation; `restart` gives the same folder to a new outbox, as after a crash."""

    def __init__(
        self,
        home: Path,
        origin: str,
        *,
        clock: Clock | None = None,
        failpoint: Failpoint = no_failpoint,
        answer_seconds: float = 5.0,
        keys: Sequence[str] = (KEY,),
        busy_seconds: float = 10.0,
        outbox: type[Outbox] = Outbox,
        **options: Any,
    ) -> None:
        self.home = home
        self.origin = origin
        self.clock = clock or Clock()
        for name in ("spool", "leases"):
            (home / name).mkdir(parents=True, exist_ok=True)
        self.ledger = Ledger(f"sqlite:///{home / 'ledger.sqlite3'}", clock=self.clock, busy_seconds=busy_seconds)
        self.spool = Spool(home / "spool", failpoint=failpoint, read_bytes=200)
        self.keyring = Keyring(SECRET)
        for key in keys:
            self.keyring.add(key, kind="sandbox", base_url="sandbox")
        self.holder = Holder(home / "leases")
        self.where: Callable[[Account], str] = lambda _account: self.origin

        def open_lane(base_url: str, key: str) -> Lane:
            return BatchLane(Valar(base_url, key, answer_seconds=answer_seconds))

        settings: dict[str, Any] = {"jitter": lambda _low, high: high, "open_lane": open_lane} | options
        self.outbox = outbox(
            self.ledger,
            self.spool,
            self.keyring,
            self.holder,
            origin=lambda account: self.where(account),
            clock=self.clock,
            failpoint=failpoint,
            **settings,
        )

    def account(self, key: str = KEY) -> Account:
        """The account behind a key."""
        return Keyring(SECRET).add(key, kind="sandbox", base_url="sandbox")

    def click(
        self, prepared: Prepared, *, counts: Sequence[int] | None = None, label: str = "torture", **changes: Any
    ) -> Dispatch:
        """Submit, cut into parts of these numbers of requests."""
        values: dict[str, Any] = {
            "draft_id": "draft",
            "session": "session",
            "file_name": "words.csv",
            "typed_label": label,
            "label": label,
            "fingerprint": prepared.fingerprint,
            "content_sha256": prepared.content_sha256,
            "prepared": str(prepared.folder),
            "account": self.account(),
            "parts": cut(prepared, counts or [prepared.requests], label),
            "confirmed": None,
            "now": self.clock(),
        }
        return self.ledger.click("ann", **(values | changes))

    def dispatch(self, found: Dispatch) -> Dispatch:
        """The same dispatch as it is now."""
        now = self.ledger.dispatch(found.id, "ann")
        assert now is not None
        return now

    def only(self, found: Dispatch) -> Submission:
        """The one part of a dispatch as it is now."""
        (one,) = self.dispatch(found).parts
        return one

    def run(self) -> None:
        """Take every step that is possible at this moment."""
        self.outbox.run_until_idle()

    def run_for(self, seconds: float) -> None:
        """Let time pass, from one thing that is due to the next."""
        end = self.clock.now + seconds
        self.run()
        while (due := self.outbox.next_due()) is not None and due <= end:
            self.clock.now = max(self.clock.now, due)
            self.run()
        self.clock.now = end
        self.run()

    def close(self) -> None:
        """Let go of everything, as the end of a process does."""
        self.outbox.close()
        self.holder.close()
        self.ledger.close()


def fault(folder: Path, *faults: Fault | dict[str, Any]) -> None:
    """Turn the sandbox's fault dial; none at all: everything works again."""
    plan_of_faults = FaultPlan(faults=tuple(one if isinstance(one, Fault) else Fault(**one) for one in faults))
    plan_of_faults.save(folder / "faults.json")


def arrivals(folder: Path, method: str = "POST") -> list[dict[str, Any]]:
    """What the sandbox itself recorded."""
    path = folder / "accepted.jsonl"
    if not path.exists():
        return []
    lines = map(json.loads, path.read_text("utf-8").splitlines())
    return [line for line in lines if line["method"] == method]


def accepted(folder: Path) -> list[dict[str, Any]]:
    """Batches that the sandbox made."""
    return [line for line in arrivals(folder) if line["accepted"]]


def all_final(found: Dispatch) -> bool:
    """Whether every part has its id."""
    return all(one.state is State.ACCEPTED for one in found.parts)
