"""Answers are read leniently, and strictly where money depends on it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from valar_ui import wire

BATCH: dict[str, Any] = {"id": "batch_1", "request_counts": 2, "created_at": 1_700_000_000, "label": "l"}
RESPONSE: dict[str, Any] = {"id": "resp_1", "object": "response", "status": "completed", "model": "m", "created_at": 1}


def test_a_batch_is_read_whatever_else_it_says() -> None:
    batch = wire.Batch.model_validate({**BATCH, "object": "batch", "new": {"field": 1}})
    assert batch == wire.Batch(id="batch_1", request_counts=2, created_at=1_700_000_000, label="l")
    assert wire.Batch.model_validate({**BATCH, "label": None}).label is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("id", ""),
        ("id", 7),
        ("request_counts", "2"),
        ("request_counts", 2.0),
        ("request_counts", True),
        ("request_counts", {"total": 2}),
        ("request_counts", None),
        ("request_counts", -1),
        ("created_at", "now"),
        ("created_at", None),
    ],
)
def test_a_batch_whose_id_count_or_time_is_unclear_is_no_batch(field: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        wire.Batch.model_validate({**BATCH, field: value})


@pytest.mark.parametrize("field", ["id", "request_counts", "created_at"])
def test_a_batch_needs_id_count_and_time(field: str) -> None:
    with pytest.raises(ValidationError):
        wire.Batch.model_validate({name: value for name, value in BATCH.items() if name != field})


def test_a_batch_is_frozen() -> None:
    with pytest.raises(ValidationError):
        wire.Batch.model_validate(BATCH).id = "other"


@pytest.mark.parametrize(
    ("word", "final"),
    [
        ("COMPLETED", True),
        ("completed", True),
        ("Failed", True),
        ("CANCELLED", True),
        ("incomplete", True),
        ("RUNNING", False),
        ("queued", False),
        ("in_progress", False),
        ("pending", False),
        ("a new word", False),
        ("", False),
    ],
)
def test_only_known_words_are_final(word: str, final: bool) -> None:
    assert wire.is_final(word) is final
    assert wire.Response.model_validate({**RESPONSE, "status": word}).final is final
    status = wire.BatchStatus.model_validate({**BATCH, "request_status": {"a": {"status": word, "more": 1}}})
    assert status.request_status["a"].final is final


def text_part(text: str) -> dict[str, Any]:
    """A part of an answer."""
    return {"type": "output_text", "text": text, "annotations": []}


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ([{"type": "message", "content": [text_part("one")]}], "one"),
        ([{"type": "message", "content": [text_part("one "), text_part("two")]}], "one two"),
        ([{"type": "reasoning", "summary": []}, {"type": "message", "content": [text_part("x")]}], "x"),
        ([{"content": [text_part("a")]}, {"content": [text_part("b")]}], "ab"),
        ([{"content": [{"type": "refusal", "refusal": "no"}, text_part("x"), {"type": "output_text"}, 7]}], "x"),
        ({"type": "message", "content": [text_part("x")]}, "x"),
        ([{"type": "message", "content": "odd"}, "odd", None], ""),
        ("plain", "plain"),
        ([], ""),
        (None, ""),
    ],
)
def test_the_text_of_a_response(output: Any, text: str) -> None:
    assert wire.Response.model_validate({**RESPONSE, "output": output}).text == text
    assert wire.Response.model_validate(RESPONSE).text == ""


def test_why_a_response_failed() -> None:
    assert (
        wire.Response.model_validate({**RESPONSE, "error": {"message": "overloaded", "code": 1}}).failure
        == "overloaded"
    )
    assert wire.Response.model_validate({**RESPONSE, "error": None}).failure == ""
    assert wire.Response.model_validate({**RESPONSE, "error": {"message": 7}}).failure == ""


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ({"message": "m", "type": "t", "param": "p", "code": 7, "more": 1}, ("m", "t", "p", 7)),
        ({"message": "m", "type": "t"}, ("m", "t", None, None)),
        ({"message": None, "type": 7, "param": ["p"], "code": {}}, ("", "", None, None)),
        ({}, ("", "", None, None)),
    ],
)
def test_error_envelopes(inside: dict[str, Any], expected: tuple[Any, ...]) -> None:
    error = wire.ErrorEnvelope.model_validate({"error": inside, "request_id": "r"}).error
    assert (error.message, error.type, error.param, error.code) == expected


@pytest.mark.parametrize("value", [[], {"error": "text"}, {}, "Bad gateway", None])
def test_what_is_no_error_envelope(value: Any) -> None:
    with pytest.raises(ValidationError):
        wire.ErrorEnvelope.model_validate(value)


def test_models_and_usage() -> None:
    models = wire.ModelList.model_validate({"object": "list", "data": [{"id": "a", "owned_by": "x"}, {"id": "b"}]})
    assert [model.id for model in models.data] == ["a", "b"]
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7, "input_tokens_details": {"cached_tokens": 2}}
    read = wire.Response.model_validate({**RESPONSE, "usage": usage}).usage
    assert read is not None
    assert (read.total_tokens, read.input_tokens_details.cached_tokens) == (7, 2)


@pytest.mark.parametrize("shape", [wire.Batch, wire.BatchStatus, wire.Response, wire.ErrorEnvelope, wire.ModelList])
def test_no_shape_reads_nothing(shape: type[BaseModel]) -> None:
    with pytest.raises(ValidationError):
        shape.model_validate_json(b"null")
