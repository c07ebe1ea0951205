"""Two customers who share everything that customers of one network can share, and somebody else who has nothing to do with it.

A and B share a site, an element, a card, ports, trunks, an SLA, an alarm and an event. B has equipment of its own in
what is shared; tickets, orders and alarms of the one point at things of the other. `with_others=False` is the same
graph as if B, and what belongs to nobody, had never been.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.resolvers.tenants_network import network
from tests.resolvers.world import Builder, World

A, B = "customer-a", "customer-b"
NOON = 1_767_268_800_000
"""2026-01-01T12:00:00Z"""

_STATES = ("active", "active", "reserved", "terminated")
_KINDS = ("ethernet", "wavelength")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One service."""

    owner: str
    name: str
    access: tuple[str, ...]
    working: tuple[str, ...]
    protecting: tuple[str, ...] = ()
    sla: str = "sla-gold"
    effect: str | None = None


def tenants(*, with_others: bool = True) -> World:
    """The whole graph, or the part of it that A has a share in."""
    built = Builder()
    network(built)
    _inventory(built)
    _customers(built)
    _services(built)
    _alarms(built)
    _papers(built)
    world = built.world()
    others = frozenset(key for key, owner in built.owners.items() if owner in {"b", "nobody"})
    return world if with_others else world.without(others)


def _customers(built: Builder) -> None:
    for owner, name, segment in (
        ("a", "a", "retail"),
        ("b", "b", "retail"),
        ("nobody", "c", "public"),
        ("nobody", "d", "retail"),
    ):
        built.node(
            owner,
            "Customer",
            name,
            name=f"Stadtwerke {name.upper()}",
            segment=segment,
            status="active",
            accountRef=f"acc-{name}",
            goneAt=NOON if name == "d" else None,
        )
    built.edge("MERGED_INTO", "customer-d", "customer-a")
    for owner, one, other, state in (("b", "a", "b", "proposed"), ("nobody", "c", "d", "declined")):
        is_over = state == "declined"
        match = built.node(
            owner,
            "CustomerMatch",
            f"{one}{other}",
            state=state,
            reason="their names mean one company",
            foundAt=NOON,
            settledAt=NOON + 1_000 if is_over else None,
            settledBy="ann" if is_over else None,
            note="two branches" if is_over else None,
        )
        built.edge("COMPARES", match, f"customer-{one}")
        built.edge("COMPARES", match, f"customer-{other}")
    for owner, name, tier in (("shared", "gold", "PREMIUM"), ("a", "plain", "BASIC"), ("b", "mid", "STANDARD")):
        built.node(
            owner,
            "Sla",
            name,
            name=f"{name} plan",
            tier=tier,
            availabilityPercent=99.9 if name == "gold" else 99,
            repairHours=4,
        )


SPECS = (
    Spec(owner="a", name="a1", access=("p1", "p2"), working=("1",), protecting=("2",), effect="degraded"),
    Spec(owner="a", name="a2", access=("p3", "p2"), working=("2",), protecting=("1",), sla="sla-plain"),
    Spec(owner="a", name="a3", access=("p1", "p2"), working=("1",), sla="sla-plain", effect="down"),
    Spec(owner="a", name="a4", access=("p1", "p3"), working=()),
    Spec(owner="a", name="a5", access=("p3", "p1"), working=("2", "1"), sla=""),
    Spec(owner="b", name="b1", access=("p1", "p6"), working=("3",), effect="down"),
    Spec(owner="b", name="b2", access=("p4", "p2"), working=("1",), protecting=("2", "3"), sla="sla-mid"),
    Spec(owner="b", name="b3", access=("p5", "p7"), working=("2",), sla="sla-mid", effect="atRisk"),
    Spec(owner="nobody", name="c1", access=("p8", "p2"), working=("1",), protecting=("4",), sla="sla-mid"),
    Spec(owner="nobody", name="x1", access=("p1",), working=("2",)),
    Spec(owner="b", name="x2", access=("p4", "p2"), working=("1",)),
)
"""a4 stays at one site; a5 goes over both trunks and was promised nothing; x1 and x2 have no customer yet: x2 is reserved for one."""


def _services(built: Builder) -> None:
    for index, each in enumerate(SPECS):
        key = built.node(
            each.owner,
            "Service",
            each.name,
            name=f"Leitung {each.name[0]} {index % 3}",
            kind=_KINDS[index % 2],
            state=_STATES[index % 4],
            committedMbps=100 * (index % 3),
            bookedMbps=100 * (index % 3) + 500 if index % 2 else None,
            effectiveMbps=100 * (index % 3) + index,
            maxMbps=1_000,
            effect=each.effect,
        )
        if each.name[0] != "x":
            built.edge("SUBSCRIBES_TO", f"customer-{each.name[0]}", key)
        if each.sla:
            built.edge("GOVERNED_BY", key, each.sla)
        for end, port in zip("AZ", each.access, strict=False):
            built.edge("ACCESSED_AT", key, f"port-{port}", end=end)
        for path, trunks in (("WORKING", each.working), ("PROTECTING", each.protecting)):
            for position, trunk in enumerate(trunks):
                built.edge("ROUTED_OVER", key, f"trunk-{trunk}", path=path, position=position)


def _alarm(built: Builder, owner: str, name: str, on: str, severity: str, affects: dict[str, tuple[str, Any]]) -> None:
    number = len(name) + ord(name[-1])
    key = built.node(
        owner,
        "Alarm",
        name,
        sourceSystemId="nms-1" if number % 2 else "nms-2",
        externalAlarmId=None if name == "s1" else f"ext-{name}",
        alarmedObjectRef=on,
        alarmType="equipmentAlarm" if on.startswith("card") else "communicationsAlarm",
        probableCause="lossOfSignal",
        specificProblem="LOS" if number % 2 else None,
        perceivedSeverity=severity,
        state="cleared" if name == "a2" else "raised",
        ackState="unacknowledged",
        raisedAt=NOON + number,
        changedAt=NOON + number * 1_000,
        clearedAt=NOON + 5_000_000 if name == "a2" else None,
        record=f'{{"id":"{name}","list":[1,2.5,null,true]}}',
        awaits=None if on else f"key-{name}",
    )
    if on:
        built.edge("RAISED_ON", key, on)
    for service, (effect, graded) in affects.items():
        values = {"effect": effect, "parts": "working"}
        if graded is not None:
            values["severity"] = graded
        built.edge("AFFECTS", key, f"service-{service}", **values)


def _alarms(built: Builder) -> None:
    _alarm(
        built,
        "shared",
        "s1",
        "card-c1",
        "critical",
        {"a1": ("degraded", "major"), "b1": ("down", "critical"), "b2": ("degraded", "minor")},
    )
    _alarm(built, "shared", "s2", "trunk-2", "major", {"a3": ("down", "minor"), "b3": ("atRisk", None)})
    _alarm(built, "a", "a1", "port-p1", "minor", {"a2": ("atRisk", None)})
    _alarm(built, "a", "a2", "", "warning", {"a3": ("down", "minor"), "a1": ("degraded", "major")})
    _alarm(built, "b", "b1", "card-c1", "critical", {"b1": ("down", "critical")})
    _alarm(built, "b", "b2", "networkelement-e1", "major", {"b3": ("atRisk", "warning")})
    _alarm(built, "nobody", "n1", "trunk-1", "indeterminate", {})
    _alarm(built, "nobody", "n2", "port-t1", "warning", {"c1": ("atRisk", "warning")})
    for cause, effect in (("s1", "b1"), ("a1", "s1"), ("b1", "a1"), ("s2", "s1"), ("a1", "n1"), ("b2", "s2")):
        built.edge("CAUSED_BY", f"alarm-{cause}", f"alarm-{effect}")


def _papers(built: Builder) -> None:
    """What is about customers: each of them has papers that point at the other's things."""
    for own, other in (("a", "b"), ("b", "a")):
        for number in (1, 2):
            _ticket(built, own, other, number)
            _order(built, own, other, number)
            _interval(built, own, number)
        _lead(built, own)
        _event(built, own, f"{own}1", f"service-{own}1", (own,))
    _event(built, "shared", "s1", "alarm-s1", ("a", "b"))
    for number, own in enumerate(("a", "b")):
        _delivery(built, own, number)
    _event(built, "nobody", "n1", "site-4", ())
    waiting = {**_MEASURED, "externalId": "U9", "awaits": "key-of-a-circuit"}
    built.node("nobody", "Usage", "n1", **{"from": NOON, "to": NOON + 1}, mbps=1, octets=0, kind="committed", **waiting)


def _ticket(built: Builder, own: str, other: str, number: int) -> None:
    ticket = built.node(
        own,
        "Ticket",
        f"{own}{number}",
        system="desk",
        externalId=f"T{number}" if number == 1 else None,
        orderKey=f"alarm-s1:customer-{own}" if number == 1 else None,
        status="inProgress" if number == 1 else "held",
        severity="major",
        changedAt=NOON + 1_000 * number if number == 1 else None,
        description=f"slow since {number}" if number == 1 else None,
        ticketType="problem" if number == 1 else None,
        reference=f"CRM-{number}" if number == 1 else None,
    )
    built.edge("OPENED_FOR", ticket, f"customer-{own}")
    for alarm in ("s1", f"{own}1", f"{other}1"):
        built.edge("REPORTS", ticket, f"alarm-{alarm}")
    for service in (f"{own}1", f"{own}2", f"{other}{number}"):
        built.edge("CONCERNS", ticket, f"service-{service}")


def _order(built: Builder, own: str, other: str, number: int) -> None:
    """The first was placed here; the second was loaded."""
    name = f"{own}{number}"
    placed = {
        "kind": "product" if own == "a" else "service",
        "description": f"two lines for {own}",
        "category": "B2B product order",
        "priority": "1",
        "orderedAt": NOON - 9_000,
        "requestedStartAt": NOON,
        "requestedCompletionAt": NOON + 86_400_000,
        "expectedCompletionAt": NOON + 90_000_000,
        "startedAt": NOON - 8_000,
        "completedAt": NOON + 80_000_000,
        "cancelledAt": NOON + 70_000_000,
        "cancellationReason": "too late",
        "request": f'{{"note":[{{"text":"of {own}"}}]}}',
    }
    given = placed if number == 1 else dict.fromkeys(placed)
    order = built.node(own, "Order", name, externalId=f"PO{number}", system="crm", state="inProgress", **given)
    built.edge("PLACED_BY", order, f"customer-{own}")
    reserved = "x2" if name == "b2" else f"{other}{number}"
    for position, service in enumerate((f"{own}{number}", reserved)):
        _order_item(built, own, order, f"{name}.{position + 1}", service)
    for far in (f"{name}.2", f"{other}{number}.1"):
        built.edge("RELATES_TO", f"orderitem-{name}.1", f"orderitem-{far}", relationshipType="reliesOn")
    _cancellation(built, own, order, number)


def _order_item(built: Builder, own: str, order: str, item: str, service: str) -> None:
    position = int(item[-1]) - 1
    placed = {
        "action": "modify",
        "product": f"Line {item}",
        "offering": "Line 1G",
        "quantity": 1,
        "position": position,
        "siteA": "site-1",
        "siteZ": f"POP of {own}",
        "mbps": 100,
        "failure": "PORT",
        "failureDetail": f"port-p1 is full, says {own}",
        "request": f'{{"id":"{item}"}}',
    }
    given = placed if position == 0 else dict.fromkeys(placed)
    key = built.node(own, "OrderItem", item, externalId=item, system="crm", state="partial", **given)
    built.edge("HAS_ITEM", order, key)
    built.edge("PROVISIONS", key, f"service-{service}")
    if item == f"{own}1.1":
        _steps(built, own, key, " of item")


def _cancellation(built: Builder, own: str, order: str, number: int) -> None:
    is_over = number == 1
    cancellation = built.node(
        own,
        "OrderCancellation",
        f"{own}{number}",
        kind="product",
        system="crm",
        state="terminatedWithError" if is_over else "accepted",
        reason="too late" if is_over else None,
        requestedFor=NOON + 1_000 if is_over else None,
        askedAt=NOON + number,
        effectiveAt=NOON + 2_000 if is_over else None,
    )
    built.edge("CANCELS", cancellation, order)


def _lead(built: Builder, own: str) -> None:
    lead = built.node(
        own,
        "Lead",
        f"{own}1",
        reason="full",
        at=NOON,
        state="inProgress" if own == "a" else None,
        system="sales" if own == "a" else None,
        externalId="L1" if own == "a" else None,
        evidence='{"boosts":["boost-a1"]}' if own == "a" else None,
    )
    built.edge("ABOUT", lead, f"customer-{own}")
    built.edge("SUGGESTED_FOR", lead, f"service-{own}1")


def _boost(built: Builder, own: str, number: int) -> None:
    """The first runs, and was ordered here; the second was loaded, and is over."""
    name = f"{own}{number}"
    ordered = {
        "tier": "PREMIUM",
        "orderedAt": NOON - 7_000,
        "holdUntil": NOON - 6_000,
        "activatedAt": NOON + 1_000,
        "endedAt": NOON + 9_000,
        "chargedMbps": 400,
        "chargedFrom": NOON + 1_000,
        "series": f"series-{own}",
        "orderedBy": f"principal-{own}",
    }
    boost = built.node(
        own,
        "Boost",
        name,
        mbps=500 * number,
        startAt=NOON,
        endAt=NOON + 3_600_000 * number,
        status="ACTIVATED" if number == 1 else "TERMINATED",
        statusReason=None if number == 1 else "DURATION_EXPIRED",
        price=1999,
        currency="EUR",
        **(ordered if number == 1 else dict.fromkeys(ordered)),
    )
    built.edge("BOOSTS", boost, f"service-{own}1")
    if number == 1:
        for thing in ("port-p1", "trunk-1"):
            built.edge("RESERVES", boost, thing)
        _steps(built, own, boost, "")


def _steps(built: Builder, own: str, about: str, suffix: str) -> None:
    for stage, (name, system, state) in enumerate((("rate", "NETWORK", "DONE"), ("rate", "INVENTORY", "FAILED"))):
        step = built.node(
            own,
            "ProcessStep",
            f"{own}{stage}{suffix}",
            name=name,
            boundary="START",
            system=system,
            state=state,
            stage=stage,
            startedAt=NOON + stage,
            finishedAt=NOON + 1_000 if state == "DONE" else None,
            attempts=1 + stage,
            receipt="R1" if state == "DONE" else None,
            error=None if state == "DONE" else "it was busy",
        )
        built.edge("STEP_OF", step, about)
        if state == "FAILED" and not suffix:
            _task(built, own, step)


def _task(built: Builder, own: str, step: str) -> None:
    for number, state in enumerate(("OPEN", "SKIPPED")):
        is_over = state != "OPEN"
        built.node(
            "nobody",
            "Task",
            f"{own}{number}",
            kind="parkedDelivery",
            state=state,
            about=f"boost-{own}1",
            step=step if is_over else None,
            delivery=f"delivery-{own}1" if is_over else None,
            reason="it was refused three times",
            openedAt=NOON,
            settledAt=NOON + 5_000 if is_over else None,
            settledBy="loader" if is_over else None,
            note="the inventory has it" if is_over else None,
        )


def _interval(built: Builder, own: str, number: int) -> None:
    name = f"{own}{number}"
    _boost(built, own, number)
    usage = built.node(
        own,
        "Usage",
        name,
        **{"from": NOON, "to": NOON + 60_000 * number},
        mbps=500,
        octets=2**40 + number,
        kind="boost",
        **(_MEASURED if number == 1 else dict.fromkeys(_MEASURED)),
    )
    built.edge("USED_BY", usage, f"service-{own}{number}")
    downtime = built.node(
        own,
        "Downtime",
        name,
        effect="down",
        **{"from": NOON + number},
        to=NOON + 60_000 if number == 1 else None,
        availabilityPercent=99.9 if number == 1 else None,
        alarms='["alarm-s1"]',
    )
    built.edge("INTERRUPTS", downtime, f"service-{own}{number}")


_MEASURED: dict[str, Any] = {
    "state": "rated",
    "source": "nms-1",
    "externalId": "U1",
    "serviceRef": "circuit 1",
    "awaits": None,
    "record": '{"n":[1]}',
}


def _event(built: Builder, owner: str, name: str, about: str, customers: tuple[str, ...]) -> None:
    event = built.node(
        owner,
        "Event",
        name,
        type="AlarmRaised",
        aggregateId=about,
        aggregateVersion=len(customers),
        at=NOON + ord(name[0]),
        unplaced=NOON if name == "n1" else None,
        position=None if name == "n1" else 7_000_000_000 + ord(name[0]),
        principal="loader",
        payload='{"n":1}',
    )
    for each in customers:
        built.edge("CONCERNS_CUSTOMER", event, f"customer-{each}")


def _delivery(built: Builder, own: str, number: int) -> None:
    delivery = built.node(
        own,
        "Delivery",
        f"{own}1",
        system="desk",
        subject=f"customer-{own}",
        lane="desk#0",
        waiting="desk#0" if number else None,
        parked=None if number else "desk#0",
        held=None if number else "desk#0",
        parkedFor=None if number else "refused",
        lastAnswer=None if number else "no such customer",
        suspendedSince=NOON if number else None,
        since=NOON,
        orderKey=f"alarm-s1:customer-{own}",
        version=2,
        state="READY" if number else "DONE",
        attempts=number,
        createdAt=NOON,
        nextAt=NOON + 1_000 * number,
        lastError="it was busy" if number else None,
        payload='{"doing":"open"}',
    )
    built.edge("TELLS", delivery, "event-s1")
    built.edge("CARRIES_OUT", delivery, f"processstep-{own}1")


def _inventory(built: Builder) -> None:
    """What an inventory has sent, and where it differs: for operators only, whose ever the equipment is."""
    for number, state in enumerate(("received", "compared")):
        feed = built.node(
            "nobody",
            "InventoryFeed",
            f"f{number}",
            system="inventory",
            name=f"night-{number}",
            kind="full" if number else "incremental",
            state=state,
            principal="loader",
            resources=7 + number,
            notTaken=number,
            changes=number,
            differences=2 * number,
            reason=None if number else "a fault of ours",
            startedAt=NOON,
            receivedAt=NOON + 1_000,
            comparedAt=NOON + 2_000 if number else None,
        )
        built.node(
            "nobody",
            "InventoryDifference",
            f"d{number}",
            system="inventory",
            feed=feed,
            kind="property" if number else "missingHere",
            state="told" if number else "held",
            resourceType="Card",
            resource="card-c1" if number else None,
            name=f"K{number}",
            property="model" if number else None,
            theirs="C200" if number else None,
            ours="C100" if number else None,
            reason=None if number else "it still carries 1 service",
            record='{"kind":"Card"}',
            foundAt=NOON,
            settledAt=NOON + 3_000 if number else None,
        )
