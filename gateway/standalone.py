"""A federation gateway is useful to those who have no graph of ours: it must run with a supergraph file and nothing else.

`application` puts one process together from settings; `worker` is the same from the environment, for worker processes. The
endpoint and its gates are those of the product; behind them stands a `Federation`. Tokens are checked where issuers are
set. Where none are, whoever reaches the address is let in, so that the address must be a loopback one, and asked by one of
loopback's names (`gateway.http.admission`).
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.auth.keys import key_rings
from gateway.auth.tokens import Tokens
from gateway.errors import TREATMENTS, CommandFailed, Refused, SettingsBroken
from gateway.exchange import exchange_of
from gateway.federation.execution.forwarding import Forwarding
from gateway.federation.execution.remote import RemoteSettings, RemoteSubgraph
from gateway.federation.federation import Federation, open_to_all
from gateway.federation.planning import Budget, Planner, PlanningFailed
from gateway.federation.query_graph import QueryGraph
from gateway.federation.subgraph import Subgraph
from gateway.federation.supergraph import Graph, Supergraph, SupergraphBroken
from gateway.federation.supergraph_sdl import read_supergraph
from gateway.http.endpoint import GraphQLEndpoint
from gateway.http.health import health_routes
from gateway.http.middleware import middleware, open_middleware, routed
from gateway.http.serving import end_with_parent, settle
from gateway.operations.documents import read_document
from gateway.operations.pipeline import Pipeline
from gateway.operations.schema import read_schema
from gateway.settings.settings import Settings, load_settings
from gateway.telemetry import tracing
from gateway.telemetry.log import configure_log
from gateway.telemetry.metrics import Metrics
from graph.model.scope import Principal, Role

ANYONE: Final = Principal(subject="anyone", role=Role.OPERATOR)
UNCOUNTED: Final = 1_000_000_000
"""New documents per minute where there are no principals to count them for."""


def application(settings: Settings) -> Starlette:
    """Put the gateway together."""
    supergraph = load_supergraph(settings.federation.supergraph)
    settings = _with_open_door(settings)
    subgraphs: dict[Graph, Subgraph] = {}
    given = settings.federation
    federation = Federation(
        open_to_all(supergraph),
        subgraphs,
        budget=Budget(steps=given.plan_steps, fields=given.plan_fields),
        most_plans=given.plans,
        share=given.share,
    )
    places = _places(supergraph, settings)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        end_with_parent()
        tracing.begin(settings.traces)
        try:
            async with _session(given.connections) as session:
                for graph, (name, remote) in places.items():
                    subgraphs[graph] = RemoteSubgraph(name, session, remote)
                yield
        finally:
            await asyncio.to_thread(tracing.end)

    async def ready() -> str:
        return ""

    endpoint = Forwarding(GraphQLEndpoint(Pipeline(federation, settings), settings), given.forward_headers)
    routes = [Route("/graphql", _wrapped(endpoint, settings, metrics)), *health_routes(ready, metrics)]
    return routed(routes, lifespan)


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


def _with_open_door(settings: Settings) -> Settings:
    if settings.issuers:
        return settings
    host, _ = settings.address
    if host != "localhost" and not _is_loopback(host):
        raise SettingsBroken(
            f"listen: {settings.listen} is no loopback address, and without issuers none other is served."
        )
    limits = settings.limits.model_copy(update={"new_documents_per_minute": UNCOUNTED})
    return settings.model_copy(update={"limits": limits})


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _places(supergraph: Supergraph, settings: Settings) -> dict[Graph, tuple[str, RemoteSettings]]:
    given = settings.federation
    names = {each.name for each in supergraph.endpoints.values()}
    for name in (*given.urls, *given.headers, *given.show_messages):
        if name not in names:
            raise SettingsBroken(f"federation: the supergraph has no subgraph {name!r}.")
    places = {}
    for graph, endpoint in supergraph.endpoints.items():
        url = given.urls.get(endpoint.name, endpoint.url)
        if not url.startswith(("http://", "https://")):
            raise SettingsBroken(f"federation.urls: the subgraph {endpoint.name!r} has no http or https address.")
        headers = given.headers.get(endpoint.name, {})
        remote = RemoteSettings(
            url=url,
            headers=tuple((name.lower(), value.get_secret_value()) for name, value in headers.items()),
            returned=given.return_headers,
            most_bytes=given.response_bytes,
            tries=given.tries,
            share=given.share,
            show_messages=endpoint.name in given.show_messages,
        )
        places[graph] = (endpoint.name, remote)
    return places


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
        exchange_of(scope).principal = ANYONE
        await endpoint(scope, receive, send)

    return open_middleware(let_in, settings, metrics)


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
