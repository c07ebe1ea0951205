"""The changes of a boost that is booked: what a client sends is read here, and graph/changes/bandwidth changes it or not.

What a change costs is worked out there, under the lock (graph/changes/bandwidth/pricing.py): by the rates that the boost has had and
will have, to the second. What is given back early is charged for its time, and no less than the tariff's minimum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import strawberry

from graph.capacity.tariff import Tariff
from graph.changes.bandwidth import asking, changing, offers
from graph.changes.bandwidth.looking import SoldBoost, read_sold
from graph.changes.bandwidth.pricing import sold_by
from graph.changes.outcome import Outcome, user_error
from graph.changes.outcome import UserError as Problem
from resolvers.bandwidth.arguments import outcome_told_at
from resolvers.bandwidth.asked import Asked, Info
from resolvers.bandwidth.booking import DryRun, Key, boost_of, known_outcome
from resolvers.bandwidth.payloads import (
    ApproveBoostPayload,
    CancelBoostPayload,
    ChangeBoostPayload,
    DeclineBoostPayload,
    ExtendBoostPayload,
    RevokeBoostPayload,
)
from resolvers.bandwidth.quoting import EndAt, Mbps, Tier, too_many
from resolvers.bandwidth.types import show_minor
from resolvers.moments import Moment
from resolvers.money import Money
from resolvers.user_errors import shown

BoostId = Annotated[strawberry.ID, strawberry.argument(description="The boost.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What somebody wants a boost to be."""

    operation: Literal["changeBoost", "extendBoost"]
    boost: str
    mbps: int | None = None
    tier: str | None = None
    hours: float | None = None
    """that are added to its end."""
    end: int | None = None

    @property
    def given(self) -> Mapping[str, object]:
        """What the client has sent."""
        return {
            "boostId": self.boost,
            "mbps": self.mbps,
            "tier": self.tier,
            "hours": self.hours,
            "endAt": self.end,
        }


async def extend_boost(
    info: Info,
    boost_id: BoostId,
    idempotency_key: Key,
    *,
    hours: Annotated[
        float | None, strawberry.argument(description="How many hours are added to its end; or `endAt`.")
    ] = None,
    end_at: EndAt = None,
    dry_run: DryRun = False,
) -> ExtendBoostPayload:
    """Give a boost a later end."""
    wish = _Wish(operation="extendBoost", boost=boost_id, hours=hours, end=end_at)
    found, cost = await _change(info.context, wish, idempotency_key, dry_run=dry_run)
    outcome = outcome_told_at(found, wish.given)
    return ExtendBoostPayload(boost=boost_of(outcome), price=cost, user_errors=shown(outcome))


async def change_boost(  # noqa: PLR0913 - the arguments of the field
    info: Info,
    boost_id: BoostId,
    idempotency_key: Key,
    *,
    mbps: Mbps = None,
    tier: Tier = None,
    end_at: Annotated[Moment | None, strawberry.argument(description="When it ends; without it, as it is.")] = None,
    dry_run: DryRun = False,
) -> ChangeBoostPayload:
    """Give a boost another rate, and another end where one is given."""
    wish = _Wish(operation="changeBoost", boost=boost_id, mbps=mbps, tier=tier, end=end_at)
    found, cost = await _change(info.context, wish, idempotency_key, dry_run=dry_run)
    outcome = outcome_told_at(found, wish.given)
    return ChangeBoostPayload(boost=boost_of(outcome), price=cost, user_errors=shown(outcome))


async def cancel_boost(info: Info, boost_id: BoostId, idempotency_key: Key) -> CancelBoostPayload:
    """Give a boost back."""
    asked = info.context
    asking.check_may(asked.principal, "boostBandwidth")
    outcome = await changing.cancel_boost(
        asked.store,
        asked.principal,
        asked.policy,
        changing.Cancelled(boost=boost_id),
        idempotency_key=idempotency_key,
        given={"boostId": boost_id},
        deadline=asked.deadline,
    )
    return CancelBoostPayload(boost=boost_of(outcome), user_errors=shown(outcome))


async def approve_boost(info: Info, boost_id: BoostId, idempotency_key: Key) -> ApproveBoostPayload:
    """Let a boost be that waits for it."""
    asked = info.context
    outcome = await changing.approve_boost(
        asked.store,
        asked.principal,
        asked.policy,
        boost_id,
        idempotency_key=idempotency_key,
        deadline=asked.deadline,
    )
    return ApproveBoostPayload(boost=boost_of(outcome), user_errors=shown(outcome))


async def decline_boost(info: Info, boost_id: BoostId, idempotency_key: Key) -> DeclineBoostPayload:
    """Refuse a boost that waits for an approval."""
    asked = info.context
    outcome = await changing.decline_boost(
        asked.store,
        asked.principal,
        asked.policy,
        boost_id,
        idempotency_key=idempotency_key,
        deadline=asked.deadline,
    )
    return DeclineBoostPayload(boost=boost_of(outcome), user_errors=shown(outcome))


async def revoke_boost(info: Info, boost_id: BoostId, idempotency_key: Key) -> RevokeBoostPayload:
    """Take a boost back from its customer."""
    asked = info.context
    outcome = await changing.revoke_boost(
        asked.store,
        asked.principal,
        asked.policy,
        boost_id,
        idempotency_key=idempotency_key,
        deadline=asked.deadline,
    )
    return RevokeBoostPayload(boost=boost_of(outcome), user_errors=shown(outcome))


async def _change(asked: Asked, wish: _Wish, key: str, *, dry_run: bool) -> tuple[Outcome, Money | None]:
    """Change a boost, or say why not; and what all of it costs then."""
    asking.check_may(asked.principal, "boostBandwidth")
    if not dry_run and (known := await known_outcome(asked, wish.operation, wish.given, key)) is not None:
        return known, await _price_of_known(asked, known)
    sold = await read_sold(asked.store, asked.principal, wish.boost, deadline=asked.deadline)
    if sold is None:
        return asking.no_boost(), None
    if (problem := too_many(asked, sold.service)) is not None:
        return asking.refused_by(problem), None
    changed = _changed(asked, sold, wish)
    if isinstance(changed, Problem):
        return asking.refused_by(changed), None
    outcome = await changing.change_boost(
        asked.store,
        asked.principal,
        asked.policy,
        changed,
        idempotency_key=key,
        operation=wish.operation,
        given=wish.given,
        dry_run=dry_run,
        deadline=asked.deadline,
    )
    return outcome, None if outcome.price is None else show_minor(outcome.price, sold.currency)


async def _price_of_known(asked: Asked, known: Outcome) -> Money | None:
    """Give what the boost costs now that was changed under the same key."""
    boost = known.ids.get("boost")
    sold = None if boost is None else await read_sold(asked.store, asked.principal, boost, deadline=asked.deadline)
    return None if sold is None else show_minor(sold.price, sold.currency)


def _changed(asked: Asked, sold: SoldBoost, wish: _Wish) -> changing.Changed | Problem:
    """Find out what a boost is to be; what the client leaves out stays as it is when it is changed."""
    longer = _longer(wish)
    if isinstance(longer, Problem):
        return longer
    mbps = _rate(asked, sold, wish)
    if isinstance(mbps, Problem):
        return mbps
    return changing.Changed(boost=sold.id, mbps=mbps, end=wish.end, longer=longer)


def _longer(wish: _Wish) -> int | Problem | None:
    """Give by how many milliseconds a boost is to be longer; None: it ends at a time, or as it did."""
    if wish.operation == "extendBoost" and (wish.hours is None) == (wish.end is None):
        return user_error("Give either hours or endAt", offers.HOURS_OR_END, "hours")
    return None if wish.hours is None else offers.length_of(wish.hours)


def _rate(asked: Asked, sold: SoldBoost, wish: _Wish) -> int | Problem | None:
    """Give the rate that is wanted, by the tariff of now; None: the one that it has."""
    if wish.mbps is None and wish.tier is None:
        if wish.operation == "changeBoost" and wish.end is None:
            return user_error("Give a rate, a tier, or an end", offers.MBPS_OR_TIER, "mbps")
        return None
    tariff = sold_by(asked.policy, sold.tier, sold.currency)
    return offers.rate_of(tariff, wish.mbps, wish.tier) if isinstance(tariff, Tariff) else tariff
