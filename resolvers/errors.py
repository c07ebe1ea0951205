"""What went wrong below, as a GraphQL response: the one table of this room.

No `data` key means that nothing was answered; the gateway reads the code, and says with which HTTP status.

A message goes to the client only where it is ours and about the request. What names our insides (the database's own
words, directories, addresses) is masked, and logged with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import structlog
from graphql import GraphQLError

from graph.errors import (
    ConstraintViolated,
    Contended,
    DeadlineExceeded,
    DiskFull,
    GraphError,
    OutcomeUnknown,
    RefusalCode,
    Refused,
    SchemaOutdated,
    StatementFailed,
    StoreMisconfigured,
    StoreStarting,
    StoreUnavailable,
    Throttled,
    TooManyQuestions,
    TooManyStatements,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What a client is told of an error of the graph."""

    code: str
    mask: str = ""
    """the message in the place of the error's own, which is logged then; empty where its own may be told."""
    tells_hint: bool = False
    """whether the hint is told beside a mask: where no hint of that class names our insides."""


_AWAY: Final = "The database cannot be reached."
_FAILED: Final = Treatment(code="INTERNAL_SERVER_ERROR", mask="The request could not be answered.")
_TREATMENTS: Final[tuple[tuple[type[GraphError], Treatment], ...]] = (
    # The first that fits counts: what is more special stands first.
    (OutcomeUnknown, Treatment(code="STORE_UNAVAILABLE")),
    (Contended, Treatment(code="STORE_UNAVAILABLE")),
    (StoreStarting, Treatment(code="STORE_UNAVAILABLE")),
    (DiskFull, Treatment(code="STORE_UNAVAILABLE", mask="The database has no room left.", tells_hint=True)),
    (StoreUnavailable, Treatment(code="STORE_UNAVAILABLE", mask=_AWAY)),
    (SchemaOutdated, Treatment(code="STORE_UNAVAILABLE", mask=_AWAY)),
    (StoreMisconfigured, Treatment(code="STORE_UNAVAILABLE", mask=_AWAY)),
    (TooManyQuestions, Treatment(code="TOO_MANY_REQUESTS")),
    (TooManyStatements, Treatment(code="TOO_MANY_REQUESTS")),
    (Throttled, Treatment(code="TOO_MANY_NEW_DOCUMENTS")),
    (DeadlineExceeded, Treatment(code="DEADLINE_EXCEEDED")),
    (ConstraintViolated, Treatment(code="CONFLICT")),
    (StatementFailed, _FAILED),
)
_REFUSALS: Final[dict[RefusalCode, str]] = {
    "BAD_USER_INPUT": "BAD_USER_INPUT",
    "CONFLICT": "CONFLICT",
    "FORBIDDEN": "FORBIDDEN",
    "IDEMPOTENCY_CONFLICT": "CONFLICT",
    "LIMIT_EXCEEDED": "LIMIT_EXCEEDED",
    "PAYLOAD_TOO_LARGE": "PAYLOAD_TOO_LARGE",
}


def answer_for(error: GraphError) -> dict[str, Any]:
    """Give the response without data for an error of the graph."""
    if isinstance(error, Refused):
        return _response(_sentence(error), _REFUSALS[error.code], {}, path=list(error.path), hint=error.hint)
    treatment = next((each for known, each in _TREATMENTS if isinstance(error, known)), _FAILED)
    if treatment.mask:
        log.error("an error was masked", code=treatment.code, reason=f"{type(error).__name__}: {error}")
    after = {"retryAfter": error.retry_after} if isinstance(error, StoreUnavailable | Throttled) else {}
    if treatment.mask:
        return _response(treatment.mask, treatment.code, after, hint=error.hint if treatment.tells_hint else "")
    return _response(_sentence(error), treatment.code, after, hint=error.hint)


def entry_of(error: GraphQLError, failed: str) -> dict[str, Any]:
    """Give one error of an executed area; what is not ours is logged, and told by the sentence `failed`."""
    original = error.original_error
    while isinstance(original, GraphQLError):  # of a variable, graphql-core wraps it once more
        original = original.original_error
    entry: dict[str, Any] = {"message": failed, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
    if isinstance(original, GraphError):
        entry = answer_for(original)["errors"][0]
        if isinstance(original, Refused) and not error.path:
            entry["message"] = error.message  # graphql-core has named the variable
    elif original is not None:
        log.error("an error was masked", reason=str(original), exc_info=original)
    else:
        entry = {"message": error.message, "extensions": {"code": "BAD_USER_INPUT"}}
    if error.path:
        entry["path"] = [*error.path, *(original.path if isinstance(original, Refused) else ())]
    return entry


def _sentence(error: GraphError) -> str:
    """Give what happened; what to do about it stands beside it."""
    return error.message if error.message.endswith(".") else f"{error.message}."


def _response(
    message: str, code: str, more: dict[str, float], *, path: list[Any] | None = None, hint: str = ""
) -> dict[str, Any]:
    extensions = {"code": code, **({"hint": hint} if hint else {}), **more}
    entry: dict[str, Any] = {"message": message, "extensions": extensions}
    if path:
        entry["path"] = path
    return {"errors": [entry]}
