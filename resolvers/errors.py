"""What went wrong below, as a GraphQL response: the one table of this room.

No `data` key means that nothing was answered; the gateway reads the code, and says with which HTTP status.
"""

from __future__ import annotations

from typing import Any, Final

from graph.errors import (
    ConstraintViolated,
    DeadlineExceeded,
    GraphError,
    Refused,
    SchemaOutdated,
    StatementFailed,
    StoreMisconfigured,
    StoreUnavailable,
    Throttled,
)

_CODES: Final[tuple[tuple[type[GraphError], str], ...]] = (
    (StoreUnavailable, "STORE_UNAVAILABLE"),
    (Throttled, "TOO_MANY_NEW_DOCUMENTS"),
    (SchemaOutdated, "STORE_UNAVAILABLE"),
    (StoreMisconfigured, "STORE_UNAVAILABLE"),
    (DeadlineExceeded, "DEADLINE_EXCEEDED"),
    (ConstraintViolated, "CONFLICT"),
    (StatementFailed, "INTERNAL_SERVER_ERROR"),
)


def answer_for(error: GraphError) -> dict[str, Any]:
    """Give the response without data for an error of the graph."""
    if isinstance(error, Refused):
        return _response(error, error.code, path=list(error.path))
    code = next((code for known, code in _CODES if isinstance(error, known)), "INTERNAL_SERVER_ERROR")
    if isinstance(error, (StoreUnavailable, Throttled)):
        return _response(error, code, retryAfter=error.retry_after)
    return _response(error, code)


def _response(error: GraphError, code: str, *, path: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {"message": str(error), "extensions": {"code": code, **more}}
    if path:
        entry["path"] = path
    return {"errors": [entry]}
