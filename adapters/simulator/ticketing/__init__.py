"""Ticketing systems to try things with: TMF621, and Request Tracker's REST API.

In: HTTP, as the real system has it. Out: HTTP, events, and a journal with a line for each change.

Files: `ticketing.py` (TMF621, version 4) · `tickets.py` (what it keeps) · `request_tracker.py` (Request Tracker, REST2) ·
`rt_query.py` (how it is searched) · `rt_tickets.py` (what it keeps).

Invariant: it knows nothing of us, and a change that was acted upon is in the journal before its answer begins.

Example: `python -m adapters.simulator ticketing` serves TMF621 until it is ended.
"""
