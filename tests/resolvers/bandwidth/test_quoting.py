"""What a quote says, to whom, and what is wrong with a request."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pytest

from graph.capacity.tariff import Tier
from graph.changes.bandwidth.policy import SpendCap
from graph.compiler.leaves import rfc3339
from graph.model.scope import Principal, Role
from resolvers.bandwidth.tokens import QuoteTokens
from tests.graph.changes.bandwidth.network import ANNA, BOB, OPERATOR
from tests.resolvers.bandwidth.conftest import HOUR, KEY, QUARTER, SOLD, TARIFF, Shop

ASK: Final = """
query($id: ID!, $mbps: Int, $tier: String, $start: DateTime, $hours: Float, $end: DateTime) {
  quoteBandwidth(serviceId: $id, mbps: $mbps, tier: $tier, startAt: $start, hours: $hours, endAt: $end) {
    quote {
      id service { id name } fits mbps startAt endAt price { amount value currency } firmUntil leastMbps mostMbps stepMbps limitedBy
      needsApproval tiers { name mbps price { value } fits }
      alternatives { id kind mbps startAt endAt price { value } } availability { from to mbps }
    }
    userErrors { code path message }
  }
}
"""
ANALYST: Final = Principal(subject="9:issuer-a:lisa", role=Role.ANALYST)


async def quote(shop: Shop, principal: Principal = ANNA, **given: Any) -> dict[str, Any]:
    """Give a quote that there is."""
    found = (await shop.data(ASK, principal, **{"id": "service-a", **given}))["quoteBandwidth"]
    assert found["userErrors"] == [], found
    return dict(found["quote"])


async def problem(shop: Shop, principal: Principal = ANNA, **given: Any) -> tuple[str, list[str]]:
    """Give why there is no quote."""
    found = (await shop.data(ASK, principal, **{"id": "service-a", **given}))["quoteBandwidth"]
    assert found["quote"] is None
    [error] = found["userErrors"]
    assert error["message"]
    return error["code"], error["path"]


async def test_a_quote_says_what_it_costs_and_how_much_can_be_had(shop: Shop) -> None:
    start = await shop.quarter()
    found = await quote(shop, mbps=200, start=rfc3339(start), hours=2)
    assert found["service"] == {"id": "service-a", "name": "service-a"}
    assert (found["fits"], found["mbps"], found["needsApproval"]) == (True, 200, False)
    assert (found["startAt"], found["endAt"]) == (rfc3339(start), rfc3339(start + 2 * HOUR))
    assert found["price"] == {"amount": "800", "value": "8.00", "currency": "EUR"}
    assert (found["leastMbps"], found["mostMbps"], found["stepMbps"]) == (50, 700, 50)
    assert found["limitedBy"] == "CONTRACT"  # 800 of the contract, less the 100 that are committed
    assert found["tiers"] == [
        {"name": "M", "mbps": 300, "price": {"value": "12.00"}, "fits": True},
        {"name": "L", "mbps": 1_000, "price": {"value": "20.00"}, "fits": False},
    ]
    assert found["alternatives"] == []
    assert found["id"]


async def test_what_others_have_booked_limits_in_one_word_and_the_rest_is_offered(shop: Shop) -> None:
    start = await shop.quarter()
    await shop.booked.book(service="service-b", mbps=600, start=start - await shop.booked.now(), hours=2, by=BOB)
    found = await quote(shop, mbps=500, start=rfc3339(start), hours=1)
    # trunk-1 has 1,000 less 200 committed less 600 booked: 200, and service-b's port is another.
    assert (found["fits"], found["id"], found["mostMbps"], found["limitedBy"]) == (False, None, 200, "NETWORK")
    smaller, earliest, later = found["alternatives"]
    assert (smaller["kind"], smaller["mbps"], smaller["startAt"]) == ("SMALLER_RATE", 200, rfc3339(start))
    assert smaller["price"] == {"value": "5.00"}  # 4.00, and no less than the minimum
    assert (earliest["kind"], earliest["mbps"]) == ("EARLIEST_SLOT", 500)
    assert earliest["endAt"] <= rfc3339(start)
    assert later["kind"] == "LATER_START"
    assert rfc3339(start + 2 * HOUR) <= later["startAt"] <= rfc3339(start + 2 * HOUR + QUARTER)
    rates = {each["mbps"] for each in found["availability"]}
    assert rates == {200, 700}


async def test_a_tier_and_an_end_ask_for_the_same_as_a_rate_and_hours(shop: Shop) -> None:
    start = await shop.quarter()
    by_tier = await quote(shop, tier="M", start=rfc3339(start), end=rfc3339(start + HOUR))
    by_rate = await quote(shop, mbps=300, start=rfc3339(start), hours=1.0)
    later = {"firmUntil", "id"}
    assert {k: v for k, v in by_tier.items() if k not in later} == {k: v for k, v in by_rate.items() if k not in later}


@pytest.mark.sampled(8)
@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        pytest.param({"mbps": 200}, "HOURS_OR_END", "hours", id="no time"),
        pytest.param({"mbps": 200, "hours": 1, "end": "2099-01-01T00:00:00Z"}, "HOURS_OR_END", "hours", id="two ends"),
        pytest.param({"hours": 1}, "MBPS_OR_TIER", "mbps", id="no rate"),
        pytest.param({"mbps": 200, "tier": "M", "hours": 1}, "MBPS_OR_TIER", "mbps", id="two rates"),
        pytest.param({"mbps": 0, "hours": 1}, "RATE_NOT_OFFERED", "mbps", id="nothing"),
        pytest.param({"mbps": -50, "hours": 1}, "RATE_NOT_OFFERED", "mbps", id="less than nothing"),
        pytest.param({"mbps": 75, "hours": 1}, "RATE_NOT_OFFERED", "mbps", id="between steps"),
        pytest.param({"mbps": 1_050, "hours": 1}, "RATE_NOT_OFFERED", "mbps", id="above all tiers"),
        pytest.param({"tier": "XL", "hours": 1}, "RATE_NOT_OFFERED", "tier", id="no such tier"),
        pytest.param({"mbps": 200, "hours": 0}, "NOT_AN_INTERVAL", "hours", id="no hours"),
        pytest.param({"mbps": 200, "hours": 1e-9}, "NOT_AN_INTERVAL", "hours", id="hardly a moment"),
        pytest.param(
            {"mbps": 200, "start": "2100-01-01T00:00:00Z", "end": "2100-01-01T00:00:00.999Z"},
            "NOT_AN_INTERVAL",
            "endAt",
            id="less than a second",
        ),
        pytest.param({"mbps": 200, "hours": -1}, "NOT_AN_INTERVAL", "hours", id="hours backwards"),
        pytest.param({"mbps": 200, "hours": 1e9}, "NOT_AN_INTERVAL", "hours", id="longer than anything"),
        pytest.param(
            {"mbps": 200, "start": "2020-01-01T00:00:00Z", "hours": 1}, "START_IN_THE_PAST", "startAt", id="in the past"
        ),
        pytest.param({"mbps": 200, "end": "2020-01-01T00:00:00Z"}, "END_IN_THE_PAST", "endAt", id="an end in the past"),
        pytest.param(
            {"mbps": 200, "start": "2099-01-01T00:00:00Z", "hours": 1}, "BEYOND_HORIZON", "startAt", id="far ahead"
        ),
    ],
)
async def test_a_request_that_cannot_be_says_which_argument_and_why(
    shop: Shop, given: dict[str, Any], code: str, path: str
) -> None:
    assert await problem(shop, **given) == (code, [path])


@pytest.mark.parametrize("text", ["noon", "2026-01-01", "2026-01-01T12:00:00", ""])
async def test_a_time_without_its_zone_is_refused(shop: Shop, text: str) -> None:
    answer = await shop.ask(ASK, id="service-a", mbps=200, hours=1, start=text)
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["BAD_USER_INPUT"]


async def test_a_service_that_is_anothers_is_answered_as_one_that_is_not_there(shop: Shop) -> None:
    answers = [await shop.data(ASK, ANNA, id=each, mbps=200, hours=1) for each in ("service-b", "service-zip", "")]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["quoteBandwidth"]["userErrors"][0]["code"] == "SERVICE_NOT_FOUND"
    assert (await quote(shop, BOB, id="service-b", mbps=200, hours=1))["fits"]
    assert (await quote(shop, OPERATOR, id="service-b", mbps=200, hours=1))["fits"]
    assert (await quote(shop, ANALYST, id="service-b", mbps=200, hours=1))["fits"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param("SET s.state = 'terminated'", "SERVICE_NOT_ACTIVE", id="terminated"),
        pytest.param("SET s.state = 'reserved'", "SERVICE_NOT_ACTIVE", id="not yet active"),
    ],
)
async def test_a_service_that_cannot_be_boosted_says_so(shop: Shop, change: str, code: str) -> None:
    await shop.booked.run(f"MATCH (s:Service {{id: 'service-a'}}) {change}")
    assert await problem(shop, mbps=200, hours=1) == (code, ["serviceId"])


async def test_without_a_tariff_or_a_provisioning_system_nothing_is_sold(shop: Shop) -> None:
    with shop.ruled(replace(SOLD, tariffs={})):
        assert await problem(shop, mbps=200, hours=1) == ("NO_TARIFF", ["serviceId"])
    with shop.ruled(replace(SOLD, provisioning="")):
        assert await problem(shop, mbps=200, hours=1) == ("NO_PROVISIONING", ["serviceId"])


@pytest.mark.parametrize(
    "principal",
    [
        pytest.param(replace(ANNA, changes=()), id="a customer without the claim"),
        pytest.param(replace(ANNA, changes=("reportProblem",)), id="with another claim"),
        pytest.param(Principal(subject="x", role=Role.SYSTEM, system="desk"), id="a system"),
    ],
)
async def test_who_may_not_book_gets_no_quote(shop: Shop, principal: Principal) -> None:
    answer = await shop.ask(ASK, principal, id="service-a", mbps=200, hours=1)
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]


async def test_who_asks_too_often_waits_for_that_service_alone(shop: Shop) -> None:
    with shop.ruled(SOLD, quotes_per_minute=2):
        for _ in range(2):
            await quote(shop, mbps=200, hours=1)
        assert await problem(shop, mbps=200, hours=1) == ("TOO_MANY_QUOTES", ["serviceId"])
        assert await problem(shop, BOB, id="service-zip", mbps=200, hours=1) == ("SERVICE_NOT_FOUND", ["serviceId"])
        for _ in range(3):
            await quote(shop, OPERATOR, mbps=200, hours=1)


async def test_what_is_above_the_cap_may_be_booked_and_needs_an_approval(shop: Shop) -> None:
    with shop.ruled(replace(SOLD, cap=SpendCap(amount=799, currency="EUR"))):
        start = await shop.quarter()
        found = await quote(shop, mbps=200, start=rfc3339(start), hours=2)
        assert (found["fits"], found["needsApproval"], found["limitedBy"]) == (True, True, "CAP")
    with shop.ruled(replace(SOLD, cap=SpendCap(amount=800, currency="EUR"))):
        assert not (await quote(shop, mbps=200, start=rfc3339(start), hours=2))["needsApproval"]


async def test_what_cannot_be_is_said_before_the_cap_is_looked_at(shop: Shop) -> None:
    with shop.ruled(replace(SOLD, cap=SpendCap(amount=799, currency="EUR"))):
        end_of_time: dict[str, Any] = {"start": "9999-12-31T00:00:00Z", "hours": 1}
        assert await problem(shop, mbps=200, **end_of_time) == ("BEYOND_HORIZON", ["startAt"])
    with shop.ruled(replace(SOLD, cap=SpendCap(amount=799, currency="USD"))):
        assert await problem(shop, mbps=200, hours=1) == ("OTHER_CURRENCY", ["serviceId"])


async def test_what_costs_more_than_can_be_told_is_not_sold(shop: Shop) -> None:
    dear = replace(TARIFF, tiers=(Tier(name="M", mbps=300, per_mbps_hour=Decimal(100_000)),))
    with shop.ruled(replace(SOLD, tariffs={"any": dear})):
        assert (await quote(shop, mbps=200, hours=1))["fits"]
        assert await problem(shop, mbps=300, hours=1) == ("PRICE_TOO_HIGH", ["mbps"])


async def test_the_id_of_a_quote_opens_for_its_principal_only(shop: Shop) -> None:
    found = await quote(shop, mbps=200, hours=2)
    tokens = QuoteTokens(KEY)
    sealed = tokens.open(found["id"], ANNA.subject)
    assert sealed is not None
    assert (sealed.service, sealed.mbps, sealed.start, sealed.length) == ("service-a", 200, None, 2 * HOUR)
    assert (sealed.price, sealed.currency) == (800, "EUR")
    assert tokens.open(found["id"], BOB.subject) is None
    assert QuoteTokens(b"x" * 32).open(found["id"], ANNA.subject) is None
    other = "B" if found["id"][0] == "A" else "A"
    for forged in ("", "x", found["id"][:-2], other + found["id"][1:], "é", "A" * 10_000):
        assert tokens.open(forged, ANNA.subject) is None
