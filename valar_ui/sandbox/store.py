"""What the sandbox remembers, in one SQLite file: batches, responses, reservations; no prompt and no token."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from valar_ui.sandbox.intake import Batch

BUSY_SECONDS: Final = 30.0
"""How long one process waits for another that has the file locked."""

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS batches (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account TEXT NOT NULL, label TEXT,
    count INTEGER NOT NULL, created REAL NOT NULL, pace REAL NOT NULL);
CREATE INDEX IF NOT EXISTS batches_of ON batches (account, number);
CREATE TABLE IF NOT EXISTS echoes (number INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS requests (
    batch INTEGER NOT NULL, custom_id TEXT NOT NULL, position INTEGER NOT NULL, echo INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, draw INTEGER NOT NULL, fails INTEGER NOT NULL,
    PRIMARY KEY (batch, custom_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS responses (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, echo TEXT NOT NULL, input_tokens INTEGER NOT NULL,
    draw INTEGER NOT NULL, fails INTEGER NOT NULL, created REAL NOT NULL, pace REAL NOT NULL);
CREATE TABLE IF NOT EXISTS reservations (
    account TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (account, key)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """One accepted batch; `pace` seconds after `created` (Unix time) all its requests are done."""

    number: int
    id: str
    account: str
    label: str | None
    count: int
    created: float
    pace: float


@dataclass(frozen=True, slots=True)
class Job:
    """One request, of a batch or alone: enough to tell its status and its answer at any time."""

    id: str
    name: str
    """The custom_id, or the response's own id."""
    echo: str
    input_tokens: int
    draw: int
    fails: bool
    created: float
    pace: float


@dataclass(frozen=True, slots=True)
class Reservation:
    """What an idempotency key already stands for."""

    fingerprint: str
    id: str


class Store:
    """Safe to use from several threads and processes; a write is one transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        with self._write() as connection:
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute("INSERT OR IGNORE INTO meta VALUES ('secret', ?)", (secrets.token_bytes(32),))

    def close(self) -> None:
        """Close the connections that nobody uses; the store opens new ones when it is used again."""
        while self._idle:
            self._idle.pop().close()

    def secret(self) -> bytes:
        """What turns tokens into account names here."""
        with self._connected() as connection:
            value: bytes = connection.execute("SELECT value FROM meta WHERE name = 'secret'").fetchone()[0]
            return value

    def reservation(self, account: str, key: str) -> Reservation | None:
        """What `key` stands for, None while it is free."""
        with self._connected() as connection:
            return _reservation(connection, account, key)

    def add_batch(
        self,
        account: str,
        batch: Batch,
        *,
        fails: Sequence[bool],
        key: str | None,
        fingerprint: str,
        now: float,
        pace: float,
    ) -> tuple[Reservation, bool]:
        """Accept a batch, True; or, if `key` was reserved meanwhile, what it stands for, False.

        `fails` says of each item whether it will fail.
        """
        made = Reservation(fingerprint, f"batch_{secrets.token_hex(12)}")
        with self._write() as connection:
            earlier = _reserve(connection, account, key, made)
            if earlier is not None:
                return earlier, False
            row = (made.id, account, batch.label, len(batch.items), now, pace)
            number = connection.execute(
                "INSERT INTO batches (id, account, label, count, created, pace) VALUES (?,?,?,?,?,?)", row
            ).lastrowid
            first = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM echoes").fetchone()[0]
            connection.executemany(
                "INSERT INTO echoes VALUES (?, ?)", ((first + at, text) for text, at in batch.echoes.items())
            )
            connection.executemany(
                "INSERT INTO requests VALUES (?,?,?,?,?,?,?)",
                (
                    (number, item.custom_id, position, first + item.echo, item.input_tokens, item.draw, fate)
                    for position, (item, fate) in enumerate(zip(batch.items, fails, strict=True))
                ),
            )
        return made, True

    def add_response(self, account: str, job: Job, *, key: str | None, fingerprint: str) -> tuple[Reservation, bool]:
        """Accept a single response, True; or, if `key` was reserved meanwhile, what it stands for, False."""
        made = Reservation(fingerprint, job.id)
        with self._write() as connection:
            earlier = _reserve(connection, account, key, made)
            if earlier is not None:
                return earlier, False
            row = (job.id, account, job.echo, job.input_tokens, job.draw, job.fails, job.created, job.pace)
            connection.execute("INSERT INTO responses VALUES (?,?,?,?,?,?,?,?)", row)
        return made, True

    def batch(self, account: str, batch_id: str) -> StoredBatch | None:
        """One batch of this account."""
        with self._connected() as connection:
            row = connection.execute(
                "SELECT * FROM batches WHERE id = ? AND account = ?", (batch_id, account)
            ).fetchone()
        return StoredBatch(*row) if row else None

    def batches(self, account: str, *, after: int | None, before: int | None, limit: int) -> list[StoredBatch]:
        """Newest first; with `after` alone, those that came right after it."""
        low, high = after if after is not None else 0, before if before is not None else 2**62
        upwards = after is not None and before is None
        chosen = "SELECT * FROM batches WHERE account = ? AND number > ? AND number < ? ORDER BY number "
        with self._connected() as connection:
            rows = connection.execute(
                f"{chosen} {'ASC' if upwards else 'DESC'} LIMIT ?", (account, low, high, limit)
            ).fetchall()
        found = [StoredBatch(*row) for row in rows]
        return found[::-1] if upwards else found

    def fates(self, number: int) -> list[tuple[str, int, int]]:
        """(custom_id, draw, fails) of a batch's requests, in the order they were sent."""
        with self._connected() as connection:
            return connection.execute(
                "SELECT custom_id, draw, fails FROM requests WHERE batch = ? ORDER BY position", (number,)
            ).fetchall()

    def request(self, batch: StoredBatch, custom_id: str) -> Job | None:
        """One request of a batch."""
        with self._connected() as connection:
            row = connection.execute(
                "SELECT text, input_tokens, draw, fails FROM requests JOIN echoes ON echoes.number = requests.echo "
                "WHERE batch = ? AND custom_id = ?",
                (batch.number, custom_id),
            ).fetchone()
        if row is None:
            return None
        echo, input_tokens, draw, fails = row
        name = f"resp_{batch.id[6:]}_{custom_id}"
        return Job(name, custom_id, echo, input_tokens, draw, bool(fails), batch.created, batch.pace)

    def response(self, account: str, response_id: str) -> Job | None:
        """One single response of this account."""
        with self._connected() as connection:
            row = connection.execute(
                "SELECT id, id, echo, input_tokens, draw, fails, created, pace FROM responses "
                "WHERE id = ? AND account = ?",
                (response_id, account),
            ).fetchone()
        return Job(*row) if row else None

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            # Not the write-ahead log; a killed process loses nothing, a power cut may lose the last batch.
            connection.execute("PRAGMA journal_mode = TRUNCATE")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA cache_size = -65536")
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    @contextlib.contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._writing, self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")


def _reservation(connection: sqlite3.Connection, account: str, key: str) -> Reservation | None:
    row = connection.execute(
        "SELECT fingerprint, id FROM reservations WHERE account = ? AND key = ?", (account, key)
    ).fetchone()
    return Reservation(*row) if row else None


def _reserve(connection: sqlite3.Connection, account: str, key: str | None, made: Reservation) -> Reservation | None:
    if key is None:
        return None
    earlier = _reservation(connection, account, key)
    if earlier is None:
        connection.execute("INSERT INTO reservations VALUES (?,?,?,?)", (account, key, made.fingerprint, made.id))
    return earlier
