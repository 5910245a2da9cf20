"""What is better and what is worse than with the file before: record by record, each side in its own words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.composing import make_reading, prompt
from valar_ui.prepare import Change, Comparison, Prepared, compare, fingerprint, prepare
from valar_ui.recipe import FromColumn, IdRule, LeaveOut, Recipe, Step

COLUMNS = ["id", "text", "heat"]
RECIPE = prompt("Do: {{text}}", temperature=FromColumn(column="heat"), custom_id=IdRule(column="id"))
BY_NUMBER = RECIPE.model_copy(update={"custom_id": IdRule()})
ROWS = [["a", "one", "0.7"], ["b", "two", "warm"], ["c", "three", "0.7"], ["d", "", "hot"]]
"""Row 3 and 5 have a heat that is no number, row 5 has no text."""

Rows = Sequence[Sequence[str]]


def run(folder: Path, rows: Rows, *steps: Step, recipe: Recipe = RECIPE) -> Prepared:
    """One pass."""
    reading = make_reading(folder, COLUMNS, rows)
    return prepare(reading, recipe, steps=steps, folder=folder / fingerprint(reading, recipe, steps))


def compared(folder: Path, old: Rows, new: Rows, *, recipe: Recipe = RECIPE) -> Comparison:
    """Two passes with the same recipe, set against each other."""
    return compare(run(folder, old, recipe=recipe), run(folder, new, recipe=recipe))


def sides(changes: Sequence[Change]) -> dict[str, tuple[tuple[int, ...], tuple[int, ...], int, int]]:
    """Code → rows fixed, rows new, problems before and after."""
    return {it.code: (it.fixed.rows, it.new.rows, it.before, it.after) for it in changes}


def changed(rows: Rows, at: int, cells: Sequence[str]) -> list[list[str]]:
    """The rows with one of them replaced."""
    return [list(cells) if place == at else list(row) for place, row in enumerate(rows)]


@pytest.mark.parametrize("recipe", [RECIPE, BY_NUMBER], ids=["by id", "by number"])
@pytest.mark.parametrize(
    ("new", "better", "worse"),
    [
        (ROWS, {}, {}),
        (changed(ROWS, 1, ["b", "two", "1"]), {"temperature-number": ((3,), (), 2, 1)}, {}),
        (changed(ROWS, 0, ["a", "one", "warm"]), {}, {"temperature-number": ((), (2,), 2, 3)}),
        (
            changed(changed(ROWS, 1, ["b", "two", "1"]), 0, ["a", "one", "cool"]),
            {"temperature-number": ((3,), (2,), 2, 2)},
            {"temperature-number": ((3,), (2,), 2, 2)},
        ),
        (
            changed(ROWS, 3, ["d", "four", "9"]),
            {"temperature-number": ((5,), (), 2, 1), "empty-prompt": ((5,), (), 1, 0)},
            {"temperature-range": ((), (5,), 0, 1)},
        ),
    ],
)
def test_each_record_is_better_worse_or_the_same(
    tmp_path: Path,
    new: Rows,
    better: dict[str, tuple[object, ...]],
    worse: dict[str, tuple[object, ...]],
    recipe: Recipe,
) -> None:
    found = compared(tmp_path, ROWS, new, recipe=recipe)
    assert sides(found.better) == better
    assert sides(found.worse) == worse
    assert not {it.code for it in found.same} & {*better, *worse}


def test_each_side_is_told_in_its_own_words(tmp_path: Path) -> None:
    new = changed(changed(ROWS, 1, ["b", "two", "1"]), 0, ["a", "one", "cool"])
    (change,) = compared(tmp_path, ROWS, new).better
    assert '"warm"' in change.fixed.example
    assert '"cool"' in change.new.example


def test_a_record_keeps_its_name_where_rows_are_added_and_sorted(tmp_path: Path) -> None:
    new = [["new", "zero", "0.1"], *ROWS[::-1]]
    found = compared(tmp_path, ROWS, new)
    assert (found.better, found.worse) == ((), ())
    by_number = compared(tmp_path, ROWS, new, recipe=BY_NUMBER)
    assert sides(by_number.worse) == {"empty-prompt": ((5,), (3,), 1, 1)}


@pytest.mark.parametrize(
    ("old", "new", "fixed", "broken"),
    [
        # Empty ids: by number.
        ([["", "x", "0"], ["", "y", "hot"]], [["", "x", "hot"], ["", "y", "0"]], (3,), (2,)),
        # An id twice in one of the two: by number in both.
        ([["a", "x", "0"], ["b", "y", "hot"]], [["b", "x", "hot"], ["b", "y", "0"]], (3,), (2,)),
        ([["b", "x", "hot"], ["b", "y", "0"]], [["a", "x", "0"], ["b", "y", "hot"]], (2,), (3,)),
        # An id of its own in both: by id.
        ([["a", "x", "0"], ["b", "y", "hot"]], [["b", "x", "hot"], ["a", "y", "0"]], (), ()),
    ],
)
def test_only_an_id_that_no_other_row_has_names_a_record(
    tmp_path: Path, old: Rows, new: Rows, fixed: tuple[int, ...], broken: tuple[int, ...]
) -> None:
    found = compared(tmp_path, old, new)
    changes = [it for it in (*found.better, *found.same) if it.code == "temperature-number"]
    assert [(it.fixed.rows, it.new.rows) for it in changes] == [(fixed, broken)]


def test_passes_with_ids_from_different_places_are_compared_by_number(tmp_path: Path) -> None:
    found = compare(run(tmp_path, ROWS, recipe=BY_NUMBER), run(tmp_path, ROWS))
    assert (found.better, found.worse) == ((), ())


def test_what_only_the_whole_could_tell_has_ids_too(tmp_path: Path) -> None:
    old = [["a", "same", "0"], ["b", "same", "0"], ["c", "other", "0"]]
    new = [["c", "other", "0"], ["a", "same", "0"], ["b", "same", "0"]]
    found = compared(tmp_path, old, new)
    assert (found.better, found.worse) == ((), ())
    assert {it.code for it in found.same} == {"identical-request"}


def test_rows_left_out_count_with_their_problems(tmp_path: Path) -> None:
    found = compare(run(tmp_path, ROWS), run(tmp_path, ROWS, LeaveOut(code="*")))
    assert (found.better, found.worse) == ((), ())


def test_what_is_wrong_with_the_whole_sheet_has_no_rows(tmp_path: Path) -> None:
    unlimited = RECIPE.model_copy(update={"max_output_tokens": None})
    (change,) = compare(run(tmp_path, ROWS), run(tmp_path, ROWS, recipe=unlimited)).worse
    assert (change.code, change.new.count, change.new.rows) == ("output-unlimited", 1, ())
    assert change.new.example.startswith("max_output_tokens is missing")


def test_what_is_worth_knowing_of_the_whole_sheet_is_neither_better_nor_worse(tmp_path: Path) -> None:
    found = compared(tmp_path, [["a", "one", "0"]], [["A", "one", "0"]])
    assert (found.better, found.worse, found.same) == ((), (), ())


def test_only_the_first_rows_are_named(tmp_path: Path) -> None:
    bad = [[f"r-{at}", "x", "hot"] for at in range(40)]
    good = [[f"r-{at}", "x", "0"] for at in range(40)]
    found = compared(tmp_path, bad, good)
    change = next(it for it in found.better if it.code == "temperature-number")
    assert (change.fixed.count, change.fixed.rows) == (40, (2, 3, 4, 5, 6, 7, 8, 9))


def test_a_hundred_thousand_flaws_are_compared_once(tmp_path: Path) -> None:
    rows = [[f"r-{at}", "x" if at % 2 else "", "hot"] for at in range(100_000)]
    old, new = run(tmp_path, rows), run(tmp_path, rows[1:])
    found = compare(old, new)
    assert [(it.code, it.fixed.rows, it.new.rows) for it in found.better] == [
        ("temperature-number", (2,), ()),
        ("empty-prompt", (2,), ()),
    ]
    assert found.worse == ()
    assert compare(old, new) is found
