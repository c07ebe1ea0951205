"""The fault harness: proof that no alarm is lost and no ticket is doubled, whoever dies.

Promises about processes that are killed cannot be shown by one test for each: there are too many moments to be killed
at. So the gateway runs as it does in earnest, alarms are posted and cleared over HTTP, the ticketing system acts and
says nothing or half of it, and processes are killed at random moments, by a seed. When all is quiet again, everybody is
asked what they know, and it must fit.

In: a seed, and how often to kill. Out: a `Result`, with every promise that was not kept (`make chaos` prints the sum).

Words. A *history* is one network from its load to the last look at it. What a source *remembers* is what it was told is
heard. *Evidence* is what everybody says in the end.

Files, in order of flow:
    __main__.py     many histories, one after the other; a run that was cut goes on (`make chaos`)
    test_faults.py  one history with 20 kills (`make test`)
    round.py        one history
    wire.py         the network before the ticketing system, which delays, cuts, holds and resets
    test_wire.py    that it does so
    processes.py    the gateway and the ticketing system as processes, and who kills them
    sources.py      fault management systems that tell until they are heard
    network.py      what was loaded, and what alarms do to it
    evidence.py     what everybody says in the end
    checker.py      every promise, and what speaks against it
    takeover.py     for how long nobody told the ticketing system
    fitting.py      evidence that fits, to tamper with
    test_checker.py every promise is broken once, and the checker says so

Invariants
1. What must be true is never asked of the graph that is tested: it follows from what sources remember.
2. Nothing here owns the embedded database: whoever opened it as an owner could become its parent.
3. All processes end with the one that started them, however that ends.

Example: `.venv/bin/python -m tests.faults --kills 30 --seed 7`.
"""
