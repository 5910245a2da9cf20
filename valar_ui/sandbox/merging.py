"""Two JSON schemas made one that asks for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from valar_ui.sandbox.conform import Unsatisfiable, same

_HIGHEST: Final = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"})
_LOWEST: Final = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"})


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    """Both schemas at once, neither with references or choices. Raises `Unsatisfiable` where they disagree.

    Where a keyword cannot be expressed once (two patterns, two multiples), one of them stays: the value is checked
    against the whole schema afterwards.
    """
    if not one or not other:
        return one or other
    result = dict(one)
    for name, value in other.items():
        result[name] = _joined(name, result[name], value) if name in result else value
    return result


def _joined(name: str, one: Any, other: Any) -> Any:
    if name in _HIGHEST or name in _LOWEST:
        pick: Callable[[Any, Any], Any] = max if name in _HIGHEST else min
        try:
            return pick(one, other)
        except TypeError:
            raise Unsatisfiable(f"{name} is not a number") from None
    if name in ("properties", "patternProperties") and isinstance(one, Mapping) and isinstance(other, Mapping):
        both = {key: {"allOf": [one[key], other[key]]} for key in one if key in other}
        return {**one, **other, **both}
    if name == "required" and isinstance(one, list) and isinstance(other, list):
        return [*one, *(key for key in other if key not in one)]
    if name == "type":
        return _types(one, other)
    if name == "enum" and isinstance(one, list) and isinstance(other, list):
        return [value for value in one if any(same(value, allowed) for allowed in other)]
    if name == "const" and not same(one, other):
        raise Unsatisfiable("it asks for two different constants at once")
    if name in ("items", "additionalProperties", "propertyNames", "contains"):
        return one if same(one, other) else {"allOf": [one, other]}
    if name == "uniqueItems":
        return one is True or other is True
    return one


def _types(one: Any, other: Any) -> list[str]:
    mine, theirs = (value if isinstance(value, list) else [value] for value in (one, other))
    both = [name for name in mine if name in theirs]
    whole = ("integer" in mine and "number" in theirs) or ("number" in mine and "integer" in theirs)
    if whole and "integer" not in both:
        both.append("integer")
    if not both:
        raise Unsatisfiable("it asks for two types at once")
    return both
