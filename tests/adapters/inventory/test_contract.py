"""What every dialect of inventory must do, against the stand-in."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from lxml import etree

from adapters.errors import AdapterError, Busy, Nonsense, Rejected, TimedOut, Unreachable
from adapters.inventory import ResourceOrder, mtosi_resource
from adapters.inventory.outbound.mtosi import Mtosi, update
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.journal import read_journal
from graph.model.resource import Resource
from tests.adapters.conftest import asking, http, saying
from tests.adapters.inventory.dialects import DIALECTS, Told, telling
from tests.adapters.inventory.test_codecs import elements, schema

OURS = "card-7d"
CARD = Resource(
    kind="Card",
    name=OURS,
    inside="N1",
    properties={
        "name": "Köln 1/3",
        "model": "LC",
        "slot": 3,
        "operationalState": "enabled",
        "administrativeState": "locked",
    },
)
KINDS = (
    Resource(
        kind="NetworkElement", name="element", inside="Köln", properties={"name": "n", "vendor": "Acme", "role": "x"}
    ),
    CARD,
    Resource(kind="Port", name="port", inside="K", properties={"name": "p", "number": 1, "speedMbps": 10}),
    Resource(kind="Trunk", name="trunk", ends=("a", "z"), properties={"name": "t", "capacityMbps": 9}),
)


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


def order(resource: Resource, ours: str = OURS) -> ResourceOrder:
    return ResourceOrder(ours=ours, resource=resource)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.fixture(params=DIALECTS)
async def told(request: pytest.FixtureRequest, journal: Path) -> AsyncIterator[Told]:
    async with telling(request.param, journal) as found:
        yield found


@pytest.mark.parametrize("resource", KINDS, ids=lambda each: each.kind)
async def test_what_is_made_is_found_by_our_id_and_is_what_was_told(told: Told, resource: Resource) -> None:
    ours = resource.name
    assert await told.inventory.find(order(resource, ours), deadline=soon()) is None
    name = await told.inventory.create(order(resource, ours), delivery_id="d", deadline=soon())
    assert await told.inventory.find(order(resource, ours), deadline=soon()) == name
    [kept] = told.kept()
    assert (kept.kind, kept.inside, kept.ends) == (resource.kind, resource.inside, resource.ends)
    assert kept.properties == resource.properties
    assert await told.inventory.find(order(resource, "card-other"), deadline=soon()) is None


async def test_only_what_is_told_is_changed(told: Told) -> None:
    told.put(Resource(kind="Card", name="K1", inside="N1", properties={**CARD.properties, "model": "old"}))
    change = Resource(kind="Card", name="K1", properties={"model": "new"})
    await told.inventory.amend(order(change), delivery_id="d", deadline=soon())
    kept = told.named("K1")
    assert kept.properties == {**CARD.properties, "model": "new"}
    assert kept.inside == "N1"
    moved = Resource(kind="Card", name="K1", inside="N2", properties={"slot": 5})
    await told.inventory.amend(order(moved), delivery_id="d", deadline=soon())
    kept = told.named("K1")
    assert (kept.inside, kept.properties["slot"], kept.properties["model"]) == ("N2", 5, "new")


async def test_a_trunk_gets_other_ends(told: Told) -> None:
    told.put(KINDS[3])
    await told.inventory.amend(
        order(Resource(kind="Trunk", name="trunk", ends=("b", "y"))), delivery_id="d", deadline=soon()
    )
    assert told.named("trunk").ends == ("b", "y")
    assert told.named("trunk").properties == KINDS[3].properties


async def test_what_is_gone_cannot_be_changed_but_can_be_gone_again(told: Told) -> None:
    told.put(CARD)
    await told.inventory.remove(order(CARD), delivery_id="d", deadline=soon())
    assert told.kept() == []
    await told.inventory.remove(order(CARD), delivery_id="d", deadline=soon())
    with pytest.raises(Rejected) as caught:
        await told.inventory.amend(order(CARD), delivery_id="d", deadline=soon())
    assert caught.value.status == 404


async def test_a_change_that_was_acted_upon_is_in_the_journal(told: Told, journal: Path) -> None:
    await told.inventory.create(order(CARD), delivery_id="event-9:inventory:card-7d", deadline=soon())
    [entry] = read_journal(journal)
    assert entry["method"] == "POST"
    if told.dialect == "tmf639":
        assert (entry["name"], entry["idempotencyKey"]) == ("Köln 1/3", "event-9:inventory:card-7d")


@pytest.mark.parametrize(
    ("kind", "error", "heard"),
    [
        (Kind.DOWN, Unreachable, False),
        (Kind.ERROR, Busy, False),
        (Kind.UNAVAILABLE, Busy, False),
        (Kind.TOO_MANY, Busy, False),
        (Kind.SILENT, Unreachable, True),
        (Kind.TRUNCATED, Unreachable, True),
        (Kind.HTML, Nonsense, False),
    ],
)
async def test_whatever_goes_wrong_is_an_error_of_ours(
    told: Told, kind: Kind, error: type[AdapterError], *, heard: bool
) -> None:
    told.system.faults.order(Rule(kind=kind, times=1, method="POST"))
    with pytest.raises(error):
        await told.inventory.create(order(CARD), delivery_id="d", deadline=soon())
    assert bool(told.kept()) is heard
    found = await told.inventory.find(order(CARD), deadline=soon())
    assert (found is not None) is heard


async def test_one_that_takes_too_long_has_timed_out(told: Told) -> None:
    told.system.faults.order(Rule(kind=Kind.SLOW, times=1, seconds=0.4))
    with pytest.raises(TimedOut):
        await told.inventory.create(order(CARD), delivery_id="d", deadline=soon(0.1))


async def test_an_answer_about_something_else_is_nonsense(told: Told) -> None:
    name = await told.inventory.create(order(CARD), delivery_id="d", deadline=soon())
    told.system.faults.order(Rule(kind=Kind.FOREIGN))
    with pytest.raises(Nonsense):
        await told.inventory.find(order(CARD), deadline=soon())
    changed = Resource(kind="Card", name=name, properties={"model": "x"})
    with pytest.raises(Nonsense):
        await told.inventory.amend(order(changed), delivery_id="d", deadline=soon())


async def test_what_others_have_beside_ours_stays() -> None:
    async with telling("tmf639") as told:
        theirs = [{"name": "colour", "value": "red"}]
        rest = [{"relationshipType": "contains", "resource": {"id": "P1", "href": "P1"}}]
        told.put(CARD, note=[{"text": "dusty"}], resourceCharacteristic=theirs, resourceRelationship=rest)
        await told.inventory.amend(order(CARD), delivery_id="d", deadline=soon())
        [kept] = told.system.resources.all()
        assert kept["note"] == [{"text": "dusty"}]
        assert theirs[0] in kept["resourceCharacteristic"]
        assert rest[0] in kept["resourceRelationship"]
        assert len(kept["resourceRelationship"]) == 2


FAULT = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
    "<faultcode>s:{}</faultcode><faultstring>why</faultstring></s:Fault></s:Body></s:Envelope>"
)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (FAULT.format("Client"), Rejected),
        (FAULT.format("Client.Wrong"), Rejected),
        (FAULT.format("Server"), Busy),
        (FAULT.format("MustUnderstand"), Rejected),
        (FAULT.format("Client").replace("s:Fault", "s:Other"), Busy),
        ("<html/>", Busy),
        ("", Busy),
    ],
)
async def test_a_soap_fault_is_a_refusal_where_we_are_to_blame(body: str, error: type[AdapterError]) -> None:
    said = http("500 Internal Server Error", body.encode(), "Content-Type: text/xml")
    async with saying(said) as server, asking(server.address) as transport:
        with pytest.raises(AdapterError) as caught:
            await Mtosi(transport).create(order(CARD), delivery_id="d", deadline=soon())
    assert type(caught.value) is error


ELEMENT, IN_ELEMENT = "MD=north;ME=W9", "MD=north;ME=W9;EH=/shelf=1/slot=3;EQ=1"


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        (Resource(kind="Card", name=OURS, inside=ELEMENT), f"MD=north;ME=W9;EQ={OURS}"),
        (Resource(kind="Port", name=OURS, inside=IN_ELEMENT), f"MD=north;ME=W9;PTP={OURS}"),
        (Resource(kind="Trunk", name=OURS, ends=(f"{ELEMENT};PTP=1", f"{ELEMENT};PTP=2")), f"MD=north;TL={OURS}"),
        (Resource(kind="Port", name=OURS, inside="K1"), OURS),
        (Resource(kind="NetworkElement", name=OURS), OURS),
    ],
    ids=lambda each: each.kind if isinstance(each, Resource) else "",
)
async def test_what_is_made_by_mtosi_is_named_within_its_element(resource: Resource, name: str) -> None:
    async with telling("mtosi") as told:
        assert await told.inventory.create(order(resource), delivery_id="d", deadline=soon()) == name
        assert await told.inventory.find(order(resource), deadline=soon()) == name
        assert told.named(name).inside == resource.inside


async def test_the_layout_round_a_thing_says_what_it_lies_in() -> None:
    changed = Resource(kind="Card", name=IN_ELEMENT, inside=ELEMENT, properties={"slot": 3})
    root = update(order(changed))
    said = {etree.QName(each).localname: each.text for each in root.iter() if str(each.tag).endswith("Nm")}
    assert said == {"mdNm": "north", "meNm": "W9", "ehNm": "/shelf=1/slot=3"}
    updates = schema("ManageResourceInventory/IIS/xsd/ResourceInventoryUpdateMessages.xsd")
    assert updates.validate(root), updates.error_log


async def test_what_an_earlier_version_made_by_our_id_alone_is_found() -> None:
    async with telling("mtosi") as told:
        resource = Resource(kind="Port", name=OURS, inside=IN_ELEMENT)
        told.system.resources.merge(mtosi_resource.write(resource, OURS))
        assert await told.inventory.find(order(resource), deadline=soon()) == OURS


async def test_what_others_extend_stays_in_mtosi() -> None:
    async with telling("mtosi") as told:
        told.put(CARD)
        [element] = told.system.resources.elements("eq")
        [extensions] = element.iter("{http://www.tmforum.org/mtop/fmw/xsd/coi/v1}vendorExtensions")
        etree.SubElement(extensions, "{urn:vendor}colour").text = "red"
        await told.inventory.amend(order(CARD), delivery_id="d", deadline=soon())
        [element] = told.system.resources.elements("eq")
        assert element.findtext(".//{urn:vendor}colour") == "red"


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_full_feed_of_the_stand_in_has_all_that_it_was_told(dialect: str) -> None:
    async with telling(dialect) as told, httpx.AsyncClient(base_url=told.system.address) as client:
        made = [
            replace(each, name=await told.inventory.create(order(each, each.name), delivery_id="d", deadline=soon()))
            for each in KINDS
        ]
        if dialect == "tmf639":
            lines = (await client.get("/../../../feed.ndjson")).text.splitlines()
            assert len(lines) == len(KINDS)
        else:
            body = (await client.get("/../../../feed.xml")).content
            assert sorted(elements(body), key=lambda each: each.name) == sorted(made, key=lambda each: each.name)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_what_the_stand_in_was_told_is_there_in_another_life(dialect: str, tmp_path: Path) -> None:
    async with telling(dialect, state=tmp_path / "state") as told:
        for each in KINDS:
            await told.inventory.create(order(each, each.name), delivery_id="d", deadline=soon())
        gone = told.kept()[0]
        await told.inventory.remove(ResourceOrder(ours="element", resource=gone), delivery_id="d", deadline=soon())
        kept = told.kept()
    assert len(kept) == len(KINDS) - 1
    async with telling(dialect, state=tmp_path / "state") as again:
        assert again.kept() == kept
        await again.inventory.create(order(KINDS[0], "new"), delivery_id="d", deadline=soon())
        assert len(again.kept()) == len(KINDS)


async def test_what_the_stand_in_answers_is_as_the_published_schema_says() -> None:
    async with telling("mtosi") as told, httpx.AsyncClient() as client:
        for each in KINDS:
            name = await told.inventory.create(order(each, each.name), delivery_id="d", deadline=soon())
            await told.inventory.amend(order(replace(each, name=name), each.name), delivery_id="d", deadline=soon())
        body = (await client.get(told.system.mtosi.removesuffix("/mtosi") + "/feed.xml")).content
        answers = schema("ManageResourceInventory/IIS/xsd/ResourceInventoryRetrievalMessages.xsd")
        assert answers.validate(etree.fromstring(body)), answers.error_log
