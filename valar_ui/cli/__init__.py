"""`python -m valar_ui …`: the same work without a browser. One module a command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, Protocol, cast

COMMANDS: Final = ("inspect", "compose", "submit", "sandbox")
"""The modules of this folder, each a `Command`."""


class Command(Protocol):
    """What each module in this folder offers."""

    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the exit status."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is the command's (2 for wrong usage)."""
    given = sys.argv[1:] if argv is None else list(argv)
    parser = argparse.ArgumentParser(prog="python -m valar_ui", description=__doc__)
    parsers = parser.add_subparsers(dest="command", required=True)
    # Only the command asked for is imported: `inspect` need not wait for the sandbox's server.
    loaded: dict[str, Command] = {}
    for name in COMMANDS:
        if given[:1] == [name] or not set(given[:1]) & set(COMMANDS):
            command = cast(Command, import_module(f"valar_ui.cli.{name}"))
            loaded[name] = command
            command.add_arguments(parsers.add_parser(name, help=command.HELP, description=command.__doc__))
    arguments = parser.parse_args(given)
    try:
        status = loaded[arguments.command].run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read along has seen enough, as `head` has; Python's own flush at the end must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status
