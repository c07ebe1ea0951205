"""An item that changes a service says which, by our id or by what its source calls it; whose it is decides whether there is one.

The search begins at the order's customer, so that another's service and one that is not there take the same steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from graph.changes.orders.parties import Orderer
from graph.changes.orders.rules import SERVICE_NOT_FOUND, SERVICE_TERMINATED, source_of
from graph.changes.outcome import UserError
from graph.changes.policy import AlarmPolicy
from graph.changes.references import meant
from graph.model.scope import Principal, Role
from graph.store.store import Transaction

_NAMED: Final = """
UNWIND $batch.keys AS sought
MATCH (x:ExternalName {key: sought})-[:NAMES]->(s:Service)
RETURN sought, s.id
"""
_OWN: Final = """
MATCH (c:Customer {id: $customer})-[:SUBSCRIBES_TO]->(s:Service) WHERE s.id IN $services
RETURN s.id, s.state
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A service that an item names."""

    place: tuple[str, ...]
    """the field that names it."""
    service: str
    """as it is named there."""
    action: str
    """what is to be done."""


async def find_services(
    transaction: Transaction, principal: Principal, policy: AlarmPolicy, wanted: Sequence[Wanted], orderer: Orderer
) -> Mapping[str, str] | UserError:
    """Give the ids of the services that are named, by what they are called; a problem where one is not the customer's."""
    if not wanted:
        return {}
    names = sorted({each.service for each in wanted})
    meanings = await _meanings(transaction, principal, policy, names)
    given = {"customer": orderer.id, "services": sorted(set(meanings.values()))}
    states = dict(cast("list[tuple[str, str]]", await transaction.run(_OWN, given)))
    for each in wanted:
        if meanings[each.service] not in states:
            return UserError(message="There is no such service", code=SERVICE_NOT_FOUND, path=each.place)
        if each.action in ("modify", "delete") and states[meanings[each.service]] == "terminated":
            text = "The service is terminated: there is nothing to change"
            return UserError(message=text, code=SERVICE_TERMINATED, path=each.place)
    return meanings


async def _meanings(
    transaction: Transaction, principal: Principal, policy: AlarmPolicy, names: Sequence[str]
) -> dict[str, str]:
    """Give what each name stands for: what a source calls a service so, else itself, which may be an id of ours."""
    if principal.effective is Role.CUSTOMER:
        return {each: each for each in names}  # a customer has no names of its own for services
    keys = {each: policy.keys_meant(source_of(principal), each) for each in names}
    every = sorted({key for each in keys.values() for key in each})
    rows = cast("list[tuple[str, str]]", await transaction.run(_NAMED, {"batch": {"keys": every}}))
    return {each: meant(None, rows, keys[each]) or each for each in names}
