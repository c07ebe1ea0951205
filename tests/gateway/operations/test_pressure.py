from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.errors import Code, Refused
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.operations.pressure import RETRY_SECONDS, Pressure
from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics
from graph.ledger.backlog import SystemBacklog
from graph.model.scope import Principal, Role
from tests.gateway.operations.test_knowledge import Served

SDL = """
directive @allowedRoles(roles: [String!]!) on FIELD_DEFINITION
type Query { a: Int }
type Mutation { change: Int @allowedRoles(roles: ["operator", "system"]) }
"""
SYSTEM = Principal(subject="system:x", role=Role.SYSTEM)
OPERATOR = Principal(subject="ann", role=Role.OPERATOR)


def backlog(
    *, waiting: int = 0, held: int = 0, parked: int = 0, suspended: int = 0, reasons: Mapping[str, int] | None = None
) -> SystemBacklog:
    return SystemBacklog(
        system="desk",
        waiting=waiting,
        oldest_seconds=0.0,
        held=held,
        parked=parked,
        reasons=reasons or {},
        suspended=suspended,
        suspended_seconds=30.0 * suspended,
    )


def seen(*ages: float, most: float = 60.0) -> Pressure:
    pressure = Pressure(most, Metrics())
    for number, age in enumerate(ages):
        pressure.saw(f"system-{number}", oldest_seconds=age, is_paused=False, counts=backlog(waiting=1), now=0.0)
    return pressure


def asked(text: str) -> GraphRequest:
    return GraphRequest(query=text, variables={}, operation_name=None, queries_only=False)


def test_the_oldest_of_all_systems_decides_and_what_was_seen_last() -> None:
    assert seen().retry_after() == 0
    assert seen(59, 60).retry_after() == 0
    assert seen(1, 61, 2).retry_after() == RETRY_SECONDS
    assert seen(1e9, most=0).retry_after() == 0, "nothing is refused"
    pressure = seen(61)
    pressure.saw("system-0", oldest_seconds=0, is_paused=False, counts=backlog(parked=3), now=1.0)
    assert pressure.retry_after() == 0


def test_a_system_that_does_not_let_us_in_refuses_nothing_until_it_has_had_time_again() -> None:
    metrics = Metrics()
    pressure = Pressure(60, metrics)

    def seen_at(now: float, *, is_paused: bool) -> float:
        counts = backlog(waiting=1)
        pressure.saw("desk", oldest_seconds=90_000 + now, is_paused=is_paused, counts=counts, now=now)
        return pressure.retry_after()

    assert [seen_at(now, is_paused=True) for now in (0, 100)] == [0, 0]
    assert 'trunkline_deliveries_oldest_seconds{system="desk"} 90100.0' in metrics.text().decode(), (
        "it is told as it is"
    )
    assert [seen_at(now, is_paused=False) for now in (105, 160, 161)] == [0, 0, RETRY_SECONDS]
    pressure.saw("billing", oldest_seconds=61, is_paused=False, counts=backlog(waiting=1), now=161)
    assert seen_at(200, is_paused=True) == RETRY_SECONDS, "others count as ever"


async def test_changes_are_refused_with_a_time_to_come_back_and_operators_and_reads_are_not() -> None:
    pipeline = Pipeline(Served(SDL), Settings(), seen(61))
    with pytest.raises(Refused) as refused:
        await pipeline.prepare(asked("mutation { change }"), SYSTEM)
    assert refused.value.problems[0].code is Code.OVERLOADED
    assert refused.value.retry_after == RETRY_SECONDS
    await pipeline.prepare(asked("mutation { change }"), OPERATOR)
    await pipeline.prepare(asked("{ a }"), SYSTEM)
    await Pipeline(Served(SDL), Settings(), seen(59)).prepare(asked("mutation { change }"), SYSTEM)


def test_what_was_seen_and_what_became_of_attempts_is_in_the_metrics() -> None:
    metrics = Metrics()
    pressure = Pressure(60, metrics)
    pressure.saw("desk", oldest_seconds=1, is_paused=False, counts=backlog(parked=1, reasons={"expired": 1}), now=0)
    counts = backlog(waiting=7, held=4, parked=2, reasons={"refused": 2}, suspended=3)
    pressure.saw("desk", oldest_seconds=61.5, is_paused=False, counts=counts, now=1)
    metrics.told("desk", "done")
    metrics.told("desk", "done")
    metrics.told("desk", "dead")
    text = metrics.text().decode()
    assert 'trunkline_deliveries_waiting{system="desk"} 7.0' in text
    assert 'trunkline_deliveries_oldest_seconds{system="desk"} 61.5' in text
    assert 'trunkline_deliveries_held{system="desk"} 4.0' in text
    assert 'trunkline_deliveries_suspended{system="desk"} 3.0' in text
    assert 'trunkline_deliveries_suspended_seconds{system="desk"} 90.0' in text
    assert 'trunkline_deliveries_parked{system="desk"} 2.0' in text
    assert 'trunkline_deliveries_parked_reason{reason="refused",system="desk"} 2.0' in text
    assert 'trunkline_deliveries_parked_reason{reason="expired",system="desk"} 0.0' in text, "none is any more"
    assert 'trunkline_deliveries_total{outcome="done",system="desk"} 2.0' in text
    assert 'trunkline_deliveries_total{outcome="dead",system="desk"} 1.0' in text
