"""Accounts in trouble: until when nothing is sent to them, and whether to ask first whether it is over."""

from __future__ import annotations

from dataclasses import dataclass

from valar_ui.client import Throttled, ValarFault
from valar_ui.ledger import CLOCK_SLACK_S, Account, Reason
from valar_ui.outbox.endings import Jitter, ending_of


@dataclass(frozen=True, slots=True)
class Pause:
    """One account's trouble."""

    reason: Reason
    message: str
    since: float
    wait: float
    fails: int
    """Failures in a row."""
    ask_first: bool
    """Ask something small before the next body goes out."""

    def left(self, now: float) -> float | None:
        """Seconds it still lasts; None once it is over, or the clock was put back behind its beginning."""
        if self.since - CLOCK_SLACK_S <= now < self.since + self.wait:
            return self.since + self.wait - now
        return None


class Pauses:
    """One sender's pauses, in memory: after a restart the first failure finds out again."""

    def __init__(self, jitter: Jitter) -> None:
        self._jitter = jitter
        self._pauses: dict[Account, Pause] = {}

    def of(self, account: Account) -> Pause | None:
        """The account's pause, also one whose time is over but which nobody ended."""
        return self._pauses.get(account)

    def over(self, account: Account) -> None:
        """The account answers."""
        self._pauses.pop(account, None)

    def after(self, account: Account, fault: ValarFault, *, now: float) -> Pause:
        """Begin or lengthen a pause after a failure that any submission of the account would meet."""
        known = self._pauses.get(account)
        fails = 1 if known is None else known.fails + 1
        ending = ending_of(fault, tries=fails, jitter=self._jitter)
        ask_first = not isinstance(fault, Throttled)
        pause = Pause(ending.reason, fault.message, now, ending.wait or 0.0, fails, ask_first)
        self._pauses[account] = pause
        return pause
