"""A federation gateway is useful to those who have no graph of ours: it must run with a supergraph file and nothing else.

`application` puts one process together from settings; `worker` is the same from the environment, for worker processes. The
endpoint and its gates are those of the product; behind them stands a `Federation`. Tokens are checked where issuers are
set. Where none are, whoever reaches the address is let in, so that the address must be a loopback one, and asked by one of
loopback's names (`gateway.http.admission`).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.auth.keys import key_rings
from gateway.auth.tokens import Believed, Tokens
from gateway.collector import settle
from gateway.errors import TREATMENTS, CommandFailed, Refused, SettingsBroken
from gateway.exchange import exchange_of
from gateway.federation.execution.forwarding import Forwarding
from gateway.federation.execution.remote import RemoteSettings, RemoteSubgraph
from gateway.federation.federation import Federation, open_to_all
from gateway.federation.planning import Budget, Planner, PlanningFailed
from gateway.federation.query_graph import QueryGraph
from gateway.federation.subgraph import Subgraph
from gateway.federation.supergraph import Endpoint, Graph, Supergraph, SupergraphBroken
from gateway.federation.supergraph_sdl import read_supergraph
from gateway.http.admission import is_loopback
from gateway.http.endpoint import GraphQLEndpoint
from gateway.http.health import health_routes
from gateway.http.middleware import middleware, open_middleware, routed
from gateway.http.protocol import CONNECTIONS_REFUSED
from gateway.http.serving import end_with_parent
from gateway.http.socket import Callers, SocketContext, SocketEndpoint, callers_by
from gateway.http.streams import OpenStreams
from gateway.operations.documents import read_document
from gateway.operations.pipeline import Pipeline
from gateway.operations.schema import read_schema
from gateway.preparing.preparing import Preparing
from gateway.settings.settings import Settings, load_settings
from gateway.settings.subgraph import SubgraphSettings
from gateway.telemetry import tracing
from gateway.telemetry.log import configure_log
from gateway.telemetry.metrics import Metrics
from graph.model.scope import Principal, Role

NO_ADDRESS: Final = "nowhere"


def application(settings: Settings) -> Starlette:
    """Put the gateway together."""
    supergraph = load_supergraph(settings.federation.supergraph)
    _check_door(settings)
    subgraphs: dict[Graph, Subgraph] = {}
    given = settings.federation
    preparing = Preparing.of(settings.limits)
    federation = Federation(
        open_to_all(supergraph),
        subgraphs,
        budget=Budget(steps=given.plan_steps, fields=given.plan_fields),
        preparing=preparing,
        share=given.share and not given.return_headers,
        show_subgraphs=given.show_subgraphs,
    )
    places = _places(supergraph, settings)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, Any]]:
        end_with_parent()
        tracing.begin(settings.traces)
        try:
            async with AsyncExitStack() as sessions:
                for graph, (name, remote) in places.items():
                    session = await sessions.enter_async_context(_session(remote.connections))
                    subgraphs[graph] = RemoteSubgraph(name, session, remote)
                yield {CONNECTIONS_REFUSED: metrics.refused}
        finally:
            await asyncio.to_thread(tracing.end)

    async def ready() -> str:
        return ""

    onward = {name for _, remote in places.values() for name in remote.forwarded}
    pipeline, streams = Pipeline(federation, settings, preparing=preparing), OpenStreams(settings.streams, metrics)
    endpoint = Forwarding(GraphQLEndpoint(pipeline, settings, streams), tuple(onward))
    socket = Forwarding(_socket(pipeline, streams, settings, metrics), tuple(onward))
    shown = None if settings.metrics_listen else metrics
    asked = [Route("/graphql", _wrapped(endpoint, settings, metrics)), WebSocketRoute("/graphql", socket)]
    app = routed([*asked, *health_routes(ready, shown)], lifespan)
    app.state.metrics = metrics
    return app


def worker() -> Starlette:
    """Make the application of a worker process, whose settings come from the environment."""
    settings = load_settings()
    configure_log(settings.log_level)
    app = application(settings)
    settle()
    return app


async def hold(over: asyncio.Event) -> None:
    """Hold nothing open for the workers, until it is over."""
    await over.wait()


def load_supergraph(path: Path | None) -> Supergraph:
    """Read a supergraph from its file, or say what is wrong with it."""
    if path is None:
        raise SettingsBroken("federation.supergraph: there is none; give a file with --supergraph.")
    try:
        return read_supergraph(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise CommandFailed(f"The supergraph {path} cannot be read: {reason}.") from error
    except SupergraphBroken as error:
        raise CommandFailed(f"{error}\n{path} is no supergraph that can be served.", "Compose it again.") from error


def _check_door(settings: Settings) -> None:
    if settings.issuers:
        return
    host, _ = settings.address
    if not is_loopback(host):
        raise SettingsBroken(
            f"listen: {settings.listen} is no loopback address, and without issuers none other is served."
        )


def _places(supergraph: Supergraph, settings: Settings) -> dict[Graph, tuple[str, RemoteSettings]]:
    names = {each.name for each in supergraph.endpoints.values()}
    for setting, given in (("federation.urls", settings.federation.urls), ("subgraphs", settings.subgraphs)):
        if unknown := sorted(set(given) - names):
            raise SettingsBroken(*(f"{setting}: the supergraph has no subgraph {name!r}." for name in unknown))
    return {graph: (endpoint.name, _remote(endpoint, settings)) for graph, endpoint in supergraph.endpoints.items()}


def _remote(endpoint: Endpoint, settings: Settings) -> RemoteSettings:
    """Give how a subgraph is asked: by its own settings, else by those for all of them."""
    of_all, own = settings.federation, settings.subgraphs.get(endpoint.name, SubgraphSettings())
    url = of_all.urls.get(endpoint.name) or own.url or endpoint.url
    if not url.startswith(("http://", "https://")):
        raise SettingsBroken(f"subgraphs.{endpoint.name}.url: the subgraph has no http or https address.")
    return RemoteSettings(
        url=url,
        headers=tuple((name.lower(), value.get_secret_value()) for name, value in own.headers.items()),
        forwarded=of_all.forward_headers if own.forward_headers is None else own.forward_headers,
        returned=of_all.return_headers,
        timeout_seconds=own.timeout_seconds or of_all.timeout_seconds or settings.deadline_seconds,
        connections=own.connections or of_all.connections,
        most_bytes=of_all.response_bytes,
        tries=of_all.tries,
        share=of_all.share,
        show_messages=own.show_messages,
        show_name=of_all.show_subgraphs,
    )


def _session(connections: int) -> aiohttp.ClientSession:
    # Deadlines are set for each request; cookies of one client's answer must not reach another's.
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
    )


def _wrapped(endpoint: ASGIApp, settings: Settings, metrics: Metrics) -> ASGIApp:
    if settings.issuers:
        tokens = Tokens(settings.issuers, key_rings(settings.issuers), settings.sources)
        return middleware(endpoint, settings, tokens, metrics)

    async def let_in(scope: Scope, receive: Receive, send: Send) -> None:
        exchange_of(scope).principal = anyone(scope)
        await endpoint(scope, receive, send)

    return open_middleware(let_in, settings, metrics)


def _socket(pipeline: Pipeline, streams: OpenStreams, settings: Settings, metrics: Metrics) -> SocketEndpoint:
    context = SocketContext(
        pipeline=pipeline,
        for_routers=pipeline,
        streams=streams,
        callers=_callers(settings),
        settings=settings,
        metrics=metrics,
    )
    return SocketEndpoint(context)


def _callers(settings: Settings) -> Callers:
    if settings.issuers:
        return callers_by(Tokens(settings.issuers, key_rings(settings.issuers), settings.sources))

    async def let_in(scope: Scope, _: Mapping[bytes, bytes]) -> Believed:
        return Believed(principal=anyone(scope), expires=math.inf)

    return let_in


def anyone(scope: Scope) -> Principal:
    """Give whoever calls without a token: new work is counted by the address."""
    client = scope.get("client")
    return Principal(subject=client[0] if client else NO_ADDRESS, role=Role.OPERATOR)


def plan_stages(
    supergraph: Supergraph, settings: Settings, text: str, variables: Mapping[str, Any], operation_name: str | None
) -> dict[str, str]:
    """Print every stage of an operation's plan: the same gates, the same planner."""
    budget = Budget(steps=settings.federation.plan_steps, fields=settings.federation.plan_fields)
    try:
        document = read_document(text, read_schema(supergraph.public.sdl), settings.limits)
        operation = document.choose(operation_name).operation
        if operation is None:
            raise CommandFailed("The operation asks the schema only.", "Ask for something that a subgraph holds.")
        return Planner(QueryGraph(supergraph), budget).stages(operation.document, variables)
    except Refused as error:
        problem = error.problems[0]
        raise CommandFailed(problem.message, problem.hint or TREATMENTS[problem.code].hint) from error
    except PlanningFailed as error:
        raise CommandFailed(str(error)) from error
