"""What commands do with a store, and how the gateway gets one: open it, look whether it fits, fill it.

Beside the composition root this is the only file of the gateway that knows the graph. What goes wrong below leaves here as
a sentence for whoever typed the command (`CommandFailed`).
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from gateway.errors import TREATMENTS, CommandFailed, Refused
from gateway.federation.arriving import PAUSE
from gateway.http.serving import is_worker
from gateway.settings.settings import Settings
from graph import membership
from graph.changes.alarms.reassessment import arm_later
from graph.changes.bandwidth.comparing import Compared, compare, rebuild
from graph.changes.deliveries import replay_delivery
from graph.changes.outcome import Outcome
from graph.changes.outside import TakenOver, take_over
from graph.changes.policy import AlarmPolicy
from graph.compiler.cursor_key import load_cursor_key
from graph.errors import GraphError, StoreUnavailable
from graph.inventory.differences import listed
from graph.inventory.settling import settle_difference
from graph.ledger.audit import AuditReport, Head, head_of, verify
from graph.ledger.backlog import (
    LaneState,
    ParkedDelivery,
    SystemBacklog,
    lane_states,
    parked_deliveries,
    states_of,
    system_backlogs,
)
from graph.load import BadLines, DemoPrincipal, LoadReport, load_lines, load_topology
from graph.membership import Checked
from graph.model.scope import Principal
from graph.model.vocabulary import PARKING_REASONS
from graph.store.address import Credentials, EmbeddedAddress, parse_address
from graph.store.bounds import out_of_bounds
from graph.store.cardinality import violations
from graph.store.embedded import EmbeddedSettings, prepare, require_platform
from graph.store.migrate import SchemaState, migrate, require_schema, schema_state
from graph.store.open_alarms import differing, mark
from graph.store.store import Store, open_store

__all__ = [
    "PARKING_REASONS",
    "AuditReport",
    "Checked",
    "Compared",
    "DemoPrincipal",
    "Head",
    "LaneState",
    "LoadReport",
    "ParkedDelivery",
    "SystemBacklog",
    "TakenOver",
    "load_lines",
    "load_topology",
]

MIGRATE_SECONDS = 3_600.0
"""a store of an earlier version may hold much that must be changed."""
LOOK_SECONDS = 15.0
_LOOK_AT_STORE = "Look whether it runs, and whether the setting `store` (--store) is its address"
CHECK_SECONDS = 3_600.0
"""for a look at all that there is."""
LOAD_SECONDS = 86_400.0
PAGE = 500

log = structlog.get_logger(__name__)


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


async def hold(settings: Settings, over: asyncio.Event) -> None:
    """Hold an embedded database open for the workers, until it is over; all work is theirs."""
    if not isinstance(parse_address(settings.store), EmbeddedAddress):
        return
    keeping = asyncio.create_task(_kept(settings))
    await over.wait()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def _kept(settings: Settings) -> None:
    """Open it, again and again until that works, and hold it until cancelled."""
    reason = ""
    while True:
        try:
            async with opened(settings) as store:
                await fitting(settings, store)
                await asyncio.Event().wait()
        except GraphError as error:
            if reason != str(error):
                log.warning("the database is away", reason=str(error))
            reason = str(error)
        await asyncio.sleep(PAUSE)


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
        lines = [f"line {each.line}: {each.problem}" for each in error.faults] if len(error.faults) > 1 else []
        raise CommandFailed("\n".join([*lines, error.message]), error.hint) from error
    except GraphError as error:
        # Whoever serves asks again by itself; a command ends here.
        hint = _LOOK_AT_STORE if type(error) is StoreUnavailable else error.hint
        raise CommandFailed(error.message, hint) from error
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


def is_there(settings: Settings) -> bool:
    """Tell whether there is a database to look at, without making one: a server may be, an embedded one has a directory."""
    with sentences():
        address = parse_address(settings.store)
        return not isinstance(address, EmbeddedAddress) or address.directory.is_dir()


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a look at a store has found."""

    version: str
    """of the database, behind its name."""
    schema: SchemaState
    slices: Checked | None
    """whether the stored slices are right; None where the schema is not, so that nobody relies on them yet."""
    broken: tuple[str, ...]
    """what is against the model; not looked for where the schema is not right."""
    alarms: tuple[str, ...]
    """those that do not say what they are open on, or say it wrongly: the first ones; not looked for either."""
    capacity: Compared | None
    """whether what is kept of bookings is what boosts reserve; not looked for either."""


async def examine_store(settings: Settings, *, mend: bool, seconds: float) -> Examined:
    """Ask the database what it is and what schema it has, what is against the model; mend schema and slices if asked.

    All that one label has, or one type of relationship, is looked through for so many seconds at most.
    """
    with sentences():
        async with opened(settings) as store:
            version = await store.ping(deadline=soon(LOOK_SECONDS))
            if mend:
                await migrate(store, deadline=soon(MIGRATE_SECONDS))
                await mark(store, deadline=soon(CHECK_SECONDS))
                await membership.mend(store, deadline=soon(CHECK_SECONDS))
                await rebuild(store, deadline=soon(CHECK_SECONDS))
            state = await schema_state(store, deadline=soon(LOOK_SECONDS))
            slices = await membership.check(store, deadline=soon(CHECK_SECONDS)) if state.is_current else None
            broken = await _broken(store, seconds) if state.is_current else ()
            alarms = await differing(store, deadline=soon(CHECK_SECONDS)) if state.is_current else []
            capacity = await compare(store, deadline=soon(CHECK_SECONDS)) if state.is_current else None
            return Examined(
                version=f"{store.product.value} {version}",
                schema=state,
                slices=slices,
                broken=broken,
                alarms=tuple(alarms),
                capacity=capacity,
            )


async def _broken(store: Store, seconds: float) -> tuple[str, ...]:
    several, beyond = await violations(store, seconds=seconds), await out_of_bounds(store, seconds=seconds)
    return tuple(str(each) for each in (*several, *beyond))


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """Which parked deliveries: those with these ids, or else all of a system and for a reason, where these are given."""

    system: str = ""
    reason: str = ""
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What became of the deliveries that were named."""

    ids: tuple[str, ...]
    """of those that are sent again;"""
    not_parked: tuple[str, ...] = ()
    """those that were not parked, and stay as they are;"""
    unknown: tuple[str, ...] = ()
    """those that are not there."""


async def look_at_ledger(
    settings: Settings, which: Which, most: int
) -> tuple[list[SystemBacklog], list[LaneState], list[ParkedDelivery]]:
    """Open the store, and see what waits in it for other systems, and up to so many of what is parked; of one system, if it is named."""
    with sentences():
        async with opened(settings) as store:
            await require_schema(store, deadline=soon(LOOK_SECONDS))
            systems = await system_backlogs(store, deadline=soon(LOOK_SECONDS))
            lanes = await lane_states(store, deadline=soon(LOOK_SECONDS))
            if which.system:
                systems = [each for each in systems if each.system == which.system]
                lanes = [each for each in lanes if each.system == which.system]
            parked = await parked_deliveries(
                store, system=which.system, reason=which.reason, most=most, deadline=soon(LOOK_SECONDS)
            )
            return systems, lanes, parked


async def look_at_head(settings: Settings) -> Head:
    """Open the store, and give where the chain of events ends."""
    with sentences():
        async with opened(settings) as store:
            await require_schema(store, deadline=soon(LOOK_SECONDS))
            return await head_of(store, deadline=soon(LOOK_SECONDS))


async def look_at_audit(settings: Settings, noted: Head | None) -> AuditReport:
    """Open the store, and look through the chain of events."""
    with sentences():
        async with opened(settings) as store:
            await require_schema(store, deadline=soon(LOOK_SECONDS))
            return await verify(store, noted=noted, deadline=lambda: soon(LOOK_SECONDS))


async def replay_parked(settings: Settings, principal: Principal, which: Which, *, dry_run: bool) -> Replayed:
    """Open the store, and send parked deliveries again, each as a change of its own; or say which these would be."""
    with sentences():
        async with opened(settings) as store:
            await require_schema(store, deadline=soon(LOOK_SECONDS))
            if which.ids:
                states = await states_of(store, which.ids, deadline=soon(LOOK_SECONDS))
                found = [each for each in which.ids if states.get(each) == "DEAD"]
            else:
                states, found = {}, [each async for each in _parked_ids(store, which)]
            for each in () if dry_run else found:
                key = f"{uuid.uuid4()}"
                await replay_delivery(
                    store, principal, delivery_id=each, idempotency_key=key, deadline=soon(LOOK_SECONDS)
                )
            others = [each for each in which.ids if each in states and each not in found]
            unknown = [each for each in which.ids if each not in states]
            return Replayed(ids=tuple(found), not_parked=tuple(others), unknown=tuple(unknown))


async def _parked_ids(store: Store, which: Which) -> AsyncIterator[str]:
    after = ""
    while page := await parked_deliveries(
        store, system=which.system, reason=which.reason, after=after, most=PAGE, deadline=soon(LOOK_SECONDS)
    ):
        for each in page:
            yield each.id
        after = page[-1].id


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
