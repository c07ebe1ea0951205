"""The gateway: HTTP in, a federated GraphQL answer out. It knows SDL, documents and callers, and never a resolver.

In: a request for `/graphql` with a bearer token. Out: a GraphQL response, or a refusal that says what to do next.

Files, in the order in which a request meets them:

    cli.py           `trunkline ...`; __main__.py lets `python -m gateway` do the same; commands/ has one file for each
    settings.py      what an operator decides; its parts: subgraph_settings.py, ticketing_settings.py, fault_management_settings.py,
                     billing_settings.py, hub_settings.py, inventory_settings.py; system_settings.py is what those about systems share
    minting.py       tokens for those who only try it out
    app.py           the composition root: with areas.py and systems.py all that knows the other rooms
    areas.py         what this product answers itself: several areas as one schema
    systems.py       the surrounding systems that the settings name, and who tells them; callbacks.py those that register themselves
    stores.py        a store is opened, looked at and filled: all that most commands want of the graph
    standalone.py    the same for a gateway over subgraphs alone, which needs no other room
    serving.py       sockets, worker processes, signals; protocol.py bounds what comes before a request is one
    middleware.py    what stands round every endpoint
    observe.py       the request's id, its line in the log (log.py), its observation (metrics.py), into exchange.py
    health.py        /livez, /readyz, /metrics
    auth.py          the token in the request becomes a Principal: tokens.py verifies, keys.py has the issuers' keys
    http.py          GraphQL over HTTP: request.py reads, response.py writes, watch.py stops what nobody waits for
    pipeline.py      one gate after another
    pressure.py      what waits for other systems, and when it is too much
    documents.py     documents known by their text, and what is known of them
    schema.py        the SDL and the marks in it
    limits.py        how large a document may be, and how many new ones a caller may bring
    permissions.py   what only some callers may ask
    variables.py     any JSON becomes values of their types
    cost.py          how many objects an answer may hold
    introspection.py what the schema itself answers, beside what a subgraph does
    federation.py    many subgraphs as one; plans.py keeps the plans and makes those that are missing
    supergraph_sdl.py  a supergraph's file becomes tables (supergraph.py): selections.py its field sets, public.py what clients see
    query_graph.py   what can be asked where
    planning/        an operation becomes requests to subgraphs
    execution/       the port to subgraphs, and the running of a plan
    arriving.py      a subgraph whose database is not there yet
    tracing.py       spans of all this, for those who collect them
    errors.py        every refusal, and the one table of what a code means on the wire

Invariants
1. Nothing runs without a principal, and nothing that the principal may not ask reaches a subgraph.
2. A request is refused at the first gate that says no; the gates stand in the order of what they cost.
3. An answer holds what a caller may know; the reason of a fault is in the log, under the request's id.

Example: `POST /graphql` with `{"query": "{ viewer { role } }"}` and an operator's token answers
`{"data": {"viewer": {"role": "OPERATOR"}}}`.
"""
