"""What commands do with a store, and how the gateway gets one: open it, look whether it fits, fill it.

Beside the composition root this is the only file of the gateway that knows the graph. What goes wrong below leaves here as
a sentence for whoever typed the command (`CommandFailed`).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from gateway.errors import TREATMENTS, CommandFailed, Refused
from gateway.http.serving import is_worker
from gateway.settings.settings import Settings
from graph.changes.alarms.reassessment import arm_later
from graph.changes.outcome import Outcome
from graph.changes.outside import TakenOver, take_over
from graph.changes.policy import AlarmPolicy
from graph.compiler.cursor_key import load_cursor_key
from graph.errors import GraphError
from graph.inventory.differences import listed
from graph.inventory.settling import settle_difference
from graph.ledger.backlog import LaneState, SystemBacklog, by_system, lane_states
from graph.load import BadLines, DemoPrincipal, LoadReport, load_lines, load_topology
from graph.model.scope import Principal
from graph.store.address import Credentials, EmbeddedAddress, parse_address
from graph.store.embedded import EmbeddedSettings, prepare, require_platform
from graph.store.migrate import SchemaState, migrate, require_schema, schema_state
from graph.store.store import Store, open_store

__all__ = ["DemoPrincipal", "LaneState", "LoadReport", "SystemBacklog", "TakenOver", "load_lines", "load_topology"]

MIGRATE_SECONDS = 120.0
LOOK_SECONDS = 15.0
LOAD_SECONDS = 86_400.0


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Store]:
    """Open the store that the settings name."""
    store = await open_store(
        settings.store,
        credentials=Credentials(
            user=settings.store_user,
            password=settings.store_password.get_secret_value(),
            bearer=settings.store_bearer.get_secret_value(),
        ),
        database=settings.store_database,
        # A worker that outlives its supervisor is about to end: a database that it started would end with it.
        embedded=EmbeddedSettings(heap=f"{settings.store_heap_megabytes}m", may_own=not is_worker()),
    )
    try:
        yield store
    finally:
        await store.close()


async def fitting(settings: Settings, store: Store) -> None:
    """Make sure that the schema is the one that this program needs."""
    if settings.migrate:
        await migrate(store, deadline=soon(MIGRATE_SECONDS))
    else:
        await require_schema(store, deadline=soon(LOOK_SECONDS))


async def cursor_key(settings: Settings, store: Store) -> bytes:
    """Give the key of cursors: the one that was set, or the one that is kept with the store."""
    given = settings.cursor_key.get_secret_value()
    return bytes.fromhex(given) if given else await load_cursor_key(store, deadline=soon(LOOK_SECONDS))


def soon(seconds: float) -> float:
    """Give a deadline so many seconds from now."""
    return time.monotonic() + seconds


@contextmanager
def sentences() -> Iterator[None]:
    """Turn what goes wrong below into a sentence for whoever typed the command."""
    try:
        yield
    except BadLines as error:
        lines = [f"line {each.line}: {each.problem}" for each in error.faults] if error.count > 1 else []
        raise CommandFailed("\n".join([*lines, error.message]), error.hint) from error
    except GraphError as error:
        raise CommandFailed(error.message, error.hint) from error
    except Refused as error:
        problem = error.problems[0]
        raise CommandFailed(problem.message, problem.hint or TREATMENTS[problem.code].hint) from error


def check_address(settings: Settings) -> None:
    """Find out now what no waiting would mend."""
    with sentences():
        address = parse_address(settings.store)
        if isinstance(address, EmbeddedAddress):
            require_platform()
            prepare(address.directory)


async def examine_store(settings: Settings, *, mend: bool) -> tuple[str, SchemaState]:
    """Ask the database what it is and what schema it has; bring that up to date if asked."""
    with sentences():
        async with opened(settings) as store:
            version = await store.ping(deadline=soon(LOOK_SECONDS))
            if mend:
                await migrate(store, deadline=soon(MIGRATE_SECONDS))
            return f"{store.product.value} {version}", await schema_state(store, deadline=soon(LOOK_SECONDS))


async def load_graph(
    settings: Settings, policy: AlarmPolicy, work: Callable[..., Awaitable[LoadReport]], **given: Any
) -> tuple[LoadReport, TakenOver]:
    """Open the store, make sure of its schema, load by `load_lines` or `load_topology`, and do what follows from that."""
    with sentences():
        async with opened(settings) as store:
            await migrate(store, deadline=soon(MIGRATE_SECONDS))
            return await _loaded(store, policy, work, **given)


async def _loaded(
    store: Store, policy: AlarmPolicy, work: Callable[..., Awaitable[LoadReport]], **given: Any
) -> tuple[LoadReport, TakenOver]:
    deadline = soon(LOAD_SECONDS)
    await arm_later(store, deadline=deadline)  # this process may die before the end
    report = await work(store, deadline=deadline, **given)
    return report, await take_over(store, policy, deadline=deadline)


async def look_at_ledger(settings: Settings) -> tuple[list[SystemBacklog], list[LaneState]]:
    """Open the store, and see what waits in it for other systems."""
    with sentences():
        async with opened(settings) as store:
            await require_schema(store, deadline=soon(LOOK_SECONDS))
            lanes = await lane_states(store, deadline=soon(LOOK_SECONDS))
            return by_system(lanes), lanes


async def inventory_differences(settings: Settings, state: str, most: int) -> list[dict[str, Any]]:
    """Open the store, and give up to so many differences to inventories that are in a state."""
    with sentences():
        async with opened(settings) as store:
            await require_schema(store, deadline=soon(LOOK_SECONDS))
            return await listed(store, state, after="", most=most, deadline=soon(LOOK_SECONDS))


async def settle_inventory(
    settings: Settings, principal: Principal, policy: AlarmPolicy, difference: str, side: str
) -> Outcome:
    """Open the store, and take a side in a difference to an inventory; the same again is a new attempt."""
    with sentences():
        async with opened(settings) as store:
            await require_schema(store, deadline=soon(LOOK_SECONDS))
            return await settle_difference(
                store,
                principal,
                policy,
                difference_id=difference,
                side=side,
                idempotency_key=f"{uuid.uuid4()}",
                deadline=soon(LOOK_SECONDS),
            )


@asynccontextmanager
async def filled(settings: Settings, policy: AlarmPolicy, **given: Any) -> AsyncIterator[tuple[LoadReport, TakenOver]]:
    """Open the store, grow a network in it, and hold the store open."""
    with sentences():
        async with opened(settings) as store:
            await migrate(store, deadline=soon(MIGRATE_SECONDS))
            yield await _loaded(store, policy, load_topology, **given)
