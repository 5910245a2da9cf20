"""The API's numbers and patterns, each with its source; prices live in `pricing`."""

from __future__ import annotations

import re
from typing import Final

ENDPOINT: Final = "/v1/responses"
"""The only endpoint a batch may target (POST /v1/batches, endpoint)."""

MAX_REQUESTS: Final = 100_000
"""Requests in one batch (POST /v1/batches, requests)."""

MIN_REQUESTS: Final = 1
"""Requests in one batch, at least (POST /v1/batches, requests)."""

MAX_BODY_BYTES: Final = 256_000_000
"""The whole body stays under this many bytes (POST /v1/batches: "under 256 MB", read as 10^6 bytes)."""

CUSTOM_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]*")
"""A request's id; use `fullmatch` (POST /v1/batches, requests[].custom_id)."""

MAX_CUSTOM_ID: Final = 64
"""Characters in a custom_id (POST /v1/batches, requests[].custom_id)."""

LABEL: Final = re.compile(r"[a-zA-Z0-9_-]+")
"""A batch's label; use `fullmatch` (POST /v1/batches, label)."""

MAX_LABEL: Final = 128
"""Characters in a label (POST /v1/batches, label)."""

MAX_IDEMPOTENCY_KEY: Final = 255
"""Characters in the Idempotency-Key header (Idempotent requests)."""

MAX_PAGE: Final = 200
"""Batches in one page of the list (GET /v1/batches, limit)."""

DEFAULT_PAGE: Final = 25
"""Batches in one page when no limit is given (GET /v1/batches, limit)."""

TEMPERATURE: Final = (0.0, 2.0)
"""Lowest and highest temperature (Responses API)."""

TOP_P: Final = (0.0, 1.0)
"""Lowest and highest top_p (Responses API)."""

MIN_OUTPUT_TOKENS: Final = 1
"""Lowest max_output_tokens (Responses API)."""

EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh")
"""reasoning.effort (Responses API)."""

SUMMARIES: Final = ("auto", "concise", "detailed")
"""reasoning.generate_summary (Responses API)."""

ROLES: Final = ("system", "user", "assistant", "tool", "function")
"""Who speaks in an input message (Responses API, input)."""

IMAGE_DETAILS: Final = ("auto", "low", "high")
"""input_image.detail (Responses API, input)."""

MAX_IMAGES: Final = 20
"""Images in one request (Images guide)."""

MAX_IMAGE_BYTES: Final = 20_000_000
"""One image, decoded (Images guide: 20 MB)."""

MAX_USER: Final = 256
"""Characters in user (Responses API)."""

WINDOWS: Final = ("asap", "standard", "flex")
"""metadata.completion_window (Completion windows)."""

BATCH_WINDOW: Final = "standard"
"""The completion window of every request in a batch (Completion windows)."""

CONTENT_KEPT_HOURS: Final = 48
"""Valar keeps requests and answers at most this long (Data retention)."""

FINAL_STATUSES: Final = frozenset({"completed", "failed", "cancelled", "incomplete"})
"""A request in one of these does not change any more; compare casefolded, any other word is not final."""
