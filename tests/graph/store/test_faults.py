"""No exception of the driver leaves graph/: each is mapped, and the mapping says what a caller may do."""

from __future__ import annotations

import inspect

import neo4j.exceptions
import pytest
from neo4j.exceptions import DriverError, Neo4jError

from graph.errors import (
    ConstraintViolated,
    Contended,
    DeadlineExceeded,
    DiskFull,
    GraphError,
    StatementFailed,
    StoreMisconfigured,
    StoreUnavailable,
)
from graph.store.faults import fault_of


def _from_server(code: str, message: str = "because") -> Neo4jError:
    # The driver makes its errors from a server's message only here.
    return Neo4jError._basic_hydrate(neo4j_code=code, message=message)  # type: ignore[no-any-return,no-untyped-call,attr-defined,unused-ignore]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Neo.TransientError.Transaction.DeadlockDetected", Contended),
        ("Neo.TransientError.Transaction.LockClientStopped", DeadlineExceeded),
        ("Neo.TransientError.Transaction.Terminated", DeadlineExceeded),
        ("Neo.TransientError.General.DatabaseUnavailable", StoreUnavailable),
        ("Neo.ClientError.Statement.EntityNotFound", Contended),
        ("Neo.ClientError.Schema.ConstraintValidationFailed", ConstraintViolated),
        ("Neo.ClientError.Security.Unauthorized", StoreMisconfigured),
        ("Neo.ClientError.Security.Forbidden", StoreMisconfigured),
        ("Neo.ClientError.Transaction.TransactionTimedOut", DeadlineExceeded),
        ("Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", DeadlineExceeded),
        ("Neo.ClientError.Database.DatabaseNotFound", StoreUnavailable),
        ("Neo.ClientError.Statement.SyntaxError", StatementFailed),
        ("Neo.DatabaseError.General.UnknownError", StatementFailed),
    ],
)
def test_what_a_server_says_becomes_an_error_of_ours(code: str, expected: type[GraphError]) -> None:
    assert type(fault_of(_from_server(code))) is expected


def test_a_server_without_room_is_told_from_one_with_a_fault() -> None:
    fault = fault_of(_from_server("Neo.DatabaseError.General.UnknownError", "No space left on device"))
    assert isinstance(fault, DiskFull)
    assert fault.hint


def _driver_errors() -> list[type[DriverError]]:
    found = [each for _, each in inspect.getmembers(neo4j.exceptions, inspect.isclass)]
    return [each for each in found if issubclass(each, DriverError)]


@pytest.mark.parametrize("kind", [pytest.param(each, id=each.__name__) for each in _driver_errors()])
def test_every_exception_of_the_driver_becomes_an_error_of_ours(kind: type[DriverError]) -> None:
    assert isinstance(fault_of(kind.__new__(kind)), GraphError)


def test_a_dead_connection_is_a_store_that_may_come_back() -> None:
    fault = fault_of(neo4j.exceptions.ServiceUnavailable("refused"))
    assert isinstance(fault, StoreUnavailable)
    assert fault.retry_after > 0
