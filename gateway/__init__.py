"""The gateway: HTTP in, a federated GraphQL answer out. It knows SDL, documents and callers, and never a resolver.

In: a request for `/graphql` with a bearer token. Out: a GraphQL response, or a refusal that says what to do next.

Folders and files, from above to below:

    cli.py         `trunkline ...`; __main__.py lets `python -m gateway` do the same
    commands/      a file for each command
    app.py         the composition root: with areas.py, systems.py, background.py, policies.py, price_list.py, probes.py, reaching.py, callbacks.py, kafka.py, stand_ins.py and stores.py all that knows the other rooms
    areas.py       what this product answers itself: several areas as one schema
    systems.py     the surrounding systems that the settings name, and who sends to them; callbacks.py those that register themselves
    kafka.py       events to the operator's broker, and alarms from it
    stand_ins.py   the other systems of the demonstration: nobody who serves imports them
    background.py  what a process does beside its requests
    policies.py    what the settings say becomes what the changes are given: who is told, what is sold for how much
    price_list.py  what bandwidth costs where a product catalog says so, as it was read last
    probes.py      whether each of them can be reached as the settings say
    reaching.py    how a system is reached, as its settings say
    stores.py      a store is opened, looked at and filled: all that most commands want of the graph
    standalone.py  the same for a gateway over subgraphs alone, which needs no other room
    http/          from the socket to a GraphQL request, and from an answer back to bytes
    auth/          the token in a request becomes a Principal
    operations/    one gate after another: parsed, limited, validated, permitted, coerced, priced
    federation/    many subgraphs as one: planned and executed
    preparing/     what is prepared once: how much of it is kept, and how much new of it a principal may cause
    settings/      what an operator decides
    telemetry/     log, metrics, traces
    exchange.py    what is known of one HTTP exchange, for those who look on
    collector.py   when Python looks for garbage, and among what
    exact_json.py  JSON whose numbers keep their digits
    syntax.py      what is read off a document in more than one place
    errors.py      every refusal, and the one table of what a code means on the wire

Invariants
1. Nothing runs without a principal, and nothing that the principal may not ask reaches a subgraph.
2. A request is refused at the first gate that says no; the gates stand in the order of what they cost.
3. An answer holds what a caller may know; the reason of a fault is in the log, under the request's id.

Example: `POST /graphql` with `{"query": "{ viewer { role } }"}` and an operator's token answers
`{"data": {"viewer": {"role": "OPERATOR"}}}`.
"""
