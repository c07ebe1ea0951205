"""Alarms that come at the same moment decide about the same ticket, and none may decide by what was true before."""

from __future__ import annotations

import asyncio

import pytest

from graph.store import Store
from tests.graph.changes.network import Laid, lay, report

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
