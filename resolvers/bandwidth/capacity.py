"""What ports and trunks carry between two moments, exactly and for everybody's services: for those who run the network.

What is full within some days is forecast in two ways that are told apart. *Booked* is certain: some instant at which what is committed
and booked leaves no room. The *trend* is a straight line through the daily peaks of the past (least squares), which may be wrong by
its error (graph/changes/bandwidth/forecast.py says what it rests on).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Self

import strawberry

from graph.capacity.limits import Limit, LimitKind
from graph.capacity.steps import Segment
from graph.capacity.trend import DAY
from graph.changes.bandwidth.forecast import HISTORY_DAYS, ForecastRequest
from graph.changes.bandwidth.forecast import Forecast as Forecasted
from graph.changes.bandwidth.forecast import forecast as forecasted
from graph.changes.bandwidth.looking import read_booked
from graph.compiler.bind import PAGE_DEFAULT, page_size
from graph.errors import Refused
from resolvers.bandwidth.asked import Info
from resolvers.directives import Cost, ListSize, OperatorOnly
from resolvers.moments import Moment
from resolvers.money import Large

MOST_THINGS: Final = 200
MOST_DAYS: Final = 366
_WEEK_DAYS: Final = 7
OF_FORECAST: Final = 500
"""what a forecast costs: it reads whatever was ever booked."""

From = Annotated[Moment, strawberry.argument(description="From then on,", name="from")]
To = Annotated[Moment, strawberry.argument(description="until then.")]


@strawberry.type(description="What a thing carries from one moment to another, in Mbit/s.")
class CapacityInterval:
    """A segment of the load."""

    from_: Moment = strawberry.field(name="from", description="From then on,")
    to: Moment = strawberry.field(description="until then.")
    mbps: int = strawberry.field(description="What is committed and booked on it, in Mbit/s.")

    @classmethod
    def of(cls, segment: Segment) -> CapacityInterval:
        """Show a segment."""
        assert segment.end is not None, "what is shown ends"
        return cls(from_=Moment(segment.start), to=Moment(segment.end), mbps=segment.mbps)


@strawberry.type(description="What one port or trunk may carry and carries between two moments.")
class Capacity:
    """graph.capacity.limits.Limit."""

    port: Port | None = strawberry.field(description="The port; null where it is a trunk.")
    trunk: Trunk | None = strawberry.field(description="The trunk; null where it is a port.")
    limit_mbps: int = strawberry.field(
        description="What may be booked on it: its capacity times the overbooking factor."
    )
    peak_mbps: int = strawberry.field(
        description="The most that is committed and booked on it at any moment in between."
    )
    headroom_mbps: int = strawberry.field(
        description="What is left throughout: the limit less the peak, never below 0."
    )
    load: list[CapacityInterval] = strawberry.field(
        description="What is committed and booked, over time.", directives=[ListSize(assumed_size=50)]
    )

    @classmethod
    def of(cls, limit: Limit, start: int, end: int) -> Capacity:
        """Show a limit between two moments."""
        peak = limit.load.peak(start, end)
        id_ = strawberry.ID(limit.thing)
        is_port = limit.kind is LimitKind.PORT
        return cls(
            port=Port(id=id_) if is_port else None,
            trunk=None if is_port else Trunk(id=id_),
            limit_mbps=limit.mbps,
            peak_mbps=peak,
            headroom_mbps=max(0, limit.mbps - peak),
            load=[CapacityInterval.of(each) for each in limit.load.segments(start, end)],
        )


@strawberry.type(
    description="What is left between two moments: of a port or trunk itself, or of all ports of a card, element or site."
)
class Headroom:
    """Over several limits."""

    things: int = strawberry.field(description="How many ports or trunks it is of.")
    limit_mbps: Large = strawberry.field(
        description="What may be booked on all of them together, in Mbit/s; a site may have more than an Int holds."
    )
    headroom_mbps: Large = strawberry.field(
        description="What is left throughout on all of them together, in Mbit/s; as large as `limitMbps` at most."
    )
    most_mbps: int = strawberry.field(
        description="What is left throughout on the one that has the most left, in Mbit/s."
    )

    @classmethod
    def of(cls, limits: Sequence[Limit], start: int, end: int) -> Headroom:
        """Add up."""
        left = [max(0, each.mbps - each.load.peak(start, end)) for each in limits]
        return cls(
            things=len(left),
            limit_mbps=Large(sum(each.mbps for each in limits)),
            headroom_mbps=Large(sum(left)),
            most_mbps=max(left, default=0),
        )


async def _headroom(root: Port | Trunk, info: Info, from_: From, to: To) -> Headroom:
    check_interval(from_, to)
    return Headroom.of(await info.context.limits.load(root.id), from_, to)


async def _of_ports(root: Card | NetworkElement | Site, info: Info, from_: From, to: To) -> Headroom:
    check_interval(from_, to)
    limits = await info.context.limits.load(root.id)
    return Headroom.of([each for each in limits if each.kind is LimitKind.PORT], from_, to)


_HEADROOM: Final = "What is left on it between two moments, exactly, whatever of it is sold."
_OF_PORTS: Final = (
    "What is left on its ports between two moments, exactly; a port where a trunk ends is not one of them."
)


class Referred:
    """What is the knowledge graph's, and known by its id."""

    @classmethod
    def resolve_reference(cls, id: strawberry.ID) -> Self:  # noqa: A002 - the key's name
        """Take the id."""
        return cls(id=id)  # type: ignore[call-arg]  # each has one


@strawberry.federation.type(keys=["id"], description="Where a service or a trunk is attached.")
class Port(Referred):
    """The knowledge graph's, with what is computed of it."""

    id: strawberry.ID
    headroom: Headroom = strawberry.federation.field(
        resolver=_headroom, description=_HEADROOM, directives=[OperatorOnly()]
    )


@strawberry.federation.type(keys=["id"], description="A link between two ports.")
class Trunk(Referred):
    """The knowledge graph's, with what is computed of it."""

    id: strawberry.ID
    headroom: Headroom = strawberry.federation.field(
        resolver=_headroom, description=_HEADROOM, directives=[OperatorOnly()]
    )


@strawberry.federation.type(keys=["id"], description="A module that holds ports.")
class Card(Referred):
    """The knowledge graph's, with what is computed of it."""

    id: strawberry.ID
    headroom: Headroom = strawberry.federation.field(
        resolver=_of_ports, description=_OF_PORTS, directives=[OperatorOnly()]
    )


@strawberry.federation.type(keys=["id"], description="A piece of equipment that holds cards.")
class NetworkElement(Referred):
    """The knowledge graph's, with what is computed of it."""

    id: strawberry.ID
    headroom: Headroom = strawberry.federation.field(
        resolver=_of_ports, description=_OF_PORTS, directives=[OperatorOnly()]
    )


@strawberry.federation.type(keys=["id"], description="A place that equipment is at.")
class Site(Referred):
    """The knowledge graph's, with what is computed of it."""

    id: strawberry.ID
    headroom: Headroom = strawberry.federation.field(
        resolver=_of_ports, description=_OF_PORTS, directives=[OperatorOnly()]
    )


async def capacity(
    info: Info,
    of: Annotated[
        list[strawberry.ID],
        strawberry.argument(
            description=f"Ports and trunks; cards, elements and sites stand for all their ports and the trunks that end there. {MOST_THINGS} at most."
        ),
    ],
    from_: From,
    to: To,
) -> list[Capacity]:
    """Give what things may carry and carry."""
    check_interval(from_, to)
    if len(of) > MOST_THINGS:
        said = f"At most {MOST_THINGS} things are asked about at once, not {len(of)}"
        raise Refused(said, code="LIMIT_EXCEEDED", path=("of",))
    found = await info.context.limits.load_many(of)
    limits = {each.thing: each for several in found for each in several}
    return [Capacity.of(each, from_, to) for each in limits.values()]


@strawberry.type(description="What will be full within some days.")
class CapacityForecast:
    """graph.changes.bandwidth.forecast.Forecast."""

    port: Port | None = strawberry.field(description="The port; null where it is a trunk.")
    trunk: Trunk | None = strawberry.field(description="The trunk; null where it is a port.")
    limit_mbps: int = strawberry.field(description="What may be booked on it, in Mbit/s.")
    booked_full_at: Moment | None = strawberry.field(
        description="When what is committed and booked leaves no room; null: not within the days. This is certain, unless somebody cancels."
    )
    trend_full_at: Moment | None = strawberry.field(
        description="When it would be full by the trend of the past; null: not within the days, or too little is known."
    )
    trend_full_earliest_at: Moment | None = strawberry.field(
        description="When it would be full at the earliest, if the trend is steeper by twice its error; null as for `trendFullAt`."
    )
    trend_full_latest_at: Moment | None = strawberry.field(
        description="When it would be full at the latest, if the trend is flatter by twice its error; null as for `trendFullAt`."
    )
    trend_mbps_per_week: float | None = strawberry.field(
        description="What the trend adds to the daily peaks in a week, in Mbit/s; null: too little is known."
    )
    trend_error_mbps_per_week: float | None = strawberry.field(
        description="The standard error of `trendMbpsPerWeek`, in Mbit/s; null: too little is known."
    )

    @classmethod
    def of(cls, found: Forecasted) -> CapacityForecast:
        """Show a forecast."""
        id_ = strawberry.ID(found.limit.thing)
        is_port = found.limit.kind is LimitKind.PORT
        trend, full = found.trend, found.trend_full

        def moment(days: float | None) -> Moment | None:
            return None if days is None else Moment(found.now + round(days * DAY))

        return cls(
            port=Port(id=id_) if is_port else None,
            trunk=None if is_port else Trunk(id=id_),
            limit_mbps=found.limit.mbps,
            booked_full_at=None if found.booked_full_at is None else Moment(found.booked_full_at),
            trend_full_at=moment(full.expected) if full else None,
            trend_full_earliest_at=moment(full.earliest) if full else None,
            trend_full_latest_at=moment(full.latest) if full else None,
            trend_mbps_per_week=trend.slope * _WEEK_DAYS if trend else None,
            trend_error_mbps_per_week=trend.error * _WEEK_DAYS if trend else None,
        )


async def forecast(
    info: Info,
    days: Annotated[int, strawberry.argument(description=f"How far ahead; {MOST_DAYS} at most.")] = 90,
    first: Annotated[int, strawberry.argument(description="How many, at most 1,000.")] = PAGE_DEFAULT,
) -> list[CapacityForecast]:
    """Give what will be full, the soonest first."""
    if not 0 < days <= MOST_DAYS:
        raise Refused(f"days is 1 to {MOST_DAYS}", code="BAD_USER_INPUT", path=("days",))
    asked = info.context
    limits = await read_booked(asked.store, asked.policy.overbooking, deadline=asked.deadline)
    wanted = ForecastRequest(days=days, history=HISTORY_DAYS)
    found = await forecasted(asked.store, limits, wanted, deadline=asked.deadline)
    full = [each for each in found if each.full_within is not None]  # the soonest first
    return [CapacityForecast.of(each) for each in full[: page_size({"first": first})]]


def check_interval(start: int, end: int) -> None:
    """Refuse an interval that does not end after it begins."""
    if end <= start:
        raise Refused("`to` must be after `from`", code="BAD_USER_INPUT", path=("to",))


CAPACITY_DIRECTIVES: Final = [OperatorOnly(), ListSize(assumed_size=50, slicing_arguments=["of"])]
FORECAST_DIRECTIVES: Final = [
    OperatorOnly(),
    ListSize(assumed_size=PAGE_DEFAULT, slicing_arguments=["first"]),
    Cost(weight=OF_FORECAST),
]
