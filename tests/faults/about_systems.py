"""Fault management, billing and the inventory hold what they should in the end: all of it, once, and as it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from graph.model.resource import Resource
from tests.faults.about_alarms import suffering
from tests.faults.books import Billed, Interval, Stocked
from tests.faults.equipment import OTHER_VENDOR
from tests.faults.evidence import Evidence
from tests.faults.kept import KeptEquipment
from tests.faults.kept_boosts import OURSELVES

_STATES = {"enable": "enabled", "disable": "disabled"}


def central(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The fault management system has every alarm once, as its source last said it, with all that it does."""
    own = {each.id for each in evidence.kept.alarms if each.source == OURSELVES}
    alarms = [each for each in evidence.books.alarms if each.alarm not in own]
    held = Counter(each.alarm for each in alarms)
    told = {each.alarm: each for each in evidence.told.alarms}
    yield from ((key, f"is there {held[key]} times") for key in held.keys() | told.keys() if held[key] != 1)
    affected = _affected(evidence)
    for alarm in alarms:
        remembered = told.get(alarm.alarm)
        if remembered is None:
            yield alarm.alarm, "is there, and nobody has told of it"
            continue
        severity = "cleared" if remembered.cleared else remembered.words.severity
        if (alarm.severity, alarm.state == "cleared") != (severity, remembered.cleared):
            yield alarm.alarm, f"is {alarm.state}, {alarm.severity} there, and its source said {severity}"
        if alarm.affected != affected[alarm.alarm]:
            yield alarm.alarm, f"affects {sorted(alarm.affected)} there, instead of {sorted(affected[alarm.alarm])}"


def usage(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Each record that the meter was told is heard is in the graph once, and in billing once, whoever it belongs to."""
    kept = Counter(each.external_id for each in evidence.kept.usage)
    told = Counter(each.external_id for each in evidence.told.metered)
    yield from ((key, f"is in the graph {kept[key]} times") for key in kept.keys() | told.keys() if kept[key] != 1)
    services = evidence.network.services
    wanted = Counter(
        Billed(
            usage=each.usage,
            service=each.service,
            customer=services[each.service].customer,
            octets=each.octets,
            start=each.start,
            end=each.end,
        )
        for each in evidence.told.metered
        if each.service is not None
    )
    billed = Counter(evidence.books.usage)
    yield from ((each.usage, f"is missing in billing: {each}") for each in wanted - billed)
    yield from ((each.usage, f"is in billing once too often, or so: {each}") for each in billed - wanted)
    for record in evidence.kept.usage:
        by = next((each.service for each in evidence.told.metered if each.usage == record.id), None)
        if record.service != by:
            yield record.external_id, f"belongs to {record.service}, and was told of {by}"


def downtime(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Billing has the graph's intervals, which do not overlap, and is told that what a service suffers lasts."""
    kept, billed = Counter(evidence.kept.downtime), Counter(evidence.books.downtime)
    yield from ((each.id, f"is missing in billing: {each}") for each in kept - billed)
    yield from ((each.id, f"is in billing once too often, or so: {each}") for each in billed - kept)
    by_service: defaultdict[str, list[Interval]] = defaultdict(list)
    for each in evidence.kept.downtime:
        by_service[each.service].append(each)
    for service, suffers in suffering(evidence).items():
        found = sorted(by_service[service], key=lambda each: (each.start, each.end is None, each.end or 0))
        yield from ((service, what) for what in _overlaps(found))
        lasting = [each.effect for each in found if each.end is None]
        if lasting != ([suffers.effect] if suffers.effect else []):
            yield service, f"has intervals that last, {lasting}, and suffers {suffers.effect}"


def stock(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The inventory has what it had and what was told to it, each thing once; what somebody settled is one thing now."""
    known = {each.id: each for each in evidence.kept.equipment}
    names = {ours: each.name for ours, each in evidence.equipment.resources.items()}
    there: defaultdict[str, list[Stocked]] = defaultdict(list)
    ours_of = {name: ours for ours, name in names.items()}
    for each in evidence.books.stock:
        there[each.ours or ours_of.get(each.id, each.id)].append(each)
    yield from ((key, "is in the inventory, and nobody knows why") for key in there.keys() - names.keys())
    settled = {(each.resource, each.kind): each.side for each in evidence.told.settled}
    for ours, resource in evidence.equipment.resources.items():
        wanted = 0 if ours in evidence.equipment.lost and (ours, "MISSING_THERE") not in settled else 1
        if len(there[ours]) != wanted:
            yield ours, f"is in the inventory {len(there[ours])} times, instead of {wanted}"
        for each in there[ours]:
            yield from ((ours, what) for what in _of_one(each, known[ours], resource))
        yield from ((ours, what) for what in _vendor(evidence, there[ours], known[ours], settled))


def feeds(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Each feed that was heard was compared; what differs still is what nobody has settled."""
    states = dict(evidence.kept.feeds)
    for name in evidence.told.feeds:
        if states.get(name) != "compared":
            yield name, f"is {states.get(name)}"
    settled = {(each.resource, each.kind) for each in evidence.told.settled}
    lost = {(ours, "MISSING_THERE") for ours in evidence.equipment.lost}
    wrong = {(ours, "PROPERTY") for ours in evidence.equipment.wrong}
    wanted = Counter((lost | wrong) - settled)
    found = Counter((each.resource or "", _KINDS.get(each.kind, each.kind)) for each in evidence.kept.differences)
    yield from ((ours, f"is {kind} no more, and nobody has settled that") for ours, kind in wanted - found)
    yield from ((ours, f"is {kind} still, or anew") for ours, kind in found - wanted)


_KINDS = {"missingThere": "MISSING_THERE", "property": "PROPERTY"}


def _affected(evidence: Evidence) -> defaultdict[str, frozenset[tuple[str, str, str | None, str]]]:
    """Give, by alarm, what it does to services."""
    found: defaultdict[str, set[tuple[str, str, str | None, str]]] = defaultdict(set)
    for service, suffers in suffering(evidence).items():
        for alarm in suffers.parts:
            customer = evidence.network.services[service].customer
            found[alarm].add((service, str(suffers.effect), suffers.severity, customer))
    return defaultdict(frozenset, {alarm: frozenset(each) for alarm, each in found.items()})


def _overlaps(found: list[Interval]) -> Iterator[str]:
    for before, after in pairwise(found):
        if before.end is None or before.end > after.start:
            yield f"has an interval from {after.start} on before that of {before.start} ended"


def _of_one(there: Stocked, kept: KeptEquipment, resource: Resource) -> Iterator[str]:
    if kept.names != (there.id,):
        yield f"is called {there.id} there, and known as {kept.names}"
    if _STATES.get(there.operational_state or "") != kept.operational_state:
        yield f"is {there.operational_state} there, and {kept.operational_state} in the graph"
    if resource.kind in ("Card", "Port") and there.inside != resource.inside:
        yield f"lies in {there.inside} there, instead of {resource.inside}"
    if resource.kind == "Trunk" and there.ends != frozenset(resource.ends or ()):
        yield f"ends on {sorted(there.ends)} there"


def _vendor(
    evidence: Evidence, there: list[Stocked], kept: KeptEquipment, settled: dict[tuple[str, str], str]
) -> Iterator[str]:
    """What was said wrongly is as whoever settled it has decided, on both sides."""
    loaded = evidence.equipment.resources[kept.id].properties.get("vendor")
    theirs = OTHER_VENDOR if kept.id in evidence.equipment.wrong else loaded
    side = settled.get((kept.id, "PROPERTY"))
    wanted = {"GRAPH": (loaded, loaded), "INVENTORY": (theirs, theirs)}.get(side or "", (loaded, theirs))
    if (kept.vendor, *(each.vendor for each in there)) != (wanted[0], *([wanted[1]] * len(there))):
        yield f"is by {kept.vendor}, and there by {[each.vendor for each in there]}, instead of {wanted}"
