"""What a load brings takes effect as if it had been there before the alarms, whoever of the two comes second."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from graph.changes.alarms.awaiting import find_awaiting
from graph.changes.alarms.consequences import OURSELVES, By
from graph.changes.alarms.reassessment import ABOUT, KIND, stepping
from graph.changes.outside import TakenOver, keep_joined, take_over
from graph.changes.policy import AlarmPolicy
from graph.changes.services.hits import hits_of, hits_on
from graph.changes.usage.usage import record_usage
from graph.inventory.equipment import Hand, Made, make, move
from graph.ledger.timers import arm_once, ring
from graph.model.identity import external_key
from graph.model.resource import Resource
from graph.model.usage import Usage
from graph.store.migrate import migrate
from graph.store.open_alarms import differing
from graph.store.store import Store, Transaction
from tests.graph.changes.network import AT, CARDS, ELEMENTS, SERVICES, SOURCE, SYSTEM, TRUNKS, Laid, lay, report, soon
from tests.selection import is_full

POLICY = AlarmPolicy(ticketing="desk", billing="billing")
HAND = Hand(by=By(principal=OURSELVES, policy=POLICY), system=SOURCE)
ROUNDS = 200 if is_full() else 8
SHARING = replace(POLICY, names_of=((SOURCE, ("inventory",)),))
NOTHING = TakenOver(alarms=0, usage=0, services=0)


@pytest.fixture
async def laid(empty_store: Store) -> AsyncIterator[Laid]:
    await lay(empty_store)
    yield Laid(store=empty_store)
    assert await differing(empty_store, deadline=soon()) == [], "an alarm says that it is open on something else"


async def name_it(laid: Laid, name: str, label: str, target: str, source: str = SOURCE) -> None:
    """Write a name as a load does: past all changes."""
    text = (
        f"MATCH (n:{label} {{id: $target}}) CREATE (:ExternalName {{id: 'externalname-' + $name, key: $key, "
        "system: $source, name: $name})-[:NAMES]->(n)"
    )
    await laid.run(text, target=target, name=name, source=source, key=external_key(source, name))


async def serve(laid: Laid, service: str, trunk: str, *, state: str = "active", tier: str = "") -> None:
    """Write a service of customer-b that is routed over a trunk."""
    text = (
        "MATCH (c:Customer {id: 'customer-b'}) MATCH (t:Trunk {id: $trunk}) "
        "CREATE (c)-[:SUBSCRIBES_TO]->(s:Service {id: $service, name: $service, state: $state}) "
        "CREATE (s)-[:ROUTED_OVER {path: 'WORKING', position: 0}]->(t)"
    )
    await laid.run(text, service=service, trunk=trunk, state=state)
    if tier:
        await laid.run(
            "MATCH (s:Service {id: $service}) CREATE (s)-[:GOVERNED_BY]->(:Sla {id: 'sla-' + $service, tier: $tier})",
            service=service,
            tier=tier,
        )


async def taken_over(laid: Laid) -> TakenOver:
    return await take_over(laid.store, POLICY, deadline=soon())


async def effect(laid: Laid, service: str) -> tuple[str | None, list[list[str | None]]]:
    return (await laid.effects())[service]


async def intervals(laid: Laid, service: str) -> list[list[Any]]:
    text = "MATCH (d:Downtime)-[:INTERRUPTS]->(s:Service {id: $id}) RETURN d.effect, d.to IS NULL ORDER BY d.from, d.id"
    return await laid.rows(text, id=service)


async def test_an_alarm_that_awaits_a_name_finds_it_when_a_load_brings_it(laid: Laid) -> None:
    alarm = await laid.raise_(report("NEW1"), policy=POLICY)
    assert await taken_over(laid) == NOTHING
    await name_it(laid, "NEW1", "Trunk", "trunk-1")
    assert (await taken_over(laid)).alarms == 1
    found = await laid.alarm(alarm)
    assert (found["object"], found["awaits"], found["version"]) == ("trunk-1", None, 2)
    assert await effect(laid, "service-b") == ("down", [["down", "major"]])
    assert (await laid.tickets())[f"{alarm}:customer-b"] == ("acknowledged", "major", ["service-b"])
    assert await intervals(laid, "service-b") == [["down", True]]
    assert (alarm, 2, "AlarmUpdated", ["customer-a", "customer-b"]) in await laid.events()
    assert await taken_over(laid) == NOTHING


async def test_an_alarm_that_names_our_id_before_there_is_such_a_thing_finds_it(laid: Laid) -> None:
    alarm = await laid.raise_(report("card-9"), policy=POLICY)
    await laid.run("CREATE (:Card {id: 'card-9'})")
    assert (await taken_over(laid)).alarms == 1
    assert (await laid.alarm(alarm))["object"] == "card-9"


async def test_what_awaits_a_name_finds_that_of_a_source_whose_names_are_used(laid: Laid) -> None:
    alarm = await laid.raise_(report("NEW1"), policy=SHARING)
    measured = Usage(source=SOURCE, external_id="U1", service="NEW2", start=AT, end=AT + 1, octets=1, mbps=1)
    await record_usage(laid.store, SYSTEM, SHARING, [measured], deadline=soon())
    await name_it(laid, "NEW1", "Trunk", "trunk-1", "inventory")
    await name_it(laid, "NEW2", "Service", "service-b", "inventory")
    assert await taken_over(laid) == NOTHING, "these sources use no other names"
    found = await take_over(laid.store, SHARING, deadline=soon())
    assert (found.alarms, found.usage) == (1, 1)
    assert (await laid.alarm(alarm))["object"] == "trunk-1"
    [taken] = await record_usage(laid.store, SYSTEM, SHARING, [replace(measured, external_id="U2")], deadline=soon())
    assert taken.service == "service-b"


async def test_all_alarms_that_await_a_name_find_it_however_many_do(
    laid: Laid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.changes.alarms.awaiting._AT_ONCE", 2)
    for number in range(5):
        await laid.raise_(report("NEW1", number), policy=POLICY)
    await laid.raise_(report("NEW2", 9), policy=POLICY)
    await name_it(laid, "NEW1", "Card", "card-2")
    await name_it(laid, "NEW2", "Card", "card-1")
    assert (await taken_over(laid)).alarms == 6


async def test_what_fails_for_one_alarm_keeps_neither_others_nor_usage_waiting(laid: Laid) -> None:
    first, second = sorted(("NEW1", "NEW2"), key=lambda each: external_key(SOURCE, each))
    names = (first, first, second)
    broken, other, later = [await laid.raise_(report(each, number), policy=POLICY) for number, each in enumerate(names)]
    measured = Usage(source=SOURCE, external_id="U1", service="NEW3", start=AT, end=AT + 1, octets=1, mbps=1)
    await record_usage(laid.store, SYSTEM, POLICY, [measured], deadline=soon())
    await laid.run("MATCH (a:Alarm {id: $id}) SET a.record = 'no record'", id=broken)
    for name, label, target in (
        (first, "Card", "card-1"),
        (second, "Card", "card-2"),
        ("NEW3", "Service", "service-b"),
    ):
        await name_it(laid, name, label, target)
    with capture_logs() as logged:
        looking = asyncio.create_task(keep_joined(laid.store, POLICY, every=0.01))
        while not await laid.rows("MATCH (u:Usage)-[:USED_BY]->(s:Service) RETURN s.id"):
            assert not looking.done()
        looking.cancel()
        await asyncio.wait([looking])
    assert [(await laid.alarm(each))["object"] for each in (broken, other, later)] == [None, "card-1", "card-2"]
    assert {(each["event"], each["what"]) for each in logged} == {("what awaits a name could not be looked at", broken)}


@pytest.mark.parametrize(
    "again",
    [
        pytest.param({}, id="the same again"),
        pytest.param({"changed_at": AT + 1, "specific_problem": "again"}, id="changed"),
    ],
)
async def test_an_alarm_that_is_reported_again_looks_for_its_name_again(laid: Laid, again: dict[str, Any]) -> None:
    alarm = await laid.raise_(report("NEW1"), policy=POLICY)
    await name_it(laid, "NEW1", "Trunk", "trunk-1")
    assert await laid.raise_(report("NEW1", **again), policy=POLICY) == alarm
    assert (await laid.alarm(alarm))["object"] == "trunk-1"
    assert (await effect(laid, "service-b"))[0] == "down"


async def test_an_alarm_that_returns_looks_for_its_name_again(laid: Laid) -> None:
    alarm = await laid.raise_(report("NEW1"), policy=POLICY)
    await laid.raise_(report("NEW1", cleared=True, cleared_at=AT + 5, changed_at=AT + 5), policy=POLICY)
    await name_it(laid, "NEW1", "Trunk", "trunk-1")
    assert await laid.raise_(report("NEW1", changed_at=AT + 9), policy=POLICY) == alarm
    assert (await effect(laid, "service-b"))[0] == "down"


async def test_a_name_that_leads_elsewhere_now_is_followed_at_the_next_report(laid: Laid) -> None:
    await name_it(laid, "NEW1", "Trunk", "trunk-2")
    alarm = await laid.raise_(report("NEW1"), policy=POLICY)
    await laid.run("MATCH (:ExternalName {name: 'NEW1'})-[r:NAMES]->() DELETE r")
    await laid.run("MATCH (x:ExternalName {name: 'NEW1'}) MATCH (t:Trunk {id: 'trunk-1'}) CREATE (x)-[:NAMES]->(t)")
    await laid.raise_(report("NEW1", changed_at=AT + 1), policy=POLICY)
    assert (await laid.alarm(alarm))["object"] == "trunk-1"
    assert [(await effect(laid, each))[0] for each in ("service-b", "service-c")] == ["down", None]


async def test_a_service_that_is_loaded_onto_what_has_failed_suffers_at_once(laid: Laid) -> None:
    alarm = await laid.raise_(report("card-1"), policy=POLICY)
    await serve(laid, "service-d", "trunk-1", tier="PREMIUM")
    assert (await taken_over(laid)).services == 1
    assert await effect(laid, "service-d") == ("down", [["down", "critical"]])
    assert (await laid.tickets())[f"{alarm}:customer-b"] == ("acknowledged", "critical", ["service-b", "service-d"])
    assert await intervals(laid, "service-d") == [["down", True]]
    assert (alarm, 2, "AlarmEffectChanged", ["customer-b"]) in await laid.events()
    assert (await taken_over(laid)).services == 0


async def test_a_service_that_is_routed_elsewhere_suffers_from_what_it_uses_now(laid: Laid) -> None:
    await laid.raise_(report("trunk-1"), policy=POLICY)
    await laid.run("MATCH (:Service {id: 'service-b'})-[r:ROUTED_OVER]->() DELETE r")
    assert (await taken_over(laid)).services == 1
    assert await effect(laid, "service-b") == (None, [])
    assert await intervals(laid, "service-b") == [["down", False]]


@pytest.mark.parametrize("state", ["feasibilityChecked", "designed", "reserved", "inactive", "terminated"])
async def test_what_is_not_delivered_suffers_nothing(laid: Laid, state: str) -> None:
    await serve(laid, "service-d", "trunk-1", state=state)
    alarm = await laid.raise_(report("trunk-1"), policy=POLICY)
    assert await effect(laid, "service-d") == (None, [])
    assert (await laid.tickets())[f"{alarm}:customer-b"][2] == ["service-b"]
    assert await intervals(laid, "service-d") == []


async def test_a_change_of_state_counts_from_then_on(laid: Laid) -> None:
    await serve(laid, "service-d", "trunk-2", state="reserved", tier="PREMIUM")
    await laid.run("MATCH (s:Service {id: 'service-c'}) SET s.state = 'terminated'")
    alarm = await laid.raise_(report("trunk-2"), policy=POLICY)
    key = f"{alarm}:customer-b"
    assert key not in await laid.tickets()
    for state, found, ticket in (("active", "down", "acknowledged"), ("terminated", None, "resolved")):
        await laid.run("MATCH (s:Service {id: 'service-d'}) SET s.state = $state", state=state)
        assert (await taken_over(laid)).services == 1
        assert (await effect(laid, "service-d"))[0] == found
        assert (await laid.tickets())[key][0] == ticket
    assert await intervals(laid, "service-d") == [["down", False]]


async def test_a_service_that_is_terminated_meanwhile_is_over_with_the_next_alarm(laid: Laid) -> None:
    await laid.raise_(report("trunk-1", 1), policy=POLICY)
    await laid.run("MATCH (s:Service {id: 'service-b'}) SET s.state = 'terminated'")
    await laid.raise_(report("port-b", 2), policy=POLICY)
    assert await effect(laid, "service-b") == (None, [])
    assert await intervals(laid, "service-b") == [["down", False]]


async def test_who_has_no_contract_is_judged_by_the_tier_that_is_set_and_has_a_ticket(laid: Laid) -> None:
    await serve(laid, "service-d", "trunk-1")
    await laid.run("MATCH (s:Service {id: 'service-b'}) SET s.state = 'inactive'")
    alarm = await laid.raise_(report("trunk-1"), policy=POLICY)
    key = f"{alarm}:customer-b"
    assert await effect(laid, "service-d") == ("down", [["down", "minor"]])
    assert (await laid.tickets())[key] == ("acknowledged", "minor", ["service-d"])
    premium = AlarmPolicy(ticketing="desk", default_tier="PREMIUM")
    assert (await take_over(laid.store, premium, deadline=soon())).services == 1
    assert await effect(laid, "service-d") == ("down", [["down", "critical"]])
    with pytest.raises(ValueError, match="GOLD"):
        AlarmPolicy(default_tier="GOLD")


async def test_what_an_alarm_hits_is_what_a_service_is_hit_by(laid: Laid) -> None:
    """The network is walked from both ends by statements of their own."""
    things = [*ELEMENTS, *CARDS, *(port for ports in CARDS.values() for port in ports), *TRUNKS]
    alarms = {await laid.raise_(report(each, number), policy=AlarmPolicy()): each for number, each in enumerate(things)}

    async def walked(transaction: Transaction) -> None:
        below = await hits_on(transaction, SERVICES)
        for alarm, thing in alarms.items():
            above = await hits_of(transaction, thing)
            assert {service: hit[alarm] for service, hit in below.items() if alarm in hit} == above, thing

    await laid.store.write(walked, deadline=soon())


async def test_a_timer_looks_at_everything_again_step_by_step(laid: Laid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.changes.alarms.reassessment._AT_ONCE", 1)
    monkeypatch.setattr("graph.changes.alarms.reassessment._MOST_ALARMS", 2)
    for number, thing in enumerate(("trunk-1", "trunk-2", "card-1")):
        await laid.raise_(report(thing, number), policy=POLICY)
    await taken_over(laid)
    for number, trunk in enumerate(("trunk-1", "trunk-2"), 5):
        await serve(laid, f"service-{number}", trunk)
    works = {KIND: stepping(POLICY)}
    assert await ring(laid.store, works, most=9, deadline=soon()) == 0, "some minutes after the load"
    await laid.run("MATCH (t:Timer) SET t.dueAt = 1")
    steps = 0
    while await ring(laid.store, works, most=9, deadline=soon()):
        steps += 1
    assert steps > len(SERVICES)
    assert [(await effect(laid, f"service-{number}"))[0] for number in (5, 6)] == ["down", "down"]
    assert await laid.rows(f"MATCH (t:Timer {{kind: '{KIND}'}}) RETURN t.aggregateId") == []


async def raced(*works: Callable[[], Awaitable[object]]) -> None:
    """Run works at the same time, each a little later than another."""

    async def after(work: Callable[[], Awaitable[object]]) -> None:
        await asyncio.sleep(random.uniform(0.0, 0.03))  # to meet in other places each time
        await work()

    await asyncio.gather(*map(after, works))


async def test_an_alarm_and_a_load_that_brings_its_name_never_miss_each_other(laid: Laid) -> None:
    for number in range(ROUNDS):
        name = f"NEW{number}"

        async def load(name: str = name) -> None:
            await name_it(laid, name, "Port", "port-b")
            await taken_over(laid)

        await raced(lambda: laid.raise_(report(name, number), policy=POLICY), load)  # noqa: B023  # awaited here
        [[target, awaits]] = await laid.rows(
            "MATCH (a:Alarm {externalAlarmId: $id}) "
            "RETURN HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id }), a.awaits",
            id=f"X{number}",
        )
        assert (target, awaits) == ("port-b", None), number


async def test_an_alarm_and_a_feed_that_brings_its_thing_never_miss_each_other(laid: Laid) -> None:
    await name_it(laid, "N", "NetworkElement", "networkelement-2")
    for number in range(ROUNDS):
        card = Resource(kind="Card", name=f"C{number}", inside="N", properties={"slot": number, "model": "M"})

        async def feed(card: Resource = card) -> None:
            async def work(transaction: Transaction) -> object:
                return await make(transaction, HAND, card)

            assert isinstance(await laid.store.write(work, deadline=soon()), Made)

        await raced(lambda: laid.raise_(report(card.name, number), policy=POLICY), feed)  # noqa: B023  # awaited here
    assert await laid.rows("MATCH (a:Alarm) WHERE a.awaits IS NOT NULL RETURN a.id") == []


async def test_an_alarm_and_a_feed_whose_names_its_source_uses_never_miss_each_other(laid: Laid) -> None:
    await name_it(laid, "N", "NetworkElement", "networkelement-2", "inventory")
    hand = Hand(by=By(principal=OURSELVES, policy=SHARING), system="inventory")
    for number in range(ROUNDS):
        card = Resource(kind="Card", name=f"C{number}", inside="N", properties={"slot": number, "model": "M"})

        async def feed(card: Resource = card) -> None:
            async def work(transaction: Transaction) -> object:
                return await make(transaction, hand, card)

            assert isinstance(await laid.store.write(work, deadline=soon()), Made)

        await raced(lambda: laid.raise_(report(card.name, number), policy=SHARING), feed)  # noqa: B023  # awaited here
    assert await laid.rows("MATCH (a:Alarm) WHERE a.awaits IS NOT NULL RETURN a.id") == []


async def test_an_alarm_and_a_card_that_moves_never_miss_each_other(laid: Laid) -> None:
    """Card-2, where service-b is accessed, moves between the elements; alarms are raised on one of them."""
    places = ("networkelement-2", "networkelement-1")
    for number in range(ROUNDS):
        place = places[number % 2]

        async def moved(place: str = place) -> None:
            async def work(transaction: Transaction) -> object:
                return await move(transaction, HAND, "card-2", (place,))

            assert await laid.store.write(work, deadline=soon())

        await raced(lambda: laid.raise_(report(places[1], number), policy=POLICY), moved)  # noqa: B023  # awaited here
        affected = await laid.rows(
            "MATCH (a:Alarm {externalAlarmId: $id})-[r:AFFECTS]->(s:Service {id: 'service-b'}) RETURN r.parts",
            id=f"X{number}",
        )
        assert affected == [["working" if number % 2 == 0 else "access working"]], number
        await laid.raise_(report(places[1], number, cleared=True), policy=POLICY)


async def test_several_alarms_that_await_one_name_find_it_together(laid: Laid) -> None:
    for number in (1, 2, 3):
        await laid.raise_(report("NEW1", number), policy=POLICY)
    await name_it(laid, "NEW1", "Card", "card-2")

    async def work(transaction: Transaction) -> None:
        await find_awaiting(transaction, HAND.by, "card-2", [external_key(SOURCE, "NEW1")])

    await laid.store.write(work, deadline=soon())
    assert (await effect(laid, "service-b"))[1] == [["down", "major"]] * 3


async def test_what_an_older_version_has_left_is_put_right_by_the_first_process_that_serves(laid: Laid) -> None:
    """Schema version 4 knew no gates, and let services suffer that nobody uses, or whose contract there is none of."""
    await serve(laid, "service-d", "trunk-1")
    alarm = await laid.raise_(report("trunk-1"), policy=POLICY)
    await laid.run("MATCH (:Alarm)-[r:AFFECTS]->(s:Service {id: 'service-d'}) SET r.severity = null")
    await laid.run("MATCH (s:Service {id: 'service-b'}) SET s.state = 'terminated'")
    await laid.run("DROP CONSTRAINT namegate_id IF EXISTS")
    await laid.run("MATCH (v:SchemaVersion) SET v.version = 4")
    before = await migrate(laid.store, deadline=soon())
    assert (before.version, before.missing) == (4, ("namegate_id",))
    await arm_once(laid.store, kind=KIND, about=ABOUT, deadline=soon())
    while await ring(laid.store, {KIND: stepping(POLICY)}, most=9, deadline=soon()):
        pass
    assert await effect(laid, "service-b") == (None, [])
    assert await effect(laid, "service-d") == ("down", [["down", "minor"]])
    assert (await laid.tickets())[f"{alarm}:customer-b"][2] == ["service-d"]
