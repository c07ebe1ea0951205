"""Whether a new service between two sites could be built, and how, or why not: for those who plan the network. Nothing is reserved.

What is said is exact, of everybody's services; so it is for operators and analysts only, as all of capacity over time.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Iterable
from typing import Annotated, Final, assert_never

import strawberry

from graph.changes.feasibility import feasibility as designed
from graph.errors import Refused, TooManyQuestions
from graph.routing import answers
from graph.routing.demand import Access, Demand, Side, Weights
from resolvers.bandwidth.asked import Asked, Info
from resolvers.bandwidth.capacity import Port, Site, Trunk, check_interval
from resolvers.directives import Cost, ListSize, OperatorOnly
from resolvers.moments import Moment

MOST_MBPS: Final = 100_000_000
MOST_WEIGHT: Final = 1_000
OF_FEASIBILITY: Final = 500
"""what it costs: it walks the network."""
_WAY: Final = [ListSize(assumed_size=20)]


@strawberry.input(description="Where a new service is to be handed over.")
class AccessInput:
    """graph.routing.demand.Access."""

    site_id: strawberry.ID = strawberry.field(description="The site.")
    speed_mbps: int | None = strawberry.field(
        default=None,
        description="The speed of the port, in Mbit/s, at least 1; without it, the slowest free port that carries the rate.",
    )


@strawberry.input(
    description=f"What a way costs: for each of its trunks the sum of these. Each is at most {MOST_WEIGHT:,}. The cheapest way is designed."
)
class WayCostInput:
    """graph.routing.demand.Weights."""

    per_hop: int = strawberry.field(default=1, description="For the trunk itself; at least 1.")
    per_km: int = strawberry.field(default=0, description="For each kilometre between its sites, rounded up.")
    per_percent: int = strawberry.field(
        default=0,
        description="For each percent of what may be booked on it that is taken at the busiest moment, the new service included.",
    )


@strawberry.type(description="A way from one end of a new service to the other.")
class PlannedWay:
    """graph.routing.answers.PlannedWay."""

    trunks: list[Trunk] = strawberry.field(description="Its trunks, in order from end A.", directives=_WAY)
    sites: list[Site] = strawberry.field(
        description="The sites that it leads through, in order, those of both ends included.", directives=_WAY
    )
    cost: int = strawberry.field(description="What it costs by the weights that were given.")
    hops: int = strawberry.field(description="How many trunks it has.")
    km: int = strawberry.field(
        description="The length of its trunks together, in kilometres; of sites without coordinates nothing is counted."
    )
    percent: int = strawberry.field(
        description="The percents of its trunks together that are taken at the busiest moment, the new service included."
    )

    @classmethod
    def of(cls, way: answers.PlannedWay) -> PlannedWay:
        """Show a way."""
        return cls(
            trunks=_trunks(way.trunks),
            sites=_sites(way.sites),
            cost=way.cost.total,
            hops=way.cost.hops,
            km=way.cost.km,
            percent=way.cost.percent,
        )


@strawberry.type(description="How a new service could be built now. Nothing of it is reserved.")
class ServiceDesign:
    """graph.routing.answers.Design."""

    a: Port = strawberry.field(description="The free port at end A.")
    z: Port = strawberry.field(description="The free port at end Z.")
    working: PlannedWay = strawberry.field(description="The way that carries; the cheaper one where there are two.")
    protecting: PlannedWay | None = strawberry.field(
        description="The way that stands by: it shares no trunk, element or site with the other, the end sites apart. Null: none was asked for."
    )
    cost: int = strawberry.field(description="What both ways cost together.")
    is_least: bool = strawberry.field(
        description="Whether it is certain that nothing is cheaper; false where the search for a cheaper pair of ways was given up, to answer in time."
    )

    @classmethod
    def of(cls, design: answers.Design) -> ServiceDesign:
        """Show a design."""
        return cls(
            a=Port(id=strawberry.ID(design.a)),
            z=Port(id=strawberry.ID(design.z)),
            working=PlannedWay.of(design.working),
            protecting=PlannedWay.of(design.protecting) if design.protecting else None,
            cost=design.cost,
            is_least=design.is_least,
        )


@strawberry.enum(description="Why a service cannot be built.")
class InfeasibilityCode(enum.Enum):
    """The members of graph.routing.answers.Infeasible."""

    END_FULL = strawberry.enum_value(
        "END_FULL",
        description="At one end, or at both, no port of the speed is free that has room; or none at an element from which a way leads.",
    )
    NO_ROOM = strawberry.enum_value("NO_ROOM", description="There are ways, but a stretch is full: `stretch`.")
    NO_DISJOINT_PAIR = strawberry.enum_value(
        "NO_DISJOINT_PAIR",
        description="There is a way, but no second one that is apart from it, however much room there were: `shared` is on every way.",
    )
    NO_WAY = strawberry.enum_value("NO_WAY", description="No trunks in service lead from one end to the other.")
    UNDECIDED = strawberry.enum_value(
        "UNDECIDED", description="The search was given up, to answer in time; there may be a design, or none."
    )


@strawberry.type(description="An end where no port can be had.")
class FullEnd:
    """graph.routing.answers.FullEnd."""

    ports: int = strawberry.field(
        description="How many ports of the speed are in service at the site; each is taken, has not so much room, or is where no way begins."
    )
    missing_mbps: int = strawberry.field(
        description="How many Mbit/s the port lacks that has the most room of those that no service has, at elements where none has enough; the whole rate where there is none."
    )

    @classmethod
    def of(cls, end: answers.FullEnd) -> FullEnd:
        """Show an end."""
        return cls(ports=end.ports, missing_mbps=end.missing)


@strawberry.type(description="Why a service cannot be built, and what would have to be otherwise.")
class Infeasibility:
    """graph.routing.answers.Infeasible."""

    code: InfeasibilityCode = strawberry.field(description="Why.")
    a: FullEnd | None = strawberry.field(default=None, description="What is full at end A; null: nothing.")
    z: FullEnd | None = strawberry.field(default=None, description="What is full at end Z; null: nothing.")
    stretch: list[Trunk] = strawberry.field(
        default_factory=list,
        description="The full trunks between both ends of which one at least must have more room.",
        directives=_WAY,
    )
    missing_mbps: int | None = strawberry.field(
        default=None,
        description="How many Mbit/s less would fit throughout, with the ports that are free for that; null where no stretch is full, or the search was given up.",
    )
    shared_sites: list[Site] = strawberry.field(
        default_factory=list, description="The sites that every way leads through.", directives=_WAY
    )
    shared_trunks: list[Trunk] = strawberry.field(
        default_factory=list, description="The trunks that every way takes.", directives=_WAY
    )
    fits_from: Moment | None = strawberry.field(
        default=None,
        description="The first moment from which it would fit, for as long as it was asked for. Null: never by what is booked now, or not known.",
    )
    looked_until: Moment | None = strawberry.field(
        default=None,
        description="Where the search for `fitsFrom` was given up: it does not fit before. Null: the search was complete.",
    )

    @classmethod
    def of(cls, reason: answers.Infeasible) -> Infeasibility:
        """Show a reason; raises Refused where a site is none."""
        match reason:
            case answers.UnknownSite(sides=sides):
                side = sides[0].lower()
                raise Refused(f"{side}.siteId is no site", code="BAD_USER_INPUT", path=(side, "siteId"))
            case answers.EndFull(ends=ends, fits=fits):
                full = {each.side: FullEnd.of(each) for each in ends}
                return cls(
                    code=InfeasibilityCode.END_FULL,
                    a=full.get(Side.A),
                    z=full.get(Side.Z),
                    fits_from=_moment(fits.at),
                    looked_until=_moment(fits.looked_until),
                )
            case answers.NoRoom(stretch=stretch, missing=missing, fits=fits):
                return cls(
                    code=InfeasibilityCode.NO_ROOM,
                    stretch=_trunks(stretch),
                    missing_mbps=missing,
                    fits_from=_moment(fits.at),
                    looked_until=_moment(fits.looked_until),
                )
            case answers.NoDisjointPair(sites=sites, trunks=trunks):
                code = InfeasibilityCode.NO_DISJOINT_PAIR
                return cls(code=code, shared_sites=_sites(sites), shared_trunks=_trunks(trunks))
            case answers.NoWay():
                return cls(code=InfeasibilityCode.NO_WAY)
            case answers.Undecided():
                return cls(code=InfeasibilityCode.UNDECIDED)
            case never:
                assert_never(never)


@strawberry.type(description="Whether a new service could be built: one of the two is there.")
class Feasibility:
    """What graph.changes.feasibility gives."""

    design: ServiceDesign | None = strawberry.field(description="How; null where it is not possible.")
    reason: Infeasibility | None = strawberry.field(description="Why not; null where it is possible.")


async def feasibility(  # noqa: PLR0913 - the arguments of the field
    info: Info,
    a: Annotated[AccessInput, strawberry.argument(description="One end,")],
    z: Annotated[AccessInput, strawberry.argument(description="and the other, at another site.")],
    mbps: Annotated[
        int, strawberry.argument(description=f"The rate in Mbit/s that is to be committed: 1 to {MOST_MBPS:,}.")
    ],
    from_: Annotated[Moment, strawberry.argument(description="From when on; not before now,", name="from")],
    *,
    to: Annotated[Moment | None, strawberry.argument(description="until when; without it, for ever.")] = None,
    protected: Annotated[
        bool, strawberry.argument(description="Whether there must be a second way that stands by.")
    ] = False,
    cost: Annotated[
        WayCostInput | None, strawberry.argument(description="What makes a way dear; without it, each trunk costs 1.")
    ] = None,
) -> Feasibility:
    """Design a service, or say why that is not possible."""
    asked = info.context
    _take(asked)
    _check(mbps, from_, to, cost, now=asked.now)
    for side, access in (("a", a), ("z", z)):
        if access.speed_mbps is not None and access.speed_mbps < 1:
            raise Refused(f"{side}.speedMbps is at least 1", code="BAD_USER_INPUT", path=(side, "speedMbps"))
    if a.site_id == z.site_id:
        said = "z.siteId is the site of a: within a site there is no way to look for"
        raise Refused(said, code="BAD_USER_INPUT", path=("z", "siteId"))
    demand = Demand(
        a=Access(site=a.site_id, speed=a.speed_mbps),
        z=Access(site=z.site_id, speed=z.speed_mbps),
        mbps=mbps,
        start=from_,
        end=to,
        protected=protected,
        weights=Weights(hop=cost.per_hop, km=cost.per_km, percent=cost.per_percent) if cost else Weights(),
    )
    found = await designed(asked.store, asked.network, demand, asked.policy.overbooking, deadline=asked.deadline)
    if isinstance(found, answers.Design):
        return Feasibility(design=ServiceDesign.of(found), reason=None)
    return Feasibility(design=None, reason=Infeasibility.of(found))


def _take(asked: Asked) -> None:
    """Take from the allowance of the principal: each question takes a processor for a while. Raises TooManyQuestions."""
    wait = asked.allowance.take(asked.principal.subject, "feasibility", now=time.monotonic())
    if wait:
        raise TooManyQuestions("New services were asked about too often: ask again later", retry_after=wait)


def _check(mbps: int, start: int, end: int | None, cost: WayCostInput | None, *, now: int) -> None:
    """Refuse what cannot be meant."""
    if not 1 <= mbps <= MOST_MBPS:
        raise Refused(f"mbps is 1 to {MOST_MBPS}", code="BAD_USER_INPUT", path=("mbps",))
    if start < now:
        raise Refused("`from` is in the past", code="BAD_USER_INPUT", path=("from",))
    if end is not None:
        check_interval(start, end)
    if cost is None:
        return
    for name, value, least in (
        ("perHop", cost.per_hop, 1),
        ("perKm", cost.per_km, 0),
        ("perPercent", cost.per_percent, 0),
    ):
        if not least <= value <= MOST_WEIGHT:
            said = f"cost.{name} is {least} to {MOST_WEIGHT}"
            raise Refused(said, code="BAD_USER_INPUT", path=("cost", name))


def _moment(at: int | None) -> Moment | None:
    return None if at is None else Moment(at)


def _trunks(ids: Iterable[str]) -> list[Trunk]:
    return [Trunk(id=strawberry.ID(each)) for each in ids]


def _sites(ids: Iterable[str]) -> list[Site]:
    return [Site(id=strawberry.ID(each)) for each in ids]


FEASIBILITY_DIRECTIVES: Final = [OperatorOnly(), Cost(weight=OF_FEASIBILITY)]
