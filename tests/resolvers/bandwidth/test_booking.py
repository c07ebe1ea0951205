"""Boosts are booked, changed and given back by those who may, once for each key; what a quote promises is kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Final

import pytest

from graph.changes.bandwidth.policy import SpendCap
from graph.compiler.leaves import rfc3339
from graph.model.scope import Principal, Role
from tests.graph.changes.bandwidth.network import ANNA, BOB, BOSS, OPERATOR
from tests.resolvers.bandwidth.conftest import HOUR, QUARTER, SOLD, Shop
from tests.resolvers.bandwidth.test_quoting import quote

BOOK: Final = """
mutation($key: String!, $quote: ID, $id: ID, $mbps: Int, $tier: String, $start: DateTime, $hours: Float, $end: DateTime,
  $again: RecurrenceInput, $dry: Boolean! = false) {
  boostBandwidth(idempotencyKey: $key, quoteId: $quote, serviceId: $id, mbps: $mbps, tier: $tier, startAt: $start, hours: $hours,
    endAt: $end, recurrence: $again, dryRun: $dry) {
    boost { id mbps status startAt endAt price currency tier service { id } } series price { value currency }
    alternatives { id kind mbps startAt } userErrors { code path message }
  }
}
"""
CHANGE: Final = """
mutation($key: String!, $id: ID!, $mbps: Int, $tier: String, $end: DateTime, $dry: Boolean! = false) {
  changeBoost(boostId: $id, idempotencyKey: $key, mbps: $mbps, tier: $tier, endAt: $end, dryRun: $dry) {
    boost { id mbps endAt price } price { value } userErrors { code path message }
  }
}
"""
EXTEND: Final = """
mutation($key: String!, $id: ID!, $hours: Float, $end: DateTime, $dry: Boolean! = false) {
  extendBoost(boostId: $id, idempotencyKey: $key, hours: $hours, endAt: $end, dryRun: $dry) {
    boost { id endAt price } price { value } userErrors { code path message }
  }
}
"""
SIMPLE: Final = """
mutation($key: String!, $id: ID!) {
  %s(boostId: $id, idempotencyKey: $key) { boost { id status statusReason price } userErrors { code path message } }
}
"""


async def change(shop: Shop, text: str, principal: Principal = ANNA, **given: Any) -> dict[str, Any]:
    """Make a change, with a key of its own if none is given."""
    data = await shop.data(text, principal, **{"key": shop.key(), **given})
    [payload] = data.values()
    return dict(payload)


def code(payload: dict[str, Any]) -> str:
    [error] = payload["userErrors"]
    assert payload["boost"] is None
    assert error["message"]
    return str(error["code"])


async def booked(shop: Shop, principal: Principal = ANNA, **given: Any) -> dict[str, Any]:
    start = await shop.quarter()
    wanted = {"id": "service-a", "mbps": 200, "start": rfc3339(start), "hours": 2, **given}
    payload = await change(shop, BOOK, principal, **wanted)
    assert payload["userErrors"] == [], payload
    return dict(payload["boost"])


async def count(shop: Shop) -> int:
    [[found]] = await shop.booked.rows("MATCH (b:Boost) RETURN count(b)")
    return int(found)


# Booking -------------------------------------------------------------------------------------------------------------


async def test_a_quote_is_booked_as_it_was_given(shop: Shop) -> None:
    start = await shop.quarter()
    offered = await quote(shop, mbps=200, start=rfc3339(start), hours=2)
    payload = await change(shop, BOOK, quote=offered["id"])
    boost = payload["boost"]
    assert boost.pop("id").startswith("boost-")
    assert boost == {
        "mbps": 200,
        "status": "SCHEDULED",
        "startAt": rfc3339(start),
        "endAt": rfc3339(start + 2 * HOUR),
        "price": 800,
        "currency": "EUR",
        "tier": "PREMIUM",
        "service": {"id": "service-a"},
    }
    assert payload["price"] == {"value": "8.00", "currency": "EUR"}
    assert (payload["series"], payload["alternatives"], payload["userErrors"]) == (None, [], [])


async def test_a_quote_for_now_is_as_long_as_it_was_when_it_is_booked_later(shop: Shop) -> None:
    offered = await quote(shop, mbps=200, hours=2)
    boost = (await change(shop, BOOK, quote=offered["id"]))["boost"]
    stored = await shop.booked.boost(boost["id"])
    assert stored["endAt"] - stored["startAt"] == 2 * HOUR
    assert stored["price"] == 800


async def test_the_same_input_is_booked_without_a_quote(shop: Shop) -> None:
    start = await shop.quarter()
    payload = await change(shop, BOOK, id="service-a", tier="M", start=rfc3339(start), end=rfc3339(start + HOUR))
    assert (payload["boost"]["mbps"], payload["boost"]["price"]) == (300, 600)


async def test_what_is_asked_for_again_by_its_key_is_booked_once(shop: Shop) -> None:
    given: dict[str, Any] = {
        "key": "once",
        "id": "service-a",
        "mbps": 200,
        "hours": 2,
    }  # its start is now, which is another each time
    first = await change(shop, BOOK, **given)
    with shop.ruled(SOLD, quotes_per_minute=1):
        await quote(shop, mbps=50, hours=1)  # used up: what was done is told all the same
        again = await change(shop, BOOK, **given)
    assert first["boost"]["id"] == again["boost"]["id"]
    assert first["price"] == again["price"] == {"value": "8.00", "currency": "EUR"}
    assert await count(shop) == 1
    answer = await shop.ask(BOOK, key="once", id="service-a", mbps=250, hours=2)
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "CONFLICT"
    assert "new key" in error["extensions"]["hint"]  # as a part of the mutation's plan, not as it came from the area


async def test_who_books_by_quotes_asks_for_their_service(shop: Shop) -> None:
    with shop.ruled(SOLD, quotes_per_minute=2):
        offered = (await quote(shop, mbps=200, hours=2))["id"]
        assert (await change(shop, BOOK, quote=offered, dry=True))["userErrors"] == []
        assert code(await change(shop, BOOK, quote=offered, dry=True)) == "TOO_MANY_QUOTES"


async def test_an_alternative_can_be_booked_at_once(shop: Shop) -> None:
    start = await shop.quarter()
    await shop.booked.book(service="service-b", mbps=600, start=start - await shop.booked.now(), hours=2, by=BOB)
    payload = await change(shop, BOOK, id="service-a", mbps=500, start=rfc3339(start), hours=1)
    assert code(payload) == "NO_CAPACITY"
    assert payload["userErrors"][0]["path"] == ["mbps"]
    kinds = {each["kind"]: each for each in payload["alternatives"]}
    assert kinds.keys() == {"SMALLER_RATE", "EARLIEST_SLOT", "LATER_START"}
    taken = await change(shop, BOOK, quote=kinds["SMALLER_RATE"]["id"])
    assert (taken["boost"]["mbps"], taken["boost"]["startAt"]) == (200, rfc3339(start))


async def test_a_dry_run_says_the_same_and_writes_nothing(shop: Shop) -> None:
    start = rfc3339(await shop.quarter())
    fits = await change(shop, BOOK, id="service-a", mbps=200, start=start, hours=2, dry=True)
    assert (fits["boost"], fits["userErrors"], fits["price"]["value"]) == (None, [], "8.00")
    beyond = await change(shop, BOOK, id="service-a", mbps=750, start=start, hours=2, dry=True)
    assert code(beyond) == "BEYOND_CONTRACT"
    assert await count(shop) == 0


async def test_who_books_to_the_second_learns_whole_quarters_only(shop: Shop) -> None:
    """Bob's boost ends five minutes after a quarter: until the next one Anna is told that it is not free; an operator books it."""
    end = await shop.quarter(2) + 300_000
    await booked(shop, BOB, id="service-b", mbps=600, start=rfc3339(end - HOUR), hours=1)
    given: dict[str, Any] = {"id": "service-a", "mbps": 500, "start": rfc3339(end), "hours": 1}
    assert code(await change(shop, BOOK, **given)) == "NO_CAPACITY"
    later = rfc3339(end - 300_000 + QUARTER)
    assert (await change(shop, BOOK, **{**given, "start": later, "dry": True}))["userErrors"] == []
    assert (await change(shop, BOOK, OPERATOR, **given))["boost"]["status"] == "SCHEDULED"


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, "QUOTE_OR_INPUT", id="nothing"),
        pytest.param({"quote": "x", "id": "service-a", "mbps": 200, "hours": 1}, "QUOTE_OR_INPUT", id="both"),
        pytest.param({"quote": "x", "mbps": 200}, "QUOTE_OR_INPUT", id="a quote and a rate"),
        pytest.param({"quote": "x"}, "QUOTE_NOT_FOUND", id="no quote"),
        pytest.param({"id": "service-a", "mbps": 75, "hours": 1}, "RATE_NOT_OFFERED", id="a rate that is not sold"),
        pytest.param({"id": "service-b", "mbps": 200, "hours": 1}, "SERVICE_NOT_FOUND", id="another's service"),
        pytest.param({"id": "service-zip", "mbps": 200, "hours": 1}, "SERVICE_NOT_FOUND", id="no service"),
        pytest.param(
            {"id": "service-a", "mbps": 200, "hours": 1, "again": {"every": "WEEK", "until": "2099-01-01T00:00:00Z"}},
            "BAD_RECURRENCE",
            id="again, without a start",
        ),
    ],
)
async def test_what_cannot_be_booked_says_why(shop: Shop, given: dict[str, Any], expected: str) -> None:
    assert code(await change(shop, BOOK, **given)) == expected
    assert await count(shop) == 0


async def test_a_quote_of_another_or_one_that_has_expired_books_nothing(shop: Shop) -> None:
    mine = (await quote(shop, mbps=200, hours=2))["id"]
    ben = replace(ANNA, subject="9:issuer-a:ben")
    assert code(await change(shop, BOOK, ben, quote=mine)) == "QUOTE_NOT_FOUND"
    assert code(await change(shop, BOOK, quote=mine[:-4] + "AAAA")) == "QUOTE_NOT_FOUND"
    with shop.ruled(replace(SOLD, quote_ms=-1)):
        expired = (await quote(shop, mbps=200, hours=2))["id"]
    assert code(await change(shop, BOOK, quote=expired)) == "QUOTE_EXPIRED"
    assert await count(shop) == 0


async def test_what_went_meanwhile_is_not_booked(shop: Shop) -> None:
    start = await shop.quarter()
    offered = await quote(shop, mbps=500, start=rfc3339(start), hours=1)
    await shop.booked.book(service="service-b", mbps=600, start=start - await shop.booked.now(), hours=2, by=BOB)
    payload = await change(shop, BOOK, quote=offered["id"])
    assert code(payload) == "NO_CAPACITY"
    assert payload["alternatives"]


async def test_what_comes_again_is_booked_together_or_not_at_all(shop: Shop) -> None:
    start = await shop.quarter(24)
    again = {"every": "WEEK", "until": rfc3339(start + 21 * 24 * HOUR), "timeZone": "Europe/Berlin"}
    given: dict[str, Any] = {"id": "service-a", "mbps": 200, "start": rfc3339(start), "hours": 2}
    payload = await change(shop, BOOK, key="series", **given, again=again)
    assert payload["userErrors"] == []
    assert payload["price"]["value"] == "32.00"
    assert (await change(shop, BOOK, key="series", **given, again=again))["price"]["value"] == "32.00"
    text = "query($s: String!) { boosts(filter: {series: {eq: $s}}) { totalCount } }"
    assert (await shop.data(text, s=payload["series"]))["boosts"] == {"totalCount": 4}
    full = await change(
        shop, BOOK, BOB, id="service-b", mbps=700, start=rfc3339(start + 7 * 24 * HOUR), hours=2, again=again
    )
    assert code(full) == "NO_CAPACITY"
    assert await count(shop) == 4


@pytest.mark.parametrize(
    "again",
    [
        pytest.param({"every": "WEEK", "until": "2020-01-01T00:00:00Z"}, id="over before it begins"),
        pytest.param({"every": "WEEK", "until": "2099-01-01T00:00:00Z", "timeZone": "Europe/Nowhere"}, id="no zone"),
        pytest.param({"every": "WEEK", "until": "2099-01-01T00:00:00Z"}, id="for ever"),
    ],
)
async def test_a_recurrence_that_cannot_be_says_so(shop: Shop, again: dict[str, Any]) -> None:
    start = rfc3339(await shop.quarter())
    payload = await change(shop, BOOK, id="service-a", mbps=50, start=start, hours=1, again=again)
    assert (code(payload), payload["userErrors"][0]["path"]) == ("BAD_RECURRENCE", ["recurrence"])


# Changing ------------------------------------------------------------------------------------------------------------


async def test_a_boost_that_has_not_begun_is_priced_anew(shop: Shop) -> None:
    boost = await booked(shop)
    payload = await change(shop, CHANGE, id=boost["id"], mbps=300)
    assert payload == {
        "boost": {"id": boost["id"], "mbps": 300, "endAt": boost["endAt"], "price": 1_200},
        "price": {"value": "12.00"},
        "userErrors": [],
    }
    longer = await change(shop, EXTEND, id=boost["id"], hours=1)
    assert (longer["boost"]["price"], longer["price"]) == (1_800, {"value": "18.00"})


async def test_a_change_that_is_tried_writes_nothing(shop: Shop) -> None:
    boost = await booked(shop)
    tried = await change(shop, CHANGE, id=boost["id"], mbps=300, dry=True)
    assert (tried["boost"], tried["price"], tried["userErrors"]) == (None, {"value": "12.00"}, [])
    assert (await shop.booked.boost(boost["id"]))["mbps"] == 200
    assert code(await change(shop, CHANGE, id=boost["id"], mbps=750, dry=True)) == "BEYOND_CONTRACT"


async def test_a_change_is_made_once_for_its_key(shop: Shop) -> None:
    boost = await booked(shop)
    for _ in range(2):
        payload = await change(shop, EXTEND, key="longer", id=boost["id"], hours=1)
        assert payload["boost"]["id"] == boost["id"]
        assert payload["price"] == {"value": "12.00"}
    stored = await shop.booked.boost(boost["id"])
    assert stored["endAt"] - stored["startAt"] == 3 * HOUR


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        pytest.param(CHANGE, {}, "MBPS_OR_TIER", id="nothing to change"),
        pytest.param(CHANGE, {"mbps": 75}, "RATE_NOT_OFFERED", id="a rate that is not sold"),
        pytest.param(CHANGE, {"mbps": 300, "tier": "M"}, "MBPS_OR_TIER", id="two rates"),
        pytest.param(CHANGE, {"mbps": 750}, "BEYOND_CONTRACT", id="beyond the contract"),
        pytest.param(CHANGE, {"end": "2020-01-01T00:00:00Z"}, "END_IN_THE_PAST", id="an end in the past"),
        pytest.param(EXTEND, {}, "HOURS_OR_END", id="no end"),
        pytest.param(EXTEND, {"hours": -1}, "NOT_AN_INTERVAL", id="shorter"),
        pytest.param(EXTEND, {"end": "2020-01-01T00:00:00Z"}, "NOT_AN_INTERVAL", id="before its end"),
        pytest.param(EXTEND, {"end": "2099-01-01T00:00:00Z"}, "BEYOND_HORIZON", id="beyond the horizon"),
    ],
)
async def test_a_change_that_cannot_be_says_why(shop: Shop, text: str, given: dict[str, Any], expected: str) -> None:
    boost = await booked(shop)
    assert code(await change(shop, text, id=boost["id"], **given)) == expected
    assert (await shop.booked.boost(boost["id"]))["mbps"] == 200


@pytest.mark.parametrize("name", ["cancelBoost", "changeBoost", "extendBoost", "approveBoost", "declineBoost"])
async def test_a_boost_that_is_anothers_is_answered_as_one_that_is_not_there(shop: Shop, name: str) -> None:
    theirs = await booked(shop, BOB, id="service-b")
    may = replace(ANNA, changes=("approveBoost", "boostBandwidth"))
    text = {"changeBoost": CHANGE, "extendBoost": EXTEND}.get(name, SIMPLE % name)
    given = {"changeBoost": {"mbps": 300}, "extendBoost": {"hours": 1}}.get(name, {})
    answers = [await shop.ask(text, may, key=shop.key(), id=each, **given) for each in (theirs["id"], "boost-zip")]
    assert answers[0] == answers[1]
    [payload] = answers[0]["data"].values()
    assert code(payload) == "BOOST_NOT_FOUND"


async def test_what_has_not_begun_is_given_back_free_of_charge(shop: Shop) -> None:
    boost = await booked(shop)
    payload = await change(shop, SIMPLE % "cancelBoost", id=boost["id"])
    assert payload["boost"] == {
        "id": boost["id"],
        "status": "TERMINATED",
        "statusReason": "DELETE_REQUESTED",
        "price": 0,
    }
    assert code(await change(shop, SIMPLE % "cancelBoost", id=boost["id"])) == "BOOST_OVER"


async def test_what_runs_is_charged_for_its_time_and_no_less_than_the_minimum(shop: Shop) -> None:
    boost = (await change(shop, BOOK, id="service-a", mbps=200, hours=5))["boost"]
    await shop.booked.tick()
    await shop.booked.answer()
    assert (await shop.booked.boost(boost["id"]))["status"] == "ACTIVATED"
    await change(shop, SIMPLE % "cancelBoost", id=boost["id"])
    await shop.booked.answer()
    stored = await shop.booked.boost(boost["id"])
    assert (stored["status"], stored["statusReason"], stored["price"]) == ("TERMINATED", "DELETE_REQUESTED", 500)


async def test_what_runs_is_priced_by_all_that_is_ordered_of_it_and_judged_by_the_cap(shop: Shop) -> None:
    boost = (await change(shop, BOOK, id="service-a", mbps=50, hours=2.5))["boost"]
    await shop.booked.tick()
    await shop.booked.answer()
    assert (await shop.booked.boost(boost["id"]))["price"] == 500
    await shop.booked.shift(HOUR)
    assert (await change(shop, EXTEND, id=boost["id"], hours=2.4))["price"] == {"value": "5.00"}
    assert (await change(shop, EXTEND, id=boost["id"], hours=2.4))["price"] == {"value": "7.30"}
    with shop.ruled(replace(SOLD, cap=SpendCap(amount=900, currency="EUR"))):
        assert code(await change(shop, EXTEND, id=boost["id"], hours=2.4)) == "SPEND_CAP"
    assert (await shop.booked.boost(boost["id"]))["price"] == 730


async def test_two_changes_at_once_add_up(shop: Shop) -> None:
    boost = await booked(shop)
    changes = (
        change(shop, CHANGE, id=boost["id"], mbps=300),
        *(change(shop, EXTEND, id=boost["id"], hours=1) for _ in range(3)),
    )
    payloads = await asyncio.gather(*changes)
    assert [each["userErrors"] for each in payloads] == [[]] * 4
    stored = await shop.booked.boost(boost["id"])
    assert (stored["mbps"], stored["endAt"] - stored["startAt"]) == (300, 5 * HOUR)
    assert stored["price"] == 3_000


async def test_an_extension_costs_where_a_faster_rate_is_refused(shop: Shop) -> None:
    boost = (await change(shop, BOOK, id="service-a", mbps=200, hours=2))["boost"]
    await shop.booked.tick()
    await shop.booked.answer()
    assert (await change(shop, CHANGE, id=boost["id"], mbps=300))["price"] == {"value": "12.00"}
    assert (await change(shop, EXTEND, id=boost["id"], hours=2))["userErrors"] == []
    await shop.booked.answer(refuse="no")
    stored = await shop.booked.boost(boost["id"])
    assert (stored["mbps"], stored["price"]) == (200, 1_600)
    assert (await change(shop, EXTEND, id=boost["id"], hours=1))["price"] == {"value": "20.00"}


async def test_above_the_cap_somebody_approves_or_declines(shop: Shop) -> None:
    with shop.ruled(replace(SOLD, cap=SpendCap(amount=799, currency="EUR"))):
        boost = await booked(shop)
        assert boost["status"] == "REQUESTED"
        refused = await shop.ask(SIMPLE % "approveBoost", ANNA, key=shop.key(), id=boost["id"])
        assert [each["extensions"]["code"] for each in refused["errors"]] == ["FORBIDDEN"]
        approved = await change(shop, SIMPLE % "approveBoost", BOSS, id=boost["id"])
        assert approved["boost"]["status"] == "SCHEDULED"
        assert code(await change(shop, SIMPLE % "approveBoost", BOSS, id=boost["id"])) == "BOOST_NOT_REQUESTED"
        other = await booked(shop, mbps=250)
        declined = await change(shop, SIMPLE % "declineBoost", OPERATOR, id=other["id"])
        assert declined["boost"]["statusReason"] == "BOOKING_DECLINED"


async def test_an_operator_takes_a_boost_back_and_nobody_else_does(shop: Shop) -> None:
    boost = await booked(shop)
    answer = await shop.ask(SIMPLE % "revokeBoost", BOSS, key=shop.key(), id=boost["id"])
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]
    payload = await change(shop, SIMPLE % "revokeBoost", OPERATOR, id=boost["id"])
    assert payload["boost"]["statusReason"] == "BOOKING_REVOKED"


@pytest.mark.sampled(8)
@pytest.mark.parametrize(
    "principal",
    [
        pytest.param(replace(ANNA, changes=()), id="a customer without the claim"),
        pytest.param(replace(ANNA, changes=("approveBoost",)), id="one who may only approve"),
        pytest.param(Principal(subject="9:issuer-a:lisa", role=Role.ANALYST), id="an analyst"),
        pytest.param(Principal(subject="9:issuer-a:desk", role=Role.SYSTEM, system="desk"), id="a system"),
    ],
)
@pytest.mark.parametrize(
    "text", [BOOK, CHANGE, EXTEND, SIMPLE % "cancelBoost"], ids=["book", "change", "extend", "cancel"]
)
async def test_who_may_not_is_refused_before_anything_runs(shop: Shop, principal: Principal, text: str) -> None:
    answer = await shop.ask(text, principal, key="k", id="service-a", mbps=200, hours=1)
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]
    assert "data" not in answer


async def test_changes_of_two_areas_are_made_in_the_order_of_the_document(shop: Shop) -> None:
    text = """mutation($id: ID!) {
      first: boostBandwidth(serviceId: $id, mbps: 50, hours: 1, idempotencyKey: "two-1") { boost { id service { name } } }
      problem: reportProblem(serviceId: $id, description: "slow", idempotencyKey: "two-2") { userErrors { code } }
      second: boostBandwidth(serviceId: $id, mbps: 100, hours: 1, idempotencyKey: "two-3") { boost { mbps } }
    }"""
    anna = replace(ANNA, changes=("boostBandwidth", "reportProblem"))
    data = await shop.data(text, anna, id="service-a")
    assert [*data] == ["first", "problem", "second"]
    assert data["first"]["boost"]["service"] == {"name": "service-a"}
    assert data["problem"] == {"userErrors": [{"code": "NO_TICKETING"}]}
    assert data["second"] == {"boost": {"mbps": 100}}
