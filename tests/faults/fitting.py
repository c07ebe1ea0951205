"""Evidence that fits, small enough to know by heart, for the tests that tamper with it.

alarm-1 on card-1 is open: service-1 (PREMIUM, customer-1) is down by its access, service-2 (STANDARD, customer-2) by its
only path. alarm-2 on trunk-1 was open and is cleared: it hit service-2. service-3 has nothing to do with either.
The meter has told of service-1, and of a name that nobody knows. The inventory has lost port-1, which somebody has told to
it, and says a wrong vendor of element-1 and element-2; somebody has taken the graph's side for the first. `fitting_bandwidth.py` has the
boosts of service-1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from adapters.simulator.fault_management.fault_management import SIGNAL, UNIT
from graph.model.resource import Resource
from tests.faults.books import Billed, Books, Held, HeldAlarm, Interval, Received, Stocked
from tests.faults.equipment import OTHER_VENDOR, Equipment
from tests.faults.evidence import Evidence, Told
from tests.faults.fitting_bandwidth import BOOKED, BOOSTS, COMMITTED, RATE_EVENTS, RATES
from tests.faults.fitting_streams import HAPPENED, HEARD
from tests.faults.kept import (
    Affect,
    Kept,
    KeptAlarm,
    KeptDelivery,
    KeptDifference,
    KeptEquipment,
    KeptEvent,
    KeptService,
    KeptTicket,
    KeptUsage,
)
from tests.faults.kept_boosts import OURSELVES
from tests.faults.meter import Metered
from tests.faults.network import Network, Service
from tests.faults.sources import Remembered
from tests.faults.stock import Settled
from tests.faults.systems import BILLING, FAULT_MANAGEMENT, INVENTORY, TICKETING
from tests.naive_effects import Needs

NETWORK: Final = Network(
    services={
        "service-1": Service(
            id="service-1",
            customer="customer-1",
            tier="PREMIUM",
            needs=Needs(access=("port-1",), working=()),
            committed=COMMITTED,
        ),
        "service-2": Service(
            id="service-2",
            customer="customer-2",
            tier="STANDARD",
            needs=Needs(access=(), working=("trunk-1",)),
            committed=10,
        ),
        "service-3": Service(
            id="service-3",
            customer="customer-3",
            tier="BASIC",
            needs=Needs(access=(), working=("trunk-9",)),
            committed=20,
        ),
    },
    fails_with={"card-1": frozenset({"card-1", "port-1", "trunk-1"}), "trunk-1": frozenset({"trunk-1"})},
    capacity={"port-1": 250, "trunk-1": 1_000, "trunk-9": 1_000},
)


def remembered(number: int, target: str, *, cleared: bool) -> Remembered:
    return Remembered(
        source="nms-1",
        external_id=f"FM-{number}",
        target=target,
        alarm=f"alarm-{number}",
        cleared=cleared,
        words=UNIT if target.startswith("card") else SIGNAL,
        ever_asserted=True,
    )


def alarm(number: int, target: str, version: int, *, cleared: bool) -> KeptAlarm:
    return KeptAlarm(
        id=f"alarm-{number}",
        source="nms-1",
        external_id=f"FM-{number}",
        state="cleared" if cleared else "raised",
        severity="cleared" if cleared else "critical",
        target=target,
        version=version,
    )


def delivery(event: str, number: int, customer: int, version: int, says: tuple[str, str, str]) -> KeptDelivery:
    """Of a ticket."""
    doing, status, severity = says
    key = f"alarm-{number}:customer-{customer}"
    payload = {"doing": doing, "status": status, "severity": severity}
    return _delivery(f"{event}:{TICKETING}:customer-{customer}", key, version, payload)


def _delivery(known_as: str, key: str, version: int, payload: dict[str, str] | None = None) -> KeptDelivery:
    event, system, _ = known_as.split(":")
    return KeptDelivery(
        id=known_as,
        system=system,
        order_key=key,
        version=version,
        state="DONE",
        error=None,
        payload=payload or {},
        event=event,
        event_version=version,
    )


def _amending(aspect: str) -> dict[str, Any]:
    return {"doing": "amend", "resource": {"properties": {aspect: "right"}}}


TICKET_DELIVERIES: Final = (
    delivery("event-a", 2, 2, 1, ("open", "acknowledged", "major")),
    delivery("event-b", 1, 1, 1, ("open", "acknowledged", "critical")),
    delivery("event-b", 1, 2, 1, ("open", "acknowledged", "major")),
    delivery("event-c", 2, 2, 2, ("resolve", "resolved", "major")),
)
OTHER_DELIVERIES: Final = (
    _delivery(f"event-a:{FAULT_MANAGEMENT}:alarm-2", "alarm-2", 1),
    _delivery(f"event-c:{FAULT_MANAGEMENT}:alarm-2", "alarm-2", 2),
    _delivery(f"event-b:{FAULT_MANAGEMENT}:alarm-1", "alarm-1", 1),
    _delivery(f"event-d:{BILLING}:service-1", "service-1", 1),
    _delivery(f"event-e:{BILLING}:service-1", "service-1", 2),
    _delivery(f"event-f:{INVENTORY}:port-1", "port-1", 1, {"doing": "create"}),
    _delivery(f"event-g:{INVENTORY}:port-1", "port-1", 2, {"doing": "create"}),
    _delivery(f"event-h:{INVENTORY}:element-1", "element-1", 1, _amending("vendor")),
    _delivery(f"event-i:{INVENTORY}:element-1", "element-1", 2, _amending("operationalState")),
    _delivery(f"event-j:{INVENTORY}:element-1", "element-1", 3, _amending("vendor")),
)
"""What billing is told of downtime is not among them. The second of port-1 found it there already, as did the later ones of element-1."""
NOT_NEEDED: Final = frozenset({"event-g", "event-i", "event-j"})
TICKETS: Final = {
    "alarm-1:customer-1": ("acknowledged", "critical"),
    "alarm-1:customer-2": ("acknowledged", "major"),
    "alarm-2:customer-2": ("resolved", "major"),
}


def received(of: KeptDelivery) -> Received:
    """Of a ticket."""
    method = "POST" if of.payload["doing"] == "open" else "PATCH"
    return Received(
        system=TICKETING,
        method=method,
        delivery=of.id,
        external_id=of.order_key,
        status=of.payload["status"],
        severity=of.payload["severity"],
    )


def heard(of: KeptDelivery) -> Received:
    """Of anything else."""
    return Received(system=of.system, method="POST", delivery=of.id)


EQUIPMENT: Final = Equipment(
    resources={
        "element-1": Resource(kind="NetworkElement", name="E1", properties={"vendor": "Acme"}),
        "element-2": Resource(kind="NetworkElement", name="E2", properties={"vendor": "Acme"}),
        "port-1": Resource(kind="Port", name="P1", inside="C1"),
        "port-2": Resource(kind="Port", name="P2", inside="C1"),
    },
    lost=frozenset({"port-1", "port-2"}),
    wrong=frozenset({"element-1", "element-2"}),
)
TOLD: Final = Told(
    alarms=(remembered(1, "card-1", cleared=False), remembered(2, "trunk-1", cleared=True)),
    metered=(
        Metered(usage="usage-1", external_id="CDR-1", service="service-1", octets=7, start=0, end=9),
        Metered(usage="usage-2", external_id="CDR-2", service=None, octets=7, start=0, end=9),
    ),
    settled=(
        Settled(resource="port-1", kind="MISSING_THERE", side="GRAPH"),
        Settled(resource="port-1", kind="MISSING_THERE", side="GRAPH"),
        Settled(resource="element-1", kind="PROPERTY", side="GRAPH"),
    ),
    feeds=("full-1",),
    booked=BOOKED,
)
DOWNTIME: Final = (
    Interval(id="downtime-1", service="service-2", effect="degraded", start=1, end=2),
    Interval(id="downtime-2", service="service-2", effect="down", start=2, end=None),
    Interval(id="downtime-3", service="service-1", effect="down", start=2, end=None),
)
KEPT: Final = Kept(
    alarms=(
        alarm(1, "card-1", 1, cleared=False),
        alarm(2, "trunk-1", 2, cleared=True),
        replace(alarm(3, "port-1", 0, cleared=True), source=OURSELVES),
    ),
    services=(
        KeptService(
            id="service-1",
            effect="down",
            affected_by={"alarm-1": Affect(effect="down", severity="critical", parts="access")},
        ),
        KeptService(
            id="service-2",
            effect="down",
            affected_by={"alarm-1": Affect(effect="down", severity="major", parts="working")},
        ),
        KeptService(id="service-3", effect=None, affected_by={}),
    ),
    tickets=tuple(
        KeptTicket(
            order_key=key,
            their_id=f"TT-{key}",
            alarm=key.split(":")[0],
            customer=key.split(":")[1],
            status=status,
            severity=severity,
        )
        for key, (status, severity) in TICKETS.items()
    ),
    usage=(
        KeptUsage(id="usage-1", external_id="CDR-1", service="service-1", octets=7),
        KeptUsage(id="usage-2", external_id="CDR-2", service=None, octets=7),
    ),
    downtime=DOWNTIME,
    equipment=(
        KeptEquipment(id="element-1", vendor="Acme", operational_state="enabled", names=("E1",)),
        KeptEquipment(id="element-2", vendor="Acme", operational_state="disabled", names=("E2",)),
        KeptEquipment(id="port-1", vendor=None, operational_state="enabled", names=("R-1",)),
        KeptEquipment(id="port-2", vendor=None, operational_state="enabled", names=("P2",)),
    ),
    differences=(
        KeptDifference(resource="element-2", kind="property"),
        KeptDifference(resource="port-2", kind="missingThere"),
    ),
    feeds=(("full-1", "compared"),),
    deliveries=(*TICKET_DELIVERIES, *OTHER_DELIVERIES),
    events=(
        *(
            KeptEvent(id=f"event-{letter}", aggregate=f"alarm-{number}", version=version)
            for letter, number, version in (("a", 2, 1), ("b", 1, 1), ("c", 2, 2))
        ),
        *(
            KeptEvent(id=f"event-{letter}", aggregate=aggregate, version=version)
            for letter, aggregate, version in (
                ("d", "service-1", 1),
                ("e", "service-1", 2),
                ("f", "port-1", 1),
                ("g", "port-1", 2),
                ("h", "element-1", 1),
                ("i", "element-1", 2),
                ("j", "element-1", 3),
            )
        ),
    ),
    boosts=BOOSTS,
)
BOOKS: Final = Books(
    journal=(
        *(received(each) for each in TICKET_DELIVERIES),
        *(heard(each) for each in OTHER_DELIVERIES if each.event not in NOT_NEEDED),
        Received(system=INVENTORY, method="PATCH", delivery=None),
    ),
    tickets=tuple(
        Held(id=f"TT-{key}", external_id=key, status=status, severity=severity, customer=key.split(":")[1])
        for key, (status, severity) in TICKETS.items()
    ),
    alarms=(
        HeldAlarm(
            alarm="alarm-1",
            state="raised",
            severity="critical",
            affected=frozenset(
                {
                    ("service-1", "down", "critical", "customer-1"),
                    ("service-2", "down", "major", "customer-2"),
                }
            ),
        ),
        HeldAlarm(alarm="alarm-2", state="cleared", severity="cleared", affected=frozenset()),
        HeldAlarm(alarm="alarm-3", state="cleared", severity="cleared", affected=frozenset()),
    ),
    usage=(Billed(usage="usage-1", service="service-1", customer="customer-1", octets=7, start=0, end=9),),
    downtime=DOWNTIME,
    stock=(
        _stocked := Stocked(
            id="E1",
            ours=None,
            kind="networkElement",
            name="E1",
            vendor="Acme",
            operational_state="enable",
            inside=None,
            ends=frozenset(),
        ),
        replace(_stocked, id="E2", name="E2", vendor=OTHER_VENDOR, operational_state="disable"),
        replace(_stocked, id="R-1", ours="port-1", kind="port", vendor=None, inside="C1"),
    ),
    rates=RATES,
)
GOOD: Final = Evidence(
    network=NETWORK,
    equipment=EQUIPMENT,
    told=TOLD,
    kept=KEPT,
    books=BOOKS,
    happened=(*HAPPENED, *RATE_EVENTS),
    heard=HEARD,
)
