"""How we ask a system that follows TM Forum's conventions (TMF630, version 4): one way to read lists, one to write, for all of them.

In: paths and bodies. Out: what was answered, or an `adapters.errors.AdapterError`.

Files: `client.py` (lists to their end; create, change and remove; what an answer without a body means) · `links.py` (the Link
header).

Invariants
1. A list is read to its end, whether the system counts its items or not.
2. What was answered with 2xx is done. Where the body that is wanted is missing, the thing is looked at.
3. A thing is said to be gone only when its collection is there.
4. What others have written into a thing between our look and our change stays, where the system gives an ETag.

Example: `await TmfClient(transport).listed(("troubleTicket",), (("status", "held"),), size=50, deadline=soon)` gives all of them.
"""
