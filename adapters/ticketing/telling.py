"""A delivery for the ticketing system becomes a ticket there that says what it should, exactly once.

The other system does not notice that it was told before. So from the second attempt on it is asked by our order key
first; the first attempt needs no asking, since attempts are counted before they are made. What goes wrong becomes an
outcome (`adapters.delivery.sending`).

A refusal is not believed by its status alone. A 409 may say that the ticket is closed, or that somebody changes it just now, and a
404 that it is gone, or that its id is another one by now: what the system shows of the ticket then decides.

What a person asks here of a ticket (`write`) is a note there, and a status. Where the ticket is closed or gone there, it cannot be done
any more; where the system refuses it for itself, as a text that it does not take, it will never be. Whoever asked is told so by an
event, and nothing is parked: what an alarm tells of the ticket waits behind it, and must not wait for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import structlog

from adapters.delivery.access import Access
from adapters.delivery.attending import Attention, attend
from adapters.delivery.sending import Sender
from adapters.errors import Rejected
from adapters.ticketing import (
    FINAL,
    REPORTED,
    AffectedService,
    CustomerRef,
    Ticketing,
    TicketOrder,
    TicketState,
    TicketUpdate,
)
from adapters.ticketing.hearing import Hearing, heard_of, subject_of
from graph.changes.policy import AlarmPolicy
from graph.changes.tickets.ticketing import Answered, Heard, settle_deliveries, their_ids
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Done, Outcome
from graph.ledger.retry import is_over
from graph.store.store import Store

log = structlog.get_logger(__name__)

_CONFLICT: Final = 409
_GONE: Final = 404
_FOR_ITSELF: Final = frozenset({400, 413, 415, 422})
"""Statuses that refuse what was sent, whatever the ticket is."""
_MOST_SERVICES: Final = 200
"""that a ticket names one by one; how many there are is in its description."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketTeller:
    """`adapters.delivery.delivery.Teller` of a ticketing system."""

    store: Store
    ticketing: Ticketing
    policy: AlarmPolicy
    attention: Attention
    access: Access = field(default_factory=Access)

    @property
    def system(self) -> str:
        """The system's name."""
        return self.policy.ticketing

    @property
    def retry_at(self) -> float | None:
        """When it makes sense to send anything."""
        return self._sender.retry_at(self.ticketing.retry_at)

    async def tell(self, claimed: Claim, *, deadline: float) -> Answered:
        """Bring the ticket to what the delivery says."""
        return await self._sender.send(claimed, self._told(claimed, deadline), _answered)

    async def settle(self, told: Sequence[Answered], *, deadline: float) -> None:
        """Write it down."""
        await settle_deliveries(self.store, self.policy, told, subject=subject_of(self.system), deadline=deadline)

    async def attend(self) -> None:
        """Ask to be told of changes, and look for those that were not told, until cancelled."""
        attention = self.attention
        hearing = Hearing(
            store=self.store, policy=self.policy, ticketing=self.ticketing, seconds=attention.request_seconds
        )
        await attend(self.store, self.system, self.ticketing, attention, hearing.look)

    @property
    def _sender(self) -> Sender:
        return Sender(system=self.system, processing_seconds=self.attention.processing_seconds, access=self.access)

    async def _told(self, claimed: Claim, deadline: float) -> Answered:
        if claimed.payload["doing"] == "write":
            return await self._written(claimed, deadline)
        order = replace(order_of(claimed.payload), repeated_since=_repeated_since(claimed))
        their_id = await self._their_id(claimed, order, deadline)
        if their_id is None:
            if order.status == "resolved":
                return Answered(outcome=Done(claim=claimed, note="there was no ticket to resolve"))
            return _done(claimed, await self.ticketing.open(order, delivery_id=claimed.id, deadline=deadline))
        if claimed.payload["doing"] in _OPENING:
            state = await self.ticketing.find(order.external_id, deadline=deadline)
            if state is not None:
                return _done(claimed, state)
        return await self._amended(claimed, order, their_id, deadline)

    async def _their_id(self, claimed: Claim, order: TicketOrder, deadline: float) -> str | None:
        """Find the ticket: in what we know, or there, by our key."""
        if claimed.payload["doing"] in _OPENING and claimed.attempts == 1:
            return None
        return await self._known_by(order.external_id, deadline)

    async def _known_by(self, key: str, deadline: float) -> str | None:
        known = await their_ids(self.store, self.system, [key], deadline=deadline)
        if key in known:
            return known[key]
        found = await self.ticketing.find(key, deadline=deadline)
        return found.id if found else None

    async def _written(self, claimed: Claim, deadline: float) -> Answered:
        """Note what somebody wrote, and set the status that it asked for."""
        wanted = replace(update_of(claimed.payload), repeated_since=_repeated_since(claimed))
        their_id = claimed.payload["theirId"]
        if wanted.external_id is not None:
            their_id = await self._known_by(wanted.external_id, deadline)
        if their_id is None:
            return _vanished(claimed)
        try:
            return await self._updated(claimed, wanted, their_id, deadline)
        except Rejected as rejected:
            if rejected.status not in _FOR_ITSELF or not is_over(claimed.tries, claimed.age_ms, refused=True):
                raise
            return await self._not_taken(claimed, their_id, rejected, deadline)

    async def _updated(self, claimed: Claim, wanted: TicketUpdate, their_id: str, deadline: float) -> Answered:
        try:
            state = await self.ticketing.update(their_id, wanted, delivery_id=claimed.id, deadline=deadline)
        except Rejected as rejected:
            if rejected.status == _CONFLICT:
                return await self._refused(claimed, wanted, their_id, rejected, deadline)
            if rejected.status == _GONE:
                return await self._moved(claimed, wanted, their_id, deadline)
            raise
        return Answered(outcome=Done(claim=claimed), heard=_heard_of(state, wanted.external_id))

    async def _not_taken(self, claimed: Claim, their_id: str, rejected: Rejected, deadline: float) -> Answered:
        """Take note that this will never be taken: the ticket has the status that it has there."""
        log.warning(
            "a change of a ticket is not taken", system=self.system, delivery=claimed.id, status=rejected.status
        )
        there = await self._there(their_id, deadline)
        note = f"it was refused: {rejected.message}"
        return Answered(outcome=Done(claim=claimed, note=note), is_closed=True, status=there.status if there else None)

    async def _refused(
        self, claimed: Claim, wanted: TicketUpdate, their_id: str, rejected: Rejected, deadline: float
    ) -> Answered:
        """Take note that the ticket is closed there, where it is; to close it once more is done, then."""
        there = await self._closed_there(their_id, deadline)
        if there is None:
            raise rejected
        heard = _heard_of(there, wanted.external_id)
        if wanted.status == "closed":
            return Answered(outcome=Done(claim=claimed, note="it was closed there"), heard=heard)
        return _in_vain(claimed, "it was closed there", heard)

    async def _moved(self, claimed: Claim, wanted: TicketUpdate, their_id: str, deadline: float) -> Answered:
        """Look for a ticket of ours by our key: it may have another id by now."""
        found = await self.ticketing.find(wanted.external_id, deadline=deadline) if wanted.external_id else None
        if found is None or found.id == their_id:
            return _vanished(claimed, found)
        return await self._updated(claimed, wanted, found.id, deadline)

    async def _closed_there(self, their_id: str, deadline: float) -> TicketState | None:
        there = await self._there(their_id, deadline)
        return there if there is not None and there.status in FINAL else None

    async def _there(self, their_id: str, deadline: float) -> TicketState | None:
        # By its id: a system may no longer find by any key what was deleted, or merged into another.
        states = await self.ticketing.states([their_id], deadline=deadline)
        return next((each for each in states if each.id == their_id), None)

    async def _amended(self, claimed: Claim, order: TicketOrder, their_id: str, deadline: float) -> Answered:
        try:
            state = await self.ticketing.amend(their_id, order, delivery_id=claimed.id, deadline=deadline)
        except Rejected as rejected:
            if rejected.status == _CONFLICT:
                return await self._unchanged(claimed, order, their_id, rejected, deadline)
            if rejected.status == _GONE:
                return await self._gone(claimed, order, their_id, deadline)
            raise
        return _done(claimed, state)

    async def _unchanged(
        self, claimed: Claim, order: TicketOrder, their_id: str, rejected: Rejected, deadline: float
    ) -> Answered:
        """Take note that a person was quicker where the ticket is closed there, and stays so; else tell it again."""
        there = await self._closed_there(their_id, deadline)
        if there is None:
            raise rejected
        heard = _heard_of(there, order.external_id)
        return Answered(outcome=Done(claim=claimed, note="it was closed there"), heard=heard, is_closed=True)

    async def _gone(self, claimed: Claim, order: TicketOrder, their_id: str, deadline: float) -> Answered:
        """Look for the ticket by our key: it may have another id by now. One that is gone is not resolved any more."""
        state = await self.ticketing.find(order.external_id, deadline=deadline)
        if state is not None and state.id != their_id:
            return await self._amended(claimed, order, state.id, deadline)
        if order.status == "resolved":
            return Answered(outcome=Done(claim=claimed, note="the ticket is gone there"))
        return _done(claimed, await self.ticketing.open(order, delivery_id=claimed.id, deadline=deadline))


def _repeated_since(claimed: Claim) -> int | None:
    return claimed.created_at if claimed.attempts > 1 else None


def update_of(payload: Any) -> TicketUpdate:
    """Read what a delivery says that somebody asks of a ticket."""
    is_ours = payload["theirId"] is None
    return TicketUpdate(
        external_id=payload["orderKey"] if is_ours else None,
        author=payload["author"],
        text=payload["text"],
        status=payload["status"],
    )


def order_of(payload: Any) -> TicketOrder:
    """Read what a delivery says that a ticket should be."""
    return _reported(payload) if payload["doing"] == "report" else _caused(payload)


def _reported(payload: Any) -> TicketOrder:
    customer = CustomerRef(id=payload["customer"]["id"], name=payload["customer"]["name"])
    services = payload["services"]
    named = ", ".join(each["name"] for each in services)
    return TicketOrder(
        external_id=payload["orderKey"],
        severity=payload["severity"],
        status="acknowledged",
        name=f"{payload['severity']}: {customer.name} reports a problem of {named}",
        description=payload["description"],
        customer=customer,
        alarm_id="",
        services=tuple(AffectedService(id=each["id"], effect=REPORTED) for each in services),
        note=payload["text"],
        ticket_type=payload["ticketType"],
    )


def _caused(payload: Any) -> TicketOrder:
    services = payload["services"]
    customer = CustomerRef(id=payload["customer"]["id"], name=payload["customer"]["name"])
    severity, count = payload["severity"], len(services)
    return TicketOrder(
        external_id=payload["orderKey"],
        severity=severity,
        status=payload["status"] if payload["status"] in {"acknowledged", "inProgress", "resolved"} else "inProgress",
        name=f"{severity}: {count} service{'' if count == 1 else 's'} of {customer.name}",
        description=_description(customer, services),
        customer=customer,
        alarm_id=payload["alarm"],
        services=tuple(AffectedService(id=each["id"], effect=each["effect"]) for each in services[:_MOST_SERVICES]),
        note=_NOTES[payload["doing"]],
    )


_NOTES: Final = {
    "open": "",
    "amend": "The effect on this customer's services has changed.",
    "resolve": "The alarm is over, or affects no service of this customer any more.",
    "reopen": "The fault is back.",
}


def _description(customer: CustomerRef, services: Sequence[Any]) -> str:
    if not services:
        return f"No service of {customer.name} is affected any more."
    named = ", ".join(f"{each['name']} ({each['effect']})" for each in services[:10])
    more = f" and {len(services) - 10} more" if len(services) > 10 else ""
    return f"Services of {customer.name} that are affected: {named}{more}."


_OPENING: Final = ("open", "report")


def _heard_of(state: TicketState, key: str | None) -> Heard | None:
    """Give what a state says of the ticket of ours with this key; None where it is of none."""
    return heard_of(state) if key is not None and state.external_id == key else None


def _in_vain(claimed: Claim, note: str, heard: Heard | None = None) -> Answered:
    return Answered(outcome=Done(claim=claimed, note=note), heard=heard, is_closed=True)


def _vanished(claimed: Claim, found: TicketState | None = None) -> Answered:
    """Say that the ticket is gone there: nobody will tell us of it any more, so that it must not stay open here."""
    outcome = Done(claim=claimed, note="the ticket is gone there")
    return Answered(outcome=outcome, is_closed=True, status=found.status if found else "cancelled")


def _done(claimed: Claim, state: TicketState) -> Answered:
    return Answered(outcome=Done(claim=claimed), heard=heard_of(state))


def _answered(outcome: Outcome) -> Answered:
    return Answered(outcome=outcome)
