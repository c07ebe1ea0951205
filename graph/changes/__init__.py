"""Every business change of the graph: one function each, one transaction each, with the events that tell of it.

A change that committed without its event would never be heard of, and one that is asked for twice must not be made
twice. So three things commit together or not at all: the change, its event, and the record of its outcome.

In: the store, the principal, the arguments of the change, the caller's idempotency key, a deadline.
Out: an `Outcome`: ids of nodes, which the caller reads in its own scope, and user errors; or a `graph.errors.GraphError`.

Folders and files, in order of flow:
    alarms/         an alarm comes in, changes, is over, with all that follows from it
    usage/          what services have carried comes in, and is billed
    tickets/        what the ticketing system is to be sent, and what it says
    orders/         what customers want comes in, is changed, moved, and cancelled
    fulfilment/     an order for a new service is carried out by itself
    customers/      the same company twice is proposed to a person, merged, and parted again
    bandwidth/      more bandwidth for a while: booked, carried out, and returned by itself
    services/       what services suffer, and for how long
    feasibility.py  whether a new service could be built, and how; nothing is written
    dry_run.py      a change is decided, and nothing of it is written
    outside.py      what follows from what a load has written past all changes
    gates.py        names that are looked for and names that come meet here; the order of locks
    references.py   what another system means by an id or a name
    notices.py      what a central fault management system hears beside alarms
    leads.py        what sales calls a lead, and what becomes of it there
    tasks.py        what waits for a person is tried again, skipped or cancelled
    deliveries.py   what was parked is sent again
    sources.py      whose alarms a caller may change
    catalogue.py    what is sold by orders and built by itself
    policy.py       what an operator decides: who is told, from which severity on
    idempotency.py  once per key: claim, run the change, keep what it returned; sweep what has expired
    events.py       an event is appended in the transaction of its change
    outcome.py      what a change returns, and how it is kept

Invariants:
    1. Lock first, then look, then write, in one statement: what was read before the lock may already be untrue.
    2. An aggregate's `_version` rises by one with each change, under its lock; each event has the version it made.
    3. Nothing is done twice under one key of one principal, and no key is used for two different changes.
    4. Only the database's clock counts.

Acknowledging an alarm, the first time and when asking again, by an operator:

    outcome = await acknowledge_alarm(store, operator, policy, alarm_id="alarm-7d", idempotency_key="k1", deadline=soon)
    # the alarm has ackState acknowledged; one Event AlarmAcknowledged, for each customer that the alarm affects
    outcome.ids                    # {"alarm": "alarm-7d"}
    again = await acknowledge_alarm(store, operator, policy, alarm_id="alarm-7d", idempotency_key="k1", deadline=soon)
    again == outcome               # nothing was written
"""
