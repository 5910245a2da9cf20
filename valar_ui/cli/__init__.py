"""`python -m valar_ui …`: the same work without a browser. One module a command."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Protocol

from valar_ui.cli import compose, inspect, sandbox, submit


class Command(Protocol):
    """What each module in this folder offers."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the exit status."""


COMMANDS: tuple[Command, ...] = (inspect, compose, submit, sandbox)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is the command's (2 for wrong usage)."""
    parser = argparse.ArgumentParser(prog="python -m valar_ui", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.add_arguments(commands.add_parser(command.NAME, help=command.HELP, description=command.__doc__))
    arguments = parser.parse_args(argv)
    return next(command for command in COMMANDS if arguments.command == command.NAME).run(arguments)
