"""One thing has many names, and whatever is said under any of them is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from graph.changes.alarms.alarms import raise_alarm
from graph.changes.alarms.consequences import By
from graph.changes.outcome import Outcome
from graph.errors import Refused
from graph.inventory.feeds import Received, begin, complete
from graph.inventory.naming import add_external_name, remove_external_name, share_name
from graph.inventory.reconcile import reconcile_next
from graph.model.alarm import Alarm
from graph.model.resource import Resource
from graph.model.scope import Principal, Role
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


async def raised(inventoried: Inventoried, name: str) -> str:
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
    outcome = await raise_alarm(inventoried.store, NMS, POLICY, alarm, deadline=soon())
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
    by = By(principal=NMS, policy=SHARING)
    for _ in range(2):
        await share_name(inventoried.store, by, "nms", "N1/1/1", deadline=soon())
    await share_name(inventoried.store, by, "nms", "nothing", deadline=soon())
    await share_name(inventoried.store, By(principal=NMS, policy=POLICY), "nms", "N2", deadline=soon())
    port = id_of(named("N1/1/1"))
    assert await names(inventoried, port) == [["inventory", "N1/1/1"], ["nms", "N1/1/1"]]
    assert await names(inventoried, id_of(named("N2"))) == [["inventory", "N2"]]
    assert await object_of(inventoried, await raised(inventoried, "N1/1/1")) == [port]


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
