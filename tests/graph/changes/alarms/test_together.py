"""Alarms that come at the same moment decide about the same ticket, and none may decide by what was true before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from graph.changes.alarms import occurrence
from graph.changes.services import affected
from graph.store.store import Store, Transaction
from tests.graph.changes.network import POLICY, Laid, lay, report, soon

ROUNDS = 12


@pytest.fixture
async def protected(empty_store: Store) -> Laid:
    """Both services of customer-b survive the loss of one trunk."""
    await lay(empty_store)
    laid = Laid(store=empty_store)
    for service, trunk in (("service-b", "trunk-2"), ("service-c", "trunk-1")):
        text = (
            "MATCH (s:Service {id: $s}) MATCH (t:Trunk {id: $t}) "
            "CREATE (s)-[:ROUTED_OVER {path: 'PROTECTING', position: 0}]->(t)"
        )
        await laid.run(text, s=service, t=trunk)
    return laid


async def test_alarms_that_hit_different_services_of_a_customer_leave_a_third_ones_ticket_right(
    protected: Laid,
) -> None:
    shared = await protected.raise_(report("trunk-1", 0))
    key = f"{shared}:customer-b"
    for number in range(1, 2 * ROUNDS, 2):
        b, c = await asyncio.gather(
            protected.raise_(report("port-b", number)), protected.raise_(report("port-c", number + 1))
        )
        assert (await protected.tickets())[key][1] == "major", "service-b is down"
        assert [severity for of, *_, severity in await protected.told() if of == key][-1] == "major"
        await asyncio.gather(protected.clear(b, f"{number}"), protected.clear(c, f"{number + 1}"))
        assert (await protected.tickets())[key][1] == "minor", "both are as they were"


async def _lock_service(transaction: Transaction) -> None:
    assert len(await affected.lock(transaction, ["service-c"], "BASIC")) == 1


async def _lock_identity(transaction: Transaction) -> None:
    await occurrence.find(transaction, POLICY, report("trunk-1"))


@pytest.mark.parametrize("lock", [_lock_service, _lock_identity])
async def test_two_that_lock_the_same_thing_and_leave_it_as_it_was_still_come_one_after_the_other(
    protected: Laid, lock: Callable[[Transaction], Awaitable[None]]
) -> None:
    """The embedded database sees a conflict only in what differs in the end: a lock that leaves no trace is none."""
    await protected.store.write(lock, deadline=soon())  # what is locked is there
    held: list[tuple[float, float]] = []

    async def hold(after: float, seconds: float) -> None:
        async def work(transaction: Transaction) -> float:
            await lock(transaction)
            began = time.monotonic()
            await asyncio.sleep(seconds)
            return began

        await asyncio.sleep(after)
        began = await protected.store.write(work, deadline=soon())
        held.append((began, time.monotonic()))

    await asyncio.gather(hold(0.0, 0.6), hold(0.1, 0.1))
    (_, first_ends), (second_begins, _) = sorted(held)
    assert first_ends <= second_begins + 0.3, "an answer to a commit takes a moment to arrive"
