"""What a feed does to the graph, and what it may not do."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from graph.changes.alarms.alarms import raise_alarm
from graph.inventory.feeds import ChunkMissing, begin, chunk, complete, look, stage_of, sweep_stale
from graph.inventory.reconcile import keep_reconciling, reconcile_next
from graph.model.identity import external_key
from graph.model.resource import SAME_PORT, NotTaken, Resource, entry_of
from graph.model.scope import Principal, Role
from tests.graph.changes.network import SYSTEM as FAULT_MANAGER
from tests.graph.changes.network import report
from tests.graph.inventory.network import (
    NETWORK,
    POLICY,
    SENDER,
    SYSTEM,
    Inventoried,
    but,
    card,
    element,
    gone,
    id_of,
    named,
    port,
    rack,
    soon,
    trunk,
)


async def test_a_network_is_made_in_the_order_that_it_needs(inventoried: Inventoried) -> None:
    assert await inventoried.holder("N1/1") == ["N1"]
    assert await inventoried.holder("N2/1/2") == ["N2/1"]
    assert await inventoried.holder("T1") == ["N1/1/2", "N2/1/2"]
    assert await inventoried.value("N1", "words") == "n1 in köln x9"
    added = await inventoried.events("ResourceAdded")
    assert {each for each, *_ in added} == {id_of(each) for each in NETWORK}
    assert {(version, who) for _, version, who, _ in added} == {(1, SENDER)}


async def test_a_full_feed_of_what_is_there_differs_in_nothing(inventoried: Inventoried) -> None:
    state = await inventoried.feed("full", *NETWORK, kind="full")
    assert (state.changes, state.differences) == (0, 0)
    assert await inventoried.differences() == []


async def test_a_full_feed_takes_states_and_reports_the_rest(inventoried: Inventoried) -> None:
    said = [
        but("N1", vendor="Bolt", operationalState="disabled"),
        element("N3"),
        replace(named("N2/1"), inside="N1"),
        trunk("T1", "N1/1/1", "N2/1/2"),
        *(each for each in NETWORK if each.name not in {"N1", "N2/1", "T1", "N2/1/1", "N1/1/1"}),
    ]
    state = await inventoried.feed("full", *said, kind="full")
    assert await inventoried.differences() == [
        ("containment", "open", "N2/1", "inside", "N1", "N2 in Köln"),
        ("containment", "open", "T1", "ends", "N1/1/1 - N2/1/2", "N1/1/2 - N2/1/2"),
        ("missingHere", "open", "N3", None, None, None),
        ("missingThere", "held", "N1/1/1", None, None, None),
        ("missingThere", "open", "N2/1/1", None, None, None),
        ("property", "open", "N1", "vendor", "Bolt", "Acme"),
    ]
    assert (state.changes, state.differences) == (1, 6)
    assert await inventoried.value("N1", "operationalState") == "disabled"
    assert await inventoried.value("N1", "vendor") == "Acme"
    assert await inventoried.events("ResourceStateChanged") == [(id_of(named("N1")), 2, SENDER, ["customer-a"])]
    assert await inventoried.there("N1/1/1")


async def test_a_difference_stays_one_and_ends_when_it_is_no_more(inventoried: Inventoried) -> None:
    rest = [each for each in NETWORK if each.name != "N1"]
    await inventoried.feed("1", but("N1", vendor="Bolt"), *rest, kind="full")
    [[first, found_at]] = await inventoried.rows("MATCH (d:InventoryDifference) RETURN d.id, d.foundAt")
    await inventoried.feed("2", but("N1", vendor="Bolt"), *rest, kind="full")
    assert await inventoried.rows("MATCH (d:InventoryDifference) RETURN d.id, d.foundAt") == [[first, found_at]]
    assert (await inventoried.feed("3", *NETWORK, kind="full")).differences == 0
    assert [state for _, state, *_ in await inventoried.differences()] == ["gone"]
    await inventoried.feed("4", but("N1", vendor="Bolt"), *rest, kind="full")
    assert [state for _, state, *_ in await inventoried.differences()] == ["open"]


async def test_an_incremental_feed_is_done(inventoried: Inventoried) -> None:
    state = await inventoried.feed(
        "change",
        but("N1", vendor="Bolt", model="Y1"),
        card("N1/2", "N1"),
        port("N1/2/1", "N1/2"),
        gone("N2/1/1"),
    )
    assert (state.changes, state.differences) == (4, 0)
    assert await inventoried.value("N1", "vendor") == "Bolt"
    assert await inventoried.value("N1", "words") == "n1 in köln y1"
    assert await inventoried.holder("N1/2/1") == ["N1/2"]
    assert not await inventoried.there("N2/1/1")
    assert [each for each, *_ in await inventoried.events("ResourceRemoved")] == [id_of(named("N2/1/1"))]
    assert [whom for *_, whom in await inventoried.events("ResourceChanged")] == [["customer-a"]]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("N1/1/1", "held", "it still carries 1 service"),
        ("T1", "held", "it still carries 1 service"),
        ("N1/1", "held", "it still carries 1 service"),
        ("N1", "held", "it still carries 1 service"),
        ("N2/1/2", "held", "it still carries 1 service"),
    ],
)
async def test_what_carries_services_is_never_taken_away(
    inventoried: Inventoried, name: str, state: str, reason: str
) -> None:
    await inventoried.feed("away", gone(name))
    assert await inventoried.there(name)
    [[found, why]] = await inventoried.rows("MATCH (d:InventoryDifference) RETURN d.state, d.reason")
    assert (found, why) == (state, reason)
    assert await inventoried.events("ResourceRemoved") == []


async def test_what_holds_something_is_not_taken_away_but_all_of_it_together_is(inventoried: Inventoried) -> None:
    await inventoried.feed("more", element("N9"), card("N9/1", "N9"), port("N9/1/1", "N9/1"))
    away = [replace(each, removed=True) for each in (element("N9"), card("N9/1", "N9"), port("N9/1/1", "N9/1"))]
    await inventoried.feed("element", away[0])
    assert await inventoried.rows("MATCH (d:InventoryDifference) RETURN d.state, d.reason") == [
        ["open", "1 other thing still depend on it"]
    ]
    assert (await inventoried.feed("all", *away)).changes == 3
    assert not await inventoried.there("N9")
    assert [state for _, state, *_ in await inventoried.differences()] == ["gone"]


async def test_what_cannot_be_made_is_a_difference_with_its_reason(inventoried: Inventoried) -> None:
    unsaid = Resource(kind="Port", name="P", inside="N1/1")
    await inventoried.feed("odd", card("X/1", "nowhere"), unsaid, Resource(kind="Card", name="C"))
    assert await inventoried.rows("MATCH (d:InventoryDifference) RETURN d.name, d.kind, d.reason ORDER BY d.name") == [
        ["C", "missingHere", "it is not said what it lies in"],
        ["P", "missingHere", "it is not said what its speedMbps is"],
        ["X/1", "missingHere", "there is no NetworkElement that the inventory calls nowhere"],
    ]
    await inventoried.feed("better", element("nowhere"), card("X/1", "nowhere"))
    assert await inventoried.rows("MATCH (d:InventoryDifference {name: 'X/1'}) RETURN d.state") == [["gone"]]


@pytest.mark.parametrize("kind", ["incremental", "full"])
async def test_what_has_no_place_is_kept_out_and_the_rest_is_taken(inventoried: Inventoried, kind: str) -> None:
    said: tuple[Resource | NotTaken, ...] = (
        rack(),
        *NETWORK,
        but("N1", operationalState="disabled"),
        NotTaken(kind="trunk", name="T9", reason="one end"),
    )
    state = await inventoried.feed("mixed", *said, kind=kind)
    assert (state.resources, state.not_taken, state.changes, state.differences) == (12, 2, 1, 2)
    text = "MATCH (d:InventoryDifference) RETURN d.kind, d.state, d.name, d.resourceType, d.reason ORDER BY d.name"
    assert await inventoried.rows(text) == [
        ["notTaken", "open", "RACK-1", "rack", "the graph has no racks"],
        ["notTaken", "open", "T9", "trunk", "one end"],
    ]


async def test_what_had_no_place_and_has_one_now_differs_no_more(inventoried: Inventoried) -> None:
    await inventoried.feed("first half", NotTaken(kind="trunk", name="T9", reason="one end"), rack(), rack("RACK-2"))
    state = await inventoried.feed("whole", trunk("T9", "N1/1/1", "N2/1/1"), rack(removed=True))
    assert (state.changes, state.differences) == (1, 0)
    assert [(name, state) for _, state, name, *_ in await inventoried.differences()] == [
        ("RACK-1", "gone"), ("RACK-2", "open"), ("T9", "gone")
    ]  # fmt: skip
    await inventoried.feed("all", *NETWORK, trunk("T9", "N1/1/1", "N2/1/1"), kind="full")
    assert {state for _, state, *_ in await inventoried.differences()} == {"gone"}


async def test_a_thing_that_is_there_and_is_told_without_its_place_is_not_missing(inventoried: Inventoried) -> None:
    others = (each for each in NETWORK if each.name != "T1")
    state = await inventoried.feed("all", *others, NotTaken(kind="trunk", name="T1", reason="one end"), kind="full")
    assert state.differences == 1
    assert [(kind, name) for kind, _, name, *_ in await inventoried.differences()] == [("notTaken", "T1")]
    assert await inventoried.there("T1")


async def test_that_a_thing_is_gone_needs_no_kind(inventoried: Inventoried) -> None:
    said = NotTaken(kind="", name="N2/1/1", reason="it is not said what it is", removed=True)
    state = await inventoried.feed("gone", said, replace(rack(), removed=True))
    assert (state.changes, state.differences) == (1, 0)
    assert not await inventoried.there("N2/1/1")


async def test_a_thing_that_is_of_another_kind_there_is_reported(inventoried: Inventoried) -> None:
    await inventoried.feed("odd", Resource(kind="Port", name="N1", inside="N1/1"))
    assert await inventoried.differences() == [("property", "open", "N1", "kind", "Port", "NetworkElement")]


async def test_a_feed_that_is_cut_changes_nothing_and_comes_again(inventoried: Inventoried) -> None:
    store = inventoried.store
    begun = await begin(store, SYSTEM, "cut", kind="full", subject=SENDER, deadline=soon())
    await inventoried.staged(begun, [but("N1", vendor="Bolt")])
    assert await reconcile_next(store, POLICY, owner="one") is None
    assert await inventoried.value("N1", "vendor") == "Acme"
    again = await begin(store, SYSTEM, "cut", kind="full", subject=SENDER, deadline=soon())
    assert again.due
    with pytest.raises(ChunkMissing):  # the first attempt is swept away
        await chunk(store, begun.stage, 0, 0, deadline=soon())
    received = await inventoried.staged(again, [but("N1", operationalState="disabled")])
    assert not await complete(store, begun, received, subject=SENDER, deadline=soon())  # too late
    assert await complete(store, again, received, subject=SENDER, deadline=soon())
    assert await reconcile_next(store, POLICY, owner="one") == again.id
    assert await inventoried.value("N1", "operationalState") == "disabled"


async def test_a_feed_is_received_once(inventoried: Inventoried) -> None:
    again = await begin(inventoried.store, SYSTEM, "first", kind="full", subject="other", deadline=soon())
    assert not again.due
    assert (again.state, again.kind, again.digest) == ("compared", "incremental", "d")
    found = await look(inventoried.store, SYSTEM, "first", deadline=soon())
    assert found == again
    assert await look(inventoried.store, SYSTEM, "never", deadline=soon()) is None
    assert await inventoried.rows("MATCH (f:InventoryFeed) RETURN f.principal") == [[SENDER]]


async def test_a_feed_leaves_no_chunks_and_a_stale_attempt_is_swept(inventoried: Inventoried) -> None:
    count = "MATCH (c:InventoryChunk) RETURN count(c)"
    assert await inventoried.rows(count) == [[0]]
    begun = await begin(inventoried.store, SYSTEM, "stale", kind="full", subject=SENDER, deadline=soon())
    await inventoried.staged(begun, NETWORK)
    await sweep_stale(inventoried.store, deadline=soon())
    assert await inventoried.rows(count) == [[4]]
    await sweep_stale(inventoried.store, age_ms=-1_000, deadline=soon())
    assert await inventoried.rows(count) == [[0]]
    assert begun.stage == stage_of(begun.id, 1)


async def test_a_comparison_that_was_stopped_goes_on_behind_the_last_chunk(inventoried: Inventoried) -> None:
    begun = await inventoried.receive("long", but("N1", vendor="Bolt"), but("N1/1", model="M2"))
    await inventoried.run("MATCH (f:InventoryFeed {id: $id}) SET f._done = 1", id=begun.id)
    assert await reconcile_next(inventoried.store, POLICY, owner="one") == begun.id
    assert await inventoried.value("N1", "vendor") == "Acme"
    assert await inventoried.value("N1/1", "model") == "M2"


async def all_compared(inventoried: Inventoried) -> None:
    for _ in range(600):
        if not await inventoried.rows("MATCH (f:InventoryFeed {state: 'received'}) RETURN f.id"):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("they are never compared")


async def test_a_process_compares_whatever_is_received_and_only_one_does(inventoried: Inventoried) -> None:
    tasks = [asyncio.create_task(keep_reconciling(inventoried.store, POLICY, owner=owner)) for owner in ("one", "two")]
    try:
        for number in range(3):
            await inventoried.receive(str(number), but("N1", vendor=f"v{number}"))
        await all_compared(inventoried)
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert await inventoried.value("N1", "vendor") == "v2"
    assert [version for _, version, *_ in await inventoried.events("ResourceChanged")] == [2, 3, 4]


async def test_a_card_that_moves_takes_its_services_out_of_an_alarm(inventoried: Inventoried) -> None:
    alarm = await raise_alarm(inventoried.store, FAULT_MANAGER, POLICY, report(id_of(named("N1"))), deadline=soon())
    effect = "MATCH (s:Service {id: 'service-a'}) RETURN s.effect"
    assert await inventoried.rows(effect) == [["down"]]
    await inventoried.feed("move", replace(named("N1/1"), inside="N2"))
    assert await inventoried.holder("N1/1") == ["N2"]
    assert await inventoried.rows(effect) == [[None]]
    assert await inventoried.rows("MATCH (t:Ticket) RETURN t.status") == [["resolved"]]
    assert [whom for *_, whom in await inventoried.events("ResourceMoved")] == [["customer-a"]]
    await inventoried.feed("back", named("N1/1"))
    assert await inventoried.rows(effect) == [["down"]]
    assert await inventoried.rows("MATCH (a:Alarm {id: $id}) RETURN a._version", id=alarm.ids["alarm"]) == [[3]]


async def test_a_trunk_with_other_ends_is_moved(inventoried: Inventoried) -> None:
    await inventoried.feed("move", trunk("T1", "N1/1/1", "N2/1/1"))
    assert await inventoried.holder("T1") == ["N1/1/1", "N2/1/1"]
    assert await inventoried.value("T1", "_version") == 2


async def test_a_trunk_from_a_port_to_itself_is_kept_out_by_whatever_names_it_ends_there(
    inventoried: Inventoried,
) -> None:
    await inventoried.run(
        "MATCH (p:Port {id: $id}) CREATE (:ExternalName {id: 'externalname-2', key: $key, system: $system, name: 'P9'})"
        "-[:NAMES]->(p)",
        id=id_of(named("N1/1/1")), key=external_key(SYSTEM, "P9"), system=SYSTEM,
    )  # fmt: skip
    state = await inventoried.feed("loops", trunk("T8", "P9", "N1/1/1"), trunk("T1", "N1/1/1", "P9"))
    assert (state.changes, state.differences) == (0, 2)
    found = await inventoried.rows("MATCH (d:InventoryDifference) RETURN d.kind, d.name, d.reason ORDER BY d.name")
    reason = "a trunk joins two different ports, and this one ends on the same port at A and at Z"
    assert found == [["containment", "T1", reason], ["missingHere", "T8", reason]]
    assert await inventoried.holder("T1") == ["N1/1/2", "N2/1/2"]
    with pytest.raises(ValueError, match=reason):
        trunk("T8", "P9", "P9")


def test_what_an_earlier_version_has_received_and_has_no_place_now_is_not_taken() -> None:
    record = {"kind": "Trunk", "name": "T8", "ends": ["P9", "P9"], "properties": {}}
    assert entry_of(record) == NotTaken(kind="Trunk", name="T8", reason=SAME_PORT)


async def test_an_alarm_that_waited_for_a_name_finds_it_and_waits_again(inventoried: Inventoried) -> None:
    who = Principal(subject="9:issuer-a:inv", role=Role.SYSTEM, system=SYSTEM, sources=(SYSTEM,))
    early = report("N7", source_system_id=SYSTEM)
    await raise_alarm(inventoried.store, who, POLICY, early, deadline=soon())
    where = "MATCH (a:Alarm) RETURN a.awaits, HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.name })"
    assert await inventoried.rows(where) == [[external_key(SYSTEM, "N7"), None]]
    await inventoried.feed("new", element("N7"))
    assert await inventoried.rows(where) == [[None, "N7 in Köln"]]
    await inventoried.feed("away", replace(element("N7"), removed=True))
    assert await inventoried.rows(where) == [[external_key(SYSTEM, "N7"), None]]


async def test_a_process_that_lost_its_feed_writes_nothing_more(inventoried: Inventoried) -> None:
    begun = await inventoried.receive("taken", but("N1", vendor="Bolt"))
    await inventoried.run("MATCH (f:InventoryFeed {id: $id}) SET f._owner = 'two', f._until = 9e15", id=begun.id)
    assert await reconcile_next(inventoried.store, POLICY, owner="one") is None
    assert await inventoried.value("N1", "vendor") == "Acme"
    await inventoried.run("MATCH (f:InventoryFeed {id: $id}) SET f._until = 0", id=begun.id)
    assert await reconcile_next(inventoried.store, POLICY, owner="one") == begun.id
    assert await inventoried.value("N1", "vendor") == "Bolt"


async def test_a_feed_over_which_we_fail_is_set_aside_and_may_be_sent_again(inventoried: Inventoried) -> None:
    begun = await inventoried.receive("odd", but("N1", vendor="Bolt"))
    await inventoried.run("MATCH (c:InventoryChunk {stage: $stage}) SET c.payload = '[{}]'", stage=begun.stage)
    behind = await inventoried.receive("behind", but("N1", model="Y"))
    assert await reconcile_next(inventoried.store, POLICY, owner="one") == begun.id
    assert await inventoried.rows("MATCH (f:InventoryFeed {name: 'odd'}) RETURN f.state, f.reason") == [
        ["failed", "A fault of ours: KeyError"]
    ]
    assert await reconcile_next(inventoried.store, POLICY, owner="one") == behind.id
    assert await inventoried.value("N1", "model") == "Y"
    assert (await inventoried.feed("odd", but("N1", vendor="Bolt"))).state == "compared"
    assert await inventoried.value("N1", "vendor") == "Bolt"
    kinds = "MATCH (e:Event {aggregateId: $id}) RETURN e.aggregateVersion, e.type ORDER BY e.aggregateVersion"
    assert await inventoried.rows(kinds, id=begun.id) == [
        [1, "InventoryFeedReceived"],
        [2, "InventoryFeedFailed"],
        [3, "InventoryFeedReceived"],
        [4, "InventoryFeedCompared"],
    ]
