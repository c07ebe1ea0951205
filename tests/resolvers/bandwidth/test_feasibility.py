"""What planners are told of a service that could be built, or why it could not; and nobody else."""

from __future__ import annotations

from typing import Any, Final

import pytest

from graph.capacity.steps import Booking
from graph.compiler.leaves import rfc3339
from graph.model.scope import Principal, Role
from graph.routing.cached_network import CachedNetwork
from tests.graph.changes.bandwidth.network import ANNA, OPERATOR
from tests.graph.routing.network import Planned, planned
from tests.resolvers.bandwidth.conftest import HOUR, Shop

ANALYST: Final = Principal(subject="9:issuer-a:eve", role=Role.ANALYST)
NOW: Final = 1_799_999_000_000
FROM: Final = 1_800_000_000_000
FEASIBILITY: Final = """
query($a: AccessInput!, $z: AccessInput!, $mbps: Int!, $from: DateTime!, $to: DateTime, $protected: Boolean, $cost: WayCostInput) {
  feasibility(a: $a, z: $z, mbps: $mbps, from: $from, to: $to, protected: $protected, cost: $cost) {
    design {
      a { id speedMbps } z { id } cost isLeast
      working { ...W } protecting { ...W }
    }
    reason {
      code a { ports missingMbps } z { ports missingMbps } stretch { id capacityMbps } missingMbps
      sharedSites { id } sharedTrunks { id } fitsFrom lookedUntil
    }
  }
}
fragment W on PlannedWay { trunks { id } sites { id } cost hops km percent }
"""
USUAL: Final = {
    "a": {"siteId": "site-a"},
    "z": {"siteId": "site-z"},
    "mbps": 500,
    "from": rfc3339(FROM),
    "protected": True,
}


@pytest.fixture
async def network(shop: Shop) -> Planned:
    shop.bandwidth._now = lambda: NOW
    return await planned(shop.booked.store)


async def asked(shop: Shop, principal: Principal = OPERATOR, **given: Any) -> dict[str, Any]:
    data = await shop.data(FEASIBILITY, principal, **{**USUAL, **given})
    return dict(data["feasibility"])


@pytest.mark.parametrize("principal", [OPERATOR, ANALYST], ids=["operator", "analyst"])
@pytest.mark.usefixtures("network")
async def test_a_design_is_shown_with_its_ways_and_what_they_cost(shop: Shop, principal: Principal) -> None:
    found = await asked(shop, principal, cost={"perHop": 10, "perPercent": 1})
    assert found["reason"] is None
    design = found["design"]
    assert (design["a"], design["z"]) == ({"id": "port-a-0", "speedMbps": 1_000}, {"id": "port-z-0"})
    assert design["working"] == {
        "trunks": [{"id": "trunk-ab"}, {"id": "trunk-bz"}],
        "sites": [{"id": "site-a"}, {"id": "site-b"}, {"id": "site-z"}],
        "cost": 120,
        "hops": 2,
        "km": design["working"]["km"],
        "percent": 100,
    }
    assert design["working"]["km"] > 0
    assert design["protecting"]["trunks"] == [{"id": "trunk-ac"}, {"id": "trunk-cz"}]
    assert (design["cost"], design["isLeast"]) == (240, True)


async def test_a_stretch_that_is_full_is_told_with_what_is_missing_and_when_it_fits(
    shop: Shop, network: Planned
) -> None:
    for trunk in ("trunk-bz", "trunk-cz", "trunk-ez"):
        await network.booked(trunk, Booking(start=0, end=FROM + HOUR, mbps=600))
    found = await asked(shop, protected=False, to=rfc3339(FROM + HOUR))
    assert found["design"] is None
    assert found["reason"] == {
        "code": "NO_ROOM",
        "a": None,
        "z": None,
        "stretch": [{"id": f"trunk-{each}", "capacityMbps": 1_000} for each in ("bz", "cz", "ez")],
        "missingMbps": 100,
        "sharedSites": [],
        "sharedTrunks": [],
        "fitsFrom": rfc3339(FROM + HOUR),
        "lookedUntil": None,
    }


async def test_an_end_that_is_full_is_told(shop: Shop, network: Planned) -> None:
    await network.service(10, ports=tuple(f"port-z-{number}" for number in range(4)))
    reason = (await asked(shop))["reason"]
    assert (reason["code"], reason["a"], reason["z"]) == ("END_FULL", None, {"ports": 4, "missingMbps": 500})
    speed = (await asked(shop, a={"siteId": "site-a", "speedMbps": 10_000}))["reason"]
    assert (speed["a"], speed["z"]) == ({"ports": 0, "missingMbps": 500}, {"ports": 4, "missingMbps": 500})


async def test_what_both_ways_must_share_is_told(shop: Shop, network: Planned) -> None:
    await network.run("MATCH (t:Trunk) WHERE t.id IN ['trunk-ac', 'trunk-ad'] SET t.operationalState = 'disabled'")
    reason = (await asked(shop))["reason"]
    assert reason["code"] == "NO_DISJOINT_PAIR"
    assert reason["sharedSites"] == [{"id": "site-b"}]
    assert reason["sharedTrunks"] == [{"id": "trunk-ab"}, {"id": "trunk-bz"}]
    await network.run("MATCH (t:Trunk {id: 'trunk-ab'}) SET t.operationalState = 'disabled'")
    shop.bandwidth._open = (*shop.bandwidth._open[:2], CachedNetwork(network.store))  # type: ignore[index]  # it is open
    assert (await asked(shop))["reason"]["code"] == "NO_WAY"


@pytest.mark.usefixtures("network")
async def test_customers_learn_none_of_it(shop: Shop) -> None:
    answer = await shop.ask(FEASIBILITY, ANNA, **USUAL)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert "data" not in answer


@pytest.mark.usefixtures("network")
async def test_nobody_asks_without_end(shop: Shop) -> None:
    with shop.ruled(shop.policy, quotes_per_minute=2):
        for _ in range(2):
            await asked(shop)
        [error] = (await shop.ask(FEASIBILITY, OPERATOR, **USUAL))["errors"]
        assert error["extensions"]["code"] == "TOO_MANY_REQUESTS"
        await asked(shop, ANALYST)  # each has an allowance of its own


@pytest.mark.parametrize(
    ("given", "about"),
    [
        pytest.param({"mbps": 0}, "mbps", id="no rate"),
        pytest.param({"mbps": 100_000_001}, "mbps", id="more than any network has"),
        pytest.param({"from": rfc3339(NOW - 1)}, "`from`", id="in the past"),
        pytest.param({"a": {"siteId": "site-a", "speedMbps": 0}}, "a.speedMbps", id="no speed"),
        pytest.param({"z": {"siteId": "site-z", "speedMbps": -1}}, "z.speedMbps", id="a speed below none"),
        pytest.param({"to": rfc3339(FROM)}, "`to`", id="no time"),
        pytest.param({"to": rfc3339(FROM - 1)}, "`to`", id="backwards"),
        pytest.param({"z": {"siteId": "site-a"}}, "z.siteId", id="one site"),
        pytest.param({"a": {"siteId": "site-q"}}, "a.siteId", id="a site that is not there"),
        pytest.param({"z": {"siteId": "port-z-0"}}, "z.siteId", id="no site"),
        pytest.param({"cost": {"perHop": 0}}, "cost.perHop", id="hops for nothing"),
        pytest.param({"cost": {"perKm": -1}}, "cost.perKm", id="kilometres that pay"),
        pytest.param({"cost": {"perPercent": 1_001}}, "cost.perPercent", id="too dear"),
    ],
)
@pytest.mark.usefixtures("network")
async def test_what_cannot_be_asked_is_refused(shop: Shop, given: dict[str, Any], about: str) -> None:
    [error] = (await shop.ask(FEASIBILITY, OPERATOR, **{**USUAL, **given}))["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert about in error["message"]
