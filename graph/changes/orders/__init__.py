"""Orders: a customer's wish comes in, is kept, is changed, moved and cancelled, and whoever has placed it hears how far it is.

In: an order as a value, whichever API or person it comes from; the caller; a deadline. Out: an `Outcome` with the ids of the order (and of
the request to cancel it), or user errors with the field. What is in the catalogue is
carried out by itself (graph/changes/fulfilment); people carry out all else: a task is open for each order until they have done it.

Files, in order of flow:
    requests.py     what somebody orders, as values that cannot be wrong by themselves
    states.py       how items move, and what the order's state is then; pure
    rules.py        who may do what, and what a refusal says
    known.py        an order under its lock; its new states are written, with their events and tasks
    parties.py      whose order it is: found, or made
    services.py     which service an item changes
    placing.py      an order comes in, once
    changing.py     what it asks for is another, while nobody works on it
    moving.py       people say how far it is
    amending.py     both at once, for a patch
    cancelling.py   somebody asks to cancel it

Invariants:
    1. An order's state is what its items' states say; nobody sets it.
    2. An external id of a source means one order, for ever; the same content again is answered with it, another content is refused.
    3. No customer is made twice of one party of one source, and none is merged with another but by a person (graph/changes/customers/).
    4. An order of which people have something to carry out has an open task; any other has none.
    5. What is another customer's order does not exist for whoever asks.

Example: order management places `PO-7` for a company that nobody knew: there is a customer, an order that is `acknowledged`, and a task.
An operator moves it to `inProgress` and `completed`; each is an event, and the task is closed.
"""
