"""Some data is in another system: its area cannot be compiled, so Strawberry executes, and whatever happens is an answer.

What goes wrong over there costs its own fields. A client hears of it in one sentence that does not repeat what was
answered; the reason is logged.

    schema = executed_schema([Ticket], {Moment: MOMENT})
    await Area(name="ticketing", called="The ticketing system", schema=schema).answer(operation, variables, desk)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import strawberry
import structlog
from graphql import GraphQLError
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from adapters.errors import AdapterError, Busy, Malformed, NotAdmitted, TimedOut, Unreachable
from resolvers.executed import ExecutedSchema

MOST_TEXTS: Final = 500
"""of plans, whose parsing and validation is remembered."""

log = structlog.get_logger(__name__)


class Operation(Protocol):
    """What a caller hands over: a valid document."""

    @property
    def text(self) -> str:
        """The document as text."""


def executed_schema(types: Sequence[type], scalars: Mapping[Any, Any]) -> strawberry.federation.Schema:
    """Assemble the schema of an area, of its entities and its own scalars."""
    return ExecutedSchema(
        types=[*types],
        config=StrawberryConfig(scalar_map=dict(scalars), disable_field_suggestions=True),
        extensions=[lambda: ParserCache(maxsize=MOST_TEXTS), lambda: ValidationCache(maxsize=MOST_TEXTS)],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """An area of the supergraph whose data is in another system."""

    name: str
    called: str
    """the other system, as a sentence begins with it."""
    schema: strawberry.federation.Schema

    async def answer(self, operation: Operation, variables: Mapping[str, Any], desk: object) -> dict[str, Any]:
        """Execute; `desk` is what resolvers know of the request."""
        result = await self.schema.execute(
            operation.text,
            variable_values={name: _copied(value) for name, value in variables.items()},
            context_value=desk,
        )
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [self._error(each) for each in result.errors]
        return answer

    def _error(self, error: GraphQLError) -> dict[str, Any]:
        code, message = self._told(error.original_error)
        log.warning("an area could not answer", area=self.name, reason=str(error.original_error or error))
        entry: dict[str, Any] = {"message": message, "extensions": {"code": code, "subgraph": self.name}}
        return {**entry, "path": error.path} if error.path else entry

    def _told(self, error: Exception | None) -> tuple[str, str]:
        """Give the code and the sentence that a client may see."""
        while isinstance(error, GraphQLError):  # of an argument or variable, graphql-core wraps it once more
            error = error.original_error
        match error:
            case Malformed():
                return "BAD_USER_INPUT", f"{error.message}."
            case TimedOut():
                return "DEADLINE_EXCEEDED", f"{self.called} did not answer in time."
            case Unreachable() | Busy():
                return "SUBGRAPH_UNAVAILABLE", f"{self.called} cannot be reached."
            case NotAdmitted():
                return "SUBGRAPH_UNAVAILABLE", f"{self.called} does not let us in."
            case AdapterError():
                return "SUBGRAPH_FAILED", f"{self.called} answered what makes no sense."
            case _:
                return "SUBGRAPH_FAILED", f"{self.called} could not be asked."


def _copied(value: Any) -> Any:
    """Copy what stands for entities: Strawberry takes it apart."""
    return [dict(each) if isinstance(each, dict) else each for each in value] if isinstance(value, list) else value
