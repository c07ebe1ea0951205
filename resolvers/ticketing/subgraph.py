"""The ticketing system as a subgraph: whatever happens over there, an operation gets an answer.

Strawberry executes here, since nothing can be compiled: the data is in another system. All tickets that an operation asks
about at one time are one call (`DataLoader`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from strawberry.dataloader import DataLoader

from adapters.errors import Unreachable
from adapters.ticketing import TicketHistory, Ticketing
from graph.model.scope import Principal
from resolvers.elsewhere import Area, Operation
from resolvers.ticketing.schema import ticketing_schema
from resolvers.ticketing.types import Desk


class TicketingSubgraph:
    """Answers what the gateway asks about tickets that its caller sees."""

    name = "ticketing"

    def __init__(self, system: str, *, seconds: float) -> None:
        """Take the name under which the graph knows the ticketing system (empty: there is none), and how long it may take."""
        self._system = system
        self._seconds = seconds
        self._ticketing: Ticketing | None = None
        self._area = Area(name=self.name, called="The ticketing system", schema=ticketing_schema())
        self.sdl = self._area.schema.as_str()

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
        return await self._area.answer(operation, variables, Desk(system=self._system, histories=loader))

    async def _load(self, their_ids: Sequence[str], deadline: float) -> list[TicketHistory | Exception | None]:
        if self._ticketing is None:
            raise Unreachable("No ticketing system is connected")
        # The rest of the answer waits for this: not longer than the system gets for anything else.
        soon = min(deadline, time.monotonic() + self._seconds)
        found = await self._ticketing.histories(their_ids, deadline=soon)
        return [found.get(each) for each in their_ids]
