"""What the environment says, and where files live."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from platformdirs import user_data_path

DEFAULT_BASE_URL: Final = "https://api.valarhq.ai/v1"
"""Where Valar is, unless `VALAR_BASE_URL` says otherwise."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation's settings; `from_environment` makes it, tests make their own."""

    home: Path
    """Where the ledger, the spool and the uploads live (`VALAR_UI_HOME`)."""
    base_url: str = DEFAULT_BASE_URL
    sandbox_url: str | None = None
    """Where a sandbox already runs (`VALAR_SANDBOX_URL`); None: the one beside the pages."""
    shared: bool = False
    """Several people use this deployment: each browser sees only its own work (`VALAR_UI_SHARED`)."""
    prices: Path | None = None
    """A file of prices that replaces the built-in ones (`VALAR_UI_PRICES`)."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the variables; creates nothing."""
        environment = os.environ if environment is None else environment
        home = environment.get("VALAR_UI_HOME")
        prices = environment.get("VALAR_UI_PRICES")
        return cls(
            home=Path(home).expanduser() if home else user_data_path("valar-batches", appauthor=False),
            base_url=(environment.get("VALAR_BASE_URL") or DEFAULT_BASE_URL).rstrip("/"),
            sandbox_url=(environment.get("VALAR_SANDBOX_URL") or "").rstrip("/") or None,
            shared=environment.get("VALAR_UI_SHARED", "").casefold() in {"1", "true", "yes", "on"},
            prices=Path(prices).expanduser() if prices else None,
        )

    @property
    def ledger_path(self) -> Path:
        """The embedded database."""
        return self.folder("") / "ledger.sqlite3"

    @property
    def ledger_url(self) -> str:
        """The embedded database, as SQLAlchemy names it."""
        return f"sqlite:///{self.ledger_path}"

    def folder(self, name: str) -> Path:
        """A folder below `home`, made where it is missing, readable by its owner only."""
        path = self.home / name if name else self.home
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def install_secret(self) -> bytes:
        """32 random bytes made once for this installation: they key fingerprints, never requests."""
        path = self.folder("") / "install.secret"
        if not path.exists():
            # Linked into place whole, so that two processes starting at once agree on one secret.
            partial = path.with_name(f"install.{secrets.token_hex(4)}.partial")
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(32))
            with contextlib.suppress(FileExistsError):
                os.link(partial, path)
            partial.unlink()
        return path.read_bytes()
