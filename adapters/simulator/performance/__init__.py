"""A performance monitoring system as a stand-in: `performance.py` (TMF628 as a server, and what it measures) · `jobs.py` (what it keeps).

In: measurement jobs by TMF628, and the load that a test lets a service carry. Out: the job as it is, the crossing of a threshold
as the alarm that TMF642 has for it, and measurements.

Invariant: whether a load is too much follows from the job as it was told last, and from nothing else.

Example: `performance.measure("service-3", 450, at=now)` gives the alarm body of a crossing, or None.
"""
