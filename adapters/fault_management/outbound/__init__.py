"""The dialects of fault management that we speak: each tells one kind of system of alarms.

In: an `AlarmOrder`. Out: what the other system has of the alarm, or an `adapters.errors.AdapterError`.

Files: `ordering.py` (a delivery becomes an order in TMF642's shape) · `tmf642.py` (TM Forum's) · `mtosi.py` (notifications in
SOAP; `mtosi_events.py`: what they say of other things than alarms) · `alerta.py` (Alerta's REST API, version 9) · `tmf688.py`
(TM Forum's events, beside TMF642's alarms).

Invariant: no dialect knows another, and none tries twice.

Example: `await Tmf642(transport).find(order, deadline=soon)` gives the alarm that bears our id there, or None.
"""
