"""Billing as a subgraph: whatever happens over there, an operation gets an answer.

Strawberry executes here, since nothing can be compiled: the data is in another system. The bills of all customers that an
operation asks about at one time are one call, and what all those bills are made of is another (`DataLoader`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from strawberry.dataloader import DataLoader

from adapters.billing import Bill, Bills, Rate
from adapters.errors import Unreachable
from graph.model.scope import Principal
from resolvers.billing.schema import billing_schema
from resolvers.billing.types import Desk
from resolvers.elsewhere import Area, Operation


class BillingSubgraph:
    """Answers what the gateway asks about customers that its caller sees."""

    name = "billing"

    def __init__(self, *, seconds: float) -> None:
        """Take how long billing may take; 0: there is none that can be asked."""
        self._seconds = seconds
        self._bills: Bills | None = None
        self._area = Area(name=self.name, called="Billing", schema=billing_schema())
        self.sdl = self._area.schema.as_str()

    @contextmanager
    def reaching(self, bills: Bills) -> Iterator[None]:
        """Ask this system while the block runs."""
        self._bills = bills
        try:
            yield
        finally:
            self._bills = None

    async def execute(
        self,
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,  # noqa: ARG002 - whoever asks for an entity has shown that its caller sees it
        deadline: float,
    ) -> dict[str, Any]:
        """Answer within `deadline`, an absolute `time.monotonic()`."""
        # The rest of the answer waits for this: not longer than billing gets for anything else, both calls together.
        soon = min(deadline, time.monotonic() + self._seconds)
        desk = Desk(
            is_known=self._seconds > 0,
            bills=DataLoader(load_fn=lambda accounts: self._load_bills(accounts, soon)),
            rates=DataLoader(load_fn=lambda bills: self._load_rates(bills, soon)),
        )
        return await self._area.answer(operation, variables, desk)

    async def _load_bills(self, accounts: Sequence[str], deadline: float) -> list[list[Bill]]:
        found = await self._reached().bills(accounts, deadline=deadline)
        return [list(found.get(each, ())) for each in accounts]

    async def _load_rates(self, bills: Sequence[str], deadline: float) -> list[list[Rate]]:
        found = await self._reached().rates(bills, deadline=deadline)
        return [list(found.get(each, ())) for each in bills]

    def _reached(self) -> Bills:
        if self._bills is None:
            raise Unreachable("No billing system is connected")
        return self._bills
