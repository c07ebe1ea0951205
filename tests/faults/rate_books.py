"""What the other systems hold of boosts, in plain values: which rates the network has carried, who was told, what is billed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.simulator.journal import read_journal
from adapters.tmf.tmf630 import read_time
from tests.faults.systems import BILLING, EVENTS, INVENTORY, PERFORMANCE, PROVISIONING, SALES, Systems

BOOST_KINDS: Final = ("boost", "boostCredit")
_USAGE: Final = "tmf-api/usageManagement/v4/usage"
_SERVICES: Final = "/tmf-api/serviceInventory/v4/service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """The network has carried this rate for a service since a moment."""

    service: str
    mbps: int
    at: int
    """epoch milliseconds UTC."""
    ways: frozenset[str]
    """what the network made of the delivery that asked for it (`adapters.simulator.provisioning.behaviour.Way`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledBoost:
    """A record of usage of a boost, or its credit, as billing shows it."""

    id: str
    """our id."""
    kind: str
    service: str
    customer: str
    mbps: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTold:
    """A rate of a service that a system was told."""

    service: str
    mbps: int
    event: str = ""
    """the id of the event, where it is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateBooks:
    """All of it."""

    network: Mapping[str, int]
    """what the network carries now for each service, in Mbit/s,"""
    carried: tuple[Carried, ...]
    """and what it has carried, in the order of time."""
    measured: tuple[RateTold, ...]
    """the jobs of performance monitoring."""
    stocked: Mapping[str, int]
    """what the inventory shows for each service, in Mbit/s."""
    events: tuple[RateTold, ...]
    """what fault management has heard, in the order in which it came."""
    billed: tuple[BilledBoost, ...]
    leads: tuple[str, ...]
    """our ids of the leads that sales has."""


async def read_rate_books(systems: Systems) -> RateBooks:
    """Ask every system."""
    ask = systems.stand_ins
    usage = await ask[BILLING].listed(_USAGE)
    inventory = await ask[INVENTORY].listed(_SERVICES)
    return RateBooks(
        network=dict(_rates(await ask[PROVISIONING].listed("service"))),
        carried=tuple(_carried(read_journal(ask[PROVISIONING].journal))),
        measured=tuple(_job(each) for each in await ask[PERFORMANCE].listed("measurementCollectionJob")),
        stocked=dict(_rates(inventory)),
        events=tuple(_events(await ask[EVENTS].listed("event"))),
        billed=tuple(_billed(each) for each in usage if each["usageType"] in BOOST_KINDS),
        leads=tuple(_lead(each) for each in await ask[SALES].listed("salesLead")),
    )


def _rates(services: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, int]]:
    for each in services:
        yield each["id"], int(_values(each["serviceCharacteristic"])["bandwidth"])


def _carried(lines: Sequence[Mapping[str, Any]]) -> Iterator[Carried]:
    ways: defaultdict[str, set[str]] = defaultdict(set)
    for each in lines:
        if each["kind"] == "asked":
            ways[each["idempotencyKey"] or ""].add(each["way"])
    for each in lines:
        if each["kind"] == "carried":
            by = frozenset(ways[each["key"]])
            yield Carried(service=each["service"], mbps=each["mbps"], at=each["at"], ways=by)


def _job(job: Mapping[str, Any]) -> RateTold:
    service = job["monitoredClassCriteria"]["objectInstanceFilter"].removeprefix("id=")
    return RateTold(service=service, mbps=int(_values(job["characteristic"])["rateMbps"]))


def _events(events: Iterable[Mapping[str, Any]]) -> Iterator[RateTold]:
    for each in events:
        service = each["event"]["service"]
        said = _values(service["serviceCharacteristic"])
        yield RateTold(service=service["id"], mbps=int(said["effectiveMbps"]), event=each["eventId"])


def _billed(usage: Mapping[str, Any]) -> BilledBoost:
    said = _values(usage["usageCharacteristic"])
    return BilledBoost(
        id=said["externalId"],
        kind=usage["usageType"],
        service=said["service"],
        customer=usage["relatedParty"][0]["id"],
        mbps=int(said["mbps"]),
        start=read_time(said["startDateTime"], "startDateTime"),
        end=read_time(said["endDateTime"], "endDateTime"),
    )


def _lead(lead: Mapping[str, Any]) -> str:
    return str(next(each["id"] for each in lead["externalIdentifier"]))


def _values(characteristics: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in characteristics}
