"""Provisioning: the systems that make services in the network and set their rates, and say what the network carries.

In: a `RateRequest`, the rate that a service must have now; a `NewService`, one that is to be made; or one that is to be taken away. Out: a
`RateConfirmed`, the rate that the network carries; `RateRefused`, another `adapters.errors.AdapterError`, or `adapters.delivery.retrying.Waits` while the change is under way.

Files, in order of flow: `delivery_handler.py` (a delivery of the ledger becomes a rate in the network) · this one (what every dialect
does) · `outbound/` (the dialects) · `tmf640_resource.py` (TMF640's service and monitor: what is written, what is believed) ·
`netconf/` (sessions with devices, and the RPCs of RFC 6241).

Invariants
1. A rate is set and not changed by a difference: the same request twice has the effect of one.
2. From the second attempt on the network is observed before anything is sent: what carries the rate already is left alone, and
   what is under way is waited for.
3. What is confirmed is what the network shows of this service after the change, never what it was asked for.
4. A change that is under way holds no connection, no partition and no task: `Waits`, and the same delivery looks again.

Setting what may be set already:

    request = RateRequest(service=ServiceRef(id="service-7", name="Circuit 7"), mbps=500)
    confirmed = await provisioning.set_rate(request, again=True, delivery_id="event-9:provisioning:service-7", deadline=soon)
    confirmed.mbps      # 500, or another rate where the network has set another one
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from adapters.errors import AdapterError

MOST_MBPS = 100_000_000
"""100 Tbit/s: more is no rate of a service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRef:
    """A service, as we know it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRef:
    """A port or trunk, as we know it."""

    id: str
    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RateRequest:
    """The rate that a service must have."""

    service: ServiceRef
    mbps: int
    """in whole Mbit/s, in both directions."""

    def __post_init__(self) -> None:
        if not 0 <= self.mbps <= MOST_MBPS:
            raise ValueError(f"{self.mbps} Mbit/s is no rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateConfirmed:
    """The rate that the network carries for a service."""

    mbps: int
    """in whole Mbit/s; not always what was asked for."""
    reference: str
    """what the change, or the service, is called there: a monitor, a service, a commit."""
    at: int | None
    """since when, in epoch milliseconds UTC, where the system says so."""
    is_old: bool = False
    """whether nothing had to be changed by this attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewService:
    """A service that the network must have."""

    service: ServiceRef
    specification: str
    """what kind of service it is."""
    mbps: int
    """in whole Mbit/s, in both directions."""
    ends: tuple[ResourceRef, ...]
    """its ports, A first; the role is the end,"""
    ways: tuple[ResourceRef, ...]
    """and its trunks in order; the role is WORKING or PROTECTING."""

    def __post_init__(self) -> None:
        if not 1 <= self.mbps <= MOST_MBPS:
            raise ValueError(f"{self.mbps} Mbit/s is no rate of a new service")


class RateRefused(AdapterError):
    """The network does not set this rate for this service, or does not make or take away the service, and asking again will not help.

    `may_have_happened`: something of it may be there, or come. `may_come`: nobody knows whether it still comes, as where a monitor does not
    end; so it counts for nothing that it is not there.
    """

    def __init__(
        self, reason: str, *, answer: str = "", may_have_happened: bool = False, may_come: bool = False
    ) -> None:
        super().__init__(reason, may_have_happened=may_have_happened or may_come)
        self.answer = answer
        self.may_come = may_come

    @property
    def reason(self) -> str:
        """The reason, in words of ours: it holds nothing of what the system answered."""
        return self.message


class Provisioning(Protocol):
    """One system that sets rates. Every method raises `AdapterError`, `Waits`, and nothing else of its own."""

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now. Until then each one is Unreachable."""
        ...

    async def set_rate(self, request: RateRequest, *, again: bool, delivery_id: str, deadline: float) -> RateConfirmed:
        """See to it that the network carries this rate for the service, and give what it carries.

        With `again` an earlier attempt of the same delivery may have set it, or may be under way: look first. Raises RateRefused
        where the network does not do it, and Waits while it is not over.
        """
        ...

    async def create_service(self, new: NewService, *, again: bool, delivery_id: str, deadline: float) -> RateConfirmed:
        """See to it that the network has this service, once, and give the rate that it carries for it.

        With `again` an earlier attempt of the same delivery may have made it, or may be under way: look first. Raises RateRefused where the
        network does not make it, which may have happened where something of it may be there; and Waits while it is not over.
        """
        ...

    async def delete_service(self, service: ServiceRef, *, doubt: str, delivery_id: str, deadline: float) -> None:
        """See to it that the network does not have this service any more; one that is not there is no error.

        `doubt` says why it may still come; empty: it cannot. Raises RateRefused where the network does not take it away, or where it is not
        there and may still come; and Waits while that is not known.
        """
        ...
