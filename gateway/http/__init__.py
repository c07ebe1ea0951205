"""GraphQL over HTTP: from the socket to a GraphQL request, and from an answer back to bytes.

In: ASGI events. Out: a response whose status and media type follow GraphQL over HTTP, also for every refusal.

Files, in the order in which a request meets them:

    serving.py     sockets, worker processes, signals; announcing.py tells the address when it is ready
    protocol.py    bounds connections (bounds.py): heads, trailers; bounded_socket.py the same for WebSockets; unsent.py answers that
                   nobody reads
    middleware.py  what stands round every endpoint: observe.py (request id, log line, metrics), admission.py (one request,
                   for us), CORS, authenticated.py
    transport_ws.py  graphql-transport-ws as a table: messages in, commands out
    health.py      /livez, /readyz, /metrics; numbers.py serves the numbers at an address of their own
    endpoint.py    the endpoint: request.py reads a body, watch.py stops work that nobody waits for, sse.py sends answers as events
    socket.py      the same over a WebSocket; said.py counts what its client says; streams.py counts and
                   reads subscriptions for both
    response.py    media type, status, headers; how a refusal looks

Invariants
1. Only this folder knows tokens and HTTP together: gateway/auth says who is calling, and here it becomes an answer.
2. Every request has one line in the log and one observation in the metrics.

Example: `POST /graphql` without a token answers 401 with `{"errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]}`.
"""
