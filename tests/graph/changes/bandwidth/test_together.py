"""Random bookings, changes, boundaries and answers of the network over several services: what is kept fits together at every moment."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest

from graph.changes.bandwidth.comparing import compare, rebuild
from graph.store.store import Store
from tests.graph.changes.bandwidth.network import HOUR, OPERATOR, Booked, laid_out
from tests.graph.changes.locks import recorded
from tests.graph.changes.network import soon
from tests.selection import choose_seed, is_full

_WAYS = {
    "service-a": ("port-a", "port-z", "trunk-1", "trunk-2"),
    "service-b": ("port-b", "port-y", "trunk-1"),
    "service-c": ("port-c", "port-y", "trunk-2"),
}
_COMMITTED = {"service-a": 100, "service-b": 100, "service-c": 50}


@pytest.fixture
async def booked(empty_store: Store) -> Booked:
    return await laid_out(empty_store)


async def boosts(booked: Booked) -> list[dict[str, Any]]:
    rows = await booked.rows(
        "MATCH (b:Boost)-[:BOOSTS]->(s:Service) RETURN [s.id, b.id, b.mbps, b.startAt, b.endAt, b.status, "
        "COLLECT { MATCH (b)-[:RESERVES]->(t) RETURN t.id ORDER BY t.id }] ORDER BY b.id"
    )
    names = ("service", "id", "mbps", "start", "end", "status", "reserves")
    return [dict(zip(names, row, strict=True)) for [row] in rows]


async def fits_together(booked: Booked) -> None:
    """Nothing is reserved for nobody, profiles are what is reserved, and nothing is booked above its limit."""
    found = await boosts(booked)
    for each in found:
        assert tuple(each["reserves"]) == (() if each["status"] == "TERMINATED" else _WAYS[each["service"]]), each
    assert (await compare(booked.store, deadline=soon())).differing == ()
    now = await booked.now()
    taken = [each for each in found if each["status"] != "TERMINATED" and each["end"] > now]
    for thing in {thing for way in _WAYS.values() for thing in way}:
        committed = sum(_COMMITTED[service] for service, way in _WAYS.items() if thing in way)
        for at in {max(each["start"], now) for each in taken}:
            load = sum(e["mbps"] for e in taken if thing in e["reserves"] and e["start"] <= at < e["end"])
            assert committed + load <= 1_000, (thing, at)


async def step(booked: Booked, chance: random.Random) -> None:
    """Do something, whatever it is."""
    alive = [each["id"] for each in await boosts(booked) if each["status"] != "TERMINATED"]
    match chance.randrange(9):
        case 0 | 1 | 2:
            service = chance.choice(sorted(_WAYS))
            start = chance.choice([None, HOUR // 4, HOUR])
            mbps = chance.choice([50, 200, 400, 700])
            await booked.book(service=service, mbps=mbps, start=start, hours=chance.choice([0.5, 1, 3]), by=OPERATOR)
        case 3 if alive:
            more = chance.choice([None, HOUR // 2, -HOUR // 4])
            await booked.change(chance.choice(alive), mbps=chance.choice([None, 100, 300]), extend=more, by=OPERATOR)
        case 4 if alive:
            await booked.cancel(chance.choice(alive), by=OPERATOR)
        case 5:
            await booked.answer(refuse="no")
        case 6:
            await booked.shift(chance.choice([HOUR // 4, HOUR // 2]))
            await booked.tick()
        case _:
            await booked.tick()
            await booked.answer()


@pytest.mark.parametrize("number", range(6 if is_full() else 2))
async def test_whatever_happens_what_is_kept_fits_together(booked: Booked, number: int) -> None:
    chance = random.Random(f"{choose_seed()} {number}")
    for _ in range(25):
        await step(booked, chance)
        await fits_together(booked)
    for _ in range(12):  # let all come to its end
        await booked.shift(HOUR)
        await booked.tick()
        await booked.answer()
    assert {each["status"] for each in await boosts(booked)} <= {"TERMINATED"}
    await fits_together(booked)
    for service, committed in zip(sorted(_WAYS), (100, 100, 50), strict=True):
        assert await booked.rates(service) in {(committed, committed), (None, committed)}  # None: never booked
    left = await booked.rows("MATCH (p:ProcessStep) WHERE p.state = 'PENDING' AND p.system = 'NETWORK' RETURN p.id")
    assert left == []
    await each_is_charged_once(booked)


async def each_is_charged_once(booked: Booked) -> None:
    """The records of a boost do not overlap, and none is longer than what was ordered."""
    rows = await booked.rows("MATCH (u:Usage {kind: 'boost'}) RETURN u.externalId, u.from, u.to ORDER BY u.from")
    spans: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for external, start, end in rows:
        spans[external.partition(":")[0]].append((start, end))
    ordered = {each["id"]: (each["start"], each["end"]) for each in await boosts(booked)}
    for boost, of in spans.items():
        assert all(end <= start for (_, end), (start, _) in pairwise(of)), boost
        assert ordered[boost][0] <= of[0][0]
        assert of[-1][1] <= ordered[boost][1]


async def test_every_change_locks_in_one_order(booked: Booked, monkeypatch: pytest.MonkeyPatch) -> None:
    with recorded(monkeypatch) as seen:
        boost = (await booked.book(mbps=300)).ids["boost"]
        await booked.answer()
        await booked.change(boost, mbps=400)
        await booked.answer(refuse="no")
        await booked.tell("pm")
        await booked.cancel(boost)
        await booked.answer()
        await booked.tell("billing")
    assert seen.breaches() == []
    assert len(seen.orders()) == 6, (
        "those of the bookings and the answers; what others are told of locks nothing beside"
    )


async def test_many_book_at_once_and_nothing_is_sold_twice(booked: Booked) -> None:
    outcomes = await booked.together(
        *(
            booked.book(service=service, mbps=200, start=HOUR, by=OPERATOR, key=f"m{number}")
            for number, service in enumerate(sorted(_WAYS) * 4)
        )
    )
    assert 0 < sum(1 for each in outcomes if each.ids) < 12
    await fits_together(booked)


async def test_what_is_reserved_for_nobody_is_found_and_given_back(booked: Booked) -> None:
    over, lost, kept = [
        (await booked.book(mbps=100, start=HOUR * number, by=OPERATOR)).ids["boost"] for number in (1, 4, 7)
    ]
    await booked.run("MATCH (b:Boost {id: $id}) SET b.status = 'TERMINATED'", id=over)
    await booked.run("MATCH (b:Boost {id: $id})-[r:BOOSTS]->() DELETE r", id=lost)
    found = await compare(booked.store, deadline=soon())
    assert found.nobody == tuple(sorted((over, lost)))
    assert len(found.differing) == 4
    assert await rebuild(booked.store, deadline=soon()) == 4
    found = await compare(booked.store, deadline=soon())
    assert (found.nobody, found.differing) == ((), ())
    assert await booked.reserved() == 4
    assert (await booked.boost(kept))["status"] == "SCHEDULED"
