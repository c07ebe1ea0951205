"""A stored slice that is wrong shows a customer what it must not see, or hides what it may; so somebody has to look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from graph.membership.building import build, build_missing, reach, stored
from graph.model.identity import membership_id
from graph.store.store import Run, Store

_KEPT: Final = "MATCH (c:Customer) WHERE NOT c._sliceStored IS NULL RETURN c.id ORDER BY c.id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a look at all stored slices has found."""

    customers: int
    """whose slices are stored."""
    memberships: int
    """how many they are together."""
    wrong: tuple[str, ...] = ()
    """ids of memberships of what is not in the slice,"""
    missing: tuple[str, ...] = ()
    """and of those that are not there; both sorted."""

    @property
    def differing(self) -> tuple[str, ...]:
        """The customers whose stored slices are not what a walk finds."""
        return tuple(sorted({each.partition(" ")[0] for each in (*self.wrong, *self.missing)}))


async def check(store: Store, *, deadline: float) -> Checked:
    """Compare each stored slice with a walk. What differs is looked at again, since it may have changed in between."""

    async def run(text: str, parameters: dict[str, object]) -> list[list[object]]:
        return await store.rows(text, parameters, deadline=deadline)

    found = [await _differs_still(run, str(row[0])) for row in await run(_KEPT, {})]
    return Checked(
        customers=len(found),
        memberships=sum(each.memberships for each in found),
        wrong=tuple(each for one in found for each in one.wrong),
        missing=tuple(each for one in found for each in one.missing),
    )


async def mend(store: Store, *, deadline: float) -> None:
    """Build the stored slices anew that differ from a walk, and those that are missing."""
    for customer in (await check(store, deadline=deadline)).differing:
        await build(store, customer, deadline=deadline)
    await build_missing(store, deadline=deadline)


async def _differs_still(run: Run, customer: str) -> Checked:
    first = await _compared(run, customer)
    if not first.wrong and not first.missing:
        return first
    again = await _compared(run, customer)
    kept = [[str(row[0])] for row in await run(_KEPT, {})]
    if [customer] not in kept:
        return Checked(customers=0, memberships=0)  # forgotten in between: it counts for nothing
    return Checked(
        customers=1,
        memberships=again.memberships,
        wrong=tuple(sorted(set(first.wrong) & set(again.wrong))),
        missing=tuple(sorted(set(first.missing) & set(again.missing))),
    )


async def _compared(run: Run, customer: str) -> Checked:
    there = await stored(run, customer)
    reached = {membership_id(customer, node) for node in await reach(run, customer)}
    return Checked(
        customers=1,
        memberships=len(there),
        wrong=tuple(sorted(there - reached)),
        missing=tuple(sorted(reached - there)),
    )
