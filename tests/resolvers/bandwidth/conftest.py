"""The product's areas over the small network with rates, asked through every gate as any client asks."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

import pytest

from gateway.areas import BANDWIDTH, BILLING, KNOWLEDGE, LEDGER, TICKETING, federation_of
from gateway.errors import Refused
from gateway.federation.subgraph import Subgraph
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.settings.settings import Limits, Settings
from graph.capacity.tariff import Rounding, Tariff, Tier
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.policy import AlarmPolicy
from graph.model.scope import Principal
from graph.store.store import Store
from resolvers.bandwidth.subgraph import BandwidthSubgraph
from resolvers.billing.subgraph import BillingSubgraph
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from resolvers.ledger.subgraph import LedgerSubgraph
from resolvers.ticketing.subgraph import TicketingSubgraph
from tests.graph.changes.bandwidth.network import ANNA, POLICY, Booked, laid_out

HOUR: Final = 3_600_000
QUARTER: Final = 900_000
KEY: Final = b"k" * 32
TARIFF: Final = Tariff(
    currency="EUR",
    step_mbps=50,
    tiers=(
        Tier(name="M", mbps=300, per_mbps_hour=Decimal("0.02")),
        Tier(name="L", mbps=1_000, per_mbps_hour=Decimal("0.01")),
    ),
    minimum=Decimal(5),
    rounding=Rounding.HALF_UP,
)
SOLD: Final = replace(POLICY, tariffs={"any": TARIFF})
OFTEN: Final = 10_000
_NUMBERS: Final = itertools.count(1)


@dataclass(slots=True, kw_only=True)
class Shop:
    """All areas as one, the network below, and how to ask."""

    booked: Booked
    pipeline: Pipeline
    bandwidth: BandwidthSubgraph
    policy: BandwidthPolicy = field(default=SOLD)

    async def ask(self, query: str, principal: Principal = ANNA, **given: Any) -> dict[str, Any]:
        """Give the whole answer; a request that is refused has errors only."""
        request = GraphRequest(query=query, variables=given, operation_name=None, queries_only=False)
        try:
            prepared = await self.pipeline.prepare(request, principal)
            return dict(await self.pipeline.answer(prepared, request, principal, time.monotonic() + 60))
        except Refused as refused:
            return {"errors": [{"extensions": {"code": each.code.value}} for each in refused.problems]}

    async def data(self, query: str, principal: Principal = ANNA, **given: Any) -> dict[str, Any]:
        """Give the data of an answer without errors."""
        answer = await self.ask(query, principal, **given)
        assert "errors" not in answer, answer
        return dict(answer["data"])

    @contextmanager
    def ruled(self, policy: BandwidthPolicy, *, quotes_per_minute: int = OFTEN) -> Iterator[None]:
        """Sell by other rules while the block runs."""
        before = self.bandwidth._policy, self.bandwidth._allowance
        other = BandwidthSubgraph(policy, quotes_per_minute=quotes_per_minute)
        self.bandwidth._policy, self.bandwidth._allowance = other._policy, other._allowance
        try:
            yield
        finally:
            self.bandwidth._policy, self.bandwidth._allowance = before

    def key(self) -> str:
        return f"key-{next(_NUMBERS)}"

    async def quarter(self, hours: float = 1) -> int:
        """Give a quarter hour so many hours from now."""
        at = await self.booked.now() + round(hours * HOUR)
        return at + -at % QUARTER


@pytest.fixture
async def shop(empty_store: Store) -> AsyncIterator[Shop]:
    booked = await laid_out(empty_store)
    waiting = LedgerSubgraph()
    bandwidth = BandwidthSubgraph(SOLD, quotes_per_minute=OFTEN)
    areas: Mapping[Any, Subgraph] = {
        KNOWLEDGE: KnowledgeSubgraph(empty_store, KEY, AlarmPolicy()),
        LEDGER: waiting,
        TICKETING: TicketingSubgraph("", seconds=1.0),
        BILLING: BillingSubgraph(seconds=0.0),
        BANDWIDTH: bandwidth,
    }
    settings = Settings(limits=Limits(new_documents_per_minute=100_000))
    with waiting.reading(empty_store), bandwidth.reading(empty_store, KEY):
        yield Shop(booked=booked, pipeline=Pipeline(federation_of(areas, settings), settings), bandwidth=bandwidth)
