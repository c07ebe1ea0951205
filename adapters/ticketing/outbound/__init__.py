"""The dialects of trouble ticketing that we speak: each orders tickets from one kind of system.

In: a `TicketOrder`. Out: a `TicketState` or a `TicketHistory`, or an `adapters.errors.AdapterError`.

Files: `tmf621.py` (TM Forum's, over HTTP) · `rt.py` (Request Tracker 5, by REST2) · `rt_query.py` (what it is asked) ·
`rt_resource.py` (its ticket) · `rt_history.py` (its transactions).

Invariant: no dialect knows another, and none tries twice.

Example: `await Tmf621(transport).find("alarm-7:customer-3", deadline=soon)` gives the ticket with that key, or None.
"""
