"""Compose a file's requests with a recipe: write each part's exact body and a manifest, tell every problem."""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from valar_ui.checks import check_label
from valar_ui.cli import drafting
from valar_ui.hashing import Hashing
from valar_ui.plan import Plan, part_body, plan
from valar_ui.prepare import Prepared, all_problems, dropped_again, neutral, prepare, problems_csv
from valar_ui.pricing import BUILT_IN, BadPrices, Prices, estimate_all, load_prices
from valar_ui.problems import Problem, Severity
from valar_ui.readers import UnreadableFile, read
from valar_ui.recipe import BadRecipe, Recipe

HELP = "compose a file's requests with a recipe, and check them"

BLOCKED: Final = 1
"""Exit status where errors are in the way; nothing is written then but the problems."""
UNREADABLE: Final = 2
"""Exit status for a file or recipe that cannot be read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path)
    parser.add_argument("--recipe", type=Path, help="a recipe as JSON; not needed for ready-made requests")
    parser.add_argument("--label", default=None, help="the batch's label; the recipe's by default")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--prices", type=Path, help="a price file, JSON or CSV")
    drafting.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compose, write, print; 0, 1 where errors block, 2 where a file cannot be read."""
    options, steps = drafting.options_of(arguments), drafting.steps_of(arguments)
    with tempfile.TemporaryDirectory(prefix="valar-compose-") as scratch:
        folder = Path(scratch)
        try:
            prices = load_prices(arguments.prices) if arguments.prices else BUILT_IN
            recipe = Recipe.from_json(arguments.recipe.read_bytes()) if arguments.recipe else None
            reading = dropped_again(read(arguments.file, name=arguments.file.name, into=folder, options=options))
            if recipe is None:
                if reading.recognised_as is None:
                    raise BadRecipe("This file holds no ready-made requests, so it needs a recipe: --recipe FILE.")
                recipe = Recipe(kind="ready")
        except UnreadableFile as fault:
            return _refuse(fault.text, fault.hint, as_json=arguments.json)
        except (BadRecipe, BadPrices) as fault:
            return _refuse(str(fault), "", as_json=arguments.json)
        except OSError as fault:
            return _refuse(f"{fault.filename}: {fault.strerror}.", "Check its name.", as_json=arguments.json)
        prepared = prepare(reading, recipe, steps=steps, folder=folder / "prepared", prices=prices)
        label = recipe.label if arguments.label is None else arguments.label
        cut = plan(prepared.sizes, label)
        wrong = check_label(label)
        problems = [*cut.problems] or ([wrong] if wrong else [])
        ok = prepared.ok and cut.ok and not problems
        arguments.out.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(problems_csv(prepared), arguments.out / "problems.csv")
        parts = _write(prepared, cut, arguments.out) if ok else []
        summary = _summary(prepared, cut, parts, problems, prices, ok=ok)
    if arguments.json:
        print(json.dumps(summary, ensure_ascii=False))
    else:
        _tell(summary, arguments.out)
    return 0 if ok else BLOCKED


def _refuse(text: str, hint: str, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": text, "hint": hint, "ok": False}, ensure_ascii=False))
    else:
        print(f"{text} {hint}".strip(), file=sys.stderr)
    return UNREADABLE


def _write(prepared: Prepared, cut: Plan, out: Path) -> list[dict[str, Any]]:
    parts = []
    for part in cut.parts:
        path = out / ("body.json" if part.of == 1 else f"body-{part.number}of{part.of}.json")
        with path.open("wb") as file, Hashing() as hashing:
            for block in part_body(prepared.items_path, prepared.sizes, part):
                hashing.update(block)
                file.write(block)
            sha256 = hashing.hexdigest()
        parts.append(
            {
                "file": path.name,
                "label": part.label or None,
                "requests": part.count,
                "bytes": part.body_bytes,
                "sha256": sha256,
            }
        )
    with (out / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["custom_id", "row", "original_id", "part"])
        ends = [part.first + part.count for part in cut.parts]
        for custom_id, row, original, request in prepared.manifest():
            number = next(at for at, end in enumerate(ends, start=1) if request < end)
            writer.writerow([neutral(custom_id), row, neutral(original), number])
    return parts


def _summary(
    prepared: Prepared,
    cut: Plan,
    parts: list[dict[str, Any]],
    problems: list[Problem],
    prices: Prices,
    *,
    ok: bool,
) -> dict[str, Any]:
    cost = estimate_all(prepared.usage, prices=prices)
    return {
        "ok": ok,
        "rows": prepared.rows,
        "requests": prepared.requests,
        "left_out": prepared.left_out,
        "blocked": prepared.blocked,
        "collapsed": prepared.collapsed,
        "bytes": cut.body_bytes,
        "sha256": parts[0]["sha256"] if len(parts) == 1 else None,
        "parts": parts,
        "estimate": {
            "input_tokens": prepared.input_tokens,
            "output_tokens_max": prepared.output_tokens_max,
            "usd_low": cost.low,
            "usd_high": cost.high,
            "prices": prices.date,
        },
        "problems": [problem.as_json() for problem in (*problems, *all_problems(prepared))],
    }


def _tell(summary: dict[str, Any], out: Path) -> None:
    print(f"{summary['requests']:,} requests from {summary['rows']:,} rows, {summary['bytes']:,} bytes")
    for part in summary["parts"]:
        print(
            f"  {out / part['file']}: {part['requests']:,} requests, {part['bytes']:,} bytes, SHA-256 {part['sha256']}"
        )
    shown = 20
    for problem in summary["problems"][:shown]:
        place = f"row {problem['row']}: " if problem["row"] is not None else ""
        print(f"{problem['severity']}: {place}{problem['message']} {problem['hint']}")
    if len(summary["problems"]) > shown:
        print(f"… {len(summary['problems']) - shown:,} more in {out / 'problems.csv'}")
    if not summary["ok"]:
        errors = sum(problem["severity"] == Severity.ERROR for problem in summary["problems"])
        print(f"{errors:,} errors are in the way; no body was written.", file=sys.stderr)
