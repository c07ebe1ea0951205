"""A slice is stored: walked under the locks of all who could change it, and compared with what is there of it.

Alarms on its services wait for these locks, or undo what is done under them. So most is written before, while a slice is not
stored and what is written of it counts for nothing, under the customer's lock alone; under all locks it is walked once more,
what has changed in between is written, and the slice is stored.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from graph.errors import Contended, DeadlineExceeded, GraphError
from graph.membership.upkeep import add, hold
from graph.membership.ways import SHARED, STEPS, TAKE
from graph.model.identity import membership_id
from graph.store.store import Run, Store, Transaction

MANY_SERVICES: Final = 32
"""A customer with more has its slice stored. Most have a dozen; theirs is walked in a millisecond."""
EVERY_SECONDS: Final = 30.0
_PART: Final = 50
"""A look goes over all customers: it takes one part of so many of the time, at most."""
_SECONDS: Final = 5.0
"""for one slice. Where alarms come without a pause, it is walked until there is one."""
_LOOK_SECONDS: Final = 30.0
_AT_ONCE: Final = 2_000

_MANY: Final = """
MATCH (c:Customer)
WHERE c._sliceStored IS NULL AND (COUNT { MATCH (c)-[:SUBSCRIBES_TO]->(s) RETURN s } > $many OR (
  EXISTS { MATCH (c)-[:MERGED_INTO]->(o:Customer) } AND EXISTS { MATCH (m:Membership {customer: c.id}) }
))
RETURN c.id
"""
# A stub holds nothing: storing its slice takes away what is left of it.
# The marks of loads that are under way: whoever sets one looks for stored slices after it.
_HOLD_LOADS: Final = "MATCH (m:LoadMark) SET m._held = coalesce(m._held, 0) + 1"
# Counted, as alarms do that lock services: see graph/changes/services/affected.py.
_HOLD_SERVICES: Final = """
MATCH (:Customer {id: $customer})-[:SUBSCRIBES_TO]->(s:Service)
WITH s ORDER BY s.id
SET s._locked = coalesce(s._locked, 0) + 1
"""
_HOLD_CUSTOMER: Final = """
MATCH (c:Customer {id: $customer})
SET c._building = coalesce(c._building, 0) + 1
RETURN NOT c._sliceStored IS NULL
"""
_STORED: Final = "MATCH (m:Membership {customer: $customer}) RETURN m.id"
_DELETE: Final = "UNWIND $batch.ids AS id MATCH (m:Membership {id: id}) DELETE m"
_SAY: Final = "MATCH (c:Customer {id: $customer}) SET c._sliceStored = true"

log = structlog.get_logger(__name__)


async def build(store: Store, customer: str, *, deadline: float) -> None:
    """Store the slice of one customer, however many services it has. One that holds no shared node is left to be walked."""
    for part in (_before, _under_locks):
        work = partial(part, customer=customer)
        while not await store.write(work, deadline=deadline, quiet=True):
            pass


async def build_missing(store: Store, *, many: int = MANY_SERVICES, deadline: float) -> int:
    """Store the slices of all customers with more than so many services that are not stored; give how many were."""
    wanted = await _missing(store, many, deadline)
    for customer in wanted:
        await build(store, customer, deadline=deadline)
    return len(wanted)


async def keep_building(store: Store) -> None:
    """Store slices as they are found missing, until cancelled; several processes may do so at once."""
    while True:
        began = time.monotonic()
        pause = EVERY_SECONDS
        try:
            wanted = await _missing(store, MANY_SERVICES, began + _LOOK_SECONDS)
            pause = max(pause, _PART * (time.monotonic() - began))
            for customer in wanted:
                await _build_if_it_can(store, customer)
        except GraphError as error:
            log.warning("slices wait for the database", reason=str(error))
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - to get out of step


async def _build_if_it_can(store: Store, customer: str) -> None:
    try:
        await build(store, customer, deadline=time.monotonic() + _SECONDS)
    except (Contended, DeadlineExceeded) as error:
        log.info("a slice is stored later", customer=customer, reason=str(error))


async def _missing(store: Store, many: int, deadline: float) -> list[str]:
    rows = await store.rows(_MANY, {"many": many}, deadline=deadline)
    found = [str(row[0]) for row in rows]
    random.shuffle(found)  # so that several processes do not all begin with the same one
    return found


async def _before(transaction: Transaction, customer: str) -> bool:
    """Write a part of what differs, unless the slice is stored already; tell whether that was all."""
    if await _hold_customer(transaction, customer):
        return True
    return (await _written(transaction, customer)).whole


async def _under_locks(transaction: Transaction, customer: str) -> bool:
    """Write what still differs, and say that the slice is stored; false where that is too much for one transaction."""
    await hold(transaction)
    await transaction.run(_HOLD_LOADS, {})
    await transaction.run(_HOLD_SERVICES, {"customer": customer})
    await _hold_customer(transaction, customer)  # after services, as all who lock both
    written = await _written(transaction, customer)
    if written.whole and written.reached:
        transaction.later(_SAY, {"customer": customer})
    return written.whole


async def _hold_customer(transaction: Transaction, customer: str) -> bool:
    """Keep other builders of this slice away; tell whether it is stored."""
    rows = await transaction.run(_HOLD_CUSTOMER, {"customer": customer})
    return any(row[0] for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """What came of one transaction."""

    whole: bool
    """whether memberships are now what was reached."""
    reached: int
    """how many shared nodes."""


async def _written(transaction: Transaction, customer: str) -> _Written:
    reached = {membership_id(customer, node): node for node in await reach(transaction.run, customer)}
    there = await stored(transaction.run, customer)
    missing, wrong = sorted(reached.keys() - there), sorted(there - reached.keys())
    add(transaction, ((customer, reached[each]) for each in missing[:_AT_ONCE]))
    if wrong:
        transaction.later(_DELETE, {"batch": {"ids": wrong[:_AT_ONCE]}})
    return _Written(whole=max(len(missing), len(wrong)) <= _AT_ONCE, reached=len(reached))


async def reach(run: Run, customer: str) -> set[str]:
    """Give the ids of all shared nodes in a customer's slice, by walking it."""
    found: dict[str, set[str]] = {"Customer": {customer}}
    for each in STEPS:
        if ids := found.get(each.near):
            rows = await run(TAKE[each], {"batch": {"ids": sorted(ids)}})
            found.setdefault(each.hop.label, set()).update(_texts(rows))
    return {node for label in SHARED for node in found.get(label, ())}


async def stored(run: Run, customer: str) -> set[str]:
    """Give the ids of a customer's memberships."""
    return set(_texts(await run(_STORED, {"customer": customer})))


def _texts(rows: Iterable[list[object]]) -> Iterable[str]:
    return (str(row[0]) for row in rows)
