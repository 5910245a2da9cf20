"""A mend of one row stays with its record: in another file, in the same file read differently, on the way round."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.composing import prompt
from valar_ui.prepare import (
    PROBLEM_HEADING,
    Prepared,
    anchored,
    fingerprint,
    prepare,
    sheet_with_problems,
    stamped,
)
from valar_ui.readers import Reading, ReadOptions, read
from valar_ui.recipe import Collapse, EditCell, FromColumn, IdRule, Lapsed, LeaveOut, LeaveOutRow, MakeLegalIds, Step

COLUMNS = ["id", "review", "heat"]
RECIPE = prompt("Judge {{review}}", temperature=FromColumn(column="heat"), custom_id=IdRule(column="id"))
ROWS = [
    ["r-1", "Great kettle", "0.5"],
    ["r-2", "Too small", "warm"],
    ["r-3", "Fine", "0.5"],
    ["r-4", "Leaks", "hot"],
    ["r-5", "Loud", "0.1"],
]
MENDS: list[Step] = [
    EditCell(row=3, column="heat", text="1.5"),
    LeaveOutRow(row=4),
    EditCell(row=5, column="heat", text="1.8"),
    EditCell(row=5, column="review", text="Leaks a lot"),
]
"""Of r-2, r-3 and r-4."""


def sheet(
    folder: Path,
    rows: Sequence[Sequence[str]] = ROWS,
    *,
    above: Sequence[Sequence[str]] = (),
    columns: Sequence[str] = COLUMNS,
    **options: Any,
) -> Reading:
    """A CSV file of these rows below their headings, read as the app reads it."""
    text = io.StringIO()
    csv.writer(text).writerows([*above, columns, *rows])
    path = folder / "upload"
    path.write_text(text.getvalue(), "utf-8", newline="")
    return read(path, name="sheet.csv", into=folder, options=ReadOptions(delimiter=",", **options))


def asked(reading: Reading, steps: Sequence[Step], folder: Path) -> tuple[Prepared, dict[str, bytes]]:
    """A pass, and each request by its id."""
    done = prepare(reading, RECIPE, steps=steps, folder=folder / f"prepared-{fingerprint(reading, RECIPE, steps)}")
    items = orjson.loads(b"[" + done.items_path.read_bytes() + b"]")
    return done, {item["custom_id"]: orjson.dumps(item) for item in items}


def rows_of(steps: Sequence[Step]) -> list[int | str]:
    """Where each mend of one row is now; in words where it lapsed."""
    told: list[int | str] = []
    for step in steps:
        if isinstance(step, Lapsed):
            told.append("done" if step.done else "gone")
        elif isinstance(step, EditCell | LeaveOutRow):
            told.append(step.row)
    return told


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, [3, 4, 5, 5]),
        ({"above": [["Reviews of May"], []]}, [5, 6, 7, 7]),
        ({"rows": ROWS[1:]}, [2, 3, 4, 4]),
        ({"rows": ROWS[::-1]}, [5, 4, 3, 3]),
        ({"rows": [*ROWS[:1], ["r-0", "New", "0.2"], *ROWS[1:]]}, [4, 5, 6, 6]),
        ({"rows": [*ROWS[:1], *ROWS[2:]]}, ["gone", 3, 4, 4]),
        ({"rows": [*ROWS[:2], *ROWS[3:]]}, [3, "gone", 4, 4]),
        ({"rows": [*ROWS, ROWS[1]]}, [3, 4, 5, 5]),
        ({"rows": [ROWS[1], ROWS[0], *ROWS[2:], ROWS[1]]}, ["gone", 4, 5, 5]),
        ({"rows": [[row[0], row[1], "0.5"] for row in ROWS]}, ["gone", 4, "gone", "gone"]),
        ({"rows": [["r-2", "Too small", "1.5"], *ROWS[2:]]}, ["done", 3, 4, 4]),
        ({"columns": ["id", "review", "warmth"]}, ["gone"] * 4),
        ({"columns": ["heat", "id", "review"], "rows": [[h, i, r] for i, r, h in ROWS]}, [3, 4, 5, 5]),
        ({"columns": [*COLUMNS, PROBLEM_HEADING], "rows": [[*row, "x"] for row in ROWS]}, [3, 4, 5, 5]),
        ({"columns": [*COLUMNS, "new"], "rows": [[*row, ""] for row in ROWS]}, [3, 4, 5, 5]),
        ({"columns": [*COLUMNS, "new"], "rows": [[*row, "x"] for row in ROWS]}, ["gone"] * 4),
        ({"header_row": 3}, ["gone"] * 4),
        ({"first_data_row": 4}, ["gone", 4, 5, 5]),
    ],
)
def test_each_mend_goes_with_its_record_or_lapses(
    tmp_path: Path, change: dict[str, Any], expected: list[int | str]
) -> None:
    before = stamped(sheet(tmp_path), MENDS)
    after = anchored(sheet(tmp_path, **change), before)
    assert rows_of(after) == expected


def test_a_lapsed_mend_applies_again_once_its_row_is_back(tmp_path: Path) -> None:
    old = sheet(tmp_path)
    before = stamped(old, MENDS)
    gone = anchored(sheet(tmp_path, [["x", "y", "z"]]), before)
    assert rows_of(gone) == ["gone"] * 4
    assert anchored(old, gone) == before
    assert rows_of(anchored(sheet(tmp_path, above=[["May"]]), gone)) == [4, 5, 6, 6]


def test_a_mend_without_a_record_lapses_for_good(tmp_path: Path) -> None:
    gone = anchored(sheet(tmp_path), MENDS)
    assert rows_of(gone) == ["gone"] * 4
    assert anchored(sheet(tmp_path), gone) == gone


def test_a_mend_of_no_row_lapses(tmp_path: Path) -> None:
    steps = stamped(sheet(tmp_path), [EditCell(row=99, column="heat", text="x")])
    assert rows_of(anchored(sheet(tmp_path), steps)) == ["gone"]


def test_a_mend_of_an_empty_cell_whose_column_is_gone_lapses(tmp_path: Path) -> None:
    columns, rows = ["id", "note", "heat"], [["a", "", "1"]]
    steps = stamped(
        sheet(tmp_path, rows, columns=columns), [EditCell(row=2, column="note", text="x"), LeaveOutRow(row=2)]
    )
    without = sheet(tmp_path, [["a", "1"]], columns=["id", "heat"])
    assert rows_of(anchored(without, steps)) == ["gone", 2]


def test_steps_that_are_of_no_single_row_stay_as_they_are(tmp_path: Path) -> None:
    steps = (LeaveOut(code="*"), Collapse(), MakeLegalIds())
    assert anchored(sheet(tmp_path, ROWS[::-1]), stamped(sheet(tmp_path), steps)) == steps


def test_a_lapsed_mend_changes_neither_the_requests_nor_what_names_them(tmp_path: Path) -> None:
    reading = sheet(tmp_path)
    lapsed = [Lapsed(step=EditCell(row=3, column="heat", text="1.5")), Lapsed(step=LeaveOutRow(row=2))]
    assert fingerprint(reading, RECIPE, lapsed) == fingerprint(reading, RECIPE)
    done = prepare(reading, RECIPE, steps=lapsed, folder=tmp_path / "with")
    assert done.items_path.read_bytes() == asked(reading, (), tmp_path)[0].items_path.read_bytes()
    assert fingerprint(reading, RECIPE, stamped(reading, MENDS)) == fingerprint(reading, RECIPE, MENDS)


CELLS = st.one_of(
    st.sampled_from(["", " ", "=1+1", "'x", "007", "1e5", "#N/A", "_x0041_", "a\nb", "a,b;c", '"', "  x ", "# x", "-"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8),
)
RECORDS = st.lists(st.tuples(CELLS, st.sampled_from(["", "0.5", "1", "warm", "9"])), min_size=1, max_size=8).map(
    lambda cells: [[f"r-{at}", review, heat] for at, (review, heat) in enumerate(cells)]
)
ABOVE = st.lists(st.sampled_from([[], ["Reviews of May"], ["made by", "ann"]]), max_size=3)


@st.composite
def mends(draw: st.DrawFn, records: Sequence[Sequence[str]], first: int) -> list[Step]:
    """Some mends of some rows."""
    row = st.integers(first, first + len(records) - 1)
    edit = st.builds(EditCell, row=row, column=st.sampled_from(["review", "heat"]), text=CELLS)
    return draw(st.lists(st.one_of(edit, st.builds(LeaveOutRow, row=row)), max_size=4))


@settings(max_examples=60, deadline=None)
@given(data=st.data(), records=RECORDS, above=ABOVE)
def test_no_mend_is_lost_or_lands_on_another_record(
    data: st.DataObject, records: list[list[str]], above: list[list[str]]
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        old = sheet(folder, records, header_row=1)
        steps = stamped(old, data.draw(mends(records, 2)))
        _, before = asked(old, steps, folder)
        kept = data.draw(st.permutations(records).map(lambda rows: rows[: max(len(rows) - 2, 1)]))
        new = sheet(folder, kept, above=above, header_row=len(above) + 1)
        moved = anchored(new, steps)
        _, after = asked(new, moved, folder)
        here = {record[0] for record in kept}
        assert after == {custom_id: item for custom_id, item in before.items() if custom_id in here}
        lapsed = [it.step for it in moved if isinstance(it, Lapsed)]
        assert all(records[it.row - 2][0] not in here for it in lapsed)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), records=RECORDS, above=ABOVE)
def test_the_sheet_that_is_downloaded_and_dropped_again_asks_the_same(
    data: st.DataObject, records: list[list[str]], above: list[list[str]]
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        old = sheet(folder, records, above=above, header_row=len(above) + 1)
        rules: tuple[Step, ...] = data.draw(st.sampled_from([(), (LeaveOut(code="*"),), (Collapse(),)]))
        steps = stamped(old, [*data.draw(mends(records, len(above) + 2)), *rules])
        first, before = asked(old, steps, folder)
        path = sheet_with_problems(old, first, folder / "mend.xlsx", steps=steps)
        new = read(path, name=path.name, into=folder)
        again, after = asked(new, anchored(new, steps), folder)
        assert after == before
        assert list(again.manifest()) == list(first.manifest())
        assert again.content_sha256 == first.content_sha256


@pytest.mark.parametrize("last", [["", "mostly empty", ""], ["Total", "", "9"], COLUMNS])
def test_rows_that_look_like_no_record_look_so_in_the_downloaded_sheet(tmp_path: Path, last: list[str]) -> None:
    old = sheet(tmp_path, [*ROWS, last])
    steps = (LeaveOut(code="footer-row"), LeaveOut(code="repeated-headings"))
    first, before = asked(old, steps, tmp_path)
    path = sheet_with_problems(old, first, tmp_path / "mend.xlsx", steps=steps)
    again, after = asked(read(path, name=path.name, into=tmp_path), steps, tmp_path)
    assert (after, again.left_out) == (before, first.left_out)
