"""The sandbox's judgement of one request's params: every rule of the Responses API as Valar accepts it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from valar_ui import limits
from valar_ui.sandbox.errors import Refusal
from valar_ui.sandbox.pictures import check_picture, check_pictures, web_host

REFUSED: Final = {
    "instructions": "Put a message with the role system at the beginning of input instead.",
    "previous_response_id": "Send the earlier turns in input instead.",
    "conversation": "Send the earlier turns in input instead.",
    "prompt": "Stored prompts are not available: write the prompt into input.",
    "parallel_tool_calls": "Leave it out.",
}
"""Params that are refused whatever their value, each with its remedy."""

SERVER_TOOLS: Final = frozenset(
    {
        "web_search",
        "web_search_preview",
        "file_search",
        "code_interpreter",
        "computer_use",
        "computer_use_preview",
        "mcp",
        "image_generation",
        "shell",
        "local_shell",
        "apply_patch",
    }
)
"""Tools that a server would run; none is available."""

TOOL_TYPES: Final = ("function", "custom")
"""Tools that the caller runs."""

MESSAGE_KEYS: Final = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "function_call"})
"""Everything a message may hold."""

_MESSAGE_NEEDS = ("role", "content")
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")


def check_params(params: Any, *, in_batch: bool) -> None:
    """Raise `Refusal` with the place (`param`, relative to the params) of the first broken rule."""
    if not isinstance(params, dict):
        raise Refusal("", "params must be an object.")
    for name in ("model", "input"):
        if name not in params:
            raise Refusal(name, f"{name} is required.")
    for name, value in params.items():
        if name in REFUSED:
            raise Refusal(name, f"{name} is not supported. {REFUSED[name]}")
        rule = RULES.get(name)
        if rule is not None:
            rule(name, value)
    check_pictures(params)
    if "metadata" in params:
        _check_window(params, in_batch=in_batch)


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Refusal(where, f"{where} must be a string.")
    return value


def _object(where: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refusal(where, f"{where} must be an object.")
    return value


def _list(where: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Refusal(where, f"{where} must be a list.")
    return value


def _one_of(where: str, value: Any, allowed: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise Refusal(where, f"{where} must be one of {', '.join(allowed)}.")


def _only(where: str, value: Mapping[str, Any], allowed: frozenset[str]) -> None:
    for name in value:
        if name not in allowed:
            place = f"{where}.{name[:100]}"
            raise Refusal(place, f"{place} is not known here; allowed: {', '.join(sorted(allowed))}.")


def _number(where: str, value: Any, low: float, high: float) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise Refusal(where, f"{where} must be a number from {low:g} to {high:g}, or null.")


def _model(where: str, value: Any) -> None:
    if not _text(where, value):
        raise Refusal(where, "model must not be empty. GET /v1/models lists the models.")


def _input(where: str, value: Any) -> None:
    if isinstance(value, str):
        if not value:
            raise Refusal(where, "input must not be empty.")
        return
    if isinstance(value, dict):
        if "messages" not in value:
            raise Refusal(where, "input as an object must hold messages.")
        _only(where, value, frozenset({"messages"}))
        _input_messages(f"{where}.messages", value["messages"])
        return
    if not isinstance(value, list):
        raise Refusal(where, "input must be a string, a list of messages, or an object with messages.")
    _input_messages(where, value)


def _input_messages(where: str, value: Any) -> None:
    if not _list(where, value):
        raise Refusal(where, f"{where} must hold at least one message.")
    for index, message in enumerate(value):
        _message(f"{where}[{index}]", message)


def _message(where: str, message: Any) -> None:
    _object(where, message)
    for name in _MESSAGE_NEEDS:
        if name not in message:
            raise Refusal(f"{where}.{name}", f"{where}.{name} is required.")
    if not MESSAGE_KEYS.issuperset(message):
        _only(where, message, MESSAGE_KEYS)
    _one_of(f"{where}.role", message["role"], limits.ROLES)
    content = message["content"]
    if isinstance(content, list):
        if not content:
            raise Refusal(f"{where}.content", f"{where}.content must hold at least one part.")
        for index, part in enumerate(content):
            _part(f"{where}.content[{index}]", part)
    elif not isinstance(content, str):
        raise Refusal(f"{where}.content", f"{where}.content must be a string or a list of parts.")
    for name in ("name", "tool_call_id"):
        if name in message:
            _text(f"{where}.{name}", message[name])
    if "function_call" in message:
        _object(f"{where}.function_call", message["function_call"])
    if "tool_calls" in message:
        for index, call in enumerate(_list(f"{where}.tool_calls", message["tool_calls"])):
            _object(f"{where}.tool_calls[{index}]", call)


def _part(where: str, part: Any) -> None:
    kind = _object(where, part).get("type")
    if kind == "input_text":
        _only(where, part, frozenset({"type", "text"}))
        _text(f"{where}.text", part.get("text"))
    elif kind == "input_image":
        _only(where, part, frozenset({"type", "image_url", "detail"}))
        check_picture(f"{where}.image_url", _text(f"{where}.image_url", part.get("image_url")))
        if "detail" in part:
            _one_of(f"{where}.detail", part["detail"], limits.IMAGE_DETAILS)
    elif kind in ("input_audio", "input_file"):
        raise Refusal(f"{where}.type", "Audio and file input are not supported: send text or images.")
    else:
        raise Refusal(f"{where}.type", f"{where}.type must be input_text or input_image.")


def _max_output_tokens(where: str, value: Any) -> None:
    if value is None:
        return
    whole = not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    )
    if not whole or value < limits.MIN_OUTPUT_TOKENS:
        raise Refusal(where, f"{where} must be a whole number of at least {limits.MIN_OUTPUT_TOKENS}, or null.")


def _text_settings(where: str, value: Any) -> None:
    _object(where, value)
    if "format" not in value:
        raise Refusal(f"{where}.format", "text.format is required.")
    _only(where, value, frozenset({"format"}))
    where = f"{where}.format"
    shape = _object(where, value["format"])
    kind = shape.get("type")
    if kind == "text":
        _only(where, shape, frozenset({"type"}))
    elif kind == "json_schema":
        _only(where, shape, frozenset({"type", "name", "schema", "description", "strict"}))
        if not _text(f"{where}.name", shape.get("name")):
            raise Refusal(f"{where}.name", f"{where}.name must not be empty.")
        _object(f"{where}.schema", shape.get("schema"))
        if "description" in shape:
            _text(f"{where}.description", shape["description"])
        if "strict" in shape and not isinstance(shape["strict"], bool):
            raise Refusal(f"{where}.strict", f"{where}.strict must be true or false.")
    elif kind == "json_object":
        raise Refusal(f"{where}.type", "json_object is not supported. Use json_schema and describe the fields.")
    else:
        raise Refusal(f"{where}.type", f"{where}.type must be text or json_schema.")


def _reasoning(where: str, value: Any) -> None:
    _object(where, value)
    if "effort" in value:
        _one_of(f"{where}.effort", value["effort"], limits.EFFORTS)
    if "generate_summary" in value:
        _one_of(f"{where}.generate_summary", value["generate_summary"], limits.SUMMARIES)


def _tool(where: str, value: Any) -> None:
    kind = _object(where, value).get("type")
    if isinstance(kind, str) and kind in SERVER_TOOLS:
        raise Refusal(
            f"{where}.type", f"The server-side tool {kind} is not available. Use a function you run yourself."
        )
    _one_of(f"{where}.type", kind, TOOL_TYPES)


def _tools(where: str, value: Any) -> None:
    for index, tool in enumerate(_list(where, value)):
        _tool(f"{where}[{index}]", tool)


def _tool_choice(where: str, value: Any) -> None:
    if isinstance(value, str):
        _one_of(where, value, ("none", "auto", "required"))
    else:
        _tool(where, value)


def _include(where: str, value: Any) -> None:
    for index, name in enumerate(_list(where, value)):
        _text(f"{where}[{index}]", name)


def _cache_key(where: str, value: Any) -> None:
    _text(where, value)


def _user(where: str, value: Any) -> None:
    if len(_text(where, value)) > limits.MAX_USER:
        raise Refusal(where, f"user must have at most {limits.MAX_USER} characters.")


def _metadata(where: str, value: Any) -> None:
    for name, text in _object(where, value).items():
        _text(f"{where}.{name[:100]}", text)
    if "completion_window" in value:
        _one_of(f"{where}.completion_window", value["completion_window"], limits.WINDOWS)
    webhook = value.get("completion_webhook", "https://left-out")
    if web_host(webhook) is None or _UNSAFE.search(webhook):
        raise Refusal(f"{where}.completion_webhook", "metadata.completion_webhook must be an http or https URL.")


def _check_window(params: dict[str, Any], *, in_batch: bool) -> None:
    where = "metadata.completion_window"
    window = params["metadata"].get("completion_window", limits.BATCH_WINDOW)
    if in_batch and window != limits.BATCH_WINDOW:
        raise Refusal(
            where, f"{window} is not available in a batch: its requests run on {limits.BATCH_WINDOW}. Leave it out."
        )
    if window == "flex" and params.get("background") is not True:
        raise Refusal(where, "flex needs background: true.")


def _boolean(where: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise Refusal(where, f"{where} must be true or false.")


def _exactly(allowed: Any, why: str) -> Callable[[str, Any], None]:
    def rule(where: str, value: Any) -> None:
        if type(value) is not type(allowed) or value != allowed:
            raise Refusal(where, f"{where}: {why}")

    return rule


RULES: Final[Mapping[str, Callable[[str, Any], None]]] = {
    "model": _model,
    "input": _input,
    "max_output_tokens": _max_output_tokens,
    "temperature": lambda where, value: _number(where, value, *limits.TEMPERATURE),
    "top_p": lambda where, value: _number(where, value, *limits.TOP_P),
    "text": _text_settings,
    "reasoning": _reasoning,
    "tools": _tools,
    "tool_choice": _tool_choice,
    "include": _include,
    "prompt_cache_key": _cache_key,
    "user": _user,
    "metadata": _metadata,
    "background": _boolean,
    "store": _exactly(True, "only true is accepted. Leave it out."),
    "stream": _exactly(False, "streaming is not available. Leave it out."),
    "truncation": _exactly("disabled", 'only "disabled" is accepted. Leave it out.'),
    "service_tier": _exactly("auto", 'only "auto" is accepted; metadata.completion_window chooses the speed.'),
}
"""One rule for each param that has any; params not named here pass."""
