"""A provisioning system to try things with: TMF640, with monitors and without.

In: HTTP, as the real system has it. Out: HTTP, events, and a journal with a line for each change that was asked for and for each
rate that the network carries since.

Files: `provisioning.py` (the server) · `services.py` (what it keeps: services, monitors, what was carried since when) ·
`behaviour.py` (what becomes of a change).

Invariant: it knows nothing of us, and a change that was acted upon is in the journal before its answer begins.

Example: `python -m adapters.simulator provisioning` serves until it is ended.
"""
