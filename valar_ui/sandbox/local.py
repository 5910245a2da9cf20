"""The local Valar itself, without HTTP: what each call does, for one account."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import IO, Any

from valar_ui import limits
from valar_ui.sandbox.answers import Status, flaw_of, response_object, status_at, unlucky
from valar_ui.sandbox.catalogue import model_list
from valar_ui.sandbox.errors import ApiError, Refusal
from valar_ui.sandbox.intake import draw, echo_of, judge_batch, judge_response, tokens_of
from valar_ui.sandbox.store import Job, Reservation, Store, StoredBatch


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated call."""

    account: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    key: str | None = None
    body: IO[bytes] | None = None
    sha256: str = ""
    fail_share: float | None = None
    """The share of requests that fail, where the fault dial says so."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON answer, and what the record should say about it."""

    status: int
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    id: str | None = None
    count: int | None = None
    accepted: bool = False
    replayed: bool = False


def answer_json(status: int, value: Any, **about: Any) -> Answer:
    """An answer whose content is `value`."""
    return Answer(status, json.dumps(value).encode(), **about)


class LocalValar:
    """Every method blocks: call them from a worker thread."""

    def __init__(
        self, store: Store, *, seed: int, pace: float, fail_share: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._seed = str(seed)
        self._pace = pace
        self._fail_share = fail_share
        self._clock = clock
        self._secret = store.secret()

    def account_of(self, token: str) -> str:
        """A name for the account behind a token, from which the token cannot be told."""
        return hmac.new(self._secret, token.encode(), hashlib.sha256).hexdigest()[:32]

    def models(self, _call: Call) -> Answer:
        """GET /v1/models."""
        return answer_json(HTTPStatus.OK, model_list())

    def create_batch(self, call: Call) -> Answer:
        """POST /v1/batches."""
        assert call.body is not None
        fingerprint = f"batches:{call.sha256}"
        made = self._reserved(call, fingerprint)
        accepted = False
        if made is None:
            batch = judge_batch(call.body, lot=f"{self._seed}:{call.sha256}")
            share = self._share(call)
            flawed = {at for text, at in batch.echoes.items() if flaw_of(json.loads(text)) is not None}
            made, accepted = self._store.add_batch(
                call.account,
                batch,
                fails=[item.echo in flawed or unlucky(item.draw, share) for item in batch.items],
                key=call.key,
                fingerprint=fingerprint,
                now=self._clock(),
                pace=self._pace,
            )
            _same(made, fingerprint)
        stored = self._batch(call.account, made.id)
        about = {"id": stored.id, "count": stored.count, "accepted": accepted, "replayed": not accepted}
        return answer_json(HTTPStatus.OK, _batch_object(stored), **about)

    def list_batches(self, call: Call) -> Answer:
        """GET /v1/batches."""
        limit = _limit(call.query.get("limit"))
        after, before = (self._number(call, name) for name in ("after_id", "before_id"))
        found = self._store.batches(call.account, after=after, before=before, limit=limit)
        return answer_json(HTTPStatus.OK, [_batch_object(batch) for batch in found])

    def batch(self, call: Call) -> Answer:
        """GET /v1/batches/{batch_id}."""
        stored = self._batch(call.account, call.path["batch_id"])
        age = self._clock() - stored.created
        words = {status: f'{{"status":"{status.value.upper()}"}}' for status in Status}
        # A custom_id needs no escaping; 100,000 of them are joined, not dumped.
        states = ",".join(
            f'"{custom_id}":{words[status_at(lot, bool(fails), age=age, pace=stored.pace)]}'
            for custom_id, lot, fails in self._store.fates(stored.number)
        )
        head = json.dumps(_batch_object(stored))
        return Answer(HTTPStatus.OK, f'{head[:-1]}, "request_status":{{{states}}}}}'.encode())

    def batch_result(self, call: Call) -> Answer:
        """GET /v1/batches/{batch_id}/{custom_id}."""
        stored = self._batch(call.account, call.path["batch_id"])
        job = self._store.request(stored, call.path["custom_id"])
        if job is None:
            raise _not_found(f"No request {call.path['custom_id'][:100]!r} in this batch.")
        return answer_json(HTTPStatus.OK, response_object(job, now=self._clock()))

    def create_response(self, call: Call) -> Answer:
        """POST /v1/responses."""
        assert call.body is not None
        fingerprint = f"responses:{call.sha256}"
        made = self._reserved(call, fingerprint)
        accepted = False
        if made is None:
            params = judge_response(call.body)
            name = f"resp_{secrets.token_hex(12)}"
            # Without an idempotency key the same body asked twice may end differently, as with a real model.
            lot = draw(self._seed, call.sha256, call.key or name)
            pace = self._pace if params.get("background") else 0.0
            fails = flaw_of(params) is not None or unlucky(lot, self._share(call))
            job = Job(name, name, echo_of(params), tokens_of(params), lot, fails, self._clock(), pace)
            made, accepted = self._store.add_response(call.account, job, key=call.key, fingerprint=fingerprint)
            _same(made, fingerprint)
        stored = self._response(call.account, made.id)
        status = HTTPStatus.ACCEPTED if json.loads(stored.echo).get("background") else HTTPStatus.OK
        about = {"id": stored.id, "count": 1, "accepted": accepted, "replayed": not accepted}
        return answer_json(status, response_object(stored, now=self._clock()), **about)

    def response(self, call: Call) -> Answer:
        """GET /v1/responses/{response_id}."""
        job = self._response(call.account, call.path["response_id"])
        return answer_json(HTTPStatus.OK, response_object(job, now=self._clock()))

    def _share(self, call: Call) -> float:
        return self._fail_share if call.fail_share is None else call.fail_share

    def _reserved(self, call: Call, fingerprint: str) -> Reservation | None:
        if call.key is None:
            return None
        made = self._store.reservation(call.account, call.key)
        if made is not None:
            _same(made, fingerprint)
        return made

    def _batch(self, account: str, batch_id: str) -> StoredBatch:
        stored = self._store.batch(account, batch_id)
        if stored is None:
            raise _not_found(f"No batch {batch_id[:100]!r} on this account.")
        return stored

    def _response(self, account: str, response_id: str) -> Job:
        job = self._store.response(account, response_id)
        if job is None:
            raise _not_found(f"No response {response_id[:100]!r} on this account.")
        return job

    def _number(self, call: Call, name: str) -> int | None:
        if name not in call.query:
            return None
        stored = self._store.batch(call.account, call.query[name])
        if stored is None:
            raise Refusal(name, f"{name} is not a batch of this account.")
        return stored.number


def _same(made: Reservation, fingerprint: str) -> None:
    if made.fingerprint != fingerprint:
        text = "This Idempotency-Key was already used with another body. Use a new key for a new body."
        raise ApiError(HTTPStatus.BAD_REQUEST, text, kind="idempotency_error")


def _not_found(message: str) -> ApiError:
    return ApiError(HTTPStatus.NOT_FOUND, message, code="not_found")


def _limit(text: str | None) -> int:
    if text is None:
        return limits.DEFAULT_PAGE
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= limits.MAX_PAGE):
        raise Refusal("limit", f"limit must be a whole number from 1 to {limits.MAX_PAGE}.")
    return int(text)


def _batch_object(stored: StoredBatch) -> dict[str, Any]:
    shape = {"id": stored.id, "request_counts": stored.count, "created_at": int(stored.created)}
    return shape if stored.label is None else {**shape, "label": stored.label}
