"""What can go wrong below, in words that every room understands.

The driver, the child process and the file system each raise their own exceptions; a caller who had to know them would
be tied to one database. They stop in graph/, and these go up instead. None of them knows an HTTP status or a GraphQL
code of the edge: the edges translate by class, each in one table.

    GraphError                  message: what happened; hint: what to do about it
    +-- StoreUnavailable        the database does not answer; retry_after: seconds until asking again makes sense
    |   +-- StoreStarting       it is on its way
    |   +-- DiskFull            it answers, but cannot keep anything more
    |   +-- Contended           others change the same things at this moment, and went on doing so until the deadline
    |   +-- OutcomeUnknown      the answer to a commit was lost: it may have happened, or not
    +-- DeadlineExceeded        the time that the caller gave is over; the database was told to stop
    +-- ConstraintViolated      a value that must be unique is already there
    +-- StatementFailed         the database refused the statement: a fault of ours, never of the caller
    +-- SchemaOutdated          the database's schema is older, or newer, than this program needs
    +-- StoreMisconfigured      address, credentials or directory cannot work as they are
    |   +-- EmbeddedUnsupported there is no embedded database for this platform
    +-- Throttled               too much of what is costly in a short time; retry_after: seconds until it is allowed again
    |   +-- TooManyQuestions    one kind of costly question was asked more often than a caller may
    |   +-- TooManyStatements   the caller's earlier statements left no room for this one until its deadline
    +-- Refused                 the caller's mistake, found before anything ran; code and path say which and where
"""

from __future__ import annotations

from typing import Literal, TypeAlias

RefusalCode: TypeAlias = Literal[
    "BAD_USER_INPUT", "CONFLICT", "FORBIDDEN", "IDEMPOTENCY_CONFLICT", "LIMIT_EXCEEDED", "PAYLOAD_TOO_LARGE"
]
"""Which mistake of the caller it is; each edge says in its table what it makes of each of them."""


class GraphError(Exception):
    """Something below could not be done."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message.rstrip('.')}. {self.hint}" if self.hint else self.message


class StoreUnavailable(GraphError):
    """The database cannot be reached now; it may come back by itself."""

    def __init__(self, message: str, *, hint: str = "", retry_after: float = 1.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class StoreStarting(StoreUnavailable):
    """The embedded database is being started, by this process or another."""


class DiskFull(StoreUnavailable):
    """There is no room left where the database keeps its files."""


class Contended(StoreUnavailable):
    """The database gave way to another transaction."""


class OutcomeUnknown(StoreUnavailable):
    """A commit was sent and its answer was lost; who asks again needs an idempotency key."""


class DeadlineExceeded(GraphError):
    """The caller's time ran out before the answer was there."""


class ConstraintViolated(GraphError):
    """Another node already has this value of a unique property."""


class StatementFailed(GraphError):
    """The database could not run a statement of ours."""


class SchemaOutdated(GraphError):
    """The schema in the database is not the one that this program was written for."""


class StoreMisconfigured(GraphError):
    """The settings of the store cannot work."""


class EmbeddedUnsupported(StoreMisconfigured):
    """The embedded database does not exist for this platform."""

    def __init__(self, platform: str) -> None:
        super().__init__(
            f"There is no embedded database for {platform}",
            hint="Give the address of a Neo4j 5.26 server: --store bolt://HOST:7687 (or neo4j+s://HOST)",
        )
        self.platform = platform


class Throttled(GraphError):
    """The caller has used up what one principal may have in a minute."""

    def __init__(self, message: str, *, hint: str = "", retry_after: float) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class TooManyQuestions(Throttled):
    """One principal has asked as often as it may in a minute."""


class TooManyStatements(Throttled):
    """One principal has as many statements under way as it may have."""


class Refused(GraphError):
    """The caller asked for what cannot be, or what it may not have."""

    def __init__(self, message: str, *, code: RefusalCode, path: tuple[str | int, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.path = path
