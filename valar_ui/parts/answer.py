"""The answer's shape: a table of fields, or a JSON schema written by hand."""

from __future__ import annotations

from typing import Any, Final

import orjson
import pandas as pd
import streamlit as st

from valar_ui.parts.controls import Controls
from valar_ui.recipe import AnswerField, Recipe
from valar_ui.session import literal

FREE: Final = "free text"
FIELDS: Final = "fields"
SCHEMA: Final = "a JSON schema"
TYPES: Final = ("text", "number", "integer", "yes/no", "one of", "list of text")


def _rows(fields: tuple[AnswerField, ...]) -> pd.DataFrame:
    rows = [
        {
            "name": field.name,
            "type": field.type,
            "choices": ", ".join(field.choices),
            "description": field.description,
            "required": field.required,
        }
        for field in fields
        or (AnswerField(name="sentiment", type="one of", choices=("positive", "neutral", "negative")),)
    ]
    return pd.DataFrame(rows)


def _fields(table: pd.DataFrame) -> tuple[AnswerField, ...]:
    found = []
    for row in table.to_dict("records"):
        name = str(row["name"] or "").strip() if not pd.isna(row["name"]) else ""
        if not name:
            continue
        choices = "" if pd.isna(row["choices"]) else str(row["choices"])
        described = "" if pd.isna(row["description"]) else str(row["description"])
        found.append(
            AnswerField(
                name=name,
                type=row["type"] if row["type"] in TYPES else "text",
                description=described,
                required=bool(row["required"]) if not pd.isna(row["required"]) else True,
                choices=tuple(choice.strip() for choice in choices.split(",") if choice.strip()),
            )
        )
    return tuple(found)


def edit(controls: Controls, recipe: Recipe) -> dict[str, Any]:
    """Draw the control; the recipe's answer parts as they stand now."""
    here = SCHEMA if recipe.answer_schema is not None else FIELDS if recipe.answer_fields else FREE
    kind = st.segmented_control(
        "Answer",
        [FREE, FIELDS, SCHEMA],
        key=controls.key("answer", here),
        help="Fields become columns of the results.",
        required=True,
    )
    if kind == FIELDS:
        table_key = f"{controls.prefix}-answer-rows"
        if table_key not in st.session_state:
            st.session_state[table_key] = _rows(recipe.answer_fields)
        edited = st.data_editor(
            st.session_state[table_key],
            key=f"{controls.prefix}-answer-editor",
            num_rows="dynamic",
            hide_index=True,
            column_config={
                "name": st.column_config.TextColumn("Name", required=True, width=110, help="Letters, digits, - and _"),
                "type": st.column_config.SelectboxColumn(
                    "Type", options=list(TYPES), required=True, default="text", width=90
                ),
                "choices": st.column_config.TextColumn(
                    "Choices", width=120, help="For “one of”: the allowed answers, with commas between"
                ),
                "description": st.column_config.TextColumn("What it means", width=130, help="The model reads this"),
                "required": st.column_config.CheckboxColumn(
                    "Always", default=True, width=60, help="Off: the answer may leave it empty"
                ),
            },
        )
        return {"answer_fields": _fields(edited), "answer_schema": None}
    if kind == SCHEMA:
        return {"answer_schema": _schema(controls, recipe)}
    return {"answer_fields": (), "answer_schema": None}


def _schema(controls: Controls, recipe: Recipe) -> dict[str, Any]:
    before = recipe.answer_schema or {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    text = st.text_area(
        "JSON schema of the answer",
        key=controls.key("schema", orjson.dumps(before, option=orjson.OPT_INDENT_2).decode()),
        height=200,
    )
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as fault:
        st.error(f"This is no JSON yet, line {fault.lineno}: {literal(fault.msg)}. The last good version stays in use.")
        return before
    if isinstance(value, dict):
        return value
    st.error("A schema is an object. The last good version stays in use.")
    return before
