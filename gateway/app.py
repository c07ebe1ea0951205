"""The composition root: the only file of the gateway that knows the graph and its subgraph.

`application` puts one process together; `worker` is the same from the environment, for worker processes. The commands
reach the graph through the functions at the end; what goes wrong below leaves here as a sentence (`CommandFailed`).
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

from graphql import print_ast
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from adapters.delivery import Lane, Pace
from adapters.ticketing.telling import Attention, TicketTeller
from adapters.ticketing.tmf621 import Tmf621
from adapters.transport import System
from adapters.transport import opened as transported
from gateway.arriving import Arriving, Away, Ping
from gateway.errors import TREATMENTS, CommandFailed, Refused
from gateway.execution import Subgraph
from gateway.health import health_routes
from gateway.http import GraphQLEndpoint
from gateway.keys import key_rings
from gateway.log import configure_log
from gateway.metrics import Metrics
from gateway.middleware import middleware
from gateway.pipeline import GraphRequest, Pipeline
from gateway.serving import end_with_parent, settle
from gateway.settings import Settings, load_settings
from gateway.tokens import Tokens
from graph.address import Credentials, EmbeddedAddress, parse_address
from graph.changes.idempotency import keep_swept
from graph.changes.policy import AlarmPolicy
from graph.cursor import KEY_BYTES, CursorKey
from graph.cursor_key import load_cursor_key
from graph.embedded import EmbeddedSettings, prepare, require_platform
from graph.errors import GraphError
from graph.load import BadLines, DemoPrincipal, LoadReport, load_lines, load_topology
from graph.migrate import SchemaState, migrate, require_schema, schema_state
from graph.read import Reads, explain
from graph.scope import Principal
from graph.store import Store, open_store
from resolvers.knowledge.schema import knowledge_schema
from resolvers.knowledge.subgraph import KnowledgeSubgraph

MIGRATE_SECONDS = 120.0
PING_SECONDS = 2.0
LOOK_SECONDS = 15.0
LOAD_SECONDS = 86_400.0
SWEEP_SECONDS = 600.0

__all__ = ["DemoPrincipal", "LoadReport", "application", "load_lines", "load_topology", "middleware", "worker"]


def application(settings: Settings) -> Starlette:
    """Put the gateway together; the database is opened when it starts, and may be away then."""
    arriving = Arriving(KnowledgeSubgraph.name, knowledge_schema().sdl, partial(_opening, settings))
    endpoint = GraphQLEndpoint(Pipeline(arriving, settings), settings)
    return served(endpoint, arriving, settings)


def served(endpoint: ASGIApp, arriving: Arriving, settings: Settings) -> Starlette:
    """Put an endpoint behind the address, with everything that stands round and beside it."""
    metrics = Metrics()
    tokens = Tokens(settings.issuers, key_rings(settings.issuers), settings.sources)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        end_with_parent()
        keeping = asyncio.create_task(arriving.keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    wrapped = middleware(endpoint, settings, tokens, metrics)
    return Starlette(routes=[Route("/graphql", wrapped), *health_routes(arriving.ready, metrics)], lifespan=lifespan)


def worker() -> Starlette:
    """Make the application of a worker process, whose settings come from the environment."""
    settings = load_settings()
    configure_log(settings.log_level)
    app = application(settings)
    settle()
    return app


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
        embedded=EmbeddedSettings(heap=f"{settings.store_heap_megabytes}m"),
    )
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def _opening(settings: Settings) -> AsyncIterator[tuple[Subgraph, Ping]]:
    try:
        async with opened(settings) as store:
            await fitting(settings, store)
            subgraph = KnowledgeSubgraph(store, await _cursor_key(settings, store), policy_of(settings))
            async with _beside(keep_swept(store, every=SWEEP_SECONDS)), _told(settings, store):
                yield subgraph, partial(_ping, store)
    except GraphError as error:
        raise Away(str(error)) from error


def policy_of(settings: Settings) -> AlarmPolicy:
    """Give what the settings say about alarms."""
    reopen_ms = int(settings.reopen_seconds * 1_000)
    if settings.ticketing is None:
        return AlarmPolicy(reopen_ms=reopen_ms)
    chosen = settings.ticketing
    return AlarmPolicy(ticketing=chosen.name, ticket_from=chosen.severity, reopen_ms=reopen_ms)


@asynccontextmanager
async def _told(settings: Settings, store: Store) -> AsyncIterator[None]:
    """Tell the surrounding systems what waits for them, as one of the processes that may."""
    chosen = settings.ticketing
    if chosen is None:
        yield
        return
    system = System(name=chosen.name, address=chosen.address, bearer=chosen.bearer or None)
    attention = Attention(
        poll_seconds=chosen.poll_seconds,
        callback=chosen.callback,
        request_seconds=chosen.request_seconds,
        processing_seconds=chosen.processing_seconds,
    )
    pace = Pace(
        most=chosen.requests, request_seconds=chosen.request_seconds, processing_seconds=chosen.processing_seconds
    )
    async with transported(system) as transport:
        policy = policy_of(settings)
        teller = TicketTeller(store=store, ticketing=Tmf621(transport), policy=policy, attention=attention)
        async with _beside(Lane(store, teller, pace, owner=uuid.uuid4().hex).run()):
            yield


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something while the block runs."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def fitting(settings: Settings, store: Store) -> None:
    """Make sure that the schema is the one that this program needs."""
    if settings.migrate:
        await migrate(store, deadline=_soon(MIGRATE_SECONDS))
    else:
        await require_schema(store, deadline=_soon(LOOK_SECONDS))


async def _cursor_key(settings: Settings, store: Store) -> bytes:
    given = settings.cursor_key.get_secret_value()
    return bytes.fromhex(given) if given else await load_cursor_key(store, deadline=_soon(LOOK_SECONDS))


def _soon(seconds: float) -> float:
    return time.monotonic() + seconds


async def _ping(store: Store) -> str:
    try:
        await store.ping(deadline=_soon(PING_SECONDS))
    except GraphError as error:
        return str(error)
    return ""


async def hold(settings: Settings, over: asyncio.Event) -> None:
    """Hold an embedded database open for the workers, until it is over."""
    if not isinstance(parse_address(settings.store), EmbeddedAddress):
        return
    quiet = settings.model_copy(update={"ticketing": None})  # the workers tell others
    arriving = Arriving(KnowledgeSubgraph.name, "", partial(_opening, quiet))
    keeping = asyncio.create_task(arriving.keep())
    await over.wait()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


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
            version = await store.ping(deadline=_soon(LOOK_SECONDS))
            if mend:
                await migrate(store, deadline=_soon(MIGRATE_SECONDS))
            return f"{store.product.value} {version}", await schema_state(store, deadline=_soon(LOOK_SECONDS))


def stages_of(
    settings: Settings, text: str, variables: Mapping[str, Any], operation_name: str | None, principal: Principal
) -> dict[str, str]:
    """Print every stage of a query without a database: the same gates, the same compiler."""
    schema = knowledge_schema()
    reads = Reads(schema=schema.graphql, mappings=schema.mappings, cursor_key=CursorKey(bytes(KEY_BYTES)))
    pipeline = Pipeline(Arriving(KnowledgeSubgraph.name, schema.sdl, partial(_opening, settings)), settings)
    request = GraphRequest(query=text, variables=variables, operation_name=operation_name, queries_only=True)
    with sentences():
        prepared = pipeline.prepare(request, principal)
        values = pipeline.values(prepared, variables, principal)
        if prepared.operation is None:
            raise CommandFailed("The operation asks the schema only.", "Ask for something that the graph holds.")
        normalised = print_ast(prepared.operation.document)
        return {"operation": normalised, **explain(reads, prepared.operation, values, principal)}


async def load_graph(settings: Settings, work: Callable[..., Awaitable[LoadReport]], **given: Any) -> LoadReport:
    """Open the store, make sure of its schema, and load by `load_lines` or `load_topology`."""
    with sentences():
        async with opened(settings) as store:
            await migrate(store, deadline=_soon(MIGRATE_SECONDS))
            return await work(store, deadline=_soon(LOAD_SECONDS), **given)


@asynccontextmanager
async def filled(settings: Settings, **given: Any) -> AsyncIterator[LoadReport]:
    """Open the store, grow a network in it, and hold the store open."""
    with sentences():
        async with opened(settings) as store:
            await migrate(store, deadline=_soon(MIGRATE_SECONDS))
            yield await load_topology(store, deadline=_soon(LOAD_SECONDS), **given)
