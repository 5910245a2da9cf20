"""Submit a file's requests with a recipe: compose, check, send, wait for the ids.

What was sent is written down before: after a crash the same command goes on with the same keys, and a second run
prints the ids of the first. Only --again sends the same contents once more.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

from valar_ui.cli import drafting
from valar_ui.client import BadKey, Keyring, Valar
from valar_ui.ledger import Account, Dispatch, Holder, Ledger, LedgerFault, Reason, SentBefore, State
from valar_ui.outbox import Outbox, ask_again, give_key, sent_before_words, submit
from valar_ui.prepare import Prepared, all_problems, dropped_again, fingerprint, prepare
from valar_ui.readers import Reading, UnreadableFile, read
from valar_ui.recipe import BadRecipe, IdRule, Recipe
from valar_ui.settings import Settings
from valar_ui.spool import DiskFull, Spool

HELP = "send a file's requests as batches, each exactly once"

NOT_ACCEPTED: Final = 1
"""Exit status where errors are in the way, or Valar has not accepted every part."""
UNREADABLE: Final = 2
"""Exit status for a file, recipe or key that cannot be used."""

OWNER: Final = "local"
"""Whose history it joins: that of the pages on one's own computer."""

SANDBOX_KEY: Final = "sandbox-command-line"
"""Any key opens the sandbox; a real one is never sent there."""


class _Refusal(Exception):
    def __init__(self, text: str, hint: str = "", status: int = UNREADABLE) -> None:
        super().__init__(text)
        self.hint = hint
        self.status = status


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path)
    parser.add_argument("--recipe", type=Path, help="a recipe as JSON; not needed for ready-made requests")
    parser.add_argument("--label", default=None, help="the batch's label; the recipe's by default")
    parser.add_argument("--sandbox-url", help="send to a sandbox there; without it to Valar, key in VALAR_API_KEY")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--again", action="store_true", help="send the same contents once more, and pay once more")
    parser.add_argument("--wait", type=float, metavar="S", help="give up waiting after so many seconds; run it again")
    drafting.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compose, check, send, print; 0 accepted, 1 blocked or not accepted, 2 unreadable."""
    settings = Settings.from_environment()
    keyring = Keyring(settings.install_secret())
    try:
        account = _account(arguments, settings, keyring)
        folder = settings.folder("drafts") / f"command-{_mark(arguments.file)}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        prepared, label = _prepared(arguments, folder)
        if not prepared.ok:
            return _tell_problems(prepared, as_json=arguments.json)
        ledger = Ledger(settings.ledger_url)
    except _Refusal as refusal:
        return _refuse(str(refusal), refusal.hint, refusal.status, as_json=arguments.json)
    except LedgerFault as fault:
        return _refuse(str(fault), "", NOT_ACCEPTED, as_json=arguments.json)
    try:
        dispatch = _click(ledger, arguments, prepared, label, account)
        dispatch = _send(ledger, settings, keyring, account, dispatch, arguments)
    except (LedgerFault, DiskFull) as fault:
        return _refuse(str(fault), "", NOT_ACCEPTED, as_json=arguments.json)
    finally:
        ledger.close()
    return _tell(dispatch, as_json=arguments.json)


def _account(arguments: argparse.Namespace, settings: Settings, keyring: Keyring) -> Account:
    sandbox = arguments.sandbox_url
    key = SANDBOX_KEY if sandbox else os.environ.get("VALAR_API_KEY", "").strip()
    if not key:
        raise _Refusal("There is no API key.", "Set VALAR_API_KEY, or name a sandbox with --sandbox-url.")
    try:
        Valar(settings.base_url, key)
    except BadKey as fault:
        raise _Refusal(fault.message) from None
    return keyring.add(key, kind="sandbox" if sandbox else "valar", base_url=settings.base_url)


def _mark(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as fault:
        raise _Refusal(f"{path}: {fault.strerror}.", "Check its name.") from None
    return digest.hexdigest()[:20]


def _prepared(arguments: argparse.Namespace, folder: Path) -> tuple[Prepared, str]:
    options, steps = drafting.options_of(arguments), drafting.steps_of(arguments)
    try:
        recipe = Recipe.from_json(arguments.recipe.read_bytes()) if arguments.recipe else None
        reading = dropped_again(read(arguments.file, name=arguments.file.name, into=folder, options=options))
        recipe = recipe or _ready_made(reading)
    except UnreadableFile as fault:
        raise _Refusal(fault.text, fault.hint) from None
    except BadRecipe as fault:
        raise _Refusal(str(fault)) from None
    except OSError as fault:
        raise _Refusal(f"{fault.filename}: {fault.strerror}.", "Check its name.") from None
    label = recipe.label if arguments.label is None else arguments.label
    target = folder / f"prepared-{fingerprint(reading, recipe, steps)[:20]}"
    try:
        return Prepared.load(target), label
    except FileNotFoundError:
        return prepare(reading, recipe, steps=steps, folder=target), label


def _ready_made(reading: Reading) -> Recipe:
    if reading.recognised_as is None:
        raise BadRecipe("This file holds no ready-made requests, so it needs a recipe: --recipe FILE.")
    return Recipe(kind="ready", custom_id=IdRule(column="custom_id", legal=False))


def _click(ledger: Ledger, arguments: argparse.Namespace, prepared: Prepared, label: str, account: Account) -> Dispatch:
    values: dict[str, Any] = {
        "owner": OWNER,
        "draft_id": prepared.folder.parent.name,
        "prepared": prepared,
        "label": label,
        "account": account,
        "session": "command line",
        "file_name": arguments.file.name,
    }
    confirmed = None
    if arguments.again:
        earlier = ledger.sent_before(OWNER, prepared.content_sha256, account)
        # An earlier one that is still on its way is gone on with, not doubled.
        confirmed = earlier.id if earlier is not None and earlier.final else None
    try:
        return submit(ledger, **values, now=time.time(), confirmed=confirmed)
    except SentBefore as fault:
        print(sent_before_words(fault.earlier, now=time.time()), file=sys.stderr)
        return fault.earlier


def _send(
    ledger: Ledger,
    settings: Settings,
    keyring: Keyring,
    account: Account,
    dispatch: Dispatch,
    arguments: argparse.Namespace,
) -> Dispatch:
    """Run the outbox for this dispatch until nothing moves by itself, or the waiting time is over."""
    holder = Holder(settings.folder("leases"))
    outbox = Outbox(
        ledger,
        Spool(settings.folder("spool")),
        keyring,
        holder,
        origin=lambda found: arguments.sandbox_url if found.kind == "sandbox" else found.base_url,
        only=lambda one: one.dispatch_id == dispatch.id,
    )
    ends = None if arguments.wait is None else time.monotonic() + arguments.wait
    pause = threading.Event()
    said = ""
    try:
        for one in dispatch.parts:
            if one.state is State.HELD and one.reason is Reason.AUTH:
                dispatch = give_key(ledger, one.id, OWNER, account, now=time.time())
            elif one.state is State.HELD and {"retry_now", "ask_again"} & set(one.actions):
                dispatch = ask_again(ledger, one.id, OWNER, now=time.time())
        while dispatch.moving and (ends is None or time.monotonic() < ends):
            stepped = outbox.step()
            dispatch = ledger.dispatch(dispatch.id, OWNER) or dispatch
            if dispatch.summary != said and not arguments.json:
                said = dispatch.summary
                print(said, file=sys.stderr)
            if not stepped:
                pause.wait(0.2)
    finally:
        outbox.close()
        holder.close()
    return dispatch


def _tell(dispatch: Dispatch, *, as_json: bool) -> int:
    if as_json:
        told = {"ok": dispatch.accepted, "batch_ids": list(dispatch.batch_ids), **dispatch.receipt}
        print(json.dumps(told, ensure_ascii=False))
    else:
        for one in dispatch.parts:
            print(one.batch_id or f"part {one.part} of {one.parts}: {one.words}")
    return 0 if dispatch.accepted else NOT_ACCEPTED


def _tell_problems(prepared: Prepared, *, as_json: bool) -> int:
    problems = [problem for problem in all_problems(prepared) if problem.severity == "error"]
    if as_json:
        told = [problem.as_json() for problem in problems]
        print(json.dumps({"ok": False, "batch_ids": [], "problems": told}, ensure_ascii=False))
        return NOT_ACCEPTED
    for problem in problems[:20]:
        place = f"row {problem.row}: " if problem.row is not None else ""
        print(f"{place}{problem.text} {problem.hint}".rstrip(), file=sys.stderr)
    print(f"{len(problems):,} errors are in the way; nothing was sent.", file=sys.stderr)
    return NOT_ACCEPTED


def _refuse(text: str, hint: str, status: int, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"ok": False, "batch_ids": [], "error": text, "hint": hint}, ensure_ascii=False))
    else:
        print(f"{text} {hint}".strip(), file=sys.stderr)
    return status
