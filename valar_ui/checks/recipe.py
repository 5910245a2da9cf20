"""Checks of the recipe itself, and of what it makes of each row: columns, prompt, params, answer, images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from valar_ui.answer import answer_flaws
from valar_ui.checks.check import Check, Scope
from valar_ui.compose import Composed, Many, fixed_params, placed, prompt_columns, sendable, sources
from valar_ui.limits import MAX_IMAGES
from valar_ui.params import flaws
from valar_ui.problems import Problem, Severity
from valar_ui.recipe import FromColumn
from valar_ui.template import Template, hole, nearest, resolve


class Columns(Check):
    """Every column the recipe names is in the sheet."""

    def start(self, scope: Scope) -> Iterable[Problem]:
        recipe, columns = scope.recipe, scope.columns
        if recipe.kind == "ready":
            for column in ("custom_id", "params"):
                if column not in columns:
                    yield _unknown("Ready-made requests need", column, columns)
            return
        for turn in recipe.turns:
            template = Template(turn.text)
            for name in template.holes:
                if resolve(name, columns) is None:
                    close = nearest(name, columns)
                    yield Problem(
                        "unknown-column",
                        f"The {_turn_name(turn.role)} uses {hole(name)}, but the sheet has no such column.",
                        f"Did you mean {hole(close)}?" if close else "Choose a column of this sheet.",
                        column=name,
                    )
            if template.unclosed:
                yield Problem(
                    "hole-unclosed",
                    f"The {_turn_name(turn.role)} has {{{{ without a column and }}}} after it; it is sent so.",
                    "Write {{column}}, or \\{{ where two braces are meant.",
                    severity=Severity.WARNING,
                )
            for name in template.single_braced:
                if name in columns:
                    yield Problem(
                        "hole-single-brace",
                        f"The {_turn_name(turn.role)} has {{{name}}} in single braces; it is sent as it stands.",
                        f"Write {hole(name)} to put the column's text there.",
                        column=name,
                        severity=Severity.WARNING,
                    )
        for name, source in sources(recipe):
            if isinstance(source, FromColumn) and source.column not in columns:
                yield _unknown(f"{name} comes from", source.column, columns)
        for image in recipe.images:
            if image.column not in columns:
                yield _unknown("Images come from", image.column, columns)
        if recipe.custom_id.column is not None and recipe.custom_id.column not in columns:
            yield _unknown("The ids come from", recipe.custom_id.column, columns)


def _turn_name(role: str) -> str:
    return {"user": "prompt", "system": "system message", "assistant": "assistant's message"}[role]


def _unknown(what: str, column: str, columns: Sequence[str]) -> Problem:
    close = nearest(column, columns)
    return Problem(
        "unknown-column",
        f"{what} the column {column}, but the sheet has no such column.",
        f"Did you mean {close}?" if close else "Choose a column of this sheet.",
        column=column,
    )


class Prompt(Check):
    """There is a prompt, and in every row it says something."""

    def start(self, scope: Scope) -> Iterable[Problem]:
        recipe = scope.recipe
        self._ready = recipe.kind == "ready"
        if self._ready:
            return
        self._columns: list[str] = []
        if not recipe.prompt.strip() and not recipe.images:
            self.idle = True
            yield Problem("prompt-missing", "There is no prompt.", "Write what the model should do with each row.")
            return
        if not recipe.turns:
            self.idle = True
            return
        if recipe.turns[-1].role != "user":
            yield Problem(
                "prompt-not-last",
                "The last message is not the user's prompt.",
                "Put the prompt last.",
                severity=Severity.WARNING,
            )
        self._columns = prompt_columns(recipe, scope.columns)
        # A hole that no column answers is told as such.
        if not self._columns and not recipe.images and not Template(recipe.prompt).holes:
            yield Problem(
                "prompt-without-column",
                "The prompt uses no column, so every row asks the same.",
                "Insert a column into the prompt.",
                severity=Severity.WARNING,
            )

    def row(self, composed: Composed) -> Iterable[Problem]:
        if _says_something(composed):
            return ()
        if composed.images or not composed.body:
            return ()
        if self._ready:
            if any(problem.severity is Severity.ERROR for problem in composed.problems):
                return ()
            text, column = "The request's input says nothing.", "params"
        elif not self._columns:
            text, column = "The row has neither a prompt nor an image.", None
        elif len(self._columns) == 1:
            text, column = f"The prompt's column {self._columns[0]} is empty.", self._columns[0]
        else:
            text, column = f"All columns of the prompt are empty: {', '.join(self._columns)}.", None
        return (
            Problem(
                "empty-prompt", text, "Leave the row out, or fill it in.", composed.row, column, line=composed.line
            ),
        )

    def clear(self, many: Many) -> bool:  # noqa: ARG002 - such rows say something by what they are
        return True


def _says_something(composed: Composed) -> bool:
    return not composed.holes_empty and bool(composed.prompt) and not composed.prompt.isspace()


class Params(Check):
    """What is the same in every request obeys the rules; nothing is given twice."""

    def start(self, scope: Scope) -> Iterable[Problem]:
        recipe = scope.recipe
        if recipe.kind == "ready":
            return
        if recipe.model is None and "model" not in recipe.more:
            yield Problem("model-missing", "No model is chosen.", "Choose a model.")
        params = fixed_params(recipe)
        given = {name.partition(".")[0] for name, _ in sources(recipe)} | {"input"}
        if recipe.answer_fields or recipe.answer_schema is not None:
            given.add("text")
            params.pop("text", None)
        for name in sorted(given & set(recipe.more)):
            yield Problem(
                "param-twice",
                f"More params repeat {name}, which has a place of its own.",
                f"Take {name} out of one of them.",
            )
        fixed = {name: source.fixed for name, source in sources(recipe) if not isinstance(source, FromColumn)}
        for name, value in [*fixed.items(), *recipe.more.items()]:
            if not (sendable(value) and sendable(name)):
                yield Problem(
                    "param-number",
                    f"{name} holds a value that JSON cannot carry.",
                    "Use a smaller number or plain text.",
                )
        if any("{{" in text for text in _texts(recipe.more)):
            yield Problem(
                "hole-in-more",
                "More params hold {{ and }}: there they are sent as they stand, no column is put in.",
                "Take a param with a control, which can come from a column.",
                severity=Severity.WARNING,
            )
        if params["input"] is None:
            del params["input"]
        if params["model"] is None:
            del params["model"]
        yield from (placed(flaw) for flaw in flaws(params, complete=False))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, keys left aside."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _texts(member)


class Answer(Check):
    """The answer's shape is one that Valar takes."""

    def start(self, scope: Scope) -> Iterable[Problem]:
        yield from (placed(flaw) for flaw in answer_flaws(scope.recipe))
        if scope.recipe.answer_schema is not None and not sendable(scope.recipe.answer_schema):
            yield Problem("param-number", "The answer's schema holds a value that JSON cannot carry.", "Correct it.")


class Images(Check):
    """Images go only to models that take them, at most 20 a request."""

    def start(self, scope: Scope) -> Iterable[Problem]:
        recipe = scope.recipe
        self._prices = scope.prices
        self._columns = [image.column for image in recipe.images]
        self.idle = not (recipe.images or recipe.kind == "ready")
        if len(recipe.images) > MAX_IMAGES:
            yield Problem(
                "image-count",
                f"{len(recipe.images)} columns of images are chosen; Valar takes {MAX_IMAGES} images with one request.",
                f"Keep at most {MAX_IMAGES}.",
            )
        if recipe.images and recipe.kind == "prompt" and not any(turn.role == "user" for turn in recipe.turns):
            yield Problem("image-without-prompt", "Images need a prompt to go with.", "Write a prompt.")

    def row(self, composed: Composed) -> Iterable[Problem]:
        model = composed.params.get("model")
        if self._columns and not composed.images and _says_something(composed):
            return (
                Problem(
                    "image-none",
                    "This row has no image; its request is text only.",
                    "Fill in the image's address, leave the row out, or let it go as it is.",
                    composed.row,
                    self._columns[0] if len(self._columns) == 1 else None,
                    Severity.WARNING,
                    composed.line,
                ),
            )
        if not composed.images or not isinstance(model, str) or self._prices.takes_images(model) is not False:
            return ()
        takers = ", ".join(name for name, known in self._prices.models.items() if known.images)
        return (
            Problem(
                "image-model",
                f"{model} takes no images, as far as is known.",
                f"Choose a model that does: {takers}.",
                composed.row,
                severity=Severity.WARNING,
                line=composed.line,
            ),
        )

    def clear(self, many: Many) -> bool:  # noqa: ARG002 - such rows have none by what they are
        return True
