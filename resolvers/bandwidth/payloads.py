"""What became of a change, for whoever asked: the boost as it is now, or why nothing was done."""

from __future__ import annotations

from typing import Final

import strawberry

from resolvers.bandwidth.costs import Boost
from resolvers.bandwidth.types import BandwidthAlternative, BandwidthQuote, Task
from resolvers.directives import ListSize
from resolvers.money import Money
from resolvers.user_errors import UserError

_SERVICE: Final = (
    "SERVICE_NOT_FOUND, SERVICE_NOT_ACTIVE, SERVICE_NOT_OWNED for one without a customer, NO_PROVISIONING where no system sets rates, "
    "NO_TARIFF where boosts are not sold for it, PRICES_UNAVAILABLE while its prices cannot be read"
)
_INPUT: Final = (
    "MBPS_OR_TIER, RATE_NOT_OFFERED, HOURS_OR_END, NOT_AN_INTERVAL, START_IN_THE_PAST, END_IN_THE_PAST, BEYOND_HORIZON"
)
_BOOST: Final = "BOOST_NOT_FOUND, BOOST_OVER"
_ROOM: Final = (
    "NO_CAPACITY where a port or the network has not so much free, BEYOND_CONTRACT where the contract does not allow it"
)
_PRICE: Final = "PRICE_TOO_HIGH where it costs more than is sold"
_OFTEN: Final = "TOO_MANY_QUOTES where it was asked too often for the service"


@strawberry.type(description="What became of quoteBandwidth.")
class QuoteBandwidthPayload:
    """A quote, or why there is none."""

    quote: BandwidthQuote | None = strawberry.field(description="What can be had; null where nothing can be said.")
    user_errors: list[UserError] = strawberry.field(description=f"{_SERVICE}; {_INPUT}; {_OFTEN}.")


@strawberry.type(description="What became of boostBandwidth.")
class BoostBandwidthPayload:
    """The boost as it is after the change."""

    boost: Boost | None = strawberry.field(
        description="The boost, SCHEDULED, or REQUESTED until somebody approves; of a recurrence the first. Null where none was booked."
    )
    series: str | None = strawberry.field(
        description="The same for all boosts of a recurrence, by which `boosts(filter:)` finds them; null for a single one."
    )
    price: Money | None = strawberry.field(
        description="What all of it costs, without taxes; null where there is no price."
    )
    alternatives: list[BandwidthAlternative] = strawberry.field(
        description="What would fit instead, where that is why nothing was booked.",
        directives=[ListSize(assumed_size=3)],
    )
    user_errors: list[UserError] = strawberry.field(
        description=(
            f"{_SERVICE}; {_INPUT}; QUOTE_OR_INPUT where both or neither are given, QUOTE_NOT_FOUND for an id that is no quote of this "
            f"caller, QUOTE_EXPIRED; {_ROOM}; BAD_RECURRENCE, TOO_MANY for a recurrence; OTHER_CURRENCY; {_PRICE}; {_OFTEN}. Empty where it was done, "
            "or would be."
        )
    )


@strawberry.type(description="What became of extendBoost.")
class ExtendBoostPayload:
    """The boost as it is after the change."""

    boost: Boost | None = strawberry.field(description="The boost with its new end; null where it was not changed.")
    price: Money | None = strawberry.field(
        description="What the whole boost costs then; null where it was not changed."
    )
    user_errors: list[UserError] = strawberry.field(
        description=f"{_BOOST}; HOURS_OR_END, END_IN_THE_PAST, NOT_AN_INTERVAL, BEYOND_HORIZON; {_ROOM}; SPEND_CAP; NO_TARIFF, PRICES_UNAVAILABLE, OTHER_CURRENCY; {_PRICE}; {_OFTEN}."
    )


@strawberry.type(description="What became of changeBoost.")
class ChangeBoostPayload:
    """The boost as it is after the change."""

    boost: Boost | None = strawberry.field(
        description="The boost; one that runs keeps its rate until the network has confirmed the new one. Null where it was not changed."
    )
    price: Money | None = strawberry.field(
        description="What the whole boost costs then; null where it was not changed."
    )
    user_errors: list[UserError] = strawberry.field(
        description=f"{_BOOST}; TOO_MANY where it has had 100 other rates; {_INPUT}; {_ROOM}; SPEND_CAP; NO_TARIFF, PRICES_UNAVAILABLE, OTHER_CURRENCY; {_PRICE}; {_OFTEN}."
    )


@strawberry.type(description="What became of cancelBoost.")
class CancelBoostPayload:
    """The boost as it is after the change."""

    boost: Boost | None = strawberry.field(
        description="The boost, TERMINATED at once where it had not begun; else when the network has returned. Null where it was not cancelled."
    )
    user_errors: list[UserError] = strawberry.field(description=f"{_BOOST}. Empty where it was done.")


@strawberry.type(description="What became of approveBoost.")
class ApproveBoostPayload:
    """The boost as it is after the change."""

    boost: Boost | None = strawberry.field(description="The boost, SCHEDULED; null where it was not approved.")
    user_errors: list[UserError] = strawberry.field(
        description=f"{_BOOST}, BOOST_NOT_REQUESTED for one that waits for no approval."
    )


@strawberry.type(description="What became of declineBoost.")
class DeclineBoostPayload:
    """The boost as it is after the change."""

    boost: Boost | None = strawberry.field(description="The boost, TERMINATED; null where it was not declined.")
    user_errors: list[UserError] = strawberry.field(
        description=f"{_BOOST}, BOOST_NOT_REQUESTED for one that waits for no approval."
    )


@strawberry.type(description="What became of revokeBoost.")
class RevokeBoostPayload:
    """The boost as it is after the change."""

    boost: Boost | None = strawberry.field(description="The boost; null where it was not revoked.")
    user_errors: list[UserError] = strawberry.field(description=f"{_BOOST}. Empty where it was done.")


@strawberry.type(description="What became of retryTask.")
class RetryTaskPayload:
    """The task as it is after the change."""

    task: Task | None = strawberry.field(description="The task; null where nothing was done.")
    user_errors: list[UserError] = strawberry.field(
        description="TASK_NOT_FOUND, TASK_SETTLED for one that is not open any more, TASK_OF_ORDER for one that ends with its order (advanceOrder), TASK_OF_MATCH for one that ends with its match (mergeCustomers, declineCustomerMatch), TASK_OF_CUSTOMER for one of a customer that is gone: it is only skipped. Empty where it was done."
    )


@strawberry.type(description="What became of skipTask.")
class SkipTaskPayload:
    """The task as it is after the change."""

    task: Task | None = strawberry.field(description="The task; null where nothing was done.")
    user_errors: list[UserError] = strawberry.field(
        description="TASK_NOT_FOUND, TASK_SETTLED for one that is not open any more, TASK_OF_ORDER for one that ends with its order (advanceOrder), TASK_OF_MATCH for one that ends with its match (mergeCustomers, declineCustomerMatch). Empty where it was done."
    )


@strawberry.type(description="What became of cancelTask.")
class CancelTaskPayload:
    """The task as it is after the change."""

    task: Task | None = strawberry.field(description="The task; null where nothing was done.")
    user_errors: list[UserError] = strawberry.field(
        description="TASK_NOT_FOUND, TASK_SETTLED for one that is not open any more, TASK_OF_ORDER for one that ends with its order (advanceOrder), TASK_OF_MATCH for one that ends with its match (mergeCustomers, declineCustomerMatch), TASK_OF_CUSTOMER as of retryTask, TASK_NOT_CANCELLABLE for a rate that has to return in any case. Empty where it was done."
    )
