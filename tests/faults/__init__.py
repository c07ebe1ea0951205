"""The fault harness: proof that nothing is lost and nothing is told twice, whoever dies.

Promises about processes that are killed cannot be shown by one test for each: there are too many moments to be killed
at. So the gateway runs as it does in earnest, with the seven systems that surround it: alarms are raised and cleared, usage
is measured, an inventory sends what it has and its people settle what differs, customers book bandwidth for some seconds, let it last
longer and give it back, all of it over HTTP; every system acts and says nothing or half of it, the network refuses rates, sets others
and never says how it went, and processes are killed at random moments, by a seed. When all is quiet again, everybody is
asked what they know, and it must fit. All the while an operator and some customers subscribe to everything, over both transports,
at two gateways: each must have heard each event of its scope once.

In: a seed, and how often to kill. Out: a `Result`, with every promise that was not kept (`make chaos` prints the sum).

Words. A *history* is one network from its load to the last look at it. What somebody *remembers* is what they were told is
heard. *Books* are what the other systems hold and have heard. The *audience* are those who subscribe. *Evidence* is what everybody
says in the end.

Files, in order of flow:
    __main__.py       many histories, one after the other; a run that was cut goes on (`make chaos`)
    test_faults.py    one history with 3 kills (`make test-processes`), or 20 (`make test-all`)
    round.py          one history
    systems.py        the seven other systems, as processes, and how they misbehave
    wire.py           the network before each of them, which delays, cuts, holds and resets
    test_wire.py      that it does so
    processes.py      a gateway as processes, and who kills them
    replicas.py       two of them over one database
    transports.py     the least that a subscriber has to know of a WebSocket and of server-sent events
    subscribers.py    who listens, and comes back with the last cursor
    stream_records.py what came, and the sequence of events
    test_subscribers.py  that they hear all of it, without kills
    people.py         everybody who tells the gateway anything
    telling.py        whoever tells, tells until there is an answer
    sources.py        fault management systems: alarms
    meter.py          meters: usage
    stock.py          the people of an inventory: feeds, and differences that are settled
    bookings.py       customers: boosts
    network.py        what was loaded, and what alarms do to it
    equipment.py      what the inventory knows of it, and what it does not
    books.py          what the other systems hold and have heard
    rate_books.py     what they hold of boosts: rates of the network, bills, jobs, leads
    kept.py           what the graph says
    kept_boosts.py    what it says of boosts
    evidence.py       all of that, and what was remembered
    checker.py        every promise, and what speaks against it
    about_alarms.py   of alarms, and what services suffer
    about_tickets.py  of tickets
    about_systems.py  of fault management, billing and inventory
    about_bandwidth.py  of boosts: what is booked, set, charged, billed and told
    about_ledger.py   of what was to be told
    about_streams.py  of what subscribers were sent
    takeover.py       for how long nobody told a system
    fitting.py        evidence that fits, to tamper with
    fitting_bandwidth.py  with boosts
    fitting_streams.py  and what subscribers heard of it
    tampering.py      how it is tampered with
    breaches_of_alarms.py   every promise about alarms and tickets, broken
    breaches_of_systems.py  about other systems and the ledger
    breaches_of_bandwidth.py  about boosts
    breaches_of_streams.py  about what subscribers hear
    test_checker.py   every promise is broken once, and the checker says so

Invariants
1. What must be true is never asked of the graph that is tested: it follows from what is remembered. Only what subscribers were
   sent is compared with the ledger's sequence too, event by event; and when the network has confirmed a rate, from which charges are
   worked out anew, is asked of the graph, and compared with what the network says that it has carried.
2. Nothing here owns the embedded database: whoever opened it as an owner could become its parent.
3. All processes end with the one that started them, however that ends.

Example: `.venv/bin/python -m tests.faults --kills 30 --seed 7`.
"""
