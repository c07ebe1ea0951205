"""The bandwidth subgraph's schema, which Strawberry executes."""

from __future__ import annotations

from functools import cache
from typing import Final

import strawberry
from graphql import GraphQLSchema
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from resolvers.bandwidth import booking, changing, quoting, tasks
from resolvers.bandwidth import capacity as over_time
from resolvers.bandwidth import feasibility as planned
from resolvers.bandwidth.costs import Boost, Customer
from resolvers.bandwidth.payloads import (
    ApproveBoostPayload,
    BoostBandwidthPayload,
    CancelBoostPayload,
    CancelTaskPayload,
    ChangeBoostPayload,
    DeclineBoostPayload,
    ExtendBoostPayload,
    QuoteBandwidthPayload,
    RetryTaskPayload,
    RevokeBoostPayload,
    SkipTaskPayload,
)
from resolvers.bandwidth.types import MOMENT
from resolvers.directives import AllowedRoles, Cost
from resolvers.executed import ExecutedSchema
from resolvers.moments import Moment
from resolvers.money import LARGE, Large

MOST_TEXTS: Final = 500
"""of operations, whose parsing and validation is remembered."""
OF_QUOTE: Final = 100
"""what a quote costs: it walks what is booked on the whole way of a service."""
_MAY_BOOST: Final = AllowedRoles(roles=["operator"], by_claim=["customer"], claim="boostBandwidth")
_MAY_APPROVE: Final = AllowedRoles(roles=["operator"], by_claim=["customer"], claim="approveBoost")


@strawberry.type
class Query:
    """The root fields."""

    quote_bandwidth: QuoteBandwidthPayload = strawberry.field(
        resolver=quoting.quote_bandwidth,
        description=(
            "What more bandwidth for a while would cost, how much can be had, and what would fit instead. A customer asks for its own "
            "services, with a token whose claim `changes` names boostBandwidth, and so many times a minute."
        ),
        directives=[Cost(weight=OF_QUOTE)],
    )
    capacity: list[over_time.Capacity] = strawberry.field(
        resolver=over_time.capacity,
        description="What ports and trunks may carry and carry between two moments; what is no such thing is left out.",
        directives=over_time.CAPACITY_DIRECTIVES,
    )
    forecast: list[over_time.CapacityForecast] = strawberry.field(
        resolver=over_time.forecast,
        description="Ports and trunks that will be full within some days, by what is booked and by the trend; the soonest first.",
        directives=over_time.FORECAST_DIRECTIVES,
    )
    feasibility: planned.Feasibility = strawberry.field(
        resolver=planned.feasibility,
        description=(
            "Whether a new service between two sites could be built, and how: free ports, the cheapest way with room throughout, and one "
            "that protects it; or why not, what is missing, and from when it would fit. Nothing is reserved."
        ),
        directives=planned.FEASIBILITY_DIRECTIVES,
    )


@strawberry.type
class Mutation:
    """Every one takes an idempotency key: asked again with it, the same outcome is given and nothing is done twice."""

    boost_bandwidth: BoostBandwidthPayload = strawberry.mutation(
        resolver=booking.boost_bandwidth,
        description=(
            "Book more bandwidth for a while, by a quote or by the same input: the service returns to its rate by itself. Above what the "
            "customer may spend in a month it is REQUESTED, and holds its capacity until somebody approves."
        ),
        directives=[_MAY_BOOST],
    )
    extend_boost: ExtendBoostPayload = strawberry.mutation(
        resolver=changing.extend_boost,
        description="Let a boost end later; what it needs for that is looked for like a new booking.",
        directives=[_MAY_BOOST],
    )
    change_boost: ChangeBoostPayload = strawberry.mutation(
        resolver=changing.change_boost,
        description="Give a boost another rate, another end, or both. Where the network refuses, it stays what it was.",
        directives=[_MAY_BOOST],
    )
    cancel_boost: CancelBoostPayload = strawberry.mutation(
        resolver=changing.cancel_boost,
        description="Give a boost back: free before it begins, and then charged to the second, with the tariff's minimum.",
        directives=[_MAY_BOOST],
    )
    approve_boost: ApproveBoostPayload = strawberry.mutation(
        resolver=changing.approve_boost,
        description="Let a boost be that is above what its customer may spend in a month.",
        directives=[_MAY_APPROVE],
    )
    decline_boost: DeclineBoostPayload = strawberry.mutation(
        resolver=changing.decline_boost,
        description="Refuse a boost that waits for an approval: what it holds is free again.",
        directives=[_MAY_APPROVE],
    )
    revoke_boost: RevokeBoostPayload = strawberry.mutation(
        resolver=changing.revoke_boost,
        description="Take a boost back from its customer; it is charged for its time.",
        directives=[AllowedRoles(roles=["operator"])],
    )
    retry_task: RetryTaskPayload = strawberry.mutation(
        resolver=tasks.retry_task,
        description="Try again what a task is about; it stays open until that is done.",
        directives=[AllowedRoles(roles=["operator"])],
    )
    skip_task: SkipTaskPayload = strawberry.mutation(
        resolver=tasks.skip_task,
        description="Say that what a task is about need not be done, or is done; what waits behind it goes on.",
        directives=[AllowedRoles(roles=["operator"])],
    )
    cancel_task: CancelTaskPayload = strawberry.mutation(
        resolver=tasks.cancel_task,
        description="End what a task is about: its boost is revoked.",
        directives=[AllowedRoles(roles=["operator"])],
    )


@cache
def bandwidth_schema() -> strawberry.federation.Schema:
    """Assemble the schema."""
    return ExecutedSchema(
        query=Query,
        mutation=Mutation,
        types=[
            over_time.Port,
            over_time.Trunk,
            over_time.Card,
            over_time.NetworkElement,
            over_time.Site,
            Boost,
            Customer,
        ],
        config=StrawberryConfig(scalar_map={Moment: MOMENT, Large: LARGE}, disable_field_suggestions=True),
        extensions=[lambda: ParserCache(maxsize=MOST_TEXTS), lambda: ValidationCache(maxsize=MOST_TEXTS)],
    )


def bandwidth_graphql() -> GraphQLSchema:
    """Give the schema as graphql-core has it."""
    return bandwidth_schema()._schema  # noqa: SLF001 - Strawberry gives it no other name
