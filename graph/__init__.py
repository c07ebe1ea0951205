"""The knowledge base: the model, the caller's slice of it, compiled reads, changes, and the databases below.

In: operations with variables and a principal (reads), business changes (writes), topologies (load). Out: response data,
outcomes, reports. This room knows no other.

Folders, from below to above
    errors.py   what can go wrong, for all of them
    model/      labels, relationships and values, as data
    capacity/   what ports and trunks have left over time, and prices; pure
    store/      two databases behind one door
    membership/ which shared nodes are in the slices of large customers
    compiler/   a read: a selection becomes one statement and one function that shapes its answer
    routing/    a new service between two sites is designed: ports, ways with room, or why not
    ledger/     what other systems must be sent is kept with the change, until it was sent
    load/       a network is written from a file, or grown
    processes/  steps that several systems carry out one after the other, and tasks for people
    changes/    a write: one function for each business change
    inventory/  feeds of equipment are compared with the graph and settled

Invariants
1. No statement for a caller exists without a scope; no value of a request is ever in a statement's text.
2. Compiling is pure and synchronous; `async` begins at the store.
3. Foreign exceptions stop here: what goes up is of `errors.py`.

Example: `{ customer(id: $id) { name } }`, asked by a customer, is
`RETURN [head(COLLECT { MATCH (v1:Customer {id: $p0}) WHERE v1.id IN $scope RETURN [v1.name] LIMIT 1 })] AS data`.
"""
