"""Changes of usage: what a service has carried comes in, finds its service, and is billed once.

In: `graph.model.usage.Usage` values and the source that sends them. Out: an `Outcome`, and deliveries to billing.

Files: `usage.py` (it comes in, and finds its service) · `states.py` (it is rated and billed).

Invariants
1. A record counts once for each source and external id.
2. A record whose service is not known yet is kept, and billed when it is.

Example: the same record sent twice is one `Usage` node and one delivery.
"""
