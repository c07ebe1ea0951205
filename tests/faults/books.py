"""What the other systems hold and have heard, in plain values: read by asking each of them, and from its journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.inventory.tmf639_resource import OURS
from adapters.simulator.journal import read_journal
from adapters.tmf.tmf630 import read_time
from tests.faults.rate_books import BOOST_KINDS, RateBooks, read_rate_books
from tests.faults.systems import (
    BILLING,
    EVENTS,
    FAULT_MANAGEMENT,
    INVENTORY,
    NAMES,
    PROVISIONING,
    TICKETING,
    Systems,
)

_USAGE: Final = "tmf-api/usageManagement/v4/usage"
_PROBLEM: Final = "tmf-api/serviceProblemManagement/v4/serviceProblem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A change that a system acted upon, as its journal has it."""

    system: str
    method: str
    delivery: str | None
    """the idempotency key; None: a person's work."""
    external_id: str = ""
    """of a ticket: what it is found by."""
    status: str = ""
    severity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A ticket as the ticketing system shows it."""

    id: str
    external_id: str
    status: str
    severity: str
    customer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAlarm:
    """An alarm as the fault management system shows it."""

    alarm: str
    """our id."""
    state: str
    severity: str
    affected: frozenset[tuple[str, str, str | None, str]]
    """service, effect, severity, customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """A record of usage as billing shows it."""

    usage: str
    """our id."""
    service: str
    customer: str
    octets: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A service had one effect: as billing shows it, and as the graph has it."""

    id: str
    """our id."""
    service: str
    effect: str
    start: int
    end: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocked:
    """A resource as the inventory shows it."""

    id: str
    ours: str | None
    """our id, where we have told of it."""
    kind: str
    name: str
    vendor: str | None
    operational_state: str | None
    inside: str | None
    ends: frozenset[str]
    """the names of its ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """All of it."""

    journal: tuple[Received, ...]
    tickets: tuple[Held, ...]
    alarms: tuple[HeldAlarm, ...]
    usage: tuple[Billed, ...]
    downtime: tuple[Interval, ...]
    stock: tuple[Stocked, ...]
    rates: RateBooks
    """what they hold of boosts."""


async def read_books(systems: Systems) -> Books:
    """Ask every system."""
    ask = systems.stand_ins
    return Books(
        journal=tuple(_journals(systems)),
        tickets=tuple(_ticket(each) for each in await ask[TICKETING].listed("troubleTicket")),
        alarms=tuple(_alarm(each) for each in await ask[FAULT_MANAGEMENT].listed("alarm")),
        usage=tuple(_usage(each) for each in await ask[BILLING].listed(_USAGE) if each["usageType"] not in BOOST_KINDS),
        downtime=tuple(_problem(each) for each in await ask[BILLING].listed(_PROBLEM)),
        stock=tuple(_resource(each) for each in await ask[INVENTORY].listed("resource")),
        rates=await read_rate_books(systems),
    )


def _journals(systems: Systems) -> Iterator[Received]:
    for name in NAMES:
        for line in read_journal(systems.stand_ins[name].journal):
            if name == PROVISIONING and line["kind"] != "asked":
                continue
            told: Mapping[str, Any] = line if name == TICKETING else {}
            yield Received(
                system=FAULT_MANAGEMENT if name == EVENTS else name,
                method=str(line.get("method", "PATCH")),
                delivery=str(line["idempotencyKey"]) if line["idempotencyKey"] is not None else None,
                external_id=told.get("externalId", ""),
                status=told.get("status", ""),
                severity=told.get("severity", ""),
            )


def _ticket(ticket: Mapping[str, Any]) -> Held:
    return Held(
        id=ticket["id"],
        external_id=ticket["externalId"],
        status=ticket["status"],
        severity=ticket["severity"],
        customer=ticket["relatedParty"][0]["id"],
    )


def _alarm(alarm: Mapping[str, Any]) -> HeldAlarm:
    return HeldAlarm(
        alarm=alarm["externalAlarmId"],
        state=alarm["state"],
        severity=alarm["perceivedSeverity"],
        affected=frozenset(
            (each["id"], each["effect"], each.get("severity"), each["customer"]["id"])
            for each in alarm["affectedService"]
        ),
    )


def _usage(usage: Mapping[str, Any]) -> Billed:
    said = {each["name"]: each["value"] for each in usage["usageCharacteristic"]}
    return Billed(
        usage=said["externalId"],
        service=said["service"],
        customer=usage["relatedParty"][0]["id"],
        octets=int(said["octets"]),
        start=read_time(said["startDateTime"], "startDateTime"),
        end=read_time(said["endDateTime"], "endDateTime"),
    )


def _problem(problem: Mapping[str, Any]) -> Interval:
    said = {each["name"]: each["value"] for each in problem["characteristic"]}
    end = problem.get("resolutionDate")
    return Interval(
        id=problem["externalIdentifier"][0]["id"],
        service=problem["affectedService"][0]["id"],
        effect=said["effect"],
        start=read_time(problem["creationDate"], "creationDate"),
        end=None if end is None else read_time(end, "resolutionDate"),
    )


def _resource(resource: Mapping[str, Any]) -> Stocked:
    said = {each["name"]: each["value"] for each in resource["resourceCharacteristic"]}
    related = [(each["relationshipType"], each["resource"]["id"]) for each in resource["resourceRelationship"]]
    return Stocked(
        id=resource["id"],
        ours=said.get(OURS),
        kind=resource["category"],
        name=resource["name"],
        vendor=said.get("vendor"),
        operational_state=resource.get("operationalState"),
        inside=next((other for kind, other in related if kind == "isContainedIn"), None),
        ends=frozenset(other for kind, other in related if kind in ("aEnd", "zEnd")),
    )
