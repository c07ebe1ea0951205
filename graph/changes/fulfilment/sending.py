"""What the network is asked for a new service: to make it, or to take it away again.

Both are deliveries of one order key, the service: it is taken away after whatever has become of making it. A delivery says all that is
needed, as it was when it was reserved; ports and trunks by our ids and by their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast

from graph.changes import events
from graph.changes.events import Event
from graph.ledger.outbox import Told, write_down
from graph.store.store import Store, Transaction

TELLING: Final = "service"
"""What the payload of such a delivery says it is."""
Doing: TypeAlias = Literal["create", "delete"]

_BUILT: Final = """
MATCH (s:Service {id: $service})
SET s._version = coalesce(s._version, 0) + 1
RETURN s.id, s.name, s.kind, coalesce(s.committedMbps, 0), s._version, coalesce(s._doubt, ''), datetime.realtime().epochMillis,
  COLLECT { MATCH (s)-[a:ACCESSED_AT]->(p:Port) RETURN [a.end, p.id, coalesce(p.name, p.id)] ORDER BY a.end, p.id },
  COLLECT { MATCH (s)-[r:ROUTED_OVER]->(t:Trunk) RETURN [r.path, t.id, coalesce(t.name, t.id)] ORDER BY r.path DESC, r.position }
"""
_IS_WANTED: Final = """
MATCH (i:OrderItem {id: $item})-[:PROVISIONS]->(:Service {id: $service})
RETURN i._phase = 'activating' AND i.state = 'inProgress'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A service as it is reserved, or in use, under its lock."""

    id: str
    name: str
    kind: str
    mbps: int
    version: int
    """which an event of it has."""
    doubt: str
    """why nobody knows whether the network will still make it; empty: that is known."""
    now: int
    """epoch milliseconds by the database's clock."""
    ends: Sequence[tuple[str, str, str]]
    """end, id and name of each port,"""
    ways: Sequence[tuple[str, str, str]]
    """path, id and name of each trunk, in order."""

    def said(self) -> dict[str, Any]:
        """Give what others are told of it."""
        return {
            "service": {"id": self.id, "name": self.name},
            "specification": self.kind,
            "mbps": self.mbps,
            "ends": [{"end": end, "id": id_, "name": name} for end, id_, name in self.ends],
            "ways": [{"path": path, "id": id_, "name": name} for path, id_, name in self.ways],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Of which item a delivery is."""

    order: str
    item: str
    """its id within the order,"""
    node: str
    """and in the graph."""
    service: str
    step: str
    """the id of the step that it carries out."""


async def built(transaction: Transaction, service: str) -> Built | None:
    """Lock a service, count an event of it, and give it as it is; None: there is none."""
    for row in await transaction.run(_BUILT, {"service": service}):
        if row[0] is not None:  # Neo4j gives nulls of what was deleted while its lock was waited for
            return _built(row)
    return None


async def ask(transaction: Transaction, provisioning: str, asked: Asked, doing: Doing, *, subject: str) -> bool:
    """Ask the network to make a service, or to take it away; tell whether there is such a service."""
    found = await built(transaction, asked.service)
    if found is None:
        return False
    kind = "ServiceActivationRequested" if doing == "create" else "ServiceRemovalRequested"
    made = Event(
        type=kind,
        aggregate_id=found.id,
        aggregate_version=found.version,
        at=found.now,
        principal=subject,
        payload={"service": found.id, "order": asked.order, "mbps": found.mbps},
        customers=(),  # it is nobody's yet
    )
    events.append(transaction, made)
    payload = {
        "telling": TELLING,
        "doing": doing,
        "order": asked.order,
        "item": asked.item,
        "node": asked.node,
        "step": asked.step,
        "doubt": found.doubt,
        **found.said(),
    }
    told = Told(
        event=made.id,
        system=provisioning,
        subject=found.id,
        order_key=found.id,
        payload=payload,
        steps=(asked.step,),
    )
    write_down(transaction, [told])
    return True


async def is_wanted(store: Store, asked: Asked, *, deadline: float) -> bool:
    """Tell whether a service is still to be made: whoever has ordered it may not want it any more."""
    rows = await store.rows(_IS_WANTED, {"item": asked.node, "service": asked.service}, deadline=deadline)
    return any(bool(wanted) for (wanted,) in rows)


def asked_by(payload: Mapping[str, Any]) -> Asked:
    """Read of which item a delivery is."""
    return Asked(
        order=payload["order"],
        item=payload["item"],
        node=payload["node"],
        service=payload["service"]["id"],
        step=payload["step"],
    )


def _built(row: Sequence[Any]) -> Built:
    service, name, kind, mbps, version, doubt, now, ends, ways = row
    return Built(
        id=service,
        name=name,
        kind=kind or "",
        mbps=mbps,
        version=version,
        doubt=doubt,
        now=now,
        ends=cast("list[tuple[str, str, str]]", [tuple(each) for each in ends]),
        ways=cast("list[tuple[str, str, str]]", [tuple(each) for each in ways]),
    )
