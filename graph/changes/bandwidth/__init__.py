"""Bandwidth for a while: a customer books a higher rate, gets it, and the service returns by itself.

A boost is an interval in which mbps are added to the rate of a service. What is booked is a function of time: the committed rate,
and the boosts that run. At each boundary it is worked out anew from the graph, the network is asked for it, and when the network has
confirmed it, every other system is told.

In: who asks, what for, and the `BandwidthPolicy`. Out: an `Outcome` with the id of the boost; events; deliveries.

Files, in order of flow:
    policy.py      what an operator decides: who is told, how much may be booked, what it costs
    owned.py       what is the caller's own
    asking.py      who may ask, and why something is not done
    looking.py     what is booked and free, read without a lock
    offers.py      what can be had, what it costs, and what would fit instead (pure)
    spending.py    what a customer may spend in a month without approval
    booking.py     a boost is booked, or a series of them
    changing.py    it is changed, cancelled, approved, declined, revoked
    works.py       what the timers of bandwidth do
    boundaries.py  a timer of the service comes: what is due is done
    network.py     what the network has confirmed or refused, in the transaction in which its delivery is settled
    answers.py     what that means for the boosts (pure)
    turning.py     what becomes of all boosts of a service at a moment (pure)
    rates.py       booked, effective and charged rates over time (pure)
    boosts.py      a service with its boosts, read under its lock and written back
    loads.py       what ports and trunks carry over time, read
    profiles.py    the sum of all bookings on a thing: locked, read again, written
    comparing.py   profiles compared with what boosts reserve, and made again
    forecast.py    when things are full, by what is booked and by the past
    writing.py     events, steps, and what other systems are told
    pricing.py     what a boost costs by the rates that it has, and what is owed for one that ends before its time
    costs.py       what a boost has cost so far, and what boosts will have on a customer's next bill
    consequences/  usage and credits, alarms, leads, and what its service becomes

Invariants:
    1. Capacity is taken in the transaction of the booking, under the locks of all that it is taken of, in the order of their ids.
    2. Three rates are kept apart: booked, effective (what the network carries), charged. Charged is what was ordered, never more than the network
       carries, and only of a boost that the network has confirmed: since then, or with the policy `charge="ordered"` since it was ordered for.
    3. Nothing is restored: a boundary works the booked rate out from the boosts that run then.
    4. Other systems are told of a rate after the network has confirmed it, never before. Billing is told of an interval once it is over.
"""
