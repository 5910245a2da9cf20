"""The whole journey in a browser: by mouse, by keyboard, and what comes down to the person's computer."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.driver import Visitor, keyed, leave, open_page, press, refresh, running, settled, upload
from tests.e2e.journey import (
    batch_id_shown,
    button,
    dispatches,
    made,
    mapping,
    pick,
    sheet,
    to_map,
    to_submit,
    wait_until,
    write,
)
from tests.e2e.server import AppServer

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One deployment for the tests of this file: each browser is somebody else."""
    server = AppServer(tmp_path_factory.mktemp("journey"), environment={"VALAR_UI_SHARED": "1"}).start()
    yield server
    server.kill()
    assert "page failed" not in server.logged()
    assert "Traceback" not in server.logged()


@pytest.fixture
def ann(app: AppServer, warm_visitor: Visitor) -> Iterator[Visitor]:
    """Somebody whose browser asks this server only, and complains of nothing."""
    yield warm_visitor
    assert warm_visitor.foreign(app.url) == set()
    assert warm_visitor.complaints == []


def test_from_the_sample_to_a_batch_id_by_mouse(app: AppServer, ann: Visitor) -> None:
    before = made(app)
    page = open_page(ann.tab(), app.url)
    press(page, key="sample")
    leave(page)
    press(page, key="example")
    leave(page)
    leave(page)
    press(page, key="submit")
    batch_id = batch_id_shown(page)
    assert made(app) == [*before, batch_id]
    leave(page)
    expect(page.get_by_test_id("stDataFrame").first).to_be_visible()
    expect(page).to_have_url(re.compile("/batches"))


def focused(locator: Locator) -> bool:
    """Whether the keyboard's next key goes to this widget."""
    return bool(locator.count()) and bool(locator.evaluate("it => it.contains(document.activeElement)"))


def tab_to(page: Page, key: str, what: str = "") -> None:
    """Press Tab until the widget with this key, or one part of it, has the keyboard."""
    widget = keyed(page, key).locator(what).first if what else keyed(page, key).first
    for _ in range(150):
        if focused(widget):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {key}")


def press_key(page: Page, key: str) -> None:
    """Go to a button and press Enter."""
    expect(button(page, key)).to_be_enabled()
    tab_to(page, key, "button")
    running(page, lambda: page.keyboard.press("Enter"))


def test_from_the_sample_to_a_batch_id_by_keyboard(app: AppServer, ann: Visitor) -> None:
    before = made(app)
    page = open_page(ann.tab(), app.url)
    press_key(page, "sample")
    leave(page, act=lambda: press_key(page, "way-on"))
    tab_to(page, mapping(page, "prompt"), "textarea")
    page.keyboard.type("Judge {{rev")
    running(page, lambda: page.keyboard.press("Control+Enter"))
    tab_to(page, mapping(page, "prompt"), "textarea")
    page.keyboard.press("End")
    page.keyboard.type("iew}} of {{product}}")
    running(page, lambda: page.keyboard.press("Control+Enter"))
    tab_to(page, mapping(page, "id"), "input")
    page.keyboard.type("review_id")
    running(page, lambda: page.keyboard.press("Enter"))
    expect(page.get_by_text("Judge Boils a full litre").first).to_be_visible()
    leave(page, act=lambda: press_key(page, "way-on"))
    leave(page, act=lambda: press_key(page, "way-on"))
    press_key(page, "submit")
    batch_id = batch_id_shown(page)
    assert made(app) == [*before, batch_id]


def test_a_refresh_in_the_middle_of_mapping_loses_nothing(app: AppServer, ann: Visitor) -> None:
    page = to_map(ann.tab(), app, sheet("refreshed"), prompt="Weigh {{review}}")
    write(page, "Be brief.", "system")
    refresh(page)
    expect(page.locator('[class*="st-key-map-"][class*="-prompt"]').first).to_be_visible()
    expect(keyed(page, mapping(page, "prompt")).locator("textarea")).to_have_value("Weigh {{review}}")
    expect(keyed(page, mapping(page, "system")).locator("textarea")).to_have_value("Be brief.")
    expect(page.get_by_text("Weigh Review 1 of refreshed").first).to_be_visible()
    page.go_back()
    settled(page)
    page.go_forward()
    settled(page)
    expect(page.get_by_text("Weigh Review 1 of refreshed").first).to_be_visible()


@pytest.mark.parametrize("held_ms", [0, 80])
def test_a_click_elsewhere_right_after_typing_loses_no_text(app: AppServer, ann: Visitor, held_ms: int) -> None:
    page = to_map(ann.tab(), app, sheet(f"left-{held_ms}"), prompt="Weigh {{review}}")
    box = keyed(page, mapping(page, "prompt")).locator("textarea")
    box.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" and {{id}}")
    place = page.get_by_role("link", name="Check").first.bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    page.mouse.down()
    if held_ms:
        page.wait_for_timeout(held_ms)
    page.mouse.up()

    def back() -> bool:
        page.get_by_role("link", name="Map").first.click()
        settled(page)
        return page.get_by_text("Weigh Review 1").first.is_visible()

    # A tap so short may leave the person where they were, and one just slow enough lets them go a moment later.
    settled(page)
    wait_until(page, back, "the way back to the mapping")
    shown = keyed(page, mapping(page, "prompt")).locator("textarea").input_value()
    assert shown == "Weigh {{review}} and {{id}}" or (not held_ms and shown == "Weigh {{review}}")


def test_a_second_tab_is_not_overwritten_by_the_first(app: AppServer, ann: Visitor) -> None:
    first = to_map(ann.tab(), app, sheet("two-tabs"), prompt="Weigh {{review}}")
    second = open_page(ann.tab(), first.url)
    expect(second.get_by_text("Weigh Review 1 of two-tabs").first).to_be_visible()
    write(second, "Judge {{review}}")
    press(first, key="preview-on")
    expect(first.get_by_text("changed in another tab")).to_be_visible()
    expect(keyed(first, mapping(first, "prompt")).locator("textarea")).to_have_value("Judge {{review}}")
    refresh(second)
    expect(second.get_by_text("Judge Review 1 of two-tabs").first).to_be_visible()


def test_a_click_inserts_a_column_and_the_preview_follows(app: AppServer, ann: Visitor) -> None:
    page = to_map(ann.tab(), app, sheet("inserted"), prompt="Judge ")
    press(page, key=mapping(page, "insert-1"))
    expect(keyed(page, mapping(page, "prompt")).locator("textarea")).to_have_value("Judge {{review}}")
    expect(page.get_by_text("Judge Review 1 of inserted").first).to_be_visible()
    press(page, key="preview-on")
    expect(page.get_by_text("Judge Review 2 of inserted").first).to_be_visible()


def fetched(page: Page, key: str) -> tuple[str, bytes]:
    """Press the download with this key; its name and contents."""
    with page.expect_download() as caught:
        keyed(page, key).locator("a, button").first.click()
    return caught.value.suggested_filename, Path(caught.value.path()).read_bytes()


def test_the_problems_come_down_by_a_signed_address(app: AppServer, ann: Visitor) -> None:
    gaps = ("gäp; [x].csv", b"id,review\na,Good\nb,\nc,=1+1\nd,\n")
    page = to_map(ann.tab(), app, gaps, prompt="{{review}}")
    leave(page)
    name, contents = fetched(page, "problems-csv")
    rows = list(csv.DictReader(io.StringIO(contents.decode("utf-8-sig"))))
    assert name == "gäp; [x]-problems.csv"
    assert [row["Row"] for row in rows if row["Code"] == "empty-prompt"] == ["3", "5"]
    address = str(keyed(page, "problems-csv").locator("a").first.get_attribute("href"))
    forged = address[:-4] + "AAAA"
    assert page.request.get(page.url.split("/check")[0] + address).ok
    assert page.request.get(page.url.split("/check")[0] + forged).status == 404
    press(page, key="sheet-with-problems")
    name, contents = fetched(page, "sheet-file")
    assert (name, contents[:2]) == ("gäp; [x]-with-problems.xlsx", b"PK")


def test_the_recipe_and_the_receipt_and_the_list_come_down(app: AppServer, ann: Visitor) -> None:
    page = to_map(ann.tab(), app, sheet("downloaded"))
    running(page, keyed(page, "recipes").locator("summary").first.click)
    _, contents = fetched(page, "recipe-download")
    recipe = json.loads(contents)
    assert recipe["turns"][-1]["text"] == "Judge {{review}}"
    assert b"downloaded" not in contents
    leave(page)
    leave(page)
    press(page, key="submit")
    batch_id = batch_id_shown(page)
    receipt = page.locator('[class*="st-key-receipt-"] summary').first
    receipt.click()
    with page.expect_download() as caught:
        page.locator('[class*="st-key-receipt-file-"] button').first.click()
    assert batch_id in Path(caught.value.path()).read_text("utf-8")
    leave(page)
    _, contents = fetched(page, "batches-csv")
    rows = list(csv.DictReader(io.StringIO(contents.decode("utf-8-sig"))))
    assert [(row["id"], row["requests"], row["file"]) for row in rows] == [(batch_id, "3", "downloaded.csv")]


def test_two_people_see_nothing_of_each_other(app: AppServer, ann: Visitor, new_visitor: NewVisitor) -> None:
    page = to_submit(ann.tab(), app, sheet("private"))
    press(page, key="submit")
    batch_id = batch_id_shown(page)
    leave(page)
    expect(page).to_have_url(re.compile("/batches.*draft="))
    draft = page.url.partition("?")[2]
    eve = new_visitor()
    spy = eve.tab()
    for address in ("", "map", "check", "submit", "batches"):
        open_page(spy, f"{app.url}/{address}?{draft}")
        text = spy.locator("body").inner_text()
        assert "private" not in text, address
        assert batch_id not in text, address
        assert "draft=" not in spy.url.partition("?")[2] or not spy.get_by_text("private").count()
    cookies = {cookie["name"]: cookie for cookie in eve.context.cookies()}
    assert cookies["valar_browser"]["httpOnly"]
    assert cookies["valar_browser"]["value"] != ann.context.cookies()[0]["value"]


def test_a_page_that_the_browser_kept_comes_with_a_cookie_too(app: AppServer, ann: Visitor) -> None:
    page = open_page(ann.tab(), app.url)
    ann.context.clear_cookies()
    refresh(page)
    assert [cookie["name"] for cookie in ann.context.cookies()].count("valar_browser") == 1


def test_a_batch_is_opened_by_its_owner_only(app: AppServer, ann: Visitor, new_visitor: NewVisitor) -> None:
    page = to_submit(ann.tab(), app, sheet("receipt"))
    press(page, key="submit")
    batch_id = batch_id_shown(page)
    owners = {path.name for path in app.data.iterdir()}
    assert "ledger.sqlite3" in owners
    leave(page)
    canvas = page.get_by_test_id("stDataFrame").first
    expect(canvas).to_be_visible()
    box = canvas.bounding_box()
    assert box is not None
    # The first row's selection box, in the drawn table's first column.
    page.mouse.click(box["x"] + 15, box["y"] + 52)
    settled(page)
    leave(page, key="open-session")
    expect(page).to_have_url(re.compile(r"[?&]id="))
    expect(page.get_by_text(batch_id).first).to_be_visible()
    spy = open_page(new_visitor().tab(), page.url)
    assert batch_id not in spy.locator("body").inner_text()
    expect(button(spy, "begin")).to_be_visible()
    assert dispatches(app) == []


HOSTILE_HEADERS = [
    "[click](https://evil.example/a)",
    "![x](https://evil.example/b.png)",
    "<img src=https://evil.example/c.png onerror=alert(1)>",
    ":material/skull: $x^2$",
    "https://evil.example/d",
]
HOSTILE_CELLS = [
    "<script>document.title='evil'</script>",
    "[pay](https://evil.example/e) **bold**",
    "![y](https://evil.example/f.png) {{id}}",
    "$\\frac{1}{2}$ :red[blood] :material/skull:",
    "<a href='https://evil.example/g'>g</a> mail@evil.example",
]
HOSTILE_NAME = "![z](https:evil.example) **b** :material_skull: <b>.csv"
MARKUP = """() => [...document.querySelectorAll('a, img, script, iframe, object, embed, form, link')]
    .filter(it => (it.href || it.src || it.data || it.action || '').includes('evil')).length
    + document.querySelectorAll('.katex').length"""


def hostile() -> bytes:
    """A sheet whose headings and cells are markup of every kind; one row has an empty cell in each column."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", *HOSTILE_HEADERS])
    writer.writerow(["../Ä <b>", *HOSTILE_CELLS])
    writer.writerow(["[x](https://evil.example)", *reversed(HOSTILE_CELLS)])
    writer.writerow(["ok", *[""] * len(HOSTILE_HEADERS)])
    return out.getvalue().encode()


def test_hostile_text_is_only_ever_text(app: AppServer, ann: Visitor) -> None:
    page = open_page(ann.tab(), app.url)

    def harmless() -> str:
        assert page.evaluate(MARKUP) == 0
        assert page.title() != "evil"
        assert page.locator("strong", has_text="bold").count() == 0
        return page.locator("body").inner_text().replace("\u2060", "")

    def says(text: str) -> None:
        wait_until(page, lambda: text in harmless(), text)

    upload(page, (HOSTILE_NAME, hostile()))
    says("**b**")
    leave(page)
    says(HOSTILE_HEADERS[0][:15])
    write(page, " ".join(f"{{{{{name}}}}}" for name in HOSTILE_HEADERS))
    for cell in HOSTILE_CELLS:
        says(cell)
    write(page, f"{{{{{HOSTILE_HEADERS[0]}}}}} {{{{[no](https://evil.example)}}}}")
    says("{{[no](https://evil.example)}}")
    write(page, f"{{{{{HOSTILE_HEADERS[0]}}}}}")
    pick(page, "from a column", "temperature-mode")
    pick(page, HOSTILE_HEADERS[1], "temperature-column")
    harmless()
    leave(page)
    harmless()
    toggles = page.locator('[class*="st-key-rows-"] label')
    wait_until(page, lambda: toggles.count() >= 2, "the rows of two causes or more")
    for at in range(toggles.count()):
        toggles.nth(at).click()
        settled(page)
    assert toggles.count() >= 2
    says(HOSTILE_HEADERS[0])
    press(page, key="leave-out-all")
    wait_until(page, lambda: button(page, "undo-0").count() == 1, "the mend")
    harmless()


def test_the_upload_is_gone_from_the_drop_zone(app: AppServer, ann: Visitor) -> None:
    page = open_page(ann.tab(), app.url)
    upload(page, sheet("dropped"))
    expect(button(page, "way-on")).to_be_visible()
    assert page.get_by_test_id("stFileUploaderFile").count() == 0
