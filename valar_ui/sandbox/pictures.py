"""The sandbox's judgement of images: where they may lie, which kinds, how many bytes."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Final
from urllib.parse import urlsplit

from valar_ui import limits
from valar_ui.sandbox.catalogue import MODELS
from valar_ui.sandbox.errors import Refusal

KINDS: Final = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
"""Media types of images the API takes."""

_DATA = re.compile(r"data:([a-z0-9.+/-]*);base64,", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")


def check_picture(where: str, url: str) -> None:
    """Raise `Refusal` unless this is a public http(s) URL or a data: URI with an image of a known kind and size."""
    if url[:5].lower() == "data:":
        _check_data(where, url)
        return
    if _UNSAFE.search(url):
        raise Refusal(where, "An image URL must not contain spaces or control characters.")
    host = web_host(url)
    if host is None:
        raise Refusal(where, "image_url must be an http or https URL, or a data: URI with base64.")
    if not _public(host):
        raise Refusal(where, f"The image at {host[:100]} is not publicly reachable.")


def check_pictures(params: dict[str, Any]) -> None:
    """Raise `Refusal` when there are too many images, or when the model takes none."""
    said = params["input"]
    messages = said["messages"] if isinstance(said, dict) else said
    if isinstance(messages, str):
        return
    count = 0
    for message in messages:
        if isinstance(message["content"], list):
            count += sum(part["type"] == "input_image" for part in message["content"])
    if count > limits.MAX_IMAGES:
        raise Refusal("input", f"input holds {count} images; at most {limits.MAX_IMAGES} are allowed in one request.")
    if count and MODELS.get(params["model"]) is False:
        able = ", ".join(name for name, sees in MODELS.items() if sees)
        raise Refusal("model", f"{params['model']} takes no images. Models that do: {able}.")


def web_host(url: str) -> str | None:
    """The host of an http or https URL, None where it is not one."""
    try:
        parts = urlsplit(url)
        return parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        return None


def _check_data(where: str, url: str) -> None:
    head = _DATA.match(url)
    if head is None:
        raise Refusal(where, "A data: URI must read data:<media type>;base64,<data>.")
    if head[1].lower() not in KINDS:
        raise Refusal(where, f"Images must be JPEG, PNG, WebP or GIF, not {head[1][:100] or 'unnamed'}.")
    length = len(url) - head.end()
    if not length or length % 4 or _BASE64.fullmatch(url, head.end()) is None:
        raise Refusal(where, "The data: URI is not valid base64.")
    decoded = length // 4 * 3 - (url[-2:].count("="))
    if decoded > limits.MAX_IMAGE_BYTES:
        raise Refusal(where, f"The image has {decoded:,} bytes; at most {limits.MAX_IMAGE_BYTES:,} are allowed.")


def _public(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return True
