"""Three elements at two sites, two cards each, two ports each; three trunks; two customers with services; and what changes it.

All ids are by name, so that what is done can be said in a word: `await net.route("s1", "t2")`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from graph.changes.alarms.alarms import clear_alarm, raise_alarm
from graph.changes.alarms.consequences import By
from graph.changes.policy import AlarmPolicy
from graph.compiler.bind import Names, ScopeIds
from graph.compiler.clauses import Get, Query, Return
from graph.compiler.cypher import text
from graph.compiler.slice import everything
from graph.inventory import equipment
from graph.inventory.equipment import Hand
from graph.load import NodeRecord, Record, RelationshipRecord, as_line, load_lines
from graph.load.records import Value
from graph.membership import build, check
from graph.model.alarm import Alarm
from graph.model.identity import loaded_id, membership_id
from graph.model.model import LABELS, searchable
from graph.model.scope import ScopeKind, is_shared
from graph.store.store import Store, Transaction
from tests.graph.changes.network import SYSTEM, report
from tests.graph.inventory.network import OPERATOR

SITES: Final = ("x1", "x2")
ELEMENTS: Final = {"e1": "x1", "e2": "x1", "e3": "x2"}
CARDS: Final = {f"k{number}": f"e{(number + 1) // 2}" for number in range(1, 7)}
PORTS: Final = {f"p{number}": f"k{(number + 1) // 2}" for number in range(1, 13)}
TRUNKS: Final = {"t1": ("p1", "p5"), "t2": ("p2", "p9"), "t3": ("p6", "p10")}
CUSTOMERS: Final = ("a", "b")
SERVICES: Final = {"s1": "a", "s2": "a", "s3": "b", "s4": "b"}
SLAS: Final = ("gold", "plain")
_LABELS: Final = {"x": "Site", "e": "NetworkElement", "k": "Card", "p": "Port", "t": "Trunk", "s": "Service"}
POLICY: Final = AlarmPolicy(ticketing="desk")
_STATES: Final[dict[str, Value]] = {"operationalState": "enabled", "administrativeState": "unlocked"}


def id_of(name: str) -> str:
    """Give the id of what has this name."""
    label = {**dict.fromkeys(CUSTOMERS, "Customer"), **dict.fromkeys(SLAS, "Sla")}.get(name) or _LABELS[name[0]]
    return loaded_id(label, "membership", name)


def soon() -> float:
    return time.monotonic() + 60


def _node(name: str, label: str, **values: Value) -> NodeRecord:
    words: dict[str, Value] = {"words": searchable(name)} if LABELS[label].searched else {}
    return NodeRecord(label=label, id=id_of(name), properties={"name": name, **words, **values})


def _edge(kind: str, start: str, far: str, /, **values: Value) -> RelationshipRecord:
    return RelationshipRecord(type=kind, start=id_of(start), end=id_of(far), properties=values)


def _network() -> Iterator[Record]:
    for site in SITES:
        yield _node(site, "Site", role="core", latitude=50.0, longitude=7.0)
    for name, site in ELEMENTS.items():
        yield _node(name, "NetworkElement", vendor="v", model="m", role="core", **_STATES)
        yield _edge("LOCATED_AT", name, site)
    for name, element in CARDS.items():
        yield _node(name, "Card", model="m", slot=1, **_STATES)
        yield _edge("HOLDS", element, name)
    for name, card in PORTS.items():
        yield _node(name, "Port", role="trunk", number=1, speedMbps=1, **_STATES)
        yield _edge("HAS_PORT", card, name)
    for name, ports in TRUNKS.items():
        yield _node(name, "Trunk", layerRate="ODU4", capacityMbps=1, operationalState="enabled")
        for end, port in zip("AZ", ports, strict=True):
            yield _edge("TERMINATES_ON", name, port, end=end)
    for name in CUSTOMERS:
        yield _node(name, "Customer", segment="retail", status="active", accountRef=name)
    for name in SLAS:
        yield _node(name, "Sla", tier="BASIC", availabilityPercent=99.0, repairHours=8)
    for name, customer in SERVICES.items():
        yield from service(name, customer, "plain")
    yield route("s1", "t1")
    yield route("s3", "t1")
    yield access("s2", "p3")


def service(name: str, customer: str, sla: str) -> Iterator[Record]:
    yield _node(name, "Service", kind="ip", state="active", committedMbps=1, effectiveMbps=1, maxMbps=1)
    yield _edge("SUBSCRIBES_TO", customer, name)
    yield _edge("GOVERNED_BY", name, sla)


def route(name: str, trunk: str, path: str = "WORKING") -> RelationshipRecord:
    return _edge("ROUTED_OVER", name, trunk, path=path, position=0)


def access(name: str, port: str, end: str = "A") -> RelationshipRecord:
    return _edge("ACCESSED_AT", name, port, end=end)


def _own(label: str) -> str:
    """Make the statement that lists what of a label is in the slice, as the compiler walks it."""
    names = Names(parameters=[("scope", ScopeIds())])
    found = everything(names, ScopeKind.CUSTOMERS, label)
    return text(Query((*found.clauses, Return(Get(found.node, "id")))))


OWN: Final = {label: _own(label) for label in LABELS if is_shared(label)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Net:
    """The network in a store."""

    store: Store

    async def lay(self) -> None:
        await self.load(*_network())

    async def load(self, *records: Record) -> None:
        await load_lines(self.store, map(as_line, records), progress=lambda *_: None, deadline=soon())

    async def build(self, customer: str) -> None:
        await build(self.store, id_of(customer), deadline=soon())

    async def raise_(self, on: str, number: int) -> str:
        alarm: Alarm = report(id_of(on), number)
        return (await raise_alarm(self.store, SYSTEM, POLICY, alarm, deadline=soon())).ids["alarm"]

    async def clear(self, alarm: str, key: str) -> None:
        await clear_alarm(self.store, SYSTEM, POLICY, alarm_id=alarm, idempotency_key=key, deadline=soon())

    async def move(self, what: str, *place: str) -> None:
        hand = Hand(by=By(principal=OPERATOR, policy=POLICY), system="inventory")

        async def work(transaction: Transaction) -> None:
            await equipment.move(transaction, hand, id_of(what), tuple(map(id_of, place)))

        await self.store.write(work, deadline=soon())

    async def run(self, text: str) -> None:
        async def work(transaction: Transaction) -> None:
            await transaction.run(text, {})

        await self.store.write(work, deadline=soon())

    async def stored(self) -> set[str]:
        """The names of the customers whose slices are stored."""
        text = "MATCH (c:Customer) WHERE NOT c._sliceStored IS NULL RETURN c.name"
        return {str(row[0]) for row in await self.store.rows(text, {}, deadline=soon())}

    async def memberships(self, customer: str) -> set[str]:
        text = "MATCH (m:Membership {customer: $id}) RETURN m.id"
        return {str(row[0]) for row in await self.store.rows(text, {"id": id_of(customer)}, deadline=soon())}

    async def walked(self, customer: str) -> set[str]:
        """What the customer's memberships should be, by the lists that the compiler makes of `slice_paths`."""
        scope = {"scope": [id_of(customer)]}
        rows = [row for each in OWN.values() for row in await self.store.rows(each, scope, deadline=soon())]
        return {membership_id(id_of(customer), str(node)) for (node,) in rows}

    async def compare(self) -> None:
        """Fail unless each stored slice says what a walk finds, and the program's own check says so too."""
        for customer in await self.stored():
            assert await self.memberships(customer) == await self.walked(customer)
        found = await check(self.store, deadline=soon())
        assert (found.wrong, found.missing) == ((), ())
