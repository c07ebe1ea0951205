"""Bandwidth for a while as a subgraph: what can be had and what it costs, what was booked, and what capacity there is.

Boosts are nodes, and are asked of the knowledge graph. What is computed over time is here: quotes, which are stored nowhere, the
changes that book and give back, and for operators what ports and trunks carry between two instants, and what new service they would carry.

In: operations by the gateway, and entities of equipment. Out: `{"data": ..., "errors": [...]}`; a boost that a change returns is an
entity, which the knowledge graph resolves in the caller's scope.

Files, in order of flow: `asked.py` (what a resolver knows of its request) · `arguments.py` (at which argument a problem is told) · `tokens.py` (a quote as sealed text) · `allowance.py` (how
often a customer may ask) · `types.py` (what is shown of an offer) · `payloads.py` (what became of a change) · `quoting.py` (a quote, by a question) ·
`booking.py` (a booking) · `changing.py` (the changes of what is booked) · `tasks.py` (what people do with tasks) · `capacity.py` (capacity over time, for operators) ·
`feasibility.py` (whether a new service could be built, for operators) · `costs.py` (what boosts have cost so far, and what the next bill will have of them) · `schema.py` (all of it assembled) · `subgraph.py` (execution).

Invariants
1. A customer asks for its own services only; one that is another's is answered as one that is not there.
2. What a quote tells of others is rounded and of four words (graph/capacity/rounding.py); who asks too often waits.
3. A quote holds nothing: the booking looks again.

Example: `{ quoteBandwidth(serviceId: "service-1", mbps: 500, hours: 2) { quote { id price { value } mostMbps } } }`, then
`mutation { boostBandwidth(quoteId: "...", idempotencyKey: "k1") { boost { id status } userErrors { code message } } }`.
"""
