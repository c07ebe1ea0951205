"""The fault harness: proof that nothing is lost and nothing is told twice, whoever dies.

Promises about processes that are killed cannot be shown by one test for each: there are too many moments to be killed
at. So the gateway runs as it does in earnest, with the four systems that surround it: alarms are raised and cleared, usage
is measured, an inventory sends what it has and its people settle what differs, all of it over HTTP; every system acts and
says nothing or half of it, and processes are killed at random moments, by a seed. When all is quiet again, everybody is
asked what they know, and it must fit.

In: a seed, and how often to kill. Out: a `Result`, with every promise that was not kept (`make chaos` prints the sum).

Words. A *history* is one network from its load to the last look at it. What somebody *remembers* is what they were told is
heard. *Books* are what the other systems hold and have heard. *Evidence* is what everybody says in the end.

Files, in order of flow:
    __main__.py       many histories, one after the other; a run that was cut goes on (`make chaos`)
    test_faults.py    one history with 20 kills (`make test`)
    round.py          one history
    systems.py        the four other systems, as processes, and how they misbehave
    wire.py           the network before each of them, which delays, cuts, holds and resets
    test_wire.py      that it does so
    processes.py      the gateway as processes, and who kills them
    people.py         everybody who tells the gateway anything
    telling.py        whoever tells, tells until there is an answer
    sources.py        fault management systems: alarms
    meter.py          meters: usage
    stock.py          the people of an inventory: feeds, and differences that are settled
    network.py        what was loaded, and what alarms do to it
    equipment.py      what the inventory knows of it, and what it does not
    books.py          what the other systems hold and have heard
    kept.py           what the graph says
    evidence.py       all of that, and what was remembered
    checker.py        every promise, and what speaks against it
    about_alarms.py   of alarms, and what services suffer
    about_tickets.py  of tickets
    about_systems.py  of fault management, billing and inventory
    about_ledger.py   of what was to be told
    takeover.py       for how long nobody told a system
    fitting.py        evidence that fits, to tamper with
    tampering.py      how it is tampered with
    breaches_of_alarms.py   every promise about alarms and tickets, broken
    breaches_of_systems.py  every other promise, broken
    test_checker.py   every promise is broken once, and the checker says so

Invariants
1. What must be true is never asked of the graph that is tested: it follows from what is remembered.
2. Nothing here owns the embedded database: whoever opened it as an owner could become its parent.
3. All processes end with the one that started them, however that ends.

Example: `.venv/bin/python -m tests.faults --kills 30 --seed 7`.
"""
