"""How a row becomes a request: `Recipe`, saved as JSON without data or keys; `Step`, a mend made on Check."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

Scalar = str | int | float | bool | None


class Shape(BaseModel):
    """What all shapes share: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Fixed(Shape):
    """The same value in every request."""

    fixed: Scalar


class FromColumn(Shape):
    """Each row's own value; a row whose cell is empty leaves the param out."""

    column: str


Source = Fixed | FromColumn
"""Where a param's value comes from; a param that is left out has None instead."""


class Turn(Shape):
    """One message of the conversation; `text` is a template with `{{column}}` holes."""

    role: Literal["system", "user", "assistant"]
    text: str


class Image(Shape):
    """A column of image URLs, added to the last user turn; an empty cell adds none."""

    column: str
    detail: Literal["auto", "low", "high"] | None = None


class AnswerField(Shape):
    """One field of the answer's shape; becomes a column of the results."""

    name: str
    type: Literal["text", "number", "integer", "yes/no", "one of", "list of text"] = "text"
    description: str = ""
    required: bool = True
    choices: tuple[str, ...] = ()
    """The allowed answers, for `one of`."""


class IdRule(Shape):
    """Where custom_id comes from."""

    column: str | None = None
    """None: made from the row number (`row-17`)."""
    legal: bool = True
    """Make an illegal, empty or repeated id legal; False sends each as it stands and lets Check object."""


class Recipe(Shape):
    """Everything that turns a row into a request; holds no cell and no key.

    `kind` "ready" passes the column `params` (a JSON object) through, with the ids as they are.
    """

    version: Literal[1] = 1
    name: str = ""
    kind: Literal["prompt", "ready"] = "prompt"
    model: Source | None = None
    turns: tuple[Turn, ...] = ()
    """In the order they are sent; the last one is the user's prompt."""
    max_output_tokens: Source | None = None
    temperature: Source | None = None
    top_p: Source | None = None
    reasoning_effort: Source | None = None
    reasoning_summary: Source | None = None
    images: tuple[Image, ...] = ()
    metadata: dict[str, Source] = Field(default_factory=dict)
    prompt_cache_key: Source | None = None
    user: Source | None = None
    completion_window: Source | None = None
    answer_name: str = "answer"
    answer_fields: tuple[AnswerField, ...] = ()
    answer_schema: dict[str, Any] | None = None
    """A JSON schema written by hand; where set, it stands in for `answer_fields`."""
    more: dict[str, Any] = Field(default_factory=dict)
    """More params, merged into every request; they must not repeat what has a place above."""
    custom_id: IdRule = IdRule()
    label: str = ""

    @model_validator(mode="after")
    def _ready_has_no_prompt(self) -> Self:
        if self.kind == "ready" and self.turns:
            raise ValueError("a recipe for ready-made requests has no turns")
        return self

    @property
    def prompt(self) -> str:
        """The last user turn's template, empty where there is none."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user"), "")

    @property
    def system(self) -> str:
        """The first system turn's template, empty where there is none."""
        return next((turn.text for turn in self.turns if turn.role == "system"), "")

    def with_text(self, role: Literal["system", "user"], text: str) -> Recipe:
        """The same with another system message or prompt; an empty one is left out."""
        at = [at for at, turn in enumerate(self.turns) if turn.role == role]
        old = at[0 if role == "system" else -1] if at else None
        others = tuple(turn for at, turn in enumerate(self.turns) if at != old)
        new = (Turn(role=role, text=text),) if text else ()
        return self.model_copy(update={"turns": (*new, *others) if role == "system" else (*others, *new)})

    def to_json(self) -> str:
        """The file that *Download recipe* gives: indented, without what is left at its default."""
        return self.model_dump_json(indent=2, exclude_defaults=True) if self != Recipe() else '{"version": 1}'

    @classmethod
    def from_json(cls, text: str | bytes) -> Recipe:
        """The inverse of `to_json`; `BadRecipe` says in a sentence what does not fit."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as fault:
            first = fault.errors(include_input=False, include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            what = _FAULTS.get(first["type"], f"{{place}} does not fit: {first['msg']}").format(place=place)
            raise BadRecipe(f"This is not a recipe of this app: {what}.") from None


_FAULTS: Final = {
    "json_invalid": "it is not JSON",
    "extra_forbidden": "it has {place}, which no recipe has",
    "missing": "{place} is missing",
    "literal_error": "{place} has a value that this version does not know",
    "model_type": "it is JSON, but no recipe",
}
"""What pydantic calls a fault, in words."""


class BadRecipe(ValueError):
    """A recipe file that cannot be used; the message is for the person."""


class LeaveOut(Shape):
    """Leave out every row that has a problem of this cause; code `*` means any error."""

    kind: Literal["leave-out"] = "leave-out"
    code: str
    column: str | None = None
    keep_first: bool = False
    """Of the rows with one id, the first that can be sent stays; only for `id-shared`."""


class LeaveOutRow(Shape):
    """Leave out one row, by its spreadsheet number."""

    kind: Literal["leave-out-row"] = "leave-out-row"
    row: int
    record: tuple[str, ...] = ()
    """Marks of the row's cells: as they stood in the file, then as mended where that differs; `prepare.stamped`."""


class EditCell(Shape):
    """Put another text into one cell; the uploaded file stays as it is."""

    kind: Literal["edit-cell"] = "edit-cell"
    row: int
    column: str
    text: str
    record: tuple[str, ...] = ()
    """As in `LeaveOutRow`."""


class Lapsed(Shape):
    """A mend of one row without effect: the file does not hold the row as it was."""

    kind: Literal["lapsed"] = "lapsed"
    step: Annotated[LeaveOutRow | EditCell, Field(discriminator="kind")]
    """The mend; it applies again once the row is there again."""
    done: bool = False
    """The file holds the mended row: there is nothing left to mend."""


class Collapse(Shape):
    """Send rows with an identical request once and fill all of them from the one answer."""

    kind: Literal["collapse"] = "collapse"


class MakeLegalIds(Shape):
    """Make illegal, empty and repeated ids legal."""

    kind: Literal["legal-ids"] = "legal-ids"


class MendNumbers(Shape):
    """Read a column's numbers as a person means them: `0,7` as 0.7, `1 024` as 1024; prompts keep the cell's text."""

    kind: Literal["numbers"] = "numbers"
    column: str


class UseModel(Shape):
    """Ask another model wherever a row asks for one: in ready-made requests, or where a column names the model."""

    kind: Literal["use-model"] = "use-model"
    instead_of: str
    model: str


Step = Annotated[
    LeaveOut | LeaveOutRow | EditCell | Collapse | MakeLegalIds | MendNumbers | UseModel | Lapsed,
    Field(discriminator="kind"),
]
"""One mend; a draft keeps a list of them, each can be taken back."""

STEPS: TypeAdapter[tuple[Step, ...]] = TypeAdapter(tuple[Step, ...])
"""Reads and writes a draft's steps as JSON."""
