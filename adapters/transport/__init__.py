"""The way to a surrounding system: one HTTP session for each, with deadlines, caps, a breaker, and errors of our own.

In: a `Call` and a deadline. Out: an `Answer` with a status of 2xx, or an `adapters.errors.AdapterError`.

Files: `transport.py` (a call) · `credentials.py` (who asks) · `tls.py` (certificates) · `files.py` (secrets that change) ·
`breaker.py` (a system that is down is not asked) · `retry_after.py` (when it wants to be asked again) · `paging.py` (a list to
its end) · `answers.py` (what is kept of a refusal) · `probing.py` (whether a system can be reached). `breaker.py` and
`retry_after.py` know no system: the federation engine uses them for its subgraphs too.

Invariants
1. A deadline comes with every call; none is invented here.
2. Nothing is tried twice: only the ledger knows whether that is right. A 401 is the one exception: nothing was done.
3. What the files of a credential or a certificate say now is what counts.

Example: `await transport.exchange(Call(method="GET", path="/troubleTicket/7"), deadline=soon)`.
"""
