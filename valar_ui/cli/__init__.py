"""`python -m valar_ui …`: the same work without a browser. One module a command."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from valar_ui.cli import compose, inspect, sandbox, submit

COMMANDS = (inspect, compose, submit, sandbox)
"""Each has `NAME`, `HELP`, `add_arguments(parser)` and `run(arguments) -> exit status`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is the command's (2 for wrong usage)."""
    parser = argparse.ArgumentParser(prog="python -m valar_ui", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.add_arguments(commands.add_parser(command.NAME, help=command.HELP, description=command.__doc__))
    arguments = parser.parse_args(argv)
    by_name = {command.NAME: command for command in COMMANDS}
    return by_name[arguments.command].run(arguments)
