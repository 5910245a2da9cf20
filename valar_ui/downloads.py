"""Signed, short-lived addresses for files too large to pass through the page."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Final, NamedTuple

LIFETIME_S: Final = 3_600
"""Seconds a download address works."""

LONGEST: Final = 80
"""Characters of an uploaded file's name that names what is made of it."""

_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff/\\:*?"<>|]+')
"""What some system takes in no file name, and what makes a name read otherwise than it is."""
_ENDING: Final = re.compile(r"(\.(csv|tsv|txt|psv|xls[xmb]?|ods|jsonl|ndjson|json|parquet))?(\.gz)?$", re.IGNORECASE)
_AGAIN: Final = re.compile(r"(-with)?-problems( ?\(\d+\))?$")


def _signature(secret: bytes, payload: bytes) -> bytes:
    return hmac.new(secret, b"download\0" + payload, hashlib.sha256).digest()[:18]


class Download(NamedTuple):
    """A file, and what it is called where it arrives."""

    path: Path
    name: str


def sign(path: Path, *, home: Path, secret: bytes, now: float, name: str | None = None) -> str:
    """A token for a file below `home`, which arrives under `name` (None: its own); ValueError for any other file."""
    relative = path.resolve().relative_to(home.resolve())
    facts = (str(int(now) + LIFETIME_S), relative.as_posix(), path.name if name is None else name)
    payload = "\0".join(facts).encode()
    return urlsafe_b64encode(_signature(secret, payload) + payload).decode().rstrip("=")


def verify(token: str, *, home: Path, secret: bytes, now: float) -> Download | None:
    """The file a token names, or None where the token is forged, too old, or its file is gone."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except ValueError:
        return None
    signature, payload = raw[:18], raw[18:]
    if not hmac.compare_digest(signature, _signature(secret, payload)):
        return None
    expires, relative, name = payload.decode().split("\0")
    path = (home / relative).resolve()
    if int(expires) < now or not path.is_relative_to(home.resolve()) or not path.is_file():
        return None
    return Download(path, name)


def named_after(file_name: str, ending: str) -> str:
    """What a file made of an uploaded one is called: `reviews.csv`, `-problems.csv` → `reviews-problems.csv`.

    Only with characters that every system takes in a file's name. A file that was such a download is named after the
    one it came from.
    """
    told = file_name.encode(errors="replace").decode()
    stem = _ENDING.sub("", _UNSAFE.sub(" ", told).strip())
    stem = " ".join(_AGAIN.sub("", stem).split())[:LONGEST].strip(" .")
    return f"{stem or 'sheet'}{ending}"
