"""Time and memory from an uploaded file to a table that random-accesses, beside pandas on the same files.

`python -m benchmarks.bench_reading [--runs 3] [--rows 100000]` writes its own files (about 214 MB of CSV, 224 MB of
JSONL, 100,000 x 5 of XLSX), reads each in fresh processes, ours and pandas in turn, and prints the medians as a table.

Seconds are taken in one process, memory in another, so that looking at it costs nothing. Memory is the growth of
`RssAnon` and `RssShmem` over the process with everything imported, sampled every 2 ms. The memory-mapped table itself
is left out: its pages belong to the page cache, which the system takes back when it needs room; `VmHWM`, which counts
them, is printed as well.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

TEXT = """
the kettle boils fast and stays warm but its handle gets hot after ten minutes very nice colour shipping took two
weeks customer service answered within a day would buy again great value for the money “quoted” café naïve über
"""

BODY = 2_060
"""Characters of a review, so that 100,000 rows come to about 214 MB."""


def main() -> None:
    """Run everything, or one measurement where `--one` says so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--one", nargs=2, metavar=("READER", "FILE"))
    parser.add_argument("--memory", action="store_true", help="with --one: look at the memory, every 2 ms")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one[0], Path(arguments.one[1]), memory_too=arguments.memory)))
        return
    with tempfile.TemporaryDirectory(prefix="valar-bench-") as place:
        files = [make_csv(Path(place), arguments.rows), make_jsonl(Path(place), arguments.rows)]
        files.append(make_xlsx(Path(place), arguments.rows))
        print(f"{'file':<8}{'MB':>7}  {'reader':<8}{'seconds':>9}{'anon MB':>9}{'VmHWM MB':>10}{'last row ms':>13}")
        for path in files:
            readers = ["ours"] if path.suffix == ".jsonl" else ["ours", "pandas"]
            found: dict[str, list[dict[str, float]]] = {reader: [] for reader in readers}
            for _ in range(arguments.runs):
                for reader in readers:
                    found[reader].append(fresh(reader, path))
            for reader, runs in found.items():
                seconds, anon, high, row = (
                    statistics.median(run[key] for run in runs) for key in ("seconds", "anon", "high", "row")
                )
                size = path.stat().st_size / 1e6
                print(
                    f"{path.suffix[1:]:<8}{size:>7.0f}  {reader:<8}{seconds:>9.2f}{anon:>9.0f}{high:>10.0f}{row:>13.1f}"
                )


def fresh(reader: str, path: Path) -> dict[str, float]:
    """One measurement in processes of its own, the file in the page cache."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.bench_reading", "--one", reader, str(path)]
    values: dict[str, float] = {}
    for more in (["--memory"], []):
        done = subprocess.run([*command, *more], capture_output=True, text=True, check=True)
        values |= json.loads(done.stdout)
    return values


def measure(reader: str, path: Path, *, memory_too: bool) -> dict[str, float]:
    """Seconds, megabytes above idle, milliseconds to show the last row."""
    work = {"ours": _ours, "pandas": _pandas}[reader](path)
    path.read_bytes()
    idle, idle_high = memory("RssAnon", "RssShmem"), memory("VmHWM")
    peak, stop = [idle], threading.Event()

    def watch() -> None:
        while not stop.wait(0.002):
            peak[0] = max(peak[0], memory("RssAnon", "RssShmem"))

    thread = threading.Thread(target=watch)
    if memory_too:
        thread.start()
    start = time.perf_counter()
    show = work()
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    show()
    row = (time.perf_counter() - start) * 1_000
    if memory_too:
        stop.set()
        thread.join()
        return {"anon": peak[0] - idle, "high": memory("VmHWM") - idle_high}
    return {"seconds": seconds, "row": row}


def memory(*names: str) -> float:
    """Megabytes that the kernel tells under these names."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.split(":")[0] in names) / 1024


def _ours(path: Path) -> Callable[[], Callable[[], object]]:
    # The app has loaded both long before anybody uploads a file; Arrow loads pandas at its first array.
    import pandas  # noqa: F401

    import valar_ui.readers.sniff  # noqa: F401
    from valar_ui.readers import read

    def work() -> Callable[[], object]:
        folder = Path(tempfile.mkdtemp(dir=path.parent))
        reading = read(path, name=path.name, into=folder)
        return lambda: reading.table.row(reading.rows - 1)

    return work


def _pandas(path: Path) -> Callable[[], Callable[[], object]]:
    import pandas

    def work() -> Callable[[], object]:
        frame = pandas.read_csv(path, dtype=str) if path.suffix == ".csv" else pandas.read_excel(path, dtype=str)
        return lambda: tuple(frame.iloc[-1])

    return work


def rows(count: int) -> list[list[str]]:
    """Reviews of about `BODY` characters, a seventh of them with quotes and line breaks, drawn from 500 texts."""
    chance = random.Random(7)
    words = TEXT.split()
    texts = []
    for _ in range(500):
        text = " ".join(chance.choices(words, k=BODY // 4))[:BODY]
        texts.append(f'He said "{text}",\nand left.' if chance.random() < 1 / 7 else text)
    return [
        [f"r{at:06}", chance.choice(words), str(at % 5 + 1), chance.choice(["DE", "FR"]), chance.choice(texts)]
        for at in range(count)
    ]


NAMES = ["review_id", "product", "stars", "country", "review"]


def make_csv(folder: Path, count: int) -> Path:
    """About 214 MB."""
    path = folder / "reviews.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([NAMES, *rows(count)])
    return path


def make_jsonl(folder: Path, count: int) -> Path:
    """The same rows."""
    path = folder / "reviews.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for row in rows(count):
            file.write(json.dumps(dict(zip(NAMES, row, strict=True)), ensure_ascii=False) + "\n")
    return path


def make_xlsx(folder: Path, count: int) -> Path:
    """Five short columns."""
    import xlsxwriter

    path = folder / "reviews.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, NAMES)
        for at, row in enumerate(rows(count), start=1):
            sheet.write_row(at, 0, [*row[:2], at, at * 0.37, row[4][:60]])
    return path


if __name__ == "__main__":
    main()
