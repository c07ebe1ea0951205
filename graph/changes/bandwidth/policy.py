"""What an operator decides about bandwidth, as data that the changes are given."""

from __future__ import annotations

from dataclasses import dataclass

from graph.changes.policy import Hearing


@dataclass(frozen=True, slots=True, kw_only=True)
class BandwidthPolicy:
    """Whom a change of rate is told to. An empty name: there is no such system."""

    provisioning: str = ""
    """the name of the system that sets rates in the network; without it nothing can be booked."""
    performance: str = ""
    """the name of the performance monitoring system, which receives thresholds."""
    sales: str = ""
    """the name of the system that receives leads."""
    billing: str = ""
    inventory: str = ""
    fault_management: Hearing | None = None
