"""An inventory to try things with: TMF639, TMF638 and MTOSI 2.1.

In: HTTP, as the real system has it. Out: HTTP, events, and a journal with a line for each change.

Files: `inventory.py` (the server) · `resources.py` (what it keeps) · `services.py` (what it keeps of services).

Invariant: it knows nothing of us, and a change that was acted upon is in the journal before its answer begins.

Example: `python -m adapters.simulator inventory` serves until it is ended.
"""
