"""The graph would grow for ever: what is over, and what everybody has been told of, goes when it is old; nothing else does.

For each kind there is a statement that finds, by an index on its time, what is older than the setting, and takes away so many
at a time (`coalesce` keeps a planner from other indexes). A timer for each kind runs it, hourly, and again at once while there
is more.

Rules. 1. What has not ended does not go: an open alarm, an open ticket, a downtime without an end, a difference that nobody has
settled, a feed that is being compared, a boost that the network has not returned from, an open task, a lead that sales was told of and has not
decided. 2. What a surrounding system is still to be told of does not go, parked deliveries
included, nor what a follower of the settings has not been given. 3. A ticket that we have opened for an alarm goes with it, or its order key would be used anew. 4. Usage that matches no
service does not go: nobody has billed it. 5. What another system dates counts from when we heard it, where that is later: what a
clock of 1970 dates would go at once, be told again, and be taken as new. 6. Each statement looks at what is old, never at all there is.
7. What was found is looked at again under its lock: somebody may have reopened a ticket in between. 8. Up to where events have
gone stands at the sequence: clocks may be wrong, and who resumes a subscription before that must be told, not served with gaps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, cast

from graph.ledger.timers import Due, Work
from graph.store.store import Transaction

KIND: Final = "retention"
EVERY_MS: Final = 60 * 60 * 1_000
_MOST: Final = 500

_EVENTS: Final = """
MATCH (e:Event) WHERE e.at < $before AND coalesce(e.unplaced, 0) = 0 AND NOT EXISTS {
  MATCH (d:Delivery)-[:TELLS]->(e) WHERE d.state <> 'DONE'
}
AND NOT EXISTS { MATCH (f:Follower) WHERE f.id IN $followers AND f.after < e.position }
WITH e, e.position AS position LIMIT $most
OPTIONAL MATCH (d:Delivery)-[:TELLS]->(e)
WITH e, position, collect(d) AS told
FOREACH (each IN told | DETACH DELETE each)
DETACH DELETE e
RETURN count(*), coalesce(max(position), 0)
"""
_SWEPT: Final = """
MATCH (s:Sequence {id: 'sequence-events'}) WHERE coalesce(s.swept, 0) < $position
SET s.swept = $position
"""

# With the tickets that report it, once these are over and as old; and with the node by which reports find it.
_ALARMS: Final = """
MATCH (a:Alarm) WHERE a.clearedAt < $before AND a.state = 'cleared' AND coalesce(a._endedAt, a.clearedAt) < $before
  AND NOT EXISTS { MATCH (t:Ticket)-[:REPORTS]->(a) WHERE NOT t.status IN $over OR t.changedAt >= $before }
  AND NOT EXISTS { MATCH (d:Delivery {openKey: a.id}) WHERE d.state <> 'DONE' }
  AND NOT EXISTS {
    MATCH (t:Ticket)-[:REPORTS]->(a) MATCH (d:Delivery {openKey: t.orderKey}) WHERE d.state <> 'DONE'
  }
WITH a LIMIT $most
OPTIONAL MATCH (k:AlarmIdentity {key: a.identity})
SET k._locked = coalesce(k._locked, 0) + 1
WITH a, collect(k) AS identities
SET a._locked = coalesce(a._locked, 0) + 1
WITH a, identities WHERE a.state = 'cleared'
  AND NOT EXISTS { MATCH (t:Ticket)-[:REPORTS]->(a) WHERE NOT t.status IN $over OR t.changedAt >= $before }
  AND NOT EXISTS { MATCH (d:Delivery {openKey: a.id}) WHERE d.state <> 'DONE' }
  AND NOT EXISTS {
    MATCH (t:Ticket)-[:REPORTS]->(a) MATCH (d:Delivery {openKey: t.orderKey}) WHERE d.state <> 'DONE'
  }
OPTIONAL MATCH (t:Ticket)-[:REPORTS]->(a) WHERE t.orderKey IS NOT NULL
WITH a, identities, collect(t) AS tickets
FOREACH (each IN tickets | DETACH DELETE each)
FOREACH (each IN identities | DETACH DELETE each)
DETACH DELETE a
RETURN count(*)
"""

# Those that people have opened, there or here: the others go with their alarms.
_TICKETS: Final = """
MATCH (t:Ticket)
WHERE t.changedAt < $before AND coalesce(t._heardAt, t.changedAt) < $before AND coalesce(t.status, '') IN $over
  AND NOT EXISTS { MATCH (t)-[:REPORTS]->(:Alarm) }
  AND NOT EXISTS { MATCH (d:Delivery {openKey: coalesce(t.orderKey, t.id)}) WHERE d.state <> 'DONE' }
WITH t LIMIT $most
SET t._locked = coalesce(t._locked, 0) + 1
WITH t WHERE t.changedAt < $before AND coalesce(t._heardAt, t.changedAt) < $before AND coalesce(t.status, '') IN $over
  AND NOT EXISTS { MATCH (d:Delivery {openKey: coalesce(t.orderKey, t.id)}) WHERE d.state <> 'DONE' }
DETACH DELETE t
RETURN count(*)
"""

_DOWNTIME: Final = """
MATCH (n:Downtime) WHERE n.to < $before AND NOT EXISTS {
  MATCH (n)-[:INTERRUPTS]->(s:Service) MATCH (d:Delivery {openKey: s.id}) WHERE d.state <> 'DONE'
}
WITH n LIMIT $most
DETACH DELETE n
RETURN count(*)
"""

_USAGE: Final = """
MATCH (u:Usage)
WHERE u.to < $before AND coalesce(u._takenAt, u.to) < $before AND coalesce(u.awaits, '') = '' AND NOT EXISTS {
  MATCH (u)-[:USED_BY]->(s:Service) MATCH (d:Delivery {openKey: s.id}) WHERE d.state <> 'DONE'
}
WITH u LIMIT $most
DETACH DELETE u
RETURN count(*)
"""

_DIFFERENCES: Final = """
MATCH (n:InventoryDifference) WHERE n.settledAt < $before AND coalesce(n.state, '') IN $over
  AND NOT EXISTS { MATCH (d:Delivery {openKey: n.id}) WHERE d.state <> 'DONE' }
  AND NOT EXISTS { MATCH (d:Delivery {openKey: n.resource}) WHERE d.state <> 'DONE' }
WITH n LIMIT $most
SET n._locked = coalesce(n._locked, 0) + 1
WITH n WHERE n.state IN $over
DETACH DELETE n
RETURN count(*)
"""

_FEEDS: Final = """
MATCH (f:InventoryFeed) WHERE f.startedAt < $before AND f.state <> 'received'
  AND NOT EXISTS { MATCH (n:InventoryDifference {feed: f.id}) }
WITH f LIMIT $most
SET f._locked = coalesce(f._locked, 0) + 1
WITH f WHERE f.state <> 'received' AND f.startedAt < $before
DETACH DELETE f
RETURN count(*)
"""

# With its steps. What is over stays so.
_BOOSTS: Final = """
MATCH (b:Boost)
WHERE b.endAt < $before AND coalesce(b.endedAt, b.endAt) < $before AND coalesce(b.status, '') = 'TERMINATED'
  AND NOT EXISTS { MATCH (b)-[:BOOSTS]->(s:Service) MATCH (d:Delivery {openKey: s.id}) WHERE d.state <> 'DONE' }
  AND NOT EXISTS { MATCH (t:Task {openAbout: b.id}) }
WITH b LIMIT $most
OPTIONAL MATCH (p:ProcessStep)-[:STEP_OF]->(b)
WITH b, collect(p) AS steps
FOREACH (each IN steps | DETACH DELETE each)
DETACH DELETE b
RETURN count(*)
"""

_TASKS: Final = """
MATCH (t:Task) WHERE t.settledAt < $before AND coalesce(t.state, '') <> 'OPEN'
WITH t LIMIT $most
DETACH DELETE t
RETURN count(*)
"""

_LEADS: Final = """
MATCH (l:Lead) WHERE l.at < $before AND coalesce(l.state, '') IN $over
  AND NOT EXISTS { MATCH (d:Delivery {openKey: l.id}) WHERE d.state <> 'DONE' }
WITH l LIMIT $most
DETACH DELETE l
RETURN count(*)
"""

_STATEMENTS: Final = MappingProxyType(
    {
        "alarms": _ALARMS,
        "tickets": _TICKETS,
        "downtime": _DOWNTIME,
        "usage": _USAGE,
        "differences": _DIFFERENCES,
        "feeds": _FEEDS,
        "boosts": _BOOSTS,
        "tasks": _TASKS,
        "leads": _LEADS,
    }
)
_OVER: Final = MappingProxyType(
    {
        "alarms": ("resolved", "closed", "cancelled", "rejected"),
        "tickets": ("resolved", "closed", "cancelled", "rejected"),
        "differences": ("taken", "told", "gone"),
        "leads": (
            "accepted",
            "rejected",
            "cancelled",
            "",
        ),  # of what no delivery waits for and sales has not, none was told
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """For how long each kind is kept after it is over, in milliseconds."""

    events: int
    """and deliveries, which are kept as long as their events."""
    alarms: int
    """and the tickets that we have opened for them."""
    tickets: int
    """that others have opened."""
    downtime: int
    usage: int
    differences: int
    feeds: int
    boosts: int
    """and their steps. What was spent in a month, and how often a service was boosted, is counted by them."""
    tasks: int
    leads: int
    """since they were opened: when they were decided nobody says."""

    def by_kind(self) -> Mapping[str, int]:
        """Give them by the names that `sweeping` and the timers use."""
        return {name: int(getattr(self, name)) for name in KINDS}


KINDS: Final = ("events", "alarms", "tickets", "downtime", "usage", "differences", "feeds", "boosts", "tasks", "leads")


def sweeping(kept: Kept, followers: Sequence[str] = ()) -> Work:
    """Make the work of the timers, each `about` one of `KINDS`; a timer of another kind, of an earlier version, ends.

    What one of the followers has not been given is kept, however old.
    """
    ages = kept.by_kind()

    async def swept(transaction: Transaction, due: Due) -> int | None:
        if due.about not in ages:
            return None
        before = due.now - ages[due.about]
        count = await sweep(transaction, due.about, before=before, most=_MOST, followers=followers)
        return due.now if count == _MOST else due.now + EVERY_MS

    return swept


async def sweep(transaction: Transaction, kind: str, *, before: int, most: int, followers: Sequence[str] = ()) -> int:
    """Take away up to `most` of a kind that were over before a time (epoch milliseconds); give how many there were."""
    given: dict[str, object] = {"before": before, "most": most, "over": list(_OVER.get(kind, ()))}
    if kind == "events":
        rows = await transaction.run(_EVENTS, {**given, "followers": list(followers)})
        await transaction.run(_SWEPT, {"position": rows[0][1]})
    elif kind in _STATEMENTS:
        rows = await transaction.run(_STATEMENTS[kind], given)
    else:
        raise ValueError(f"nothing of the kind {kind!r} is swept")
    return cast("int", rows[0][0])
