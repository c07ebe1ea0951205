"""The ledger as a subgraph: Strawberry executes, one statement answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import structlog
from graphql import DocumentNode, GraphQLError, print_ast

from graph.errors import GraphError, StoreUnavailable
from graph.model.scope import Principal
from graph.store.store import Store
from resolvers.errors import answer_for
from resolvers.ledger.schema import ledger_schema
from resolvers.ledger.types import Asked

log = structlog.get_logger(__name__)


class Operation(Protocol):
    """What a caller hands over: a valid document."""

    @property
    def document(self) -> DocumentNode:
        """The document."""

    @property
    def name(self) -> str | None:
        """Which of its operations is meant."""


class LedgerSubgraph:
    """Answers what operators ask of the ledger."""

    name = "ledger"

    def __init__(self) -> None:
        self._store: Store | None = None
        self._schema = ledger_schema()
        self.sdl = self._schema.as_str()

    @contextmanager
    def reading(self, store: Store) -> Iterator[None]:
        """Read from this store while the block runs."""
        self._store = store
        try:
            yield
        finally:
            self._store = None

    async def execute(
        self,
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,  # noqa: ARG002 - the gateway lets only those in who read everything
        deadline: float,
    ) -> dict[str, Any]:
        """Answer within `deadline`, an absolute `time.monotonic()`."""
        if self._store is None:
            return answer_for(StoreUnavailable("The database cannot be reached"))
        result = await self._schema.execute(
            print_ast(operation.document),
            variable_values=dict(variables),
            operation_name=operation.name,
            context_value=Asked(store=self._store, deadline=deadline),
        )
        if result.errors:
            return _refused(result.errors)
        return {"data": result.data}


def _refused(errors: list[GraphQLError]) -> dict[str, Any]:
    original = errors[0].original_error
    if isinstance(original, GraphError):
        return answer_for(original)
    log.error("the ledger could not be read", reason=str(original or errors[0]))
    return {"errors": [{"message": "The ledger could not be read.", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}
