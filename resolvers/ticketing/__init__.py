"""Trouble ticketing as a subgraph: what only the ticketing system knows of a ticket, asked for when somebody wants it.

The graph keeps a ticket's id, status and severity. Its notes and its history are written and read over there, and are not
copied: whoever asks for them gets them as they are now, for all tickets of an operation in one call.

In: entities `Ticket` by the gateway, with what the graph knows of them (`system`, `externalId`, `orderKey`). Out:
`{"data": ..., "errors": [...]}`.

Files, in order of flow: `types.py` (what is told of a ticket) · `schema.py` (all of it assembled) · `subgraph.py` (execution).

Invariants
1. Whoever asks for an entity has shown that its caller sees it: nothing here decides who sees what, and only the gateway
   asks here.
2. A ticket that turns out to be of another order key than the graph has is somebody else's: it is not shown.
3. What goes wrong over there costs its own fields, and is told without a word of what was answered.

Example: `{ ticket(id: "ticket-7") { status notes { author text at } history { status at } } }` is one statement in the
graph, for the status and what the ticketing system knows it by, and one call to the ticketing system.
"""
