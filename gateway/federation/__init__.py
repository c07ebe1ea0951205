"""The federation engine: many subgraphs as one schema, by Apollo Federation 2. It knows no word of telecommunications.

In: a supergraph SDL and the subgraphs that it names; an `Operation`, its variables, a principal, a deadline. Out: a GraphQL
response as a plain dict.

Files, in order of flow:

    subgraph.py        the port: what is asked of a subgraph, and nothing of how it answers
    supergraph_sdl.py  a supergraph's text becomes tables: supergraph.py, selections.py (field sets), public.py (what clients see);
                       links.py says what its directives and types are
    query_graph.py     what can be asked where
    federation.py      one subgraph that is made of many; plans.py keeps its plans, streaming.py serves subscriptions
    planning/          an operation becomes requests to subgraphs
    execution/         the requests of a plan become one answer
    arriving.py        a subgraph whose database is not there yet

Invariants
1. `Operation.document` holds exactly one operation and the fragments that it uses, and is valid for the subgraph's SDL.
2. Nothing that a client may not see (`@inaccessible`) is in an answer or in an error.
3. Foreseeable faults are in the response, never an exception.

Example: `{ product { name reviews { text } } }` over two subgraphs is two requests and one answer.
"""
