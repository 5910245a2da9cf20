"""A file in another one's place: which choices still hold, which are forgotten and told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook

from valar_ui.likewise import read_like
from valar_ui.problems import PROBLEM_HEADING
from valar_ui.readers import Reading, ReadOptions, UnreadableFile, read

SHEET = "id,text\na,Grün\nb,two\n"
ROWS = [["id", "text"], ["a", "one"], ["b", "two"]]


def in_place(
    folder: Path, old: bytes, new: bytes, chosen: ReadOptions, *, names: tuple[str, str] = ("t.csv", "t.csv")
) -> Reading:
    """The second file, read as the first one was with these choices."""
    (folder / "old").write_bytes(old)
    (folder / "new").write_bytes(new)
    before = read(folder / "old", name=names[0], into=folder, options=chosen)
    return read_like(before, folder / "old", folder / "new", name=names[1], into=folder)


def book(folder: Path, *sheets: tuple[str, Sequence[Sequence[str]]]) -> bytes:
    """A workbook of these sheets."""
    made = Workbook()
    made.remove(made.active)
    for name, rows in sheets:
        page = made.create_sheet(name)
        for row in rows:
            page.append(list(row))
    made.save(folder / "book.xlsx")
    return (folder / "book.xlsx").read_bytes()


def told(reading: Reading) -> str:
    """What is said of forgotten choices."""
    return " ".join(problem.text for problem in reading.report if problem.code == "read-otherwise")


@pytest.mark.parametrize(
    ("old", "new", "chosen", "kept", "said"),
    [
        # The delimiter.
        (SHEET, SHEET, ReadOptions(delimiter=","), ReadOptions(delimiter=","), ""),
        (SHEET, SHEET.replace(",", ";"), ReadOptions(delimiter=","), ReadOptions(), "how its cells end"),
        # The row of the headings, and with it where the data begins.
        ("x,y\n" + SHEET, "z,y\n" + SHEET, ReadOptions(header_row=2), ReadOptions(header_row=2), ""),
        ("x,y\n" + SHEET, SHEET, ReadOptions(header_row=2), ReadOptions(), "headings in row 2"),
        (
            "id,text\nnote,\na,one\n",
            "id,text\nnote,\nb,two\n",
            ReadOptions(header_row=1, first_data_row=3),
            ReadOptions(header_row=1, first_data_row=3),
            "",
        ),
        ("a,one\nb,two\n", "a,one\nc,two\n", ReadOptions(header_row=0), ReadOptions(header_row=0), ""),
        (
            "a,one\nb,two\n",
            f"Column A,Column B,{PROBLEM_HEADING}\na,one,\nb,two,\n",
            ReadOptions(header_row=0),
            ReadOptions(),
            "no row of headings",
        ),
        # One of two choices.
        (
            "x;y\n" + SHEET.replace(",", ";"),
            SHEET.replace(",", ";"),
            ReadOptions(header_row=2, delimiter=";"),
            ReadOptions(delimiter=";"),
            "headings in row 2",
        ),
        # What nobody chose.
        (SHEET, SHEET, ReadOptions(), ReadOptions(), ""),
        (SHEET, SHEET, ReadOptions(skip_hidden=True), ReadOptions(skip_hidden=True), ""),
    ],
)
def test_a_choice_holds_where_it_fits(
    tmp_path: Path, old: str, new: str, chosen: ReadOptions, kept: ReadOptions, said: str
) -> None:
    reading = in_place(tmp_path, old.encode(), new.encode(), chosen)
    assert reading.options == kept
    assert (said in told(reading)) if said else not told(reading)
    assert len(list(tmp_path.glob("table-*.arrow"))) == 2


@pytest.mark.parametrize(
    ("written", "chosen", "kept"),
    [
        ("cp1252", "cp1252", "cp1252"),
        ("utf-8", "cp1252", None),
        ("utf-8", "utf-8", "utf-8"),
        ("cp1252", "utf-8", None),
        ("utf-16", "cp1252", None),
        ("utf-16", "utf-16", "utf-16"),
    ],
)
def test_an_encoding_holds_where_the_bytes_may_be_it(
    tmp_path: Path, written: str, chosen: str, kept: str | None
) -> None:
    reading = in_place(tmp_path, SHEET.encode(chosen), SHEET.encode(written), ReadOptions(encoding=chosen))
    assert reading.options == ReadOptions(encoding=kept)
    assert bool(told(reading)) == (kept is None)
    assert reading.table.row(0)[1] == "Grün"


@pytest.mark.parametrize(("there", "sheet"), [("Data", "Data"), ("Other", None)])
def test_the_chosen_sheet_is_read_where_there_is_one_of_its_name(tmp_path: Path, there: str, sheet: str | None) -> None:
    old = book(tmp_path, ("Cover", [["x", "y"], ["1", "2"]]), ("Data", ROWS))
    new = book(tmp_path, ("Cover", [["x", "y"], ["1", "2"]]), (there, ROWS))
    reading = in_place(tmp_path, old, new, ReadOptions(sheet="Data"), names=("t.xlsx", "t.xlsx"))
    assert (reading.options.sheet, reading.sheet) == (sheet, sheet or "Cover")
    assert bool(told(reading)) == ("the sheet Data" in told(reading)) == (sheet is None)


def test_choices_that_say_nothing_of_another_kind_of_file_are_forgotten_without_a_word(tmp_path: Path) -> None:
    new = book(tmp_path, ("Sheet", ROWS))
    chosen = ReadOptions(delimiter=",", encoding="utf-8")
    reading = in_place(tmp_path, SHEET.encode(), new, chosen, names=("t.csv", "t.xlsx"))
    assert (reading.format, reading.options, told(reading)) == ("xlsx", ReadOptions(), "")


DATA = "id,text,heat\n" + "".join(f"r-{at},word {at},{at}\n" for at in range(8))


@pytest.mark.parametrize(
    ("old_end", "new_end", "dropped", "kept"),
    [
        ("Total,,28\n", "r-8,word 8,8\nTotal,,36\n", (10,), (11,)),
        ("Total,,28\n", "", (10,), ()),
        ("Total,,28\n", "Source: survey,,\n", (10,), ()),
        ("# a comment,,\nr-9,word,9\n", "r-8,word,8\n# another,,\nr-9,word,9\n", (10,), (11,)),
    ],
)
def test_rows_that_are_no_data_are_left_out_again_where_they_are_now(
    tmp_path: Path, old_end: str, new_end: str, dropped: tuple[int, ...], kept: tuple[int, ...]
) -> None:
    old, new = (DATA + old_end).encode(), (DATA + new_end).encode()
    reading = in_place(tmp_path, old, new, ReadOptions(drop_rows=dropped))
    assert reading.options.drop_rows == kept
    assert reading.records_left_out == len(kept)


def test_a_file_that_no_way_reads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        in_place(tmp_path, SHEET.encode(), b"", ReadOptions(delimiter=","))
