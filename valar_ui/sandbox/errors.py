"""What the sandbox answers when it refuses: the API's error envelope.

ApiError
└── Refusal   a 400 about one place in the body (`param`)
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    429: "rate_limit_error",
}
"""The envelope's `type` for a status; other 4xx are `invalid_request_error`, 5xx are `api_error`."""


def type_of(status: int) -> str:
    """The envelope's `type` that goes with a status."""
    return TYPES.get(status, "invalid_request_error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "api_error")


class ApiError(Exception):
    """An answer other than 2xx; nothing was accepted."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str | None = None,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind or type_of(status)
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    def envelope(self) -> dict[str, Any]:
        """The JSON body."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


class Refusal(ApiError):
    """400: something in the body is not as the API wants it; `param` says where."""

    def __init__(self, param: str | None, message: str, *, code: str | None = None) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, message, param=param, code=code)
