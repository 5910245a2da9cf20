"""One body of an OpenAI batch file becomes params that Valar accepts; every change is told, every refusal named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from valar_ui.problems import Problem, Severity

CHAT, COMPLETIONS, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/responses"

KNOWN: Final = frozenset(
    (
        *("model", "input", "max_output_tokens", "temperature", "top_p", "text", "reasoning", "background", "tools"),
        *("tool_choice", "include", "prompt_cache_key", "user", "metadata", "store", "stream", "truncation"),
        "service_tier",
    )
)
"""Params of the Responses API that Valar accepts (Responses API)."""

REFUSED: Final = {
    "previous_response_id": "Put the earlier turns into input.",
    "conversation": "Put the earlier turns into input.",
    "prompt": "Write the prompt itself into input.",
    "parallel_tool_calls": "Delete it.",
    "functions": "Use tools.",
    "function_call": "Use tool_choice.",
    "audio": "Valar answers with text only.",
    "modalities": "Valar answers with text only.",
    "prediction": "Delete it.",
    "web_search_options": "Tools that run on the server are not available.",
    "logit_bias": "Delete it.",
    "stop": "Delete it, or ask for the end in the prompt.",
}
"""Params that Valar refuses or that have no counterpart, with the remedy."""

FIXED: Final[dict[str, tuple[Any, ...]]] = {
    "store": (True,),
    "stream": (False,),
    "truncation": ("disabled",),
    "service_tier": ("auto",),
}
"""Params with only one accepted value (Responses API)."""

HARMLESS: Final[dict[str, tuple[str, ...]]] = {
    "n": ("1",),
    "best_of": ("1",),
    "presence_penalty": ("0", "0.0"),
    "frequency_penalty": ("0", "0.0"),
    "logprobs": (),
    "echo": (),
}
"""Values that say what is so anyway; such a param is dropped."""


class _Body:
    """One body on its way; gathers changes and problems."""

    def __init__(self, body: dict[str, Any], number: int) -> None:
        self.params = dict(body)
        self.changes: list[str] = []
        self.problems: list[Problem] = []
        self._number = number

    def change(self, text: str) -> None:
        if text not in self.changes:
            self.changes.append(text)

    def refuse(self, code: str, text: str, hint: str, severity: Severity = Severity.ERROR) -> None:
        self.problems.append(Problem(code, text, hint, self._number, None, severity))

    def rename(self, old: str, new: str) -> None:
        if old not in self.params:
            return
        value = self.params.pop(old)
        if new in self.params:
            self.change(f"{old} was dropped, because {new} is there as well")
        else:
            self.params[new] = value
            self.change(f"{old} became {new}")


def convert_body(
    body: dict[str, Any], url: Any, method: Any, number: int
) -> tuple[dict[str, Any] | None, list[str], list[Problem]]:
    """Params, the changes in words, the problems of this request; no params where it is none for a text model."""
    work = _Body(body, number)
    kinds: dict[str, Callable[[_Body], None]] = {CHAT: _chat, COMPLETIONS: _completion, RESPONSES: _response}
    place = str(url or "").split("?")[0].rstrip("/")
    place = place if place.startswith("/v1/") else "/v1/" + place.lstrip("/").removeprefix("v1/")
    convert = kinds.get(place)
    if convert is None:
        work.refuse(
            "wrong-endpoint",
            f"This request is for {url or 'no endpoint'}: Valar's batches run /v1/responses only.",
            "Only chat completions, completions and responses can be converted.",
        )
        return None, [], work.problems
    if str(method).upper() != "POST":
        work.refuse("wrong-method", f"This request has the method {method}, not POST.", "Check the line.")
    work.change("custom_id was kept, body became params, method and url were dropped")
    convert(work)
    _what_is_refused(work)
    return work.params, work.changes, work.problems


def _chat(work: _Body) -> None:
    params = work.params
    work.rename("max_completion_tokens", "max_output_tokens")
    work.rename("max_tokens", "max_output_tokens")
    if "messages" in params:
        params["input"] = params.pop("messages")
        work.change("messages became input")
    else:
        work.refuse("no-messages", "This request has no messages.", "Each chat completion needs them.")
    _messages(work)
    if "response_format" in params:
        _response_format(work, params.pop("response_format"))
    if "reasoning_effort" in params:
        params["reasoning"] = {"effort": params.pop("reasoning_effort")}
        work.change("reasoning_effort became reasoning.effort")
    if isinstance(params.get("tools"), list):
        params["tools"] = [_flat_function(work, tool) for tool in params["tools"]]
    if isinstance(params.get("tool_choice"), dict):
        params["tool_choice"] = _flat_function(work, params["tool_choice"])


def _completion(work: _Body) -> None:
    work.rename("max_tokens", "max_output_tokens")
    if isinstance(work.params.get("prompt"), str):
        work.rename("prompt", "input")


def _response(work: _Body) -> None:
    params = work.params
    instructions = params.pop("instructions", None)
    if isinstance(instructions, str) and instructions:
        turns = params.get("input", "")
        turns = [{"role": "user", "content": turns}] if isinstance(turns, str) else turns
        if isinstance(turns, list):
            params["input"] = [{"role": "system", "content": instructions}, *turns]
            work.change("instructions became a system message")
        else:
            work.refuse(
                "instructions", "The instructions could not be put into input.", "Write them as a system message."
            )
    elif instructions is not None and instructions != "":
        work.refuse("instructions", "The instructions are not a text.", "Write them as a system message.")
    _messages(work)


def _messages(work: _Body) -> None:
    turns = work.params.get("input")
    if isinstance(turns, list):
        work.params["input"] = [_message(work, turn) for turn in turns]


def _message(work: _Body, turn: Any) -> Any:
    if not isinstance(turn, dict):
        return turn
    turn = dict(turn)
    if turn.get("type") == "message":
        del turn["type"]
        work.change("type: message was dropped from messages")
    elif "type" in turn:
        work.refuse(
            "input-item",
            f"The input has an item of type {str(turn['type'])[:40]!r}.",
            "Only messages with a role are accepted.",
        )
    if turn.get("role") == "developer":
        turn["role"] = "system"
        work.change("the role developer became system")
    if isinstance(turn.get("content"), list):
        turn["content"] = [_part(work, part) for part in turn["content"]]
    return turn


def _part(work: _Body, part: Any) -> Any:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("text", "output_text") and isinstance(part.get("text"), str):
        work.change(f"parts of type {kind} became input_text")
        return {"type": "input_text", "text": part["text"]}
    if kind == "image_url":
        image = part.get("image_url")
        image = image if isinstance(image, dict) else {"url": image}
        work.change("parts of type image_url became input_image")
        detail = {"detail": image["detail"]} if "detail" in image else {}
        return {"type": "input_image", "image_url": image.get("url"), **detail}
    if kind in ("input_text", "input_image"):
        return part
    work.refuse(
        "content-part",
        f"A message holds a part of type {str(kind)[:40]!r}; Valar takes text and images only.",
        "Take audio and files out of this request.",
    )
    return part


def _response_format(work: _Body, wanted: Any) -> None:
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind == "json_schema" and isinstance(wanted.get("json_schema"), dict):
        work.params["text"] = {"format": {"type": "json_schema", **wanted["json_schema"]}}
    elif isinstance(wanted, dict):
        work.params["text"] = {"format": wanted}
    else:
        work.refuse("response-format", "The response_format is no object.", "Delete it or describe a JSON schema.")
        return
    work.change("response_format became text.format")


def _flat_function(work: _Body, tool: Any) -> Any:
    if isinstance(tool, dict) and tool.get("type") == "function" and isinstance(tool.get("function"), dict):
        work.change("function tools were flattened, as the Responses API writes them")
        return {"type": "function", **tool["function"]}
    return tool


def _what_is_refused(work: _Body) -> None:
    params = work.params
    for name in [name for name in params if name not in KNOWN]:
        value = params[name]
        if value is None or (name in HARMLESS and (value is False or str(value) in HARMLESS[name])):
            del params[name]
            work.change(f"{name} was dropped: it only says what is so anyway")
        elif name in REFUSED:
            work.refuse("refused-param", f"Valar refuses {name}.", REFUSED[name])
        elif name in ("n", "best_of"):
            work.refuse(
                "refused-param",
                f"Valar gives one answer to a request; {name} asks for {value}.",
                "Send it several times.",
            )
        else:
            work.refuse(
                "unknown-param",
                f"{name} has no counterpart in Valar's API and may be ignored.",
                "Delete it.",
                Severity.WARNING,
            )
    for name, accepted in FIXED.items():
        value = params.get(name)
        if name in params and value is not None and value not in accepted:
            work.refuse("refused-param", f"Valar refuses {name}: {value}.", f"Delete it, or set it to {accepted[0]}.")
    text = params.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    if isinstance(form, dict) and form.get("type") == "json_object":
        work.refuse(
            "json-object", "Valar refuses the answer format json_object.", "Describe the answer with json_schema."
        )
    for tool in params["tools"] if isinstance(params.get("tools"), list) else ():
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind not in ("function", "custom"):
            work.refuse(
                "server-tool",
                f"Valar refuses the tool {str(kind)[:40]}.",
                "Only function and custom tools are available.",
            )
