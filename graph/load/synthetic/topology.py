"""Where cities lie, which of them are joined by a link, and who talks to whom: the network before it has equipment.

The topologies are those of the package `topohub` (SNDlib, the Internet Topology Zoo and others): real cities with
coordinates in degrees. They have no capacities, and their demands have no unit. So we choose: a demand is a *weight*,
how likely a service runs between two cities; where a topology has no demands, every pair of cities weighs the same.
Capacities are chosen where trunks are made (`catalogue.py`).

The files are read directly: `topohub.get` leaves them open, and turns every fault into a KeyError without a text.
"""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from graph.load.errors import UnknownTopology

DEFAULT_TOPOLOGY: Final = "sndlib/germany50"
_KEY = re.compile(r"[\w-]+(/[\w-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """A place of the topology; its position in `Topology.cities` is its number."""

    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Two cities that trunks may join directly, by their numbers."""

    a: int
    z: int
    km: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Cities, links, and a symmetric matrix of weights by pairs of cities."""

    name: str
    cities: tuple[City, ...]
    links: tuple[Link, ...]
    weights: tuple[tuple[float, ...], ...]


def read_topology(name: str) -> Topology:
    """Read a topology of topohub by its key, such as `sndlib/germany50` or `topozoo/Surfnet`."""
    raw = _raw(name)
    numbers = {int(node["id"]): number for number, node in enumerate(raw["nodes"])}
    links = {
        (min(pair), max(pair)): float(edge["dist"])
        for edge in raw["edges"]
        if len(pair := {numbers[int(edge["source"])], numbers[int(edge["target"])]}) == 2
    }
    return Topology(
        name=name,
        cities=tuple(_cities(raw["nodes"])),
        links=tuple(Link(a=a, z=z, km=km) for (a, z), km in sorted(links.items())),
        weights=_weights(raw["graph"].get("demands") or {}, numbers),
    )


def _raw(name: str) -> Any:
    if not _KEY.fullmatch(name):
        raise UnknownTopology(name)
    try:
        return orjson.loads(importlib.resources.files("topohub").joinpath(f"data/{name}.json").read_bytes())
    except OSError as exc:
        raise UnknownTopology(name) from exc


def _cities(nodes: list[dict[str, Any]]) -> Iterator[City]:
    seen: set[str] = set()
    for number, node in enumerate(nodes):
        name = node.get("name") or f"City {number}"
        if name in seen:
            name = f"{name} {number}"
        seen.add(name)
        longitude, latitude = node["pos"]
        yield City(name=name, latitude=float(latitude), longitude=float(longitude))


def _weights(demands: Mapping[str, Mapping[str, float]], numbers: Mapping[int, int]) -> tuple[tuple[float, ...], ...]:
    size = len(numbers)
    if not demands:
        return tuple(tuple(float(a != z) for z in range(size)) for a in range(size))
    sums = [[0.0] * size for _ in range(size)]
    for source, targets in demands.items():
        for target, demand in targets.items():
            a, z = numbers[int(source)], numbers[int(target)]
            if a != z:
                sums[a][z] += demand
                sums[z][a] += demand
    return tuple(map(tuple, sums))
