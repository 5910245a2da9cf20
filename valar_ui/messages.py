"""The rules for `input`: messages, content parts, images."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, Final

from valar_ui.flaws import Flaw, choice, shown
from valar_ui.limits import IMAGE_DETAILS, MAX_IMAGE_BYTES, MAX_IMAGES, ROLES

IMAGE_TYPES: Final = {
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/webp": (b"RIFF",),
    "image/gif": (b"GIF87a", b"GIF89a"),
}
"""Media types Valar takes, and how such a file begins (Images guide)."""

_DATA_URI: Final = re.compile(r"data:([^;,]*)(?:;[^;,]*)*;base64,(.*)", re.DOTALL | re.IGNORECASE)
_WEB: Final = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)
_MESSAGE_KEYS: Final = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "function_call"})
_detail = choice("detail", IMAGE_DETAILS)
_role = choice("role", ROLES)


def image_url(value: Any) -> Iterator[Flaw]:
    """A public http(s) address, or a `data:` URI whose bytes decode to an image of at most 20 MB."""
    if not isinstance(value, str) or not value:
        yield Flaw("image-url", f"The image address is {shown(value)}.", "Give an address that begins with https://.")
        return
    found = _DATA_URI.fullmatch(value) if value[:5].casefold() == "data:" else None
    if found is not None:
        yield from _embedded(found[1].strip().casefold(), found[2])
    elif not _WEB.fullmatch(value):
        inside = value != value.strip() or " " in value
        yield Flaw(
            "image-url",
            f"{shown(value)} is no image address.",
            "Take the space out of the address."
            if inside and _WEB.match(value.strip())
            else "Use a public address that begins with https:// or http://, or a data: URI with base64.",
        )


def _embedded(media_type: str, encoded: str) -> Iterator[Flaw]:
    if media_type not in IMAGE_TYPES:
        yield Flaw(
            "image-type",
            f"The image is given as {shown(media_type or 'no type')}.",
            "Valar takes JPEG, PNG, WebP and GIF (image/jpeg, image/png, image/webp, image/gif).",
        )
        return
    # Three bytes for four characters: the size is known before anything is decoded.
    size = len(encoded) // 4 * 3 - encoded[-2:].count("=")
    if size > MAX_IMAGE_BYTES:
        yield Flaw(
            "image-size",
            f"The image has {size:,} bytes; Valar takes {MAX_IMAGE_BYTES:,}.",
            "Make the image smaller, or give its web address instead.",
        )
        return
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        yield Flaw("image-base64", "The image's data: URI is not valid base64.", "Export the image again.")
        return
    if not decoded.startswith(IMAGE_TYPES[media_type]):
        yield Flaw(
            "image-type", f"The image's bytes are not {media_type}.", "Name the image's true type in the data: URI."
        )


def image_parts(request_input: Any) -> int:
    """How many images an `input` holds."""
    found = 0
    for message in conversation(request_input):
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list):
            found += sum(isinstance(part, dict) and part.get("type") == "input_image" for part in content)
    return found


def conversation(request_input: Any) -> list[Any]:
    """The messages of an `input` in any of its three shapes; an empty list where it has none."""
    if isinstance(request_input, str):
        return [{"role": "user", "content": request_input}]
    if isinstance(request_input, dict):
        request_input = request_input.get("messages")
    return request_input if isinstance(request_input, list) else []


def texts(request_input: Any) -> Iterator[str]:
    """Every text of an `input`, in order; skips what has no text."""
    for message in conversation(request_input):
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, str):
            yield content
        elif isinstance(content, list):
            for part in content:
                if isinstance(part, dict) and isinstance(part.get("text"), str):
                    yield part["text"]


def request_input(value: Any) -> Iterator[Flaw]:
    """A non-empty text, a non-empty list of messages, or `{messages: [...]}`."""
    if isinstance(value, str):
        if not value:
            yield Flaw("input-missing", "input is empty.", "Write what the model should do.")
        return
    if isinstance(value, dict):
        if set(value) != {"messages"}:
            yield Flaw("input-shape", "input is an object with other keys than messages.", 'Write {"messages": [...]}.')
            return
        value = value["messages"]
    if not isinstance(value, list):
        yield Flaw("input-shape", f"input is {shown(value)}.", "input is a text or a list of messages.")
        return
    if not value:
        yield Flaw("input-missing", "input has no messages.", "Add a message with role user.")
    for at, message in enumerate(value, start=1):
        yield from _message(at, message)
    count = image_parts(value)
    if count > MAX_IMAGES:
        yield Flaw(
            "image-count",
            f"The request has {count} images; Valar takes {MAX_IMAGES}.",
            f"Send at most {MAX_IMAGES} images with one request.",
        )


def _message(at: int, message: Any) -> Iterator[Flaw]:
    if not isinstance(message, dict):
        yield Flaw("message-shape", f"Message {at} of input is {shown(message)}.", "A message has role and content.")
        return
    for missing in sorted({"role", "content"} - set(message)):
        yield Flaw("message-shape", f"Message {at} of input has no {missing}.", "A message has role and content.")
    for key in message:
        if key not in _MESSAGE_KEYS:
            yield Flaw(
                "message-key",
                f"Message {at} of input has {shown(key)}, which Valar does not take.",
                "Take it out; a message has role and content.",
            )
    if "role" in message:
        hint = "Use system instead of developer." if message["role"] == "developer" else None
        for flaw in _role(message["role"]):
            yield flaw if hint is None else flaw._replace(hint=hint)
    for key in ("name", "tool_call_id"):
        if key in message and not isinstance(message[key], str):
            yield Flaw("message-shape", f"Message {at} of input: {key} is not text.", f"Write {key} as text.")
    calls = message.get("tool_calls", [])
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        yield Flaw("message-shape", f"Message {at} of input: tool_calls is no list of objects.", "Correct tool_calls.")
    if not isinstance(message.get("function_call", {}), dict):
        yield Flaw("message-shape", f"Message {at} of input: function_call is no object.", "Correct function_call.")
    if "content" in message:
        yield from _content(at, message["content"])


def _content(at: int, content: Any) -> Iterator[Flaw]:
    if isinstance(content, str):
        return
    if not isinstance(content, list) or not content:
        yield Flaw("message-shape", f"The content of message {at} is {shown(content)}.", "Write the content as text.")
        return
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "input_text":
            known = {"type", "text"}
            if not isinstance(part.get("text"), str):
                yield Flaw("part-shape", f"A text part of message {at} has no text.", "Write its text as text.")
        elif kind == "input_image":
            known = {"type", "image_url", "detail"}
            yield from image_url(part.get("image_url"))
            if "detail" in part:
                yield from _detail(part["detail"])
        else:
            yield Flaw(
                "part-type",
                f"Message {at} has a part of type {shown(kind)}.",
                "Valar takes input_text and input_image; it takes no audio and no files.",
            )
            continue
        for key in part:
            if key not in known:
                yield Flaw("part-shape", f"A part of message {at} has {shown(key)}.", "Take it out.")
