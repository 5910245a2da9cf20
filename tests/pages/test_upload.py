"""The Upload page: what was dropped, how it was read, and reading it differently."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import xlsxwriter
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest, local_script_runner

from tests.pages.person import REVIEWS, Person
from valar_ui import samples, session


def control(person: Person, name: str) -> str:
    """The key of one of the controls that read the file again."""
    return str(next(it.key for it in person.elements() if it.key.startswith(f"{name}-")))


def workbook(*, hidden: tuple[int, ...] = (), second: bool = False) -> bytes:
    """A workbook of a heading and six rows; some hidden, perhaps with a second, hidden sheet."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Data")
        for row, cells in enumerate([("id", "review"), *((f"r-{at}", f"Review {at}") for at in range(2, 8))]):
            sheet.write_row(row, 0, cells)
        for row in hidden:
            sheet.set_row(row - 1, options={"hidden": True})
        if second:
            other = book.add_worksheet("Other")
            other.write_row(0, 0, ("word",))
            other.write_row(1, 0, ("kettle",))
    return out.getvalue()


def test_an_empty_desk_says_where_to_begin() -> None:
    person = Person()
    assert person.may("sample")
    assert len(person.at.file_uploader) == 1
    assert not person.has("way-on")


def test_the_sample_is_one_click_away() -> None:
    person = Person().press("sample")
    assert person.draft.file_name == samples.REVIEWS.name
    assert (person.reading.rows, len(person.reading.columns)) == (200, 6)
    shown = person.table("review_id")
    assert list(shown.index[:3]) == [2, 3, 4]
    assert person.may("way-on")
    assert person.press("way-on").page == Person("map", draft=person.state.draft_id or "").page


def test_every_cell_is_shown_as_typed() -> None:
    person = Person().drop("codes.csv", b"code,word\n007,NA\n1e5, \n,null\n")
    shown = person.table("word")
    assert shown.to_dict("list") == {"code": ["007", "1e5", ""], "word": ["NA", " ", "null"]}


def test_a_file_that_is_no_table_is_refused_in_a_sentence_with_a_way_on() -> None:
    person = Person().drop("photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
    assert len(person.at.error) == 1
    assert not person.has("way-on")
    assert person.drop("reviews.csv", REVIEWS).may("way-on")
    assert not person.at.error


def test_a_refused_file_can_be_read_with_another_encoding() -> None:
    person = Person().drop("reviews.csv", REVIEWS)
    person.choose(control(person, "enc"), "utf-16")
    assert person.at.error
    person.choose(control(person, "enc"), "utf-8")
    assert person.reading.rows == 3
    assert not person.at.error


def one_row() -> bytes:
    """A workbook of a single row."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.add_worksheet("Data").write_row(0, 0, ("Great kettle", "Too small"))
    return out.getvalue()


@pytest.mark.parametrize(("name", "contents"), [("one.csv", b"Great kettle,Too small\n"), ("one.xlsx", one_row())])
def test_a_file_of_one_row_is_read_once_it_is_said_to_have_no_headings(name: str, contents: bytes) -> None:
    person = Person().drop(name, contents)
    assert "say that it has no headings" in person.plain
    person.choose(control(person, "head"), 0)
    assert not person.at.error
    assert (person.reading.rows, person.reading.header_row) == (1, 0)


@pytest.mark.parametrize(
    ("name", "value", "columns"),
    [("del", ";", ["a,b", "c"]), ("del", ",", ["a", "b;c"])],
    ids=["semicolons", "commas"],
)
def test_another_delimiter_reads_again_at_once(name: str, value: str, columns: list[str]) -> None:
    person = Person().drop("odd.csv", b"a,b;c\n1,2;3\n4,5;6\n")
    person.choose(control(person, name), value)
    assert person.reading.columns == tuple(columns)
    assert list(person.table(columns[0]).columns) == columns


def test_another_encoding_reads_again_at_once() -> None:
    person = Person().drop("cafe.csv", "word\ncafé\n".encode("cp1252"))
    person.choose(control(person, "enc"), "cp1251")
    assert person.reading.encoding == "cp1251"
    person.choose(control(person, "enc"), "cp1252")
    assert person.reading.table.row(0) == ("café",)


def test_a_guessed_encoding_is_called_by_its_name_and_others_are_offered() -> None:
    person = Person().drop("ceny.csv", "miasto\nŁódź\nWrocław\nCzęstochowa\n".encode("cp1250"))
    told = [it.value.replace("\\", "") for it in person.at.markdown]
    assert any("Windows-1250 (Central European) (a guess: 3 cells" in it for it in told)
    assert person.reading.table.row(1) == ("Wrocław",)
    offered = person.at.selectbox(key=control(person, "enc")).options
    assert offered[0] == "Windows-1250 (found)"
    assert {"Windows-1254 (Turkish)", "Windows-1257 (Baltic)", "ISO 8859-2 (Central European)"} < set(offered)
    assert {"Mac Roman", "DOS 850 (Western European)", "DOS 852 (Central European)"} < set(offered)


def test_headings_in_another_row_read_again_at_once() -> None:
    person = Person().drop("reviews.csv", REVIEWS)
    person.choose(control(person, "head"), 0)
    assert (person.reading.rows, person.reading.header_row) == (4, 0)
    person.choose(control(person, "head"), 2)
    assert person.reading.columns == ("r-1", "Great kettle")


def test_another_sheet_reads_again_at_once() -> None:
    person = Person().drop("book.xlsx", workbook(second=True))
    assert person.reading.sheet == "Data"
    person.choose(control(person, "sheet"), "Other")
    assert person.reading.columns == ("word",)


def test_hidden_rows_are_asked_about_and_can_come_back() -> None:
    person = Person().drop("book.xlsx", workbook(hidden=(3, 5)))
    assert person.reading.rows == 6
    person.press("hidden")
    assert person.reading.rows == 4
    person.press("hidden")
    assert person.reading.rows == 6


def test_totals_are_offered_to_be_dropped_and_can_come_back() -> None:
    rows = "".join(f"Shop {at},{at * 10}\n" for at in range(1, 9))
    person = Person().drop("sales.csv", f"shop,sales\n{rows}Total,360\n".encode())
    assert [footer.row for footer in person.reading.footers] == [10]
    person.press("footers")
    assert person.reading.rows == 8
    person.press("footers-back")
    assert person.reading.rows == 9


def test_ready_made_requests_go_straight_to_check() -> None:
    person = Person().drop("requests.jsonl", samples.REQUESTS.read_bytes())
    assert person.reading.recognised_as == "valar-requests"
    assert person.press("way-on").sending == (5, 5)
    assert person.prepared.ok
    assert person.go("map").may("begin")


def test_another_version_of_the_file_keeps_the_mapping() -> None:
    person = Person().mapped("reviews.csv", REVIEWS, prompt="Judge {{review}}")
    draft = person.draft.id
    person.go("upload").drop("reviews-2.csv", REVIEWS + b"r-4,Broken\n")
    assert (person.draft.id, person.draft.file_name) == (draft, "reviews-2.csv")
    assert person.go("check").sending == (4, 4)


def test_starting_anew_leaves_the_draft_and_its_address() -> None:
    person = Person().drop("reviews.csv", REVIEWS)
    assert person.at.query_params["draft"] == person.state.draft_id
    person.press("anew")
    assert "draft" not in person.at.query_params
    assert person.may("sample")


def test_the_work_is_there_again_under_its_address() -> None:
    draft = Person().drop("reviews.csv", REVIEWS).state.draft_id
    again = Person("upload", draft=draft or "")
    assert again.draft.file_name == "reviews.csv"
    assert again.may("way-on")


def test_a_file_that_is_gone_from_the_disk_is_asked_for_again() -> None:
    person = Person().mapped("reviews.csv", REVIEWS, prompt="Judge {{review}}")
    for file in Path(person.draft.folder).iterdir():
        if file.is_file():
            file.unlink()
    assert not person.go("upload").has("way-on")
    assert person.drop("reviews.csv", REVIEWS).go("check").sending == (3, 3)


def test_an_upload_leaves_streamlits_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    managers: list[MemoryUploadedFileManager] = []

    def kept(endpoint: str) -> MemoryUploadedFileManager:
        managers.append(MemoryUploadedFileManager(endpoint))
        return managers[-1]

    # Each drawing of the page gets a manager of its own from AppTest; all of them are looked at.
    monkeypatch.setattr(local_script_runner, "MemoryUploadedFileManager", kept)
    person = Person().drop("reviews.csv", REVIEWS)
    assert person.reading.rows == 3
    assert len(managers) >= 2
    assert [dict(manager.file_storage) for manager in managers if any(manager.file_storage.values())] == []


def test_the_first_row_of_data_is_moved_and_moved_back() -> None:
    person = Person().drop("a.csv", b"id,review\nr-1,Good\nr-2,Bad\nr-3,Fine\n")
    assert person.at.number_input(key=control(person, "first")).value == 2
    person.choose(control(person, "first"), 4)
    assert (person.reading.options.first_data_row, person.reading.rows) == (4, 1)
    assert "4 records = 2 above the data + 1 heading + 1 row" in person.plain
    person.choose(control(person, "first"), 2)
    assert (person.reading.options.first_data_row, person.reading.rows) == (None, 3)
    person.choose(control(person, "first"), 4).choose(control(person, "head"), 2)
    assert (person.reading.options.first_data_row, person.reading.header_row, person.reading.rows) == (None, 2, 2)


def test_a_reading_that_is_refused_leads_back_to_the_one_before() -> None:
    person = Person().drop("a.csv", b"id,review\nr-1,Good\nr-2,Bad\n")
    person.choose(control(person, "head"), 50)
    assert person.at.error
    assert not person.has("way-on")
    person.press("as-before")
    assert (person.reading.header_row, person.reading.rows) == (1, 2)
    assert person.may("way-on")


def test_every_earlier_file_can_be_gone_on_with() -> None:
    first = Person().drop("week-0.csv", REVIEWS).state.draft_id
    for at in range(1, 5):
        Person().drop(f"week-{at}.csv", REVIEWS)
    person = Person()
    assert not person.has(f"go-on-{first}")
    assert person.open("earlier").press(f"go-on-{first}").draft.file_name == "week-0.csv"


def _name_a_forgotten_upload() -> None:
    import streamlit as st
    from streamlit.runtime.uploaded_file_manager import DeletedFile

    from valar_ui.parts import upload

    st.session_state["late"] = DeletedFile("taken-before")
    upload._take("late")
    st.text("fine")


def test_a_click_that_still_names_a_file_taken_before_is_no_fault() -> None:
    page = AppTest.from_function(_name_a_forgotten_upload).run()
    assert not page.exception
    assert [it.value for it in page.text] == ["fine"]
    assert session.services().ledger.drafts("local") == []
