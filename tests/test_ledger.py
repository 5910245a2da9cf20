"""The ledger: drafts and recipes by owner, migrations, locks."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from valar_ui.ledger import Ledger, LedgerBusy, LedgerTooNew, NoSuchDraft, schema


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the ledger under test lies."""
    return f"sqlite:///{tmp_path / 'ledger.sqlite3'}"


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    """An empty ledger."""
    ledger = Ledger(url, clock=lambda: 1_000.0)
    yield ledger
    ledger.close()


def test_a_draft_comes_back_as_saved_after_a_restart(ledger: Ledger, url: str) -> None:
    draft = ledger.create_draft("ann", now=5.0, file_name="007.csv", folder="/data/x")
    assert (draft.reading, draft.recipe, draft.steps, draft.label) == (None, None, [], "")
    changed = ledger.save_draft(
        draft.id, "ann", now=6.0, recipe={"version": 1}, steps=[{"kind": "collapse"}], label="x", reading={"rows": 2}
    )
    assert changed.updated_at == 6.0
    again = Ledger(url)
    assert again.draft(draft.id, "ann") == changed
    again.close()


def test_each_owner_sees_only_their_own(ledger: Ledger) -> None:
    mine = ledger.create_draft("ann", now=1.0)
    later = ledger.create_draft("ann", now=2.0)
    ledger.create_draft("bob", now=3.0)
    assert [draft.id for draft in ledger.drafts("ann")] == [later.id, mine.id]
    assert ledger.draft(mine.id, "bob") is None
    with pytest.raises(NoSuchDraft):
        ledger.save_draft(mine.id, "bob", label="stolen")
    ledger.delete_draft(mine.id, "bob")
    assert ledger.draft(mine.id, "ann") == mine


def test_an_unknown_field_is_refused(ledger: Ledger) -> None:
    with pytest.raises(TypeError):
        ledger.create_draft("ann", colour="red")


def test_recipes_are_kept_by_name_and_remembered_by_headers(ledger: Ledger) -> None:
    ledger.save_recipe("ann", "Reviews", {"version": 1, "name": "a"}, ["id", "review"])
    ledger.save_recipe("ann", "Reviews", {"version": 1, "name": "b"}, ["id", "review"])
    assert [(saved.name, saved.recipe["name"]) for saved in ledger.recipes("ann")] == [("Reviews", "b")]
    assert ledger.recipe("bob", "Reviews") is None
    ledger.delete_recipe("ann", "Reviews")
    assert ledger.recipes("ann") == []

    ledger.remember_mapping("ann", ["id", "review"], {"version": 1})
    assert ledger.recipe_for_headers("ann", ["id", "review"]) == {"version": 1}
    assert ledger.recipe_for_headers("ann", ["review", "id"]) is None
    assert ledger.recipe_for_headers("bob", ["id", "review"]) is None


def test_the_migrations_lead_to_the_tables_the_code_uses(ledger: Ledger, url: str) -> None:
    engine = sqlalchemy.create_engine(url)
    found = sqlalchemy.MetaData()
    found.reflect(engine)
    assert set(found.tables) == set(schema.metadata.tables)
    for name, table in schema.metadata.tables.items():
        assert [(column.name, column.nullable) for column in found.tables[name].columns] == [
            (column.name, column.nullable) for column in table.columns
        ], name
        assert {index.name for index in found.tables[name].indexes} == {index.name for index in table.indexes}
        assert found.tables[name].primary_key.columns.keys() == table.primary_key.columns.keys()
    engine.dispose()
    assert ledger.drafts("ann") == []


def test_a_newer_ledger_is_refused_and_left_alone(ledger: Ledger, url: str) -> None:
    ledger.close()
    path = url.removeprefix("sqlite:///")
    database = sqlite3.connect(path)
    database.execute("UPDATE ledger_version SET version = 999")
    database.commit()
    with pytest.raises(LedgerTooNew):
        Ledger(url)
    assert database.execute("SELECT version FROM ledger_version").fetchall() == [(999,)]
    database.close()


def test_a_locked_database_says_so_and_loses_nothing(ledger: Ledger, url: str) -> None:
    draft = ledger.create_draft("ann")
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    impatient = None
    with pytest.raises(LedgerBusy):
        impatient = Ledger(url, busy_seconds=0.1)
    assert impatient is None
    other.execute("ROLLBACK")
    other.close()
    assert ledger.save_draft(draft.id, "ann", label="x").label == "x"


def test_commits_are_fully_durable(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 3
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
