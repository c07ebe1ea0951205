"""Somebody takes a side, once, and it is known who did."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from graph.changes.policy import AlarmPolicy
from graph.errors import Refused
from graph.inventory.differences import listed
from graph.inventory.reconcile import reconcile_next
from graph.inventory.settling import settle_difference
from graph.model.scope import Principal, Role
from tests.graph.inventory.network import NETWORK, OPERATOR, POLICY, Inventoried, but, element, id_of, named, rack, soon


async def full(inventoried: Inventoried, *other: Any, without: str = "") -> None:
    """A full feed in which some things are as given, and one is missing."""
    names = {each.name for each in other} | {without}
    await inventoried.feed("full", *other, *(each for each in NETWORK if each.name not in names), kind="full")


async def deliveries(inventoried: Inventoried) -> list[dict[str, Any]]:
    rows = await inventoried.rows("MATCH (d:Delivery) WHERE d.system = 'inventory' RETURN d.payload, d.orderKey")
    return [{**orjson.loads(payload), "orderKey": key} for payload, key in rows]


async def test_with_the_inventorys_side_a_property_is_taken(inventoried: Inventoried) -> None:
    await full(inventoried, but("N1", vendor="Bolt"))
    difference = await inventoried.difference("N1")
    outcome = await inventoried.settle(difference, "inventory")
    assert (outcome.ids, outcome.user_errors) == ({"difference": difference}, ())
    assert await inventoried.value("N1", "vendor") == "Bolt"
    assert await inventoried.rows("MATCH (d:InventoryDifference) RETURN d.state, d.settledAt > 0") == [["taken", True]]
    [(of, version, who, whom)] = await inventoried.events("ResourceChanged")
    assert (of, version, who, whom) == (id_of(named("N1")), 2, OPERATOR.subject, ["customer-a"])
    assert [who for _, _, who, _ in await inventoried.events("InventoryDifferenceSettled")] == [OPERATOR.subject]
    assert await deliveries(inventoried) == []


async def test_with_the_inventorys_side_a_thing_is_made_moved_and_taken_away(inventoried: Inventoried) -> None:
    await full(inventoried, element("N3"), replace(named("N2/1"), inside="N1"), without="N2/1/1")
    for number, name in enumerate(("N3", "N2/1", "N2/1/1")):
        outcome = await inventoried.settle(await inventoried.difference(name), "inventory", key=str(number))
        assert outcome.user_errors == ()
    assert await inventoried.there("N3")
    assert await inventoried.holder("N2/1") == ["N1"]
    assert not await inventoried.there("N2/1/1")


async def test_nobody_takes_away_what_carries_services(inventoried: Inventoried) -> None:
    await full(inventoried, without="N1/1/1")
    difference = await inventoried.difference("N1/1/1")
    outcome = await inventoried.settle(difference, "inventory")
    assert [(each.code, each.message) for each in outcome.user_errors] == [
        ("CARRIES_SERVICES", "It cannot be settled so: it still carries 1 service")
    ]
    assert await inventoried.there("N1/1/1")
    assert await inventoried.rows("MATCH (d:InventoryDifference) RETURN d.state") == [["held"]]
    await inventoried.run("MATCH (:Service)-[r:ACCESSED_AT]->(:Port) DELETE r")
    assert (await inventoried.settle(difference, "inventory", key="2")).user_errors == ()
    assert not await inventoried.there("N1/1/1")


async def test_with_the_graphs_side_the_inventory_is_told_only_what_differs(inventoried: Inventoried) -> None:
    await full(inventoried, but("N1", vendor="Bolt", model="Y"))
    rows = await inventoried.rows("MATCH (d:InventoryDifference {property: 'vendor'}) RETURN d.id")
    outcome = await inventoried.settle(str(rows[0][0]), "graph")
    assert outcome.user_errors == ()
    [told] = await deliveries(inventoried)
    assert (told["doing"], told["ours"], told["orderKey"]) == ("amend", id_of(named("N1")), id_of(named("N1")))
    assert told["resource"]["name"] == "N1"
    assert told["resource"]["properties"] == {"vendor": "Acme"}
    assert await inventoried.value("N1", "vendor") == "Acme"
    assert [who for _, _, who, _ in await inventoried.events("InventoryTold")] == [OPERATOR.subject]


async def test_with_the_graphs_side_what_is_missing_there_is_told_whole(inventoried: Inventoried) -> None:
    await full(inventoried, without="T1")
    await inventoried.settle(await inventoried.difference("T1"), "graph")
    [told] = await deliveries(inventoried)
    assert told["doing"] == "create"
    assert told["resource"]["ends"] == [id_of(named("N1/1/2")), id_of(named("N2/1/2"))]
    assert told["resource"]["properties"] == dict(named("T1").properties)
    assert told["resource"]["insideName"] is None


async def test_with_the_graphs_side_what_is_missing_here_is_to_be_taken_away_there(inventoried: Inventoried) -> None:
    await full(inventoried, element("N3"))
    difference = await inventoried.difference("N3")
    await inventoried.settle(difference, "graph")
    [told] = await deliveries(inventoried)
    assert (told["doing"], told["orderKey"], told["resource"]["name"]) == ("remove", difference, "N3")


async def test_what_was_told_stays_told_until_a_later_feed_still_differs(inventoried: Inventoried) -> None:
    await full(inventoried, but("N1", vendor="Bolt"))
    await inventoried.settle(await inventoried.difference("N1"), "graph")
    state = "MATCH (d:InventoryDifference) RETURN d.state"
    begun = await inventoried.receive("late", but("N1", vendor="Bolt"), *NETWORK[2:], kind="full")
    await inventoried.run("MATCH (f:InventoryFeed {id: $id}) SET f.startedAt = 0", id=begun.id)
    await reconcile_next(inventoried.store, POLICY, owner="one")
    assert (await inventoried.rows("MATCH (d:InventoryDifference {name: 'N1'}) RETURN d.state")) == [["told"]]
    await inventoried.feed("later", but("N1", vendor="Bolt"), *NETWORK[2:], kind="full")
    assert ["open"] in await inventoried.rows(state)


async def test_a_side_is_taken_once(inventoried: Inventoried) -> None:
    await full(inventoried, but("N1", vendor="Bolt"))
    difference = await inventoried.difference("N1")
    first = await inventoried.settle(difference, "graph")
    assert await inventoried.settle(difference, "graph") == first
    assert len(await deliveries(inventoried)) == 1
    again = await inventoried.settle(difference, "inventory", key="other")
    assert [each.code for each in again.user_errors] == ["DIFFERENCE_SETTLED"]


async def test_who_may_not_and_what_cannot_be(inventoried: Inventoried) -> None:
    await full(inventoried, but("N1", vendor="Bolt"))
    difference = await inventoried.difference("N1")
    nobody = await inventoried.settle("inventorydifference-0", "graph")
    assert [each.code for each in nobody.user_errors] == ["DIFFERENCE_NOT_FOUND"]
    untold = await inventoried.settle(difference, "graph", policy=AlarmPolicy(), key="2")
    assert [each.code for each in untold.user_errors] == ["NOT_TOLD"]
    for role in (Role.ANALYST, Role.CUSTOMER, Role.SYSTEM):
        with pytest.raises(Refused, match="Only operators"):
            await settle_difference(
                inventoried.store,
                Principal(subject="x", role=role),
                POLICY,
                difference_id=difference,
                side="graph",
                idempotency_key="3",
                deadline=soon(),
            )
    assert await deliveries(inventoried) == []


@pytest.mark.parametrize("side", ["inventory", "graph"])
async def test_what_has_no_place_has_no_sides(inventoried: Inventoried, side: str) -> None:
    await inventoried.feed("racks", rack())
    outcome = await inventoried.settle(await inventoried.difference("RACK-1"), side)
    assert [(each.code, each.message) for each in outcome.user_errors] == [
        ("CANNOT_BE_SETTLED", "It cannot be settled: the graph has no racks")
    ]
    assert await deliveries(inventoried) == []


async def test_differences_are_listed_page_by_page(inventoried: Inventoried) -> None:
    await full(inventoried, but("N1", vendor="Bolt", model="Y", role="z"))
    first = await listed(inventoried.store, "open", after="", most=2, deadline=soon())
    rest = await listed(inventoried.store, "open", after=first[-1]["id"], most=2, deadline=soon())
    assert sorted(each["property"] for each in [*first, *rest]) == ["model", "role", "vendor"]
    assert {each["theirs"] for each in [*first, *rest]} == {"Bolt", "Y", "z"}
