"""Drafts and recipes: what a person works on before anything is sent, each seen by its owner only."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from valar_ui.ledger import schema
from valar_ui.ledger.database import Database, LedgerFault


class NoSuchDraft(LedgerFault):
    """The owner has no draft of that id."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One person's work on one file. Times are UTC epoch seconds."""

    id: str
    owner: str
    created_at: float
    updated_at: float
    file_name: str
    folder: str
    """Where the upload, its table and the prepared folders lie."""
    upload: str
    """The name of the uploaded file in `folder`."""
    reading: dict[str, Any] | None
    """`Reading.as_json()`."""
    recipe: dict[str, Any] | None
    """`Recipe` as JSON."""
    steps: list[dict[str, Any]]
    """The mends, oldest first."""
    label: str
    prepared: str | None
    """The folder of the last preparation."""


@dataclass(frozen=True, slots=True)
class SavedRecipe:
    """One of *My recipes*."""

    name: str
    recipe: dict[str, Any]
    headers: list[str]
    """The sheet's columns when it was saved."""
    saved_at: float


FIELDS = frozenset(Draft.__slots__) - {"id", "owner", "created_at", "updated_at"}
"""What `create_draft` and `save_draft` may set."""


class Drafts(Database):
    """The part of the ledger that pages write while composing."""

    def create_draft(self, owner: str, *, now: float | None = None, **fields: Any) -> Draft:
        """A new draft with any of `FIELDS` set."""
        moment = self._moment(now)
        values: dict[str, Any] = dict.fromkeys(("file_name", "folder", "upload", "label"), "") | {"steps": []}
        values |= _known(fields) | {"owner": owner, "created_at": moment, "updated_at": moment}
        draft_id = self.make_id()
        with self.writing() as connection:
            connection.execute(schema.drafts.insert().values(id=draft_id, **values))
            row = connection.execute(select(schema.drafts).where(schema.drafts.c.id == draft_id)).one()
        return Draft(**row._mapping)

    def draft(self, draft_id: str, owner: str) -> Draft | None:
        """The owner's draft, or None where there is none of that id."""
        with self.reading() as connection:
            row = connection.execute(_draft(draft_id, owner)).one_or_none()
        return None if row is None else Draft(**row._mapping)

    def save_draft(self, draft_id: str, owner: str, *, now: float | None = None, **fields: Any) -> Draft:
        """Set any of `FIELDS`; `NoSuchDraft` where the owner has none of that id."""
        table = schema.drafts
        values = _known(fields) | {"updated_at": self._moment(now)}
        with self.writing() as connection:
            mine = (table.c.id == draft_id) & (table.c.owner == owner)
            connection.execute(update(table).where(mine).values(**values))
            row = connection.execute(_draft(draft_id, owner)).one_or_none()
        if row is None:
            raise NoSuchDraft("This draft is no longer here. Upload the file again.")
        return Draft(**row._mapping)

    def delete_draft(self, draft_id: str, owner: str) -> None:
        """Forget a draft; what it has sent stays in the history."""
        table = schema.drafts
        with self.writing() as connection:
            connection.execute(delete(table).where(table.c.id == draft_id, table.c.owner == owner))

    def drafts(self, owner: str, limit: int = 20) -> list[Draft]:
        """The owner's drafts, the one touched last first."""
        table = schema.drafts
        query = select(table).where(table.c.owner == owner).order_by(table.c.updated_at.desc(), table.c.id)
        with self.reading() as connection:
            return [Draft(**row._mapping) for row in connection.execute(query.limit(limit))]

    def save_recipe(
        self, owner: str, name: str, recipe: Mapping[str, Any], headers: Sequence[str], *, now: float | None = None
    ) -> None:
        """Keep a recipe under a name; the same name replaces."""
        values = {"recipe": dict(recipe), "headers": list(headers), "saved_at": self._moment(now)}
        statement = insert(schema.recipes).values(owner=owner, name=name, **values)
        with self.writing() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["owner", "name"], set_=values))

    def recipes(self, owner: str) -> list[SavedRecipe]:
        """The owner's recipes by name."""
        table = schema.recipes
        query = select(table).where(table.c.owner == owner).order_by(table.c.name)
        with self.reading() as connection:
            return [_saved(row) for row in connection.execute(query)]

    def recipe(self, owner: str, name: str) -> SavedRecipe | None:
        """One recipe, or None where the owner has none of that name."""
        table = schema.recipes
        with self.reading() as connection:
            query = select(table).where(table.c.owner == owner, table.c.name == name)
            row = connection.execute(query).one_or_none()
        return None if row is None else _saved(row)

    def delete_recipe(self, owner: str, name: str) -> None:
        """Forget a recipe."""
        table = schema.recipes
        with self.writing() as connection:
            connection.execute(delete(table).where(table.c.owner == owner, table.c.name == name))

    def remember_mapping(
        self, owner: str, headers: Sequence[str], recipe: Mapping[str, Any], *, now: float | None = None
    ) -> None:
        """Keep the recipe last used with these headers, to offer it for next week's file."""
        values = {"recipe": dict(recipe), "used_at": self._moment(now)}
        statement = insert(schema.mappings).values(owner=owner, headers_key=headers_key(headers), **values)
        with self.writing() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["owner", "headers_key"], set_=values))

    def recipe_for_headers(self, owner: str, headers: Sequence[str]) -> dict[str, Any] | None:
        """The recipe last used with exactly these headers, or None."""
        table = schema.mappings
        with self.reading() as connection:
            found: dict[str, Any] | None = connection.scalar(
                select(table.c.recipe).where(table.c.owner == owner, table.c.headers_key == headers_key(headers))
            )
        return found

    def _moment(self, now: float | None) -> float:
        return self.clock() if now is None else now


def headers_key(headers: Sequence[str]) -> str:
    """What two sheets with the same columns in the same order share."""
    return hashlib.sha256("\x1f".join(headers).encode()).hexdigest()


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(fields) - FIELDS
    if unknown:
        raise TypeError(f"a draft has no {', '.join(sorted(unknown))}")
    return dict(fields)


def _draft(draft_id: str, owner: str) -> Any:
    return select(schema.drafts).where(schema.drafts.c.id == draft_id, schema.drafts.c.owner == owner)


def _saved(row: Row[Any]) -> SavedRecipe:
    return SavedRecipe(row.name, row.recipe, row.headers, row.saved_at)
