"""What can be asked of a gateway, and by whom: a subscription for each kind of event, any other one, queries and mutations.

Example::

    client = Client("https://gateway.example/graphql", token=lambda: Path("token").read_text().strip())
    async with client.alerts(after=kept, customer="customer-7") as alerts:
        async for alert in alerts:
            ...
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from gql import GraphQLRequest
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportError
from graphql import GraphQLSyntaxError

from trunkline.client import documents, events
from trunkline.client.connection import Gateway, TokenSource
from trunkline.client.errors import GatewayUnavailable, InvalidDocument, RequestRefused
from trunkline.client.events import Alert, DeliveryEvent, Event, ServiceEvent, Severity, TopologyChange
from trunkline.client.stream import Read, Stream, T

Names: TypeAlias = str | Iterable[str] | None
"""One of them, some of them, or all."""
_SCHEMES: Final = ("http://", "https://", "ws://", "wss://")
_SECURE: Final = ("https", "wss")
_SECONDS: Final = 60


class Client:
    """A gateway, as one caller sees it. It holds no connection: each stream has one, and each query opens its own."""

    def __init__(self, url: str, *, token: TokenSource = None, ssl_context: ssl.SSLContext | None = None) -> None:
        """Take the address of `/graphql`, and a token or a function that gives one each time that a connection is opened."""
        _check(url, ssl_context)
        self._gateway = Gateway(url=url, token=token, ssl=ssl_context)

    def alerts(
        self,
        *,
        after: str | None = None,
        customer: Names = None,
        service: Names = None,
        resource: Names = None,
        severity_at_least: Severity | None = None,
        kind: Names = None,
    ) -> Stream[Alert]:
        """Follow what alarms do to services. Without `after` it begins now; all that are given must hold."""
        narrowed = {
            "customer": _one_of(customer),
            "service": _one_of(service),
            "resource": _one_of(resource),
            "severityAtLeast": severity_at_least,
            "kind": _one_of(kind),
        }
        return self._typed(documents.ALERTS, after, narrowed, partial(_typed_event, "alerts", events.alert))

    def service_events(
        self, *, after: str | None = None, customer: Names = None, service: Names = None, kind: Names = None
    ) -> Stream[ServiceEvent]:
        """Follow which services begin to suffer an effect, which do so no more, and what becomes of their tickets."""
        narrowed = {"customer": _one_of(customer), "service": _one_of(service), "kind": _one_of(kind)}
        read = partial(_typed_event, "serviceEvents", events.service_event)
        return self._typed(documents.SERVICE_EVENTS, after, narrowed, read)

    def topology_changes(
        self, *, after: str | None = None, resource: Names = None, kind: Names = None
    ) -> Stream[TopologyChange]:
        """Follow which equipment and trunks come, go, move and change."""
        narrowed = {"resource": _one_of(resource), "kind": _one_of(kind)}
        read = partial(_typed_event, "topologyChanges", events.topology_change)
        return self._typed(documents.TOPOLOGY_CHANGES, after, narrowed, read)

    def deliveries(self, *, after: str | None = None, kind: Names = None) -> Stream[DeliveryEvent]:
        """Follow which deliveries wait for a person, and which were replayed; for whoever reads everything."""
        read = partial(_typed_event, "deliveries", events.delivery_event)
        return self._typed(documents.DELIVERIES, after, {"kind": _one_of(kind)}, read)

    def subscribe(
        self, document: str, variables: Mapping[str, Any] | None = None, *, after: str | None = None
    ) -> Stream[Event]:
        """Follow any subscription, which need not have a variable for the cursor.

        Raises InvalidDocument where the document cannot be parsed, or is not one subscription with one field.
        """
        return self._stream(document, variables or {}, after, lambda event: event)

    async def execute(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask a query or a mutation, once, and give its data.

        Raises InvalidDocument, RequestRefused (its `data` is what there is of an answer), or GatewayUnavailable.
        """
        try:
            request = GraphQLRequest(document, variable_values=dict(variables or {}))
        except GraphQLSyntaxError as error:
            raise InvalidDocument(str(error)) from error
        gateway = self._gateway
        headers = await gateway.authorization()
        transport = AIOHTTPTransport(
            gateway.address("http"), headers=headers, ssl=gateway.ssl or True, timeout=_SECONDS
        )
        try:
            await transport.connect()
            result = await transport.execute(request)
        except (TransportError, TimeoutError) as error:
            raise GatewayUnavailable(f"There is no answer: {str(error) or 'it took too long'}") from error
        finally:
            await transport.close()
        if result.errors:
            errors: list[Any] = result.errors  # gql leaves them as they came
            raise RequestRefused(errors, result.data)
        return result.data or {}

    def _typed(self, document: str, after: str | None, narrowed: Mapping[str, Any], read: Read[T]) -> Stream[T]:
        given = {name: value for name, value in narrowed.items() if value is not None}
        return self._stream(document, {"filter": given}, after, read)

    def _stream(self, document: str, variables: Mapping[str, Any], after: str | None, read: Read[T]) -> Stream[T]:
        asked = documents.resumable(document, variables, after)
        return Stream(self._gateway, asked, read)


def _check(url: str, ssl_context: ssl.SSLContext | None) -> None:
    """Raise ValueError for what no connection can be opened with, however often it is tried."""
    if not url.startswith(_SCHEMES):
        raise ValueError(f"An address begins with {' or '.join(_SCHEMES)}, and not as {url!r} does.")
    try:
        parts = urlsplit(url)
        named = parts.hostname and parts.port != 0
    except ValueError as error:
        raise ValueError(f"The address {url!r} cannot be read: {error}.") from error
    if not named:
        raise ValueError(f"The address {url!r} lacks a host, or has port 0.")
    if parts.fragment:
        raise ValueError(f"The address {url!r} has a part after #, which is for browsers.")
    if ssl_context is not None and parts.scheme not in _SECURE:
        raise ValueError(f"An `ssl_context` is for an address with {' or '.join(_SECURE)}, which {url!r} is not.")


def _one_of(names: Names) -> dict[str, Any] | None:
    if names is None:
        return None
    return {"eq": names} if isinstance(names, str) else {"in": list(names)}


def _typed_event(field: str, read: Any, event: Event) -> Any:
    return read(event.cursor, (event.data or {})[field])
