"""Changes of trouble tickets: opened for an alarm and a customer, reported by a customer, or opened by people over there.

In: an alarm's effects (`tickets.py`), what people ask here (`problems.py`, `requests.py`), what the ticketing system answers or says by itself.
Out: tickets in the graph, and deliveries to the ticketing system.

Files, in order of flow: `tickets.py` (one ticket for each alarm and customer) · `request_rules.py` (what a customer may ask, and
what a refusal says) · `problems.py` (a customer reports a problem) · `requests.py` (a customer comments, reopens, closes) ·
`ticketing.py` (what the ticketing system says of these) · `reported.py` (a ticket that somebody opened there) · `owners.py` (whose
that is).

Invariants
1. There is one ticket for each order key, and a constraint of the database holds that.
2. A ticket is shown to nobody until it is certain whose it is.

Example: a card fails with services of two customers: two tickets, each with the services of its own customer.
"""
