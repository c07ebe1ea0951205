"""What a thing may be loaded with, and what several limits leave together: the least of what each leaves.

A provider sells more than a trunk carries, since not everybody sends at once: how much more is a policy by layer, as a
fraction and not as a float, so that a limit is the same number wherever it is computed.

>>> Overbooking(by_layer={"ODU4": Fraction("1.25")}, otherwise=Fraction(1)).limit(100_001, "ODU4")
125001
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from graph.capacity.steps import StepFunction, check_interval

PORT_LAYER: Final = "PORT"
"""The layer of a port: ports have no layer rate of their own."""


class LimitKind(StrEnum):
    """What limits a rate; all that a customer learns of it."""

    PORT = "PORT"
    """a port that the service is accessed at."""
    NETWORK = "NETWORK"
    """a trunk that the service runs over."""
    CONTRACT = "CONTRACT"
    """the highest rate that the contract allows."""
    CAP = "CAP"
    """what the customer may spend."""


class BrokenOverbooking(ValueError):
    """A factor is no positive number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What a thing may be loaded with, and with what it is loaded."""

    thing: str
    """its id."""
    kind: LimitKind
    mbps: int
    """its capacity times the overbooking factor, rounded down."""
    load: StepFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Headroom:
    """What is left in an interval."""

    mbps: int
    """never below 0."""
    limiting: LimitKind | None
    """what leaves no more than that; None where there is no limit at all, and then nothing is left."""
    thing: str | None
    """the id of what limits. For operators only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overbooking:
    """How much more than its capacity a thing is booked with; raises BrokenOverbooking."""

    by_layer: Mapping[str, Fraction]
    """by the layer rate of a trunk, or `PORT_LAYER`."""
    otherwise: Fraction
    """for any other layer."""

    def __post_init__(self) -> None:
        for layer, factor in (*self.by_layer.items(), ("any other", self.otherwise)):
            if factor <= 0:
                raise BrokenOverbooking(f"of layer {layer} is {factor}, which is not above 0")

    def limit(self, capacity: int, layer: str) -> int:
        """Give what a thing of that capacity may be loaded with, in whole Mbit/s, rounded down."""
        return int(capacity * self.by_layer.get(layer, self.otherwise))


def read_overbooking(factors: Mapping[str, str], otherwise: str) -> Overbooking:
    """Read factors, such as "1.25" or "5/4", by layer; raises BrokenOverbooking."""
    by_layer = {layer: _factor(layer, text) for layer, text in factors.items()}
    return Overbooking(by_layer=MappingProxyType(by_layer), otherwise=_factor("any other", otherwise))


def headroom(limits: Iterable[Limit], start: int, end: int | None) -> Headroom:
    """Give what all limits leave throughout the interval; raises NotAnInterval. Of two that leave as little, the first limits."""
    check_interval(start, end)
    least = min(
        ((each.mbps - each.load.peak(start, end), each) for each in limits), key=lambda each: each[0], default=None
    )
    if least is None:
        return Headroom(mbps=0, limiting=None, thing=None)
    left, limit = least
    return Headroom(mbps=max(0, left), limiting=limit.kind, thing=limit.thing)


def _factor(layer: str, text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as exc:
        raise BrokenOverbooking(f"of layer {layer} is {text!r}, which is no number") from exc
