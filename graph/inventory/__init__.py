"""Inventory: what an inventory says of the equipment is taken in whole, compared with the graph, and settled by a person.

A feed may be of any length and be cut at any moment. It is received in chunks that count for nothing until the last one is
there; then one transaction says that it is. What is compared after that can be stopped and gone on with.

Words. A *feed* is one document of one inventory, *full* (all that it has) or *incremental* (what has changed there). Its
*stage* is one attempt to receive it. A *difference* is one thing on which inventory and graph do not agree; it is *held*
where a feed may never settle it. A *side* is whose word counts: the inventory's, and the graph changes, or the graph's,
and the inventory is told.

In: `graph.model.resource.Resource`, in chunks; a side. Out: changes with their events, differences, deliveries.

Files, in order of flow:
    feeds.py        a feed is received, and counts once it is whole
    turns.py        whose turn it is, and who may write in a feed's name
    reconcile.py    what was received is compared, an inventory's feeds one after the other, each by one process at a time
    known.py        what the graph has of what an inventory names
    comparing.py    where two descriptions differ
    applying.py     what becomes of one resource of a feed
    naming.py       what other systems call a thing is given and taken back
    names.py        what is known of an alarm's object, for whoever is told of it
    equipment.py    things are made, changed, moved and taken away, with their events
    alarms.py       what holds a thing that moves is locked, and alarms on one that goes await its name
    differences.py  differences are noted, and are no more
    settling.py     somebody takes a side
    answers.py      what the inventory answers when it is told

Invariants
    1. A feed that is not whole changes nothing.
    2. Each change is one transaction with its event, in the name of whoever sent the feed or took the side.
    3. What services are accessed at or routed over is never taken away by a feed.
    4. Nothing is told back to the inventory that it came from.

Receiving a feed and comparing it:

    begun = await begin(store, "inventory", "night-17", kind="full", subject=who, deadline=soon)
    await stage(store, begun, rank=0, number=0, resources=[element], deadline=soon)
    await complete(store, begun, Received(chunks=(1, 0, 0, 0, 0, 0, 0, 0, 0), resources=1, digest=digest), deadline=soon)
    await reconcile_next(store, policy)      # "inventoryfeed-..." is compared
"""
