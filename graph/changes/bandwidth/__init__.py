"""Bandwidth for a while: a customer books a higher rate, gets it, and the service returns by itself.

A boost is an interval in which mbps are added to the rate of a service. What is booked is a function of time: the committed rate,
and the boosts that run. At each boundary it is worked out anew from the graph, the network is asked for it, and when the network has
confirmed it, every other system is told.

In: who asks, what for, and the `BandwidthPolicy`. Out: an `Outcome` with the id of the boost; events; deliveries.

Files, in order of flow:
    policy.py    what an operator decides: who is told, how much may be booked, what it costs
    loads.py     what ports and trunks carry over time, read
    profiles.py  the sum of all bookings on a thing: locked, read again, written
    comparing.py profiles compared with what boosts reserve, and made again
    forecast.py  when things are full, by what is booked and by the past
    network.py   what the network has confirmed or refused, in the transaction in which its delivery is settled

Invariants:
    1. Capacity is taken in the transaction of the booking, under the locks of all that it is taken of, in the order of their ids.
    2. Three rates are kept apart: booked, effective (what the network carries), charged; charged is never above booked or effective.
    3. Nothing is restored: a boundary works the booked rate out from the boosts that run then.
    4. Other systems are told after the network has confirmed, never before.
"""
