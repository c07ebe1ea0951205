"""What a store holds against the bounds of the model is found in it, with the sentence that the loader would have said."""

from __future__ import annotations

import time
from typing import Any

import pytest

from graph.load import load_topology
from graph.model.kinds import LONGEST
from graph.store.bounds import FOUND_BETWEEN, FOUND_BY, out_of_bounds
from graph.store.cardinality import LIMITS, violations
from graph.store.store import Store, Transaction

BOOST = {"mbps": 5, "startAt": 1, "endAt": 2, "status": "SCHEDULED", "price": 3, "currency": "EUR"}
SITE = {"name": "Köln", "role": "", "latitude": 50.9, "longitude": -180.0}


def soon() -> float:
    return time.monotonic() + 120


async def made(store: Store, label: str, properties: dict[str, Any]) -> list[str]:
    """Put a node into the store by hand, and give what is told of the store then."""

    async def by_hand(transaction: Transaction) -> None:
        await transaction.run(f"CREATE (n:{label} {{id: $id}}) SET n += $properties", given)

    given = {"id": f"{label.lower()}-1", "properties": properties}
    await store.write(by_hand, deadline=soon())
    return [f"{each}" for each in await out_of_bounds(store, seconds=60)]


@pytest.mark.parametrize(
    ("label", "properties"),
    [
        pytest.param("Site", SITE, id="a site"),
        pytest.param("Site", {**SITE, "role": "a\tb\r\nc"}, id="a text of two lines"),
        pytest.param("Boost", {**BOOST, "price": -1}, id="a credit"),
        pytest.param("ExternalName", {"system": "s", "name": "a\tb" * 300}, id="a name that another system has given"),
        pytest.param("Boost", BOOST, id="a boost"),
    ],
)
async def test_what_is_within_bounds_is_not_told(empty_store: Store, label: str, properties: dict[str, Any]) -> None:
    assert await made(empty_store, label, properties) == []


@pytest.mark.parametrize(
    ("label", "properties", "told"),
    [
        pytest.param(
            "Site", {**SITE, "latitude": 1e9}, "latitude must be from -90 to 90, not 1000000000.0", id="latitude"
        ),
        pytest.param("Site", {**SITE, "name": ""}, "name must not be empty", id="no name"),
        pytest.param("Site", {**SITE, "name": "  "}, "name must not be empty", id="a blank name"),
        pytest.param(
            "Site",
            {**SITE, "name": "x" * (LONGEST + 1)},
            "name must have at most 500 characters, not 501",
            id="a long name",
        ),
        pytest.param(
            "Site", {**SITE, "name": "a\nb"}, "name must have no character that cannot be read, as U+000A", id="a line"
        ),
        pytest.param(
            "Site",
            {**SITE, "role": "a\x0bb"},
            "role must have no character that cannot be read, as U+000B",
            id="a control",
        ),
        pytest.param("Boost", {**BOOST, "mbps": -5}, "mbps must be at least 1, not -5", id="a negative rate"),
        pytest.param("Boost", {**BOOST, "endAt": 1}, "endAt must be later than startAt", id="no interval"),
        pytest.param(
            "Boost",
            {**BOOST, "currency": "EURO!", "mbps": 0},
            "mbps must be at least 1, not 0; "
            "currency must be a currency of three capital letters (ISO 4217), not 'EURO!'",
            id="two at once",
        ),
    ],
)
async def test_what_is_beyond_them_is_told(
    empty_store: Store, label: str, properties: dict[str, Any], told: str
) -> None:
    assert await made(empty_store, label, properties) == [f"{label.lower()}-1: {told}"]


def test_history_is_not_read_as_a_whole_and_all_else_that_has_bounds_is() -> None:
    assert not {"Usage", "Downtime", "Delivery"} & FOUND_BY.keys()
    assert {"Site", "NetworkElement", "Boost", "ExternalName", "Order"} <= FOUND_BY.keys()


async def joined(store: Store, text: str) -> list[str]:
    """Join two nodes by hand, and give what is told of the store then."""

    async def by_hand(transaction: Transaction) -> None:
        await transaction.run(text, {})

    await store.write(by_hand, deadline=soon())
    return [f"{each}" for each in await out_of_bounds(store, seconds=60)]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param("path: 'WORKING', position: 0", [], id="the first hop"),
        pytest.param("path: 'WORKING', position: -1", ["position must be at least 0, not -1"], id="before the first"),
        pytest.param(
            "path: 'WORKED', position: -1",
            ["path must be one of WORKING, PROTECTING, not 'WORKED'; position must be at least 0, not -1"],
            id="two at once",
        ),
    ],
)
async def test_a_relationship_is_looked_at_as_a_node_is(empty_store: Store, given: str, told: list[str]) -> None:
    text = f"CREATE (:Service {{id: 'service-1'}})-[:ROUTED_OVER {{{given}}}]->(:Trunk {{id: 'trunk-1'}})"
    assert await joined(empty_store, text) == [f"service-1 ROUTED_OVER trunk-1: {each}" for each in told]


async def test_a_word_that_the_model_does_not_know_is_told(empty_store: Store) -> None:
    assert await made(empty_store, "Boost", {**BOOST, "status": "maybe"}) == [
        "boost-1: status must be one of REQUESTED, SCHEDULED, ACTIVATED, TERMINATED, not 'maybe'"
    ]


async def test_what_takes_too_long_is_told_and_the_rest_is_looked_at(empty_store: Store) -> None:
    found = [*await out_of_bounds(empty_store, seconds=1e-9), *await violations(empty_store, seconds=1e-9)]
    assert len(found) == len(FOUND_BY) + len(FOUND_BETWEEN) + len(LIMITS)
    assert str(found[0]).startswith("Customer: not looked through within 1e-09 s, so it is not known whether")


async def test_a_grown_network_is_within_bounds(empty_store: Store) -> None:
    topology = "sndlib/abilene"
    await load_topology(empty_store, topology=topology, scale=600, alarms=3, progress=lambda *_: None, deadline=soon())
    assert await out_of_bounds(empty_store, seconds=60) == []
