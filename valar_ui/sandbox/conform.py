"""Whether a value satisfies a JSON schema: the keywords that describe answers, `$ref` within the schema included."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

DEEPEST: Final = 60
"""References and levels followed before a schema counts as endless."""


class Unsatisfiable(ValueError):
    """No value was found, or the schema makes no sense; the message says why, as the end of a sentence."""


def conforms(value: Any, schema: Any, root: Any, *, depth: int = 0) -> bool:
    """Whether `value` satisfies `schema`; `root` is what `$ref` points into. Raises `Unsatisfiable`."""
    if isinstance(schema, bool):
        return schema
    if not isinstance(schema, Mapping):
        raise Unsatisfiable("a part of it is neither an object nor true or false")
    if depth > DEEPEST:
        raise Unsatisfiable("it refers to itself without end")

    def fits(part: Any, inner: Any = value) -> bool:
        return conforms(inner, part, root, depth=depth + 1)

    if "$ref" in schema and not fits(resolve(schema["$ref"], root)):
        return False
    if "type" in schema and not any(is_type(value, name) for name in type_names(schema)):
        return False
    if "const" in schema and not same(value, schema["const"]):
        return False
    if "enum" in schema and not any(same(value, allowed) for allowed in list_of(schema, "enum")):
        return False
    if not all(fits(part) for part in list_of(schema, "allOf")):
        return False
    if "anyOf" in schema and not any(fits(part) for part in list_of(schema, "anyOf")):
        return False
    if "oneOf" in schema and sum(fits(part) for part in list_of(schema, "oneOf")) != 1:
        return False
    if "not" in schema and fits(schema["not"]):
        return False
    if "if" in schema and not fits(schema.get("then" if fits(schema["if"]) else "else", True)):
        return False
    return _by_type(value, schema, fits)


def resolve(reference: Any, root: Any) -> Any:
    """The part of `root` that a `#/…` reference names."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise Unsatisfiable("it refers to another document")
    place = root
    for step in reference[1:].split("/")[1:]:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(place, Mapping) and name in place:
            place = place[name]
        elif isinstance(place, list) and name.isdigit() and int(name) < len(place):
            place = place[int(name)]
        else:
            raise Unsatisfiable(f"{reference[:80]!r} leads nowhere")
    return place


def list_of(schema: Mapping[str, Any], keyword: str) -> list[Any]:
    """The list under a keyword, empty where the keyword is missing."""
    value = schema.get(keyword, [])
    if not isinstance(value, list):
        raise Unsatisfiable(f"{keyword} is not a list")
    return value


def map_of(schema: Mapping[str, Any], keyword: str) -> Mapping[str, Any]:
    """The object under a keyword, empty where the keyword is missing."""
    value = schema.get(keyword, {})
    if not isinstance(value, Mapping):
        raise Unsatisfiable(f"{keyword} is not an object")
    return value


def number_of(schema: Mapping[str, Any], keyword: str, otherwise: float) -> float:
    """The number under a keyword."""
    value = schema.get(keyword, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unsatisfiable(f"{keyword} is not a number")
    return value


def type_names(schema: Mapping[str, Any]) -> list[str]:
    """The types a schema allows."""
    names = schema["type"]
    names = names if isinstance(names, list) else [names]
    if not names or not all(isinstance(name, str) for name in names):
        raise Unsatisfiable("type is not a word")
    return list(names)


def is_type(value: Any, name: str) -> bool:
    """Whether a value has a type of JSON Schema; 1.0 is an integer, true is not."""
    if name in ("integer", "number"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return name == "number" or isinstance(value, int) or value.is_integer()
    kinds = {"string": str, "boolean": bool, "null": type(None), "object": Mapping, "array": list}
    if name not in kinds:
        raise Unsatisfiable(f"there is no type {name[:40]!r}")
    return isinstance(value, kinds[name])


def same(one: Any, other: Any) -> bool:
    """JSON equality: 1 equals 1.0, true equals neither."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return bool(one == other)


def matches(pattern: Any, text: str) -> bool:
    """Whether a regular expression is found in a text."""
    try:
        return re.search(pattern, text) is not None
    except (re.error, TypeError, RecursionError, OverflowError):
        raise Unsatisfiable("it holds a pattern that cannot be read") from None


def _by_type(value: Any, schema: Mapping[str, Any], fits: Callable[..., bool]) -> bool:
    if isinstance(value, str):
        return _string(value, schema)
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int | float):
        return _number(value, schema)
    if isinstance(value, list):
        return _array(value, schema, fits)
    return _object(value, schema, fits)


def _string(value: str, schema: Mapping[str, Any]) -> bool:
    if not number_of(schema, "minLength", 0) <= len(value) <= number_of(schema, "maxLength", float("inf")):
        return False
    return "pattern" not in schema or matches(schema["pattern"], value)


def _number(value: float, schema: Mapping[str, Any]) -> bool:
    infinite = float("inf")
    if not number_of(schema, "minimum", -infinite) <= value <= number_of(schema, "maximum", infinite):
        return False
    if not number_of(schema, "exclusiveMinimum", -infinite) < value < number_of(schema, "exclusiveMaximum", infinite):
        return False
    step = number_of(schema, "multipleOf", 0)
    if not step:
        return True
    return value % step == 0 if isinstance(step, int) and isinstance(value, int) else (value / step).is_integer()


def _array(value: list[Any], schema: Mapping[str, Any], fits: Callable[..., bool]) -> bool:
    if not number_of(schema, "minItems", 0) <= len(value) <= number_of(schema, "maxItems", float("inf")):
        return False
    if schema.get("uniqueItems") is True and any(
        same(one, other) for at, one in enumerate(value) for other in value[:at]
    ):
        return False
    first = list_of(schema, "prefixItems")
    if not all(fits(part, inner) for part, inner in zip(first, value, strict=False)):
        return False
    if "items" in schema and not all(fits(schema["items"], inner) for inner in value[len(first) :]):
        return False
    if "contains" in schema:
        found = sum(fits(schema["contains"], inner) for inner in value)
        return number_of(schema, "minContains", 1) <= found <= number_of(schema, "maxContains", float("inf"))
    return True


def _object(value: Mapping[str, Any], schema: Mapping[str, Any], fits: Callable[..., bool]) -> bool:
    if not number_of(schema, "minProperties", 0) <= len(value) <= number_of(schema, "maxProperties", float("inf")):
        return False
    if not all(name in value for name in list_of(schema, "required")):
        return False
    for name, needed in map_of(schema, "dependentRequired").items():
        if name in value and not all(other in value for other in needed):
            return False
    named, patterns = map_of(schema, "properties"), map_of(schema, "patternProperties")
    for name, inner in value.items():
        rules = [named[name]] if name in named else []
        rules += [rule for pattern, rule in patterns.items() if matches(pattern, name)]
        if not rules and "additionalProperties" in schema:
            rules = [schema["additionalProperties"]]
        if "propertyNames" in schema and not fits(schema["propertyNames"], name):
            return False
        if not all(fits(rule, inner) for rule in rules):
            return False
    return True
