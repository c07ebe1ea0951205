"""The composition root: it puts one process together from all rooms.

`application` puts one process together; `worker` is the same from the environment, for worker processes. Whoever wants a
store without the rest finds it in `stores.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import starmap
from typing import Any, Self

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Scope

from adapters.billing.inbound import usage
from adapters.customer_management import inbound as customers
from adapters.endpoint.edge import Edge, unknown_routes
from adapters.endpoint.errors import body_of
from adapters.endpoint.hub_telling import News
from adapters.event_management import inbound as event_management
from adapters.event_management.hub import EventNews
from adapters.fault_management.inbound import alarms, notifications
from adapters.fault_management.inbound.hub import AlarmNews
from adapters.inventory.inbound import feeds as inventory_feeds
from adapters.inventory.inbound import resources
from adapters.order_management import inbound as orders
from adapters.order_management.api import APIS, Api
from adapters.order_management.hub import news_of
from adapters.ticketing import inbound as tickets
from adapters.ticketing.hub import TicketNews
from gateway.areas import BANDWIDTH, BILLING, KNOWLEDGE, LEDGER, PERFORMANCE, TICKETING, federation_of
from gateway.auth.keys import key_rings
from gateway.auth.tokens import Tokens
from gateway.background import beside, ledger, sequence_ms
from gateway.callbacks import callbacks_of, hubs_told
from gateway.collector import settle
from gateway.errors import Refused, printed
from gateway.exchange import exchange_of
from gateway.federation.arriving import Arriving, Away, Ping
from gateway.federation.subgraph import Subgraph
from gateway.federation.supergraph import Graph
from gateway.http.endpoint import GraphQLEndpoint
from gateway.http.health import health_routes
from gateway.http.middleware import middleware, routed
from gateway.http.protocol import CONNECTIONS_REFUSED
from gateway.http.response import RefuseWith
from gateway.http.serving import end_with_parent, is_worker
from gateway.http.socket import Callers, SocketContext, SocketEndpoint, callers_by
from gateway.http.streams import OpenStreams
from gateway.http.watch import in_time
from gateway.kafka import kafka_joined
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.operations.pressure import Pressure
from gateway.policies import bandwidth_policy_of, policy_of
from gateway.preparing.preparing import Preparing
from gateway.price_list import kept_fresh, price_list_of
from gateway.settings.settings import Settings, load_settings
from gateway.stores import cursor_key, fitting, opened, soon
from gateway.systems import Areas, Noted, told
from gateway.telemetry import tracing
from gateway.telemetry.log import configure_log
from gateway.telemetry.metrics import Metrics
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.idempotency import keep_swept
from graph.changes.outside import keep_joined
from graph.errors import DeadlineExceeded, GraphError, StoreUnavailable
from graph.ledger.reader import EventReader
from graph.model.scope import Principal
from graph.store.store import Store
from resolvers.bandwidth.subgraph import BandwidthSubgraph
from resolvers.billing.subgraph import BillingSubgraph
from resolvers.knowledge.schema import knowledge_schema
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from resolvers.knowledge.subscribing import StreamLimits
from resolvers.ledger.subgraph import LedgerSubgraph
from resolvers.performance.subgraph import PerformanceSubgraph
from resolvers.ticketing.subgraph import TicketingSubgraph

TMF = "/tmf-api"
PING_SECONDS = 2.0
SWEEP_SECONDS = 600.0
MEASURE_SECONDS = 5.0
FIRST_SECONDS = 5.0
"""that a worker gives its database before it takes requests: where others have theirs already, these go to them meanwhile."""
JOIN_SECONDS = 60.0
"""between looks whether usage and alarms that match nothing match something now."""

__all__ = ["application", "middleware", "worker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _OwnAreas:
    """The areas beside the graph itself, which are there before there is a store."""

    ledger: LedgerSubgraph
    ticketing: TicketingSubgraph
    billing: BillingSubgraph
    bandwidth: BandwidthSubgraph
    performance: PerformanceSubgraph

    @classmethod
    def of(cls, settings: Settings, selling: BandwidthPolicy) -> Self:
        """Make them as the settings say."""
        desk, billed, measuring = settings.ticketing, settings.billing, settings.performance
        quotes = settings.bandwidth.quotes_per_minute
        return cls(
            ledger=LedgerSubgraph(),
            ticketing=TicketingSubgraph(desk.name if desk else "", seconds=desk.request_seconds if desk else 0.0),
            billing=BillingSubgraph(seconds=billed.request_seconds if billed and billed.bills_address else 0.0),
            bandwidth=BandwidthSubgraph(selling, quotes_per_minute=quotes),
            performance=PerformanceSubgraph(
                seconds=measuring.request_seconds if measuring and measuring.measurements else 0.0
            ),
        )

    def given(self, selling: BandwidthPolicy, metrics: Metrics) -> Areas:
        """Give what is given the ways to the surrounding systems."""
        return Areas(
            ticketing=self.ticketing.reaching,
            billing=self.billing.reaching,
            performance=self.performance.reaching,
            selling=selling,
            passed_over=metrics.passed_over,
        )

    @property
    def subgraphs(self) -> dict[Graph, Subgraph]:
        """Give them by their names in the supergraph."""
        return {
            LEDGER: self.ledger,
            TICKETING: self.ticketing,
            BILLING: self.billing,
            BANDWIDTH: self.bandwidth,
            PERFORMANCE: self.performance,
        }


def application(settings: Settings) -> Starlette:
    """Put the gateway together; the database is opened when it starts, and may be away then."""
    metrics = Metrics()
    pressure = Pressure(settings.overloaded_seconds, metrics)
    preparing = Preparing.of(settings.limits)
    northbound = _Northbound(settings, pressure)
    prices = price_list_of(settings)
    selling = bandwidth_policy_of(settings, prices)
    own = _OwnAreas.of(settings, selling)

    @asynccontextmanager
    async def working(store: Store, placed: Callable[[], None]) -> AsyncIterator[None]:
        noted = Noted(outcome=metrics.told, access=metrics.admits)
        joining = keep_joined(store, policy_of(settings), every=JOIN_SECONDS)
        async with (
            ledger(settings, store, selling, pressure, placed),
            beside(joining),
            told(settings, store, own.given(selling, metrics), noted),
            kept_fresh(settings, prices),
            kafka_joined(settings, store, pressure, metrics),
        ):
            key = await cursor_key(settings, store)
            with northbound.keep(store), own.ledger.reading(store), own.bandwidth.reading(store, key):
                async with hubs_told(northbound, _news(settings)):
                    yield

    opening = partial(_opening, settings, working, preparing, metrics)
    arriving = Arriving(KnowledgeSubgraph.name, knowledge_schema().sdl, opening)
    federation = federation_of({KNOWLEDGE: arriving, **own.subgraphs}, settings, preparing)
    northbound.pipeline = Pipeline(federation, settings, pressure, preparing)
    # To another router we are one subgraph, the graph itself: it has its own plans.
    for_routers = Pipeline(arriving, settings, pressure, preparing)
    streams = OpenStreams(settings.streams, metrics)
    endpoint = GraphQLEndpoint(northbound.pipeline, settings, streams, for_routers=for_routers)

    def socket(callers: Callers) -> ASGIApp:
        context = SocketContext(
            pipeline=northbound.pipeline,
            for_routers=for_routers,
            streams=streams,
            callers=callers,
            settings=settings,
            metrics=metrics,
        )
        return SocketEndpoint(context)

    return served(endpoint, arriving, settings, metrics, northbound, socket)


def served(
    endpoint: ASGIApp,
    arriving: Arriving,
    settings: Settings,
    metrics: Metrics,
    northbound: _Northbound | None = None,
    socket: Callable[[Callers], ASGIApp] | None = None,
) -> Starlette:
    """Put an endpoint behind the address, with everything that stands round and beside it."""
    tokens = Tokens(settings.issuers, key_rings(settings.issuers), settings.sources)
    edge = _edge(northbound, settings) if northbound else None

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
        end_with_parent()
        tracing.begin(settings.traces)
        keeping = asyncio.create_task(arriving.keep())
        try:
            await arriving.tried(FIRST_SECONDS if is_worker() else 0)
            yield {CONNECTIONS_REFUSED: metrics.refused}
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await asyncio.to_thread(tracing.end)

    def mounted(base: str, routes: list[Route]) -> Mount:
        router = Router(routes, redirect_slashes=False)
        return Mount(base, middleware(router, settings, tokens, metrics, RefuseWith(body=body_of)))

    routes: list[BaseRoute] = [Route("/graphql", middleware(endpoint, settings, tokens, metrics))]
    if socket is not None:
        routes.append(WebSocketRoute("/graphql", socket(callers_by(tokens))))
    if edge is not None:
        routes += [
            mounted(alarms.BASE, alarms.alarm_routes(edge)),
            mounted(notifications.BASE, notifications.notification_routes(edge)),
            mounted(event_management.BASE, event_management.event_routes(edge)),
            mounted(tickets.BASE, tickets.ticket_routes(edge, _statuses(settings))),
            mounted(tickets.DESK_BASE, tickets.desk_routes(edge)),
            mounted(usage.BASE, usage.usage_routes(edge)),
            mounted(usage.IPDR_BASE, usage.ipdr_routes(edge, _ipdr_names(settings))),
            mounted(resources.BASE, resources.resource_routes(edge)),
            mounted(inventory_feeds.BASE, inventory_feeds.feed_routes(edge)),
            *starmap(mounted, _where_chosen(edge, settings)),
            mounted(TMF, unknown_routes(edge)),  # the last: whatever of TM Forum's is not above
        ]
    shown = None if settings.metrics_listen else metrics
    app = routed([*routes, *health_routes(arriving.ready, shown, metrics.paused)], lifespan)
    app.state.metrics = metrics
    return app


def _news(settings: Settings) -> tuple[News, ...]:
    """Give what hubs are told: of alarms, of tickets, of all that happens, and of orders."""
    own = (AlarmNews(base=alarms.BASE), TicketNews(place=tickets.DESK_PLACE))
    return (*own, EventNews(parts=own), *map(news_of, _ordered(settings)))


def _ordered(settings: Settings) -> tuple[Api, ...]:
    """Give the APIs by which orders come in; none where they are not taken."""
    return APIS if settings.orders else ()


def _where_chosen(edge: Edge, settings: Settings) -> Iterator[tuple[str, list[Route]]]:
    """Give the endpoints that are there only where the settings say so: of orders, and of customers."""
    for each in _ordered(settings):
        yield each.base, orders.order_routes(each, edge)
    if settings.customers:
        yield customers.BASE, customers.customer_routes(edge, settings.customers.segment)


def _statuses(settings: Settings) -> Mapping[str, str]:
    """Give what the ticketing system's own statuses mean."""
    return settings.ticketing.statuses if settings.ticketing else {}


def _ipdr_names(settings: Settings) -> Mapping[str, Mapping[str, str]]:
    """Give what each system calls our fields of an IPDR record, by our names."""
    return {name: {str(ours): theirs for ours, theirs in each.ipdr.items()} for name, each in settings.systems.items()}


class _Northbound:
    """What the northbound endpoints need of the rest (`adapters.endpoint.edge.Port`)."""

    pipeline: Pipeline

    def __init__(self, settings: Settings, pressure: Pressure) -> None:
        self.policy = policy_of(settings)
        self.outward = callbacks_of(settings)
        self.pressure = pressure
        self._store: Store | None = None

    async def ask(
        self, text: str, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> dict[str, Any]:
        """Ask as any client does: through every gate, and until the deadline."""
        request = GraphRequest(query=text, variables=variables, operation_name=None, queries_only=True)
        try:
            async with in_time(deadline):
                prepared = await self.pipeline.prepare(request, principal)
                return await self.pipeline.answer(prepared, request, principal, deadline)
        except Refused as refused:
            return {"errors": [printed(each, "") for each in refused.problems]}

    @property
    def store(self) -> Store:
        """The open store."""
        if self._store is None:
            raise StoreUnavailable("The database cannot be reached")
        return self._store

    @contextmanager
    def keep(self, store: Store) -> Iterator[None]:
        """Know the store while it is open."""
        self._store = store
        try:
            yield
        finally:
            self._store = None


def _edge(northbound: _Northbound, settings: Settings) -> Edge:
    def caller(scope: Scope) -> Principal:
        principal = exchange_of(scope).principal
        assert principal is not None, "authentication stands before the endpoint"
        return principal

    def deadline(scope: Scope) -> float:
        return exchange_of(scope).started + settings.deadline_seconds

    def note(scope: Scope, operation: str, code: str) -> None:
        exchange = exchange_of(scope)
        exchange.operation, exchange.code = operation, code

    return Edge(
        port=northbound,
        caller=caller,
        deadline=deadline,
        note=note,
        pressure=northbound.pressure.retry_after,
        body_bytes=settings.limits.body_bytes,
    )


def worker() -> Starlette:
    """Make the application of a worker process, whose settings come from the environment."""
    settings = load_settings()
    configure_log(settings.log_level)
    app = application(settings)
    settle()
    return app


@asynccontextmanager
async def _opening(
    settings: Settings,
    working: Callable[[Store, Callable[[], None]], AbstractAsyncContextManager[None]],
    preparing: Preparing,
    metrics: Metrics,
) -> AsyncIterator[tuple[Subgraph, Ping]]:
    try:
        async with opened(settings) as store:
            await fitting(settings, store)
            subgraph = KnowledgeSubgraph(
                store,
                await cursor_key(settings, store),
                policy_of(settings),
                cache=preparing.cache.table(),
                meter=preparing.new_work,
                statements=settings.limits.statements,
                streams=StreamLimits(kept_ms=sequence_ms(settings.retention), queue=settings.limits.unread_events),
            )
            events = subgraph.events
            async with (
                beside(keep_swept(store, every=SWEEP_SECONDS)),
                beside(events.keep()),
                beside(_measured(events, metrics)),
                working(store, events.wake),
            ):
                yield subgraph, partial(_ping, store)
    except GraphError as error:
        raise Away(str(error)) from error


async def _measured(events: EventReader, metrics: Metrics) -> None:
    """Show how far behind subscriptions are, until cancelled."""
    while True:
        metrics.lags(events.lag)
        await asyncio.sleep(MEASURE_SECONDS)


async def _ping(store: Store) -> str:
    try:
        await store.ping(deadline=soon(PING_SECONDS))
    except DeadlineExceeded:
        return f"The database has not answered for {PING_SECONDS:.0f} seconds."
    except GraphError as error:
        return str(error)
    return ""
