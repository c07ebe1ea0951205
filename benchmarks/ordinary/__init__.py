"""The ordinary contestant: how most projects with Strawberry and a graph database answer the same documents.

In: an open store. Out: an ASGI application, Strawberry's own view, with its caches of parsed and validated documents on.

    types.py     the types that the cases ask for, as in our schema, each field with a resolver where it is not a property
    arguments.py filters and orders, and the part of a statement that they make
    impact.py    who suffers if a card fails: the rows from the database, the rule in Python
    loaders.py   DataLoaders, one statement for each batch
    view.py      Strawberry's view, with principal, store and loaders of a request as its context

Invariants. A batch is one statement. Nothing is loaded twice in a request. What a customer may not see is not found.

Example: `ordinary_view(store)` answers POST `{"query": "{ services(first: 1) { nodes { id } } }"}`.
"""

from benchmarks.ordinary.view import ordinary_view

__all__ = ["ordinary_view"]
