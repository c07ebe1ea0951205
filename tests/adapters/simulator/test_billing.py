from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from adapters.simulator.billing.billing import PATHS, BillingSystem, serving
from adapters.simulator.billing.records import BILL, PROBLEM, RATE, USAGE
from adapters.simulator.journal import read_journal
from tests.adapters.schema import published

BODY: dict[str, Any] = {
    "usageDate": "2026-01-01T00:00:00Z",
    "usageSpecification": {"id": "s"},
    "usageCharacteristic": [{"name": "externalId", "value": "usage-1"}, {"name": "octets", "value": "7"}],
}
BROKEN: dict[str, Any] = {
    "category": "serviceProvider.declarer",
    "priority": 1,
    "description": "It is down",
    "reason": "Unknown",
    "originatorParty": {"id": "us", "@referredType": "Organization"},
}
XML = {"Content-Type": "application/xml"}


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
async def system(journal: Path) -> AsyncIterator[BillingSystem]:
    async with serving(journal=journal) as found:
        yield found


@pytest.fixture
async def person(system: BillingSystem) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=system.address) as client:
        yield client


async def test_two_posts_are_two_records(person: httpx.AsyncClient, journal: Path) -> None:
    made = [(await person.post(PATHS[USAGE], json=BODY, headers={"Idempotency-Key": "k"})) for _ in range(2)]
    assert [each.status_code for each in made] == [201, 201]
    assert made[0].headers["location"] == made[0].json()["href"]
    assert (await person.get(made[0].json()["href"])).json() == made[0].json()
    assert [*published("Usage", 635).iter_errors(made[0].json())] == []
    assert [each["id"] for each in read_journal(journal)] == [each.json()["id"] for each in made]


async def test_a_record_is_found_by_what_stands_in_its_characteristics(person: httpx.AsyncClient) -> None:
    for number in range(3):
        named = [{"name": "externalId", "value": f"usage-{number}"}]
        await person.post(PATHS[USAGE], json={**BODY, "usageCharacteristic": named})
    found = await person.get(PATHS[USAGE], params={"usageCharacteristic.value": "usage-2"})
    assert [each["id"] for each in found.json()] == ["USG-00000003"]
    page = await person.get(PATHS[USAGE], params={"limit": 2, "fields": "status"})
    assert (page.status_code, "next" in page.links, len(page.json())) == (206, True, 2)


async def test_a_problem_is_changed_by_a_merge_patch(person: httpx.AsyncClient) -> None:
    made = (await person.post(PATHS[PROBLEM], json=BROKEN)).json()
    assert [*published("ServiceProblem", 656).iter_errors(made)] == []
    patch = {"status": "resolved", "resolutionDate": "2026-01-01T00:00:00Z"}
    changed = (await person.patch(made["href"], json=patch)).json()
    assert changed == {**made, **patch}
    assert (await person.patch(made["href"], json={"reason": None})).status_code == 400
    assert (await person.patch(made["href"], json={"id": "x"})).status_code == 400
    assert (await person.patch(f"{PATHS[PROBLEM]}/none", json=patch)).status_code == 404


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        (USAGE, {**BODY, "status": "lost"}, "status"),
        (USAGE, {**BODY, "usageDate": "2026-01-01"}, "usageDate"),
        (USAGE, {**BODY, "usageCharacteristic": {}}, "usageCharacteristic"),
        (USAGE, {**BODY, "usageCharacteristic": [{"name": "a"}]}, "usageCharacteristic[0].value"),
        (USAGE, [], ""),
        (PROBLEM, {**BROKEN, "reason": None}, "reason"),
        (PROBLEM, {**BROKEN, "status": "lost"}, "status"),
        (PROBLEM, {**BROKEN, "creationDate": "now"}, "creationDate"),
    ],
)
async def test_what_is_no_record_is_refused_by_the_field(
    person: httpx.AsyncClient, journal: Path, kind: str, body: Any, field: str
) -> None:
    answer = await person.post(PATHS[kind], json=body)
    assert answer.status_code == 400
    assert answer.json().get("message", "").partition(": ")[0] == field
    assert read_journal(journal) == []


async def test_a_document_is_replaced_under_its_name(system: BillingSystem, person: httpx.AsyncClient) -> None:
    first = await person.put("/ipdr/a.xml", content=b"<a/>", headers=XML)
    second = await person.put("/ipdr/a.xml", content=b"<b/>", headers=XML)
    assert (first.status_code, second.status_code) == (201, 204)
    assert system.records.documents == {"a.xml": b"<b/>"}
    assert (await person.get("/ipdr/a.xml")).content == b"<b/>"
    assert (await person.get("/ipdr/none.xml")).status_code == 404
    assert (await person.put("/ipdr/c.xml", content=b"<c>", headers=XML)).status_code == 400
    assert (
        await person.put("/ipdr/c.xml", content=b"{}", headers={"Content-Type": "application/json"})
    ).status_code == 415
    assert list(system.records.documents) == ["a.xml"]


async def test_what_it_keeps_is_there_in_the_next_life(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with serving(state=state) as first, httpx.AsyncClient(base_url=first.address) as person:
        await person.post(PATHS[USAGE], json=BODY)
        await person.put("/ipdr/a.xml", content=b"<a/>", headers=XML)
        first.bill("acc-1", {"billNo": "1"}, [{"name": "r"}])
    async with serving(state=state) as second, httpx.AsyncClient(base_url=second.address) as person:
        assert [
            len((await person.get(path)).json()) for path in (PATHS[each] for each in (USAGE, PROBLEM, BILL, RATE))
        ] == [1, 0, 1, 1]
        assert second.records.documents == {"a.xml": b"<a/>"}
        assert (await person.post(PATHS[USAGE], json=BODY)).json()["id"] == "USG-00000002"


async def test_strangers_are_sent_away() -> None:
    async with serving(bearer=SecretStr("known")) as system, httpx.AsyncClient(base_url=system.address) as person:
        assert (await person.get(PATHS[USAGE])).status_code == 401
        assert (await person.post(PATHS[USAGE], json=BODY)).status_code == 401
        assert (await person.put("/ipdr/a.xml", content=b"<a/>", headers=XML)).status_code == 401
        assert (await person.get(PATHS[USAGE], headers={"Authorization": "Bearer known"})).status_code == 200


async def test_too_much_is_refused(person: httpx.AsyncClient) -> None:
    assert (await person.post(PATHS[USAGE], json={**BODY, "description": "x" * 2_000_000})).status_code == 413
    assert (await person.post("/simulator/bills", json={"bill": {}})).status_code == 400
