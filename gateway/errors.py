"""A caller must learn what to do next, and nothing about our insides.

Every refusal in the gateway is one exception that carries problems; every problem has a code; and the one table below
says what a code means on the wire. Codes that a subgraph sends are looked up in the same table, so that a status is
decided nowhere else.

    Exception
    └── Refused          a request that is answered with errors and no data: `problems`, `retry_after`, `headers`
    └── SettingsBroken   settings that cannot be used: one sentence for each fault
    └── CommandFailed    a command that stops with a message and a hint
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias

MOST_ERRORS: Final = 9
"""More errors than this in an answer tell nobody anything new, and make it large."""

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


class Code(enum.StrEnum):
    """What went wrong, in a word that stays the same over versions."""

    BAD_REQUEST = "BAD_REQUEST"
    PREFLIGHT_REQUIRED = "PREFLIGHT_REQUIRED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    INSUFFICIENT_SCOPE = "INSUFFICIENT_SCOPE"
    ORIGIN_NOT_ALLOWED = "ORIGIN_NOT_ALLOWED"
    MISDIRECTED_REQUEST = "MISDIRECTED_REQUEST"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    TOO_MANY_NEW_DOCUMENTS = "TOO_MANY_NEW_DOCUMENTS"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    TOO_MANY_STREAMS = "TOO_MANY_STREAMS"
    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    OPERATION_RESOLUTION_FAILURE = "OPERATION_RESOLUTION_FAILURE"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    COST_LIMIT_EXCEEDED = "COST_LIMIT_EXCEEDED"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    LAGGED = "LAGGED"
    EVENTS_MISSING = "EVENTS_MISSING"
    FORBIDDEN = "FORBIDDEN"
    CONFLICT = "CONFLICT"
    ISSUER_UNAVAILABLE = "ISSUER_UNAVAILABLE"
    OVERLOADED = "OVERLOADED"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
    SUBGRAPH_UNAVAILABLE = "SUBGRAPH_UNAVAILABLE"
    SUBGRAPH_FAILED = "SUBGRAPH_FAILED"
    NOT_PLANNED = "NOT_PLANNED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    INCONSISTENT_DATA = "INCONSISTENT_DATA"
    INTERNAL = "INTERNAL_SERVER_ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What a code means on the wire when nothing ran."""

    status: int
    """with application/graphql-response+json."""
    legacy: int
    """with application/json, where 200 stands for every well-formed request that reached GraphQL."""
    hint: str
    """what to do, for a problem that brings no better sentence of its own."""


def _always(status: int, hint: str) -> Treatment:
    return Treatment(status=status, legacy=status, hint=hint)


def _request_error(hint: str) -> Treatment:
    return Treatment(status=400, legacy=200, hint=hint)


TREATMENTS: Final[Mapping[Code, Treatment]] = MappingProxyType(
    {
        Code.BAD_REQUEST: _always(
            400, "Send a JSON object with `query`, and if needed `variables` and `operationName`."
        ),
        Code.PREFLIGHT_REQUIRED: _always(400, "Send the header `GraphQL-Preflight: 1`, or use POST."),
        Code.UNAUTHENTICATED: _always(401, "Send `Authorization: Bearer <token>` with a token of a configured issuer."),
        Code.INSUFFICIENT_SCOPE: _always(403, "Ask the token's issuer for exactly one of the known roles."),
        Code.ORIGIN_NOT_ALLOWED: _always(403, "Ask the operator: the setting `origins` says which web pages may call."),
        Code.MISDIRECTED_REQUEST: _always(
            421, "Use an address that the operator has given; the setting `hosts` says which names are served."
        ),
        Code.METHOD_NOT_ALLOWED: _always(405, "Use POST."),
        Code.NOT_ACCEPTABLE: _always(406, "Accept application/graphql-response+json or application/json."),
        Code.REQUEST_TIMEOUT: _always(408, "Send the whole body sooner."),
        Code.PAYLOAD_TOO_LARGE: _always(413, "Send a smaller body: move long lists to several requests."),
        Code.UNSUPPORTED_MEDIA_TYPE: _always(
            415, "Send `Content-Type: application/json`, in UTF-8 and not compressed."
        ),
        Code.TOO_MANY_NEW_DOCUMENTS: _always(
            429, "Send the same document text again with other variables instead of writing values into the text."
        ),
        Code.TOO_MANY_REQUESTS: _always(429, "Wait for the answers to your earlier requests; send fewer at a time."),
        Code.TOO_MANY_STREAMS: _always(429, "End subscriptions that nobody looks at; ask for several things in one."),
        Code.GRAPHQL_PARSE_FAILED: _request_error("Correct the document's syntax at the place given."),
        Code.GRAPHQL_VALIDATION_FAILED: _request_error("Compare the document with the schema."),
        Code.OPERATION_RESOLUTION_FAILURE: _request_error("Name one of the document's operations in `operationName`."),
        Code.LIMIT_EXCEEDED: _request_error("Split the operation into smaller ones."),
        Code.COST_LIMIT_EXCEEDED: _request_error("Ask for fewer items with `first`, or for fewer nested lists."),
        Code.BAD_USER_INPUT: _request_error("Correct the value at the place given."),
        Code.CURSOR_EXPIRED: _request_error(
            "Keep `extensions.cursor`, ask the query in `extensions.snapshot`, then subscribe after that cursor."
        ),
        Code.LAGGED: _always(200, "Subscribe again with `after` set to the cursor of the last event."),
        Code.EVENTS_MISSING: _always(200, "Ask the query in `extensions.snapshot` for how things are now."),
        Code.FORBIDDEN: _request_error("Leave out what your role may not ask for."),
        Code.CONFLICT: _request_error("Read again and repeat the request."),
        Code.ISSUER_UNAVAILABLE: _always(503, "Try again later: the token's issuer cannot be reached."),
        Code.OVERLOADED: _always(503, "Try again later: other systems must be told first what is there already."),
        Code.STORE_UNAVAILABLE: _always(503, "Try again later: the database cannot be reached."),
        Code.SUBGRAPH_UNAVAILABLE: _always(503, "Try again later: a subgraph cannot be reached."),
        Code.SUBGRAPH_FAILED: _always(
            502, "Tell the operator the request id; the log has the subgraph's reason under it."
        ),
        Code.NOT_PLANNED: _request_error("Leave out what the message names, or ask for less in one operation."),
        Code.DEADLINE_EXCEEDED: _always(504, "Ask for less in one request."),
        Code.INCONSISTENT_DATA: _always(200, "Tell the operator: the graph holds what the schema does not allow."),
        Code.INTERNAL: _always(500, "Tell the operator the request id; the log has the reason under it."),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One error of an answer."""

    code: Code
    message: str
    hint: str = ""
    """empty: the code's own."""
    locations: tuple[tuple[int, int], ...] = ()
    """line and column in the document."""
    path: tuple[str | int, ...] = ()


class Refused(Exception):
    """Nothing ran: the request is answered with these problems."""

    def __init__(self, *problems: Problem, retry_after: float | None = None, headers: Headers = ()) -> None:
        super().__init__(problems[0].message)
        self.problems = problems[:MOST_ERRORS]
        self.retry_after = retry_after
        self.headers = headers


class SettingsBroken(Exception):
    """Settings that cannot be used; each fault is a sentence that begins with the setting's name."""

    def __init__(self, *faults: str) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


class CommandFailed(Exception):
    """A command cannot go on: what happened, and what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def refuse(code: Code, message: str, hint: str = "", **more: Any) -> Refused:
    """Make the refusal with a single problem, which most are."""
    return Refused(Problem(code=code, message=message, hint=hint), **more)


def code_of(error: Mapping[str, Any]) -> Code:
    """Read the code of an error in a subgraph's answer; a code that nobody knows is a fault of ours."""
    extensions = error.get("extensions") or {}
    try:
        return Code(str(extensions.get("code")))
    except ValueError:
        return Code.INTERNAL


def printed(problem: Problem, request_id: str) -> dict[str, Any]:
    """Write a problem as an error of the GraphQL response format."""
    hint = problem.hint or TREATMENTS[problem.code].hint
    error: dict[str, Any] = {"message": problem.message}
    if problem.locations:
        error["locations"] = [{"line": line, "column": column} for line, column in problem.locations]
    if problem.path:
        error["path"] = list(problem.path)
    error["extensions"] = {"code": problem.code.value, "hint": hint, "requestId": request_id}
    return error


def completed(errors: list[dict[str, Any]], request_id: str) -> list[dict[str, Any]]:
    """Give each error of a subgraph the request id and a hint, and keep the list short."""
    finished = []
    for error in errors[:MOST_ERRORS]:
        code = code_of(error)
        extensions = {"hint": TREATMENTS[code].hint, **(error.get("extensions") or {}), "requestId": request_id}
        extensions.setdefault("code", code.value)
        finished.append({**error, "extensions": extensions})
    return finished
