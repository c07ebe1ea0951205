"""Performance monitoring: a system that measures services, and must know what is too much for each of them now.

Such systems differ in protocol, and what is owed to them is the same: one measurement job of each service that we tell them of,
with the rate that the network carries, and what the contract promises. When the rate changes, so does what is too much: the
higher load of a boost is no threshold crossing. `PerformanceManagement` says that much; each dialect says it to one kind of system.

In: a `MeasurementOrder`, what is to be measured of one service. Out: the system's own id of the job; or an
`adapters.errors.AdapterError`.

What was measured is read there (`Measurements`) and kept nowhere here.

Files, in order of flow: `delivery_handler.py` (a delivery becomes a job there; the promise is read from the contract) · this one (what every
dialect does) · `outbound/` (the dialects, and the TMF628 resource).

A threshold that is crossed comes in as an alarm, by the TMF642 endpoint of fault management (`qualityOfServiceAlarm`, with
`crossedThresholdInformation`): TMF628 version 4 publishes events of jobs and files, and none of thresholds.

Invariants
1. A service has one job there, whose `jobId` is made of our id: it is looked for before it is made, at the first attempt too,
   since an earlier delivery may have made it.
2. The other system is told of the service and its promise, and not of the customer.
3. A measurement of a service that was not asked for spoils the whole answer: nobody is shown what is another's.
4. No method tries twice. When and whether to ask again is the ledger's business.

Example:
    await system.measure(order, delivery_id="event-9:performance:service-3", deadline=soon)    # "PM-00000017"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

US: Final = "trunkline"
"""How we call ourselves: the application that consumes what is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRef:
    """Of which service something is."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementOrder:
    """What is to be measured of one service, and what is too much or too little. Rates are in whole Mbit/s."""

    service: ServiceRef
    mbps: int
    """what the network carries now."""
    committed_mbps: int
    """what the contract promises at any time."""
    load_mbps: int
    """above this load the service is too full: a threshold is crossed."""
    availability_percent: float | None
    """what the contract promises; None: nothing."""
    is_over: bool = False
    """whether the service is not in use any more: its job stays, and measures nothing."""

    def __post_init__(self) -> None:
        if not 0 <= self.load_mbps <= self.mbps:
            raise ValueError(f"A threshold of {self.load_mbps} Mbit/s does not fit a rate of {self.mbps} Mbit/s")

    @property
    def job_id(self) -> str:
        """The id by which the job is found: the same for every order of one service."""
        return f"{US}:{self.service.id}"


class PerformanceManagement(Protocol):
    """One performance monitoring system. Every method raises `AdapterError` and nothing else of its own."""

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now. Until then each one is Unreachable."""
        ...

    async def measure(self, order: MeasurementOrder, *, delivery_id: str, deadline: float) -> str | None:
        """See to it that there is one job for the service, as the order says; gives what it is called there.

        For a service that is not in use any more no job is made; None: there is none.
        """
        ...


class Indicator(StrEnum):
    """What is measured of a service; the words are the ids of the indicators in its job."""

    LOAD = "load"
    """what it carries, in Mbit/s;"""
    AVAILABILITY = "availability"
    """for how much of the time it was there, in percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementRequest:
    """What was measured of several services from one moment to another, in epoch milliseconds UTC."""

    services: Sequence[str]
    """our ids."""
    indicator: Indicator
    start: int
    end: int
    """the first moment that is not asked for."""
    most: int
    """of each service, the earliest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What was measured of one service in one period, in epoch milliseconds UTC."""

    service: str
    start: int
    end: int | None
    """None: the system does not say when the period ends."""
    value: float
    """in the unit of the indicator."""


class Measurements(Protocol):
    """Who knows what was measured. Every method raises `AdapterError` and nothing else of its own."""

    async def measured(self, request: MeasurementRequest, *, deadline: float) -> Mapping[str, Sequence[Measurement]]:
        """Give what was measured of those services of which anything was, the earliest first."""
        ...
