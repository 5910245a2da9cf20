"""Placeholder until its owner writes it."""

from __future__ import annotations

import argparse

NAME = "sandbox"
HELP = "not written yet"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    raise SystemExit("not written yet")
