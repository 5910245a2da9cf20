"""Signed, short-lived addresses for files too large to pass through the page."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Final

LIFETIME_S: Final = 3_600
"""Seconds a download address works."""


def _signature(secret: bytes, payload: bytes) -> bytes:
    return hmac.new(secret, b"download\0" + payload, hashlib.sha256).digest()[:18]


def sign(path: Path, *, home: Path, secret: bytes, now: float) -> str:
    """A token for a file below `home`; ValueError for any other file."""
    relative = path.resolve().relative_to(home.resolve())
    payload = f"{int(now) + LIFETIME_S}:{relative.as_posix()}".encode()
    return urlsafe_b64encode(_signature(secret, payload) + payload).decode().rstrip("=")


def verify(token: str, *, home: Path, secret: bytes, now: float) -> Path | None:
    """The file a token names, or None where the token is forged, too old, or its file is gone."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except ValueError:
        return None
    signature, payload = raw[:18], raw[18:]
    if not hmac.compare_digest(signature, _signature(secret, payload)):
        return None
    expires, _, relative = payload.decode().partition(":")
    path = (home / relative).resolve()
    if int(expires) < now or not path.is_relative_to(home.resolve()) or not path.is_file():
        return None
    return path
