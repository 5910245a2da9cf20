"""API keys in memory, and the accounts they open."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable

from valar_ui.ledger import Account, Destination


class Keyring:
    """API keys by fingerprint, in memory only; what a restart forgets, a person gives again."""

    def __init__(self, secret: bytes, *, on_new: Callable[[], None] = lambda: None) -> None:
        """`secret` is the installation's; `on_new` is called when a key comes that was not there."""
        self._secret = secret
        self._keys: dict[str, str] = {}
        self._lock = threading.Lock()
        self._on_new = on_new

    def add(self, key: str, *, kind: Destination, base_url: str) -> Account:
        """Keep a key and say which account it opens."""
        account = account_of(key, kind=kind, base_url=base_url, secret=self._secret)
        with self._lock:
            new = account.fingerprint not in self._keys
            self._keys[account.fingerprint] = key
        if new:
            self._on_new()
        return account

    def find(self, fingerprint: str) -> str | None:
        """The key, or None where nobody gave it since the start."""
        with self._lock:
            return self._keys.get(fingerprint)

    def __repr__(self) -> str:
        return f"<Keyring of {len(self._keys)}>"


def account_of(key: str, *, kind: Destination, base_url: str, secret: bytes) -> Account:
    """The account a key opens; the sandbox's address is the word `sandbox`, for its port may change."""
    fingerprint = hmac.new(secret, b"api-key\0" + key.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:32]
    return Account(kind, "sandbox" if kind == "sandbox" else base_url.rstrip("/"), fingerprint)
