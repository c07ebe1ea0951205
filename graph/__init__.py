"""The knowledge base: the model, the caller's slice of it, compiled reads, changes, and the databases below.

In: operations with variables and a principal (reads), business changes (writes), topologies (load). Out: response data,
outcomes, reports. This room knows no other.

Files, in order of flow
    the model       `vocabulary.py` · `kinds.py` · `bookkeeping.py` · `model.py` · `alarm.py` · `usage.py` · `mapping.py` · `scope.py` · `identity.py` · `effects.py` · `drawing.py`
    a read          `query.py` `arguments.py` `literals.py` (what was asked) · `compile.py` with `parts.py` `names.py`
                    `slice.py` `filters.py` `pages.py` `impact.py` `explore.py` (the query) · `clauses.py` `cypher.py` (its text) ·
                    `bind.py` `cursor.py` `cursor_key.py` (its parameters) · `layout.py` `shape.py` `leaves.py`
                    `irregular.py` (the answer) · `read.py` `allowance.py` (the whole row, cached; how much of it may be new)
    a write         `changes/` · `inventory/` (`resource.py`) · `ledger/` (what others must be told of it) · `load/`
    the databases   `address.py` · `store.py` `link.py` `joined.py` `session.py` `faults.py` · `embedded.py` `embedded_server.py`
                    `embedded_child.py` · `migrate.py` · `errors.py`

Invariants
1. No statement for a caller exists without a scope; no value of a request is ever in a statement's text.
2. Compiling is pure and synchronous; `async` begins at the store.
3. Foreign exceptions stop here: what goes up is of `errors.py`.

Example: `{ customer(id: $id) { name } }`, asked by a customer, is
`RETURN [head(COLLECT { MATCH (v1:Customer {id: $p0}) WHERE v1.id IN $scope RETURN [v1.name] LIMIT 1 })] AS data`.
"""
