"""Merge and undo are the same as before, whatever hangs on customers; and nothing that may hang there is forgotten."""

from __future__ import annotations

import random

import pytest

from graph.changes.customers.moving import KEPT, MOVED
from graph.load.statements import LED
from graph.model.model import RELATIONSHIPS
from graph.store.store import Store
from tests.graph.changes.customers.ways import Hung, Merged
from tests.graph.changes.network import Laid
from tests.selection import choose_seed, is_full

_CUSTOMERS = ("customer-a", "customer-b", "customer-c", "customer-d")
_HANGING = {
    "SUBSCRIBES_TO": "MATCH (c:Customer {id: $customer}) CREATE (c)-[:SUBSCRIBES_TO]->(:Service {id: 'service-' + $name})",
    "PLACED_BY": "MATCH (c:Customer {id: $customer}) CREATE (:Order {id: 'order-' + $name, state: 'held'})-[:PLACED_BY]->(c)",
    "OPENED_FOR": (
        "MATCH (c:Customer {id: $customer}) "
        "CREATE (:Ticket {id: 'ticket-' + $name, status: 'held', orderKey: 'key ' + $name})-[:OPENED_FOR]->(c)"
    ),
    "NAMES": "MATCH (c:Customer {id: $customer}) CREATE (:ExternalName {id: 'externalname-' + $name, key: $name})-[:NAMES]->(c)",
    "ABOUT": "MATCH (c:Customer {id: $customer}) CREATE (:Lead {id: 'lead-' + $name})-[:ABOUT]->(c)",
}


def test_every_relationship_of_a_customer_comes_along_or_stays_for_a_reason() -> None:
    of_customers = {each.type for each in RELATIONSHIPS.values() if "Customer" in (*each.starts, *each.ends)}
    assert of_customers == MOVED.keys() | KEPT.keys(), "say in graph/changes/customers/moving.py what becomes of it"
    assert MOVED.keys().isdisjoint(KEPT)
    assert all(KEPT.values())
    assert _HANGING.keys() | {"MERGED_INTO"} == MOVED.keys(), "and hang it on customers here"
    assert LED | {"MERGED_INTO"} == MOVED.keys(), "a load that names a stub means the other"


@pytest.fixture
async def merged(empty_store: Store) -> Merged:
    laid = Laid(store=empty_store)
    for customer in _CUSTOMERS:
        text = "CREATE (:Customer {id: $customer, name: $customer, accountRef: $account})"
        await laid.run(text, customer=customer, account="ACC" if customer == "customer-a" else "")
    return Merged(laid=laid)


async def hang(merged: Merged, chance: random.Random, prefix: str, count: int) -> None:
    for number in range(count):
        kind = chance.choice(sorted(_HANGING))
        await merged.laid.run(_HANGING[kind], customer=chance.choice(_CUSTOMERS), name=f"{prefix}{number}")


async def owners(merged: Merged) -> dict[str, str]:
    """Give what each customer means: itself, or whom it was merged into."""
    text = "MATCH (c:Customer) RETURN c.id, coalesce(HEAD(COLLECT { MATCH (c)-[:MERGED_INTO]->(m) RETURN m.id }), c.id)"
    return {str(customer): str(meant) for customer, meant in await merged.laid.rows(text)}


def moved(hung: Hung, stub: str, into: str) -> Hung:
    """Say what hangs where after a merge, by what hung where before: what the statements do, said in another way."""
    found = {(kind, into if customer == stub else customer, other) for kind, customer, other in hung}
    found = {(kind, customer, into if other == stub else other) for kind, customer, other in found}
    return found | {("MERGED_INTO", stub, into), ("MERGED_INTO", into, stub)}


@pytest.mark.parametrize("number", range(20 if is_full() else 3))
async def test_a_merge_that_is_undone_was_never_made(merged: Merged, number: int) -> None:
    chance = random.Random(f"{choose_seed()} {number}")
    await hang(merged, chance, "before", chance.randrange(4, 12))
    stack: list[tuple[str, Hung, list[list[object]]]] = []
    later: Hung = set()
    for turn in range(3):
        meant = await owners(merged)
        free = [each for each in _CUSTOMERS if meant[each] == each]
        stub, into = chance.sample(free, 2)
        before, written = await merged.hung(), await merged.customers()
        assert (await merged.merge(stub, into)).user_errors == ()
        assert await merged.hung() == moved(before, stub, into)
        stack.append((stub, before, written))
        known = await merged.hung()
        text = _HANGING[chance.choice(sorted(_HANGING))]
        await merged.laid.run(text, customer=into, name=f"after{turn}")
        later |= await merged.hung() - known
    while stack:
        stub, before, written = stack.pop()
        assert (await merged.undo(stub)).user_errors == ()
        came = {each for each in await merged.hung() if each[2] in {other for _, _, other in later}}
        assert await merged.hung() - came == before - came, "what was moved is back"
        assert await merged.customers() == written
    assert {other for _, _, other in await merged.hung()} >= {other for _, _, other in later}, "and nothing is lost"
