"""The Map page's left side: every param as a control, nothing that needs JSON for the common case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import orjson
import streamlit as st

from valar_ui import limits, samples, session
from valar_ui.checks import check_recipe
from valar_ui.compose import sent_columns
from valar_ui.drafts import changed_ids
from valar_ui.ledger import Draft
from valar_ui.parts import answer, problems
from valar_ui.problems import Problem, Report, Severity
from valar_ui.readers import Reading
from valar_ui.recipe import Fixed, FromColumn, IdRule, Image, Recipe, Source, Turn
from valar_ui.session import literal
from valar_ui.suggest import suggest

LEFT_OUT: Final = "leave out"
FIXED: Final = "same for every row"
COLUMN: Final = "from a column"


class Controls:
    """Widgets of one draft: each begins with the recipe's value and keeps its own afterwards."""

    def __init__(self, draft: Draft, columns: Sequence[str]) -> None:
        self.prefix = f"map-{draft.id}-{session.state().revision}"
        self.columns = list(columns)

    def key(self, name: str, value: Any) -> str:
        """A widget's key, its first value put in the session where it has none."""
        key = f"{self.prefix}-{name}"
        if key not in st.session_state:
            st.session_state[key] = value
        return key

    def column(
        self, name: str, label: str, value: str | None, *, none: str | None = None, bare: bool = False
    ) -> str | None:
        """A choice of one column; a column the sheet no longer has counts as none."""
        options: list[str | None] = [None, *self.columns] if none is not None else list(self.columns)
        at = value if value in options else (None if none is not None else self.columns[0])
        chosen: str | None = st.selectbox(
            label,
            options,
            key=self.key(name, at),
            format_func=lambda it: none or "" if it is None else it,
            label_visibility="collapsed" if bare else "visible",
        )
        return chosen

    def source(
        self, name: str, label: str, source: Source | None, control: Any, *, required: bool = False
    ) -> Source | None:
        """A param: left out, the same everywhere, or from a column. `control(key, value)` draws the fixed value."""
        modes = [FIXED, COLUMN] if required else [LEFT_OUT, FIXED, COLUMN]
        here = COLUMN if isinstance(source, FromColumn) else FIXED if isinstance(source, Fixed) else modes[0]
        how, what = st.columns([1, 1.4], vertical_alignment="bottom")
        mode = how.selectbox(label, modes, key=self.key(f"{name}-mode", here))
        with what:
            if mode == COLUMN:
                column = self.column(f"{name}-column", f"{label}: column", getattr(source, "column", None), bare=True)
                return FromColumn(column=column) if column is not None else None
            if mode == FIXED:
                value = control(f"{label}: value", f"{name}-fixed", getattr(source, "fixed", None))
                return Fixed(fixed=value) if value not in (None, "") else None
        return None

    def whole(self, label: str, name: str, value: Any) -> int | None:
        """A whole number of at least 1, or nothing."""
        return st.number_input(
            label, min_value=1, step=1, placeholder="1024", key=self.key(name, value), label_visibility="collapsed"
        )

    def decimal(self, highest: float) -> Any:
        """A control for a number from 0 to `highest`."""

        def draw(label: str, name: str, value: Any) -> float | None:
            return st.number_input(
                label,
                0.0,
                highest,
                step=0.1,
                key=self.key(name, None if value is None else float(value)),
                label_visibility="collapsed",
            )

        return draw

    def choice(self, options: Sequence[str]) -> Any:
        """A control for one of a few words."""

        def draw(label: str, name: str, value: Any) -> str | None:
            return st.selectbox(
                label,
                list(options),
                key=self.key(name, value if value in options else options[0]),
                label_visibility="collapsed",
            )

        return draw

    def text(self, label: str, name: str, value: Any) -> str | None:
        """A line of text."""
        return st.text_input(label, key=self.key(name, value or ""), label_visibility="collapsed")

    def model(self, label: str, name: str, value: Any) -> str | None:
        """One of the account's models, or a name typed freely."""
        known = list(session.models())
        options = known if value is None or value in known else [value, *known]
        first = value or (options[0] if options else None)
        return st.selectbox(
            label,
            options,
            key=self.key(name, first),
            accept_new_options=True,
            placeholder="Type a model's name",
            label_visibility="collapsed",
        )


def _insert(key: str, column: str) -> None:
    before = st.session_state.get(key) or ""
    gap = "" if not before or before[-1].isspace() else " "
    st.session_state[key] = f"{before}{gap}{{{{{column}}}}}"


def _example(draft: Draft) -> None:
    """Put the sample's mapping over the empty one."""
    known = session.models()
    given = samples.REVIEWS_RECIPE
    recipe = Recipe(
        name=given["name"],
        model=Fixed(fixed=known[0]) if known else None,
        turns=(Turn(role="system", text=given["system"]), Turn(role="user", text=given["prompt"])),
        max_output_tokens=Fixed(fixed=given["max_output_tokens"]),
        custom_id=IdRule(column=given["id_column"]),
    )
    desk = session.desk()
    desk.save_label(desk.save_recipe(draft, recipe), given["label"])
    session.state().revision += 1


def _prompt(controls: Controls, draft: Draft, reading: Reading, recipe: Recipe) -> tuple[Turn, ...]:
    key = controls.key("prompt", recipe.prompt)
    system_key = controls.key("system", recipe.system)
    if draft.file_name == samples.REVIEWS.name and not st.session_state[key]:
        st.button("Fill in an example", key="example", icon=":material/auto_awesome:", on_click=_example, args=(draft,))
    st.text_area(
        "What should the model do with each row?",
        key=key,
        height=140,
        placeholder="Classify this review: {{review}}",
        help="Text in double braces is replaced by the cell of that column.",
    )
    shown = reading.columns[:24]
    with st.container(horizontal=True, gap="small"):
        st.caption("Insert:")
        for at, column in enumerate(shown):
            st.button(
                literal(column, most=28),
                key=f"{controls.prefix}-insert-{at}",
                on_click=_insert,
                args=(key, column),
                type="secondary",
            )
    if len(reading.columns) > len(shown):
        rest = st.selectbox(
            "More columns",
            [None, *reading.columns[len(shown) :]],
            key=f"{controls.prefix}-rest",
            format_func=lambda it: it or "…",
        )
        st.button(
            "Insert it", key=f"{controls.prefix}-insert-rest", disabled=rest is None, on_click=_insert, args=(key, rest)
        )
    st.text_area(
        "Instructions for every row (system message, optional)",
        key=system_key,
        height=80,
        placeholder="You are a careful assistant. Answer in one word.",
    )
    turns = [Turn(role="system", text=st.session_state[system_key])] if st.session_state[system_key] else []
    turns += [Turn(role=turn["role"], text=turn["text"]) for turn in _earlier(controls, recipe)]
    if st.session_state[key]:
        turns.append(Turn(role="user", text=st.session_state[key]))
    return tuple(turns)


def _earlier(controls: Controls, recipe: Recipe) -> list[dict[str, Any]]:
    """Turns between the instructions and the prompt: examples of question and answer."""
    kept = [turn for at, turn in enumerate(recipe.turns) if turn.role != "system" and at < len(recipe.turns) - 1]
    if not st.toggle("Show the model examples first", key=controls.key("examples", bool(kept))):
        return []
    pairs = st.number_input("Earlier messages", 1, 10, key=controls.key("earlier-count", max(len(kept), 2)))
    found = []
    for at in range(int(pairs)):
        role = "user" if at % 2 == 0 else "assistant"
        before = kept[at].text if at < len(kept) else ""
        label = "Example question" if role == "user" else "Example answer"
        text = st.text_area(f"{label} {at // 2 + 1}", key=controls.key(f"earlier-{at}", before), height=68)
        if text:
            found.append({"role": role, "text": text})
    return found


def _ids(controls: Controls, reading: Reading, rule: IdRule) -> IdRule:
    column = controls.column(
        "id", "Ids: which column names each row?", rule.column, none="none, make them from the row number"
    )
    if column is None:
        return IdRule()
    legal = st.toggle(
        "Make ids legal where needed",
        key=controls.key("id-legal", rule.legal),
        help="Valar takes lowercase letters, digits, - and _, at most 64 characters, and each id once. "
        "The answers are matched by row, so a changed id loses nothing.",
    )
    chosen = IdRule(column=column, legal=legal)
    examples = changed_ids(reading.table_path, chosen)
    if examples and legal:
        told = " · ".join(f"{literal(before, most=40) or '(empty)'} → `{after}`" for before, after in examples)
        st.caption(f"What becomes of ids that cannot be sent as they are: {told}")
    return chosen


def _settings(controls: Controls, recipe: Recipe) -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["max_output_tokens"] = controls.source(
        "max-output", "Longest answer (max_output_tokens)", recipe.max_output_tokens, controls.whole
    )
    found["temperature"] = controls.source(
        "temperature", "Variety (temperature, 0 to 2)", recipe.temperature, controls.decimal(limits.TEMPERATURE[1])
    )
    found["top_p"] = controls.source(
        "top-p", "Word choice (top_p, 0 to 1)", recipe.top_p, controls.decimal(limits.TOP_P[1])
    )
    return found


def _more(controls: Controls, recipe: Recipe) -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["reasoning_effort"] = controls.source(
        "effort", "Thinking (reasoning.effort)", recipe.reasoning_effort, controls.choice(limits.EFFORTS)
    )
    found["reasoning_summary"] = controls.source(
        "summary",
        "Summary of the thinking (generate_summary)",
        recipe.reasoning_summary,
        controls.choice(limits.SUMMARIES),
    )
    images = st.multiselect(
        "Images: columns that hold their addresses",
        controls.columns,
        key=controls.key("images", [image.column for image in recipe.images if image.column in controls.columns]),
        max_selections=limits.MAX_IMAGES,
        help="http(s) addresses that anyone can open, or data: URIs; only for models that see images.",
    )
    details: list[Literal["auto", "low", "high"] | None] = [None, "auto", "low", "high"]
    first = recipe.images[0].detail if recipe.images else None
    detail = None
    if images:
        detail = st.selectbox(
            "How closely to look", details, key=controls.key("detail", first), format_func=lambda it: it or "leave out"
        )
    found["images"] = tuple(Image(column=column, detail=detail) for column in images)
    metadata = st.multiselect(
        "Metadata: columns to send along, for your own records",
        controls.columns,
        key=controls.key(
            "metadata",
            [
                it.column
                for it in recipe.metadata.values()
                if isinstance(it, FromColumn) and it.column in controls.columns
            ],
        ),
    )
    kept = {name: source for name, source in recipe.metadata.items() if isinstance(source, Fixed)}
    named = {it.column: name for name, it in recipe.metadata.items() if isinstance(it, FromColumn)}
    found["metadata"] = kept | {named.get(column, column): FromColumn(column=column) for column in metadata}
    found["prompt_cache_key"] = controls.source(
        "cache", "Cache key (prompt_cache_key)", recipe.prompt_cache_key, controls.text
    )
    found["user"] = controls.source("user", "End user (user)", recipe.user, controls.text)
    window = st.selectbox(
        "Completion window",
        [None, limits.BATCH_WINDOW],
        key=controls.key("window", getattr(recipe.completion_window, "fixed", None)),
        format_func=lambda it: it or "leave out (Valar takes standard)",
        help="A batch runs in the standard window: asap is not offered in a batch, flex only in the background.",
    )
    found["completion_window"] = Fixed(fixed=window) if window else None
    return found


def _json_box(controls: Controls, recipe: Recipe) -> dict[str, Any]:
    before = orjson.dumps(recipe.more, option=orjson.OPT_INDENT_2).decode() if recipe.more else ""
    text = st.text_area(
        "More params (JSON), for what has no control here",
        key=controls.key("more", before),
        height=90,
        placeholder='{"include": ["message.output_text.logprobs"]}',
    )
    if not text.strip():
        return {}
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as fault:
        st.error(f"This is no JSON yet, line {fault.lineno}: {literal(fault.msg)}. The last good version stays in use.")
        return recipe.more
    if not isinstance(value, dict):
        st.error('Params are an object: {"name": value}. The last good version stays in use.')
        return recipe.more
    return value


def edit(draft: Draft, reading: Reading) -> Recipe:
    """Draw every control; the recipe as it stands now."""
    recipe = session.desk().recipe(draft, reading)
    fresh = draft.recipe is None
    controls = Controls(draft, reading.columns)
    hints = suggest(reading.table) if fresh or not recipe.turns else {}
    if fresh:
        recipe = recipe.model_copy(update=_prefilled({target: it.column for target, it in hints.items() if it.exact}))
    model = controls.source("model", "Model", recipe.model, controls.model, required=True)
    for target, hint in hints.items():
        st.caption(
            f":material/lightbulb: {literal(target)}: column **{literal(hint.column)}**, because {literal(hint.reason)}"
        )
    turns = _prompt(controls, draft, reading, recipe)
    fields = answer.edit(controls, recipe)
    ids = _ids(controls, reading, recipe.custom_id)
    found = _settings(controls, recipe)
    with st.expander("More settings", icon=":material/settings:", key=f"{controls.prefix}-more-settings"):
        found |= _more(controls, recipe)
        found["more"] = _json_box(controls, recipe)
    edited = recipe.model_copy(update={"model": model, "turns": turns, "custom_id": ids, **fields, **found})
    report = Report()
    report.extend(check_recipe(edited, reading.columns))
    for group in report.groups:
        problems.group(group)
    sent = sent_columns(edited, reading.columns)
    st.caption(
        f"{len(sent)} of {len(reading.columns)} columns are sent"
        + (f": {literal(', '.join(sorted(sent)))}" if sent else ".")
    )
    return edited


def _prefilled(exact: dict[str, str]) -> dict[str, Any]:
    """What a new recipe begins with: exact suggestions only."""
    found: dict[str, Any] = {
        target: FromColumn(column=exact[target])
        for target in ("max_output_tokens", "temperature", "top_p", "model", "user", "prompt_cache_key")
        if target in exact
    }
    if "custom_id" in exact:
        found["custom_id"] = IdRule(column=exact["custom_id"])
    return found


def why_not(recipe: Recipe, reading: Reading) -> str | None:
    """What is missing before Check makes sense, or None."""
    if recipe.model is None:
        return "Choose a model first."
    if not recipe.prompt.strip():
        return "Write what the model should do with each row first."
    blocking: list[Problem] = [it for it in check_recipe(recipe, reading.columns) if it.severity is Severity.ERROR]
    return f"Mend this first: {literal(blocking[0].text)}" if blocking else None
