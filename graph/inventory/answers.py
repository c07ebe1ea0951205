"""What an inventory calls a thing that was just made there is learnt once, with the delivery that made it, or it is lost.

So both are one transaction: what became of the delivery, and the name. A name that the inventory had for the thing before
is taken back, with its event; one that names something else already is left where it is, for a feed to find.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from graph.changes import gates
from graph.changes.alarms.consequences import OURSELVES, By
from graph.changes.policy import AlarmPolicy
from graph.inventory.differences import MISSING_HERE, difference_id, hold
from graph.inventory.known import locked
from graph.inventory.naming import ExternalName, join_awaiting, put_names, take_back
from graph.ledger.outcomes import Outcome, settle
from graph.model.model import label_of
from graph.model.resource import KINDS
from graph.store.store import Store, Transaction

_OTHER_NAMES: Final[Mapping[str, str]] = {
    kind: f"""
MATCH (x:ExternalName)-[:NAMES]->(:{kind} {{id: $resource}})
WHERE x.system = $system AND x.name <> $name
RETURN x.name ORDER BY x.name
"""
    for kind in KINDS
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
    by = By(principal=replace(OURSELVES, subject=subject), policy=policy)

    async def work(transaction: Transaction) -> list[Named]:
        await _hold(transaction, system, [each.named for each in told if each.named is not None])
        taken = await settle(transaction, [each.outcome for each in told])
        found = [each.named for each in told if each.named is not None and each.outcome.claim.id in taken]
        learnt = sorted(found, key=lambda each: each.resource)
        return [each for each in learnt if await _name(transaction, by, system, each)]

    for each in await store.write(work, deadline=deadline):
        await _join(store, system, policy, each, deadline)


async def _join(store: Store, system: str, policy: AlarmPolicy, named: Named, deadline: float) -> None:
    async def work(transaction: Transaction) -> None:
        by = By(principal=OURSELVES, policy=policy)
        await join_awaiting(transaction, by, named.resource, [ExternalName(system=system, name=named.name)])

    await store.write(work, deadline=deadline)


async def _hold(transaction: Transaction, system: str, named: Sequence[Named]) -> None:
    """Lock what names are about before the deliveries that brought them, in the order of graph/changes/gates.py."""
    names = [name for each in named for name in (_name_of(system, each), *await _others(transaction, system, each))]
    if names:
        await hold(transaction, [difference_id(each.system, each.name, MISSING_HERE) for each in names])
        await gates.lock(transaction, [each.key for each in names])
    for resource in sorted({each.resource for each in named}):
        await locked(transaction, resource)


async def _name(transaction: Transaction, by: By, system: str, named: Named) -> bool:
    """Give a thing its name, and take back those that it had in the same system; tell whether the name is new."""
    given = await put_names(transaction, by, named.resource, [_name_of(system, named)])
    if not given or given[0].taken_by is not None:
        return False
    if others := await _others(transaction, system, named):
        await take_back(transaction, by, named.resource, others)
    return given[0].is_new


def _name_of(system: str, named: Named) -> ExternalName:
    return ExternalName(system=system, name=named.name)


async def _others(transaction: Transaction, system: str, named: Named) -> list[ExternalName]:
    """Give the other names that a thing has in a system."""
    label = label_of(named.resource)
    if label is None or label.name not in _OTHER_NAMES:
        return []
    given = {"resource": named.resource, "system": system, "name": named.name}
    rows = await transaction.run(_OTHER_NAMES[label.name], given)
    return [ExternalName(system=system, name=str(name)) for (name,) in rows]
