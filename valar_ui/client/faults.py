"""What can go wrong with a call, named by what to do next.

ValarFault
├── Refused            it did not happen: change something, then send
│   ├── BadKey         401, or a key that cannot be sent at all: give the key again
│   ├── NoCredit       402: add credit, then send the same again
│   ├── NotAvailable   403, 404, 501, "not available": this account has no such call
│   ├── TooLarge       413: send less at once
│   └── KeyReused      400 idempotency_error: other contents were sent under this key; never send again
├── Throttled          429: wait `retry_after` seconds, then the same key and bytes
├── Unreachable        no connection was made: certainly unsent; the same key and bytes, later
└── Unknown            everything else after connecting, 408, 409, 5xx, an answer cut off: it may have happened;
                       the same key and bytes, nothing else
"""

from __future__ import annotations

import contextlib
import math
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

MAX_RETRY_AFTER: Final = 86_400.0
"""Seconds: a `Retry-After` beyond a day is cut to a day, then Valar is asked again."""


class ValarFault(Exception):
    """Something went wrong; `message` is safe to show: it never holds the key."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        type: str = "",  # the API's own word
        param: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.param = param
        self.request_id = request_id
        """`X-Request-ID`, for support."""


class Refused(ValarFault):
    """It did not happen; the same again would be refused again."""


class BadKey(Refused):
    """Valar does not know this API key, or it cannot be an API key."""


class NoCredit(Refused):
    """The account has no credit left."""


class NotAvailable(Refused):
    """This account, or this address, has no such call or no such object."""


class TooLarge(Refused):
    """The body is too large for the server."""


class KeyReused(Refused):
    """Other contents were sent under this idempotency key."""


class Throttled(ValarFault):
    """Too many requests; `retry_after` seconds to wait, None where Valar did not say."""

    retry_after: float | None = None


class Unreachable(ValarFault):
    """No connection was made: certainly unsent."""


class Unknown(ValarFault):
    """It may have happened; only the same bytes under the same key are safe."""


KINDS: Final[dict[int, type[ValarFault]]] = {
    401: BadKey,
    402: NoCredit,
    403: NotAvailable,
    404: NotAvailable,
    501: NotAvailable,
    413: TooLarge,
    408: Unknown,
    409: Unknown,
    429: Throttled,
}
"""What a status means; any other 4xx is `Refused`, any other 5xx `Unknown`."""


def retry_after(value: str | None, *, now: float) -> float | None:
    """Seconds to wait by a `Retry-After` header, in seconds or as an HTTP-date; None where it says nothing usable.

    What lies in the past is 0; what lies beyond `MAX_RETRY_AFTER` is cut to it.
    """
    if value is None:
        return None
    seconds: float | None = None
    with contextlib.suppress(ValueError):
        seconds = float(value)
    if seconds is None:
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            when = parsedate_to_datetime(value)
            seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - now
    if seconds is None or math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
