"""Made-up answers satisfy their schema; `jsonschema` is the judge."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from valar_ui.sandbox.conform import Unsatisfiable, conforms
from valar_ui.sandbox.samples import sample

REVIEW: dict[str, Any] = {
    "type": "object",
    "properties": {
        "sentiment": {"type": "string", "enum": ["good", "bad", "mixed"]},
        "stars": {"type": "integer", "minimum": 1, "maximum": 5},
        "score": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "recommends": {"type": "boolean"},
        "topics": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 5, "uniqueItems": True},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "required": ["sentiment", "stars", "score", "recommends", "topics", "note"],
    "additionalProperties": False,
}

TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                "parent": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["name", "children", "parent"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}

KNOWN: list[tuple[str, dict[str, Any]]] = [
    ("review", REVIEW),
    ("tree", TREE),
    ("nothing said", {}),
    ("constant", {"const": {"a": [1, None]}}),
    ("types", {"type": ["null", "integer"]}),
    ("all of", {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 4}, {"multipleOf": 2}]}),
    ("one of, shared keys", {"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "type": "object"}),
    ("if", {"type": "object", "required": ["k"], "properties": {"k": {"enum": ["a", "b"]}},
            "if": {"properties": {"k": {"const": "a"}}}, "then": {"required": ["x"]}, "else": {"required": ["y"]}}),
    ("tuple", {"type": "array", "prefixItems": [{"type": "string"}, {"type": "null"}], "items": False, "minItems": 2}),
    ("contains", {"type": "array", "contains": {"const": 7}, "minContains": 2, "minItems": 4}),
    ("map", {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 3}),
    ("pattern keys", {"type": "object", "patternProperties": {"^sandbox_": {"type": "boolean"}}, "minProperties": 2}),
    ("long text", {"type": "string", "minLength": 500, "maxLength": 500}),
    ("short text", {"type": "string", "maxLength": 3}),
    ("date", {"type": "string", "format": "date"}),
    ("digits", {"type": "string", "pattern": "^[0-9]{5}$"}),
    ("code", {"type": "string", "pattern": r"^[A-Z]{2}-\d{2}$"}),
    ("below", {"type": "number", "maximum": -5}),
    ("step", {"type": "number", "multipleOf": 0.5, "minimum": 0.2, "maximum": 0.9}),
    ("not", {"type": "integer", "minimum": 1, "maximum": 3, "not": {"const": 2}}),
    ("allOf of objects", {"allOf": [
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"maxLength": 4}, "b": {"type": "null"}}, "required": ["b"]}]}),
    ("escaped reference", {"$defs": {"a/b": {"type": "null"}}, "$ref": "#/$defs/a~1b"}),
]  # fmt: skip


@pytest.mark.parametrize("schema", [schema for _, schema in KNOWN], ids=[name for name, _ in KNOWN])
@pytest.mark.parametrize("seed", [0, 1, 2, 12345678901234567])
def test_a_sample_satisfies_its_schema(schema: dict[str, Any], seed: int) -> None:
    value = sample(schema, seed=seed)
    assert list(Draft202012Validator(schema).iter_errors(value)) == []
    assert sample(schema, seed=seed) == value


def test_seeds_differ() -> None:
    assert len({repr(sample(REVIEW, seed=seed)) for seed in range(10)}) > 5


def test_a_text_says_where_it_comes_from() -> None:
    assert "sandbox" in sample({"type": "string"}, seed=3)


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "string", "enum": [1]},
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "#/$defs/missing"},
        {"$ref": "#"},
        {"allOf": [{"type": "string"}, {"type": "object"}]},
        {"type": "integer", "minimum": 5, "maximum": 4},
        {"type": "strnig"},
        {"type": "string", "pattern": "("},
        {"type": "object", "properties": 7},
        {"anyOf": []},
        {"type": []},
        {"type": "object", "required": [{}]},
        {"type": "string", "minLength": 10**12},
        {"type": "array", "minItems": 10**9},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True, "minItems": 3},
    ],
)
def test_what_cannot_be_satisfied_is_said_so(schema: Any) -> None:
    with pytest.raises(Unsatisfiable):
        sample(schema, seed=0)


names = st.sampled_from(["a", "b", "c", "long name", "ü"])
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "yes"])


def bounds(low: str, high: str, least: int, most: int) -> st.SearchStrategy[dict[str, int]]:
    """Two keywords in the right order, either may be missing."""
    return st.tuples(st.integers(least, most), st.integers(least, most), st.sets(st.sampled_from([low, high]))).map(
        lambda found: {
            name: number for name, number in zip((low, high), sorted(found[:2]), strict=True) if name in found[2]
        }
    )


strings = bounds("minLength", "maxLength", 0, 40).map(lambda more: {"type": "string", **more})
integers = bounds("minimum", "maximum", -50, 50).map(lambda more: {"type": "integer", **more})
decimals = bounds("minimum", "maximum", -50, 50).map(lambda more: {"type": "number", **more})
simple = st.one_of(
    strings,
    integers,
    decimals,
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.lists(scalars, min_size=1, max_size=3).map(lambda values: {"enum": values}),
    scalars.map(lambda value: {"const": value}),
    st.just({"$ref": "#/$defs/shared"}),
)


def nested(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects, lists and choices of what is given."""
    objects = st.dictionaries(names, inner, max_size=4).flatmap(
        lambda properties: st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.just(properties),
                "required": st.lists(st.sampled_from([*properties, "extra"]), unique=True),
            },
            optional={"additionalProperties": inner},
        )
    )
    lists = st.tuples(inner, bounds("minItems", "maxItems", 0, 4)).map(
        lambda found: {"type": "array", "items": found[0], **found[1]}
    )
    any_of = st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"anyOf": parts})
    all_of = inner.map(lambda part: {"allOf": [part, part]})
    return st.one_of(objects, lists, any_of, all_of)


schemas = st.recursive(simple, nested, max_leaves=8).map(
    lambda schema: {**schema, "$defs": {"shared": {"type": "string", "maxLength": 7}}}
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schema=schemas, seed=st.integers(0, 2**63))
def test_made_schemas_are_satisfied(schema: dict[str, Any], seed: int) -> None:
    Draft202012Validator.check_schema(schema)
    value = sample(schema, seed=seed)
    assert list(Draft202012Validator(schema).iter_errors(value)) == []


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(schema=schemas, value=st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(names, inner)))
def test_the_check_agrees_with_jsonschema(schema: dict[str, Any], value: Any) -> None:
    assert conforms(value, schema, schema) is Draft202012Validator(schema).is_valid(value)


KEYWORDS = [
    *("type", "properties", "items", "enum", "anyOf", "oneOf", "allOf", "$ref", "minimum", "required", "minLength"),
    *("maxItems", "dependentRequired", "prefixItems", "contains", "propertyNames", "pattern", "const", "not", "if"),
    *("then", "format", "multipleOf"),
]


@settings(max_examples=200, deadline=None)
@given(
    schema=st.recursive(
        scalars | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS), inner),
    )
)
def test_nonsense_is_answered_or_refused_and_never_crashes(schema: Any) -> None:
    with contextlib.suppress(Unsatisfiable):
        assert conforms(sample(schema, seed=1), schema, schema)
