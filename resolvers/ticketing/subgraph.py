"""The ticketing system as a subgraph: whatever happens over there, an operation gets an answer.

Strawberry executes here, since nothing can be compiled: the data is in another system. All tickets that an operation asks
about at one time are one call (`DataLoader`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import structlog
from graphql import GraphQLError
from strawberry.dataloader import DataLoader

from adapters.errors import AdapterError, Busy, TimedOut, Unreachable
from adapters.ticketing import TicketHistory, Ticketing
from graph.scope import Principal
from resolvers.ticketing.schema import ticketing_schema
from resolvers.ticketing.types import Desk

log = structlog.get_logger(__name__)


class Operation(Protocol):
    """What a caller hands over: a valid document."""

    @property
    def text(self) -> str:
        """The document as text."""


class TicketingSubgraph:
    """Answers what the gateway asks about tickets that its caller sees."""

    name = "ticketing"

    def __init__(self, system: str, *, seconds: float) -> None:
        """Take the name under which the graph knows the ticketing system (empty: there is none), and how long it may take."""
        self._system = system
        self._seconds = seconds
        self._ticketing: Ticketing | None = None
        self._schema = ticketing_schema()
        self.sdl = self._schema.as_str()

    @contextmanager
    def reaching(self, ticketing: Ticketing) -> Iterator[None]:
        """Ask this system while the block runs."""
        self._ticketing = ticketing
        try:
            yield
        finally:
            self._ticketing = None

    async def execute(
        self,
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,  # noqa: ARG002 - whoever asks for an entity has shown that its caller sees it
        deadline: float,
    ) -> dict[str, Any]:
        """Answer within `deadline`, an absolute `time.monotonic()`."""
        loader = DataLoader(load_fn=lambda ids: self._load(ids, deadline))
        result = await self._schema.execute(
            operation.text,
            variable_values={name: _copied(value) for name, value in variables.items()},
            context_value=Desk(system=self._system, histories=loader),
        )
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [self._error(each) for each in result.errors]
        return answer

    async def _load(self, their_ids: Sequence[str], deadline: float) -> list[TicketHistory | Exception | None]:
        if self._ticketing is None:
            raise Unreachable("No ticketing system is connected")
        # The rest of the answer waits for this: not longer than the system gets for anything else.
        soon = min(deadline, time.monotonic() + self._seconds)
        found = await self._ticketing.histories(their_ids, deadline=soon)
        return [found.get(each) for each in their_ids]

    def _error(self, error: GraphQLError) -> dict[str, Any]:
        code, message = _told(error.original_error)
        log.warning("ticketing could not answer", reason=str(error.original_error or error))
        entry: dict[str, Any] = {"message": message, "extensions": {"code": code, "subgraph": self.name}}
        return {**entry, "path": error.path} if error.path else entry


def _told(error: Exception | None) -> tuple[str, str]:
    """Give the code and the sentence that a client may see."""
    match error:
        case TimedOut():
            return "DEADLINE_EXCEEDED", "The ticketing system did not answer in time."
        case Unreachable() | Busy():
            return "SUBGRAPH_UNAVAILABLE", "The ticketing system cannot be reached."
        case AdapterError():
            return "SUBGRAPH_FAILED", "The ticketing system answered what makes no sense."
        case _:
            return "SUBGRAPH_FAILED", "The ticketing system could not be asked."


def _copied(value: Any) -> Any:
    """Copy what stands for entities: Strawberry takes it apart."""
    return [dict(each) if isinstance(each, dict) else each for each in value] if isinstance(value, list) else value
