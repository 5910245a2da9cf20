"""A made-up value that satisfies a JSON schema: built by chance, then checked, until one fits."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import Any, Final

from valar_ui.sandbox.conform import (
    Unsatisfiable,
    conforms,
    is_type,
    list_of,
    map_of,
    matches,
    number_of,
    resolve,
    type_names,
)
from valar_ui.sandbox.merging import merged

TRIES: Final = 20
"""Values built before giving up."""

BUDGET: Final = 2_000
"""Parts of a schema visited for one value."""

SHALLOW: Final = 5
"""Below this level only what is required is made."""

DEEPEST: Final = 25
"""No value nests deeper."""

FORMATS: Final = {
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "date-time": "2026-01-31T12:00:00Z",
    "duration": "P1D",
    "email": "sandbox@example.com",
    "hostname": "sandbox.example",
    "uri": "https://sandbox.example/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}
"""A text for each format."""

TEXTS: Final = (
    "sandbox",
    "Sandbox",
    "SANDBOX",
    *FORMATS.values(),
    *("7" * count for count in range(1, 13)),
    *("a" * count for count in range(1, 13)),
    *("A" * count for count in range(1, 13)),
    "a1",
    "A1",
    "AB-12",
    "ab-12",
    "ab_12",
    "AB123",
    "EUR",
    "+12025550123",
    "12:00",
    "1.5",
    "-1.5",
    "1.2.3",
    "7%",
    "$7.00",
    "#00ff00",
    "2026",
    "2026-01",
    "31/01/2026",
    "Sandbox answer",
    "sandbox answer.",
    "",
)
"""What is tried against a pattern."""


def sample(schema: Any, *, seed: int) -> Any:
    """A value for the schema, the same for the same seed. Raises `Unsatisfiable` when none was found."""
    trouble = Unsatisfiable("none of the values tried satisfies it")
    # A schema that can be answered at all with seed 0 is answered with every seed.
    for start in (seed, 0):
        for attempt in range(TRIES):
            try:
                value = _Maker(schema, random.Random(f"{start}:{attempt}")).make(schema, 0)
                if conforms(value, schema, schema):
                    return value
            except Unsatisfiable as fault:
                trouble = fault
            except RecursionError:
                trouble = Unsatisfiable("it is nested too deeply")
            except (TypeError, ValueError, AttributeError, LookupError, OverflowError):
                trouble = Unsatisfiable("it is not a JSON schema")
    raise trouble


class _Maker:
    """Builds one value; `make` may raise `Unsatisfiable` for a choice that led nowhere."""

    def __init__(self, root: Any, chance: random.Random) -> None:
        self._root = root
        self._chance = chance
        self._left = BUDGET

    def make(self, schema: Any, depth: int) -> Any:
        """A value that should satisfy the schema."""
        self._left -= 1
        if depth > DEEPEST or self._left < 0:
            raise Unsatisfiable("it asks for more than the sandbox makes up")
        flat, choices = self._flat(schema, 0)
        return self._choose(flat, choices, depth)

    def _choose(self, flat: Mapping[str, Any], choices: list[list[Any]], depth: int) -> Any:
        if not choices:
            return self._plain(flat, depth)
        branches = self._chance.sample(choices[0], len(choices[0]))
        trouble = Unsatisfiable("a choice in it has no branch")
        for branch in branches:
            self._left -= 1
            if self._left < 0:
                break
            try:
                more, deeper = self._flat(branch, 0)
                return self._choose(merged(flat, more), choices[1:] + deeper, depth)
            except Unsatisfiable as fault:
                trouble = fault
        raise trouble

    def _flat(self, schema: Any, depth: int) -> tuple[Mapping[str, Any], list[list[Any]]]:
        """The schema without references and allOf, and the choices it leaves open."""
        if schema is True:
            return {}, []
        if not isinstance(schema, Mapping):
            raise Unsatisfiable("a part of it allows nothing")
        if depth > DEEPEST:
            raise Unsatisfiable("it refers to itself without end")
        apart = ("$ref", "allOf", "anyOf", "oneOf", "if", "then", "else")
        flat: Mapping[str, Any] = {name: value for name, value in schema.items() if name not in apart}
        choices = [list_of(schema, name) for name in ("anyOf", "oneOf") if name in schema]
        if "if" in schema:
            met = {"allOf": [schema["if"], schema.get("then", True)]}
            choices.append([met, schema.get("else", True)])
        parts = list_of(schema, "allOf")
        if "$ref" in schema:
            parts = [resolve(schema["$ref"], self._root), *parts]
        for part in parts:
            more, open_choices = self._flat(part, depth + 1)
            flat = merged(flat, more)
            choices += open_choices
        return flat, choices

    def _plain(self, schema: Mapping[str, Any], depth: int) -> Any:
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            rest = {name: value for name, value in schema.items() if name != "enum"}
            fitting = [value for value in list_of(schema, "enum") if conforms(value, rest, self._root)]
            if not fitting:
                raise Unsatisfiable("no value of an enum fits the rest")
            return self._chance.choice(fitting)
        kind = self._chance.choice(type_names(schema)) if "type" in schema else _guess(schema)
        match kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "string":
                return self._string(schema)
            case "integer" | "number":
                return self._number(schema, whole=kind == "integer")
            case "boolean":
                return self._chance.random() < 0.5
            case "null":
                return None
        raise Unsatisfiable(f"there is no type {kind[:40]!r}")

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        named = map_of(schema, "properties")
        required = list_of(schema, "required")
        most = number_of(schema, "maxProperties", math.inf)
        made: dict[str, Any] = {}
        for name in [*(name for name in named if name in required), *required]:
            if isinstance(name, str) and name not in made:
                made[name] = self.make(_rule_for(name, schema), depth + 1)
        for name, rule in named.items():
            wanted = depth < SHALLOW and self._chance.random() < 0.8
            if name in made or rule is False or not wanted or len(made) >= most:
                continue
            try:
                made[name] = self.make(_rule_for(name, schema), depth + 1)
            except Unsatisfiable:
                continue
        for name in [*named, *(f"sandbox_{at}" for at in range(1, 20)), *TEXTS]:
            if len(made) >= number_of(schema, "minProperties", 0):
                break
            if name not in made and conforms(name, schema.get("propertyNames", True), self._root):
                made[name] = self.make(_rule_for(name, schema), depth + 1)
        ordered = {name: made[name] for name in named if name in made}
        return {**ordered, **made}

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        first = list_of(schema, "prefixItems")
        least = int(number_of(schema, "minItems", 0))
        most = number_of(schema, "maxItems", math.inf)
        if schema.get("items") is False:
            most = min(most, len(first))
        wanted = self._chance.randint(1, 3) if depth < SHALLOW else 0
        if "contains" in schema:
            wanted = max(wanted, int(number_of(schema, "minContains", 1)))
        count = int(min(max(least, wanted, len(first) if depth < SHALLOW else 0), most))
        items: list[Any] = []
        for at in range(count):
            rule = first[at] if at < len(first) else schema.get("items", True)
            if "contains" in schema and at < number_of(schema, "minContains", 1):
                rule = {"allOf": [rule, schema["contains"]]}
            items.append(self._another(rule, items, depth, unique=schema.get("uniqueItems") is True))
        return items

    def _another(self, rule: Any, items: list[Any], depth: int, *, unique: bool) -> Any:
        for _ in range(10):
            value = self.make(rule, depth + 1)
            if not unique or conforms([*items, value], {"uniqueItems": True}, True):
                return value
        raise Unsatisfiable("a list in it asks for more different items than there are")

    def _string(self, schema: Mapping[str, Any]) -> str:
        least = int(number_of(schema, "minLength", 0))
        most = number_of(schema, "maxLength", math.inf)
        if "pattern" in schema:
            fitting = [text for text in TEXTS if least <= len(text) <= most and matches(schema["pattern"], text)]
            if not fitting:
                raise Unsatisfiable("a text pattern in it is beyond the sandbox")
            return fitting[0]
        shape = schema.get("format")
        if isinstance(shape, str) and shape in FORMATS:
            return FORMATS[shape]
        if least > 1_000_000:
            raise Unsatisfiable("it asks for a text of more than a million characters")
        text = f"sandbox text {self._chance.randint(1, 999)}"
        return text.ljust(least, ".")[: int(most) if most < math.inf else None]

    def _number(self, schema: Mapping[str, Any], *, whole: bool) -> float:
        low = max(number_of(schema, "minimum", -math.inf), number_of(schema, "exclusiveMinimum", -math.inf))
        high = min(number_of(schema, "maximum", math.inf), number_of(schema, "exclusiveMaximum", math.inf))
        low, high = _bounded(low, high)
        step = number_of(schema, "multipleOf", 0) or (1 if whole else 0)
        if step:
            first, last = math.ceil(low / step), math.floor(high / step)
            if first > last:
                raise Unsatisfiable("no number fits its bounds")
            value = self._chance.randint(first, last) * step
            return int(value) if whole and float(value).is_integer() else value
        if self._chance.random() < 0.3 and is_type(low, "integer"):
            return low
        return min(max(round(self._chance.uniform(low, high), 3), low), high)


def _bounded(low: float, high: float) -> tuple[float, float]:
    """Finite bounds: a hundred wide where one side is open."""
    if low == -math.inf and high == math.inf:
        return 0, 100
    if low == -math.inf:
        return high - 100, high
    return (low, low + 100) if high == math.inf else (low, high)


def _guess(schema: Mapping[str, Any]) -> str:
    """The type that a schema without one most likely means."""
    signs = {
        "object": ("properties", "required", "additionalProperties", "minProperties", "patternProperties"),
        "array": ("items", "prefixItems", "minItems", "contains", "uniqueItems"),
        "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    }
    return next((kind for kind, words in signs.items() if any(word in schema for word in words)), "string")


def _rule_for(name: str, schema: Mapping[str, Any]) -> Any:
    rules = [rule for pattern, rule in map_of(schema, "patternProperties").items() if matches(pattern, name)]
    named = map_of(schema, "properties")
    if name in named:
        rules.append(named[name])
    if not rules:
        return schema.get("additionalProperties", True)
    return rules[0] if len(rules) == 1 else {"allOf": rules}
