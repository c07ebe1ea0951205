"""The schema that this program relies on must be in the database before any data is, and stay what the model says.

MERGE is only safe under a uniqueness constraint; a label without an index is scanned; an index made after its data may
take a wrong type from it. So constraints and indexes are derived from `graph.model.model`, and what a database has is compared
with them by name; a version says how old its *data* is. Several processes may come at once, to a database of any age.

Full-text indexes have Cypher on Neo4j only; the embedded database makes them when it starts (graph/store/embedded_server.py).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from graph.errors import Contended, SchemaOutdated, StatementFailed
from graph.model.model import LABELS, SCHEMA_VERSION
from graph.store.migrations import MIGRATIONS
from graph.store.store import Product, Store, Transaction

_ATTEMPTS: Final = 6
_VERSION_ID: Final = "schemaversion-1"

_READ_VERSION: Final = "RETURN HEAD(COLLECT { MATCH (v:SchemaVersion {id: $id}) RETURN v.version }) AS data"
_KEEP_VERSION: Final = (
    "MERGE (v:SchemaVersion {id: $id}) ON CREATE SET v.version = $version "
    "WITH v WHERE v.version < $version SET v.version = $version"
)
_NAMES: Final = (
    "SHOW CONSTRAINTS YIELD name RETURN name",
    "SHOW INDEXES YIELD name, state WHERE state = 'ONLINE' RETURN name",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaState:
    """What a database has of the schema."""

    version: int | None
    """None for a database that was never migrated."""
    missing: tuple[str, ...]
    """names of constraints and indexes that are not there, or not ready."""

    @property
    def is_current(self) -> bool:
        """Whether this program can work with it."""
        return self.version == SCHEMA_VERSION and not self.missing

    @property
    def is_newer(self) -> bool:
        """Whether a later version of this program has been here."""
        return self.version is not None and self.version > SCHEMA_VERSION


async def schema_state(store: Store, *, deadline: float) -> SchemaState:
    """Look, and change nothing."""
    version = await store.read(_READ_VERSION, {"id": _VERSION_ID}, deadline=deadline)
    assert version is None or isinstance(version, int)
    return SchemaState(version=version, missing=tuple(await _missing(store, deadline)))


async def require_schema(store: Store, *, deadline: float) -> None:
    """Raise SchemaOutdated unless this program can work with the database."""
    state = await schema_state(store, deadline=deadline)
    _refuse_newer(state)
    if not state.is_current:
        raise SchemaOutdated(
            f"The database has schema version {state.version}, not {SCHEMA_VERSION}, "
            f"and lacks {len(state.missing)} constraints and indexes",
            hint="Run: trunkline check --migrate",
        )


async def migrate(store: Store, *, deadline: float) -> SchemaState:
    """Bring the database up to this program; give what it was before. Doing so again does nothing."""
    before = await schema_state(store, deadline=deadline)
    _refuse_newer(before)
    if not before.is_current:
        await _create_missing(store, deadline)
        for version, change in MIGRATIONS:
            if before.version is not None and before.version < version:
                await change(store, deadline=deadline)
        await store.write(_keep_version, deadline=deadline)
    return before


def schema_statements(product: Product) -> Iterator[tuple[str, str]]:
    """Give the name and the statement of each constraint and index, constraints first."""
    for label in LABELS.values():
        for key in label.unique:
            name = f"{label.name.lower()}_{key}"
            yield name, f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label.name}) REQUIRE n.{key} IS UNIQUE"
    for label in LABELS.values():
        for each in label.properties:
            if each.indexed and each.name not in label.unique:
                name = f"{label.name.lower()}_{each.name}"
                yield name, f"CREATE INDEX {name} IF NOT EXISTS FOR (n:{label.name}) ON (n.{each.name})"
    if product is Product.NEO4J:
        for label in LABELS.values():
            if label.searched:
                name = f"words_{label.name}"
                yield name, f"CREATE FULLTEXT INDEX {name} IF NOT EXISTS FOR (n:{label.name}) ON EACH [n.words]"


def _refuse_newer(state: SchemaState) -> None:
    if state.is_newer:
        raise SchemaOutdated(
            f"The database has schema version {state.version}, this program knows {SCHEMA_VERSION}",
            hint="Use the version of Trunkline that migrated it, or a later one",
        )


async def _missing(store: Store, deadline: float) -> dict[str, str]:
    there = {str(row[0]) for text in _NAMES for row in await store.rows(text, {}, deadline=deadline)}
    return {name: text for name, text in schema_statements(store.product) if name not in there}


async def _create_missing(store: Store, deadline: float) -> None:
    # Two processes that create the same thing at once are told of all sorts of errors, and then it is there: what
    # counts is whether anything is still missing. Neo4j fills an index in the background: then it is waited for here.
    fault: Exception | None = None
    for _ in range(_ATTEMPTS):
        missing = await _missing(store, deadline)
        if not missing:
            return
        for text in missing.values():
            try:
                await _run_alone(store, text, deadline)
            except (StatementFailed, Contended) as exc:
                fault = exc
        await _wait_for_indexes(store, deadline)
        await asyncio.sleep(random.uniform(0.0, 0.2))  # noqa: S311 - to get out of step
    raise SchemaOutdated(
        f"Constraints or indexes cannot be made: {', '.join(await _missing(store, deadline))}"
    ) from fault


async def _run_alone(store: Store, text: str, deadline: float) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run(text, {})

    await store.write(work, deadline=deadline)


async def _wait_for_indexes(store: Store, deadline: float) -> None:
    if store.product is Product.NEO4J:
        await store.rows("CALL db.awaitIndexes(600)", {}, deadline=deadline)


async def _keep_version(transaction: Transaction) -> None:
    await transaction.run(_KEEP_VERSION, {"id": _VERSION_ID, "version": SCHEMA_VERSION})
