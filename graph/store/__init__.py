"""The store: two databases behind one door. Statements go in, rows come out, and nothing of the driver is seen outside.

In: an address (`embedded:DIRECTORY` or `bolt://HOST:PORT`), constant or compiled texts with parameters, a deadline.
Out: rows, or a `graph.errors.GraphError`.

Files, in order of flow:
    address.py          the text of a setting becomes an address
    admission.py        how many statements of one principal run at a time
    store.py            the door: read, write, ping, close
    turns.py            writers of one process that are in one another's way take turns
    link.py             one endpoint: a statement or a transaction over it, with an end that is certain
    joined.py           statements of a transaction whose rows nobody needs are sent together
    session.py          the driver's sessions, from a configuration that is read once
    faults.py           the driver's exceptions become ours
    migrate.py          constraints and indexes as the model says, and the version of the schema
    looks.py            a look at all that a label has, with a time of its own
    bounds.py           what is in a store against the bounds of the model
    cardinality.py      what there may be one of: looked at under a lock before it is written, and found where it is not so
    boost_marks.py      what boosts are found by, past all that are over
    open_alarms.py      what an alarm is open on: written where it is not so, and found
    migrations/         what is done to the data of older versions
    embedded.py         one embedded database for several processes; embedded_child.py starts, watches and ends its server
    embedded_server.py  the server process itself; embedded_abandoned.py ends statements in it whose client is gone

Invariants
1. Foreign exceptions stop here; a test proves that none leaks.
2. Each statement has a deadline that its caller gave.
3. The same tests pass on both databases.

Example: `store = await open_store("embedded:data")`, then `await store.read("RETURN 1 AS data", {}, deadline=soon)`.
"""
