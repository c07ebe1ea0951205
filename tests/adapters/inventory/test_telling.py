"""From somebody's decision to the inventory, whatever goes wrong on the way, and once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.delivery.delivery import Lanes, Pace
from adapters.inventory import ResourceOrder
from adapters.inventory.telling import InventoryTeller
from adapters.simulator.faults import Kind, Rule
from graph.store.store import Store
from tests.adapters.delivery.test_delivery import until
from tests.adapters.inventory.dialects import DIALECTS, Told, telling
from tests.graph.inventory.network import NETWORK, POLICY, SYSTEM, Inventoried, but, element, id_of, named, soon

PACE = Pace(request_seconds=1.0, processing_seconds=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The network, its inventory, and who tells it."""

    inventoried: Inventoried
    told: Told

    @asynccontextmanager
    async def process(self) -> AsyncIterator[None]:
        teller = InventoryTeller(
            store=self.inventoried.store,
            inventory=self.told.inventory,
            system=SYSTEM,
            policy=POLICY,
            processing_seconds=PACE.processing_seconds,
        )
        task = asyncio.create_task(Lanes(self.inventoried.store, teller, PACE, owner="one", note=lambda *_: None).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def states(self) -> list[Any]:
        return [row[0] for row in await self.inventoried.rows("MATCH (d:Delivery) RETURN d.state")]

    async def is_told(self) -> bool:
        return set(await self.states()) == {"DONE"}

    async def forget(self, name: str) -> None:
        """Take a thing out of the inventory, without our knowing."""
        order = ResourceOrder(ours=name, resource=named(name))
        await self.told.inventory.remove(order, delivery_id="d", deadline=soon())

    async def differ(self, *other: Any, without: tuple[str, ...] = ()) -> list[str]:
        """Receive a full feed, and give the ids of what it differs in, by name."""
        names = {each.name for each in other} | set(without)
        await self.inventoried.feed("full", *other, *(each for each in NETWORK if each.name not in names), kind="full")
        found = await self.inventoried.rows("MATCH (d:InventoryDifference) RETURN d.id ORDER BY d.name")
        return [str(row[0]) for row in found]


@pytest.fixture(params=DIALECTS)
async def scene(request: pytest.FixtureRequest, empty_store: Store) -> AsyncIterator[Scene]:
    inventoried = Inventoried(store=empty_store)
    await inventoried.feed("first", *NETWORK)
    async with telling(request.param) as told:
        for each in NETWORK:
            told.put(each)
        yield Scene(inventoried=inventoried, told=told)


async def test_the_graphs_side_reaches_the_inventory_and_the_next_feed_agrees(scene: Scene) -> None:
    theirs = but("N1", vendor="Bolt")
    scene.told.put(theirs)
    [difference] = await scene.differ(theirs)
    await scene.inventoried.settle(difference, "graph")
    async with scene.process():
        await until(scene.is_told)
    assert scene.told.named("N1").properties == named("N1").properties
    state = await scene.inventoried.feed("after", *scene.told.kept(), kind="full")
    assert (state.changes, state.differences) == (0, 0)


async def test_what_is_made_there_is_known_by_its_new_name(scene: Scene) -> None:
    for name in ("N2/1/1", "T1"):
        await scene.forget(name)
    for number, difference in enumerate(await scene.differ(without=("N2/1/1", "T1"))):
        await scene.inventoried.settle(difference, "graph", key=str(number))
    async with scene.process():
        await until(scene.is_told)
    assert len(scene.told.kept()) == len(NETWORK)
    text = "MATCH (x:ExternalName)-[:NAMES]->(n:Trunk {id: $id}) RETURN x.name"
    [[name]] = await scene.inventoried.rows(text, id=id_of(named("T1")))
    assert scene.told.named(str(name)).ends == named("T1").ends
    assert len(await scene.inventoried.events("ResourceNamed")) == 2
    state = await scene.inventoried.feed("after", *scene.told.kept(), kind="full")
    assert (state.changes, state.differences) == (0, 0)


async def test_a_whole_branch_is_made_from_the_element_on(scene: Scene) -> None:
    branch = ("N2/1/2", "N2/1/1", "N2/1", "N2", "T1")
    for name in branch:
        await scene.forget(name)
    differences = await scene.differ(without=branch)
    await scene.inventoried.run("MATCH (x:ExternalName) WHERE x.name STARTS WITH 'N2' OR x.name = 'T1' DETACH DELETE x")
    for number, difference in enumerate(reversed(differences)):
        await scene.inventoried.settle(difference, "graph", key=str(number))
    async with scene.process():
        await until(scene.is_told)
    assert len(scene.told.kept()) == len(NETWORK)
    state = await scene.inventoried.feed("after", *scene.told.kept(), kind="full")
    assert (state.changes, state.differences) == (0, 0)


async def test_what_only_the_inventory_has_is_taken_away_there(scene: Scene) -> None:
    scene.told.put(element("N9"))
    [difference] = await scene.differ(element("N9"))
    await scene.inventoried.settle(difference, "graph")
    async with scene.process():
        await until(scene.is_told)
    assert len(scene.told.kept()) == len(NETWORK)
    assert all(each.name != "N9" for each in scene.told.kept())


@pytest.mark.sampled(4)
@pytest.mark.parametrize("kind", [Kind.SILENT, Kind.TRUNCATED, Kind.DOWN, Kind.UNAVAILABLE])
async def test_what_goes_wrong_is_made_good_and_nothing_is_made_twice(scene: Scene, kind: Kind) -> None:
    await scene.forget("T1")
    [difference] = await scene.differ(without=("T1",))
    await scene.inventoried.settle(difference, "graph")
    scene.told.system.faults.order(Rule(kind=kind, times=2, method="POST"))
    async with scene.process():
        await until(scene.is_told)
    assert len([each for each in scene.told.kept() if each.kind == "Trunk"]) == 1


async def test_what_an_old_feed_misses_still_is_not_made_twice(scene: Scene) -> None:
    await scene.forget("T1")
    [difference] = await scene.differ(without=("T1",))
    await scene.inventoried.settle(difference, "graph")
    async with scene.process():
        await until(scene.is_told)
        old = [each for each in NETWORK if each.name != "T1"]
        await scene.inventoried.feed("written before", *old, kind="full")
        [[again]] = await scene.inventoried.rows("MATCH (d:InventoryDifference {state: 'open'}) RETURN d.id")
        await scene.inventoried.settle(str(again), "graph", key="again")
        await until(scene.is_told)
    assert len(await scene.states()) == 2
    assert len([each for each in scene.told.kept() if each.kind == "Trunk"]) == 1


async def test_what_is_refused_is_parked_for_a_person(scene: Scene) -> None:
    await scene.forget("N1")
    [difference] = await scene.differ(but("N1", vendor="Bolt"))
    await scene.inventoried.settle(difference, "graph")
    await scene.inventoried.run("MATCH (d:Delivery) SET d.attempts = 2")

    async def parked() -> bool:
        return await scene.states() == ["DEAD"]

    async with scene.process():
        await until(parked)
    [[error]] = await scene.inventoried.rows("MATCH (d:Delivery) RETURN d.lastError")
    assert "404" in str(error) or "has no N1" in str(error)
