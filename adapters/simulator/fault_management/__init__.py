"""Fault management systems to try things with: some see things break and tell us, some are told.

In: HTTP, as the real system has it. Out: HTTP, events, and a journal with a line for each change.

Files: `fault_management.py` (posts alarms to a gateway by TMF642) · `alarm_management.py` (is told by TMF642) ·
`event_management.py` (is told of other events by TMF688) · `alerta.py` (is told by Alerta's REST API) · `notified.py` (is told by
MTOSI's notifications).

Invariant: it knows nothing of us, and a change that was acted upon is in the journal before its answer begins.

Example: `python -m adapters.simulator alerta` serves Alerta's API until it is ended.
"""
