"""Proofs on real systems: a stand-in agrees with whoever wrote it, and a system that others wrote does not.

Each proof installs one surrounding system from its own packages, lays it out as its administrator would, runs it on
loopback, and drives it through our gateway as it is served, on the embedded database. What must be true is asked of that
system by its own interface, as a person who works there would. This needs Debian's packages and root, and minutes; so it
is `make proof`, and no part of `make test`.

In: the names of proofs; none: all. Out: a table of what was shown, and how long it took; docs/proofs.md keeps one. A step that does
not come to be is the end: it says what was waited for.

Files, in order of flow:
    __main__.py         which proofs, one after the other (`make proof`)
    debian.py           packages of Debian, installed when they are missing
    running.py          a process that ends with us, and what has left when it has ended
    request_tracker.py  a Request Tracker 5: its database, queue, custom fields, users, tokens
    ours.py             our gateway over a network, and who asks it
    steps.py            what was shown, in order
    alerta.py           an Alerta 9: its database, our key, a person's login
    ticketing.py        the proof of trouble ticketing: an alarm, a ticket, people, and back
    fault_management.py the proof of fault management: an alarm, an alert with its customer, people, and back
    kafka.py            the proof of Kafka: events on a broker, whoever is killed, and alarms from a topic
    netconfd.py         two devices: Debian's netconfd behind its sshd, with a service that both carry
    netconf_relay.py    between the two: what loses an answer, as a device that reboots would
    netconf.py          the proof of provisioning by NETCONF: a rate on both devices or on none

Invariants
1. Nothing of a system that is installed for other purposes is changed: databases, settings and ports are ours alone.
2. Whatever was started is gone at the end, and that it is gone is looked at.
3. Nothing is asked of the graph that can be asked of the system that was told.

Example: `sudo .venv/bin/python -m tests.proofs request-tracker`.
"""
