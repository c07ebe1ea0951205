"""The subgraphs of our own: Strawberry types, entity keys, mutations, and what of them the graph answers.

In: an operation that the gateway has let through, its variables, who asks and until when. Out: a GraphQL response as a
plain dict. Foreseeable faults are in the response, never an exception.

Files, in order of flow: `supergraph.py` (what the areas are together) · `words.py` `directives.py` `money.py` `moments.py` `user_errors.py` (what several of them say) ·
`context.py` (what a resolver knows of its request) · `executed.py` (what Strawberry executes) · `knowledge/` (the graph itself as a subgraph) · `ledger/` (what waits for
whom) · `elsewhere.py` (areas whose data is in another system) · `ticketing/` (what only the ticketing system knows) ·
`billing/` (what only billing knows) · `performance/` (what only performance monitoring knows) · `bandwidth/` (more bandwidth for a while, and capacity over time) · `composition.py` (the areas' SDL as one supergraph) · `errors.py` (what went wrong below, as a response).

Invariants
1. A subgraph never imports another; they meet through entity keys.
2. Reads of the graph are compiled; no resolver here walks it.

Example: `KnowledgeSubgraph(store, cursor_key, policy).execute(operation, {"id": "customer-..."}, principal, deadline)`.
"""
