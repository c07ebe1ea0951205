"""A billing system to try things with: it takes usage, problems and documents, and serves bills.

In: HTTP, as the real system has it. Out: HTTP, events, and a journal with a line for each change.

Files: `billing.py` (TMF635, TMF656, TMF678, documents) · `records.py` (what it keeps).

Invariant: it knows nothing of us, and a change that was acted upon is in the journal before its answer begins.

Example: `python -m adapters.simulator billing` serves until it is ended.
"""
