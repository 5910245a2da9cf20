"""The answer's shape: fields → `text.format`, and what is wrong with either, or with a schema written by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from valar_ui.flaws import Flaw, shown
from valar_ui.problems import Severity
from valar_ui.recipe import AnswerField, Recipe

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_TYPES: Final[dict[str, dict[str, Any]]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "yes/no": {"type": "boolean"},
    "one of": {"type": "string"},
    "list of text": {"type": "array", "items": {"type": "string"}},
}
_JSON_TYPES: Final = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_DEEPEST: Final = 64


def answer_format(recipe: Recipe) -> dict[str, Any] | None:
    """The value of `text.format`, or None where the answer is free text."""
    if recipe.answer_schema is not None:
        schema = recipe.answer_schema
    elif recipe.answer_fields:
        schema = fields_schema(recipe.answer_fields)
    else:
        return None
    return {"type": "json_schema", "name": recipe.answer_name, "schema": schema, "strict": is_strict(schema)}


def fields_schema(fields: tuple[AnswerField, ...]) -> dict[str, Any]:
    """A strict JSON schema: no other keys, all required, an optional field may be null."""
    return {
        "type": "object",
        "properties": {field.name: _property(field) for field in fields},
        "required": [field.name for field in fields],
        "additionalProperties": False,
    }


def _property(field: AnswerField) -> dict[str, Any]:
    schema = dict(_TYPES[field.type])
    if field.type == "one of":
        schema["enum"] = list(field.choices)
    if not field.required:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"].append(None)
    if field.description:
        schema["description"] = field.description
    return schema


def answer_flaws(recipe: Recipe) -> Iterator[Flaw]:
    """What is wrong with the answer's shape; nothing where the answer is free text."""
    if recipe.answer_schema is None and not recipe.answer_fields:
        return
    if not _NAME.fullmatch(recipe.answer_name):
        yield Flaw(
            "answer-name",
            f"The answer's name is {shown(recipe.answer_name)}.",
            "Use 1 to 64 letters, digits, - and _.",
        )
    if recipe.answer_schema is not None:
        yield from schema_flaws(recipe.answer_schema)
        return
    seen: set[str] = set()
    for at, field in enumerate(recipe.answer_fields, start=1):
        if not field.name.strip():
            yield Flaw("answer-field-name", f"Answer field {at} has no name.", "Give it a name.")
        elif field.name in seen:
            yield Flaw("answer-field-twice", f"Two answer fields are called {shown(field.name)}.", "Rename one.")
        seen.add(field.name)
        if field.type == "one of":
            if not field.choices or not all(choice.strip() for choice in field.choices):
                yield Flaw(
                    "answer-choices", f"{shown(field.name)} has no list to choose from.", "Write the allowed answers."
                )
            elif len(set(field.choices)) < len(field.choices):
                yield Flaw(
                    "answer-choices", f"{shown(field.name)} lists an answer twice.", "List each allowed answer once."
                )


def is_strict(schema: Any) -> bool:
    """Whether every object of a schema names all its keys, requires them and takes no others."""
    return not any(flaw.code == "schema-not-strict" for flaw in schema_flaws(schema))


def schema_flaws(schema: Any) -> Iterator[Flaw]:
    """What is wrong with a schema written by hand; not being strict is worth a note, no more."""
    if not isinstance(schema, dict):
        yield Flaw("schema-shape", "The answer's schema is not an object.", 'Write {"type": "object", …}.')
        return
    if schema.get("type") != "object":
        yield Flaw("schema-root", "The answer's schema is not for an object.", 'Begin it with "type": "object".')
    yield from _flaws(schema, "the schema", schema, 0)


def _flaws(schema: Any, place: str, root: dict[str, Any], depth: int) -> Iterator[Flaw]:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict) or depth > _DEEPEST:
        yield Flaw("schema-shape", f"{place} is not a schema.", "A schema is an object.")
        return
    named = schema.get("type", [])
    for kind in named if isinstance(named, list) else [named]:
        if not (isinstance(kind, str) and kind in _JSON_TYPES):
            yield Flaw("schema-type", f"{place} has the type {shown(kind)}.", f"Use {', '.join(sorted(_JSON_TYPES))}.")
    if "enum" in schema and not (isinstance(schema["enum"], list) and schema["enum"]):
        yield Flaw("schema-shape", f"The enum of {place} is no list with members.", "List the allowed values.")
    if "$ref" in schema and not _resolves(schema["$ref"], root):
        yield Flaw("schema-ref", f"{place} refers to {shown(schema['$ref'])}, which is not there.", "Correct the $ref.")
    yield from _object_flaws(schema, place, root, depth)
    for key in ("items", "not"):
        if key in schema:
            yield from _flaws(schema[key], f"{key} of {place}", root, depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        branches = schema.get(key, [])
        if not isinstance(branches, list) or (key in schema and not branches):
            yield Flaw("schema-shape", f"{key} of {place} is no list with members.", "List the alternatives.")
            continue
        for branch in branches:
            yield from _flaws(branch, f"{key} of {place}", root, depth + 1)
    for key in ("$defs", "definitions"):
        definitions = schema.get(key, {})
        if not isinstance(definitions, dict):
            yield Flaw("schema-shape", f"{key} of {place} is no object.", "Write the definitions by name.")
            continue
        for name, definition in definitions.items():
            yield from _flaws(definition, f"{shown(name)} of {key}", root, depth + 1)


def _object_flaws(schema: dict[str, Any], place: str, root: dict[str, Any], depth: int) -> Iterator[Flaw]:
    named = schema.get("type")
    is_object = named == "object" or (isinstance(named, list) and "object" in named)
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        yield Flaw("schema-shape", f"The properties of {place} are no object.", "Write the properties by name.")
        return
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        yield Flaw("schema-shape", f"required of {place} is no list of names.", "List the required names.")
        return
    for name in required:
        if name not in properties:
            yield Flaw(
                "schema-required", f"{place} requires {shown(name)} but does not describe it.", "Add it to properties."
            )
    if (is_object or properties) and (
        schema.get("additionalProperties") is not False or set(required) != set(properties)
    ):
        yield Flaw(
            "schema-not-strict",
            f"{place} lets an answer leave keys out or add some, so it is sent with strict off.",
            'For strict answers list every property under "required" and set "additionalProperties": false.',
            Severity.NOTE,
        )
    for name, member in properties.items():
        yield from _flaws(member, shown(name), root, depth + 1)


def _resolves(reference: Any, root: dict[str, Any]) -> bool:
    if not isinstance(reference, str) or not reference.startswith("#"):
        return False
    target: Any = root
    for step in reference[1:].split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(target, dict) or step not in target:
            return False
        target = target[step]
    return True
