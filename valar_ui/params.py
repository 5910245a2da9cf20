"""The rules for a request's params: one table, for fixed values, for cells and for ready-made requests alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from valar_ui.answer import schema_flaws
from valar_ui.flaws import Flaw, Rule, boolean, choice, integer, number, only, shown, text
from valar_ui.limits import EFFORTS, MAX_USER, MIN_OUTPUT_TOKENS, SUMMARIES, TEMPERATURE, TOP_P, WINDOWS
from valar_ui.messages import request_input
from valar_ui.problems import Severity
from valar_ui.template import nearest

BIGGEST: Final = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly (RFC 8259, section 6)."""

SERVER_TOOLS: Final = frozenset(
    {"web_search", "file_search", "code_interpreter", "computer_use", "mcp", "image_generation", "shell", "apply_patch"}
)
"""Tools that would run on the server; Valar refuses them (Responses API)."""

REFUSED: Final = {
    "instructions": "Put the text into a system message at the start of the conversation.",
    "previous_response_id": "Put the earlier messages into the conversation.",
    "conversation": "Put the earlier messages into the conversation.",
    "prompt": "Write the prompt into the conversation; stored prompts are not available.",
    "parallel_tool_calls": "Take it out.",
    "audio": "Take it out; Valar takes text and images.",
    "modalities": "Take it out; Valar answers in text.",
}
"""Params that Valar refuses whatever their value, with the remedy (Responses API)."""

MISTAKEN: Final = {
    "messages": "The messages belong into input.",
    "max_tokens": "Here it is called max_output_tokens.",
    "max_completion_tokens": "Here it is called max_output_tokens.",
    "response_format": "Here the answer's shape is text.format.",
    "reasoning_effort": "Here it is reasoning.effort.",
    "completion_window": "It belongs into metadata.",
    "logprobs": 'Here it is include: ["message.output_text.logprobs"].',
    **dict.fromkeys(
        ("stop", "n", "seed", "frequency_penalty", "presence_penalty", "logit_bias", "top_logprobs", "prediction"),
        "Valar has nothing like it; take it out.",
    ),
}
"""Names from other APIs, with what they are called here."""


def _text_format(value: Any) -> Iterator[Flaw]:
    if not isinstance(value, dict) or set(value) != {"format"}:
        yield Flaw("text-shape", f"text is {shown(value)}.", 'Write {"format": {…}} and nothing else in it.')
        return
    form = value["format"]
    kind = form.get("type") if isinstance(form, dict) else None
    if kind == "json_object":
        yield Flaw("json-object", "Valar refuses the answer format json_object.", "Use answer fields, or json_schema.")
    elif kind == "text":
        for key in set(form) - {"type"}:
            yield Flaw("text-format", f"The format text has {shown(key)}.", "Take it out.")
    elif kind == "json_schema":
        yield from _json_schema(form)
    else:
        yield Flaw("text-format", f"text.format is {shown(form)}.", "Its type is text or json_schema.")


def _json_schema(form: dict[str, Any]) -> Iterator[Flaw]:
    if not isinstance(form.get("name"), str) or not form["name"]:
        yield Flaw("answer-name", "The json_schema format has no name.", "Give it a name.")
    for key in set(form) - {"type", "name", "description", "schema", "strict"}:
        yield Flaw("text-format", f"The format json_schema has {shown(key)}.", "Take it out.")
    if "schema" not in form:
        yield Flaw("schema-shape", "The json_schema format has no schema.", "Add the schema.")
    else:
        for flaw in schema_flaws(form["schema"]):
            if flaw.code != "schema-not-strict":
                yield flaw
            elif form.get("strict") is True:
                yield flaw._replace(
                    text="The schema says strict, but lets an answer leave keys out or add some.",
                    severity=Severity.WARNING,
                )
    if not isinstance(form.get("description", ""), str):
        yield Flaw("text-format", "The format's description is not text.", "Write it as text.")
    if not isinstance(form.get("strict", True), bool):
        yield Flaw("text-format", "The format's strict is neither true nor false.", "Use true or false.")


_effort = choice("reasoning.effort", EFFORTS)
_summary = choice("reasoning.generate_summary", SUMMARIES)


def _reasoning(value: Any) -> Iterator[Flaw]:
    if not isinstance(value, dict):
        yield Flaw("reasoning-shape", f"reasoning is {shown(value)}.", 'Write {"effort": "low"}.')
        return
    for key, member in value.items():
        if key == "effort":
            yield from _effort(member)
        elif key == "generate_summary":
            yield from _summary(member)
        else:
            yield Flaw(
                "unknown-param",
                f"reasoning.{key} is not in Valar's documentation.",
                "Use generate_summary." if key == "summary" else "Take it out unless you know that it works.",
                Severity.WARNING,
            )


_window = choice("metadata.completion_window", WINDOWS)


def _metadata(value: Any) -> Iterator[Flaw]:
    if not isinstance(value, dict):
        yield Flaw("metadata-shape", f"metadata is {shown(value)}.", "Metadata is a list of names with texts.")
        return
    for key, member in value.items():
        if not isinstance(member, str):
            yield Flaw("metadata-text", f"metadata.{key} is {shown(member)}, which is not text.", "Put it in quotes.")
        elif key == "completion_window":
            yield from _window(member)
            if member == "asap":
                yield Flaw(
                    "window-in-batch",
                    "The completion window asap is not available in a batch.",
                    "Use standard, or leave it out.",
                )
        elif key == "completion_webhook" and not _is_web_address(member):
            yield Flaw(
                "webhook-url", f"The webhook {shown(member)} is no web address.", "Begin it with https:// or http://."
            )


def _is_web_address(value: str) -> bool:
    if any(not letter.isprintable() or letter.isspace() for letter in value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme.casefold() in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def _tools(value: Any) -> Iterator[Flaw]:
    if not isinstance(value, list):
        yield Flaw("tools-shape", f"tools is {shown(value)}.", "tools is a list.")
        return
    for tool in value:
        kind = tool.get("type") if isinstance(tool, dict) else None
        if isinstance(kind, str) and any(kind.startswith(server) for server in SERVER_TOOLS):
            yield Flaw(
                "server-tool", f"Valar refuses the tool {kind}.", "Only function and custom tools are available."
            )
        elif kind not in ("function", "custom"):
            yield Flaw("tools-shape", f"A tool has the type {shown(kind)}.", "Its type is function or custom.")
        elif not isinstance(tool.get("name", (tool.get("function") or {})), str | dict):
            yield Flaw("tools-shape", "A tool's name is not text.", "Give the tool a name.")


def _tool_choice(value: Any) -> Iterator[Flaw]:
    if isinstance(value, str):
        yield from choice("tool_choice", ("none", "auto", "required"))(value)
    elif not isinstance(value, dict) or value.get("type") not in ("function", "custom"):
        yield Flaw("tool_choice-choice", f"tool_choice is {shown(value)}.", "Name a function or a custom tool.")


def _include(value: Any) -> Iterator[Flaw]:
    if not isinstance(value, list) or not all(isinstance(member, str) for member in value):
        yield Flaw("include-shape", f"include is {shown(value)}.", "include is a list of texts.")
        return
    for member in value:
        if member != "message.output_text.logprobs":
            yield Flaw(
                "unknown-param",
                f"include {shown(member)} is not in Valar's documentation.",
                "Valar's documentation names message.output_text.logprobs.",
                Severity.WARNING,
            )


RULES: Final[Mapping[str, Rule]] = {
    "model": text("model", filled=True),
    "input": request_input,
    "max_output_tokens": integer("max_output_tokens", MIN_OUTPUT_TOKENS, BIGGEST),
    "temperature": number("temperature", *TEMPERATURE),
    "top_p": number("top_p", *TOP_P),
    "text": _text_format,
    "reasoning": _reasoning,
    "metadata": _metadata,
    "tools": _tools,
    "tool_choice": _tool_choice,
    "include": _include,
    "prompt_cache_key": text("prompt_cache_key"),
    "user": text("user", MAX_USER),
    "background": boolean("background"),
    "store": only("store", True, "Take store out; Valar keeps an answer for at most 48 hours."),
    "stream": only("stream", False, "Take stream out; a batch has no stream."),
    "truncation": only("truncation", "disabled", "Take truncation out, or write disabled."),
    "service_tier": only("service_tier", "auto", "Take service_tier out, or write auto."),
}
"""The rule for each param that Valar documents."""


def flaws(params: Mapping[str, Any], *, complete: bool = True) -> Iterator[Flaw]:
    """Everything wrong with a request's params; `complete` False lets model and input be missing."""
    if complete:
        if "model" not in params:
            yield Flaw("model-missing", "The request names no model.", "Choose a model.")
        if "input" not in params:
            yield Flaw("input-missing", "The request has no input.", "Write what the model should do.")
    for name, value in params.items():
        rule = RULES.get(name)
        if rule is not None:
            yield from rule(value)
        elif name in REFUSED:
            yield Flaw("refused-param", f"Valar refuses {name}.", REFUSED[name])
        else:
            close = nearest(name, RULES)
            hint = MISTAKEN.get(name) or (f"Did you mean {close}?" if close else "Take it out unless it is meant.")
            yield Flaw(
                "unknown-param", f"{shown(name)} is not in Valar's documentation.", hint, severity=Severity.WARNING
            )
    metadata = params.get("metadata")
    if isinstance(metadata, dict) and metadata.get("completion_window") == "flex":
        yield from flex_flaws(params.get("background"))


def flex_flaws(background: Any) -> Iterator[Flaw]:
    """The completion window flex, beside `background`."""
    if background is not True:
        yield Flaw(
            "window-in-batch",
            "The completion window flex needs background responses; a batch runs on standard.",
            "Use standard, or leave it out.",
        )
    else:
        yield Flaw(
            "window-ignored",
            "The completion window is flex, but a batch runs on standard.",
            "Leave it out in a batch.",
            Severity.WARNING,
        )


JSON_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_JSON_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
NUMBERS: Final = frozenset({"temperature", "top_p"})
"""Params whose cells are read as numbers."""
INTEGERS: Final = frozenset({"max_output_tokens"})
"""Params whose cells are read as whole numbers."""


def read_cell(name: str, cell: str) -> tuple[Any, tuple[Flaw, ...]]:
    """A cell as the value of a param (`name` with dots, as `reasoning.effort`), and what is wrong with it.

    Nothing is trimmed or guessed: `0.7` is a number, `0,7` and ` 0.7` are not.
    """
    if name in NUMBERS or name in INTEGERS:
        pattern = JSON_NUMBER if name in NUMBERS else _JSON_INTEGER
        if not pattern.fullmatch(cell):
            return None, (_no_number(name, cell),)
        # Forty digits are out of range as surely as all of them.
        value = int(cell[:40]) if _JSON_INTEGER.fullmatch(cell) else float(cell)
        return value, tuple(RULES[name](value))
    group, _, member = name.partition(".")
    return cell, tuple(RULES[group]({member: cell} if member else cell))


def mended_number(name: str, cell: str) -> str:
    """A cell as the number that a person means by it: `0,7` is 0.7, `1 024` is 1024; else the cell as it stands."""
    plain = cell.strip()
    if name in INTEGERS:
        # `2,0` is two, `2,000` two thousand.
        whole = re.fullmatch(r"([1-9][0-9]*)[.,]0{1,2}", plain)
        mended = whole[1] if whole else re.sub(r"(?<=\d)[., '\u00a0\u202f](?=\d{3}(?!\d))", "", plain)
    else:
        mended = plain.replace("\u00a0", "").replace(",", ".")
    return mended if JSON_NUMBER.fullmatch(mended) else cell


def _no_number(name: str, cell: str) -> Flaw:
    kind = "number" if name in NUMBERS else "whole number"
    example = "0.7" if name in NUMBERS else "1024"
    mended = mended_number(name, cell)
    hint = f"Write {mended}." if mended != cell else f"Write it as {example}."
    return Flaw(f"{name}-number", f"{name} is {shown(cell)}, which is not a {kind}.", hint)
