"""What an operator decides about orders that are carried out by themselves: what is sold, and who is told, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.catalogue import Product
from graph.changes.notices import hears
from graph.changes.policy import AlarmPolicy, Ordering
from graph.model.event_kinds import KINDS
from graph.processes.steps import System


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentPolicy:
    """Both policies that a new service is under."""

    alarms: AlarmPolicy = field(default_factory=AlarmPolicy)
    """of alarms, and of what is ordered."""
    selling: BandwidthPolicy
    """of the network, and of who is told of rates."""

    @property
    def products(self) -> Mapping[str, Product]:
        """What is built by itself, by its name."""
        known = (self.alarms.ordering or Ordering()).products
        return {each.name: each for each in known.values()}

    @property
    def told(self) -> tuple[System, ...]:
        """The systems that are told of a new service."""
        hearing = self.selling.fault_management
        named: dict[System, bool] = {
            "BILLING": bool(self.selling.billing),
            "FAULT_MANAGEMENT": self.hears_rates or hears(hearing, KINDS["ServiceStateChanged"]),
            "INVENTORY": bool(self.selling.inventory),
            "PERFORMANCE": bool(self.selling.performance),
        }
        return tuple(system for system, is_there in named.items() if is_there)

    @property
    def hears_rates(self) -> bool:
        """Whether fault management is told of rates and of what is too much."""
        return hears(self.selling.fault_management, KINDS["ServiceRateChanged"])
