"""Endpoints: the gates that every call of a surrounding system passes, whatever it calls.

In: an HTTP request whose principal is known. Out: the answer of its protocol; on any error TM Forum's error body, and
nothing written.

Files, in the order in which a request meets them: `edge.py` (method, role, deadline, and how a request is refused) ·
`body.py` (a body as it arrives: its type, its size, JSON) · `listing.py` (a list by its attributes, in any order) · `reading.py`
(the part of a list of the graph's that begins at an offset) · `listening.py` (an event that is told twice is taken once) · `hub.py`
(who asks to be told of what happens, and where) · `hub_telling.py` (and is told) · `errors.py` (whatever went wrong, as one error body).

Invariants
1. What a caller may not see and what does not exist are one answer, byte for byte.
2. Every string, list and level of a body has an end.
3. What nobody foresaw goes up to whoever logs it, and never to the caller.

Example: `POST /tmf-api/alarmManagement/v4/alarm` by a customer answers 403 with TM Forum's error body.
"""
