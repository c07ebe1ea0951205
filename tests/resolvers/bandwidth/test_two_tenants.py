"""What a customer learns of others through bandwidth is on a list that was reviewed, and no more than it says; all else is the same to
the byte, whether others have booked or not.

The list: the highest rate that fits and what limits it, whether what was asked for fits, which tiers do, the availability curve, the
alternatives, and whether a booking is declined. Each is rounded down to rates on offer and whole quarter hours.
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from graph.compiler.leaves import rfc3339
from tests.graph.changes.bandwidth.network import ANNA, BOB
from tests.resolvers.bandwidth.conftest import HOUR, QUARTER, TARIFF, Shop
from tests.resolvers.bandwidth.test_booking import BOOK, CHANGE, EXTEND, SIMPLE, booked, change
from tests.resolvers.bandwidth.test_quoting import ASK, quote

REVIEWED: Final = frozenset({"id", "fits", "mostMbps", "limitedBy", "tiers", "alternatives", "availability"})
"""The fields of a quote that may tell of others; of tiers only whether they fit."""
OWN: Final = """{
  services { nodes { id committedMbps bookedMbps effectiveMbps } } boosts { totalCount nodes { id mbps status startAt endAt price
    steps { totalCount nodes { name boundary system state } } } }
}"""
_CHANCE: Final = re.compile(r"(boost|processstep)-[0-9a-f-]{36}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
LITTLE: Final = 100


def normal(answer: dict[str, Any]) -> bytes:
    """Give the bytes of an answer; ids of chance and times of the clock count only by their order."""
    ids: dict[str, str] = {}
    text = orjson.dumps(answer).decode()
    for pattern in (_CHANCE, _TIME):
        text = pattern.sub(lambda found: ids.setdefault(found[0], f"{len(ids)}"), text)
    return text.encode()


async def others_book(shop: Shop, start: int) -> None:
    """Let Bob take most of what is shared with Anna, and change and end some of it."""
    first = await booked(shop, BOB, id="service-b", start=rfc3339(start), mbps=500, hours=3)
    await booked(shop, BOB, id="service-c", start=rfc3339(start + HOUR), mbps=250, hours=1)
    gone = await booked(shop, BOB, id="service-b", start=rfc3339(start + 5 * HOUR), mbps=100, hours=1)
    await change(shop, EXTEND, BOB, id=first["id"], hours=0.5)
    await change(shop, SIMPLE % "cancelBoost", BOB, id=gone["id"])


async def story(shop: Shop, start: int) -> list[bytes]:
    """Give all that Anna is answered: what she books fits beside whatever Bob has."""
    found = [await shop.ask(OWN, ANNA)]
    given = {"id": "service-a", "mbps": LITTLE, "start": rfc3339(start), "hours": 2}
    asked = (await shop.data(ASK, ANNA, **given))["quoteBandwidth"]
    found.append({name: value for name, value in asked["quote"].items() if name not in REVIEWED})
    found.append(
        {"tiers": [{name: each[name] for name in ("name", "mbps", "price")} for each in asked["quote"]["tiers"]]}
    )
    payload = await shop.ask(BOOK, ANNA, key=shop.key(), **given)
    found.append(payload)
    boost = payload["data"]["boostBandwidth"]["boost"]["id"]
    found.append(await shop.ask(CHANGE, ANNA, key=shop.key(), id=boost, mbps=LITTLE // 2))
    found.append(await shop.ask(EXTEND, ANNA, key=shop.key(), id=boost, hours=0.25))
    found.append(await shop.ask(OWN, ANNA))
    found.append(await shop.ask(SIMPLE % "cancelBoost", ANNA, key=shop.key(), id=boost))
    for beyond in ({"mbps": 750}, {"mbps": 75}, {"id": "service-b"}):
        refused = await shop.ask(BOOK, ANNA, key=shop.key(), **{**given, **beyond})
        refused["data"]["boostBandwidth"].pop("alternatives")
        found += [refused]
    return [normal(each) for each in found]


async def test_all_else_is_the_same_to_the_byte_with_and_without_what_others_book(shop: Shop) -> None:
    start = await shop.quarter(4)
    alone = await story(shop, start)
    await shop.booked.run("MATCH (b:Boost) OPTIONAL MATCH (p:ProcessStep)-[:STEP_OF]->(b) DETACH DELETE b, p")
    await shop.booked.run("MATCH (d:Delivery) DETACH DELETE d")
    await shop.booked.run("MATCH (s:Service {id: 'service-a'}) SET s.bookedMbps = null")
    await others_book(shop, start)
    assert await story(shop, start) == alone


async def test_what_is_on_the_list_is_rounded_to_rates_on_offer_and_whole_quarters(shop: Shop) -> None:
    start = await shop.quarter(2)
    await shop.booked.run("MATCH (s:Service {id: 'service-b'}) SET s.committedMbps = 113")  # no multiple of a step
    await booked(shop, BOB, id="service-b", start=rfc3339(start + 61_000), mbps=550, hours=1.51)
    found = await quote(shop, mbps=500, start=rfc3339(start), hours=1)
    seen = {found["mostMbps"], *(each["mbps"] for each in (*found["availability"], *found["alternatives"]))}
    assert 200 in seen  # 237 are free
    assert all(each % TARIFF.step_mbps == 0 for each in seen)
    times = [each[name] for each in found["availability"] for name in ("from", "to")]
    times += [each["startAt"] for each in found["alternatives"] if each["kind"] != "SMALLER_RATE"]
    quarters = {rfc3339(start - start % (24 * HOUR) + number * QUARTER) for number in range(-96, 4 * 96)}
    assert set(times) <= quarters
    text = orjson.dumps(found).decode()
    assert not any(secret in text for secret in ("trunk", "port-", "service-b", "customer-b", "237", "113"))


async def test_moving_a_question_by_seconds_tells_nothing_more(shop: Shop) -> None:
    start = await shop.quarter(2)
    await booked(shop, BOB, id="service-b", start=rfc3339(start + 300_000), mbps=600, hours=1)
    told = []
    for seconds in (0, 1, 299, 301, 600, 899):
        found = await quote(shop, mbps=500, start=rfc3339(start - HOUR + seconds * 1_000), hours=1)
        told.append((found["fits"], found["mostMbps"], orjson.dumps(found["availability"])))
    assert told[0][0]  # it ends where the quarter begins in which Bob's begins
    assert len({*told[1:]}) == 1


async def test_a_decline_tells_no_more_than_a_quote(shop: Shop) -> None:
    start = await shop.quarter(2)
    await booked(shop, BOB, id="service-b", start=rfc3339(start + 300_000), mbps=600, hours=1)
    for minutes in (1, 3, 5, 7, 15):
        given = {"id": "service-a", "mbps": 500, "start": rfc3339(start - HOUR + minutes * 60_000), "hours": 1}
        fits = (await quote(shop, **given))["fits"]
        declined = await change(shop, BOOK, **given, dry=True)
        assert ([each["code"] for each in declined["userErrors"]] == []) is fits, minutes
