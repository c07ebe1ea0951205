"""A store of version 4 has names of MTOSI in two spellings; after the migration an alarm finds what a feed has made."""

from __future__ import annotations

import json
import time
from typing import Any, Final

from adapters.soap.names import spelled
from graph.model.identity import external_key
from graph.store.migrate import migrate
from graph.store.store import Store, Transaction

NAME: Final = (("MD", "north"), ("ME", "W9"), ("EH", "/shelf=1/slot=3"), ("EQ", "1"))
OLD: Final = "MD=north/ME=W9/EH=%2Fshelf%3D1%2Fslot%3D3/EQ=1"
NEW: Final = "MD=north;ME=W9;EH=/shelf=1/slot=3;EQ=1"
VERSION_4: Final = """
CREATE (:NetworkElement {id: 'networkelement-1', name: 'W9'})<-[:NAMES]-
  (:ExternalName {id: 'externalname-1', key: 'k1', system: 'inventory', name: 'MD=north;ME=W9'})
CREATE (:Port {id: 'port-1', name: 'p'})<-[:NAMES]-
  (:ExternalName {id: 'externalname-2', key: 'k2', system: 'nms', name: 'MD=north/ME=W9/PTP=%2Fport%3D6'})
CREATE (:Port {id: 'port-2', name: 'p'})<-[:NAMES]-
  (:ExternalName {id: 'externalname-3', key: 'k3', system: 'nms', name: 'KOL-1/3/1=2'})
CREATE (:Delivery {id: 'd1', orderKey: 'alarm-5'}), (:Delivery {id: 'd2', orderKey: 'alarm-1'})
CREATE (:InventoryFeed {id: 'inventoryfeed-1', state: 'compared', resources: 3})
WITH 1 AS made
UNWIND $alarms AS a
CREATE (:Alarm {id: a.id, sourceSystemId: 'inventory', externalAlarmId: a.external, alarmedObjectRef: a.object,
                awaits: a.awaits, record: a.record, state: 'raised'})
"""


def soon() -> float:
    return time.monotonic() + 60


def alarm(
    number: int, external: str | None, text: str, record: dict[str, Any], *, awaits: bool = True
) -> dict[str, Any]:
    return {
        "id": f"alarm-{number}",
        "external": external,
        "object": text,
        "awaits": external_key("inventory", text) if awaits else None,
        "record": json.dumps(record, separators=(",", ":")),
    }


def named(*name: tuple[str, str]) -> dict[str, Any]:
    return {"x733": {"objectName": [{"type": kind, "value": value} for kind, value in name]}}


async def rows(store: Store, text: str, **given: object) -> list[list[Any]]:
    return await store.rows(text, given, deadline=soon())


async def test_a_store_of_version_4_has_one_spelling_afterwards(empty_store: Store) -> None:
    store = empty_store
    long = f"{'x' * 240}|LR_Ethernet"
    alarms = [
        alarm(1, f"{OLD}|LR_Ethernet|EQPT", OLD, named(*NAME)),
        alarm(2, OLD, OLD, named(*NAME), awaits=False),
        alarm(3, "W8||LOS", "W8", named(("PTP", "W8"))),
        alarm(4, None, "nms-1", named(("OS", "nms-1"))),
        alarm(5, "t-1", "MD=north/ME=W1", {"alarmedObject": {"id": "MD=north/ME=W1"}}),
        alarm(6, f"MD=n/ME={long}", "MD=n/ME=" + "x" * 240, named(("MD", "n"), ("ME", "x" * 240))),
    ]

    async def work(transaction: Transaction) -> None:
        await transaction.run("MATCH (v:SchemaVersion) SET v.version = 4", {})
        await transaction.run(VERSION_4, {"alarms": alarms})

    await store.write(work, deadline=soon())
    assert (await migrate(store, deadline=soon())).version == 4
    assert spelled(NAME) == NEW
    found = await rows(store, "MATCH (a:Alarm) RETURN a.externalAlarmId, a.alarmedObjectRef, a.awaits ORDER BY a.id")
    assert found[:5] == [
        [f"{NEW}|LR_Ethernet|EQPT", NEW, external_key("inventory", NEW)],
        [NEW, NEW, None],
        ["W8||LOS", "W8", external_key("inventory", "W8")],
        [None, "OS=nms-1", external_key("inventory", "OS=nms-1")],
        ["t-1", "MD=north/ME=W1", external_key("inventory", "MD=north/ME=W1")],
    ]
    assert str(found[5][0]).startswith("sha256:")
    names = "MATCH (x:ExternalName)-[:NAMES]->(n) RETURN x.name, x.key, n.id ORDER BY x.name"
    beside = "MD=north;ME=W9;PTP=/port=6"
    assert await rows(store, names) == [
        ["KOL-1/3/1=2", "k3", "port-2"],
        ["MD=north/ME=W9/PTP=%2Fport%3D6", "k2", "port-1"],
        ["MD=north;ME=W9", "k1", "networkelement-1"],
        [beside, external_key("nms", beside), "port-1"],
    ]
    told = "MATCH (a:Alarm) WHERE a._toldName IS NOT NULL RETURN a.id, a._toldName"
    assert await rows(store, told) == [["alarm-5", '[["AID","MD=north/ME=W1"]]']]
    assert await rows(store, "MATCH (f:InventoryFeed) RETURN f.notTaken") == [[0]]


async def test_migrating_twice_makes_no_difference(empty_store: Store) -> None:
    await test_a_store_of_version_4_has_one_spelling_afterwards(empty_store)

    async def again(transaction: Transaction) -> None:
        await transaction.run("MATCH (v:SchemaVersion) SET v.version = 4", {})

    everything = "MATCH (n) WHERE n:Alarm OR n:ExternalName OR n:InventoryFeed RETURN properties(n) ORDER BY n.id"
    before = await rows(empty_store, everything)
    await empty_store.write(again, deadline=soon())
    await migrate(empty_store, deadline=soon())
    assert await rows(empty_store, everything) == before
