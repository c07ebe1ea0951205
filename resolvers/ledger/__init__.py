"""The ledger as a subgraph: what waits for whom, counted, which no walk over the graph answers.

Deliveries are nodes, and are asked of the knowledge graph. A lane's depth, the age of its oldest, what is parked and who
tells it are counts over an index, and one statement of the ledger's own gives all of them.

In: operations of operators and analysts by the gateway. Out: `{"data": ..., "errors": [...]}`.

Files, in order of flow: `types.py` (a lane, and how it is read) · `schema.py` (all of it assembled) · `subgraph.py` (execution).

Invariants
1. Only who reads everything gets here: the gateway obeys `@operatorOnly`.
2. However many fields are asked for, the ledger is asked once.

Example: `{ lanes { id waiting oldestSeconds parked } }` gives sixteen rows for each system that was ever told anything.
"""
