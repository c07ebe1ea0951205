"""What a resolver knows of the request it runs in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import strawberry
from strawberry.dataloader import DataLoader

from graph.capacity.limits import Limit
from graph.changes.bandwidth.costs import Cost, Estimate
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.model.scope import Principal
from graph.routing.cached_network import CachedNetwork
from graph.store.store import Store
from resolvers.bandwidth.allowance import Allowance
from resolvers.bandwidth.tokens import QuoteTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: who asks, until when, by which rules."""

    store: Store
    principal: Principal
    deadline: float
    """`time.monotonic()` seconds."""
    policy: BandwidthPolicy
    tokens: QuoteTokens
    allowance: Allowance
    now: int
    """in epoch milliseconds, when it was asked."""
    network: CachedNetwork
    """what new services are designed on."""
    limits: DataLoader[str, tuple[Limit, ...]]
    """of a port or trunk itself, or of the ports of a card or site, by its id."""
    costs: DataLoader[str, Cost | None]
    """of boosts that the caller sees, by their ids; None: of no such boost, or of one that others have charged."""
    estimates: DataLoader[str, tuple[Estimate, ...]]
    """of the bills of customers that the caller sees, by their ids."""


Info: TypeAlias = strawberry.Info[Asked, None]
