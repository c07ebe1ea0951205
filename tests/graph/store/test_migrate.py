"""The schema in a database is what the model says, whoever brought it there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from graph.errors import SchemaOutdated
from graph.model.model import LABELS, SCHEMA_VERSION
from graph.store.migrate import migrate, require_schema, schema_state, schema_statements
from graph.store.store import Product, Store, Transaction


def _soon(seconds: float = 60.0) -> float:
    return time.monotonic() + seconds


async def _run(store: Store, *texts: str) -> None:
    for text in texts:

        async def work(transaction: Transaction, text: str = text) -> None:
            await transaction.run(text, {})

        await store.write(work, deadline=_soon())


@pytest.fixture
async def outdated(empty_store: Store) -> AsyncIterator[Store]:
    """A database that lacks a constraint and an index."""
    await _run(empty_store, "DROP CONSTRAINT trunk_id IF EXISTS", "DROP INDEX alarm_raisedAt IF EXISTS")
    yield empty_store
    await migrate(empty_store, deadline=_soon())


async def test_a_migrated_database_has_every_constraint_and_index_of_the_model(store: Store) -> None:
    state = await schema_state(store, deadline=_soon())
    assert state.missing == ()
    assert state.version == SCHEMA_VERSION
    assert state.is_current


async def test_migrating_again_changes_nothing(store: Store) -> None:
    before = await migrate(store, deadline=_soon())
    assert before.is_current


async def test_what_is_missing_is_named_and_made(outdated: Store) -> None:
    state = await migrate(outdated, deadline=_soon())
    assert sorted(state.missing) == ["alarm_raisedAt", "trunk_id"]
    assert (await schema_state(outdated, deadline=_soon())).is_current


async def test_several_processes_may_migrate_at_once(outdated: Store) -> None:
    await asyncio.gather(*(migrate(outdated, deadline=_soon()) for _ in range(4)))
    assert (await schema_state(outdated, deadline=_soon())).is_current


async def test_a_database_that_is_not_current_is_refused_with_what_to_run(outdated: Store) -> None:
    with pytest.raises(SchemaOutdated) as caught:
        await require_schema(outdated, deadline=_soon())
    assert "--migrate" in caught.value.hint


async def test_a_newer_database_is_refused_and_left_alone(store: Store) -> None:
    await _run(store, f"MATCH (v:SchemaVersion) SET v.version = {SCHEMA_VERSION + 1}")
    try:
        with pytest.raises(SchemaOutdated) as caught:
            await migrate(store, deadline=_soon())
        assert str(SCHEMA_VERSION + 1) in caught.value.message
        with pytest.raises(SchemaOutdated):
            await require_schema(store, deadline=_soon())
        assert (await schema_state(store, deadline=_soon())).version == SCHEMA_VERSION + 1
    finally:
        await _run(store, f"MATCH (v:SchemaVersion) SET v.version = {SCHEMA_VERSION}")


async def test_full_text_finds_words_by_the_same_name_on_both(empty_store: Store) -> None:
    await _run(
        empty_store, "CREATE (:Site {id: 'site-1', words: 'köln 3 be 1'}), (:Site {id: 'site-2', words: 'bonn'})"
    )
    text = "CALL db.index.fulltext.queryNodes('words_Site', $words) YIELD node AS n RETURN n.id"
    assert await empty_store.rows(text, {"words": "köln"}, deadline=_soon()) == [["site-1"]]


async def test_an_indexed_number_stays_the_number_it_is(empty_store: Store) -> None:
    await _run(empty_store, "CREATE (:Alarm {id: 'alarm-1', raisedAt: 1700000000001})")
    text = "MATCH (a:Alarm) WHERE a.raisedAt > $at RETURN a.raisedAt AS data"
    assert await empty_store.read(text, {"at": 1_700_000_000_000}, deadline=_soon()) == 1_700_000_000_001


def test_every_unique_and_every_indexed_property_of_the_model_is_in_the_schema() -> None:
    names = {name for name, _ in schema_statements(Product.NEO4J)}
    for label in LABELS.values():
        wanted = {f"{label.name.lower()}_{key}" for key in label.unique}
        wanted |= {f"{label.name.lower()}_{each.name}" for each in label.properties if each.indexed}
        wanted |= {f"words_{label.name}"} if label.searched else set()
        assert wanted <= names


def test_no_name_is_used_twice() -> None:
    names = [name for name, _ in schema_statements(Product.NEO4J)]
    assert len(names) == len(set(names))
