"""Filters and orders, as far as the cases use them; with the part of a statement that they make."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Final

import strawberry

from resolvers.knowledge.words import ServiceState


@strawberry.input
class IntRange:
    """Bounds."""

    gte: int | None = None
    lte: int | None = None


@strawberry.input
class IntFilter:
    """Which numbers."""

    range: IntRange | None = None


@strawberry.input
class ServiceStateFilter:
    """Which states."""

    in_: list[ServiceState] | None = strawberry.field(name="in", default=None)


@strawberry.input
class ServiceFilter:
    """Which services."""

    state: ServiceStateFilter | None = None
    committed_mbps: IntFilter | None = None


@strawberry.enum
class ServiceOrderField(enum.Enum):
    """What services are sorted by."""

    NAME = "name"
    COMMITTED_MBPS = "committedMbps"


@strawberry.enum
class OrderDirection(enum.Enum):
    """Which way."""

    ASC = ""
    DESC = " DESC"


@strawberry.input
class ServiceOrder:
    """One key of an order."""

    field: ServiceOrderField
    direction: OrderDirection = OrderDirection.ASC


_ALL: Final = "true"


def where(given: ServiceFilter | None, parameters: dict[str, object]) -> str:
    """Make the condition on `s`, and put its values among the parameters."""
    return " AND ".join(_conditions(given, parameters)) if given else _ALL


def _conditions(given: ServiceFilter, parameters: dict[str, object]) -> Iterator[str]:
    yield _ALL
    if given.state and given.state.in_ is not None:
        parameters["states"] = [each.value for each in given.state.in_]
        yield "s.state IN $states"
    bounds = given.committed_mbps.range if given.committed_mbps else None
    if bounds and bounds.gte is not None:
        parameters["least"] = bounds.gte
        yield "s.committedMbps >= $least"
    if bounds and bounds.lte is not None:
        parameters["most"] = bounds.lte
        yield "s.committedMbps <= $most"


def order(given: list[ServiceOrder] | None) -> str:
    """Make the order of `s`; the id decides between equals."""
    return ", ".join([*(f"s.{each.field.value}{each.direction.value}" for each in given or ()), "s.id"])
