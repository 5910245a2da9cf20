"""The answer's shape: a table of fields, or a JSON schema written by hand."""

from __future__ import annotations

import csv
from typing import Any, Final

import pandas as pd
import streamlit as st

from valar_ui.answer import fields_schema
from valar_ui.parts.controls import Controls
from valar_ui.recipe import AnswerField, Recipe

FREE: Final = "free text"
FIELDS: Final = "fields"
SCHEMA: Final = "a JSON schema"
TYPES: Final = ("text", "number", "integer", "yes/no", "one of", "list of text")
FIRST: Final = AnswerField(name="sentiment", type="one of", choices=("positive", "neutral", "negative"))
"""What an empty table begins with."""


def _quoted(choice: str) -> str:
    return '"' + choice.replace('"', '""') + '"' if "," in choice or '"' in choice else choice


def _parted(text: str) -> tuple[str, ...]:
    """The answers of a cell, written as a line of a CSV file is; a line break parts them too."""
    line = next(csv.reader([", ".join(text.splitlines())], skipinitialspace=True), [])
    return tuple(choice.strip() for choice in line if choice.strip())


def _rows(fields: tuple[AnswerField, ...]) -> pd.DataFrame:
    rows = [
        {
            "name": field.name,
            "type": field.type,
            "choices": ", ".join(map(_quoted, field.choices)),
            "description": field.description,
            "required": field.required,
        }
        for field in fields or (FIRST,)
    ]
    return pd.DataFrame(rows)


def _fields(table: pd.DataFrame) -> tuple[tuple[AnswerField, ...], int]:
    """The fields of the table, and how many of its rows have no name and so are none."""
    found, nameless = [], 0
    for row in table.to_dict("records"):
        name = "" if pd.isna(row["name"]) else str(row["name"]).strip()
        if not name:
            nameless += 1
            continue
        choices = "" if pd.isna(row["choices"]) else str(row["choices"])
        described = "" if pd.isna(row["description"]) else str(row["description"])
        found.append(
            AnswerField(
                name=name,
                type=row["type"] if row["type"] in TYPES else "text",
                description=described,
                required=bool(row["required"]) if not pd.isna(row["required"]) else True,
                choices=_parted(choices),
            )
        )
    return tuple(found), nameless


def edit(controls: Controls, recipe: Recipe) -> dict[str, Any]:
    """Draw the control; the recipe's answer parts as they stand now."""
    here = SCHEMA if recipe.answer_schema is not None else FIELDS if recipe.answer_fields else FREE
    kind = st.segmented_control(
        "Answer",
        [FREE, FIELDS, SCHEMA],
        default=here,
        key=controls.key("answer"),
        help="Fields become columns of the results.",
        required=True,
    )
    kept = controls.key("answer-kept")
    if recipe.answer_fields:
        # Another look at free text or a schema costs nobody the table.
        st.session_state[kept] = recipe.answer_fields
    if kind == FIELDS:
        return {"answer_fields": _table(controls, recipe), "answer_schema": None}
    if kind == SCHEMA:
        return {"answer_schema": _schema(controls, recipe)}
    return {"answer_fields": (), "answer_schema": None}


def _table(controls: Controls, recipe: Recipe) -> tuple[AnswerField, ...]:
    base, editor = controls.key("answer-rows"), controls.key("answer-editor")
    if editor not in st.session_state or base not in st.session_state:
        # The editor holds changes to the table it began with; where it begins anew, so does the table.
        st.session_state[base] = _rows(recipe.answer_fields or st.session_state.get(controls.key("answer-kept"), ()))
    edited = st.data_editor(
        st.session_state[base],
        key=editor,
        num_rows="dynamic",
        hide_index=True,
        column_config={
            "name": st.column_config.TextColumn("Name", default="", help="Letters, digits, - and _"),
            "type": st.column_config.SelectboxColumn("Type", options=list(TYPES), required=True, default="text"),
            "choices": st.column_config.TextColumn(
                "Choices",
                default="",
                help='For “one of”: the allowed answers, with commas between; one that has a comma itself in "quotes"',
            ),
            "description": st.column_config.TextColumn("What it means", default="", help="The model reads this"),
            "required": st.column_config.CheckboxColumn(
                "Always", default=True, help="Off: the answer may leave it empty"
            ),
        },
    )
    fields, nameless = _fields(edited)
    if nameless:
        st.warning("A field without a name is no part of the answer yet: name it, or delete its row.")
    return fields


def _schema(controls: Controls, recipe: Recipe) -> dict[str, Any]:
    """The schema as typed; it begins as that of the fields."""
    before = recipe.answer_schema
    if before is None:
        before = fields_schema(recipe.answer_fields or (FIRST,))
    return controls.json_object("schema", "JSON schema of the answer", before, height=260)
