"""What the ticketing system answers, or says by itself, is written to our tickets; and a delivery is done, with it.

Rules. 1. The outcome of a delivery and what was learnt by it commit together. 2. While something still waits to be told
of a ticket, its status stays as it was decided here: what the other system says is older than that. 3. What is heard is
taken if it is not older than what was heard before, by the other system's own clock, unless that was of the future; what has
no time is taken as it comes, since the next look mends it. 4. A ticket that turns out to be
closed there is followed by another if the delivery insists and the fault is still there: by a new one, or, where customers were merged,
by the open one that the customer has of the alarm as well. 5. What somebody asked of a ticket and
cannot be done there, or not any more, is told to its customer (`TicketChangeRefused`). 6. A ticket that was closed here stays so where they say
resolved: some have no word for what comes after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from graph.changes import events, notices
from graph.changes.customers.stubs import meant_by
from graph.changes.events import Event
from graph.changes.notices import TicketEvent
from graph.changes.policy import AlarmPolicy
from graph.changes.tickets import tickets
from graph.changes.tickets.tickets import Decision
from graph.errors import Contended
from graph.ledger.outbox import Told, hold, write_down
from graph.ledger.outcomes import Outcome, settle
from graph.model.event_kinds import kind_of_doing
from graph.store.store import Store, Transaction

_THEIR_IDS: Final = """
UNWIND $batch.keys AS key
MATCH (t:Ticket {orderKey: key})
WHERE t.system = $system AND t.externalId IS NOT NULL
RETURN t.orderKey, t.externalId
"""

# `coalesce` keeps a planner from the index of that property, by which it would look at all tickets that there ever were.
_OPEN_ONES: Final = """
MATCH (t:Ticket)
WHERE t.status IN $open AND t.system = $system AND coalesce(t.externalId, '') > $after
RETURN t.externalId, t.status, t.changedAt, t.orderKey IS NOT NULL ORDER BY t.externalId LIMIT $most
"""

# Sorted by order key, as all who lock several tickets do.
_HEAR: Final = """
UNWIND $batch.rows AS row
MATCH (t:Ticket {orderKey: row.orderKey})
WHERE t.system = $system
SET t._lock = true
REMOVE t._lock
WITH t, row, t.status AS before, t.status = 'closed' AND coalesce(row.status, '') = 'resolved' AS wordless,
  CASE WHEN t.changedAt > datetime.realtime().epochMillis + $skew THEN 0 ELSE coalesce(t.changedAt, 0) END AS last, EXISTS {
  MATCH (d:Delivery {openKey: row.orderKey}) WHERE d.system = $system AND d.state = 'READY'
} AS more
WHERE row.changedAt IS NULL OR row.changedAt >= last
SET t.externalId = row.id,
    t.changedAt = coalesce(row.changedAt, t.changedAt),
    t.status = CASE WHEN more OR wordless OR row.status IS NULL THEN t.status ELSE row.status END
WITH t, before, t.status <> before AS changed
SET t._version = coalesce(t._version, 0) + CASE WHEN changed THEN 1 ELSE 0 END
WITH t, changed WHERE changed
RETURN t.id, t._version, t.status, datetime.realtime().epochMillis,
  COLLECT { MATCH (t)-[:OPENED_FOR]->(c:Customer) RETURN c.id ORDER BY c.id },
  COLLECT { MATCH (t)-[:CONCERNS]->(s:Service) RETURN s.id ORDER BY s.id }
"""

# As in _HEAR, the status stays while something still waits to be told.
_REFUSED: Final = """
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
SET t._version = coalesce(t._version, 0) + 1
WITH t, row, EXISTS {
  MATCH (d:Delivery {openKey: row.orderKey}) WHERE d.system = $system AND d.state = 'READY'
} AS more
SET t.status = CASE WHEN more OR row.status IS NULL THEN t.status ELSE row.status END
RETURN t.id, t._version, t.status, datetime.realtime().epochMillis,
  COLLECT { MATCH (t)-[:OPENED_FOR]->(c:Customer) RETURN c.id ORDER BY c.id },
  COLLECT { MATCH (t)-[:CONCERNS]->(s:Service) RETURN s.id ORDER BY s.id }
"""

# Those that people have opened there have no order key, and nothing is heard of them here: they come after these, by their ids.
_LOCK_TICKETS: Final = """
UNWIND $batch.keys AS key
MATCH (t:Ticket {orderKey: key})
WHERE t.system = $system
SET t._locked = coalesce(t._locked, 0) + 1
"""

_LOCK_SERVICES: Final = """
UNWIND $batch.services AS id
MATCH (s:Service {id: id})
SET s._locked = coalesce(s._locked, 0) + 1
"""

# Services are locked before alarms, and alarms before tickets (graph/changes/gates.py).
_LOCK: Final = """
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id})
SET a._locked = coalesce(a._locked, 0) + 1
"""

_COUNT_ON: Final = """
MATCH (a:Alarm {id: $alarm})
SET a._version = coalesce(a._version, 0) + 1
RETURN a._version, datetime.realtime().epochMillis
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the ticketing system says of one of our tickets."""

    order_key: str
    their_id: str
    status: str | None
    """a word of `graph.model.vocabulary.TICKET_STATES`; None: one that nobody has explained, and ours stays."""
    changed_at: int | None
    """epoch milliseconds by its clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTicket:
    """A ticket that is open there, as far as we know."""

    their_id: str
    status: str
    changed_at: int | None
    """epoch milliseconds by the other system's clock, when we last heard of it."""
    is_ours: bool
    """whether we have opened it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of one delivery, and what was learnt of the ticket."""

    outcome: Outcome
    heard: Heard | None = None
    is_closed: bool = False
    """the ticket was found closed there, so that it could not be changed; or the change itself was refused."""
    status: str | None = None
    """of the ticket there, where somebody asked in vain and this is known by its id alone; as in `Heard`."""

    @property
    def must_follow(self) -> bool:
        """Whether another ticket must take the place of one that was found closed."""
        return self.is_closed and bool(self.outcome.claim.payload["insist"])

    @property
    def is_refused(self) -> bool:
        """Whether somebody asked for what cannot be done any more."""
        return self.is_closed and self.outcome.claim.payload["doing"] == "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What is locked for those tickets that follow others."""

    services: frozenset[str] = frozenset()
    tickets: frozenset[str] = frozenset()
    """order keys of open tickets, beside those that were told of."""


async def their_ids(store: Store, system: str, order_keys: Sequence[str], *, deadline: float) -> Mapping[str, str]:
    """Give the other system's id of each of these tickets that it has acknowledged."""
    rows = await store.rows(_THEIR_IDS, {"system": system, "batch": {"keys": list(order_keys)}}, deadline=deadline)
    return {str(key): str(their_id) for key, their_id in rows}


async def open_tickets(store: Store, system: str, *, after: str, most: int, deadline: float) -> list[OpenTicket]:
    """Give tickets that are open there, as far as we know: the next after one of the other system's ids."""
    given = {"system": system, "open": sorted(tickets.OPEN), "after": after, "most": most}
    rows = await store.rows(_OPEN_ONES, given, deadline=deadline)
    return [
        OpenTicket(
            their_id=str(their_id), status=str(status), changed_at=cast("int | None", changed_at), is_ours=bool(is_ours)
        )
        for their_id, status, changed_at, is_ours in rows
    ]


async def settle_deliveries(
    store: Store, policy: AlarmPolicy, answered: Sequence[Answered], *, subject: str, deadline: float
) -> None:
    """Write down what became of deliveries, and of their tickets."""

    async def work(transaction: Transaction) -> None:
        # Services and alarms are locked before deliveries, whether or not the outcome will be taken.
        held = await _hold(transaction, policy, answered)
        taken = await settle(transaction, [each.outcome for each in answered])
        valid = [each for each in answered if each.outcome.claim.id in taken]
        followed = await _pairs_meant(transaction, [each.outcome.claim.payload for each in valid if each.must_follow])
        _lock_tickets(transaction, policy, valid, held)
        made = await _hear(transaction, policy, subject, [each.heard for each in valid if each.heard])
        made += await _refuse(transaction, policy, subject, [each for each in valid if each.is_refused])
        going_on = [found for each in followed if (found := await _going_on(transaction, policy, subject, each, held))]
        decisions = [decision for _, decision in going_on]
        tickets.write_others(transaction, decisions)
        events.append(transaction, *made, *(event for event, _ in going_on))
        tickets.write_opened(transaction, policy.ticketing, decisions)
        write_down(transaction, [_delivery(*each, policy) for each in going_on])
        await _notify(transaction, policy, made)
        followed_by = [turn for each in going_on if (turn := _turn(*each))]
        await notices.tell_tickets(transaction, policy.fault_management, followed_by)

    await store.write(work, deadline=deadline)


async def note_tickets(
    store: Store, policy: AlarmPolicy, heard: Sequence[Heard], *, subject: str, deadline: float
) -> None:
    """Take note of what the ticketing system says by itself; what is of no ticket of ours is passed over."""

    async def work(transaction: Transaction) -> None:
        made = await _hear(transaction, policy, subject, heard)
        events.append(transaction, *made)
        await _notify(transaction, policy, made)

    if heard:
        await store.write(work, deadline=deadline)


def _lock_tickets(transaction: Transaction, policy: AlarmPolicy, answered: Sequence[Answered], held: _Held) -> None:
    """Lock all tickets of ours by order key: what was heard and what was refused are written one after the other."""
    keys = {each.heard.order_key for each in answered if each.heard}
    keys |= {_ticket_of(each)[0] for each in answered if each.is_refused} | held.tickets
    if keys:
        transaction.later(_LOCK_TICKETS, {"batch": {"keys": sorted(keys)}, "system": policy.ticketing})


async def _notify(transaction: Transaction, policy: AlarmPolicy, made: Sequence[Event]) -> None:
    """Write down what the fault management system is to be told of what the ticketing system did."""
    await notices.tell_tickets(transaction, policy.fault_management, notices.of_tickets(made), policy.ticketing)


def _turn(event: Event, decision: Decision) -> TicketEvent | None:
    ticket, kind = decision.ticket, kind_of_doing(decision.doing)
    return None if kind is None else TicketEvent(event=event, kind=kind, ticket=ticket.id, order_key=ticket.order_key)


async def _hear(transaction: Transaction, policy: AlarmPolicy, subject: str, heard: Sequence[Heard]) -> list[Event]:
    """Write what was heard; give the events that tell of it."""
    if not heard:
        return []
    rows: list[dict[str, object]] = [
        {"orderKey": each.order_key, "id": each.their_id, "status": each.status, "changedAt": each.changed_at}
        for each in sorted(heard, key=lambda each: each.order_key)
    ]
    given = {"batch": {"rows": rows}, "system": policy.ticketing, "skew": policy.skew_ms}
    changed = await transaction.run(_HEAR, given)
    return [_event(row, subject) for row in changed]


async def _refuse(
    transaction: Transaction, policy: AlarmPolicy, subject: str, refused: Sequence[Answered]
) -> list[Event]:
    """Give the events that tell a customer of what it asked for in vain; tickets of ours are locked already."""
    statuses = {_ticket_of(each): each.status for each in refused}
    rows = [{"orderKey": key, "id": ticket, "status": statuses[key, ticket]} for key, ticket in sorted(statuses)]
    given = {"batch": {"rows": rows}, "system": policy.ticketing}
    found = await transaction.run(_REFUSED, given) if rows else []
    return [_event(row, subject, "TicketChangeRefused") for row in found]


def _ticket_of(answered: Answered) -> tuple[str, str]:
    payload = answered.outcome.claim.payload
    return str(payload["orderKey"]), str(payload["ticket"])


def _event(row: list[object], subject: str, kind: str = "TicketStatusChanged") -> Event:
    given = cast("tuple[str, int, str, int, list[str], list[str]]", tuple(row))
    ticket, version, status, now, customers, services = given
    return Event(
        type=kind,
        aggregate_id=ticket,
        aggregate_version=version,
        at=now,
        principal=subject,
        payload={"ticket": ticket, "status": status, "customer": next(iter(customers), None), "services": services},
        customers=customers,
    )


async def _hold(transaction: Transaction, policy: AlarmPolicy, answered: Sequence[Answered]) -> _Held:
    """Lock what a ticket that follows may concern, and those in which it may go on, so that nobody changes what is read of them."""
    payloads = [each.outcome.claim.payload for each in answered if each.must_follow]
    if not payloads:
        return _Held()
    meant = await _pairs_meant(transaction, payloads)
    pairs = await tickets.read_pairs(transaction, policy.ticketing, dict.fromkeys(meant, True))
    services = {each.service for pair in pairs for each in pair.services}
    await transaction.run(_LOCK_SERVICES, {"batch": {"services": sorted(services)}})
    await transaction.run(_LOCK, {"batch": {"alarms": sorted({alarm for alarm, _ in meant})}})
    told = {each.outcome.claim.order_key for each in answered}
    others = {each.order_key for pair in pairs for each in pair.tickets if each.status not in tickets.FINAL} - told
    if others:  # of customers that were merged: all in one order, as who settles and who decides lock them
        hold(transaction, policy.ticketing, others | told)
    return _Held(services=frozenset(services), tickets=frozenset(others))


async def _pairs_meant(transaction: Transaction, payloads: Sequence[Mapping[str, object]]) -> list[tuple[str, str]]:
    """Give the alarm and the customer of each delivery: one that was told of a customer who was merged since means the other."""
    pairs = [(str(each["alarm"]), str(cast("Mapping[str, object]", each["customer"])["id"])) for each in payloads]
    meant = await meant_by(transaction.run, (customer for _, customer in pairs))
    return list(dict.fromkeys((alarm, meant.get(customer, customer)) for alarm, customer in pairs))


async def _going_on(
    transaction: Transaction, policy: AlarmPolicy, subject: str, pair_of: tuple[str, str], held: _Held
) -> tuple[Event, Decision] | None:
    """Decide how it goes on for an alarm, which is locked, and a customer, one of whose tickets was closed, if it still hurts them.

    The next ticket is opened; where customers were merged, another open one may take its services.
    """
    alarm, customer = pair_of
    *_, pair = await tickets.read_pairs(transaction, policy.ticketing, {pair_of: True})  # the part that goes on
    decision = tickets.decide(pair, policy)
    if decision is None:
        return None
    if not {each.service for each in pair.services} <= held.services:
        raise Contended("An alarm has just come to concern more services")
    if decision.doing != "open" and decision.ticket.order_key not in held.tickets:
        raise Contended("The customer has just come to have another ticket")
    [[version, now]] = await transaction.run(_COUNT_ON, {"alarm": alarm})
    event = Event(
        type="AlarmTicketFollowed",
        aggregate_id=alarm,
        aggregate_version=cast("int", version),
        at=cast("int", now),
        principal=subject,
        payload={
            "alarm": alarm,
            "ticket": decision.ticket.id,
            "doing": decision.doing,
            "status": decision.ticket.status,
            "customer": customer,
            "services": sorted(each.service for each in pair.services),
        },
        customers=(customer,),
    )
    return event, decision


def _delivery(event: Event, decision: Decision, policy: AlarmPolicy) -> Told:
    return Told(
        event=event.id,
        system=policy.ticketing,
        subject=decision.pair.customer,
        order_key=decision.ticket.order_key,
        payload=tickets.told(decision),
    )
