"""One operation's way through the gates: parsed, limited, validated, permitted, coerced, priced, and handed to a subgraph.

In: a `GraphRequest`, a principal, a deadline. Out: a GraphQL response, or `gateway.errors.Refused` from the first gate that
says no.

Files, in order of flow:

    pipeline.py       the row of the gates
    limits.py         how large a document may be
    documents.py      documents known by their text: parsed and validated once
    schema.py         the public schema and the marks in its SDL
    permissions.py    what only some roles may ask
    variables.py      any JSON becomes values of their types
    cost.py           how many objects an answer may hold
    excess.py         which list to cut where that is too many
    pressure.py       new work is refused while other systems are too far behind
    introspection.py  what the schema itself answers

Invariants
1. Nothing runs without a principal, and nothing that the principal may not ask reaches a subgraph.
2. The gates stand in the order of what they cost.
3. Of federation only the port is known: federation/subgraph.py.

Example: `await pipeline.prepare(request, principal)` passes the gates, and `await pipeline.answer(prepared, request, principal,
deadline)` asks the subgraph; `pipeline.subscribe` begins a subscription.
"""
