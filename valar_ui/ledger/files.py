"""Which files on disk the ledger's drafts and submissions name, and which they still need."""

from __future__ import annotations

from sqlalchemy import select

from valar_ui.ledger import schema
from valar_ui.ledger.database import Database
from valar_ui.ledger.submission import State


class Files(Database):
    """The part of the ledger that cleaning up asks."""

    def prepared_of(self, submission_id: str) -> str:
        """The folder of the preparation a submission was cut from."""
        table = schema.submissions
        query = select(schema.dispatches.c.prepared).join(table).where(table.c.id == submission_id)
        with self.reading() as connection:
            return str(connection.execute(query).scalar_one())

    def spooled(self) -> dict[str, bool]:
        """Every file the submissions name, and whether its submission may still need it."""
        table = schema.submissions
        query = select(table.c.spool, table.c.state).where(table.c.spool.is_not(None))
        with self.reading() as connection:
            return {row.spool: not State(row.state).final for row in connection.execute(query)}

    def needed_folders(self) -> set[str]:
        """Folders that a draft, or a submission not sealed or not decided yet, still needs."""
        dispatches, submissions, drafts = schema.dispatches, schema.submissions, schema.drafts
        final = [state.value for state in State if state.final]
        on_the_way = select(dispatches.c.prepared).join(submissions).where(submissions.c.state.not_in(final))
        with self.reading() as connection:
            needed = set(connection.scalars(on_the_way))
            for row in connection.execute(select(drafts.c.folder, drafts.c.prepared)):
                needed |= {folder for folder in row if folder}
        return needed
