"""What was received is compared with the graph some time, by somebody, once: whoever dies over it is followed by another.

Any process may take the feed whose turn it is (`turns.py`); it goes through it chunk by chunk, and notes after each how far it
has come. A chunk that is gone through twice changes nothing the second time. At the end of a full feed, what it did not name is
missing there, and what it did not differ in differs no more. A feed over which we fail for another reason than a database that is
away or slow is set aside, so that it does not hold up those behind it; so is one that a slow database never gets through.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from graph.changes.alarms.consequences import By
from graph.changes.policy import AlarmPolicy
from graph.errors import DeadlineExceeded, GraphError, StoreUnavailable
from graph.inventory import differences
from graph.inventory.applying import Applied, Comparing, missing_there
from graph.inventory.differences import NOT_TAKEN
from graph.inventory.equipment import Hand, why_held
from graph.inventory.feeds import chunk, sweep_stale
from graph.inventory.known import Known, known, locked
from graph.inventory.turns import MOST_ATTEMPTS, Lost, Turn, fail, finish, give_back, put_off, soon, step, take
from graph.model.resource import KINDS, NotTaken, Resource
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

TURN_SECONDS: Final = 20.0
"""of one feed, before another inventory's has its turn."""
_POLL_SECONDS: Final = 1.0
_SWEEP_SECONDS: Final = 3_600.0
_MISSING_AT_ONCE: Final = 5_000
"""looked for; each look goes over all that there is."""
_NOTED_AT_ONCE: Final = 100

log = structlog.get_logger(__name__)

_SEEN: Final = "UNWIND $batch.keys AS key MATCH (x:ExternalName {key: key}) SET x._feed = $feed"

# What the inventory has named before and not in this feed; and what it never named and nobody else did.
_UNSEEN: Final = {
    kind: f"""
MATCH (n:{kind})
WHERE n.id > $after AND NOT EXISTS {{ MATCH (x:ExternalName)-[:NAMES]->(n) WHERE x._feed = $feed }}
  AND (EXISTS {{ MATCH (x:ExternalName)-[:NAMES]->(n) WHERE x.system = $system }}
    OR NOT EXISTS {{ MATCH (:ExternalName)-[:NAMES]->(n) }})
RETURN n.id, HEAD(COLLECT {{ MATCH (x:ExternalName)-[:NAMES]->(n) WHERE x.system = $system RETURN x.name ORDER BY x.name }})
ORDER BY n.id LIMIT $most
"""
    for kind in KINDS
}


async def keep_reconciling(store: Store, policy: AlarmPolicy, *, owner: str) -> None:
    """Compare what is received, whenever nobody else does, until cancelled."""
    swept = 0.0
    while True:
        try:
            if time.monotonic() - swept > _SWEEP_SECONDS:
                swept = time.monotonic()
                await sweep_stale(store, deadline=soon())
            if await reconcile_next(store, policy, owner=owner) is not None:
                continue
        except GraphError as error:
            log.warning("inventory feeds wait for the database", reason=str(error))
        except Exception:  # a fault of ours: it must be seen, and must not end the work for good
            log.exception("inventory feeds are begun anew")
        await asyncio.sleep(_POLL_SECONDS)


async def reconcile_next(
    store: Store, policy: AlarmPolicy, *, owner: str, turn_seconds: float = TURN_SECONDS
) -> str | None:
    """Give a turn to the feed whose it is; give its id, None when none waits, or another process took it meanwhile.

    Raises the GraphError of a database that is away.
    """
    turn = await take(store, owner)
    if turn is None:
        return None
    try:
        await _reconcile(store, policy, turn, time.monotonic() + turn_seconds)
    except Lost:
        return None
    except (StoreUnavailable, DeadlineExceeded) as error:
        await _later(store, turn, error)
    except Exception as error:  # a fault of ours: it must be seen, and must not hold up the feeds behind it
        log.exception("an inventory feed could not be compared", feed=turn.feed)
        await _set_aside(store, turn, f"A fault of ours: {type(error).__name__}")
    return turn.feed


async def _later(store: Store, turn: Turn, error: GraphError) -> None:
    """Put a feed off, or set it aside where it never gets on; raises the error where the database takes not even that."""
    try:
        if turn.attempt >= MOST_ATTEMPTS:
            await _set_aside(store, turn, f"No step was made in {turn.attempt} attempts; the last time: {error}")
            return
        await put_off(store, turn, str(error))
    except Lost:
        return
    except GraphError:
        raise error from None
    told = log.warning if turn.attempt > 1 else log.info
    told("an inventory feed waits", feed=turn.feed, attempts=turn.attempt, again_in_ms=turn.pause_ms, reason=str(error))


async def _set_aside(store: Store, turn: Turn, reason: str) -> None:
    try:
        await fail(store, turn, reason)
    except Lost:
        return
    log.error("an inventory feed is set aside", feed=turn.feed, system=turn.system, reason=reason)


async def _reconcile(store: Store, policy: AlarmPolicy, turn: Turn, over: float) -> None:
    """Go on with a feed until it is compared, or the turn is over (by `time.monotonic()`)."""
    hand = Hand(by=By(principal=_sender(turn), policy=policy), system=turn.system, origin={"feed": turn.feed})
    comparing = Comparing(store=store, hand=hand, turn=turn)
    for number, (rank, at) in enumerate(turn.chunks):
        if number >= turn.done:
            if number > turn.done and time.monotonic() > over:
                await give_back(store, turn)
                return
            resources = await chunk(store, turn.stage, rank, at, deadline=soon())
            await _compare(comparing, resources, number + 1)
    if turn.full:
        if not await _missing(comparing, over):
            await give_back(store, turn)
            return
        await differences.end_unseen(comparing.write, turn.system, turn.feed, deadline=soon)
    await finish(store, turn)


def _sender(turn: Turn) -> Principal:
    return Principal(subject=turn.principal, role=Role.SYSTEM, system=turn.system)


async def _compare(comparing: Comparing, entries: Sequence[Resource | NotTaken], done: int) -> None:
    """Go through one chunk, and note that it is done."""
    system = comparing.hand.system
    keys = [each.key(system) for each in entries]
    named = {key for each in entries if isinstance(each, Resource) for key in comparing.keys_beside(each)}
    comparing = replace(comparing, known=await known(comparing.store, {*keys, *named}, deadline=soon()))
    applied = [await _applied(comparing, each) for each in entries]
    seen = [key for key, each in zip(keys, entries, strict=True) if not each.removed]
    kept_out = {found.record.name for each in applied for found in each.differences if found.kind == NOT_TAKEN}
    placed = [each.name for each in entries if each.name not in kept_out]
    changes = sum(each.changes for each in applied)

    async def work(transaction: Transaction) -> None:
        comparing.note(transaction, tuple(found for each in applied for found in each.differences))
        differences.end(transaction, [differences.difference_id(system, each, NOT_TAKEN) for each in placed])
        transaction.later(_SEEN, {"batch": {"keys": seen}, "feed": comparing.turn.feed})
        step(transaction, comparing.turn, done=done, changes=changes)

    await comparing.write(work, deadline=soon())


async def _applied(comparing: Comparing, entry: Resource | NotTaken) -> Applied:
    if isinstance(entry, NotTaken):
        return await comparing.pass_over(entry, deadline=soon())
    return await comparing.apply(entry, deadline=soon())


async def _missing(comparing: Comparing, over: float) -> bool:
    """Note what the graph has and the inventory has not, from where it was left; False: the turn is over before that."""
    begun, _, place = comparing.turn.place.partition(":")
    kinds = list(_UNSEEN)
    for kind in kinds[kinds.index(begun) if begun else 0 :]:
        after, place = place, ""
        while rows := await comparing.store.rows(_UNSEEN[kind], _unseen(comparing, after), deadline=soon()):
            unseen = [(str(each), str(name or each)) for each, name in rows]
            for start in range(0, len(unseen), _NOTED_AT_ONCE):
                await _note_missing(comparing, kind, unseen[start : start + _NOTED_AT_ONCE])
                if time.monotonic() > over:
                    return False
            after = unseen[-1][0]
    return True


def _unseen(comparing: Comparing, after: str) -> dict[str, object]:
    return {
        "after": after,
        "feed": comparing.turn.feed,
        "system": comparing.hand.system,
        "most": _MISSING_AT_ONCE,
    }


async def _note_missing(comparing: Comparing, kind: str, unseen: Sequence[tuple[str, str]]) -> None:
    async def work(transaction: Transaction) -> None:
        found = []
        for resource_id, name in unseen:
            mine = await locked(transaction, resource_id)
            if mine is not None:
                held = await why_held(transaction, mine)
                record = _described(mine, kind, name)
                found.append(missing_there(comparing.hand.system, record, resource_id, held))
        comparing.note(transaction, tuple(found))
        step(transaction, comparing.turn, place=f"{kind}:{unseen[-1][0]}")

    await comparing.write(work, deadline=soon())


def _described(mine: Known, kind: str, name: str) -> Resource:
    """Say what the graph has, as far as it can be said: others may have loaded what nobody can tell."""
    try:
        return Resource(kind=kind, name=name, properties=mine.properties)
    except ValueError:
        return Resource(kind=kind, name=mine.id)
