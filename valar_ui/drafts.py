"""A person's work in progress: the file put in, how it is read, its recipe and mends, its preparation."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final
from uuid import uuid4

from valar_ui.ids import Ids
from valar_ui.jobs import Job, Jobs, Progress
from valar_ui.ledger import Draft, Ledger
from valar_ui.likewise import read_like
from valar_ui.prepare import (
    Prepared,
    anchored,
    dropped_again,
    fingerprint,
    prepare,
    problems_csv,
    sheet_with_problems,
    stamped,
    surplus,
)
from valar_ui.pricing import BUILT_IN, Prices
from valar_ui.readers import Reading, ReadOptions, read
from valar_ui.recipe import STEPS, EditCell, IdRule, Recipe, Step, UseModel
from valar_ui.settings import Settings
from valar_ui.suggest import Suggestion, suggest
from valar_ui.table import Table

COPY_BYTES: Final = 1 << 20
"""Bytes copied at a time when an upload goes to disk."""

BEFORE: Final = "before"
"""A note in a draft's folder: what was prepared from the file that this one replaced."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One person's drafts; every method writes to the ledger before it returns."""

    settings: Settings
    ledger: Ledger
    jobs: Jobs
    owner: str
    prices: Prices = BUILT_IN
    clock: Callable[[], float] = time.time

    def find(self, draft_id: str | None) -> Draft | None:
        """The draft, if it is this person's."""
        return self.ledger.draft(draft_id, self.owner) if draft_id else None

    def put_file(self, name: str, source: BinaryIO, *, into: Draft | None = None) -> Draft:
        """Spool a file to disk and begin reading it; a draft that has one keeps its recipe and its mends.

        What the person chose of how the file before is read holds for this one, too, where it fits.
        """
        folder = Path(into.folder) if into else self.settings.folder("drafts") / uuid4().hex[:12]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        upload = folder / f"upload-{uuid4().hex[:8]}"
        descriptor = os.open(upload, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            shutil.copyfileobj(source, file, COPY_BYTES)
        # The uploaded file's name is only shown: it never names anything on disk.
        shown = Path(name.replace("\\", "/")).name or "file"
        if into is None:
            fields = {"file_name": shown, "folder": str(folder), "upload": upload.name}
            draft = self.ledger.create_draft(self.owner, now=self.clock(), **fields)
        else:
            if into.prepared:
                (folder / BEFORE).write_text(Path(into.prepared).name)
            self.jobs.forget(f"prepare:{into.id}")
            changes = {"file_name": shown, "upload": upload.name, "reading": None, "prepared": None}
            draft = self.ledger.save_draft(into.id, self.owner, now=self.clock(), **changes)
        self._read(draft, ReadOptions(), before=into)
        return draft

    def read(self, draft: Draft, options: ReadOptions) -> Job:
        """Read the draft's file, in the background; the draft holds the Reading when the job is done."""
        return self._read(draft, options)

    def _read(self, draft: Draft, options: ReadOptions, *, before: Draft | None = None) -> Job:
        """As `read`; a file that takes another one's place is read as that one was."""
        folder = Path(draft.folder)
        upload = folder / draft.upload
        known = None if before is None or before.reading is None else Reading.from_json(before.reading)

        def work(progress: Progress) -> Reading:
            if before is not None and known is not None:
                earlier = folder / before.upload
                reading = read_like(known, earlier, upload, name=draft.file_name, into=folder, progress=progress)
            else:
                reading = read(upload, name=draft.file_name, into=folder, options=options, progress=progress)
            reading = dropped_again(reading)
            self._keep(draft, reading, progress)
            return reading

        self.jobs.forget(f"read:{draft.id}")
        return self.jobs.start(f"read:{draft.id}", _mark(draft, options), work)

    def _keep(self, draft: Draft, reading: Reading, progress: Progress) -> None:
        """Make a reading the draft's, with each mend of one row at the row that holds its record now."""
        anchored_from: list[dict[str, Any]] | None = None
        steps: list[dict[str, Any]] = []
        # A mend saved meanwhile is anchored too.
        while (here := self.find(draft.id)) is not None and here.steps != anchored_from:
            anchored_from = here.steps
            steps = _as_json(anchored(reading, self.steps(here), progress=progress))
        # The last moment for a newer job to come first.
        progress(1.0)
        self.ledger.save_draft(draft.id, self.owner, now=self.clock(), reading=reading.as_json(), steps=steps)

    def tried(self, draft: Draft, options: ReadOptions) -> bool:
        """Whether this is how the file was read, or could not be read, last."""
        job = self.jobs.find(f"read:{draft.id}")
        if job is not None:
            # How a file is read that takes another one's place is known at the end.
            made: Reading | None = job.result if job.done.is_set() else None
            here = job.mark.partition(" ")[0] == draft.upload
            return job.mark == _mark(draft, options) if made is None else here and made.options == options
        return draft.reading is not None and Reading.from_json(draft.reading).options == options

    def reading_job(self, draft: Draft) -> Job | None:
        """The reading under way or last ended in this process; begun where the draft has no Reading yet."""
        job = self.jobs.find(f"read:{draft.id}")
        return job if job or draft.reading is not None else self.read(draft, ReadOptions())

    def reading(self, draft: Draft) -> Reading | None:
        """How the file was read, once it was and while the table is there."""
        if draft.reading is None:
            return None
        reading = Reading.from_json(draft.reading)
        return reading if reading.table_path.exists() else None

    def recipe(self, draft: Draft, reading: Reading) -> Recipe:
        """The draft's recipe; for ready-made requests the one that passes them through."""
        if reading.recognised_as:
            ids = IdRule(column="custom_id", legal=False)
            return Recipe(kind="ready", custom_id=ids, label=draft.label)
        recipe = Recipe.model_validate(draft.recipe) if draft.recipe else Recipe()
        return recipe.model_copy(update={"label": draft.label})

    def steps(self, draft: Draft) -> tuple[Step, ...]:
        """The mends made so far, in order."""
        return STEPS.validate_python(tuple(draft.steps))

    def save_recipe(self, draft: Draft, recipe: Recipe) -> Draft:
        """Keep the recipe with the draft; an unchanged one costs nothing."""
        value = recipe.model_copy(update={"label": ""}).model_dump(mode="json", exclude_defaults=True)
        if value == draft.recipe:
            return draft
        return self.ledger.save_draft(draft.id, self.owner, now=self.clock(), recipe=value)

    def save_label(self, draft: Draft, label: str) -> Draft:
        """Keep the label with the draft."""
        if label == draft.label:
            return draft
        return self.ledger.save_draft(draft.id, self.owner, now=self.clock(), label=label)

    def add_step(self, draft: Draft, step: Step) -> Draft:
        """Put a mend behind those there are now; another text for the same cell takes the place of the one before.

        A mend of one row is tied to the record that `draft`, as given, has there.
        """
        latest = self.find(draft.id) or draft
        seen, now = self.reading(draft), self.reading(latest)
        if seen is not None:
            (step,) = stamped(seen, [step])
            if now is not None and now.table_path != seen.table_path:
                (step,) = anchored(now, [step])
        kept = [it for it in self.steps(latest) if _named(it) != _named(step) and not _same_place(it, step)]
        return self._save_steps(latest, [*kept, step])

    def take_back(self, draft: Draft, step: Step) -> Draft:
        """Take one mend from those there are now."""
        latest = self.find(draft.id) or draft
        return self._save_steps(latest, [it for it in self.steps(latest) if _named(it) != _named(step)])

    def _save_steps(self, draft: Draft, steps: Sequence[Step]) -> Draft:
        now = self.reading(draft)
        told = steps if now is None else stamped(now, steps)
        return self.ledger.save_draft(draft.id, self.owner, now=self.clock(), steps=_as_json(told))

    def prepared(self, draft: Draft, reading: Reading, recipe: Recipe, steps: Sequence[Step]) -> Prepared | None:
        """The preparation of exactly this sheet, recipe and mends, if it lies on disk whole."""
        folder = self._prepared_folder(draft, fingerprint(reading, recipe, steps))
        return Prepared.load(folder) if (folder / "prepared.json").exists() else None

    def prepare(self, draft: Draft, reading: Reading, recipe: Recipe, steps: Sequence[Step]) -> Job:
        """Compose, check, price and spool every row, in the background; its result is a `Prepared`."""
        mark = fingerprint(reading, recipe, steps)
        folder = self._prepared_folder(draft, mark)

        def work(progress: Progress) -> Prepared:
            done = prepare(reading, recipe, steps=steps, folder=folder, progress=progress, prices=self.prices)
            # Written here, so that no page has to wait for it.
            problems_csv(done)
            here = self.find(draft.id)
            if here is not None and here.upload == draft.upload:
                self.ledger.save_draft(draft.id, self.owner, now=self.clock(), prepared=str(folder))
                self._sweep(draft, folder)
            return done

        key = f"prepare:{draft.id}"
        known = self.jobs.find(key)
        made = known is not None and known.done.is_set() and known.fault is None
        if made and not (folder / "prepared.json").exists():
            # What it made was removed from the disk, so it is made again.
            self.jobs.forget(key)
        return self.jobs.start(key, mark, work)

    def sheet(self, draft: Draft, reading: Reading, prepared: Prepared, steps: Sequence[Step]) -> Job:
        """Write the sheet with a Problem column, in the background; its result is the path."""
        path = prepared.folder / "sheet-with-problems.xlsx"

        def work(progress: Progress) -> Path:
            beyond = surplus(Path(draft.folder) / draft.upload, reading)
            return sheet_with_problems(reading, prepared, path, steps=steps, surplus=beyond, progress=progress)

        key = f"sheet:{draft.id}"
        known = self.jobs.find(key)
        if known is not None and known.done.is_set() and known.fault is None and not known.result.exists():
            self.jobs.forget(key)
        return self.jobs.start(key, prepared.fingerprint, work)

    def prepare_again(self, draft: Draft) -> None:
        """Forget a preparation that failed, so that the next look begins it anew."""
        self.jobs.forget(f"prepare:{draft.id}")

    def earlier(self, draft: Draft, now: Prepared) -> Prepared | None:
        """What was prepared from the file before this one, to compare with."""
        note = Path(draft.folder) / BEFORE
        if not note.exists():
            return None
        folder = Path(draft.folder) / note.read_text()
        if folder == now.folder or not (folder / "prepared.json").exists():
            return None
        return Prepared.load(folder)

    def _sweep(self, draft: Draft, kept: Path) -> None:
        """Remove what earlier versions of this draft prepared and nothing was sent from."""
        note = Path(draft.folder) / BEFORE
        needed = {kept.name, note.read_text() if note.exists() else ""}
        needed |= {Path(it.prepared).name for it in self.ledger.dispatches(self.owner, draft_id=draft.id)}
        for folder in Path(draft.folder).glob("prepared-*"):
            if folder.name not in needed:
                shutil.rmtree(folder, ignore_errors=True)

    def remove_files(self, draft: Draft) -> None:
        """Remove the folder of a draft that is no more, unless something is still to be sent from it."""
        self.jobs.forget(f"read:{draft.id}")
        self.jobs.forget(f"prepare:{draft.id}")
        sending = self.ledger.dispatches(self.owner, draft_id=draft.id)
        if all(it.final for it in sending):
            shutil.rmtree(draft.folder, ignore_errors=True)

    @staticmethod
    def _prepared_folder(draft: Draft, mark: str) -> Path:
        return Path(draft.folder) / f"prepared-{mark[:20]}"


def _named(step: Step) -> dict[str, Any]:
    """What a mend does, whatever record it is tied to."""
    return step.model_dump(exclude={"record": True, "step": {"record"}})


def _same_place(one: Step, other: Step) -> bool:
    """Whether both say what stands in one cell, or what is asked instead of one model."""
    if isinstance(one, EditCell) and isinstance(other, EditCell):
        return (one.row, one.column) == (other.row, other.column)
    return isinstance(one, UseModel) and isinstance(other, UseModel) and one.instead_of == other.instead_of


def _as_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    return [step.model_dump(mode="json") for step in steps]


def _mark(draft: Draft, options: ReadOptions) -> str:
    return f"{draft.upload} {options}"


@lru_cache(maxsize=16)
def ids_of(table_path: Path, rule: IdRule, steps: tuple[Step, ...] = ()) -> Ids:
    """Every row's id under a rule; scanned once for each table, rule and list of mends."""
    return Ids.scan(Table(table_path), Recipe(custom_id=rule), steps)


@lru_cache(maxsize=16)
def suggestions(table_path: Path) -> dict[str, Suggestion]:
    """Which column is which param, by target; looked for once for each table."""
    return suggest(Table(table_path))


@lru_cache(maxsize=16)
def changed_ids(table_path: Path, rule: IdRule, most: int = 3) -> tuple[tuple[str, str], ...]:
    """The first few ids that cannot be sent as they stand, each with what is sent instead."""
    if rule.column not in Table(table_path).columns:
        return ()
    ids = ids_of(table_path, rule)
    pairs = (
        (text, ids.of(number, text))
        for chunk in Table(table_path).chunks([rule.column])
        for number, text in zip(chunk.numbers, chunk.columns[rule.column], strict=True)
    )
    return tuple(islice(((before, after) for before, after in pairs if before != after), most))
