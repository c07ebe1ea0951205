"""The compiler: a GraphQL selection and a kind of scope become one Cypher statement and one function that shapes its answer.

In: a validated operation, its variables, a principal. Out: response data. The row of stages is visible in `prepare`
(read.py) and in `compile_read` (compile.py).

Files, in order of flow:
    read.py         the row of stages and the cache of what they make; allowance.py meters new statements per principal
    query.py        the operation becomes a logical tree; arguments.py and literals.py read what is in it
    compile.py      the tree and a kind of scope become a Cypher query and the layout of its record
    slice.py        the tenant scope as Cypher: where a list starts, and what a single node must satisfy
    pages.py        connections: pages by keyset, totals
    filters.py      filters and orders
    impact.py       who is affected if these fail
    explore.py      impact, path and search: questions that are not a walk from an object
    parts.py        what the stages pass to each other
    clauses.py      Cypher as values; cypher.py is the only place that prints them
    rows.py         one statement for many rows of parameters, as subscribers of an event are; or none
    bind.py         variables and parameters are numbered, and this request's values become parameters
    cursor.py       cursors of lists and subscriptions are sealed; cursor_key.py keeps their key with the store
    layout.py       where each key of the answer stands in the record
    shape.py        one generated function makes the response of the record; leaves.py checks scalars
    irregular.py    what graphql-core makes of a record that breaks a promise of the schema

Invariants
1. No statement is compiled without a scope, and no value of a request is ever in a statement's text.
2. Every stage but the last is pure and synchronous.
3. The same selection has the same text, in every process.

Example: `trunkline compile '{ services { nodes { name } } }'` prints every stage.
"""
