"""An open alarm says what it is open on, whoever brings it there; where it does not, that is found and put right."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from graph.load import load_lines
from graph.model.identity import loaded_id
from graph.store import open_alarms
from graph.store.open_alarms import differing, mark
from graph.store.store import Store
from tests.graph.changes.network import AT, soon
from tests.graph.ledger.asking import rows, run

OPEN_ON = "MATCH (a:Alarm) RETURN a.openOn ORDER BY a.id"
ALARM = loaded_id("Alarm", "test", "one")
CARD = loaded_id("Card", "test", "one")
RAISED_ON = {"type": "RAISED_ON", "start": ALARM, "end": CARD, "properties": {}}
BY_HAND = """
CREATE (:Card {id: 'card-1'}), (:Card {id: 'card-2'})
WITH 1 AS one
UNWIND range(0, 5) AS n
CREATE (a:Alarm {id: 'alarm-' + toString(n), state: CASE n % 2 WHEN 0 THEN 'updated' ELSE 'cleared' END, openOn: 'card-2'})
WITH a, n MATCH (k:Card {id: 'card-1'}) WHERE n < 4
CREATE (a)-[:RAISED_ON]->(k)
"""


def alarm(state: str) -> dict[str, Any]:
    properties = {
        "sourceSystemId": "ems",
        "alarmedObjectRef": CARD,
        "alarmType": "equipmentAlarm",
        "probableCause": "replaceableUnitProblem",
        "perceivedSeverity": "critical",
        "state": state,
        "ackState": "unacknowledged",
        "raisedAt": AT,
        "changedAt": AT,
        "record": "{}",
        "openOn": "card-none",  # what is derived is not taken from a file
    }
    return {"label": "Alarm", "id": ALARM, "properties": properties}


def card() -> dict[str, Any]:
    states = {"operationalState": "enabled", "administrativeState": "unlocked"}
    return {"label": "Card", "id": CARD, "properties": {"name": "one", "model": "LC", "slot": 1, **states}}


async def load(store: Store, *lines: dict[str, Any]) -> None:
    await load_lines(store, [orjson.dumps(each) for each in lines], progress=lambda *_: None, deadline=soon())


async def test_a_load_says_what_an_alarm_is_open_on_whatever_comes_first(empty_store: Store) -> None:
    await load(empty_store, card(), alarm("raised"))
    assert await rows(empty_store, OPEN_ON) == [[None]]
    await load(empty_store, RAISED_ON)
    assert await rows(empty_store, OPEN_ON) == [[CARD]]
    await load(empty_store, alarm("cleared"), RAISED_ON)
    assert await rows(empty_store, OPEN_ON) == [[None]]
    await load(empty_store, alarm("updated"))
    assert await rows(empty_store, OPEN_ON) == [[CARD]]


async def test_what_differs_is_found_and_put_right_page_by_page(
    empty_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_alarms, "_AT_ONCE", 2)
    await run(empty_store, BY_HAND)
    assert await differing(empty_store, deadline=soon()) == [f"alarm-{number}" for number in range(6)]
    assert await differing(empty_store, most=3, deadline=soon()) == [f"alarm-{number}" for number in range(3)]
    await mark(empty_store, deadline=soon())
    assert await rows(empty_store, OPEN_ON) == [["card-1"], [None], ["card-1"], [None], [None], [None]]
    assert await differing(empty_store, deadline=soon()) == []
