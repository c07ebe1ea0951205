"""What an inventory calls a thing that it was told of is its name from then on, for all who know it by that."""

from __future__ import annotations

import pytest

from graph.inventory.answers import Answered, Named, settle_answers
from graph.ledger.claims import claim
from graph.ledger.lanes import take_lanes
from graph.ledger.outcomes import Done
from tests.graph.changes.locks import recorded
from tests.graph.inventory.network import NETWORK, OPERATOR, SYSTEM, Inventoried, id_of, named, soon
from tests.graph.inventory.test_naming import SHARING, add, names, object_of, raised

CARD = id_of(named("N1/1"))


async def answered(inventoried: Inventoried, name: str) -> None:
    """Have the inventory told of a card that it does not have, and let it answer with a name."""
    await inventoried.feed("full", *(each for each in NETWORK if each.name != "N1/1"), kind="full")
    difference = await inventoried.difference("N1/1")
    assert (await inventoried.settle(difference, "graph", key="told")).user_errors == ()
    leases = await take_lanes(inventoried.store, SYSTEM, owner="one", ttl_ms=60_000, deadline=soon())
    [told] = await claim(inventoried.store, leases, most=16, hold_ms=0, deadline=soon())
    answer = Answered(outcome=Done(claim=told), named=Named(resource=CARD, name=name))
    await settle_answers(inventoried.store, SYSTEM, SHARING, [answer], subject=SYSTEM, deadline=soon())
    assert await inventoried.rows("MATCH (d:Delivery {system: 'inventory'}) RETURN d.state") == [["DONE"]]


async def test_an_alarm_of_a_source_that_uses_the_inventorys_names_finds_the_thing(
    inventoried: Inventoried, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarm = await raised(inventoried, "C-77")
    with recorded(monkeypatch) as seen:
        await answered(inventoried, "C-77")
    assert await object_of(inventoried, alarm) == [CARD]
    assert seen.breaches() == []


async def test_what_it_was_called_before_is_taken_back_and_told(inventoried: Inventoried) -> None:
    await add(inventoried, CARD, SYSTEM, "given by ann")
    await answered(inventoried, "C-77")
    assert await names(inventoried, CARD) == [["inventory", "C-77"]]
    assert [(of, who) for of, _, who, _ in await inventoried.events("ResourceUnnamed")] == [(CARD, SYSTEM)] * 2
    versions = [
        version
        for kind in ("ResourceNamed", "ResourceUnnamed")
        for of, version, _, _ in await inventoried.events(kind)
        if of == CARD
    ]
    assert len(versions) == len(set(versions)) == 4


async def test_a_name_of_another_thing_stays_there_and_nothing_is_told(inventoried: Inventoried) -> None:
    await add(inventoried, id_of(named("N2/1")), SYSTEM, "C-77")
    before = await inventoried.events("ResourceNamed")
    await answered(inventoried, "C-77")
    assert ["inventory", "C-77"] in await names(inventoried, id_of(named("N2/1")))
    assert await names(inventoried, CARD) == [["inventory", "N1/1"]]
    assert await inventoried.events("ResourceNamed") == before
    assert [who for _, _, who, _ in before] == [OPERATOR.subject]
