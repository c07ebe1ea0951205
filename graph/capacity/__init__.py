"""Capacity over time: what ports and trunks have left between two instants, and what a temporary rate costs.

A port carries what was promised on it for ever, and what was booked for some hours. Whether a booking fits is a question
about a function of time, and so is what else would fit. This folder has the functions; who locks, reads and writes is in
graph/changes/bandwidth/.

Words. A *load* is how much of a thing is taken, over time. A *limit* is what a thing may be loaded with, and its load.
*Headroom* is what a limit leaves between two instants: the limit less the highest load in between. A *hop* is a thing that
a service runs over: a port that it is accessed at, or a trunk.

In: instants as epoch milliseconds (UTC), rates as whole Mbit/s, half-open intervals: `end` is the first instant that is not
in it, and None is for ever. Out: rates, intervals and prices as values, or a refusal that is a `ValueError`.

Files, in order of flow:
    steps.py       a rate over time: sums, peaks, and the text that is stored
    limits.py      the limit of a thing, overbooking, and the headroom over several limits
    holds.py       whether a booking or a change fits: a hold of the difference
    curve.py       the headroom at each instant
    search.py      what fits instead: a smaller rate, another time
    trend.py       when it will be full, by what is booked and by the past
    rounding.py    what of all this a customer may learn
    recurrence.py  every week or every month, across clock changes
    tariff.py      what it costs

Invariants
1. Everything here is pure: no database, no clock, no network.
2. Loads are sums: two equal bookings count twice, and taking one away leaves the other.
3. Intervals that touch do not overlap: a booking may begin at the instant at which another one ends.
4. Rates are rounded down and never up: what is offered fits.

Example: a port of 1,000 Mbit/s with 300 committed and 500 booked for an hour:

    >>> from graph.capacity.limits import Limit, LimitKind, headroom
    >>> from graph.capacity.steps import Booking, StepFunction
    >>> load = StepFunction.of([Booking(start=0, end=None, mbps=300), Booking(start=3_600_000, end=7_200_000, mbps=500)])
    >>> port = Limit(thing="port-1", kind=LimitKind.PORT, mbps=1_000, load=load)
    >>> headroom([port], 0, 3_600_000).mbps, headroom([port], 0, 3_600_001).mbps
    (700, 200)
"""
