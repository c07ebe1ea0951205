"""What was measured of a service is performance monitoring's; which services a caller sees, only the graph knows."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, Self

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.types import Info

from adapters.errors import Malformed
from adapters.performance_management import Indicator
from adapters.performance_management import Measurement as Measured
from resolvers.directives import ListSize
from resolvers.moments import Moment, read_moment

MOST: Final = 2_000
"""measurements of a service;"""
USUAL: Final = 50
"""four hours of every five minutes, and a bit."""
MOST_DAYS: Final = 31
_DAY_MS: Final = 86_400_000
_UNITS: Final = {Indicator.LOAD: "Mbit/s", Indicator.AVAILABILITY: "percent"}

MOMENT: Final = read_moment(partial(Malformed, field=""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked about one service."""

    service: str
    indicator: Indicator
    start: int
    end: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a resolver knows of the request it runs in."""

    is_known: bool
    """whether there is a system that can be asked."""
    measurements: DataLoader[Wanted, list[Measured]]
    """the earliest first."""


@strawberry.enum(description="What is measured of a service.")
class PerformanceIndicator(enum.Enum):
    """adapters.performance_management.Indicator."""

    LOAD = strawberry.enum_value("load", description="What it carries, in Mbit/s.")
    AVAILABILITY = strawberry.enum_value(
        "availability", description="For how much of the period it was there, in percent."
    )


@strawberry.type(description="What was measured of a service in one period, as performance monitoring has it now.")
class Measurement:
    """adapters.performance_management.Measurement."""

    from_: Moment = strawberry.field(name="from", description="When the period begins.")
    to: Moment | None = strawberry.field(description="When it ends; null where performance monitoring does not say so.")
    value: float = strawberry.field(description="What was measured, in `unit`.")
    unit: str = strawberry.field(description='In what it was measured: "Mbit/s" or "percent".')

    @classmethod
    def of(cls, measured: Measured, indicator: Indicator) -> Self:
        """Show a measurement."""
        end = None if measured.end is None else Moment(measured.end)
        return cls(from_=Moment(measured.start), to=end, value=measured.value, unit=_UNITS[indicator])


async def _measurements(
    root: Service,
    info: Info[Desk],
    from_: Annotated[Moment, strawberry.argument(name="from", description="From then on,")],
    to: Annotated[
        Moment, strawberry.argument(description=f"until then, this moment left out; {MOST_DAYS} days later at most.")
    ],
    indicator: Annotated[
        PerformanceIndicator, strawberry.argument(description="What of it.")
    ] = PerformanceIndicator.LOAD,
    first: Annotated[int, strawberry.argument(description=f"How many, the earliest ones; {MOST:,} at most.")] = USUAL,
) -> list[Measurement] | None:
    if not 1 <= first <= MOST:
        raise Malformed(f"first is 1 to {MOST}", field="first")
    if not 0 < to - from_ <= MOST_DAYS * _DAY_MS:
        raise Malformed(f"`to` is after `from`, and {MOST_DAYS} days at most", field="to")
    if not (info.context.is_known and root.name):
        return None  # nobody can be asked, or the graph does not show the service to the caller
    wanted = Indicator(str(indicator.value))
    asked = Wanted(service=root.id, indicator=wanted, start=from_, end=to, most=first)
    return [Measurement.of(each, wanted) for each in await info.context.measurements.load(asked)]


@strawberry.federation.type(keys=["id"], description="What is delivered.")
class Service:
    """A service, as far as only performance monitoring knows it."""

    id: strawberry.ID
    name: str = strawberry.federation.field(external=True)
    measurements: list[Measurement] | None = strawberry.federation.field(
        resolver=_measurements,
        requires=["name"],
        description=(
            "What was measured of it, the earliest first, as performance monitoring has it now; null where it cannot be had, or where nobody "
            "measures."
        ),
        directives=[ListSize(assumed_size=USUAL, slicing_arguments=["first"])],
    )

    @classmethod
    def resolve_reference(cls, **known: Any) -> Self:
        """Take what the gateway knows of a service."""
        return cls(id=known["id"], name=known.get("name") or "")
