"""The ledger: what a change obliges us to tell other systems is written with the change, and told until it is heard.

No message broker commits together with the graph, so what must be told is a node of it (`Delivery`), made in the
transaction of the change. Telling comes after: at least once between us and the other system, and once in effect, since
whatever is told bears a key that stays the same.

Words. A *subject* is what the other system keeps (for ticketing: a customer). The *order key* names what it keeps there
(`alarm:customer`); what has one order key is told in the order of `version`, the event's aggregateVersion. A *lane* is
a sixteenth of what one system must be told, by order key; whoever holds its *lease* tells it. A *claim* is the right to
tell one delivery now.

In: `Told` (what to tell, of which event), in the transaction of a change. Out: claims, to whoever holds the lane.

Files, in order of flow:
    outbox.py    deliveries are written in the transaction of their change
    lanes.py     one owner for each lane: lease, renewal, epoch, and a fair share for each process
    claims.py    what is due and not held up by an earlier one; an attempt is counted before it is made
    outcomes.py  what became of a claim: told, to be tried again, parked
    step_outcomes.py  and what that means for the steps of processes that it carries out
    retry.py     when to try again, and when to give up
    backlog.py   what waits, for whom, since when and why
    positions.py events get their order over everything, once they are committed
    audit.py     each is chained to the one before by hashes, so that a change of the past is seen
    sequence.py  events by their position, for whoever follows them
    tail.py      what a subscriber has not taken yet, up to a bound
    reader.py    one reader in a process follows them for all subscribers: replay, then live
    followers.py another system is given the sequence, by one process at a time, from its checkpoint on
    timers.py    what is due at a time, done by whoever is there then
    hubs.py      whoever asked to be told of events, and how far each has been
    registrations.py  where we have asked to be told ourselves
    retention.py what everybody was told and is old goes

Invariants:
    1. A delivery commits with its event or not at all.
    2. An attempt is counted before anything is sent: whoever finds a count knows that the other system may have heard.
    3. An outcome is taken only from the claim that is the latest: `attempts` and `epoch` are its token.
    4. A delivery that is parked (DEAD) is never dropped, and holds up its own order key only.
    5. Only the database's clock counts.
    6. A position is given once, to a committed event, and no lower one becomes visible after it.

Claiming and settling, by the owner of a lane:

    leases = await take_lanes(store, "ticketing", owner="process-1", ttl_ms=10_000, deadline=soon)
    [claim] = await claim(store, leases, most=16, hold_ms=6_000, deadline=soon)
    # the delivery has attempts 1; nobody else can claim it for six seconds
    await settle(store, [Done(claim=claim)], deadline=soon)
"""
