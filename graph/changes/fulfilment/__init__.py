"""An order for a new service is carried out: it is designed, reserved, made in the network, and then it is in use.

Words. An item of an order that is carried out by itself has a *phase* (graph/changes/orders/states.py): it waits for its time, its service is
being made in the network, or is being taken away there. To *correlate* is to link what the network has confirmed with its customer.

In: an order of which an item is in the catalogue, when its time has come; what the network says; that somebody wants to cancel it. Out: a
service, the states of the item, its steps, events, and what other systems are told.

Files, in order of flow:
    policy.py       what is sold, and who is told
    works.py        the timer of an order comes: what is next is done
    turns.py        what that is (pure)
    lines.py        what an item says becomes a demand
    failures.py     why it cannot be, in a word and in full (pure)
    reserving.py    a service is designed under locks, and reserved
    process.py      the steps of an item, and how it moves with them
    sending.py      what the network is asked for
    network.py      what the network says of it, in the transaction in which its delivery is settled
    correlating.py  it is in use, and others are told
    billing.py       billing learns of it
    undoing.py      what was reserved is taken back

Invariants:
    1. A port or capacity is taken in the transaction that has decided so, under the locks of all that is taken. What is reserved holds it,
       and is nobody's: it is in no slice, suffers from no alarm, and is not billed.
    2. Only what the network has confirmed is in use. Customer, contract, ports and trunks are linked in that transaction.
    3. What fails, or is cancelled, holds nothing any more once nothing of it is in the network, and nothing can come any more; until then a step
       or a task is open.
    4. Why an item has failed is kept. A customer learns only which kind of thing it was.

An order for `Line 1G` between two sites is placed: within a second a port at each end and a way with room are reserved, and the network is
asked. When it has confirmed the rate, the service is `active`, the order `completed`, and an alarm that is open on the way affects it:

    await ring(store, works_of(policy), most=1, deadline=soon)      # reserved, and a delivery to the network
    await network.confirmed(transaction, policy, by, order, asked, mbps=1_000, asked_mbps=1_000)
"""
