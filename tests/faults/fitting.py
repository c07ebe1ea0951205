"""Evidence that fits, small enough to know by heart, for the tests that tamper with it.

alarm-1 on card-1 is open: service-1 (PREMIUM, customer-1) is down by its access, service-2 (STANDARD, customer-2) by its
only path. alarm-2 on trunk-1 was open and is cleared: it hit service-2. service-3 has nothing to do with either.
"""

from __future__ import annotations

from typing import Final

from adapters.simulator.fault_management import SIGNAL, UNIT
from graph.effects import Routes
from tests.faults.evidence import (
    Affect,
    Evidence,
    Held,
    KeptAlarm,
    KeptDelivery,
    KeptEvent,
    KeptService,
    KeptTicket,
    Received,
)
from tests.faults.network import Network, Service
from tests.faults.sources import Remembered

NETWORK: Final = Network(
    services={
        "service-1": Service(
            id="service-1", customer="customer-1", tier="PREMIUM", routes=Routes(access=("port-1",), working=())
        ),
        "service-2": Service(
            id="service-2", customer="customer-2", tier="STANDARD", routes=Routes(access=(), working=("trunk-1",))
        ),
        "service-3": Service(
            id="service-3", customer="customer-3", tier="BASIC", routes=Routes(access=(), working=("trunk-9",))
        ),
    },
    fails_with={"card-1": frozenset({"card-1", "port-1", "trunk-1"}), "trunk-1": frozenset({"trunk-1"})},
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
    doing, status, severity = says
    return KeptDelivery(
        id=f"{event}:ticketing:customer-{customer}",
        order_key=f"alarm-{number}:customer-{customer}",
        version=version,
        state="DONE",
        error=None,
        doing=doing,
        status=status,
        severity=severity,
        event=event,
        event_version=version,
    )


DELIVERIES: Final = (
    delivery("event-a", 2, 2, 1, ("open", "acknowledged", "major")),
    delivery("event-b", 1, 1, 1, ("open", "acknowledged", "critical")),
    delivery("event-b", 1, 2, 1, ("open", "acknowledged", "major")),
    delivery("event-c", 2, 2, 2, ("resolve", "resolved", "major")),
)
TICKETS: Final = {
    "alarm-1:customer-1": ("acknowledged", "critical"),
    "alarm-1:customer-2": ("acknowledged", "major"),
    "alarm-2:customer-2": ("resolved", "major"),
}


def received(of: KeptDelivery) -> Received:
    method = "POST" if of.doing == "open" else "PATCH"
    return Received(method=method, external_id=of.order_key, status=of.status, severity=of.severity, delivery=of.id)


GOOD: Final = Evidence(
    network=NETWORK,
    remembered=(remembered(1, "card-1", cleared=False), remembered(2, "trunk-1", cleared=True)),
    alarms=(alarm(1, "card-1", 1, cleared=False), alarm(2, "trunk-1", 2, cleared=True)),
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
    deliveries=DELIVERIES,
    events=tuple(
        KeptEvent(id=f"event-{letter}", aggregate=f"alarm-{number}", version=version)
        for letter, number, version in (("a", 2, 1), ("b", 1, 1), ("c", 2, 2))
    ),
    journal=tuple(received(each) for each in DELIVERIES),
    held=tuple(
        Held(id=f"TT-{key}", external_id=key, status=status, severity=severity, customer=key.split(":")[1])
        for key, (status, severity) in TICKETS.items()
    ),
)
