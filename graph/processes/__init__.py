"""Processes: what has to be done in several systems, one after the other, whichever of our processes dies in between.

A process is a list of *steps*. A step has a name, a system that carries it out, and a *stage*: all of one stage go on side by side, and
the next stage begins when whoever owns the process says so, in the transaction in which the last delivery was settled.

There is no engine. A step is carried out by a delivery of the ledger (graph/ledger), which has all that one needs: its attempt is
counted before anything is sent (the intention), from the second attempt on the delivery handler looks first whether it was done
(observe), and the lease and the epoch of its lane keep two processes from doing it both. What became of the delivery is written to the
step in the transaction that settles it, with the other system's name for what it did as the receipt (graph/ledger/step_outcomes.py).
One that is parked opens a `Task` for a person.

In: what the process is about (a boost), the steps, and the deliveries of the first stage. Out: `ProcessStep` nodes.

Files:
    steps.py    steps are written, found again while they are open, and skipped or refused
    tasks.py    what waits for a person is opened once, and closed when it is done

Nothing is undone here. A boost needs no undo: each of its steps tells a system the present rate, and what comes later is told
later, until it is heard. A process whose steps have an undo (orders) runs the undoing as steps of its own, with the stages in reverse.

Invariants:
    1. A step and the deliveries that carry it out commit together.
    2. A step is open (PENDING, REFUSED or FAILED) until it is finished: DONE, SKIPPED, or REFUSED for good; whatever is neither has a delivery, a later stage to
       wait for, or a task.
    3. Attempts add up over all deliveries of a step.

A step, in the transaction of what begins it:

    rate = Step(about="boost-1", name="rate", boundary="START", system="NETWORK", stage=0)
    begin(transaction, [rate], at=now)
    write_down(transaction, [Told(..., steps=(rate.id,))])   # in the same transaction: (:Delivery)-[:CARRIES_OUT]->(:ProcessStep)
"""
