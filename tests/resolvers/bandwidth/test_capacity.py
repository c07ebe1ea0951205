"""What operators learn of capacity over time, exactly; and nobody else."""

from __future__ import annotations

from typing import Any, Final

import pytest

from graph.compiler.leaves import rfc3339
from tests.graph.changes.bandwidth.network import ANNA, BOB, OPERATOR
from tests.resolvers.bandwidth.conftest import HOUR, Shop
from tests.resolvers.bandwidth.test_booking import booked

CAPACITY: Final = """
query($of: [ID!]!, $from: DateTime!, $to: DateTime!) { capacity(of: $of, from: $from, to: $to) {
  port { id name } trunk { id capacityMbps } limitMbps peakMbps headroomMbps load { from to mbps }
} }
"""
HEADROOM: Final = """
query($from: DateTime!, $to: DateTime!) {
  port(id: "port-y") { headroom(from: $from, to: $to) { ...H } } trunk(id: "trunk-1") { headroom(from: $from, to: $to) { ...H } }
  card(id: "card-2") { headroom(from: $from, to: $to) { ...H } }
  empty: trunk(id: "trunk-zip") { headroom(from: $from, to: $to) { ...H } }
}
fragment H on Headroom { things limitMbps headroomMbps mostMbps }
"""


async def test_capacity_is_what_is_committed_and_booked_over_time(shop: Shop) -> None:
    await shop.booked.run("MATCH (t:Trunk) SET t.name = t.id")
    await shop.booked.run("MATCH (p:Port) SET p.name = p.id")
    start = await shop.quarter()
    await booked(shop, start=rfc3339(start), mbps=200, hours=1)
    await booked(shop, BOB, id="service-b", start=rfc3339(start), mbps=300, hours=2)
    times = {"from": rfc3339(start - HOUR), "to": rfc3339(start + 3 * HOUR)}
    [port, trunk] = (await shop.data(CAPACITY, OPERATOR, of=["trunk-1", "port-a", "alarm-7"], **times))["capacity"][
        ::-1
    ]
    assert (port["port"], port["trunk"]) == ({"id": "port-a", "name": "port-a"}, None)
    assert (port["limitMbps"], port["peakMbps"], port["headroomMbps"]) == (1_000, 300, 700)
    assert trunk["trunk"] == {"id": "trunk-1", "capacityMbps": 1_000}
    assert [(each["from"], each["mbps"]) for each in trunk["load"]] == [
        (rfc3339(start - HOUR), 200),
        (rfc3339(start), 700),
        (rfc3339(start + HOUR), 500),
        (rfc3339(start + 2 * HOUR), 200),
    ]
    assert trunk["headroomMbps"] == 300


async def test_headroom_is_a_field_of_ports_trunks_and_cards(shop: Shop) -> None:
    start = await shop.quarter()
    await booked(shop, BOB, id="service-b", start=rfc3339(start), mbps=300, hours=1)
    data = await shop.data(HEADROOM, OPERATOR, **{"from": rfc3339(start), "to": rfc3339(start + HOUR)})
    assert data == {
        "port": {"headroom": {"things": 1, "limitMbps": "1000", "headroomMbps": "550", "mostMbps": 550}},
        "trunk": {"headroom": {"things": 1, "limitMbps": "1000", "headroomMbps": "500", "mostMbps": 500}},
        "card": {"headroom": {"things": 2, "limitMbps": "2000", "headroomMbps": "1550", "mostMbps": 950}},
        "empty": None,
    }


@pytest.mark.parametrize(
    "text",
    [
        CAPACITY,
        "query { forecast { limitMbps } }",
        'query($from: DateTime!, $to: DateTime!) { port(id: "port-a") { headroom(from: $from, to: $to) { things } } }',
    ],
    ids=["capacity", "forecast", "headroom"],
)
async def test_customers_learn_none_of_it(shop: Shop, text: str) -> None:
    times = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"}
    answer = await shop.ask(text, ANNA, **({"of": ["port-a"]} if "capacity" in text else {}), **times)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "data" not in answer


@pytest.mark.parametrize(
    ("given", "code"),
    [
        pytest.param(
            {"of": ["port-a"], "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
            "BAD_USER_INPUT",
            id="backwards",
        ),
        pytest.param(
            {"of": ["port-a"], "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
            "BAD_USER_INPUT",
            id="no time",
        ),
        pytest.param(
            {"of": ["port-a"] * 201, "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"},
            "LIMIT_EXCEEDED",
            id="too many",
        ),
    ],
)
async def test_what_cannot_be_asked_is_refused(shop: Shop, given: dict[str, Any], code: str) -> None:
    answer = await shop.ask(CAPACITY, OPERATOR, **given)
    assert answer["errors"][0]["extensions"]["code"] == code


async def test_what_will_be_full_is_told_by_what_is_booked(shop: Shop) -> None:
    start = await shop.quarter(48)
    await booked(shop, start=rfc3339(start), mbps=700, hours=1)
    await booked(shop, BOB, id="service-b", start=rfc3339(start), mbps=100, hours=1)
    text = "query($days: Int!) { forecast(days: $days) { trunk { id } port { id } limitMbps bookedFullAt trendFullAt trendMbpsPerWeek } }"
    full = {"trunk": {"id": "trunk-1"}, "port": None, "limitMbps": 1_000, "bookedFullAt": rfc3339(start)}
    unknown = {"trendFullAt": None, "trendMbpsPerWeek": None}
    assert (await shop.data(text, OPERATOR, days=3))["forecast"] == [{**full, **unknown}]
    assert (await shop.data(text, OPERATOR, days=1))["forecast"] == []
    for days in (0, 367):
        answer = await shop.ask(text, OPERATOR, days=days)
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
