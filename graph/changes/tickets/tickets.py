"""A customer must be told of a fault once, and of how it goes on in the same ticket, whoever else the fault hits.

For each alarm and customer there is one ticket at a time in the ticketing system; its order key, `alarm:customer`, is
what we know it by there. Here it is decided what is to be told, from what the alarm does to that customer's services
after a change; the decision is written as a `Ticket` node and a delivery, in the transaction of the change.

Rules. 1. A ticket is opened from a severity on (policy); once open it stays through lower ones. 2. Its severity is the
worst of that customer's services. 3. It is resolved when nothing of the customer is affected any more. 4. A resolved one
is opened again when the fault returns. 5. One that was closed there cannot be: the next is opened, under the order key
with `#2`, when the fault returns or gets worse than the ticket said. 6. Where two customers were merged, both may have an open ticket of
one alarm, each under its own order key. Each goes on with the services that it is about; what the alarm does to others is told in
one of them, the customer's own where it has one.

>>> decide(Pair(alarm="alarm-1", customer="customer-1", customer_name="Ada", services=(), tickets=(), returns=True),
...        AlarmPolicy())
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, cast

from graph.changes.policy import AlarmPolicy
from graph.model.effects import RANK, worst
from graph.model.identity import loaded_id
from graph.store.store import Transaction

OPEN: Final = frozenset({"acknowledged", "pending", "held", "inProgress"})
FINAL: Final = frozenset({"closed", "cancelled", "rejected"})
"""What the other system does not open again."""

_PAIRS: Final = """
UNWIND $batch.pairs AS pair
MATCH (a:Alarm {id: pair.alarm})
MATCH (c:Customer {id: pair.customer})
RETURN a.id, c.id, c.name, COLLECT {
  MATCH (a)-[r:AFFECTS]->(s:Service)<-[:SUBSCRIBES_TO]-(c)
  RETURN [s.id, s.name, r.effect, r.severity] ORDER BY s.id
}, COLLECT {
  MATCH (a)<-[:REPORTS]-(t:Ticket)-[:OPENED_FOR]->(c) WHERE t.system = $system
  RETURN [t.id, t.orderKey, t.externalId, t.status, t.severity]
}
"""

_OPEN: Final = """
UNWIND $batch.rows AS row
MATCH (a:Alarm {id: row.alarm})
MATCH (c:Customer {id: row.customer})
CREATE (t:Ticket {
  id: row.id, system: $system, orderKey: row.orderKey, status: row.status, severity: row.severity
})
CREATE (t)-[:REPORTS]->(a)
CREATE (t)-[:OPENED_FOR]->(c)
WITH t, row
UNWIND row.services AS service
MATCH (s:Service {id: service})
CREATE (t)-[:CONCERNS]->(s)
"""

_AMEND: Final = """
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
SET t.status = row.status, t.severity = row.severity, t._locked = coalesce(t._locked, 0) + 1
"""

_CONCERN: Final = """
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})
UNWIND row.services AS service
MATCH (s:Service {id: service})
MERGE (t)-[:CONCERNS]->(s)
"""

_CONCERN_NO_MORE: Final = """
UNWIND $batch.rows AS row
MATCH (t:Ticket {id: row.id})-[r:CONCERNS]->(s:Service)
WHERE NOT s.id IN row.services
DELETE r
"""

# Only where a customer has several open tickets of one alarm.
_CONCERNED: Final = """
UNWIND $batch.tickets AS id
MATCH (t:Ticket {id: id})-[:CONCERNS]->(s:Service)
RETURN t.id, s.id
"""

Doing: TypeAlias = Literal["open", "amend", "resolve", "reopen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """What an alarm does to one service of a customer."""

    service: str
    name: str
    effect: str
    severity: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket as it was last decided or heard of."""

    id: str
    order_key: str
    external_id: str | None
    status: str
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An alarm and a customer: what the one does to the other now, and their tickets, the latest last."""

    alarm: str
    customer: str
    customer_name: str
    services: tuple[Harm, ...]
    tickets: tuple[Ticket, ...]
    returns: bool
    """whether the alarm did nothing to this customer before."""
    beside: str = ""
    """the ticket that the pair was parted for (`parts_of`), and goes on beside the customer's own; empty of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of the ticket of a pair, and is to be told to the ticketing system."""

    pair: Pair
    doing: Doing
    ticket: Ticket
    """as it will be."""
    insist: bool
    """whether another ticket is opened, should this one turn out to be closed there."""


def decide(pair: Pair, policy: AlarmPolicy) -> Decision | None:
    """Decide what is to be told now; None: nothing."""
    severity = worst(each.severity for each in pair.services)
    last = pair.tickets[-1] if pair.tickets else None
    if last is None or (last.status in FINAL and (pair.returns or _is_worse(severity, last.severity))):
        return _opened(pair, severity) if policy.is_ticketed(severity) else None
    if last.status in FINAL:
        return None
    if last.status == "resolved":
        if not policy.is_ticketed(severity):
            return None
        return _decided(pair, "reopen", last, ("inProgress", severity or last.severity))
    if not pair.services:
        return _decided(pair, "resolve", last, ("resolved", last.severity))
    return _decided(pair, "amend", last, (last.status, severity or "indeterminate"))


def _own_key(pair: Pair) -> str:
    return f"{pair.alarm}:{pair.customer}"


def _opened(pair: Pair, severity: str | None) -> Decision:
    key = _own_key(pair)
    number = max((_number(each.order_key) for each in pair.tickets if _first_key(each.order_key) == key), default=0) + 1
    order_key = f"{key}#{number}" if number > 1 else key
    # Made of the order key, so that the constraint on ids allows one ticket for each and no second.
    ticket = Ticket(
        id=loaded_id("Ticket", "order key", order_key),
        order_key=order_key,
        external_id=None,
        status="acknowledged",
        severity=severity or "indeterminate",
    )
    return Decision(pair=pair, doing="open", ticket=ticket, insist=False)


def _first_key(order_key: str) -> str:
    """Give the order key of the first ticket of an alarm and a customer.

    >>> _first_key("alarm-1:customer-1#2"), _number("alarm-1:customer-1#2"), _number("alarm-1:customer-1")
    ('alarm-1:customer-1', 2, 1)
    """
    return order_key.partition("#")[0]


def _number(order_key: str) -> int:
    number = order_key.partition("#")[2]
    return int(number) if number.isdigit() else 1


def _decided(pair: Pair, doing: Doing, last: Ticket, become: tuple[str, str]) -> Decision:
    status, severity = become
    insist = doing == "reopen" or (doing == "amend" and _is_worse(severity, last.severity))
    ticket = Ticket(
        id=last.id, order_key=last.order_key, external_id=last.external_id, status=status, severity=severity
    )
    return Decision(pair=pair, doing=doing, ticket=ticket, insist=insist)


def _is_worse(severity: str | None, than: str) -> bool:
    return severity is not None and RANK.index(severity) < RANK.index(than)


async def read_pairs(transaction: Transaction, system: str, pairs: Mapping[tuple[str, str], bool]) -> list[Pair]:
    """Read pairs of alarm and customer as they are now, in this transaction; of each it is given whether it `returns`.

    A pair with several open tickets is given in as many parts.
    """
    given = [{"alarm": alarm, "customer": customer} for alarm, customer in sorted(pairs)]
    rows = await transaction.run(_PAIRS, {"batch": {"pairs": given}, "system": system}) if given else []
    found = [_pair(row, returns=pairs[str(row[0]), str(row[1])]) for row in rows]
    beside = [ticket.id for pair in found for ticket in _beside(pair)]
    concerned: defaultdict[str, set[str]] = defaultdict(set)
    for ticket, service in await transaction.run(_CONCERNED, {"batch": {"tickets": beside}}) if beside else []:
        concerned[str(ticket)].add(str(service))
    return [part for pair in found for part in parts_of(pair, concerned)]


def _beside(pair: Pair) -> list[Ticket]:
    """Give the open tickets of a pair beside the one that goes on."""
    return [each for each in pair.tickets[:-1] if each.status in OPEN]


def parts_of(pair: Pair, concerned: Mapping[str, Collection[str]]) -> list[Pair]:
    """Part a pair by its open tickets: each has the services that it is about, and the one that goes on has all others.

    `concerned` are the services that tickets are about, by their ids.
    """
    beside = _beside(pair)
    taken: dict[str, str] = {}
    for ticket in beside:
        taken |= {service: ticket.id for service in concerned.get(ticket.id, ()) if service not in taken}
    ids = {each.id for each in beside}
    others = [
        replace(
            pair,
            tickets=(ticket,),
            services=tuple(each for each in pair.services if taken.get(each.service) == ticket.id),
            beside=ticket.id,
        )
        for ticket in beside
    ]
    goes_on = replace(
        pair,
        tickets=tuple(each for each in pair.tickets if each.id not in ids),
        services=tuple(each for each in pair.services if each.service not in taken),
    )
    return [*others, goes_on]


def write_opened(transaction: Transaction, system: str, decisions: Sequence[Decision]) -> None:
    """Write the tickets that are opened; their customers are locked already, or come in the order of their ids."""
    opened = [_row(each) for each in decisions if each.doing == "open"]
    if opened:
        transaction.later(_OPEN, {"batch": {"rows": opened}, "system": system})


def write_others(transaction: Transaction, decisions: Sequence[Decision]) -> None:
    """Write those that are there as they were decided to be, which locks them."""
    others = [_row(each) for each in decisions if each.doing != "open"]
    moved = [row for row in others if row["services"]]  # a resolved ticket keeps what it was about
    if others:
        transaction.later(_AMEND, {"batch": {"rows": others}})
    if moved:
        transaction.later(_CONCERN_NO_MORE, {"batch": {"rows": moved}})
        transaction.later(_CONCERN, {"batch": {"rows": moved}})


def told(decision: Decision) -> Mapping[str, object]:
    """Give what a delivery of a decision says: the ticket as it shall be, for any ticketing system."""
    pair = decision.pair
    return {
        "doing": decision.doing,
        "insist": decision.insist,
        "ticket": decision.ticket.id,
        "orderKey": decision.ticket.order_key,
        "status": decision.ticket.status,
        "severity": decision.ticket.severity,
        "alarm": pair.alarm,
        "customer": {"id": pair.customer, "name": pair.customer_name},
        "services": [
            {"id": each.service, "name": each.name, "effect": each.effect, "severity": each.severity}
            for each in pair.services
        ],
    }


def _row(decision: Decision) -> dict[str, object]:
    return {
        "id": decision.ticket.id,
        "alarm": decision.pair.alarm,
        "customer": decision.pair.customer,
        "orderKey": decision.ticket.order_key,
        "status": decision.ticket.status,
        "severity": decision.ticket.severity,
        "services": [each.service for each in decision.pair.services],
    }


def _pair(row: list[object], *, returns: bool) -> Pair:
    alarm, customer, name, services, tickets = row
    made = [
        Ticket(id=each, order_key=key or "", external_id=external, status=status, severity=severity)
        for each, key, external, status, severity in cast("list[tuple[str, str | None, str | None, str, str]]", tickets)
    ]
    own = f"{alarm}:{customer}"
    return Pair(
        alarm=str(alarm),
        customer=str(customer),
        customer_name=str(name),
        services=tuple(
            Harm(service=service, name=service_name, effect=effect, severity=severity)
            for service, service_name, effect, severity in cast("list[tuple[str, str, str, str | None]]", services)
        ),
        tickets=tuple(sorted(made, key=lambda each: _place(each, own))),
        returns=returns,
    )


def _place(ticket: Ticket, own: str) -> tuple[bool, str, int]:
    """Give a ticket's place among those of a pair: the customer's own come last, and the latest of them is the last."""
    first = _first_key(ticket.order_key)
    return first == own, first, _number(ticket.order_key)
