"""The knowledge graph as one subgraph, whose types may refer to each other.

In: an operation over the SDL that `schema.py` makes. Out: `{"data": ..., "errors": [...]}`.

Files, in order of flow: `words.py` (the model's vocabularies as enums) · `inputs.py` (filters and orders, derived from
the model) · `fields.py` (the typed decorators that tie a field to the graph) · `types.py` (what the graph holds) ·
`root.py` (where a query enters) · `mutations.py` (changes; `ordering.py`: of orders; `merging.py`: of customers; `noting.py`: what each leaves for its payload) · `subscription.py` (what is heard of events) · `streams.py` (which
event becomes what, for whom) · `subscribing.py` (streams of events; `stream_answers.py`: what is sent beside them; `shared.py`: what many ask is made once;
`batching.py`: what many ask differently goes in one statement) ·
`schema.py` (all of it assembled, and the compiler's view of it) · `subgraph.py` (execution).

Invariants
1. Every field of a node type has a mapping, or the schema cannot be assembled into statements; none shows in the SDL.
2. Optionality and vocabulary of a stored field are the model's: a class that disagrees cannot be imported.
3. A query is one statement, a mutation's payload one more, an event of a subscription one for all scopes that hear of it together, or none.

Example: `services: Connection[Service] = pages_along("SUBSCRIBES_TO>")` on `Customer` is a page of services with
filter, order, cursors and total, and the only line that says so.
"""
