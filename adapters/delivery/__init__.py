"""Deliveries: what waits for a system in the ledger is sent, in order, by one process at a time.

In: claims of the ledger, and a handler that sends one of them (`Teller`). Out: outcomes, written to the ledger.

Files: `delivery.py` (the loop over a system's lanes) · `sending.py` (what every handler does round the sending) · `access.py` (a
system that does not let us in) · `attending.py` (what people do in it) · `retrying.py` (whether to send again, and when).

Invariants
1. Nothing is sent with less of the lease left than a request may take.
2. An outcome is kept until the database has it.

Example: a system answers 503 with `Retry-After: 30`: the delivery is due again in thirty seconds, and others go on.
"""
