"""What the network has confirmed or refused becomes what the service carries, in the transaction in which its delivery is settled."""

from __future__ import annotations

from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.store.store import Store, Transaction


async def wanted_rate(store: Store, service: str, *, deadline: float) -> int | None:
    """Give the rate in Mbit/s that a service should have now: committed, and all boosts that run; None: there is no such service."""
    raise NotImplementedError


async def confirmed(
    transaction: Transaction, policy: BandwidthPolicy, *, service: str, mbps: int, reference: str, delivery: str
) -> None:
    """Take note that the network carries a rate (Mbit/s); `reference` is what it calls the change, `delivery` the id of what asked for it."""
    raise NotImplementedError


async def refused(
    transaction: Transaction, policy: BandwidthPolicy, *, service: str, reason: str, delivery: str
) -> None:
    """Take note that the network has refused for good what a delivery asked for."""
    raise NotImplementedError
