"""Somebody who uses the pages, without a browser: presses, types, chooses, drops a file, looks."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pandas as pd
from streamlit.testing.v1 import AppTest

from valar_ui import session
from valar_ui.ledger import Dispatch, Draft
from valar_ui.prepare import Prepared
from valar_ui.problems import Cause
from valar_ui.readers import Reading
from valar_ui.recipe import Recipe

ROUTER: Final = Path(__file__).resolve().parents[2] / "valar_ui" / "router.py"
PATIENCE_S: Final = 60.0
"""How long to wait for anything; a test that needs it all is failing."""
REVIEWS: Final = b"id,review\nr-1,Great kettle\nr-2,Too small\nr-3,Fine\n"
"""A sheet without any problem."""


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Look again and again until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:.0f} s for: {what}"
        time.sleep(0.02)


class Person:
    """One browser session of its own; every step draws the page until no background work is left to wait for."""

    def __init__(self, page: str = "upload", **query: str) -> None:
        self.at = AppTest.from_file(ROUTER, default_timeout=PATIENCE_S)
        self.at.query_params = dict(query)
        if page != "upload":
            # Which pages there are is known only once the router has run.
            self.at.run()
            self.at.query_params = dict(query)
            self.at.switch_page(f"../pages/{page}.py")
        self.look()

    def look(self) -> Person:
        """Draw the page, as a refresh of a fragment or a click elsewhere does."""
        self._draw()
        wait_until(lambda: self._drawn() or self._drawn_anew(), "the page's background work")
        return self

    def _draw(self) -> None:
        self.at.run()
        # AppTest would go back to a page chosen earlier whenever the app itself has moved on from it.
        self.at._page_hash = ""
        assert not self.at.exception

    def _drawn(self) -> bool:
        return not any("…" in str(bar.proto.text) for bar in self.at.get("progress"))

    def _drawn_anew(self) -> bool:
        self._draw()
        return self._drawn()

    def go(self, page: str, **query: str) -> Person:
        """Choose a page in the navigation."""
        self.at.query_params = {**self.at.query_params, **query}
        self.at.switch_page(f"../pages/{page}.py")
        return self.look()

    def press(self, key: str) -> Person:
        """Press a button."""
        button = self.at.button(key=key)
        assert not button.disabled, f"{key} is disabled"
        button.click()
        return self.look()

    def drop(self, name: str, contents: bytes) -> Person:
        """Drop a file onto the page's drop zone; on Map, it is a recipe."""
        if self.page == "Map columns":
            self.open("recipes")
        self.at.file_uploader[0].upload(name, contents)
        return self.look()

    def type(self, key: str, text: str) -> Person:
        """Replace the text of a line or a box."""
        self._field(key).set_value(text)
        return self.look()

    def choose(self, key: str, value: Any) -> Person:
        """Choose an option, a number, a state."""
        self._field(key).set_value(value)
        return self.look()

    def open(self, key: str) -> Person:
        """Open a fold whose contents are drawn only then."""
        self.at.session_state[key] = True
        return self.look()

    def has(self, key: str) -> bool:
        """Whether the page has a widget with this key."""
        return any(element.key == key for element in self.elements())

    def may(self, key: str) -> bool:
        """Whether the page has this button and it can be pressed."""
        return any(element.key == key and not element.disabled for element in self.at.button)

    def may_leave_map(self) -> bool:
        """Whether the button under the mapping leads to Check, and if not, says why; the person is at Map after it."""
        if not self.may("way-on"):
            return False
        before = self.page
        moved = self.press("way-on").page != before
        if moved:
            self.go("map")
        else:
            assert self.at.error, "the button did nothing and did not say why"
        return moved

    def map(self, name: str) -> str:
        """The key of one of the mapping's widgets, for which *More settings* is opened where need be."""
        here = self.state
        prefix = f"map-{here.draft_id}-{here.revision}-"
        if self.page == "Map columns" and not self.has(prefix + name):
            self.open(f"{prefix}more-settings")
        return prefix + name

    def elements(self) -> Iterator[Any]:
        """Everything on the page that a person can touch."""
        for kind in (
            *("button", "selectbox", "text_input", "text_area", "number_input", "checkbox", "toggle", "radio"),
            *("multiselect", "button_group", "file_uploader", "download_button", "dataframe", "link_button"),
        ):
            yield from (element for element in self.at.get(kind) if getattr(element, "key", None))

    def table(self, column: str) -> pd.DataFrame:
        """The table on the page that has this column."""
        found = [frame.value for frame in self.at.dataframe if column in frame.value.columns]
        assert len(found) == 1, f"{len(found)} tables have the column {column}"
        return found[0]

    def _field(self, key: str) -> Any:
        return next(element for element in self.elements() if element.key == key)

    @property
    def state(self) -> session.State:
        """What the browser session holds."""
        found: session.State = self.at.session_state["valar"]
        return found

    @property
    def page(self) -> str:
        """The page's title."""
        return str(self.at.title[0].value)

    @property
    def words(self) -> str:
        """Everything the page says, one paragraph a line."""
        kinds = ("markdown", "caption", "title", "subheader", "text", "code", "error", "warning", "info", "success")
        return "\n".join(str(getattr(element, "value", "")) for kind in kinds for element in self.at.get(kind))

    @property
    def plain(self) -> str:
        """The same as a reader sees it: without the backslashes and joiners that keep cells from being markup."""
        return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", self.words).replace("\u2060", "")

    @property
    def sending(self) -> tuple[int, int]:
        """`187 of 200 rows will be sent`, as numbers."""
        found = re.search(r"([\d,]+) of ([\d,]+) rows?\b", self.plain)
        assert found is not None, self.plain
        return int(found[1].replace(",", "")), int(found[2].replace(",", ""))

    @property
    def owner(self) -> str:
        """By what name the ledger knows this person."""
        shared = session.services().settings.shared
        return hashlib.sha256(self.state.name.encode()).hexdigest()[:24] if shared else "local"

    @property
    def draft(self) -> Draft:
        """The draft this person works on."""
        found = session.services().ledger.draft(self.state.draft_id or "", self.owner)
        assert found is not None
        return found

    @property
    def reading(self) -> Reading:
        """How the draft's file was read."""
        assert self.draft.reading is not None
        return Reading.from_json(self.draft.reading)

    @property
    def recipe(self) -> Recipe:
        """The draft's mapping."""
        return Recipe.model_validate(self.draft.recipe or {})

    @property
    def prepared(self) -> Prepared:
        """What Check found last."""
        folder = self.draft.prepared
        assert folder is not None
        return Prepared.load(Path(folder))

    @property
    def causes(self) -> dict[Cause, list[int]]:
        """What Check found last: (code, column) → spreadsheet rows."""
        return {group.cause: list(group.rows) for group in self.prepared.report.groups}

    @property
    def codes(self) -> set[str]:
        """The codes of what Check found last."""
        return {code for code, _ in self.causes}

    @property
    def dispatches(self) -> list[Dispatch]:
        """What this person has submitted."""
        return session.services().ledger.dispatches(self.owner)

    def arrived(self) -> Person:
        """Wait until everything submitted has ended, and look at the page."""
        wait_until(lambda: all(it.final for it in self.dispatches), "the end of sending")
        return self.look()

    def keep_recipe(self, name: str) -> Person:
        """Keep the mapping among *My recipes*."""
        return self.open("recipes").type(f"recipe-name-{self.state.revision}", name).press("recipe-keep")

    def mapped(self, name: str, contents: bytes, *, prompt: str, ids: str | None = None) -> Person:
        """Drop a file and map it, as far as *Check*."""
        self.drop(name, contents).press("way-on")
        self.choose(self.map("id"), ids or "").type(self.map("prompt"), prompt)
        return self.press("way-on")
