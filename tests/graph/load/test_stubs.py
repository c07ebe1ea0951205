"""A file that names a customer that was merged since means the one that it was merged into."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from graph.load import load_lines
from graph.model.identity import loaded_id
from graph.model.model import LABELS
from graph.store.store import Store
from tests.graph.changes.customers.ways import Merged
from tests.graph.changes.network import Laid, soon
from tests.graph.load.test_limits import node

STUB, INTO = (loaded_id("Customer", "test", each) for each in ("stub", "into"))


def joined(kind: str, start: str, end: str) -> dict[str, Any]:
    return {"type": kind, "start": start, "end": end, "properties": {}}


def hanging(name: str) -> list[dict[str, Any]]:
    """Give one of each that may hang on a customer, and hang it on the stub."""
    made = [node(label, name) for label in ("Service", "Order", "Ticket", "Lead", "ExternalName")]
    service, *others = [each["id"] for each in made]
    kinds = zip(("PLACED_BY", "OPENED_FOR", "ABOUT", "NAMES"), others, strict=True)
    return [*made, joined("SUBSCRIBES_TO", STUB, service), *(joined(kind, each, STUB) for kind, each in kinds)]


async def load(store: Store, lines: list[dict[str, Any]]) -> None:
    await load_lines(store, [orjson.dumps(each) for each in lines], progress=lambda *_: None, deadline=soon())


@pytest.fixture
async def merged(empty_store: Store) -> Merged:
    customers = [{**node("Customer", each)} for each in ("stub", "into")]
    await load(empty_store, [*customers, *hanging("old")])
    return Merged(laid=Laid(store=empty_store))


async def test_what_a_file_hangs_on_a_stub_hangs_on_the_other_until_the_merge_is_undone(merged: Merged) -> None:
    before = await merged.hung()
    await merged.merge(STUB, INTO)
    await load(merged.laid.store, [*hanging("old"), *hanging("new")])
    hung = await merged.hung()
    assert {kind for kind, customer, _ in hung if customer == STUB} == {"MERGED_INTO"}, "a stub has nothing"
    new = {loaded_id(label, "test", "new") for label in LABELS}
    assert len({other for _, customer, other in hung if customer == INTO and other in new}) == 5
    assert (await merged.undo(STUB)).user_errors == ()
    hung = await merged.hung()
    assert {each for each in hung if each[2] not in new} == before
    assert {customer for _, customer, other in hung if other in new} == {STUB}


async def test_a_load_locks_the_customer_that_it_names_and_the_one_that_is_meant(merged: Merged) -> None:
    await merged.merge(STUB, INTO)
    locked = "MATCH (c:Customer) RETURN c.id, coalesce(c._locked, 0)"
    before = {str(customer): count for customer, count in await merged.laid.rows(locked)}
    await load(merged.laid.store, hanging("new"))
    after = {str(customer): count for customer, count in await merged.laid.rows(locked)}
    assert all(after[each] > before[each] for each in (STUB, INTO)), "a merge waits for it, and it for a merge"


async def test_a_merge_and_a_load_that_come_at_once_leave_a_stub_with_nothing(merged: Merged) -> None:
    await asyncio.gather(
        merged.merge(STUB, INTO), *(load(merged.laid.store, hanging(f"at once {number}")) for number in range(3))
    )
    assert {kind for kind, customer, _ in await merged.hung() if customer == STUB} == {"MERGED_INTO"}
