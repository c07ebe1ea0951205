"""Execution: the requests of a plan are sent, each as soon as those before it are answered, and become one answer.

In: a `QueryPlan`, the variables, who asks and until when. Out: a GraphQL response.

Files, in the order in which a request meets them:

    running.py       a plan's requests, each as soon as those before it are answered, and one answer made of all
    entities.py      the entities at a path, and what was answered put back
    representing.py  the representations of entities; what is broken is not sent on
    faults.py        what went wrong in a subgraph becomes an error that a client may see, with its place in the answer
    projection.py    what was fetched becomes the answer: a function generated for the operation
    completing.py    the same, walked with paths, where something does not fit: nulls and errors as specified
    leaves.py        what values of scalars and enums may be
    remote.py        a subgraph behind HTTP; sharing.py asks once what many ask
    reading.py       the bytes that it answers become a response of bounded depth
    forwarding.py    which headers go on to subgraphs and come back from them

Invariants
1. What one request lacks does not cost the others.
2. A timeout says something of a subgraph only if the subgraph had a fair time.
3. A caller waits until its own deadline, whoever asked first; what is for one caller reaches no other.
4. No `data` key means that nothing ran; the first error's code then decides the HTTP status.

Example: the document `{ customer(id: $id) { name } }` with `{"id": "customer-1"}` comes back as
`{"data": {"customer": {"name": "Ada"}}}`.
"""
