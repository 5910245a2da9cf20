"""Feed the readers damaged files until the time is up: no crash, no hang, no stack trace, nothing left behind.

Run it as `python -m tests.fuzz_readers --seconds 600 --seed 1`. The exit status is 1 if something was found; each
finding is kept in the folder given by `--keep` and its seed is printed.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pyarrow as pa
import pyarrow.parquet as pq

from tests.reading import balanced
from tests.test_readers_workbook import ods, sheet_xml, xls, xlsx
from valar_ui.readers import ReadOptions, UnreadableFile, read
from valar_ui.suggest import suggest

LONGEST_S = 20
"""Seconds that one small file may take."""

MEMORY = 4_000_000_000
"""Bytes of address space beyond which a read counts as unbounded."""

TOKENS = (
    *(b'"', b'""', b"\n", b"\r", b"\r\n", b",", b";", b"\t", b"|", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x80"),
    *(b"\xe2\x80", b"{", b"}", b"[", b"]", b'{"a":', b"NaN", b"1e999", b"\\ud800", b"<", b"</row>", b"&#0;"),
    *(b'r="XFD1048576"', b"sep=;\n", b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff", b"PK\x03\x04"),
    *(b"#N/A", b"99999999999999999999"),
)
"""What damages more than a random byte does."""


class TooSlow(Exception):
    """A read took longer than `LONGEST_S`."""


def seeds() -> list[tuple[str, bytes]]:
    """Small sound files of every format."""
    out = io.StringIO(newline="")
    rows = [
        ["id", "text", "n"],
        *([f"r{at}", 'he said "x",\nand ä left', str(at)] for at in range(8)),
        ["Total", "", "9"],
    ]
    csv.writer(out).writerows(rows)
    table = out.getvalue()
    objects = [{"id": at, "text": "ä\u2028", "n": {"x": [at, None, 1.5]}} for at in range(6)]
    requests = [{"custom_id": f"r{at}", "params": {"model": "m", "input": "x"}} for at in range(4)]
    body = {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}], "n": 1}
    openai = [{"custom_id": f"r{at}", "method": "POST", "url": "/v1/chat/completions", "body": body} for at in range(4)]
    parquet = io.BytesIO()
    pq.write_table(pa.table({"a": [1, 2], "b": ["x", None], "c": [{"d": 1}, None]}), parquet)

    def fill(_: object, sheet: object) -> None:
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)  # type: ignore[attr-defined]  # XlsxWriter's worksheet has no types
        sheet.merge_range("A20:B21", "m")  # type: ignore[attr-defined]  # as above

    raw = (
        '<row r="1"><c r="A1" t="e"><v>#N/A</v></c><c r="B1"><f>1</f></c></row>'
        '<row r="2" hidden="1"><c r="A2" s="0"><v>1</v></c></row>'
    )
    return [
        ("a.csv", table.encode()),
        ("b.csv", table.replace(",", ";").encode("cp1252")),
        ("c.tsv", table.replace(",", "\t").encode("utf-16")),
        ("d.jsonl", "\n".join(map(json.dumps, objects)).encode()),
        ("e.json", json.dumps({"data": objects}, indent=1).encode()),
        ("f.jsonl", "\n".join(map(json.dumps, requests)).encode()),
        ("g.jsonl", "\n".join(map(json.dumps, openai)).encode()),
        ("h.json", json.dumps([["a", "b"], [1, 2]]).encode()),
        ("i.csv.gz", gzip.compress(table.encode())),
        ("j.xlsx", xlsx(fill)),
        ("k.xlsx", sheet_xml(raw)),
        ("l.xls", xls()),
        ("m.ods", ods()),
        ("n.parquet", parquet.getvalue()),
    ]


def mutated(content: bytes, chance: random.Random) -> bytes:
    """One to six random changes."""
    made = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(made) + 1)
        kind = chance.randrange(7)
        if kind == 0 and made:
            made[at % len(made)] = chance.randrange(256)
        elif kind == 1:
            made[at:at] = chance.choice(TOKENS)
        elif kind == 2:
            del made[at : at + chance.randint(1, 40)]
        elif kind == 3:
            start = chance.randrange(len(made) + 1)
            made[at:at] = made[start : start + chance.randint(1, 200)]
        elif kind == 4:
            del made[at:]
        elif kind == 5 and made:
            made[at % len(made)] ^= 1 << chance.randrange(8)
        else:
            made[at:at] = chance.choice(TOKENS) * chance.randint(2, 300)
    return bytes(made)


def inside(content: bytes, chance: random.Random) -> bytes:
    """A zip archive whose parts are changed, not its frame."""
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        hit = chance.choice([name for name in names if name.endswith(".xml")])
        for name in names:
            part = old.read(name)
            new.writestr(name, mutated(part, chance) if name == hit else part)
    return out.getvalue()


def options(chance: random.Random) -> ReadOptions:
    """Mostly none, sometimes what a person might set."""
    if chance.random() < 0.7:
        return ReadOptions()
    return ReadOptions(
        encoding=chance.choice([None, "utf-8", "cp1252", "utf-16", "shift_jis", "big5"]),
        delimiter=chance.choice([None, ",", ";", "tab", "||"]),
        header_row=chance.choice([None, 0, 1, 3]),
        first_data_row=chance.choice([None, 2, 5]),
        skip_hidden=chance.random() < 0.5,
        drop_rows=chance.choice([(), (2, 3)]),
    )


def one(name: str, content: bytes, chosen: ReadOptions) -> str | None:
    """Read once; what went wrong, or None."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        path = folder / "upload"
        path.write_bytes(content)
        signal.alarm(LONGEST_S)
        try:
            reading = read(path, name=name, into=folder, options=chosen)
            table = reading.table
            table.row(len(table) - 1)
            suggest(table)
            json.dumps(reading.as_json(), ensure_ascii=False).encode()
            if not balanced(reading):
                return "the ledger of records does not balance"
            expected = 2
        except UnreadableFile as fault:
            if not fault.text:
                return "a refusal without a sentence"
            expected = 1
        except BaseException:  # noqa: BLE001 - whatever escapes is what the fuzzer looks for
            return traceback.format_exc()
        finally:
            signal.alarm(0)
        left = sorted(path.name for path in folder.iterdir())
        return None if len(left) == expected else f"left behind: {left}"


def cases(seed: int) -> Iterator[tuple[int, str, bytes, ReadOptions]]:
    """Endless damaged files, each made from its own number."""
    sound = seeds()
    number = seed
    while True:
        chance = random.Random(number)
        name, content = chance.choice(sound)
        damaged = (
            inside(content, chance)
            if name[2:] in ("xlsx", "ods") and chance.random() < 0.8
            else mutated(content, chance)
        )
        yield number, name, damaged, options(chance)
        number += 1


def main() -> int:
    """Run until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, default=None, help="folder for the files that broke something")
    arguments = parser.parse_args()

    def slow(_: int, __: FrameType | None) -> None:
        raise TooSlow

    signal.signal(signal.SIGALRM, slow)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    end = time.monotonic() + arguments.seconds
    found = tried = 0
    for number, name, content, chosen in cases(arguments.seed):
        if time.monotonic() > end:
            break
        tried += 1
        fault = one(name, content, chosen)
        if fault is not None:
            found += 1
            print(f"seed {number}, {name}, {chosen}:\n{fault}", flush=True)
            if arguments.keep is not None:
                arguments.keep.mkdir(parents=True, exist_ok=True)
                (arguments.keep / f"{number}-{name}").write_bytes(content)
    print(f"{tried:,} files tried, {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
