"""One body of an OpenAI batch file becomes params as Valar writes them; every change is told.

What Valar refuses in a request is told where all params are checked, so only what cannot be carried over is told here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from valar_ui.problems import Problem
from valar_ui.readers.jsontext import cell

LOST: Final = {
    "functions": "Use tools.",
    "function_call": "Use tool_choice.",
    "prediction": "Delete it.",
    "web_search_options": "Tools that run on the server are not available.",
    "logit_bias": "Delete it.",
    "stop": "Delete it, or ask for the end in the prompt.",
    "n": "Send the request several times.",
    "best_of": "Send the request several times.",
}
"""Params that change the answer and have no counterpart in Valar's API, with the remedy."""

HARMLESS: Final[dict[str, tuple[str, ...]]] = {
    "n": ("1",),
    "best_of": ("1",),
    "presence_penalty": ("0", "0.0"),
    "frequency_penalty": ("0", "0.0"),
    "logprobs": (),
    "echo": (),
    "modalities": ("['text']",),
}
"""Values that say what is so anyway; such a param is dropped."""


class _Body:
    """One body on its way; gathers changes and problems."""

    def __init__(self, body: dict[str, Any], number: int) -> None:
        self.changes: list[str] = []
        self.params = self.filled(body)
        self.problems: list[Problem] = []
        self._number = number

    def filled(self, value: dict[str, Any]) -> dict[str, Any]:
        """Without the keys whose value is null."""
        if None in value.values():
            self.change("keys whose value is null were dropped")
        return {key: item for key, item in value.items() if item is not None}

    def change(self, text: str) -> None:
        if text not in self.changes:
            self.changes.append(text)

    def refuse(self, code: str, text: str, hint: str) -> None:
        self.problems.append(Problem(code, text, hint, self._number))

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
    if url is None and isinstance(body.get("messages"), list):
        url = "/chat/completions"
        work.change("requests that name no url were taken for chat completions")
    place = "/" + str(url or "").split("?")[0].strip("/")
    convert = next((convert for end, convert in KINDS.items() if place.endswith(end)), None)
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
    _what_is_lost(work)
    return work.params, work.changes, work.problems


def _chat(work: _Body) -> None:
    params = work.params
    work.rename("max_completion_tokens", "max_output_tokens")
    work.rename("max_tokens", "max_output_tokens")
    if "messages" in params:
        params["input"] = params.pop("messages")
        work.change("messages became input")
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
    instructions, turns = params.get("instructions"), params.get("input", "")
    if instructions == "":
        del params["instructions"]
    elif isinstance(instructions, str) and isinstance(turns, str | list):
        turns = [{"role": "user", "content": turns}] if isinstance(turns, str) else turns
        del params["instructions"]
        params["input"] = [{"role": "system", "content": instructions}, *turns]
        work.change("instructions became a system message")
    _messages(work)


def _messages(work: _Body) -> None:
    turns = work.params.get("input")
    if isinstance(turns, list):
        work.params["input"] = [_message(work, turn) for turn in turns]


def _message(work: _Body, turn: Any) -> Any:
    if not isinstance(turn, dict):
        return turn
    turn = work.filled(turn)
    if turn.get("type") == "message":
        del turn["type"]
        work.change("type: message was dropped from messages")
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
        image = work.filled(image) if isinstance(image, dict) else {"url": image}
        work.change("parts of type image_url became input_image")
        detail = {"detail": image["detail"]} if "detail" in image else {}
        return {"type": "input_image", "image_url": image.get("url"), **detail}
    return part


def _response_format(work: _Body, wanted: Any) -> None:
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind == "json_schema" and isinstance(wanted.get("json_schema"), dict):
        work.params["text"] = {"format": {"type": "json_schema", **work.filled(wanted["json_schema"])}}
    elif isinstance(wanted, dict):
        work.params["text"] = {"format": wanted}
    else:
        work.refuse("response-format", "The response_format is no object.", "Delete it or describe a JSON schema.")
        return
    work.change("response_format became text.format")


def _flat_function(work: _Body, tool: Any) -> Any:
    if isinstance(tool, dict) and tool.get("type") == "function" and isinstance(tool.get("function"), dict):
        work.change("function tools were flattened, as the Responses API writes them")
        return {"type": "function", **work.filled(tool["function"])}
    return tool


def _what_is_lost(work: _Body) -> None:
    params = work.params
    for name, values in HARMLESS.items():
        if name in params and (params[name] is False or str(params[name]) in values):
            del params[name]
            work.change(f"{name} was dropped: it only says what is so anyway")
    for name, hint in LOST.items():
        if name in params:
            value = cell(params.pop(name))
            value = value if len(value) <= 60 else value[:57] + "…"
            work.refuse("refused-param", f"Valar has nothing like {name}: {value}.", hint)


KINDS: Final[dict[str, Callable[[_Body], None]]] = {
    "/chat/completions": _chat,
    "/completions": _completion,
    "/responses": _response,
}
"""How the path of a request ends, also behind a host or a deployment's name; the first that fits counts."""
