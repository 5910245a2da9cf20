"""Judges a whole body: item by item for a batch, at once for a single response; keeps what answers need."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Final

from valar_ui import limits
from valar_ui.sandbox.errors import Refusal
from valar_ui.sandbox.rules import check_params
from valar_ui.sandbox.stream import JsonStream

ECHOED: Final = (
    "model",
    "max_output_tokens",
    "temperature",
    "top_p",
    "text",
    "reasoning",
    "metadata",
    "user",
    "background",
)
"""Params that an answer repeats or depends on; nothing else of a request is kept."""

CHARACTERS_A_TOKEN: Final = 4
"""How the sandbox counts input tokens."""

IMAGE_TOKENS: Final = 1_000
"""What one image counts for."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is kept of one request: its id, the number of its echo, its tokens, the draw that decides its fate."""

    custom_id: str
    echo: int
    input_tokens: int
    draw: int


@dataclass(slots=True)
class Batch:
    """A judged batch; `echoes` are JSON texts, shared by the items that repeat the same params."""

    label: str | None = None
    items: list[Item] = field(default_factory=list)
    echoes: dict[str, int] = field(default_factory=dict)


def draw(*parts: str) -> int:
    """A repeatable 63-bit number."""
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def echo_of(params: Mapping[str, Any]) -> str:
    """The kept params as JSON text."""
    return json.dumps({name: params[name] for name in ECHOED if name in params}, sort_keys=True)


def tokens_of(params: Mapping[str, Any]) -> int:
    """A plausible count of input tokens."""
    said = params["input"]
    if isinstance(said, str):
        return max(1, len(said) // CHARACTERS_A_TOKEN)
    characters, images = 0, 0
    for message in said["messages"] if isinstance(said, dict) else said:
        content = message["content"]
        if isinstance(content, str):
            characters += len(content)
            continue
        for part in content:
            if part["type"] == "input_text":
                characters += len(part["text"])
            else:
                images += 1
    return max(1, characters // CHARACTERS_A_TOKEN) + images * IMAGE_TOKENS


def judge_batch(file: IO[bytes], *, lot: str) -> Batch:
    """Read a POST /v1/batches body from `file`; `lot` seeds the draws. Raises `Refusal`."""
    stream = JsonStream(file)
    batch = Batch()
    seen: set[str] = set()
    for name in stream.members():
        seen.add(name)
        if name == "endpoint":
            if stream.value() != limits.ENDPOINT:
                raise Refusal("endpoint", f"endpoint must be {limits.ENDPOINT}.")
        elif name == "label":
            batch.label = _label(stream.value())
        elif name == "requests":
            if stream.peek() != "[":
                raise Refusal("requests", "requests must be a list.")
            _items(stream, batch, lot)
        else:
            raise Refusal(name[:100], f"{name[:100]} is not known here; allowed: endpoint, requests, label.")
    stream.end()
    for name in ("endpoint", "requests"):
        if name not in seen:
            raise Refusal(name, f"{name} is required.")
    return batch


def judge_response(file: IO[bytes]) -> dict[str, Any]:
    """Read a POST /v1/responses body from `file`. Raises `Refusal`."""
    stream = JsonStream(file)
    if stream.peek() != "{":
        raise Refusal(None, "The body must be a JSON object.")
    params: dict[str, Any] = stream.value()
    stream.end()
    check_params(params, in_batch=False)
    return params


def _label(value: Any) -> str:
    if not isinstance(value, str) or not limits.LABEL.fullmatch(value):
        raise Refusal("label", "label must be letters, digits, - and _ only, and not empty.")
    if len(value) > limits.MAX_LABEL:
        raise Refusal("label", f"label must have at most {limits.MAX_LABEL} characters.")
    return value


def _items(stream: JsonStream, batch: Batch, lot: str) -> None:
    ids: set[str] = set()
    for index, item in enumerate(stream.items()):
        if index == limits.MAX_REQUESTS:
            raise Refusal("requests", f"requests must hold at most {limits.MAX_REQUESTS:,} items.")
        custom_id, params = _item(f"requests[{index}]", item)
        if custom_id in ids:
            raise Refusal(f"requests[{index}].custom_id", f"custom_id {custom_id!r} appears twice in this batch.")
        ids.add(custom_id)
        echo = batch.echoes.setdefault(echo_of(params), len(batch.echoes))
        batch.items.append(Item(custom_id, echo, tokens_of(params), draw(lot, custom_id)))
    if len(ids) < limits.MIN_REQUESTS:
        raise Refusal("requests", "requests must hold at least one item.")


def _item(where: str, item: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(item, dict):
        raise Refusal(where, f"{where} must be an object.")
    for name in ("custom_id", "params"):
        if name not in item:
            raise Refusal(f"{where}.{name}", f"{where}.{name} is required.")
    if len(item) > 2:
        extra = next(name for name in item if name not in ("custom_id", "params"))[:100]
        raise Refusal(f"{where}.{extra}", f"{where}.{extra} is not known here; an item holds custom_id and params.")
    custom_id, params = item["custom_id"], item["params"]
    if not isinstance(custom_id, str) or not limits.CUSTOM_ID.fullmatch(custom_id):
        raise Refusal(
            f"{where}.custom_id",
            f"{where}.custom_id must begin with a lowercase letter or digit and hold only those, - and _.",
        )
    if len(custom_id) > limits.MAX_CUSTOM_ID:
        raise Refusal(f"{where}.custom_id", f"{where}.custom_id must have at most {limits.MAX_CUSTOM_ID} characters.")
    try:
        check_params(params, in_batch=True)
    except Refusal as refusal:
        place = f"{where}.params.{refusal.param}" if refusal.param else f"{where}.params"
        raise Refusal(place, f"{place}: {refusal.message}", code=refusal.code) from None
    return custom_id, params
