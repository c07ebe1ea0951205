"""Of boosts: what customers were told is there, every service has returned, and nothing was sold, set, charged or told twice.

What must be true follows from what customers remember, from the network as it was loaded, and from what the network has carried by its
own journal. Charges are worked out a second time: by the moments at which the network has confirmed rates, second by second of all
boosts that ran then.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from tests.faults.evidence import Evidence
from tests.faults.kept_boosts import OURSELVES, KeptBoost, KeptCharge
from tests.faults.rate_books import BilledBoost, Carried

_HOLDS_NOTHING: Final = ("feasibilityChecked", "terminated")
_LATEST_MS: Final = 30_000
"""after which no request acts any more that has asked for a rate."""
_OTHER_WAYS: Final = frozenset({"otherRate", "secret"})
"""Ways in which the network sets what it was not asked for, or says nothing of what it does."""
_LEAD_BOOSTS: Final = 3
_CHANGED: Final = "ServiceRateChanged"
_RATES: Final = frozenset({_CHANGED, "ServiceThresholdSet"})
"""The types of events that tell those who watch the network of a rate."""
_SECOND_MS: Final = 1_000


def bookings(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What a customer was told of a boost is in the graph, once, as it was told last; and no boost that nobody was told of."""
    kept = {each.id: each for each in evidence.kept.boosts.boosts}
    told = {each.boost: each for each in evidence.told.booked}
    yield from ((each, "was booked, and is lost") for each in sorted(told.keys() - kept.keys()))
    yield from ((each, "is there, and nobody was told of it") for each in sorted(kept.keys() - told.keys()))
    for boost in sorted(told.keys() & kept.keys()):
        there, said = kept[boost], told[boost]
        if (there.service, there.mbps, there.start) != (said.service, said.mbps, said.start):
            yield boost, f"is {there}, and was told as {said}"
        if there.end != said.end and not (there.reason == "BOOKING_DECLINED" and there.end < said.end):
            yield boost, f"ends at {there.end}, and was told to end at {said.end}"


def returns(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Every boost is over, its service has its old rate in the network and in the graph, and nothing says that it has not."""
    for boost in evidence.kept.boosts.boosts:
        if boost.status != "TERMINATED" or boost.ended_at is None:
            yield boost.id, f"is {boost.status}, and should be over"
    for rate in evidence.kept.boosts.rates:
        committed = evidence.network.services[rate.service].committed
        if (there := evidence.books.rates.network.get(rate.service)) != committed:
            yield rate.service, f"has {there} Mbit/s in the network, and should have returned to {committed}"
        if {rate.committed, rate.booked, rate.effective} != {committed} or rate.may_carry is not None:
            yield rate.service, f"has the rates {rate} in the graph, and should have returned to {committed}"
    own = {each.id: each.state for each in evidence.kept.alarms if each.source == OURSELVES}
    states = Counter((each.alarm, each.state) for each in evidence.books.alarms if each.alarm in own)
    for alarm, state in own.items():
        if state != "cleared" or states != states | Counter({(alarm, "cleared"): 1}):
            yield alarm, "says that a service has not returned, and it has"
    for (alarm, state), count in states.items():
        if state != "cleared" or count > 1:
            yield alarm, f"is {state} in fault management, {count} times"


def carried(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The network has set each rate once, and none that nobody had booked."""
    by_service: defaultdict[str, list[Carried]] = defaultdict(list)
    for each in evidence.books.rates.carried:
        by_service[each.service].append(each)
    for service, rates in by_service.items():
        committed = evidence.network.services[service].committed
        spans = [_span(each) for each in _of_service(evidence, service)]
        for each in rates:
            if "otherRate" not in each.ways and each.mbps - committed not in _booked_lately(spans, each.at):
                yield service, f"was set to {each.mbps} Mbit/s at {each.at}, and nobody had booked that"
        for before, after in pairwise(rates):
            if before.mbps == after.mbps and not (before.ways | after.ways) & _OTHER_WAYS:
                yield service, f"was set to {after.mbps} Mbit/s at {before.at}, and once more at {after.at}"


def charges(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Charged is what ran and the network had confirmed: no more, no less, and never more than the network carried."""
    rates = evidence.kept.boosts
    usage = [each for each in rates.charges if each.kind == "boost"]
    yield from _charges_of_boosts({each.id: each for each in rates.boosts}, usage)
    for service in sorted({each.service for each in rates.boosts} | {each.service for each in usage}):
        committed = evidence.network.services[service].committed
        charged = [each for each in usage if each.service == service]
        confirmed = [
            (each.at, each.payload["effectiveMbps"] - committed)
            for each in evidence.happened
            if each.type == _CHANGED and each.about == service
        ]
        found = sum(each.mbps * (each.end - each.start) for each in charged)
        if found != (wanted := _amount(_of_service(evidence, service), confirmed)):
            yield service, f"was charged {found} Mbit/s x ms, and the integral of its rates is {wanted}"
        there = [(each.at, each.mbps - committed) for each in evidence.books.rates.carried if each.service == service]
        for start in sorted({each.start for each in charged}):
            if (much := sum(each.mbps for each in charged if each.start <= start < each.end)) > _at(there, start):
                yield service, f"was charged {much} Mbit/s at {start}, and the network carried {_at(there, start)} more"


def bills(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Billing has each record of usage once, to the second, and each credit once."""
    owners = {each.id: each.customer for each in evidence.network.services.values()}
    wanted = Counter(
        billed
        for each in evidence.kept.boosts.charges
        if (billed := _to_the_second(each, owners[each.service])) is not None
    )
    there = Counter(evidence.books.rates.billed)
    yield from ((each.id, f"is missing in billing: {each}") for each in wanted - there)
    yield from ((each.id, f"is in billing once too often, or so: {each}") for each in there - wanted)
    credits_ = Counter(each.boost for each in evidence.kept.boosts.charges if each.kind == "boostCredit")
    yield from ((boost, f"has {count} credits") for boost, count in credits_.items() if count > 1)


def capacity(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """No port and no trunk was booked beyond what it carries, at any moment; and what is over holds nothing."""
    loads: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for boost in evidence.kept.boosts.boosts:
        start, end, mbps = _span(boost)
        if boost.reserves:
            yield boost.id, f"holds capacity of {boost.reserves} things, and is over"
        if start < end:
            for thing in _things(evidence, boost.service):
                loads[thing].update({start: mbps})
                loads[thing].subtract({end: mbps})
    committed = _committed(evidence)
    for thing, changes in loads.items():
        load = committed[thing]
        for at in sorted(changes):
            load += changes[at]
            if load > evidence.network.capacity[thing]:
                yield thing, f"is booked with {load} Mbit/s at {at}, and carries {evidence.network.capacity[thing]}"


def processes(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """No boost is half done: each of its steps is over, or waits for a person; and nobody is asked for what is done."""
    open_tasks = Counter(each.about for each in evidence.kept.boosts.tasks if each.state == "OPEN")
    for step in evidence.kept.boosts.steps:
        if step.state in ("PENDING", "FAILED") and not open_tasks[step.boost]:
            yield step.boost, f"has the step {step.boundary} {step.system}, which is {step.state}, and no task"
    begun = {(each.boost, each.boundary) for each in evidence.kept.boosts.steps if each.system == "NETWORK"}
    for boost in evidence.kept.boosts.boosts:
        for boundary in ("START", "RETURN") if boost.activated_at is not None else ():
            if (boost.id, boundary) not in begun:
                yield boost.id, f"has run, and has no step {boundary} of the network"
    yield from ((about, f"has {count} open tasks, and all is done") for about, count in open_tasks.items())


def rates_told(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Performance monitoring, inventory, fault management and sales have what there is, each once."""
    rates = [
        (each.about, int(each.payload["effectiveMbps"]), each.type) for each in evidence.happened if each.type in _RATES
    ]
    last = {service: mbps for service, mbps, _ in rates}
    measured = Counter((each.service, each.mbps) for each in evidence.books.rates.measured)
    if measured != Counter(last.items()):
        yield "performance monitoring", f"has the jobs {measured}, and the rates are {last}"
    in_use = {each.id for each in evidence.network.services.values() if each.needs.state == "active" and each.committed}
    yield from ((each, "is in use, and nobody who watches was told of it") for each in sorted(in_use - last.keys()))
    for service, mbps in {service: mbps for service, mbps, kind in rates if kind == _CHANGED}.items():
        if (there := evidence.books.rates.stocked.get(service)) != mbps:
            yield service, f"has {there} Mbit/s in the inventory, instead of {mbps}"
    told = [(each.service, each.mbps) for each in evidence.books.rates.events]
    for service in {*last, *(each for each, _ in told)}:
        wanted = [mbps for each, mbps, _ in rates if each == service]
        if (heard := [mbps for each, mbps in told if each == service]) != wanted:
            yield service, f"had the rates {heard} for fault management, instead of {wanted}"
    yield from _leads(evidence)


def _leads(evidence: Evidence) -> Iterator[tuple[str, str]]:
    ran = Counter(each.service for each in evidence.kept.boosts.boosts if each.activated_at is not None)
    wanted = Counter(service for service, count in ran.items() if count >= _LEAD_BOOSTS)
    found = Counter(each.service for each in evidence.kept.boosts.leads)
    for service in (wanted - found) + (found - wanted):
        yield service, f"has {found[service]} leads after {ran[service]} boosts"
    kept, there = Counter(each.id for each in evidence.kept.boosts.leads), Counter(evidence.books.rates.leads)
    yield from ((lead, f"is in sales {there[lead]} times") for lead in kept | there if kept[lead] != there[lead])


def _charges_of_boosts(boosts: Mapping[str, KeptBoost], usage: Iterable[KeptCharge]) -> Iterator[tuple[str, str]]:
    """Each record lies within its boost, once it was confirmed, at no higher rate; none overlaps another of the same."""
    by_boost: defaultdict[str, list[KeptCharge]] = defaultdict(list)
    for each in usage:
        by_boost[each.boost].append(each)
    for boost, found in by_boost.items():
        of = boosts.get(boost)
        if of is None or of.activated_at is None:
            yield boost, "was charged, and never began"
            continue
        for each in found:
            if not of.activated_at <= each.start < each.end <= of.end or each.mbps > of.mbps:
                yield boost, f"was charged {each}, and ran as {of}"
        found.sort(key=lambda each: each.start)
        yield from ((boost, f"was charged twice: {b}") for a, b in pairwise(found) if a.end > b.start)


def _amount(boosts: Sequence[KeptBoost], confirmed: Sequence[tuple[int, int]]) -> int:
    """Work out what boosts are charged, in Mbit/s x ms: what runs of them and was confirmed, but no more than the network carries."""
    ran = [(each.activated_at, each.end, each.mbps) for each in boosts if each.activated_at is not None]
    cuts = sorted({at for at, _ in confirmed} | {at for start, end, _ in ran for at in (start, end)})
    return sum(
        (end - start) * min(sum(mbps for a, b, mbps in ran if a <= start < b), max(0, _at(confirmed, start)))
        for start, end in pairwise(cuts)
    )


def _at(changes: Iterable[tuple[int, int]], at: int) -> int:
    """Give the value of a step function that is 0 before its first change."""
    return next((value for since, value in reversed([*changes]) if since <= at), 0)


def _to_the_second(charge: KeptCharge, customer: str) -> BilledBoost | None:
    start, end = (each - each % _SECOND_MS for each in (charge.start, charge.end))
    if start >= end:
        return None
    return BilledBoost(
        id=charge.id,
        kind=charge.kind,
        service=charge.service,
        customer=customer,
        mbps=charge.mbps,
        start=start,
        end=end,
    )


def _of_service(evidence: Evidence, service: str) -> list[KeptBoost]:
    return [each for each in evidence.kept.boosts.boosts if each.service == service]


def _span(boost: KeptBoost) -> tuple[int, int, int]:
    """Give from when to when a boost was booked, and its rate."""
    return boost.start, boost.held_until, boost.mbps


def _booked_lately(spans: Sequence[tuple[int, int, int]], at: int) -> set[int]:
    """Give what was booked, committed rates apart, at any moment of the time in which a request may have been on its way."""
    moments = {at - _LATEST_MS, *(each for start, end, _ in spans for each in (start, end))}
    return {
        sum(mbps for start, end, mbps in spans if start <= moment < end)
        for moment in moments
        if at - _LATEST_MS <= moment <= at
    }


def _things(evidence: Evidence, service: str) -> set[str]:
    needs = evidence.network.services[service].needs
    return {*needs.access, *needs.working, *needs.protecting}


def _committed(evidence: Evidence) -> Counter[str]:
    """Give what is committed on each thing; a service whose two ways share it counts once."""
    found: Counter[str] = Counter()
    for service in evidence.network.services.values():
        if service.needs.state not in _HOLDS_NOTHING:
            found.update(dict.fromkeys(_things(evidence, service.id), service.committed))
    return found
