"""Whoever calls an endpoint of TM Forum's reads one body of errors, whatever went wrong and wherever we noticed.

Below, each room has errors of its own; they end here. `refusal_of` translates an exception, `refusal_in` the errors of a
GraphQL answer; one table says what a code means on the wire. What is no caller's business stays out of the body.

    Exception
    +-- Refusal                 an answer that is an error: status, code, reason, message, headers
    graph.errors.Refused
    +-- MalformedBody           a body that breaks its shape: `faults`; below the graph it passes as the graph's own
    +-- TooLarge                a body, or what a patch would make of a record, beyond the cap
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.errors import Malformed
from adapters.tmf.shape import Fault
from adapters.tmf.tmf630 import error_body
from graph.errors import (
    ConstraintViolated,
    DeadlineExceeded,
    DiskFull,
    GraphError,
    OutcomeUnknown,
    Refused,
    SchemaOutdated,
    StoreMisconfigured,
    StoreUnavailable,
    Throttled,
    TooManyQuestions,
    TooManyStatements,
)

CLOSE: Final[Mapping[str, str]] = MappingProxyType({"Connection": "close"})
"""After a body that was not read to its end, the connection is of no more use."""
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

STATUSES: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        "BAD_REQUEST": (400, "The request cannot be read"),
        "BAD_USER_INPUT": (400, "A value is not one that can be taken"),
        "LIMIT_EXCEEDED": (400, "The request is larger than allowed"),
        "COST_LIMIT_EXCEEDED": (400, "The answer would be too large"),
        "FORBIDDEN": (403, "This is not for the caller's role"),
        "NOT_FOUND": (404, "There is no such resource"),
        "METHOD_NOT_ALLOWED": (405, "The resource has no such method"),
        "REQUEST_TIMEOUT": (408, "The body did not arrive in time"),
        "CONFLICT": (409, "It does not go with what is there, or was changed at the same time"),
        "IDEMPOTENCY_CONFLICT": (409, "The idempotency key was used for another request"),
        "PAYLOAD_TOO_LARGE": (413, "The body is too large"),
        "UNSUPPORTED_MEDIA_TYPE": (415, "The body is not of a media type that is taken here"),
        "TOO_MANY_NEW_DOCUMENTS": (429, "Too many different questions in a short time"),
        "TOO_MANY_REQUESTS": (429, "Too many requests at a time"),
        "INTERNAL_SERVER_ERROR": (500, "The request could not be answered"),
        "OVERLOADED": (503, "Other systems have not been told of earlier changes yet"),
        "STORE_UNAVAILABLE": (503, "The database cannot take this now"),
        "DEADLINE_EXCEEDED": (504, "The answer took too long"),
    }
)
"""What a code means on the wire, and what it says to a person."""

_CODES: Final[tuple[tuple[type[GraphError], str], ...]] = (
    (StoreUnavailable, "STORE_UNAVAILABLE"),
    (SchemaOutdated, "STORE_UNAVAILABLE"),
    (StoreMisconfigured, "STORE_UNAVAILABLE"),
    (TooManyQuestions, "TOO_MANY_REQUESTS"),
    (TooManyStatements, "TOO_MANY_REQUESTS"),
    (Throttled, "TOO_MANY_NEW_DOCUMENTS"),
    (DeadlineExceeded, "DEADLINE_EXCEEDED"),
    (ConstraintViolated, "CONFLICT"),
)
_TOLD: Final = frozenset(
    {"BAD_USER_INPUT", "FORBIDDEN", "CONFLICT", "IDEMPOTENCY_CONFLICT", "LIMIT_EXCEEDED", "COST_LIMIT_EXCEEDED"}
)
"""The codes whose message is about what the caller sent."""
_RETRY: Final = 1.0
_LOST: Final = (
    "The answer of the database was lost: the change may have been made. Asking again does not make it twice."
)
_FULL: Final = "The database has no room left; it goes on by itself when there is some."


class Refusal(Exception):
    """The request is answered with an error."""

    def __init__(self, code: str, message: str = "", *, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        known = code if code in STATUSES else "INTERNAL_SERVER_ERROR"
        self.status, self.reason = STATUSES[known]
        super().__init__(self.reason)
        self.code = known
        self.message = message
        self.headers = headers

    @property
    def body(self) -> dict[str, str]:
        """The body of the answer."""
        return error_body(self.code, self.reason, message=self.message, status=self.status)


class MalformedBody(Refused):
    """A body that is not what it should be."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)), code="BAD_USER_INPUT")
        self.faults = tuple(faults)


class TooLarge(Refused):
    """More bytes than are taken."""

    def __init__(self, most: int, what: str = "The body") -> None:
        super().__init__(
            f"{what} has more than {most} bytes, which is the most that is taken", code="PAYLOAD_TOO_LARGE"
        )


def body_of(status: int, code: str, message: str, hint: str) -> dict[str, str]:
    """Make the body of an error that somebody before us has found: an authentication, an exception in between."""
    return error_body(code, message, message=hint, status=status)


def refusal_of(error: GraphError | Malformed) -> Refusal:
    """Translate what went wrong below."""
    match error:
        case Malformed():
            return Refusal("BAD_USER_INPUT", f"{error.field}: {error}" if error.field else str(error))
        case TooLarge():
            return Refusal(error.code, str(error), headers=CLOSE)
        case Refused():
            where = ".".join(map(str, error.path))
            return Refusal(error.code, f"{where}: {error}" if where else str(error))
        case OutcomeUnknown():
            return Refusal("STORE_UNAVAILABLE", _LOST, headers=_after(error.retry_after))
        case DiskFull():
            return Refusal("STORE_UNAVAILABLE", _FULL, headers=_after(error.retry_after))
        case StoreUnavailable() | Throttled():
            return Refusal(_code(error), headers=_after(error.retry_after))
        case _:
            return Refusal(_code(error), headers=_after(_RETRY) if _code(error) == "STORE_UNAVAILABLE" else _NO_HEADERS)


def refusal_in(errors: Sequence[Mapping[str, Any]]) -> Refusal:
    """Translate the errors of a GraphQL answer; the first one decides."""
    extensions = errors[0].get("extensions") or {}
    code = str(extensions.get("code"))
    message = str(errors[0].get("message", "")) if code in _TOLD else ""
    after = extensions.get("retryAfter")
    if code == "STORE_UNAVAILABLE":
        after = after or _RETRY
    refusal = Refusal(code, message, headers=_NO_HEADERS if after is None else _after(after))
    refusal.add_note(f"The graph answered: {errors[0]}")  # for the log
    return refusal


def _code(error: GraphError) -> str:
    return next((code for known, code in _CODES if isinstance(error, known)), "INTERNAL_SERVER_ERROR")


def _after(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, math.ceil(seconds)))}
