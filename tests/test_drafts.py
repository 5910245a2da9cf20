"""A person's work in progress, on a real ledger with real files."""

from __future__ import annotations

import io
import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sending import SECRET
from valar_ui import outbox, samples
from valar_ui.client import Keyring
from valar_ui.drafts import Desk, changed_ids, ids_of
from valar_ui.jobs import Job, Jobs
from valar_ui.ledger import Draft, Ledger, NoSuchDraft
from valar_ui.prepare import PROBLEM_HEADING, Prepared
from valar_ui.readers import Reading, ReadOptions, UnreadableFile
from valar_ui.recipe import EditCell, Fixed, IdRule, Lapsed, LeaveOut, Recipe, Turn
from valar_ui.settings import Settings

SHEET = b"id,review\nr-1,Great kettle\nR 2,Too small\n,No id\n"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
RECIPE = Recipe(
    model=Fixed(fixed="zai-org/GLM-5.1-FP8"),
    turns=(Turn(role="user", text="Judge {{review}}"),),
    custom_id=IdRule(column="id"),
)


@pytest.fixture
def make_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Desks over one folder; each call is a process of its own, with its own ledger and its own thread."""
    open_desks: list[Desk] = []

    def make(owner: str = "ann") -> Desk:
        settings = Settings(home=tmp_path)
        desk = Desk(settings, Ledger(settings.ledger_url), Jobs(), owner)
        open_desks.append(desk)
        return desk

    yield make
    for desk in open_desks:
        desk.jobs.close()
        desk.ledger.close()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    """One person's desk."""
    return make_desk()


def ended(job: Job | None) -> Job:
    """A job that is done."""
    assert job is not None
    assert job.done.wait(60)
    return job


def put(desk: Desk, contents: bytes = SHEET, name: str = "reviews.csv", into: Draft | None = None) -> Draft:
    """Drop a file and wait until it was read or refused."""
    draft = desk.put_file(name, io.BytesIO(contents), into=into)
    ended(desk.reading_job(draft))
    return now(desk, draft)


def now(desk: Desk, draft: Draft) -> Draft:
    """The draft as the ledger has it."""
    found = desk.find(draft.id)
    assert found is not None
    return found


def reading(desk: Desk, draft: Draft) -> Reading:
    """How the draft's file was read."""
    found = desk.reading(now(desk, draft))
    assert found is not None
    return found


def prepared(desk: Desk, draft: Draft) -> Prepared:
    """The draft's requests, composed and checked."""
    draft = now(desk, draft)
    sheet = reading(desk, draft)
    job = ended(desk.prepare(draft, sheet, desk.recipe(draft, sheet), desk.steps(draft)))
    assert job.fault is None
    done: Prepared = job.result
    return done


def test_a_file_lies_on_the_disk_byte_for_byte_for_its_owner_only(desk: Desk) -> None:
    draft = put(desk)
    upload = Path(draft.folder) / draft.upload
    assert upload.read_bytes() == SHEET
    assert stat.S_IMODE(upload.stat().st_mode) == 0o600
    assert stat.S_IMODE(upload.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("reviews.csv", "reviews.csv"),
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\Users\\ann\\reviews.csv", "reviews.csv"),
        ("", "file"),
        ("**b** [x].csv", "**b** [x].csv"),
    ],
)
def test_a_files_name_is_shown_and_names_nothing_on_the_disk(desk: Desk, given: str, shown: str) -> None:
    draft = put(desk, name=given)
    assert draft.file_name == shown
    assert Path(draft.folder).parent == desk.settings.home / "drafts"
    assert shown not in {path.name for path in desk.settings.home.rglob("*")}


def test_what_was_read_outlives_the_process(make_desk: Callable[..., Desk]) -> None:
    first = make_desk()
    draft = put(first)
    again = make_desk()
    assert again.reading_job(now(again, draft)) is None
    assert reading(again, draft).table.row(0) == ("r-1", "Great kettle")


def test_a_file_that_was_not_read_before_the_end_is_read_again(make_desk: Callable[..., Desk]) -> None:
    first = make_desk()
    draft = first.put_file("reviews.csv", io.BytesIO(SHEET))
    ended(first.reading_job(draft))
    first.ledger.save_draft(draft.id, "ann", reading=None)
    again = make_desk()
    ended(again.reading_job(now(again, draft)))
    assert reading(again, draft).rows == 3


def test_a_refused_file_leaves_no_reading_and_says_why(desk: Desk) -> None:
    draft = put(desk, PICTURE)
    job = ended(desk.reading_job(draft))
    assert isinstance(job.fault, UnreadableFile)
    assert desk.reading(draft) is None


def test_each_way_to_read_is_tried_once(desk: Desk) -> None:
    draft = put(desk)
    semicolons = ReadOptions(delimiter=";")
    assert desk.tried(draft, ReadOptions())
    assert not desk.tried(draft, semicolons)
    ended(desk.read(draft, semicolons))
    assert desk.tried(draft, semicolons)
    assert reading(desk, draft).columns == ("id,review",)


def test_after_a_restart_the_way_it_was_read_counts_as_tried(make_desk: Callable[..., Desk]) -> None:
    first = make_desk()
    draft = put(first)
    ended(first.read(draft, ReadOptions(delimiter=";")))
    again = make_desk()
    assert again.tried(now(again, draft), ReadOptions(delimiter=";"))
    assert not again.tried(now(again, draft), ReadOptions())


def test_a_table_that_is_gone_is_no_reading(desk: Desk) -> None:
    draft = put(desk)
    reading(desk, draft).table_path.unlink()
    assert desk.reading(draft) is None


def test_another_version_keeps_recipe_mends_and_label(desk: Desk) -> None:
    draft = desk.save_label(desk.save_recipe(put(desk), RECIPE), "november")
    desk.add_step(draft, LeaveOut(code="*"))
    again = put(desk, SHEET.replace(b"Too small", b"Too big"), "week-2.csv", into=now(desk, draft))
    assert (again.id, again.file_name, again.label) == (draft.id, "week-2.csv", "november")
    assert desk.recipe(again, reading(desk, again)) == RECIPE.model_copy(update={"label": "november"})
    assert desk.steps(again) == (LeaveOut(code="*"),)
    assert reading(desk, again).table.row(1) == ("R 2", "Too big")


MEND = EditCell(row=3, column="review", text="Far too small")


def edits(desk: Desk, draft: Draft) -> list[tuple[str, int]]:
    """Each mend of a cell: whether it applies, and its row."""
    steps = [(step.kind, step.step if isinstance(step, Lapsed) else step) for step in desk.steps(now(desk, draft))]
    return [(kind, step.row) for kind, step in steps if isinstance(step, EditCell)]


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        (SHEET, ("edit-cell", 3)),
        (b"Reviews of May,\n,\n" + SHEET, ("edit-cell", 5)),
        (SHEET.replace(b"r-1,Great kettle\n", b""), ("edit-cell", 2)),
        (SHEET.replace(b"Too small", b"Far too small"), ("lapsed", 3)),
        (SHEET.replace(b"Too small", b"Too big"), ("lapsed", 3)),
    ],
)
def test_a_mend_goes_with_its_row_into_another_version(desk: Desk, contents: bytes, expected: tuple[str, int]) -> None:
    draft = desk.save_recipe(put(desk), RECIPE)
    desk.add_step(draft, MEND)
    put(desk, contents, into=now(desk, draft))
    assert edits(desk, draft) == [expected]
    mended = b"Far too small" in prepared(desk, draft).items_path.read_bytes()
    assert mended == (b"Too big" not in contents)
    put(desk, SHEET, into=now(desk, draft))
    assert edits(desk, draft) == [("edit-cell", 3)]


def test_a_mend_stays_with_its_row_where_the_file_is_read_differently(desk: Desk) -> None:
    draft = put(desk, b"1,x\n" + SHEET)
    ended(desk.read(draft, ReadOptions(header_row=2)))
    desk.add_step(now(desk, draft), EditCell(row=4, column="review", text="Mended"))
    for options, expected in (
        (ReadOptions(header_row=2, drop_rows=(5,)), "edit-cell"),
        (ReadOptions(delimiter=";"), "lapsed"),
        (ReadOptions(header_row=2, drop_rows=(4,)), "lapsed"),
        (ReadOptions(header_row=2), "edit-cell"),
    ):
        ended(desk.read(now(desk, draft), options))
        assert edits(desk, draft) == [(expected, 4)]


def test_a_mend_of_a_page_drawn_before_the_file_was_replaced_finds_its_row(desk: Desk) -> None:
    seen = put(desk)
    put(desk, b"Reviews of May,\n,\n" + SHEET, into=seen)
    desk.add_step(seen, MEND)
    assert edits(desk, seen) == [("edit-cell", 5)]


def test_a_mend_saved_while_the_new_file_is_read_finds_its_row(desk: Desk) -> None:
    seen = put(desk)
    gate = threading.Event()
    desk.jobs.start("gate", "shut", lambda _progress: gate.wait(60))
    replaced = desk.put_file("reviews.csv", io.BytesIO(SHEET.replace(b"r-1,Great kettle\n", b"")), into=seen)
    desk.add_step(seen, MEND)
    gate.set()
    ended(desk.reading_job(replaced))
    assert edits(desk, seen) == [("edit-cell", 2)]


def test_the_problem_column_of_a_sheet_dropped_again_is_no_matter(desk: Desk) -> None:
    flawed = SHEET.replace(b"Too small", "Too\u200bsmall".encode())
    draft = put(desk, flawed)
    assert [group.column for group in reading(desk, draft).report.groups] == ["review"]
    lines = [line + ",Empty\u200breview".encode() for line in SHEET.splitlines()[1:]]
    again = b"\n".join([f"id,review,{PROBLEM_HEADING}".encode(), *lines])
    put(desk, again, into=draft)
    assert reading(desk, draft).report.groups == []


@pytest.mark.parametrize("skip", [True, False])
def test_a_file_that_takes_anothers_place_is_read_as_that_one_was(desk: Desk, skip: bool) -> None:
    draft = put(desk)
    chosen = ReadOptions(skip_hidden=skip, encoding="cp1252")
    ended(desk.read(draft, chosen))
    replaced = put(desk, SHEET + b"r-9,New\n", into=now(desk, draft))
    assert reading(desk, replaced).options == chosen
    assert desk.tried(replaced, chosen)
    assert not desk.tried(replaced, ReadOptions())


def test_a_choice_that_does_not_fit_the_next_file_is_not_tried_on_it_again(desk: Desk) -> None:
    draft = put(desk, SHEET.replace(b",", b";"))
    ended(desk.read(draft, ReadOptions(delimiter=";")))
    replaced = put(desk, SHEET, into=now(desk, draft))
    assert reading(desk, replaced).options == ReadOptions()
    assert desk.tried(replaced, ReadOptions())
    assert [group.code for group in reading(desk, replaced).report.groups] == ["read-otherwise"]


def test_a_file_that_was_replaced_while_it_waited_never_becomes_the_sheet(desk: Desk) -> None:
    gate = threading.Event()
    desk.jobs.start("gate", "shut", lambda _progress: gate.wait(60))
    first = desk.put_file("first.csv", io.BytesIO(SHEET))
    draft = desk.put_file("second.csv", io.BytesIO(PICTURE), into=first)
    gate.set()
    ended(desk.reading_job(draft))
    assert now(desk, draft).file_name == "second.csv"
    assert desk.reading(now(desk, draft)) is None


def test_ready_made_requests_pass_through(desk: Desk) -> None:
    draft = put(desk, samples.REQUESTS.read_bytes(), samples.REQUESTS.name)
    recipe = desk.recipe(draft, reading(desk, draft))
    assert (recipe.kind, recipe.custom_id) == ("ready", IdRule(column="custom_id", legal=False))
    done = prepared(desk, draft)
    assert (done.ok, done.requests) == (True, 5)


def test_what_did_not_change_is_not_written_again(desk: Desk) -> None:
    draft = desk.save_label(desk.save_recipe(put(desk), RECIPE), "november")
    assert desk.save_recipe(draft, RECIPE) is draft
    assert desk.save_recipe(draft, RECIPE.model_copy(update={"label": "december"})) is draft
    assert desk.save_label(draft, "november") is draft


@pytest.mark.parametrize("step", [LeaveOut(code="*"), EditCell(row=4, column="review", text="Mended")])
def test_mends_are_kept_in_order_and_taken_back(desk: Desk, step: LeaveOut | EditCell) -> None:
    draft = desk.save_recipe(put(desk), RECIPE)
    before = prepared(desk, draft)
    desk.add_step(draft, step)
    after = prepared(desk, draft)
    assert after.fingerprint != before.fingerprint
    desk.take_back(draft, step)
    assert prepared(desk, draft).content_sha256 == before.content_sha256
    assert prepared(desk, draft).fingerprint == before.fingerprint


def test_a_preparation_is_found_again_and_made_once(make_desk: Callable[..., Desk]) -> None:
    first = make_desk()
    draft = first.save_recipe(put(first), RECIPE)
    done = prepared(first, draft)
    made = (done.folder / "prepared.json").stat().st_mtime_ns
    again = make_desk()
    sheet = reading(again, draft)
    found = again.prepared(now(again, draft), sheet, RECIPE, ())
    assert found is not None
    assert found.content_sha256 == done.content_sha256
    assert prepared(again, draft).folder == done.folder
    assert (done.folder / "prepared.json").stat().st_mtime_ns == made
    assert again.prepared(now(again, draft), sheet, Recipe(), ()) is None


def test_a_preparation_that_was_removed_is_made_again(desk: Desk) -> None:
    draft = desk.save_recipe(put(desk), RECIPE)
    done = prepared(desk, draft)
    shutil.rmtree(done.folder)
    assert prepared(desk, draft).content_sha256 == done.content_sha256
    assert done.items_path.exists()


def test_only_what_is_needed_stays_on_the_disk(desk: Desk) -> None:
    draft = desk.save_recipe(put(desk), RECIPE)
    desk.add_step(draft, LeaveOut(code="*"))
    sent = prepared(desk, draft)
    account = Keyring(SECRET).add("sk-canary", kind="sandbox", base_url="sandbox")
    outbox.submit(
        desk.ledger,
        owner="ann",
        draft_id=draft.id,
        prepared=sent,
        label="",
        account=account,
        session="session",
        file_name=draft.file_name,
        now=1.0,
    )
    for prompt in ("Rate {{review}}", "Weigh {{review}}"):
        turns = (Turn(role="user", text=prompt),)
        last = prepared(desk, desk.save_recipe(now(desk, draft), RECIPE.model_copy(update={"turns": turns})))
    kept = {path.name for path in Path(draft.folder).glob("prepared-*")}
    assert kept == {sent.folder.name, last.folder.name}


def test_the_file_before_is_there_to_be_compared(desk: Desk) -> None:
    draft = desk.save_recipe(put(desk), RECIPE)
    first = prepared(desk, draft)
    assert desk.earlier(draft, first) is None
    again = put(desk, SHEET.replace(b"Too small", b"Too big"), into=now(desk, draft))
    second = prepared(desk, again)
    earlier = desk.earlier(again, second)
    assert earlier is not None
    assert earlier.content_sha256 == first.content_sha256 != second.content_sha256


def test_a_draft_is_its_owners_only(make_desk: Callable[..., Desk]) -> None:
    ann, eve = make_desk("ann"), make_desk("eve")
    draft = ann.save_recipe(put(ann), RECIPE)
    assert eve.find(draft.id) is None
    with pytest.raises(NoSuchDraft):
        eve.save_label(draft, "mine")
    with pytest.raises(NoSuchDraft):
        eve.add_step(draft, LeaveOut(code="*"))
    with pytest.raises(NoSuchDraft):
        eve.put_file("mine.csv", io.BytesIO(SHEET), into=draft)
    assert now(ann, draft).file_name == "reviews.csv"


@pytest.mark.parametrize("draft_id", [None, "", "nowhere", "../x", "' or 1=1 --"])
def test_no_draft_is_found_under_no_id(desk: Desk, draft_id: str | None) -> None:
    put(desk)
    assert desk.find(draft_id) is None


def test_a_removed_drafts_files_go(desk: Desk) -> None:
    draft = put(desk)
    desk.remove_files(draft)
    assert not Path(draft.folder).exists()


def test_the_first_ids_that_change_are_shown_with_what_becomes_of_them(desk: Desk) -> None:
    table = reading(desk, put(desk)).table_path
    changed = changed_ids(table, IdRule(column="id"))
    assert [before for before, _ in changed] == ["R 2", ""]
    ids = ids_of(table, IdRule(column="id"))
    assert [after for _, after in changed] == [ids.of(3, "R 2"), ids.of(4, "")]
    assert changed_ids(table, IdRule(column="id"), 1) == changed[:1]


@pytest.mark.parametrize("column", [None, "nowhere"])
def test_without_a_column_no_id_changes(desk: Desk, column: str | None) -> None:
    assert changed_ids(reading(desk, put(desk)).table_path, IdRule(column=column)) == ()


def test_two_mends_made_from_one_drawn_page_are_both_kept(desk: Desk) -> None:
    drawn = desk.save_recipe(put(desk), RECIPE)
    desk.add_step(drawn, LeaveOut(code="*"))
    desk.add_step(drawn, MEND)
    desk.add_step(drawn, LeaveOut(code="*"))
    desk.add_step(drawn, MEND.model_copy(update={"text": "Again"}))
    kinds = [(step.kind, getattr(step, "text", None)) for step in desk.steps(now(desk, drawn))]
    assert kinds == [("leave-out", None), ("edit-cell", "Again")]
    desk.take_back(drawn, LeaveOut(code="*"))
    assert [step.kind for step in desk.steps(now(desk, drawn))] == ["edit-cell"]


def test_a_check_under_way_does_not_become_the_next_files(desk: Desk) -> None:
    draft = desk.save_recipe(put(desk), RECIPE)
    gate = threading.Event()
    desk.jobs.start("gate", "shut", lambda _progress: gate.wait(60))
    reading = desk.reading(draft)
    assert reading is not None
    job = desk.prepare(draft, reading, RECIPE, ())
    replaced = desk.put_file("reviews.csv", io.BytesIO(SHEET.replace(b"r-1", b"r-9")), into=now(desk, draft))
    gate.set()
    assert job.done.wait(60)
    ended(desk.reading_job(replaced))
    assert now(desk, draft).prepared is None
