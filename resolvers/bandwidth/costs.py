"""What a boost has cost so far, and what a customer's next bill will have of boosts: what is settled and what is an estimate are told apart.

Both are worked out of what billing is told (graph/changes/bandwidth/costs.py), in the scope of whoever asks.
"""

from __future__ import annotations

from typing import Final

import strawberry

from graph.changes.bandwidth.costs import MOST_BOOSTS, Cost, Estimate
from resolvers.bandwidth.asked import Info
from resolvers.bandwidth.capacity import Referred
from resolvers.bandwidth.types import show_minor
from resolvers.directives import Cost as Weight
from resolvers.directives import ListSize
from resolvers.moments import Moment
from resolvers.money import Money

OF_ESTIMATE: Final = 50
"""what an estimate costs: it walks all boosts of a customer."""


@strawberry.type(description="What a boost has cost so far and will have cost, without taxes.")
class BoostCost:
    """graph.changes.bandwidth.costs.Cost."""

    amount: Money = strawberry.field(
        description=(
            "What the network has carried of it until `at`, to the second and with the tariff's minimum: an estimate, unless `isSettled`."
        )
    )
    expected: Money = strawberry.field(
        description="What all of it will have cost at its end, if nobody changes it; the same as `amount` of one that is over."
    )
    credit: Money = strawberry.field(
        description="What outages give back of it, below zero or 0: settled with the boost, until then an estimate."
    )
    is_settled: bool = strawberry.field(
        description="Whether it is over, and billing is told of all of it: these amounts stay as they are."
    )
    at: Moment = strawberry.field(description="The moment at which this was so.")

    @classmethod
    def of(cls, cost: Cost) -> BoostCost:
        """Show a cost."""
        return cls(
            amount=show_minor(cost.so_far, cost.currency),
            expected=show_minor(cost.expected, cost.currency),
            credit=show_minor(cost.credit, cost.currency),
            is_settled=cost.is_settled,
            at=Moment(cost.at),
        )


@strawberry.type(
    description=(
        "What boosts will have on a customer's next bill, in one currency and without taxes: an estimate. A boost counts as a whole in the "
        "month in which it ends; one that waits for an approval does not."
    )
)
class EstimatedBill:
    """graph.changes.bandwidth.costs.Estimate."""

    from_: Moment = strawberry.field(name="from", description="The begin of the month that is billed (UTC).")
    to: Moment = strawberry.field(description="Its end: the first moment that is not in it.")
    at: Moment = strawberry.field(description="The moment at which this was so.")
    boosts: int = strawberry.field(description="How many boosts end in the month.")
    settled: Money = strawberry.field(
        description="Of boosts that are over: billing is told of it, and it stays as it is."
    )
    running: Money = strawberry.field(description="Of boosts that run, until `at`: an estimate.")
    upcoming: Money = strawberry.field(
        description="Of boosts that run and that are booked, from `at` until their ends, if nobody changes them: an estimate."
    )
    credits: Money = strawberry.field(
        description="What outages give back, below zero or 0: settled of boosts that are over, an estimate of others."
    )
    total: Money = strawberry.field(description="All four together: an estimate until the month is over.")

    @classmethod
    def of(cls, estimate: Estimate) -> EstimatedBill:
        """Show an estimate."""
        currency = estimate.currency
        return cls(
            from_=Moment(estimate.start),
            to=Moment(estimate.end),
            at=Moment(estimate.at),
            boosts=estimate.boosts,
            settled=show_minor(estimate.settled, currency),
            running=show_minor(estimate.running, currency),
            upcoming=show_minor(estimate.upcoming, currency),
            credits=show_minor(estimate.credits, currency),
            total=show_minor(estimate.total, currency),
        )


async def _cost(root: Boost, info: Info) -> BoostCost | None:
    found = await info.context.costs.load(root.id)
    return None if found is None else BoostCost.of(found)


async def _estimated_bill(root: Customer, info: Info) -> list[EstimatedBill] | None:
    return [EstimatedBill.of(each) for each in await info.context.estimates.load(root.id)]


@strawberry.federation.type(keys=["id"], description="A temporary rate.")
class Boost(Referred):
    """The knowledge graph's, with what it costs."""

    id: strawberry.ID
    cost: BoostCost | None = strawberry.federation.field(
        resolver=_cost,
        description="What it has cost so far; null of one that was over before it was loaded, which others have charged.",
    )


@strawberry.federation.type(keys=["id"], description="Who buys.")
class Customer(Referred):
    """The knowledge graph's, with what boosts will cost."""

    id: strawberry.ID
    estimated_bill: list[EstimatedBill] | None = strawberry.federation.field(
        resolver=_estimated_bill,
        description=(
            "What boosts will have on the bill of this month (UTC), one for each currency; none where no boost ends in it, and null where "
            f"more than {MOST_BOOSTS:,} do."
        ),
        directives=[Weight(weight=OF_ESTIMATE), ListSize(assumed_size=1)],
    )
