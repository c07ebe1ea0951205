"""The ports at which a service may be handed over, in the order in which they are taken.

A port is for one service: one that another service holds is not free, whatever it has left. It is also no port of a trunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from graph.routing.demand import Demand, Side
from graph.routing.network import Network


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPort:
    """A port in service at which no trunk ends."""

    id: str
    element: str
    speed: int
    """in Mbit/s."""
    limit: int
    """what it may be booked with: its speed times the overbooking factor."""
    is_taken: bool
    """whether a service holds it."""


AccessPorts: TypeAlias = Mapping[Side, tuple[AccessPort, ...]]
"""By the side at whose site they are."""


def of_speed(demand: Demand, side: Side, ports: AccessPorts) -> tuple[AccessPort, ...]:
    """Give those of the speed that was asked for; all of them where none was."""
    speed = demand.access(side).speed
    return tuple(each for each in ports[side] if speed in (None, each.speed))


def candidates(demand: Demand, side: Side, network: Network, ports: AccessPorts) -> tuple[AccessPort, ...]:
    """Give the free ones of the speed: the slowest that is as fast as the service first, and of equal ones the lowest id.

    Slower ones come last: with overbooking they may carry it, which their limits tell.
    """
    free = (each for each in of_speed(demand, side, ports) if not each.is_taken and each.element in network.junction_of)
    return tuple(sorted(free, key=lambda each: (each.speed < demand.mbps, each.speed, each.id)))
