"""Opening the embedded database: full durability, migrations, transactions that wait for a lock."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import sqlalchemy
from sqlalchemy import Connection, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from valar_ui.ledger.schema import MIGRATIONS, ledger_version

BUSY_SECONDS: Final = 10.0
"""How long a transaction waits for another process before `LedgerBusy`."""


class LedgerFault(Exception):
    """The ledger could not do what was asked; nothing was changed. The message is for the person."""


class LedgerBusy(LedgerFault):
    """Another process held the database for longer than we wait: try again."""


class LedgerFull(LedgerFault):
    """The disk cannot hold what should be written."""


class LedgerTooNew(LedgerFault):
    """A newer version of the app wrote this ledger."""


class Database:
    """One SQLite file: rollback journal, `synchronous=EXTRA`, foreign keys; made and migrated when opened."""

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], float] = time.time,
        make_id: Callable[[], str] = lambda: secrets.token_hex(8),
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        """Open the ledger at an SQLAlchemy URL such as `sqlite:////home/me/ledger.sqlite3`."""
        self.clock = clock
        self.make_id = make_id
        self._engine = sqlalchemy.create_engine(make_url(url), connect_args={"timeout": busy_seconds})
        event.listen(self._engine, "connect", _prepare)
        event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(ledger_write=True)
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give back every connection."""
        self._engine.dispose()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads and sees one moment."""
        with _told(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start; commits at the end, or leaves no trace."""
        with _told(), self._writer.connect() as connection, connection.begin():
            yield connection

    def _migrate(self) -> None:
        with self.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS ledger_version (version INTEGER NOT NULL)")
            version = connection.scalar(select(ledger_version.c.version)) or 0
            if version > len(MIGRATIONS):
                raise LedgerTooNew(
                    f"This history was written by a newer version of the app (its layout is {version}, this version "
                    f"knows {len(MIGRATIONS)}). Start the newer version; nothing was changed."
                )
            for migration in MIGRATIONS[version:]:
                for statement in migration:
                    connection.exec_driver_sql(statement)
            if version < len(MIGRATIONS):
                connection.execute(ledger_version.delete())
                connection.execute(ledger_version.insert().values(version=len(MIGRATIONS)))


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn the driver's errors into ours, without the statement and its values."""
    try:
        yield
    except OperationalError as fault:
        text = str(fault.orig)
        if "locked" in text or "busy" in text:
            raise LedgerBusy(
                "The history is in use by another program; nothing was lost. Try again in a moment."
            ) from None
        if "full" in text or "disk I/O" in text:
            raise LedgerFull("The disk is full, so nothing could be written down. Make room and try again.") from None
        raise LedgerFault(f"The history cannot be used: {text}.") from None


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=DELETE", "synchronous=EXTRA", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("ledger_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
