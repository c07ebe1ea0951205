"""What the graph has of a network, as it is read for a design: on a real store, with services, bookings and equipment out of service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from fractions import Fraction

import pytest

from graph.capacity.limits import Limit, Overbooking
from graph.capacity.steps import Booking
from graph.changes.feasibility import design
from graph.errors import DeadlineExceeded, Refused
from graph.routing import reading
from graph.routing.answers import (
    Design,
    EndFull,
    FitsFrom,
    Infeasible,
    NoDisjointPair,
    NoRoom,
    NoWay,
    Undecided,
    UnknownSite,
)
from graph.routing.budget import Budget, Spent
from graph.routing.cached_network import CachedNetwork
from graph.routing.case import Asking
from graph.routing.demand import Access, Demand, Side, Weights
from graph.routing.network import Network
from graph.routing.reading import answer, read_network
from graph.store.store import Store, Transaction
from tests.graph.changes.network import soon
from tests.graph.routing.network import PLAIN, Planned, planned


@pytest.fixture
async def network(empty_store: Store) -> Planned:
    return await planned(empty_store)


async def test_a_protected_service_is_designed(network: Planned) -> None:
    found = await network.ask()
    assert isinstance(found, Design)
    assert (found.a, found.z) == ("port-a-0", "port-z-0")
    assert found.working.trunks == ("trunk-ab", "trunk-bz")
    assert found.protecting is not None
    assert found.protecting.trunks == ("trunk-ac", "trunk-cz")
    assert found.working.sites == ("site-a", "site-b", "site-z")
    assert found.cost == 4
    assert found.things == ("port-a-0", "port-z-0", "trunk-ab", "trunk-ac", "trunk-bz", "trunk-cz")


async def test_the_cheapest_depends_on_the_cost(network: Planned) -> None:
    shortest = await network.ask(protected=False, weights=Weights(hop=1, km=1))
    assert isinstance(shortest, Design)
    assert shortest.working.sites == ("site-a", "site-c", "site-z")
    assert shortest.working.cost.total == 2 + shortest.working.cost.km
    await network.service(100, "trunk-ac")
    quietest = await network.ask(protected=False, weights=Weights(hop=1, percent=1))
    assert isinstance(quietest, Design)
    assert quietest.working.trunks == ("trunk-ab", "trunk-bz")
    assert (quietest.working.cost.percent, quietest.working.cost.total) == (100, 102)


async def test_ports_of_other_services_are_taken(network: Planned) -> None:
    await network.service(10, ports=("port-a-0",))
    await network.service(10, ports=("port-a-1",), state="terminated")
    found = await network.ask()
    assert isinstance(found, Design)
    assert found.a == "port-a-1"
    for number in (1, 2, 3):
        await network.service(10, ports=(f"port-a-{number}",))
    full = await network.ask()
    assert isinstance(full, EndFull)
    assert [(each.side, each.ports, each.missing) for each in full.ends] == [(Side.A, 4, 500)]
    assert full.fits == FitsFrom(at=None)


async def test_a_port_of_the_speed_is_asked_for(network: Planned) -> None:
    await network.run("MATCH (p:Port {id: 'port-z-2'}) SET p.speedMbps = 10000")
    found = await network.ask(z=Access(site="site-z", speed=10_000))
    assert isinstance(found, Design)
    assert found.z == "port-z-2"
    none = await network.ask(a=Access(site="site-a", speed=10_000))
    assert isinstance(none, EndFull)
    assert [(each.side, each.ports) for each in none.ends] == [(Side.A, 0)]


OUT = {
    "a trunk": "MATCH (t:Trunk {id: 'trunk-ab'}) SET t.operationalState = 'disabled'",
    "a port of a trunk": "MATCH (p:Port {id: 'port-ab-z'}) SET p.administrativeState = 'locked'",
    "a card": "MATCH (c:Card {id: 'card-b'}) SET c.operationalState = 'disabled'",
    "an element": "MATCH (e:NetworkElement {id: 'networkelement-b'}) SET e.administrativeState = 'shuttingDown'",
    "an end": "MATCH (:Trunk {id: 'trunk-ab'})-[r:TERMINATES_ON {end: 'Z'}]->() DELETE r",
}


@pytest.mark.parametrize("text", OUT.values(), ids=OUT.keys())
async def test_nothing_is_planned_on_what_is_out_of_service(network: Planned, text: str) -> None:
    await network.run(text)
    found = await network.ask()
    assert isinstance(found, Design)
    assert found.protecting is not None
    assert (found.working.trunks[0], found.protecting.trunks[0]) == ("trunk-ac", "trunk-ad")


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (p:Port {id: 'port-a-0'}) SET p.operationalState = 'disabled'",
        "MATCH (p:Port {id: 'port-a-0'}) SET p.role = 'trunk'",
    ],
    ids=["disabled", "of a trunk to come"],
)
async def test_no_service_is_handed_over_at_a_port_that_is_not_for_it(network: Planned, text: str) -> None:
    await network.run(text)
    found = await network.ask()
    assert isinstance(found, Design)
    assert found.a == "port-a-1"


async def test_what_is_full_is_named_with_what_is_missing_and_when_it_fits(network: Planned) -> None:
    await network.run("MATCH (t:Trunk) WHERE t.id IN ['trunk-ad', 'trunk-cz'] SET t.operationalState = 'disabled'")
    await network.service(300, "trunk-bz")
    await network.booked("trunk-bz", Booking(start=0, end=90_000, mbps=300))
    assert await network.ask(protected=False) == NoRoom(stretch=("trunk-bz",), missing=100, fits=FitsFrom(at=90_000))
    assert isinstance(await network.ask(protected=False, start=90_000), Design)
    assert isinstance(await network.ask(protected=False, start=89_999), NoRoom)
    assert isinstance(await network.ask(protected=False, mbps=400), Design)
    more = Overbooking(by_layer={"ODU2": Fraction("1.1")}, otherwise=Fraction(1))
    assert isinstance(await network.ask(protected=False, overbooking=more), Design)


async def test_what_cannot_be_protected_says_what_is_shared(network: Planned) -> None:
    await network.run("MATCH (t:Trunk) WHERE t.id IN ['trunk-ac', 'trunk-ad'] SET t.operationalState = 'disabled'")
    assert await network.ask() == NoDisjointPair(sites=("site-b",), trunks=("trunk-ab", "trunk-bz"))
    await network.run("MATCH (t:Trunk {id: 'trunk-ab'}) SET t.operationalState = 'disabled'")
    assert await network.ask() == NoWay()


async def test_a_site_that_is_not_there_is_told(network: Planned) -> None:
    assert await network.ask(a=Access(site="site-q"), z=Access(site="port-z-0")) == UnknownSite(sides=(Side.A, Side.Z))


async def test_too_many_ports_are_refused(network: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_PORTS", 7)
    with pytest.raises(Refused) as refused:
        await network.ask()
    assert refused.value.code == "LIMIT_EXCEEDED"


async def test_a_trunk_that_went_since_the_network_was_kept_is_not_taken(network: Planned) -> None:
    network.kept = CachedNetwork(network.store)
    assert isinstance(await network.ask(), Design)
    await network.run("MATCH (t:Trunk {id: 'trunk-ab'}) DETACH DELETE t")
    found = await network.ask()
    assert isinstance(found, Design)
    assert found.protecting is not None
    assert (found.working.trunks[0], found.protecting.trunks[0]) == ("trunk-ac", "trunk-ad")


async def test_a_new_site_is_seen_at_once(network: Planned) -> None:
    network.kept = CachedNetwork(network.store)
    assert isinstance(await network.ask(), Design)
    await network.run("CREATE (:Site {id: 'site-new', name: 'new'})")
    assert isinstance(await network.ask(z=Access(site="site-new")), EndFull)


async def test_a_site_that_is_not_there_makes_nobody_read_the_network_again(network: Planned) -> None:
    network.kept = CachedNetwork(network.store)
    before = await network.kept.network(("site-a",), deadline=soon())
    assert await network.kept.network(("site-q", "port-z-0"), deadline=soon()) is before
    assert await network.ask(z=Access(site="site-q")) == UnknownSite(sides=(Side.Z,))


async def test_who_stops_waiting_for_the_network_lets_others_have_it(network: Planned) -> None:
    network.kept = CachedNetwork(network.store)
    late, other = await asyncio.gather(
        network.kept.network(("site-a",), deadline=time.monotonic()),
        network.kept.network(("site-a",), deadline=soon()),
        return_exceptions=True,
    )
    assert isinstance(late, DeadlineExceeded)
    assert isinstance(other, Network)


async def test_only_some_decide_at_once_and_others_wait_no_longer_than_they_can(network: Planned) -> None:
    network.kept = CachedNetwork(network.store, at_once=1)
    async with network.kept.turn(deadline=soon()):
        with pytest.raises(DeadlineExceeded):
            async with network.kept.turn(deadline=time.monotonic() + 0.01):
                pytest.fail("it is another's turn")
    assert isinstance(await network.ask(), Design)


async def test_a_decision_ends_when_nobody_waits_any_more() -> None:
    """Others are served meanwhile: what is decided here would never end by itself."""
    budget, began = Budget(left=2**62), time.monotonic()

    def deciding() -> Asking[Design | Infeasible]:
        try:
            while True:
                budget.spend()
        except Spent:
            return Undecided()
        yield frozenset()

    async def nothing(things: Collection[str]) -> Mapping[str, Limit]:
        pytest.fail(f"{things} are read")

    running = asyncio.create_task(answer(deciding(), nothing, budget, deadline=began + 0.3))
    await asyncio.sleep(0.05)
    assert not running.done()
    assert await running == Undecided()


async def test_a_site_whose_inside_is_out_of_service_is_not_crossed(network: Planned) -> None:
    await network.run("MATCH (t:Trunk) WHERE t.id IN ['trunk-ac', 'trunk-ad'] SET t.operationalState = 'disabled'")
    await network.run(
        "MATCH (s:Site {id: 'site-b'}), (c:Card {id: 'card-b'}) "
        "CREATE (s)<-[:LOCATED_AT]-(:NetworkElement {id: 'networkelement-b2'})-[:HOLDS]->(d:Card {id: 'card-b2'}) "
        "CREATE (c)-[:HAS_PORT]->(p:Port {id: 'port-inside-a'}) CREATE (d)-[:HAS_PORT]->(q:Port {id: 'port-inside-z'}) "
        "CREATE (t:Trunk {id: 'trunk-inside', capacityMbps: 1000})-[:TERMINATES_ON {end: 'A'}]->(p) "
        "CREATE (t)-[:TERMINATES_ON {end: 'Z'}]->(q)"
    )
    await network.run("MATCH (p:Port {id: 'port-bz-a'})<-[r:HAS_PORT]-(:Card) DELETE r")
    await network.run("MATCH (p:Port {id: 'port-bz-a'}) MATCH (c:Card {id: 'card-b2'}) CREATE (c)-[:HAS_PORT]->(p)")
    found = await network.ask(protected=False)
    assert isinstance(found, Design)
    assert found.working.trunks == ("trunk-ab", "trunk-inside", "trunk-bz")
    await network.run("MATCH (t:Trunk {id: 'trunk-inside'}) SET t.operationalState = 'disabled'")
    assert await network.ask(protected=False) == NoWay()


async def test_those_who_ask_together_read_the_network_once(network: Planned) -> None:
    network.kept = CachedNetwork(network.store)
    one, *others = await asyncio.gather(*(network.kept.network(("site-a",), deadline=soon()) for _ in range(8)))
    assert all(each is one for each in others)


async def test_whoever_reserves_designs_in_the_transaction(network: Planned) -> None:
    """What the transaction itself has written counts."""
    demand = Demand(
        a=Access(site="site-a"),
        z=Access(site="site-z"),
        mbps=700,
        start=0,
        end=None,
        protected=False,
        weights=Weights(),
    )

    async def work(transaction: Transaction) -> tuple[object, object]:
        snapshot = await read_network(transaction.run)
        first = await design(transaction.run, snapshot, demand, PLAIN, deadline=soon())
        assert isinstance(first, Design)
        taking = (
            "CREATE (s:Service {id: 'service-new', state: 'reserved', committedMbps: 700}) WITH s "
            "MATCH (t:Trunk) WHERE t.id IN $batch.trunks CREATE (s)-[:ROUTED_OVER {path: 'WORKING', position: 0}]->(t)"
        )
        await transaction.run(taking, {"batch": {"trunks": list(first.working.trunks)}})
        return first, await design(transaction.run, snapshot, demand, PLAIN, deadline=soon())

    first, second = await network.store.write(work, deadline=soon())
    assert isinstance(first, Design)
    assert isinstance(second, Design)
    assert first.working.trunks == ("trunk-ab", "trunk-bz")
    assert second.working.trunks == ("trunk-ac", "trunk-cz")
