"""What follows from a boost beside its rate: usage and credits, alarms, leads, and what its service becomes.

In: a turn of a service (graph/changes/bandwidth/turning.py), or a timer. Out: nodes, events and deliveries, in the transaction of the turn.

Files:
    charges.py    what a boost is charged for, and what that costs (pure)
    usage.py      what was charged becomes records of usage
    credits.py    an outage during a boost makes one credit
    returns.py    the alarm of a service that does not return
    leads.py      who boosts again and again needs a larger contract: sales hears of it
    crossings.py  the same of who is above the threshold again and again, or for long
    thresholds.py what is too much for a service, told of all services
    moved.py      a service is terminated, or runs another way, while it is boosted

Invariants:
    1. A record of usage is of one boost and one interval, and billing is told of it once.
    2. There is one credit for a boost, one open alarm for a service, and one lead for a service and a reason.
    3. Nothing is reserved where a service does not run.

A boost of 500 Mbit/s from 10:00 to 12:00 during which the service was down for an hour: one record of 500 Mbit/s over two hours, and one
credit of half its price.
"""
