"""What earlier versions have left, whole and real, becomes what this one relies on."""

from __future__ import annotations

import lzma
from collections.abc import AsyncIterator

import pytest

from graph import membership
from graph.changes.alarms.reassessment import reassess_all
from graph.changes.outside import take_over
from graph.ledger.backlog import system_backlogs
from graph.model.model import SCHEMA_VERSION
from graph.store.cardinality import violations
from graph.store.migrate import migrate
from graph.store.open_alarms import differing
from graph.store.store import Store
from tests.graph.changes.network import Laid, report, soon
from tests.graph.ledger.asking import rows
from tests.graph.store.kept.raw import dump, path_of, read, restore
from tests.graph.store.kept.write import POLICY

KEPT = (5, 6, 7, 9)
"""The versions of which a store is kept; each is migrated from there to the present one."""
BOOSTS = "MATCH (b:Boost) RETURN b.status, b.statusReason, count(*)"
ON = """
MATCH (a:Alarm)
RETURN a.id, a.state <> 'cleared', HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id }), a.openOn
"""
EFFECTS = "MATCH (a:Alarm)-[r:AFFECTS]->(s:Service) RETURN a.id, s.id, r.effect, r.parts, s.effect ORDER BY a.id, s.id"
BOOKED_SINCE = 7
BOOKED = [
    ["ACTIVATED", None, 1],
    ["SCHEDULED", None, 1],
    ["TERMINATED", "BOOKING_DECLINED", 1],
    ["TERMINATED", "DELETE_REQUESTED", 1],
    ["TERMINATED", "DURATION_EXPIRED", 5],
]
MARKS = {
    "Boost": {
        "openOf": "CASE WHEN n.status <> 'TERMINATED' THEN HEAD(COLLECT { MATCH (n)-[:BOOSTS]->(s) RETURN s.id }) END",
        "activatedOf": "HEAD(COLLECT { MATCH (n)-[:BOOSTS]->(s) RETURN s.id + '#' + toString(n.activatedAt) })",
        "boughtBy": "HEAD(COLLECT { MATCH (n)-[:BOOSTS]->()<-[:SUBSCRIBES_TO]-(c) RETURN c.id + '#' + toString(n.startAt) })",
    },
    "Task": {"openAbout": "CASE WHEN n.state = 'OPEN' THEN n.about END"},
}
"""What a boost and a task say of themselves must be what they are."""
COUNTED = "MATCH (n) RETURN labels(n)[0] AS label, count(*) ORDER BY label"


@pytest.fixture(params=KEPT, ids=[f"version {each}" for each in KEPT])
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
async def kept(empty_store: Store, version: int) -> AsyncIterator[Store]:
    """A store of an earlier version."""
    await restore(empty_store, read(version))
    yield empty_store
    await migrate(empty_store, deadline=soon())  # it is the session's


@pytest.mark.sampled(1)
async def test_a_restored_store_is_what_was_kept(kept: Store, version: int) -> None:
    assert await dump(kept) == lzma.decompress(path_of(version).read_bytes())


async def test_what_a_version_has_left_is_migrated_and_nothing_is_lost(kept: Store, version: int) -> None:
    before, effects = await rows(kept, COUNTED), await rows(kept, EFFECTS)
    assert (await migrate(kept, deadline=soon())).version == version
    assert (await migrate(kept, deadline=soon())).version == SCHEMA_VERSION
    assert await differing(kept, deadline=soon()) == []
    assert await violations(kept, seconds=60) == []
    slices = await membership.check(kept, deadline=soon())
    assert (slices.customers, slices.differing) == (1, ())
    assert slices.memberships > 200
    assert await rows(kept, COUNTED) == before
    assert await rows(kept, EFFECTS) == effects
    [[boosts]] = await rows(kept, "MATCH (b:Boost) RETURN count(b)")
    assert isinstance(boosts, int)
    assert boosts > 0
    over = [["TERMINATED", "DURATION_EXPIRED", boosts]]
    assert sorted(await rows(kept, BOOSTS), key=str) == (BOOKED if version >= BOOKED_SINCE else over)
    for label, names in MARKS.items():
        text = f"MATCH (n:{label}) RETURN n.id, " + ", ".join(f"n.{name}, {must}" for name, must in names.items())
        for row in await rows(kept, text):
            assert row[1::2] == row[2::2], row[0]
    states = [(is_open, on is not None, says == on) for _, is_open, on, says in await rows(kept, ON)]
    assert {each: states.count(each) for each in states} == {
        (True, True, True): 7,
        (True, False, True): 1,
        (False, True, False): 1,
        (False, False, True): 1,
    }


@pytest.mark.sampled(1)
async def test_a_migrated_store_goes_on_where_it_was(kept: Store) -> None:
    await migrate(kept, deadline=soon())
    assert await reassess_all(kept, POLICY, deadline=soon()) == 0, "no open alarm does anything else than it did"
    laid = Laid(store=kept)
    [[alarm, trunk]] = await rows(kept, "MATCH (a:Alarm {externalAlarmId: 'X2'})-[:RAISED_ON]->(t) RETURN a.id, t.id")
    suffering = "MATCH (:Alarm {id: $alarm})-[:AFFECTS]->(s) RETURN count(s)"
    [[hurt]] = await rows(kept, suffering, alarm=alarm)
    assert hurt == 5
    assert await laid.raise_(report(str(trunk), 2, cleared=True), policy=POLICY) == alarm
    assert await rows(kept, suffering, alarm=alarm) == [[0]]
    assert await differing(kept, deadline=soon()) == []
    assert (await take_over(kept, POLICY, deadline=soon())).services == 0
    parked = {each.system: (each.parked, each.held > 0) for each in await system_backlogs(kept, deadline=soon())}
    assert {system: each for system, each in parked.items() if each[0]} == {"desk": (1, True), "umbrella": (1, True)}
