"""The ledger's tables as they are now, and the numbered migrations that lead there."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

ledger_version = Table("ledger_version", metadata, Column("version", Integer, nullable=False))

drafts = Table(
    "drafts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("upload", Text, nullable=False),
    Column("reading", JSON(none_as_null=True)),
    Column("recipe", JSON(none_as_null=True)),
    Column("steps", JSON, nullable=False),
    Column("label", Text, nullable=False),
    Column("prepared", Text),
    Index("drafts_by_owner", "owner", "updated_at"),
)

recipes = Table(
    "recipes",
    metadata,
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("recipe", JSON, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("saved_at", Float, nullable=False),
    PrimaryKeyConstraint("owner", "name"),
)

mappings = Table(
    "mappings",
    metadata,
    Column("owner", Text, nullable=False),
    Column("headers_key", Text, nullable=False),
    Column("recipe", JSON, nullable=False),
    Column("used_at", Float, nullable=False),
    PrimaryKeyConstraint("owner", "headers_key"),
)

dispatches = Table(
    "dispatches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("click", Text, nullable=False, unique=True),
    Column("draft_id", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("content_sha256", Text, nullable=False),
    Column("prepared", Text, nullable=False),
    Column("account_kind", Text, nullable=False),
    Column("account_url", Text, nullable=False),
    Column("account_key", Text, nullable=False),
    Index("dispatches_by_owner", "owner", "created_at"),
    Index("dispatches_by_content", "owner", "content_sha256"),
)

submissions = Table(
    "submissions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("dispatch_id", Text, ForeignKey("dispatches.id"), nullable=False),
    Column("part", Integer, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("first", Integer, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("body_bytes", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("account_kind", Text, nullable=False),
    Column("account_url", Text, nullable=False),
    Column("account_key", Text, nullable=False),
    Column("idempotency_key", Text, unique=True),
    Column("sha256", Text),
    Column("sealed_at", Float),
    Column("spool", Text),
    Column("attempt", Integer, nullable=False),
    Column("first_sent_at", Float),
    Column("uncertain_since", Float),
    Column("holder", Text),
    Column("lease_until", Float),
    Column("wait", Float),
    Column("next_at", Float),
    Column("other_key", Text),
    Column("candidates", JSON(none_as_null=True)),
    Column("batch_id", Text),
    Column("finished_at", Float),
    UniqueConstraint("dispatch_id", "part", "generation"),
    Index("submissions_by_state", "state", "next_at"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("submission_id", Text, ForeignKey("submissions.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("outcome", Text),
    Column("status", Integer),
    Column("request_id", Text),
    Column("type", Text),
    Column("param", Text),
    Column("message", Text),
    PrimaryKeyConstraint("submission_id", "number"),
)

batches = Table(
    "batches",
    metadata,
    Column("submission_id", Text, ForeignKey("submissions.id"), primary_key=True),
    Column("id", Text, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("accepted_at", Float, nullable=False),
    Column("label", Text, nullable=False),
    Column("deadline_at", Float, nullable=False),
    Column("state", Text, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("checked_at", Float),
    Column("next_check_at", Float, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("message", Text, nullable=False),
    Index("batches_by_check", "state", "next_check_at"),
)

_ACCOUNT = "account_kind TEXT NOT NULL, account_url TEXT NOT NULL, account_key TEXT NOT NULL"

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE drafts (id TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, created_at FLOAT NOT NULL,
           updated_at FLOAT NOT NULL, file_name TEXT NOT NULL, folder TEXT NOT NULL, upload TEXT NOT NULL,
           reading JSON, recipe JSON, steps JSON NOT NULL, label TEXT NOT NULL, prepared TEXT)""",
        "CREATE INDEX drafts_by_owner ON drafts (owner, updated_at)",
        """CREATE TABLE recipes (owner TEXT NOT NULL, name TEXT NOT NULL, recipe JSON NOT NULL, headers JSON NOT NULL,
           saved_at FLOAT NOT NULL, PRIMARY KEY (owner, name))""",
        """CREATE TABLE mappings (owner TEXT NOT NULL, headers_key TEXT NOT NULL, recipe JSON NOT NULL,
           used_at FLOAT NOT NULL, PRIMARY KEY (owner, headers_key))""",
        f"""CREATE TABLE dispatches (id TEXT NOT NULL PRIMARY KEY, owner TEXT NOT NULL, click TEXT NOT NULL UNIQUE,
           draft_id TEXT NOT NULL, session TEXT NOT NULL, created_at FLOAT NOT NULL, file_name TEXT NOT NULL,
           label TEXT NOT NULL, fingerprint TEXT NOT NULL, content_sha256 TEXT NOT NULL, prepared TEXT NOT NULL,
           {_ACCOUNT})""",
        "CREATE INDEX dispatches_by_owner ON dispatches (owner, created_at)",
        "CREATE INDEX dispatches_by_content ON dispatches (owner, content_sha256)",
        f"""CREATE TABLE submissions (id TEXT NOT NULL PRIMARY KEY,
           dispatch_id TEXT NOT NULL REFERENCES dispatches (id), part INTEGER NOT NULL, parts INTEGER NOT NULL,
           generation INTEGER NOT NULL, first INTEGER NOT NULL, requests INTEGER NOT NULL, body_bytes INTEGER NOT NULL,
           label TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, message TEXT NOT NULL,
           created_at FLOAT NOT NULL, {_ACCOUNT}, idempotency_key TEXT UNIQUE, sha256 TEXT, sealed_at FLOAT,
           spool TEXT, attempt INTEGER NOT NULL, first_sent_at FLOAT, uncertain_since FLOAT, holder TEXT,
           lease_until FLOAT, wait FLOAT, next_at FLOAT, other_key TEXT, candidates JSON, batch_id TEXT,
           finished_at FLOAT, UNIQUE (dispatch_id, part, generation))""",
        "CREATE INDEX submissions_by_state ON submissions (state, next_at)",
        """CREATE TABLE attempts (submission_id TEXT NOT NULL REFERENCES submissions (id), number INTEGER NOT NULL,
           started_at FLOAT NOT NULL, ended_at FLOAT, outcome TEXT, status INTEGER, request_id TEXT, type TEXT,
           param TEXT, message TEXT, PRIMARY KEY (submission_id, number))""",
        """CREATE TABLE batches (submission_id TEXT NOT NULL PRIMARY KEY REFERENCES submissions (id),
           id TEXT NOT NULL, requests INTEGER NOT NULL, created_at FLOAT NOT NULL, accepted_at FLOAT NOT NULL,
           label TEXT NOT NULL, deadline_at FLOAT NOT NULL, state TEXT NOT NULL, counts JSON NOT NULL,
           checked_at FLOAT, next_check_at FLOAT NOT NULL, failures INTEGER NOT NULL, message TEXT NOT NULL)""",
        "CREATE INDEX batches_by_check ON batches (state, next_check_at)",
    ),
)
"""Migration n (from 1) is `MIGRATIONS[n - 1]`; a released one is never edited, a change is a new one."""
