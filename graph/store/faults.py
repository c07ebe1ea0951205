"""The driver raises dozens of exceptions, and the two databases spell the same fault differently; here they become ours.

A caller needs to know four things: may I try again at once (`Contended`), later (`StoreUnavailable`), is it settled
(`ConstraintViolated`, `DeadlineExceeded`), or is a statement of ours wrong (`StatementFailed`).

What the server says is kept out of the message unless it is about a statement of ours: it may hold other people's data.
"""

from __future__ import annotations

from typing import Final

from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConfigurationError,
    ConnectionAcquisitionTimeoutError,
    ConstraintError,
    DatabaseUnavailable,
    DriverError,
    Forbidden,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
    TransientError,
)

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

_OVER: Final = frozenset(
    {
        "Neo.ClientError.Transaction.TransactionTimedOut",
        "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration",
        "Neo.ClientError.Transaction.Terminated",
        "Neo.ClientError.Transaction.LockClientStopped",
    }
)
_DELETED_MEANWHILE: Final = "Neo.ClientError.Statement.EntityNotFound"
_NO_ROOM: Final = ("no space left", "out of disk", "disk is full", "disk full")


def fault_of(exc: Neo4jError | DriverError) -> GraphError:
    """Put what the driver raised into our words."""
    return _of_server(exc) if isinstance(exc, Neo4jError) else _of_driver(exc)


def _of_driver(exc: DriverError) -> GraphError:
    match exc:
        case ServiceUnavailable() | SessionExpired():
            return StoreUnavailable("The database cannot be reached", hint="It is asked again when it is back")
        case ConnectionAcquisitionTimeoutError():
            return StoreUnavailable("All connections to the database are busy", hint="Ask again in a moment")
        case ConfigurationError():
            return StoreMisconfigured(f"The driver cannot use the settings of the store: {exc}")
        case _:
            return StatementFailed(f"{type(exc).__name__}: {exc}")


def _of_server(exc: Neo4jError) -> GraphError:
    said = str(exc.message or "")
    if exc.code in _OVER:
        return DeadlineExceeded("The database stopped the statement: its time was over")
    if any(each in said.lower() for each in _NO_ROOM):
        return DiskFull("The database has no room left", hint="Free space where it keeps its files", retry_after=10.0)
    return _by_class(exc, said)


def _by_class(exc: Neo4jError, said: str) -> GraphError:
    match exc:
        case AuthError() | Forbidden():
            hint = "Check the user, password or bearer token of the store"
            return StoreMisconfigured("The database does not let us in", hint=hint)
        case ConstraintError():
            return ConstraintViolated("Another node already has this value of a unique property")
        case DatabaseUnavailable():
            return StoreUnavailable("The database is not ready", hint="It is asked again when it is back")
        case TransientError():
            return Contended("The database gave way to another transaction", retry_after=0.1)
        case ClientError(code=code) if code == _DELETED_MEANWHILE:
            return Contended("Another transaction deleted what the statement had found", retry_after=0.1)
        case ClientError() if exc.code.startswith("Neo.ClientError.Database."):
            return StoreUnavailable(f"The database is not there: {said}", retry_after=5.0)
        case _:
            return StatementFailed(f"{exc.code}: {said}")
