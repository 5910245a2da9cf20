"""The sandbox refuses what the API refuses, and says where; each case is one row."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest

from tests.sandbox_server import MODEL, batch, item
from valar_ui.sandbox.errors import Refusal
from valar_ui.sandbox.intake import judge_batch, judge_response
from valar_ui.sandbox.rules import REFUSED, check_params

SEEING = "moonshotai/Kimi-K2.6"


def data_uri(kind: str, count: int) -> str:
    """An image of so many bytes, decoded."""
    return f"data:{kind};base64,{base64.b64encode(bytes(count)).decode()}"


def picture(url: str = "https://example.com/a.png", **more: Any) -> dict[str, Any]:
    """An image part."""
    return {"type": "input_image", "image_url": url, **more}


def says(*content: Any, role: str = "user") -> list[dict[str, Any]]:
    """An input of one message."""
    return [
        {"role": role, "content": list(content) if len(content) != 1 or content[0] != str(content[0]) else content[0]}
    ]


def schema_format(**more: Any) -> dict[str, Any]:
    """A text setting with a JSON schema."""
    return {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, **more}}


NOT_COUNTS: tuple[Any, ...] = (0, -1, 1.5, "5", True, [])
NOT_TEMPERATURES: tuple[Any, ...] = (-0.1, 2.1, "1", True, [])
NOT_TOP_P: tuple[Any, ...] = (-0.1, 1.1, "1", False)

ACCEPTED: list[dict[str, Any]] = [
    {},
    {"input": says("hi")},
    {"input": {"messages": says("hi")}},
    {"input": [{"role": role, "content": ""} for role in ("system", "user", "assistant", "tool", "function")]},
    {"input": says({"type": "input_text", "text": "hi"}, {"type": "input_text", "text": ""})},
    {
        "input": [
            {"role": "tool", "content": "x", "name": "n", "tool_call_id": "i", "tool_calls": [{}], "function_call": {}}
        ]
    },
    {"max_output_tokens": 1},
    {"max_output_tokens": None, "temperature": None, "top_p": None},
    {"temperature": 0, "top_p": 0},
    {"temperature": 2, "top_p": 1},
    {"temperature": 0.7, "top_p": 0.01},
    {"text": {"format": {"type": "text"}}},
    {"text": schema_format()},
    {"text": schema_format(description="d", strict=True)},
    *({"reasoning": {"effort": word}} for word in ("none", "minimal", "low", "medium", "high", "xhigh")),
    *({"reasoning": {"generate_summary": word}} for word in ("auto", "concise", "detailed")),
    {"reasoning": {}},
    {"tools": []},
    {"tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "c"}]},
    *({"tool_choice": word} for word in ("auto", "none", "required", {"type": "function", "name": "f"})),
    {"include": ["message.output_text.logprobs"]},
    {"prompt_cache_key": "k", "user": "u" * 256},
    {"metadata": {}},
    {"metadata": {"row": "7", "completion_window": "standard"}},
    {"metadata": {"completion_webhook": "https://example.com/hook", "webhook_token": "t"}},
    {"background": True},
    {"background": False},
    {"store": True, "stream": False, "truncation": "disabled", "service_tier": "auto"},
    {"something_new": {"any": "thing"}},
    {"model": "some/other-model"},
    {"model": SEEING, "input": says(*[picture(detail=word) for word in ("auto", "low", "high")])},
    {"model": SEEING, "input": says(*[picture()] * 20)},
    {"model": SEEING, "input": says(picture(data_uri("image/png", 20_000_000)))},
    *(
        {"model": SEEING, "input": says(picture(data_uri(f"image/{kind}", 9)))}
        for kind in ("jpeg", "png", "webp", "gif")
    ),
    {"model": SEEING, "input": says(picture("http://example.com/ä.png?x=1"))},
]


@pytest.mark.parametrize("params", ACCEPTED, ids=range(len(ACCEPTED)))
def test_good_params_pass(params: dict[str, Any]) -> None:
    check_params(item(**params)["params"], in_batch=True)
    check_params(item(**params)["params"], in_batch=False)


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("model", {"model": ""}),
    ("model", {"model": None}),
    ("model", {"model": 7}),
    ("input", {"input": ""}),
    ("input", {"input": []}),
    ("input", {"input": None}),
    ("input", {"input": 5}),
    ("input", {"input": {}}),
    ("input.messages", {"input": {"messages": []}}),
    ("input.messages", {"input": {"messages": "hi"}}),
    ("input.more", {"input": {"messages": says("hi"), "more": 1}}),
    ("input[0]", {"input": ["hi"]}),
    ("input[1].role", {"input": [*says("hi"), {"content": "x"}]}),
    ("input[0].role", {"input": says("hi", role="developer")}),
    ("input[0].role", {"input": says("hi", role="User")}),
    ("input[0].role", {"input": [{"role": ["user"], "content": "x"}]}),
    ("input[0].content", {"input": [{"role": "user"}]}),
    ("input[0].content", {"input": [{"role": "user", "content": None}]}),
    ("input[0].content", {"input": [{"role": "user", "content": []}]}),
    ("input[0].type", {"input": [{"role": "user", "content": "x", "type": "message"}]}),
    ("input[0].name", {"input": [{"role": "user", "content": "x", "name": 1}]}),
    ("input[0].tool_calls", {"input": [{"role": "user", "content": "x", "tool_calls": {}}]}),
    ("input[0].content[0]", {"input": [{"role": "user", "content": ["x"]}]}),
    ("input[0].content[0].type", {"input": says({"type": "text", "text": "x"})}),
    ("input[0].content[0].type", {"input": says({"type": "input_audio"})}),
    ("input[0].content[0].type", {"input": says({"type": "input_file", "file_id": "f"})}),
    ("input[0].content[0].text", {"input": says({"type": "input_text"})}),
    ("input[0].content[0].more", {"input": says({"type": "input_text", "text": "x", "more": 1})}),
    *(("max_output_tokens", {"max_output_tokens": value}) for value in NOT_COUNTS),
    *(("temperature", {"temperature": value}) for value in NOT_TEMPERATURES),
    *(("top_p", {"top_p": value}) for value in NOT_TOP_P),
    ("text", {"text": "x"}),
    ("text.format", {"text": {}}),
    ("text.verbosity", {"text": {"format": {"type": "text"}, "verbosity": "low"}}),
    ("text.format.type", {"text": {"format": {"type": "json_object"}}}),
    ("text.format.type", {"text": {"format": {"type": "grammar"}}}),
    ("text.format.more", {"text": {"format": {"type": "text", "more": 1}}}),
    ("text.format.name", {"text": {"format": {"type": "json_schema", "schema": {}}}}),
    ("text.format.schema", {"text": {"format": {"type": "json_schema", "name": "n"}}}),
    ("text.format.schema", {"text": schema_format(schema=[])}),
    ("text.format.strict", {"text": schema_format(strict="yes")}),
    ("text.format.description", {"text": schema_format(description=None)}),
    ("text.format.json_schema", {"text": schema_format(json_schema={})}),
    ("reasoning", {"reasoning": "high"}),
    ("reasoning.effort", {"reasoning": {"effort": "max"}}),
    ("reasoning.effort", {"reasoning": {"effort": None}}),
    ("reasoning.generate_summary", {"reasoning": {"generate_summary": "full"}}),
    ("tools", {"tools": {}}),
    ("tools[0]", {"tools": ["function"]}),
    *((f"tools[{1}].type", {"tools": [{"type": "custom"}, {"type": kind}]}) for kind in
      ("web_search", "file_search", "code_interpreter", "computer_use", "mcp", "image_generation", "shell",
       "apply_patch", "new_tool", None)),
    ("tool_choice", {"tool_choice": "maybe"}),
    ("tool_choice.type", {"tool_choice": {"type": "mcp"}}),
    ("include", {"include": "x"}),
    ("include[0]", {"include": [1]}),
    ("prompt_cache_key", {"prompt_cache_key": 1}),
    ("user", {"user": "u" * 257}),
    ("user", {"user": 7}),
    ("metadata", {"metadata": []}),
    ("metadata.row", {"metadata": {"row": 7}}),
    ("metadata.row", {"metadata": {"row": None}}),
    ("metadata.completion_window", {"metadata": {"completion_window": "fast"}}),
    *(("metadata.completion_webhook", {"metadata": {"completion_webhook": url}}) for url in
      ("ftp://example.com", "example.com", "https://", "https://a b", "")),
    ("background", {"background": "yes"}),
    ("store", {"store": False}),
    ("store", {"store": 1}),
    ("stream", {"stream": True}),
    ("stream", {"stream": 0}),
    ("truncation", {"truncation": "auto"}),
    ("service_tier", {"service_tier": "flex"}),
    *((name, {name: None}) for name in REFUSED),
    ("input", {"model": SEEING, "input": says(*[picture()] * 21)}),
    ("model", {"model": MODEL, "input": says(picture())}),
    ("input[0].content[0].detail", {"model": SEEING, "input": says(picture(detail="full"))}),
    *(("input[0].content[0].image_url", {"model": SEEING, "input": says(picture(url))}) for url in (
        "", "a.png", "file:///a.png", "ftp://example.com/a.png", "https:///a.png", "https://exa mple.com/a.png",
        "http://localhost/a.png", "http://127.0.0.1/a.png", "http://10.0.0.8/a.png", "http://[::1]/a.png",
        "https://example.com/a.png\n", "https://[broken/a.png", "data:image/png,abc", "data:image/png;base64,",
        "data:image/png;base64,abc", "data:image/png;base64,ab*=", "data:;base64,AAAA",
        data_uri("image/svg+xml", 9), data_uri("application/pdf", 9), data_uri("image/png", 20_000_001))),
]  # fmt: skip


@pytest.mark.parametrize(("place", "params"), WRONG, ids=[f"{at}-{place}" for at, (place, _) in enumerate(WRONG)])
def test_bad_params_are_refused_in_their_place(place: str, params: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as caught:
        check_params(item(**params)["params"], in_batch=False)
    assert caught.value.param == place
    assert len(caught.value.message) < 500


@pytest.mark.parametrize("missing", ["model", "input"])
def test_model_and_input_are_required(missing: str) -> None:
    params = item()["params"]
    del params[missing]
    with pytest.raises(Refusal) as caught:
        check_params(params, in_batch=True)
    assert caught.value.param == missing


@pytest.mark.parametrize(
    ("window", "background", "in_batch", "passes"),
    [
        ("standard", None, True, True),
        ("asap", None, True, False),
        ("flex", None, True, False),
        ("flex", True, True, False),
        ("standard", None, False, True),
        ("asap", None, False, True),
        ("asap", True, False, True),
        ("flex", None, False, False),
        ("flex", False, False, False),
        ("flex", True, False, True),
    ],
)
def test_completion_windows(window: str, background: bool | None, in_batch: bool, passes: bool) -> None:
    params = item(metadata={"completion_window": window})["params"]
    if background is not None:
        params["background"] = background
    if passes:
        check_params(params, in_batch=in_batch)
        return
    with pytest.raises(Refusal) as caught:
        check_params(params, in_batch=in_batch)
    assert caught.value.param == "metadata.completion_window"


def judged(body: Any) -> Any:
    """Judge a batch given as a value or as exact bytes."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return judge_batch(io.BytesIO(raw), lot="test")


BATCHES: list[tuple[str | None, Any]] = [
    ("endpoint", batch(endpoint="/v1/chat/completions")),
    ("endpoint", batch(endpoint=None)),
    ("endpoint", {"requests": [item()]}),
    ("requests", {"endpoint": "/v1/responses"}),
    ("requests", {**batch(), "requests": []}),
    ("requests", {**batch(), "requests": {}}),
    ("requests", {**batch(), "requests": None}),
    ("metadata", batch(metadata={})),
    *(("label", batch(label=label)) for label in ("", "a b", "ä", "a" * 129, "a\n", None, 7)),
    ("requests[0]", batch("x")),
    ("requests[1]", batch(item(), None)),
    ("requests[0].custom_id", batch({"params": {}})),
    ("requests[0].params", batch({"custom_id": "a"})),
    ("requests[0].params", batch({"custom_id": "a", "params": []})),
    ("requests[0].method", batch({**item(), "method": "POST"})),
    *(("requests[1].custom_id", batch(item("ok"), item(custom_id)))
      for custom_id in ("", "A", "-a", "_a", "a b", "ä", "a\n", "a" * 65, "a.b")),
    ("requests[0].custom_id", batch({"custom_id": 7, "params": {}})),
    ("requests[2].custom_id", batch(item("a"), item("b"), item("a"))),
    ("requests[3].params.temperature", batch(item("a"), item("b"), item("c"), item("d", temperature=3))),
    (None, []),
    (None, "text"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "body"), BATCHES, ids=[f"{at}-{place}" for at, (place, _) in enumerate(BATCHES)])
def test_bad_batches_are_refused_in_their_place(place: str | None, body: Any) -> None:
    with pytest.raises(Refusal) as caught:
        judged(body)
    assert caught.value.param == place


@pytest.mark.parametrize("custom_id", ["a", "0", "a" * 64, "a-b_c", "7--"])
def test_legal_ids_pass(custom_id: str) -> None:
    assert [entry.custom_id for entry in judged(batch(item(custom_id))).items] == [custom_id]


def test_the_longest_label_passes() -> None:
    assert judged(batch(label="A-_9" * 32)).label == "A-_9" * 32


@pytest.mark.parametrize(
    "name", ["instructions", "previous_response_id", "conversation", "prompt", "parallel_tool_calls"]
)
def test_a_refused_param_comes_with_its_remedy(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        judge_response(io.BytesIO(json.dumps(item(**{name: "x"})["params"]).encode()))
    assert REFUSED[name] in caught.value.message
