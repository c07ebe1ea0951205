"""What an inventory calls a thing that was just made there is learnt once, with the delivery that made it, or it is lost.

So both are one transaction: what became of the delivery, and the name. A name that the inventory had for the thing before
is its name no more; one that names something else already is left where it is, for a feed to find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from graph.changes import gates
from graph.changes.alarms.awaiting import find_awaiting
from graph.changes.alarms.consequences import OURSELVES, By
from graph.changes.events import Event, append
from graph.changes.policy import AlarmPolicy
from graph.inventory.known import locked
from graph.ledger.outcomes import Outcome, settle
from graph.model.identity import external_key, loaded_id
from graph.model.resource import KINDS
from graph.store.store import Store, Transaction

_UNNAME: Final[Mapping[str, str]] = {
    kind: f"""
MATCH (x:ExternalName)-[:NAMES]->(:{kind} {{id: $resource}})
WHERE x.system = $system AND x.key <> $key
DETACH DELETE x
"""
    for kind in KINDS
}
_NAME: Final[Mapping[str, str]] = {
    kind: f"""
MERGE (x:ExternalName {{key: $key}})
ON CREATE SET x.id = $id, x.system = $system, x.name = $name
WITH x WHERE NOT EXISTS {{ MATCH (x)-[:NAMES]->() }}
MATCH (n:{kind} {{id: $resource}})
CREATE (x)-[:NAMES]->(n)
"""
    for kind in KINDS
}
_COUNT_ON: Final[Mapping[str, str]] = {
    kind: f"MATCH (n:{kind} {{id: $resource}}) SET n._version = $version" for kind in KINDS
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What an inventory calls a thing."""

    resource: str
    """our id."""
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of one delivery, and what was learnt by it."""

    outcome: Outcome
    named: Named | None = None


async def settle_answers(
    store: Store, system: str, policy: AlarmPolicy, told: Sequence[Answered], *, subject: str, deadline: float
) -> None:
    """Write down what became of deliveries; what is learnt by one counts only if its outcome does.

    Alarms that await a name find it after that. Should we die between the two, whoever looks for such alarms finds them.
    """

    async def work(transaction: Transaction) -> list[Named]:
        taken = await settle(transaction, [each.outcome for each in told])
        learnt = [each.named for each in told if each.named is not None and each.outcome.claim.id in taken]
        if learnt:
            await gates.lock(transaction, [external_key(system, each.name) for each in learnt])
        for each in sorted(learnt, key=lambda each: each.resource):
            await _name(transaction, system, each, subject)
        return learnt

    for each in await store.write(work, deadline=deadline):
        await _find_awaiting(store, system, policy, each, deadline)


async def _find_awaiting(store: Store, system: str, policy: AlarmPolicy, named: Named, deadline: float) -> None:
    async def work(transaction: Transaction) -> None:
        by = By(principal=OURSELVES, policy=policy)
        await find_awaiting(transaction, by, named.resource, [external_key(system, named.name)])

    await store.write(work, deadline=deadline)


async def _name(transaction: Transaction, system: str, named: Named, subject: str) -> None:
    known = await locked(transaction, named.resource)
    if known is None:
        return
    given = {"resource": known.id, "system": system, "name": named.name, "key": external_key(system, named.name)}
    transaction.later(_UNNAME[known.kind], given)
    transaction.later(_NAME[known.kind], {**given, "id": loaded_id("ExternalName", system, named.name)})
    transaction.later(_COUNT_ON[known.kind], {"resource": known.id, "version": known.version + 1})
    event = Event(
        type="ResourceNamed",
        aggregate_id=known.id,
        aggregate_version=known.version + 1,
        at=known.now,
        principal=subject,
        payload={"resource": known.id, "system": system, "name": named.name},
        customers=(),
    )
    append(transaction, event)
