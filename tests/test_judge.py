"""The vendor's OpenAPI as an independent judge: whatever our checks call clean, it accepts."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.composing import MODEL, errors, looked_at, make_table, prompt, ready
from valar_ui.flaws import Flaw
from valar_ui.params import RULES, flaws
from valar_ui.plan import HEAD, tail
from valar_ui.problems import Severity
from valar_ui.recipe import AnswerField, Fixed, FromColumn, IdRule, Image, Recipe, Turn
from valar_ui.template import hole

OPENAPI = Path(__file__).resolve().parents[1].parent / "shared" / "valar-openapi.json"
pytestmark = pytest.mark.skipif(not OPENAPI.exists(), reason="the vendor's OpenAPI is not beside the project")
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
    # In Python `$` also matches before a last line break, in JSON Schema it does not.
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match")


def judge(name: str) -> Any:
    """A validator for one schema, in which 1.0 is no integer and `$` means the end."""
    document = json.loads(OPENAPI.read_bytes())
    base = jsonschema.Draft202012Validator
    types = base.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    strict = jsonschema.validators.extend(base, {"pattern": _pattern}, type_checker=types)
    return strict({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


def refusals(name: str, value: Any) -> list[str]:
    """What the judge says against a value."""
    return [error.message for error in judge(name).iter_errors(value)]


def wrong(params: dict[str, Any]) -> list[Flaw]:
    """What our rules call an error."""
    return [flaw for flaw in flaws(params) if flaw.severity is Severity.ERROR]


text = st.text(max_size=12)
json_value = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


def near(*likely: Any) -> st.SearchStrategy[Any]:
    """Values of these kinds (strategies or constants), now and then anything."""
    return st.one_of(*(one if isinstance(one, st.SearchStrategy) else st.just(one) for one in likely), json_value)


def members(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with these members, now and then one too few or too many."""
    whole = st.fixed_dictionaries(required, optional=optional)
    loose = st.fixed_dictionaries({}, optional={**required, **optional})
    return st.one_of(whole, loose, st.builds(lambda a, k, v: a | {k: v}, whole, text, json_value))


urls = near("https://example.org/a.png", "http://example.org", "data:image/png;base64,iVBORw0KGgo=", "ftp://x", "")
part = members({"type": near("input_text"), "text": near(text)}, {}) | members(
    {"type": near("input_image"), "image_url": urls}, {"detail": near("auto", "low", "high")}
)
message = members(
    {
        "role": near("system", "user", "assistant", "tool", "function", "developer"),
        "content": near(text, st.lists(part, max_size=3)),
    },
    {
        "name": near(text),
        "tool_call_id": near(text),
        "tool_calls": near(st.lists(st.just({}))),
        "function_call": near(st.just({})),
    },
)
schema = near(
    st.just(
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
    ),
    members({"type": near("object", "array")}, {"properties": st.dictionaries(text, st.just({"type": "string"}))}),
)
text_format = members({"type": near("json_schema", "text", "json_object")}, {}) | members(
    {"type": near("json_schema"), "name": near("a"), "schema": schema}, {"strict": near(True), "description": near("d")}
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "model": near(MODEL),
    "input": near(text, st.lists(message, max_size=3), members({"messages": st.lists(message, max_size=2)}, {})),
    "max_output_tokens": near(1, 0, 1.0, -1, True, "1", 1e400, 10**30, st.integers()),
    "temperature": near(0, 2, 0.0, 2.0, 2.0000001, -0.0001, st.floats(), "1", True),
    "top_p": near(0, 1, 1.0000001, -0.0001, st.floats(), True),
    "text": members({"format": near(text_format)}, {}),
    "reasoning": members(
        {},
        {
            "effort": near("none", "minimal", "low", "medium", "high", "xhigh", "High"),
            "generate_summary": near("auto", "concise", "detailed"),
            "summary": near("auto"),
        },
    ),
    "metadata": near(
        members(
            {},
            {
                "completion_window": near("asap", "standard", "flex"),
                "completion_webhook": near("https://example.org/x", "x"),
                "webhook_token": near(text),
                "mine": near(text),
            },
        )
    ),
    "tools": near(st.lists(members({"type": near("function", "custom", "web_search")}, {"name": near("f")}))),
    "tool_choice": near("auto", st.just({"type": "function", "name": "f"})),
    "include": near(st.lists(near("message.output_text.logprobs"))),
    "prompt_cache_key": near(text),
    "user": near(text, "u" * 256, "u" * 257),
    "background": near(True, False, 0, 1, "true"),
    "store": near(True, False, 1),
    "stream": near(False, True, 0),
    "truncation": near("disabled", "auto"),
    "service_tier": near("auto", "default"),
    "instructions": near(text),
    "anything": json_value,
}


def test_every_rule_is_judged() -> None:
    assert set(RULES) <= set(VALUES)


@pytest.mark.parametrize("name", VALUES)
def test_what_the_rules_call_clean_the_judge_accepts(name: str) -> None:
    validator = judge("CreateResponseRequest")

    @quick
    @given(VALUES[name])
    def judged(value: Any) -> None:
        params = {"model": MODEL, "input": "x"} | {name: value}
        if not wrong(params):
            assert [error.message for error in validator.iter_errors(params)] == []

    judged()


good_image = st.sampled_from(["https://example.org/a.png", "data:image/gif;base64,R0lGODlh"])
good_part = st.one_of(
    st.fixed_dictionaries({"type": st.just("input_text"), "text": text}),
    st.fixed_dictionaries(
        {"type": st.just("input_image"), "image_url": good_image},
        optional={"detail": st.sampled_from(["auto", "low", "high"])},
    ),
)
good_message = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["system", "user", "assistant", "tool", "function"]),
        "content": text | st.lists(good_part, min_size=1, max_size=3),
    }
)
GOOD = st.fixed_dictionaries(
    {
        "model": st.just(MODEL),
        "input": st.text(min_size=1, max_size=9)
        | st.lists(good_message, min_size=1, max_size=3)
        | st.fixed_dictionaries({"messages": st.lists(good_message, min_size=1, max_size=3)}),
    },
    optional={
        "max_output_tokens": st.none() | st.integers(1, 10**6),
        "temperature": st.none() | st.floats(0, 2) | st.integers(0, 2),
        "top_p": st.none() | st.floats(0, 1) | st.integers(0, 1),
        "reasoning": st.fixed_dictionaries({}, optional={"effort": st.sampled_from(["none", "xhigh"])}),
        "metadata": st.dictionaries(text.map("x".__add__), text) | st.just({"completion_window": "standard"}),
        "user": st.text(max_size=256),
        "prompt_cache_key": text,
        "background": st.booleans(),
        "store": st.just(True),
        "stream": st.just(False),
        "truncation": st.just("disabled"),
        "service_tier": st.just("auto"),
        "text": st.just({"format": {"type": "text"}}),
        "include": st.just(["message.output_text.logprobs"]),
        "tools": st.just([{"type": "function", "name": "f", "parameters": {}}]),
        "tool_choice": st.sampled_from(["auto", "none", "required"]),
    },
)


@quick
@given(GOOD)
def test_what_the_documents_allow_the_rules_allow(params: dict[str, Any]) -> None:
    assert refusals("CreateResponseRequest", params) == []
    assert wrong(params) == []


awkward = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "0.7", "0,7", "2.0", "100", "1e3", "NaN", "TRUE", "high", "007", "{{x}}", "\x00", "\u2028"]
    ),
    st.sampled_from(["https://example.org/a.png", "data:image/png;base64,iVBORw0KGgo=", "standard", "flex", MODEL]),
)
COLUMNS = ("text", "Größe (cm)", "id", "n", "a}b")


def source(*fixed: Any) -> st.SearchStrategy[Any]:
    """Left out, one of these values, or a column (one of them missing from the sheet)."""
    return st.one_of(
        st.none(),
        st.sampled_from(fixed).map(lambda value: Fixed(fixed=value)),
        st.sampled_from([*COLUMNS, "absent"]).map(lambda column: FromColumn(column=column)),
    )


templates = st.lists(
    st.one_of(st.text(max_size=8), st.sampled_from([*map(hole, COLUMNS), hole("absent"), "{{", "}}", "\\"])), max_size=4
).map("".join)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "model": source(MODEL, MODEL, "", 3),
    "turns": st.lists(
        st.builds(Turn, role=st.sampled_from(["system", "user", "assistant"]), text=templates), max_size=3
    ).map(tuple),
    "max_output_tokens": source(1, 100, 0, 1.5, "7", None, True, 10**30),
    "temperature": source(0, 0.7, 2, 2.1, "0.7", None, float("nan")),
    "top_p": source(0, 1, 1.1, True),
    "reasoning_effort": source("low", "High"),
    "reasoning_summary": source("auto", "long"),
    "images": st.lists(st.builds(Image, column=st.sampled_from(COLUMNS)), max_size=2).map(tuple),
    "metadata": st.dictionaries(
        st.sampled_from(["team", "completion_webhook", "x"]), source("a", 1).filter(bool), max_size=2
    ),
    "prompt_cache_key": source("k", 1),
    "user": source("u", "u" * 257),
    "completion_window": source("standard", "flex", "asap", "soon"),
    "answer_name": st.sampled_from(["answer", "", "no spaces"]),
    "answer_fields": st.lists(
        st.builds(
            AnswerField,
            name=st.sampled_from(["mood", "score", ""]),
            type=st.sampled_from(["text", "number", "integer", "yes/no", "one of", "list of text"]),
            required=st.booleans(),
            choices=st.sampled_from([(), ("good", "bad")]),
        ),
        max_size=3,
    ).map(tuple),
    "answer_schema": st.none() | st.dictionaries(st.sampled_from(["type", "properties"]), json_value),
    "more": st.dictionaries(st.sampled_from([*VALUES, "seed"]), json_value, max_size=2),
    "custom_id": st.builds(IdRule, column=st.sampled_from([None, "id", "absent"]), legal=st.booleans()),
}
SOUND = prompt("{{text}} {{Größe (cm)}}", custom_id=IdRule(column="id"))
recipes = (
    st.lists(st.sampled_from(sorted(FIELDS)), max_size=4, unique=True)
    .flatmap(lambda names: st.fixed_dictionaries({name: FIELDS[name] for name in names}))
    .map(lambda changes: SOUND.model_copy(update=changes))
)


def test_composed_bodies_that_are_clean_are_accepted() -> None:
    judged = []

    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.tuples(*[awkward] * len(COLUMNS)), min_size=1, max_size=4), recipes)
    @example([("Hi",) * 5], prompt(temperature=FromColumn(column="n")))
    @example([("Hi", "", "id", "0.7", "")], prompt("{{text}} {{a}b}}", temperature=FromColumn(column="n")))
    @example(
        [("Hi",) * 5], SOUND.model_copy(update={"more": {"metadata": True}, "metadata": {"x": FromColumn(column="n")}})
    )
    def judge_bodies(rows: list[tuple[str, ...]], recipe: Recipe) -> None:
        with tempfile.TemporaryDirectory() as folder:
            start, looked = looked_at(make_table(Path(folder), COLUMNS, rows), recipe)
            assert len(looked) == len(rows)
            clean = [composed for composed, problems in looked if not errors(problems)]
            if errors(start) or not clean:
                return
        judged.append(len(clean))
        whole = orjson.loads(HEAD + b",".join(composed.item for composed in clean) + tail("label"))
        assert refusals("CreateBatchRequest", whole) == []
        for composed, sent in zip(clean, whole["requests"], strict=True):
            assert refusals("CreateResponseRequest", sent["params"]) == []
            assert json.loads(composed.body) == sent["params"]
        assert len({sent["custom_id"] for sent in whole["requests"]}) == len(clean)

    judge_bodies()
    assert len(judged) > 50


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "A 1", "", "x\n"]),
            st.builds(
                lambda params, name, value: json.dumps(params | {name: value}),
                GOOD,
                st.sampled_from(sorted(VALUES)),
                json_value,
            )
            | GOOD.map(json.dumps)
            | st.text(max_size=9),
        ),
        min_size=1,
        max_size=4,
    )
)
@example([("a", '{"model":"m","input":"x","temperature":1' + "0" * 400 + "}")])
@example([("a", '{"model":"m","model":"n","input":"x"}'), ("b", '{"model":"m","input":"x","max_output_tokens":1e400}')])
def test_ready_made_requests_that_are_clean_are_accepted(rows: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _, looked = looked_at(make_table(Path(folder), ("custom_id", "params"), rows), ready())
    clean = [composed for composed, problems in looked if not errors(problems)]
    if clean:
        whole = json.loads(HEAD + b",".join(composed.item for composed in clean) + tail(""))
        assert refusals("CreateBatchRequest", whole) == []
        assert all(refusals("CreateResponseRequest", sent["params"]) == [] for sent in whole["requests"])
        ids = [sent["custom_id"] for sent in whole["requests"]]
        assert len(set(ids)) == len(ids)
