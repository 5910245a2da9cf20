"""The API's shapes as pydantic models: lenient towards unknown fields, strict where money depends on it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

from valar_ui import limits


class Shape(BaseModel):
    """What all shapes share: frozen; fields nobody here knows are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Batch(Shape):
    """What POST /v1/batches answers, and one entry of GET /v1/batches."""

    id: StrictStr = Field(min_length=1)
    request_counts: StrictInt = Field(ge=0)
    """How many requests the batch holds."""
    created_at: StrictInt
    """Unix seconds."""
    label: str | None = None


class RequestStatus(Shape):
    """Where one request of a batch stands."""

    status: str

    @property
    def final(self) -> bool:
        """It does not change any more; an unknown word is not final."""
        return is_final(self.status)


class BatchStatus(Batch):
    """What GET /v1/batches/{id} answers."""

    request_status: dict[str, RequestStatus] = Field(default_factory=dict)
    """By custom_id."""


class ErrorBody(Shape):
    """The inside of the error envelope; a field that is missing or of another type reads as nothing."""

    message: str = ""
    type: str = ""
    param: str | None = None
    code: str | int | None = None

    @model_validator(mode="before")
    @classmethod
    def _only_what_can_be_read(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        texts = {name: value[name] for name in ("message", "type", "param") if isinstance(value.get(name), str)}
        code = value.get("code")
        return {**texts, "code": code} if isinstance(code, str | int) else texts


class ErrorEnvelope(Shape):
    """The body of an answer that is not 2xx."""

    error: ErrorBody


class Model(Shape):
    """One model that the key may use."""

    id: str


class ModelList(Shape):
    """What GET /v1/models answers."""

    data: tuple[Model, ...]


class TokenDetails(Shape):
    """Parts of a token count."""

    cached_tokens: int = 0
    reasoning_tokens: int = 0


class Usage(Shape):
    """Tokens of one response."""

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    input_tokens_details: TokenDetails = TokenDetails()
    output_tokens_details: TokenDetails = TokenDetails()


class Response(Shape):
    """A Response object: the result of one request."""

    id: StrictStr = Field(min_length=1)
    status: str
    model: str = ""
    created_at: int | float | None = None
    output: Any = None
    """A list of items as a rule; the API also allows a string, an object or null."""
    error: dict[str, Any] | None = None
    incomplete_details: dict[str, Any] | None = None
    usage: Usage | None = None
    metadata: dict[str, Any] | None = None

    @property
    def final(self) -> bool:
        """It does not change any more; an unknown word is not final."""
        return is_final(self.status)

    @property
    def text(self) -> str:
        """All parts of type output_text, joined; "" where there are none."""
        if isinstance(self.output, str):
            return self.output
        items = self.output if isinstance(self.output, list) else [self.output]
        return "".join(part for item in items if isinstance(item, dict) for part in _texts(item))

    @property
    def failure(self) -> str:
        """What went wrong, in the API's words; "" where nothing did."""
        message = (self.error or {}).get("message")
        return message if isinstance(message, str) else ""


class RequestItem(Shape):
    """One request of a batch."""

    custom_id: str
    params: dict[str, Any]


def is_final(status: str) -> bool:
    """Whether a status word, in any case, means that nothing changes any more."""
    return status.casefold() in limits.FINAL_STATUSES


def _texts(item: dict[str, Any]) -> list[str]:
    content = item.get("content")
    parts = content if isinstance(content, list) else []
    found = [part.get("text") for part in parts if isinstance(part, dict) and part.get("type") == "output_text"]
    return [text for text in found if isinstance(text, str)]
