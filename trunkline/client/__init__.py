"""A program that follows events must not lose one where its connection is cut, and should not have to write that itself.

In: the gateway's address, a token or whoever gives one, what to subscribe to, and the cursor to go on after. Out: events, each
once and in order, for as long as they are asked for; a typed error where coming back would not help.

Files, in order of flow: `client.py` (what can be asked) · `documents.py` (the subscriptions, and how any other is made to resume) ·
`stream.py` (one subscription over many connections) · `connection.py` (one connection, by gql) · `resuming.py` (what the end of
a connection means) · `events.py` (what is heard, as values) · `errors.py` (why it ends).

1. A stream goes on after the last event that was taken from it, never after one that was only received.
2. Whether to come back is decided in one place, without a socket (resuming.py).
3. It reads a few events ahead, not all of them: a program that is slow is slow for the gateway too, which keeps them.

Example::

    client = Client("https://gateway.example/graphql", token="...")
    async for alert in client.alerts(severity_at_least="MAJOR"):
        print(alert.kind, [each.service_id for each in alert.services], alert.cursor)
"""

from trunkline.client.client import Client, Names
from trunkline.client.connection import TokenSource
from trunkline.client.errors import (
    CursorExpired,
    EventUnreadable,
    GatewayUnavailable,
    InvalidDocument,
    ProtocolError,
    RequestRefused,
    TokenRefused,
    TrunklineError,
)
from trunkline.client.events import (
    Alert,
    AlertService,
    AlertTicket,
    DeliveryEvent,
    Event,
    ServiceEvent,
    TicketTurn,
    TopologyChange,
)
from trunkline.client.stream import Stream

__all__ = [
    "Alert",
    "AlertService",
    "AlertTicket",
    "Client",
    "CursorExpired",
    "DeliveryEvent",
    "Event",
    "EventUnreadable",
    "GatewayUnavailable",
    "InvalidDocument",
    "Names",
    "ProtocolError",
    "RequestRefused",
    "ServiceEvent",
    "Stream",
    "TicketTurn",
    "TokenRefused",
    "TokenSource",
    "TopologyChange",
    "TrunklineError",
]
