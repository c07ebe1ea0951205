"""Bandwidth as a subgraph: Strawberry executes; a boost that a change returns is resolved by the knowledge graph."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from graphql import DocumentNode, print_ast
from strawberry.dataloader import DataLoader

from graph.capacity.limits import Limit
from graph.changes.bandwidth.costs import Cost, Estimate, read_costs, read_estimates
from graph.changes.bandwidth.loads import loads_of
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.errors import StoreUnavailable
from graph.model.scope import Principal
from graph.routing.cached_network import CachedNetwork
from graph.store.store import Store
from resolvers.bandwidth.allowance import Allowance
from resolvers.bandwidth.asked import Asked
from resolvers.bandwidth.schema import bandwidth_schema
from resolvers.bandwidth.tokens import QuoteTokens
from resolvers.errors import answer_for, entry_of

_FAILED: Final = "The request could not be answered."


def _epoch_milliseconds() -> int:
    return time.time_ns() // 1_000_000


class Operation(Protocol):
    """What a caller hands over: a valid document."""

    @property
    def document(self) -> DocumentNode:
        """The document."""

    @property
    def name(self) -> str | None:
        """Which of its operations is meant."""


class BandwidthSubgraph:
    """Answers what is asked of bandwidth over time, in the scope of whoever asks."""

    name = "bandwidth"

    def __init__(
        self, policy: BandwidthPolicy, *, quotes_per_minute: int, now: Callable[[], int] = _epoch_milliseconds
    ) -> None:
        """Take the rules, how often a principal may ask for one service in a minute, and a clock."""
        self._policy = policy
        self._allowance = Allowance(per_minute=quotes_per_minute)
        self._now = now
        self._schema = bandwidth_schema()
        self._open: tuple[Store, QuoteTokens, CachedNetwork] | None = None
        self.sdl = self._schema.as_str()

    @contextmanager
    def reading(self, store: Store, key: bytes) -> Iterator[None]:
        """Answer from this store while the block runs; quotes are sealed with the key of cursors."""
        self._open = (store, QuoteTokens(key), CachedNetwork(store))
        try:
            yield
        finally:
            self._open = None

    async def execute(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> dict[str, Any]:
        """Answer within `deadline`, an absolute `time.monotonic()`."""
        if self._open is None:
            return answer_for(StoreUnavailable("The database cannot be reached"))
        store, tokens, network = self._open
        asked = Asked(
            store=store,
            principal=principal,
            deadline=deadline,
            policy=self._policy,
            tokens=tokens,
            allowance=self._allowance,
            now=self._now(),
            network=network,
            limits=DataLoader(load_fn=lambda ids: self._limits(store, ids, deadline)),
            costs=DataLoader(load_fn=lambda ids: self._costs(store, principal, ids, deadline)),
            estimates=DataLoader(load_fn=lambda ids: self._estimates(store, principal, ids, deadline)),
        )
        result = await self._schema.execute(
            print_ast(operation.document),
            variable_values={name: _copied(value) for name, value in variables.items()},
            operation_name=operation.name,
            context_value=asked,
        )
        errors = [entry_of(each, _FAILED) for each in result.errors or ()]
        if errors and result.data is None and all("path" not in each for each in errors):
            return {"errors": errors}  # nothing has begun
        return {"data": result.data, "errors": errors} if errors else {"data": result.data}

    async def _limits(self, store: Store, ids: Sequence[str], deadline: float) -> list[tuple[Limit, ...]]:
        """Give the limits of things: of what holds ports, of these and of the trunks that end there."""
        found = await loads_of(store, ids, self._policy.overbooking, deadline=deadline)
        return [found[each] for each in ids]

    async def _costs(
        self, store: Store, principal: Principal, ids: Sequence[str], deadline: float
    ) -> list[Cost | None]:
        found = await read_costs(store, principal, self._policy, ids, deadline=deadline)
        return [found.get(each) for each in ids]

    async def _estimates(
        self, store: Store, principal: Principal, ids: Sequence[str], deadline: float
    ) -> list[tuple[Estimate, ...] | Exception]:
        found = await read_estimates(store, principal, self._policy, ids, deadline=deadline)
        return [found.get(each, ()) for each in ids]


def _copied(value: Any) -> Any:
    """Copy what stands for entities: Strawberry takes it apart."""
    return [dict(each) if isinstance(each, dict) else each for each in value] if isinstance(value, list) else value
