"""Each error of the graph has a treatment at each edge, and none of the database's words reach a client."""

from __future__ import annotations

import errno
import inspect
from pathlib import Path
from typing import Any, get_args

import pytest
from structlog.testing import capture_logs

import graph.errors
from adapters.endpoint.errors import STATUSES, refusal_in, refusal_of
from gateway.errors import TREATMENTS, Code
from graph.errors import EmbeddedUnsupported, GraphError, RefusalCode, Refused, StoreUnavailable, Throttled
from graph.store.embedded import fault_of
from resolvers.errors import answer_for

SECRET = "Neo.ClientError.Statement.SyntaxError in /var/lib/graph at bolt://10.0.0.7"
KINDS = [
    each
    for _, each in inspect.getmembers(graph.errors, inspect.isclass)
    if issubclass(each, GraphError) and each not in {GraphError, Refused}
]
SPOKEN_OF_ALWAYS = {
    "OutcomeUnknown",
    "Contended",
    "StoreStarting",
    "TooManyQuestions",
    "TooManyStatements",
    "Throttled",
    "DeadlineExceeded",
}
"""Our own sentences, about the request: these may be told."""
EXPECTED = {
    "ConstraintViolated": Code.CONFLICT,
    "Contended": Code.STORE_UNAVAILABLE,
    "DeadlineExceeded": Code.DEADLINE_EXCEEDED,
    "DiskFull": Code.STORE_UNAVAILABLE,
    "EmbeddedUnsupported": Code.STORE_UNAVAILABLE,
    "OutcomeUnknown": Code.STORE_UNAVAILABLE,
    "SchemaOutdated": Code.STORE_UNAVAILABLE,
    "StatementFailed": Code.INTERNAL,
    "StoreMisconfigured": Code.STORE_UNAVAILABLE,
    "StoreStarting": Code.STORE_UNAVAILABLE,
    "StoreUnavailable": Code.STORE_UNAVAILABLE,
    "Throttled": Code.TOO_MANY_NEW_DOCUMENTS,
    "TooManyQuestions": Code.TOO_MANY_REQUESTS,
    "TooManyStatements": Code.TOO_MANY_REQUESTS,
}


def made(kind: type[GraphError]) -> GraphError:
    if issubclass(kind, EmbeddedUnsupported):
        return kind(SECRET)
    more: dict[str, Any] = {"retry_after": 3.0} if issubclass(kind, StoreUnavailable | Throttled) else {}
    return kind(SECRET, **more)


def hinting(kind: type[GraphError]) -> GraphError:
    error = made(kind)
    error.hint = "Give another directory"
    return error


@pytest.mark.parametrize("kind", KINDS, ids=lambda each: each.__name__)
def test_each_class_of_errors_has_a_code_of_the_api(kind: type[GraphError]) -> None:
    with capture_logs() as lines:
        [error] = answer_for(made(kind))["errors"]
    assert Code(error["extensions"]["code"]) is EXPECTED[kind.__name__]
    assert error["extensions"]["code"] in STATUSES
    if SECRET not in error["message"]:
        [line] = lines
        assert line["log_level"] == "error"
        assert SECRET in line["reason"]
        assert kind.__name__ in line["reason"]
    if issubclass(kind, StoreUnavailable | Throttled):
        assert error["extensions"]["retryAfter"] == 3.0


def test_what_may_name_our_insides_is_masked() -> None:
    with capture_logs():
        told = {each.__name__ for each in KINDS if SECRET in str(answer_for(made(each)))}
    assert told == SPOKEN_OF_ALWAYS | {"ConstraintViolated"}


def test_a_database_without_room_says_so_at_each_edge_and_names_no_directory() -> None:
    fault = fault_of(OSError(errno.ENOSPC, "no room"), Path("/var/lib/graph"))
    [told] = answer_for(fault)["errors"]
    assert told["message"] == "The database has no room left."
    assert told["extensions"] == {"code": Code.STORE_UNAVAILABLE, "hint": fault.hint, "retryAfter": 10.0}
    refusal = refusal_of(fault)
    assert "no room left" in refusal.message
    assert refusal.headers["Retry-After"] == "10"
    assert "/var/lib" not in f"{told} {refusal.body}"


def test_a_hint_beside_a_mask_is_told_only_where_it_may_be() -> None:
    hinted = {each.__name__: answer_for(hinting(each))["errors"][0]["extensions"].get("hint") for each in KINDS}
    assert {name for name, hint in hinted.items() if hint} == SPOKEN_OF_ALWAYS | {"ConstraintViolated", "DiskFull"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda each: each.__name__)
def test_each_class_of_errors_has_a_status_at_the_other_edge(kind: type[GraphError]) -> None:
    refusal = refusal_of(made(kind))
    assert SECRET not in str(refusal.body)
    assert refusal.status == STATUSES[EXPECTED[kind.__name__].value][0]


@pytest.mark.parametrize("code", get_args(RefusalCode))
def test_each_code_of_a_refusal_has_a_treatment_at_each_edge(code: RefusalCode) -> None:
    refused = Refused("No", code=code, path=("a",), hint="Do otherwise")
    [error] = answer_for(refused)["errors"]
    known = Code(error["extensions"]["code"])
    assert 400 <= TREATMENTS[known].status < 500, "the caller's mistake"
    assert (error["path"], error["extensions"]["hint"]) == (["a"], "Do otherwise")
    assert error["message"] == "No.", "the hint is told once"
    assert 400 <= refusal_of(refused).status < 500
    assert refusal_in([error]).status < 500


def test_an_idempotency_key_that_was_used_for_another_change_is_a_conflict() -> None:
    [error] = answer_for(Refused("Used", code="IDEMPOTENCY_CONFLICT"))["errors"]
    assert error["extensions"]["code"] == Code.CONFLICT
    assert TREATMENTS[Code.CONFLICT].status == 400
