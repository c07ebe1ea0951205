"""What a load tells: while it runs, how far it is; at its end, what is in the graph now, and who may look at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class Progress(Protocol):
    """Is told how far a stage is. `total` is an estimate for a topology, and 0 where it is not known."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPrincipal:
    """Someone to look at the graph as: an operator, who stands for no customer, or a customer of a tier."""

    role: str
    name: str
    tier: str = ""
    customers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TopologyFacts:
    """What the network was grown from."""

    name: str
    cities: int
    links: int
    bridges: int
    """links whose loss parts the network: what crosses them has no protection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What was loaded, by what it is; the counts are of what was given, whether it was written now or was there."""

    nodes: int
    relationships: int
    labels: Mapping[str, int]
    types: Mapping[str, int]
    seconds: float
    written: bool
    """False when all of it was there already."""
    principals: tuple[DemoPrincipal, ...] = ()
    topology: TopologyFacts | None = None
