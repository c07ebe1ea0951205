"""One thing has many names, and whatever is said under any of them is said of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Final

import pytest

from graph.changes.alarms.alarms import raise_alarm
from graph.changes.alarms.consequences import By
from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy
from graph.errors import Refused
from graph.inventory import equipment
from graph.inventory.applying import Applied, Comparing
from graph.inventory.equipment import Hand, Made, make
from graph.inventory.feeds import Received, begin, complete
from graph.inventory.naming import add_external_name, remove_external_name
from graph.inventory.reconcile import reconcile_next
from graph.inventory.turns import take
from graph.model.alarm import Alarm
from graph.model.resource import Resource
from graph.model.scope import Principal, Role
from graph.store.store import Transaction
from tests.graph.changes.locks import recorded
from tests.graph.inventory.network import NETWORK, OPERATOR, POLICY, SENDER, Inventoried, element, id_of, named, soon

NMS: Final = Principal(subject="9:issuer-a:nms", role=Role.SYSTEM, system="nms", sources=("nms",))
SHARING: Final = replace(POLICY, names_of=(("nms", ("inventory",)), ("ems2", ("inventory",))))


async def add(inventoried: Inventoried, thing: str, system: str, name: str, key: str = "k") -> Outcome:
    return await add_external_name(
        inventoried.store,
        OPERATOR,
        POLICY,
        object_id=thing,
        system=system,
        name=name,
        idempotency_key=key,
        deadline=soon(),
    )


async def remove(inventoried: Inventoried, thing: str, system: str, name: str, key: str) -> Outcome:
    return await remove_external_name(
        inventoried.store,
        OPERATOR,
        POLICY,
        object_id=thing,
        system=system,
        name=name,
        idempotency_key=key,
        deadline=soon(),
    )


async def raised(inventoried: Inventoried, name: str, policy: AlarmPolicy = POLICY) -> str:
    alarm = Alarm(
        source_system_id="nms",
        external_alarm_id=f"x-{name}",
        alarmed_object=name,
        alarm_type="equipmentAlarm",
        probable_cause="replaceableUnitProblem",
        perceived_severity="critical",
        raised_at=1_772_000_000_000,
        record={"id": name},
    )
    outcome = await raise_alarm(inventoried.store, NMS, policy, alarm, deadline=soon())
    return outcome.ids["alarm"]


async def object_of(inventoried: Inventoried, alarm: str) -> list[str]:
    rows = await inventoried.rows("MATCH (a:Alarm {id: $id})-[:RAISED_ON]->(n) RETURN n.id", id=alarm)
    return [str(row[0]) for row in rows]


async def fed(inventoried: Inventoried, system: str, *resources: Resource, policy: Any = POLICY) -> None:
    begun = await begin(inventoried.store, system, "f", kind="incremental", subject=SENDER, deadline=soon())
    received: Received = await inventoried.staged(begun, resources)
    assert await complete(inventoried.store, begun, received, subject=SENDER, deadline=soon())
    assert await reconcile_next(inventoried.store, policy, owner="one") == begun.id


async def names(inventoried: Inventoried, thing: str) -> list[list[str]]:
    text = "MATCH (x:ExternalName)-[:NAMES]->(n {id: $id}) RETURN x.system, x.name ORDER BY x.system, x.name"
    return await inventoried.rows(text, id=thing)


async def test_an_alarm_that_waited_for_the_name_is_on_the_thing_as_soon_as_an_operator_gives_it(
    inventoried: Inventoried,
) -> None:
    port = id_of(named("N1/1/1"))
    alarm = await raised(inventoried, "KOL-9")
    assert await object_of(inventoried, alarm) == []
    assert (await add(inventoried, port, "nms", "KOL-9")).user_errors == ()
    assert await object_of(inventoried, alarm) == [port]
    assert await inventoried.rows("MATCH (a:Alarm)-[:AFFECTS]->(s:Service) RETURN a.id, s.id") == [[alarm, "service-a"]]
    assert await inventoried.events("ResourceNamed") == [(port, 2, OPERATOR.subject, [])]


async def test_the_same_again_changes_nothing_and_another_thing_is_refused(inventoried: Inventoried) -> None:
    one, other = id_of(named("N1")), id_of(named("N2"))
    first = await add(inventoried, one, "nms", "A", "1")
    assert (await add(inventoried, one, "nms", "A", "2")).ids == first.ids
    [error] = (await add(inventoried, other, "nms", "A", "3")).user_errors
    assert (error.code, one in error.message) == ("NAME_TAKEN", True)
    assert (await remove(inventoried, other, "nms", "A", "4")).user_errors == ()
    assert ["nms", "A"] in await names(inventoried, one)
    for key in ("5", "6"):
        assert (await remove(inventoried, one, "nms", "A", key)).user_errors == ()
    assert await names(inventoried, one) == [["inventory", "N1"]]
    assert len(await inventoried.events("ResourceNamed")) == len(await inventoried.events("ResourceUnnamed")) == 1


@pytest.mark.parametrize("thing", ["port-none", "alarm-1", "nonsense"])
async def test_what_is_not_there_has_no_name(inventoried: Inventoried, thing: str) -> None:
    for outcome in (await add(inventoried, thing, "nms", "A", "1"), await remove(inventoried, thing, "nms", "A", "2")):
        assert [each.code for each in outcome.user_errors] == ["OBJECT_NOT_FOUND"]


async def test_only_operators_name_things(inventoried: Inventoried) -> None:
    with pytest.raises(Refused) as caught:
        await add_external_name(
            inventoried.store,
            NMS,
            POLICY,
            object_id="port-1",
            system="nms",
            name="A",
            idempotency_key="k",
            deadline=soon(),
        )
    assert caught.value.code == "FORBIDDEN"


async def test_a_source_uses_the_names_of_another(inventoried: Inventoried) -> None:
    port = id_of(named("N1/1/1"))
    assert await object_of(inventoried, await raised(inventoried, "N1/1/1")) == []
    assert await object_of(inventoried, await raised(inventoried, "N1/1/1", SHARING)) == [port]
    await add(inventoried, id_of(named("N1/1/2")), "nms", "N1/1/2", "1")
    assert await object_of(inventoried, await raised(inventoried, "N1/1/2", SHARING)) == [id_of(named("N1/1/2"))]
    await add(inventoried, id_of(named("N1")), "nms", "N2", "2")
    assert await object_of(inventoried, await raised(inventoried, "N2", SHARING)) == [id_of(named("N1"))], (
        "its own first"
    )


async def test_an_alarm_that_waits_finds_what_another_source_calls_so(inventoried: Inventoried) -> None:
    alarm = await raised(inventoried, "N3")
    await fed(inventoried, "inventory", element("N3"), policy=SHARING)
    assert await object_of(inventoried, alarm) == [id_of(element("N3"))]


async def test_a_feed_of_a_source_that_uses_those_names_makes_no_second_thing(inventoried: Inventoried) -> None:
    await fed(inventoried, "ems2", element("N1", vendor="Bolt"), policy=SHARING)
    thing = id_of(named("N1"))
    assert await names(inventoried, thing) == [["ems2", "N1"], ["inventory", "N1"]]
    assert await inventoried.rows("MATCH (n:NetworkElement) RETURN count(n)") == [[2]]
    assert await inventoried.rows("MATCH (n {id: $id}) RETURN n.vendor", id=thing) == [["Bolt"]]


async def test_an_element_that_another_inventory_has_is_not_made_twice_without_anybody_saying_so(
    inventoried: Inventoried,
) -> None:
    await fed(inventoried, "ems2", element("N1"))
    assert await inventoried.rows("MATCH (n:NetworkElement) RETURN count(n)") == [[2]]
    text = "MATCH (d:InventoryDifference) RETURN d.id, d.kind, d.system, d.reason"
    [[difference, kind, system, reason]] = await inventoried.rows(text)
    assert (kind, system) == ("missingHere", "ems2")
    assert "inventory has an element of this name" in reason
    assert (await inventoried.settle(difference, "inventory")).user_errors == ()
    assert await inventoried.rows("MATCH (n:NetworkElement) RETURN count(n)") == [[3]]


async def test_what_a_feed_says_that_others_call_a_thing_is_its_name(inventoried: Inventoried) -> None:
    alarm = await raised(inventoried, "KOL-9")
    more = (replace(named("N1/1/1"), aliases=(("nms", "KOL-9"),)), replace(element("N3"), aliases=(("nms", "KOL-3"),)))
    state = await inventoried.feed("named", *more)
    assert (state.changes, state.differences) == (2, 0)
    assert await object_of(inventoried, alarm) == [id_of(named("N1/1/1"))]
    assert await names(inventoried, id_of(element("N3"))) == [["inventory", "N3"], ["nms", "KOL-3"]]
    again = await inventoried.feed("again", *more)
    assert (again.changes, again.differences) == (0, 0)


async def test_a_name_of_another_system_leads_to_the_thing_that_has_it(inventoried: Inventoried) -> None:
    await fed(inventoried, "ems2", replace(element("other"), aliases=(("inventory", "N1"),)))
    assert await names(inventoried, id_of(named("N1"))) == [["ems2", "other"], ["inventory", "N1"]]
    assert await inventoried.rows("MATCH (n:NetworkElement) RETURN count(n)") == [[2]]


async def test_a_name_that_is_another_things_is_a_difference(inventoried: Inventoried) -> None:
    await add(inventoried, id_of(named("N2")), "nms", "KOL-9")
    said = [replace(each, aliases=(("nms", "KOL-9"),)) if each.name == "N1" else each for each in NETWORK]
    state = await inventoried.feed("clash", *said, kind="full")
    assert (state.changes, state.differences) == (0, 1)
    text = "MATCH (d:InventoryDifference) RETURN d.kind, d.state, d.name, d.reason"
    assert await inventoried.rows(text) == [["notTaken", "open", "N1", "nms calls another thing KOL-9"]]
    assert (await inventoried.feed("no clash", *NETWORK, kind="full")).differences == 0


BOTH: Final = replace(POLICY, inventories=("ems2", "inventory"))


async def compared(inventoried: Inventoried, system: str, resource: Resource, policy: AlarmPolicy) -> Applied:
    """Take a resource of an incremental feed as if all that the graph knows of it had come after it was looked up."""
    begun = await begin(inventoried.store, system, "f", kind="incremental", subject=SENDER, deadline=soon())
    received = await inventoried.staged(begun, [resource])
    assert await complete(inventoried.store, begun, received, subject=SENDER, deadline=soon())
    turn = await take(inventoried.store, "one")
    assert turn is not None
    hand = Hand(by=By(principal=NMS, policy=policy), system=system)
    return await Comparing(store=inventoried.store, hand=hand, turn=turn).apply(resource, deadline=soon())


@pytest.mark.parametrize(
    ("resource", "policy"),
    [
        pytest.param(element("N1"), SHARING, id="by a name that is used"),
        pytest.param(replace(element("other"), aliases=(("inventory", "N1"),)), POLICY, id="by a name that it says"),
    ],
)
async def test_what_another_inventory_has_made_at_this_moment_is_named(
    inventoried: Inventoried, resource: Resource, policy: AlarmPolicy
) -> None:
    assert (await compared(inventoried, "ems2", resource, policy)).differences == ()
    assert await names(inventoried, id_of(named("N1"))) == [["ems2", resource.name], ["inventory", "N1"]]
    assert await inventoried.rows("MATCH (n:NetworkElement) RETURN count(n)") == [[2]]


async def test_an_element_that_another_inventory_has_made_at_this_moment_is_a_difference(
    inventoried: Inventoried,
) -> None:
    [found] = (await compared(inventoried, "ems2", element("N1"), BOTH)).differences
    assert "inventory has an element of this name" in (found.reason or "")
    assert await inventoried.rows("MATCH (n:NetworkElement) RETURN count(n)") == [[2]]


async def test_several_inventories_that_bring_one_thing_at_the_same_time_make_it_once(inventoried: Inventoried) -> None:
    policy = replace(POLICY, names_of=(("ems2", ("inventory",)), ("inventory", ("ems2",))))

    async def brought(system: str, name: str) -> None:
        hand = Hand(by=By(principal=NMS, policy=policy), system=system)

        async def work(transaction: Transaction) -> None:
            assert isinstance(await make(transaction, hand, element(name)), Made)

        await inventoried.store.write(work, deadline=soon())

    for number in range(4):
        await asyncio.gather(brought("ems2", f"X{number}"), brought("inventory", f"X{number}"))
    assert await inventoried.rows("MATCH (n:NetworkElement) RETURN count(n)") == [[6]]


async def test_a_difference_that_is_settled_after_another_inventory_made_the_thing_only_names_it(
    inventoried: Inventoried,
) -> None:
    await inventoried.receive(
        "full", replace(element("other"), aliases=(("inventory", "N3"),)), kind="full", system="ems2"
    )
    assert await reconcile_next(inventoried.store, POLICY, owner="one", turn_seconds=600)
    difference = await inventoried.difference("other")
    await inventoried.feed("second", element("N3"))
    assert (await inventoried.settle(difference, "inventory")).user_errors == ()
    assert await names(inventoried, id_of(element("N3"))) == [["ems2", "other"], ["inventory", "N3"]]
    assert await inventoried.rows("MATCH (d:InventoryDifference {id: $id}) RETURN d.state", id=difference) == [
        ["taken"]
    ]


async def test_a_new_things_name_that_is_another_things_is_a_difference(inventoried: Inventoried) -> None:
    await add(inventoried, id_of(named("N1/1")), "nms", "KOL-9")
    state = await inventoried.feed("clash", replace(element("N3"), aliases=(("nms", "KOL-9"),)))
    assert (state.changes, state.differences) == (1, 1)
    text = "MATCH (d:InventoryDifference) RETURN d.kind, d.resource, d.reason"
    assert await inventoried.rows(text) == [["notTaken", id_of(element("N3")), "nms calls another thing KOL-9"]]


async def test_what_was_missing_is_not_missing_any_more_when_a_thing_has_its_name(inventoried: Inventoried) -> None:
    await fed(inventoried, "ems2", element("N1"), element("N2"))
    await add(inventoried, id_of(named("N1")), "ems2", "N1")
    states = "MATCH (d:InventoryDifference) RETURN d.name, d.state ORDER BY d.name"
    assert await inventoried.rows(states) == [["N1", "gone"], ["N2", "open"]]
    await inventoried.run("MATCH (f:InventoryFeed {system: 'ems2'}) DETACH DELETE f")
    await fed(inventoried, "ems2", replace(element("N2"), aliases=(("inventory", "N2"),)))
    assert await inventoried.rows(states) == [["N1", "gone"], ["N2", "gone"]]


async def test_a_thing_that_is_taken_away_while_it_is_named_leaves_no_name_of_nothing(inventoried: Inventoried) -> None:
    hand = Hand(by=By(principal=OPERATOR, policy=POLICY), system="inventory")
    for number in range(6):
        await inventoried.feed(f"again {number}", element("N3"))
        thing = id_of(element("N3"))

        async def taken_away(thing: str = thing) -> None:
            await inventoried.store.write(
                lambda transaction: equipment.remove(transaction, hand, thing), deadline=soon()
            )

        await asyncio.gather(add(inventoried, thing, "nms", "KOL-3", f"{number}"), taken_away())
    text = "MATCH (x:ExternalName) WHERE NOT EXISTS { MATCH (x)-[:NAMES]->() } RETURN x.system, x.name"
    assert await inventoried.rows(text) == []


async def test_all_alarms_that_waited_for_names_of_one_feed_are_on_the_thing(
    inventoried: Inventoried, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarms = [await raised(inventoried, name) for name in ("KOL-1", "KOL-2", "KOL-3")]
    port = replace(named("N1/1/1"), aliases=tuple(("nms", name) for name in ("KOL-3", "KOL-1", "KOL-2")))
    with recorded(monkeypatch) as seen:
        await fed(inventoried, "inventory", port, replace(element("N3"), aliases=(("nms", "b"), ("nms", "a"))))
    assert seen.breaches() == []
    assert [await object_of(inventoried, each) for each in alarms] == [[id_of(port)]] * 3
