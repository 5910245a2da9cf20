"""What is parsed by the block reads exactly as what is read record by record."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.reading import balanced, cells, numbers
from valar_ui.readers import Reading, ReadOptions, bulk, delimited, read
from valar_ui.readers.dialect import Dialect
from valar_ui.readers.encodings import Encoding, open_text

PIECES = st.sampled_from(
    [
        *("a,b,c\n", "a,b,c\n", 'x,"y, z",é\n', '"a\nb",c,d\n', 'a,"q\r\nr",\n', '"a""b",,\r\n', ",,\n", "\n"),
        *("a", "bc", '"', ",", "\r\n", "\r", "\0", " ", "“", "\ufeff", '""', "\x85", "\u2028", "é"),
    ]
)


def told(record: tuple[int, int, list[str]]) -> tuple[int, int, list[str]]:
    """A record with blank cells only is a blank one."""
    number, line, found = record
    return number, line, found if any(found) else []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400, deadline=None)
@given(
    text=st.lists(PIECES, max_size=60).map("".join),
    encoding=st.sampled_from(["utf-8", "cp1252"]),
    delimiter=st.sampled_from([",", ",", ";"]),
    quote=st.sampled_from(['"', '"', "'"]),
    block=st.sampled_from([16, 40, 200, 4096]),
    width=st.sampled_from([3, 3, 3, 2, 1]),
    head=st.sampled_from([0, 1, 3]),
    skip=st.booleans(),
)
def test_records_by_the_block_are_the_records_one_by_one(
    text: str, encoding: str, delimiter: str, quote: str, block: int, width: int, head: int, skip: bool, tmp_path: Path
) -> None:
    path, form, charset = tmp_path / "file.csv", Dialect(delimiter, quote, width=width), Encoding(encoding)
    path.write_bytes(text.encode())
    flaws: list[tuple[str, int, int]] = []
    with open_text(path, charset) as stream:
        if skip:
            stream.readline()
        records = delimited.Records(stream, form, flaw=lambda *flaw: flaws.append(flaw), first_line=1 + skip)
        expected = [told(record) for record in records]
    found: list[tuple[int, int, list[str]]] = []
    told_flaws: list[tuple[str, int, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk, "BLOCK", block)
        blocks = bulk.Blocks(path, charset, form, flaw=lambda *flaw: told_flaws.append(flaw), skip_line=skip)
        first = iter(blocks)
        found += [record for _ in range(max(head, skip)) if (record := next(first, None)) is not None]
        for item in blocks.rest(width):
            found += item.records() if isinstance(item, bulk.Bulk) else [item]
    if len(flaws) < delimited.PATIENCE:  # beyond, each of them gives up on quotes at a place of its own
        assert [told(record) for record in found] == expected
        assert told_flaws == flaws


def table(seed: int) -> bytes:
    """Some hundred rows, most of them plain, with everything that a block cannot be parsed with."""
    chance = random.Random(seed)
    rows = ["id,text,note"]
    odd = ("", ",,", "#,,", "id,text,note", "short", '1,"2",3,4', 'x,"a "b" c",d', 'y,z,"open', "é,\0,\u200b", " ,x,")
    for at in range(700):
        text = chance.choice(("plain", '"quoted, ""twice"""', '"two\nlines"', "ünï", ""))
        rows.append(f"r{at},{text},{at}")
        if chance.random() < 0.02:
            rows.append(chance.choice(odd))
    return (
        chance.choice(("\n", "\r\n"))
        .join([*rows, "Total,,700", "Source: us,,"])
        .encode(chance.choice(("utf-8", "utf-8-sig")))
    )


def everything(reading: Reading) -> dict[str, object]:
    """All that a reading tells, its cells included."""
    value = reading.as_json()
    del value["table_path"]
    value["report"] = sorted(value["report"], key=lambda group: (group["code"], group["column"] or ""))
    lines = [reading.table.line(at) for at in range(reading.rows)]
    return value | {"cells": cells(reading), "numbers": numbers(reading), "lines": lines}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "options", [ReadOptions(), ReadOptions(drop_rows=(300, 650)), ReadOptions(first_data_row=400, encoding="cp1252")]
)
def test_a_reading_does_not_depend_on_the_way(
    seed: int, options: ReadOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(table(seed))
    monkeypatch.setattr(bulk, "BLOCK", 500)
    by_block = read(path, name="file.csv", into=tmp_path, options=options)
    monkeypatch.setattr(bulk, "fits", lambda *_, **__: False)
    one_by_one = read(path, name="file.csv", into=tmp_path, options=options)
    assert everything(by_block) == everything(one_by_one)
    assert balanced(by_block)


def test_most_of_a_sound_file_comes_by_the_block(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"id,text\r\n" + b'1,"a, ""b""\r\nc"\r\n' * 1_000)
    blocks = bulk.Blocks(path, Encoding("utf-8"), Dialect(width=2), flaw=lambda *_: None)
    next(iter(blocks))
    items = list(blocks.rest(2))
    assert [type(item) for item in items] == [bulk.Bulk]
    assert isinstance(items[0], bulk.Bulk)
    assert items[0].first == 2
    assert items[0].lines.tolist() == list(range(2, 2_002, 2))


def test_cells_that_begin_with_a_byte_order_mark_keep_it_at_a_blocks_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "BLOCK", 40)
    path = tmp_path / "file.csv"
    path.write_text("id,text\n" + "\ufeffx,y\n" * 300, encoding="utf-8")
    reading = read(path, name="file.csv", into=tmp_path)
    assert set(cells(reading)) == {("\ufeffx", "y")}
