"""Composing 100,000 rows to just under 256 MB, beside the obvious ways: time and peak memory, each in a fresh process.

    python -m benchmarks.bench_composing [--runs 3] [--rows 100000] [--only NAME …]

Ours checks every row, hashes and writes what it composes; the obvious ways compose and write, and check nothing.
Peak memory is the highest resident memory above that of the process just before the work begins.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from valar_ui.recipe import Recipe

ROWS = 100_000
BODY_BYTES = 255_990_000
"""What the rows come to, a little under the limit."""
MODEL = "zai-org/GLM-5.1-FP8"
PROMPT = "Classify this review of {{product}}: {{review}}"
COLUMNS = ["review_id", "product", "review"]
TEXT = (
    'The kettle boils fast but "quietly" is another matter; after 3 weeks the lid (€ 12.50) came off, très déçu '
    "und trotzdem würde ich ihn wieder kaufen , 速くて静か 😀 - 1,204 times \n"
)
WORDS = TEXT.split(" ")


def rows(count: int, length: int) -> list[tuple[str, str, str]]:
    """Reviews of about `length` bytes."""
    chance = random.Random(7)
    made = []
    for at in range(count):
        words = " ".join(chance.choices(WORDS, k=length // 5 + 8))
        made.append((f"r-{at:07d}", f"Kettle {at % 17}", words.encode()[:length].decode(errors="ignore") + str(at)))
    return made


def make(folder: Path, name: str, count: int, length: int) -> None:
    """The rows as a CSV file and as a Table."""
    import csv

    from valar_ui.table import TableWriter

    made = rows(count, length)
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(made)
    with TableWriter(folder / f"{name}.arrow", COLUMNS) as table:
        for number, cells in enumerate(made, start=2):
            table.append(number, 0, cells)


def params(product: str, review: str) -> dict[str, object]:
    """The request as somebody would write it by hand."""
    content = f"Classify this review of {product}: {review}"
    return {"model": MODEL, "max_output_tokens": 1024, "input": [{"role": "user", "content": content}]}


def ours_from_table(folder: Path, name: str) -> int:
    """Check everything, compose, hash, write: from a Table that is ready."""
    from valar_ui.prepare import prepare
    from valar_ui.readers import Reading, ReadOptions
    from valar_ui.table import Table

    path = folder / f"{name}.arrow"
    reading = Reading("csv", name, 1, name, path, tuple(COLUMNS), len(Table(path)), ReadOptions())
    done = prepare(reading, _recipe(), folder=folder / "prepared")
    assert done.ok, done.report.as_json()
    return done.items_bytes


def ours_from_file(folder: Path, name: str) -> int:
    """The same from the file: read, check, compose, and seal each part's body in the spool, as the outbox does."""
    from valar_ui.plan import part_body, plan
    from valar_ui.prepare import prepare
    from valar_ui.readers import read
    from valar_ui.spool import Spool

    reading = read(folder / f"{name}.csv", name=f"{name}.csv", into=folder)
    done = prepare(reading, _recipe(), folder=folder / "prepared")
    assert done.ok, done.report.as_json()
    spool, written = Spool(folder), 0
    for part in plan(done.sizes, "bench").parts:
        body = part_body(done.items_path, done.sizes, part)
        written += spool.write(f"part-{part.number}.json", body, length=part.body_bytes).length
    return written


def _recipe() -> Recipe:
    from valar_ui.recipe import Fixed, IdRule, Recipe, Turn

    return Recipe(
        model=Fixed(fixed=MODEL),
        turns=(Turn(role="user", text=PROMPT),),
        max_output_tokens=Fixed(fixed=1024),
        custom_id=IdRule(column="review_id"),
    )


def pandas_dicts(folder: Path, name: str) -> int:
    """What most people would write: read_csv, rows to dicts, one json.dumps."""
    import pandas as pd

    frame = pd.read_csv(folder / f"{name}.csv", dtype=str)
    requests = [
        {"custom_id": row["review_id"], "params": params(row["product"], row["review"])}
        for row in frame.to_dict("records")
    ]
    body = json.dumps({"endpoint": "/v1/responses", "requests": requests}).encode()
    return (folder / "body.json").write_bytes(body)


def pydantic_rows(folder: Path, name: str) -> int:
    """The careful variant: pandas, a pydantic model for each row, one model_dump_json."""
    import pandas as pd
    from pydantic import BaseModel, Field

    class Message(BaseModel):
        role: str
        content: str

    class Params(BaseModel):
        model: str
        max_output_tokens: int = Field(ge=1)
        input: list[Message]

    class Item(BaseModel):
        custom_id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)
        params: Params

    class Body(BaseModel):
        endpoint: str
        requests: list[Item]

    frame = pd.read_csv(folder / f"{name}.csv", dtype=str)
    items = [
        Item.model_validate({"custom_id": row["review_id"], "params": params(row["product"], row["review"])})
        for row in frame.to_dict("records")
    ]
    body = Body(endpoint="/v1/responses", requests=items).model_dump_json().encode()
    return (folder / "body.json").write_bytes(body)


def bare_loop(folder: Path, name: str) -> int:
    """The floor: a row loop with orjson over the Table, nothing checked, hashed or written."""
    import orjson

    from valar_ui.table import Table

    total = 0
    for chunk in Table(folder / f"{name}.arrow").chunks():
        for custom_id, product, review in zip(*(chunk.columns[column] for column in COLUMNS), strict=True):
            total += len(orjson.dumps({"custom_id": custom_id, "params": params(product, review)}))
    return total


WAYS: dict[str, tuple[Callable[[Path, str], int], str]] = {
    "table → checked spool": (ours_from_table, "large"),
    "file → sealed parts": (ours_from_file, "large"),
    "pandas, dicts, json.dumps": (pandas_dicts, "large"),
    "pandas, pydantic per row": (pydantic_rows, "large"),
    "bare orjson loop (floor)": (bare_loop, "large"),
    "100,000 short rows": (ours_from_table, "short"),
    "1,000,000 short rows": (ours_from_table, "million"),
}
"""Each way and the rows it works on."""


def memory(field: str) -> float:
    """Resident memory now (VmRSS) or at its peak (VmHWM), in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise OSError(f"no {field} in /proc/self/status")


def work(name: str, folder: Path) -> None:
    """In a process of its own: one way, once; prints what it took."""
    way, data = WAYS[name]
    # Modules are loaded before the clock starts, for ours and for theirs.
    import orjson  # noqa: F401
    import pandas  # noqa: F401
    import pydantic  # noqa: F401

    import valar_ui.prepare
    import valar_ui.readers  # noqa: F401

    before, start, cpu = memory("VmRSS"), time.perf_counter(), time.process_time()
    size = way(folder, data)
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - start,
                "cpu": time.process_time() - cpu,
                "memory": memory("VmHWM") - before,
                "bytes": size,
            }
        )
    )


def main() -> None:
    """Make the rows, run every way, print a table of medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--only", nargs="*", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--work", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work[0], Path(arguments.work[1]))
        return
    with tempfile.TemporaryDirectory(prefix="valar-bench-") as scratch:
        folder = Path(scratch)
        needed = {WAYS[name][1] for name in arguments.only}
        frame = (
            len(json.dumps({"custom_id": "r-0000000", "params": params("Kettle 10", "")}, separators=(",", ":"))) + 1
        )
        sizes = {
            "large": (arguments.rows, int(BODY_BYTES / ROWS * 0.984) - frame),
            "short": (arguments.rows, 60),
            "million": (arguments.rows * 10, 60),
        }
        for name in needed:
            make(folder, name, *sizes[name])
        print(f"{'':<28}{'seconds':>9}{'CPU s':>8}{'MB above idle':>15}{'bytes':>14}")
        taken: dict[str, list[dict[str, float]]] = {name: [] for name in arguments.only}
        for _ in range(arguments.runs):
            # In turn, so that a slow minute of the machine is everybody's.
            for name, runs in taken.items():
                runs.append(_run(name, folder))
        for name, runs in taken.items():
            middle = {key: statistics.median(one[key] for one in runs) for key in runs[0]}
            print(
                f"{name:<28}{middle['seconds']:>9.2f}{middle['cpu']:>8.2f}{middle['memory']:>15.0f}{middle['bytes']:>14,.0f}"
            )


def _run(name: str, folder: Path) -> dict[str, float]:
    for left in folder.glob("prepared*"):
        shutil.rmtree(left)
    for left in (*folder.glob("table-*"), *folder.glob("part-*"), *folder.glob("body.json")):
        left.unlink()
    os.sync()  # what an earlier run wrote is not this one's to wait for
    command = [sys.executable, "-m", "benchmarks.bench_composing", "--work", name, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    taken: dict[str, float] = json.loads(done.stdout)
    return taken


if __name__ == "__main__":
    main()
