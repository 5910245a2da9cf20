"""The real request of any row, beside the mapping: as a conversation, as JSON, as code that would send it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import orjson
import streamlit as st

from valar_ui import session
from valar_ui.checks import check_recipe, look
from valar_ui.compose import Composed
from valar_ui.drafts import ids_of
from valar_ui.ledger import Draft
from valar_ui.parts import frame, problems
from valar_ui.parts.frame import count
from valar_ui.prepare import Prepared
from valar_ui.pricing import tokens_of
from valar_ui.problems import Report, Severity, title
from valar_ui.readers import Reading
from valar_ui.recipe import Recipe, Step
from valar_ui.session import literal
from valar_ui.snippets import curl, python

JUMPS: Final = {"longest": "longest", "shortest": "shortest", "first_problem": "first with a problem"}
SHOWN: Final = 20_000
"""Characters of a message that are drawn; all of them are sent."""
LONG: Final = 2_000
"""Characters from which on a message scrolls in a box of its own."""
LONG_PX: Final = 420
SPEAKERS: Final = {"system": "Instructions", "user": "You", "assistant": "Example answer"}


def _show(key: str, number: int) -> None:
    st.session_state[key] = number


def _chosen(draft: Draft, reading: Reading, recipe: Recipe, steps: Sequence[Step]) -> int:
    """Widgets that choose a row; its index in the table."""
    table = reading.table
    key = f"preview-{session.state().draft_id}-{session.state().revision}"
    here = session.state()
    # The row last looked at, also after a look at another page.
    seen = here.shown_row if here.shown_row is not None else table.number(0)
    pick, back, on = st.columns([3, 1, 1], vertical_alignment="bottom")
    number = int(pick.number_input(f"Row in the sheet (it has {len(table):,})", 0, None, seen, step=1, key=key))
    here.shown_row = number
    index = table.index_of(number)
    if index is None:
        st.warning(f"The sheet has no row {number:,} with data.")
        index = 0
    last = len(table) - 1
    back.button(
        "←", key="preview-back", disabled=index == 0, on_click=_show, args=(key, table.number(max(index - 1, 0))),
        help="The row before", width="stretch",
    )  # fmt: skip
    on.button(
        "→", key="preview-on", disabled=index == last, on_click=_show, args=(key, table.number(min(index + 1, last))),
        help="The next row", width="stretch",
    )  # fmt: skip
    _jumps(draft, reading, recipe, steps, key)
    return index


def _jump(name: str) -> None:
    session.state().jump = name


def _jumps(draft: Draft, reading: Reading, recipe: Recipe, steps: Sequence[Step], key: str) -> None:
    """Buttons that go to a telling row; finding it takes a look at every row, once for each recipe."""
    with st.container(horizontal=True):
        for name, label in JUMPS.items():
            st.button(label, key=f"preview-{name}", type="tertiary", on_click=_jump, args=(name,))
    here = session.state()
    if here.jump is None:
        return
    job = session.desk().prepare(draft, reading, recipe, steps)
    if not frame.arrived(job, "Looking through the rows …"):
        return
    name, here.jump = here.jump, None
    found = getattr(job.result, name) if job.fault is None else None
    if found is None:
        st.caption("No row has a problem." if name == "first_problem" else "No row can be composed yet.")
        return
    number = reading.table.number(found)
    st.session_state[f"{key}-jump"] = number
    if name == "first_problem":
        here.told_row = (number, tuple(_told_of(job.result, number)))
    st.rerun()


def _told_of(prepared: Prepared, number: int) -> Iterator[str]:
    """The causes that Check names this row for, in words."""
    for group in prepared.report.groups:
        if number in group.rows and group.severity is not Severity.NOTE:
            yield title(group.code)


def _conversation(params: dict[str, Any]) -> None:
    spoken = params.get("input")
    messages = spoken if isinstance(spoken, list) else [{"role": "user", "content": spoken}]
    if isinstance(spoken, dict):
        messages = spoken.get("messages", [])
    for message in messages:
        with st.container(border=True):
            st.caption(SPEAKERS.get(str(message.get("role")), literal(str(message.get("role")))))
            content = message.get("content")
            for part in content if isinstance(content, list) else [{"type": "input_text", "text": content}]:
                if part.get("type") == "input_image":
                    st.caption(":material/image: image")
                    st.code(str(part.get("image_url"))[:300], language=None, wrap_lines=True)
                else:
                    _text(str(part.get("text")))


def _text(text: str) -> None:
    with st.container(height=LONG_PX if len(text) > LONG else "content", border=False):
        st.text(text[:SHOWN])
    if len(text) > SHOWN:
        st.caption(f"The first {SHOWN:,} of {len(text):,} characters are shown; all of them are sent.")


def panel(draft: Draft, reading: Reading, recipe: Recipe, steps: tuple[Step, ...]) -> None:
    """The chosen row's request and its problems."""
    st.subheader("What will be sent", anchor=False)
    key = f"preview-{session.state().draft_id}-{session.state().revision}"
    jump = st.session_state.pop(f"{key}-jump", None)
    if jump is not None:
        st.session_state[key] = jump
    lacking = [it for it in check_recipe(recipe, reading.columns) if it.code == "unknown-column"]
    index = _chosen(draft, reading, recipe, steps)
    if lacking or not (recipe.prompt.strip() or recipe.images):
        why = "once every hole in the prompt names a column" if lacking else "as soon as there is a prompt"
        st.info(f"The request appears here {why}.")
        return
    ids = ids_of(reading.table_path, recipe.custom_id, steps)
    composed, found = look(reading.table, recipe, index, steps=steps, reading=reading.report, ids=ids)
    report = Report()
    report.extend(found)
    for group in report.groups:
        problems.group(group)
    shown = {title(group.code) for group in report.groups}
    row, causes = session.state().told_row
    if row == reading.table.number(index) and (elsewhere := [cause for cause in causes if cause not in shown]):
        st.caption(f":material/warning: Check names this row for: {literal(', '.join(elsewhere), most=300)}.")
    if composed.body and any(group.severity is Severity.ERROR for group in report.groups):
        st.caption("**This row is not sent as it stands.** Without what is wrong, its request would be:")
    if composed.body:
        _draw(composed)


def _draw(composed: Composed) -> None:
    item = orjson.loads(composed.item)
    _conversation(item["params"])
    tokens = tokens_of(composed.characters, composed.wide, images=composed.images)
    st.caption(f"id **{literal(str(item['custom_id']))}** · about {count(tokens, 'token')} in")
    base_url = session.services().settings.base_url
    written: dict[str, tuple[str, Callable[[], str]]] = {
        "JSON": ("json", lambda: orjson.dumps(item, option=orjson.OPT_INDENT_2).decode()),
        "curl": ("bash", lambda: curl(composed, base_url=base_url)),
        "Python": ("python", lambda: python(composed, base_url=base_url)),
    }
    # Made and drawn only while somebody looks: colouring code takes the browser a while.
    chosen = st.segmented_control("The same as code", list(written), key="as-code")
    if chosen is not None:
        language, made = written[chosen]
        st.code(made(), language=language, wrap_lines=True)


def folded_row(reading: Reading, recipe: Recipe, index: int, steps: Sequence[Step]) -> None:
    """One row's request, drawn once its fold is opened."""
    fold = st.expander("Its request", key="row-request", on_change="rerun")
    if fold.open:
        with fold:
            composed, _ = look(reading.table, recipe, index, steps=steps, reading=reading.report)
            if composed.body:
                _draw(composed)
            else:
                st.caption("It cannot be composed.")
