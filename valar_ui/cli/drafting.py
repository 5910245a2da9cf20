"""Arguments that `compose` and `submit` share: how a file is read, and what is mended in it."""

from __future__ import annotations

import argparse

from valar_ui.readers import ReadOptions
from valar_ui.recipe import Collapse, LeaveOut, MakeLegalIds, MendNumbers, Step, UseModel


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument("--leave-out-errors", action="store_true", help="leave out rows with errors")
    parser.add_argument("--collapse", action="store_true", help="send identical requests once")
    parser.add_argument("--legal-ids", action="store_true", help="make illegal, empty and repeated ids legal")
    parser.add_argument(
        "--numbers", action="append", default=[], metavar="COLUMN", help="read 0,7 as 0.7 in this column; repeatable"
    )
    parser.add_argument(
        "--use-model",
        action="append",
        nargs=2,
        default=[],
        metavar=("NAMED", "USED"),
        help="ask another model where a request names this one; repeatable",
    )
    parser.add_argument("--sheet", help="the sheet of a workbook")
    parser.add_argument("--encoding", help="for example utf-8, cp1252, utf-16")
    parser.add_argument("--delimiter", help="one character, or comma, semicolon, tab, pipe")
    parser.add_argument("--header-row", type=int, metavar="N", help="the row of the headings; 0 for none")


def options_of(arguments: argparse.Namespace) -> ReadOptions:
    """How the file is read."""
    return ReadOptions(
        sheet=arguments.sheet,
        encoding=arguments.encoding,
        delimiter=arguments.delimiter,
        header_row=arguments.header_row,
    )


def steps_of(arguments: argparse.Namespace) -> list[Step]:
    """What is mended."""
    mends: tuple[tuple[bool, Step], ...] = (
        (arguments.leave_out_errors, LeaveOut(code="*")),
        (arguments.collapse, Collapse()),
        (arguments.legal_ids, MakeLegalIds()),
    )
    steps = [step for asked, step in mends if asked]
    steps += [MendNumbers(column=column) for column in arguments.numbers]
    return steps + [UseModel(instead_of=named, model=used) for named, used in arguments.use_model]
