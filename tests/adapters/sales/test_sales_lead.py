"""A lead is in sales once, under our id, with its evidence; and what sales makes of it is known here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from adapters.delivery.delivery import Lanes, Pace
from adapters.errors import AdapterError, Busy, Nonsense, NotAdmitted, Rejected
from adapters.sales import LeadOrder, Named, Sales
from adapters.sales.delivery_handler import SalesHandler, order_of
from adapters.sales.outbound.sales_lead import RESOURCE, SalesLeads, lead_body
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.journal import read_journal
from adapters.simulator.manners import Manners
from adapters.simulator.sales.sales import SalesSystem, serving
from adapters.transport.transport import System, opened
from graph.changes import events
from graph.changes.events import Event
from graph.ledger.outbox import Told, write_down
from graph.store.store import Store, Transaction
from tests.adapters.conftest import JSON, asking, http, saying, soon
from tests.adapters.delivery.test_delivery import until
from tests.adapters.schema import published
from tests.graph.changes.network import AT, Laid, lay

SYSTEM = "sales"
PACE = Pace(request_seconds=1.0, processing_seconds=1.0)
DAY = 86_400_000
ORDER = LeadOrder(
    id="lead-1",
    reason="boosts",
    evidence=("3 boosts in 30 days", "the last of 500 Mbit/s"),
    service=Named(id="service-a", name="Ada's <line>"),
    customer=Named(id="customer-a", name="Ada"),
    at=AT,
    until=AT + 90 * DAY,
)


class Side:
    """The stand-in, and our client of it."""

    def __init__(self, system: SalesSystem, sales: Sales) -> None:
        self.system, self.sales = system, sales

    async def tell(self, order: LeadOrder = ORDER, *, again: bool = False) -> str:
        return (await self.sales.tell(order, again=again, delivery_id="event-1:sales:lead-1", deadline=soon())).id


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture(params=["polite", "otherwise"])
async def side(request: pytest.FixtureRequest, journal: Path) -> AsyncIterator[Side]:
    manners = Manners() if request.param == "polite" else Manners(links=False, counts=True, most=1, tags=False)
    async with (
        serving(journal=journal, manners=manners) as system,
        opened(System(name=SYSTEM, address=system.address, failures=1_000)) as transport,
    ):
        yield Side(system, SalesLeads(transport))


async def decide(system: SalesSystem, known_as: str, status: str) -> None:
    """Somebody in sales decides."""
    async with httpx.AsyncClient() as person:
        answer = await person.patch(f"{system.address}/{RESOURCE}/{known_as}", json={"status": status})
        assert answer.status_code == 200, answer.text


async def test_a_lead_is_there_with_its_evidence_under_our_id(side: Side) -> None:
    known_as = await side.tell()
    [lead] = side.system.leads.all()
    assert (lead["id"], lead["status"], lead["category"]) == (known_as, "acknowledged", "boosts")
    assert lead["externalIdentifier"] == [{"id": "lead-1", "owner": "trunkline", "externalIdentifierType": "lead"}]
    assert [each["text"] for each in lead["note"]] == list(ORDER.evidence)
    assert (lead["relatedParty"][0]["id"], lead["relatedEntity"][0]["id"]) == ("customer-a", "service-a")


def test_the_members_that_other_published_apis_have_are_as_they_have_them() -> None:
    body = lead_body(ORDER)
    for definition, api, member in (
        ("RelatedParty", 621, "relatedParty"),
        ("RelatedEntity", 621, "relatedEntity"),
        ("Note", 621, "note"),
        ("ExternalIdentifier", 656, "externalIdentifier"),
    ):
        for each in body[member]:
            assert [*published(definition, api).iter_errors(each)] == []
    assert [*published("TimePeriod", 657).iter_errors(body["validFor"])] == []
    assert lead_body(replace(ORDER, customer=None))["relatedParty"] == []


async def test_told_again_it_is_still_one_lead_and_keeps_what_sales_made_of_it(side: Side) -> None:
    known_as = await side.tell()
    await decide(side.system, known_as, "accepted")
    assert await side.tell(again=True) == known_as
    assert [each["status"] for each in side.system.leads.all()] == ["accepted"]


@pytest.mark.parametrize("kind", [Kind.SILENT, Kind.TRUNCATED, Kind.DOWN, Kind.ERROR])
async def test_an_answer_that_was_lost_makes_no_second_lead(side: Side, kind: Kind, journal: Path) -> None:
    side.system.faults.order(Rule(kind=kind, times=1, method="POST"))
    with suppress(AdapterError, TimeoutError):
        await asyncio.wait_for(side.tell(), 1)
    await side.tell(again=True)
    assert len(side.system.leads.all()) == 1
    assert len(read_journal(journal)) == 1


async def test_what_became_of_leads_is_read_by_our_ids(side: Side) -> None:
    names = {each: await side.tell(replace(ORDER, id=each)) for each in ("lead-1", "lead-2", "lead-3")}
    side.system.leads.create({"name": "theirs", "externalIdentifier": [{"id": "lead-1", "owner": "somebody"}]})
    await decide(side.system, names["lead-2"], "rejected")
    found = await side.sales.leads(["lead-1", "lead-2", "lead-9"], deadline=soon())
    assert {each.ours: (each.id, each.state) for each in found} == {
        "lead-1": (names["lead-1"], "acknowledged"),
        "lead-2": (names["lead-2"], "rejected"),
    }


@pytest.mark.parametrize(
    ("kind", "error"), [(Kind.UNAUTHORIZED, NotAdmitted), (Kind.UNPROCESSABLE, Rejected), (Kind.UNAVAILABLE, Busy)]
)
async def test_what_is_refused_is_said_as_what_it_is(side: Side, kind: Kind, error: type[AdapterError]) -> None:
    side.system.faults.order(Rule(kind=kind, times=1))
    with pytest.raises(error):
        await side.tell()


@pytest.mark.parametrize(
    "lead",
    [
        pytest.param({**lead_body(replace(ORDER, id="lead-2")), "id": "L"}, id="another lead"),
        pytest.param({"id": "L", "externalIdentifier": [{"id": "lead-1", "owner": "x"}]}, id="of another owner"),
        pytest.param(lead_body(ORDER), id="without an id"),
        pytest.param([lead_body(ORDER)], id="no object"),
    ],
)
async def test_an_answer_about_something_else_is_never_believed(lead: Any) -> None:
    said = http("201 Created", orjson.dumps(lead), JSON)
    async with saying(said) as server, asking(server.address) as transport:
        with pytest.raises(Nonsense):
            await SalesLeads(transport).tell(ORDER, again=False, delivery_id="d", deadline=soon())


async def test_a_state_in_words_of_their_own_is_not_guessed() -> None:
    lead = {**lead_body(ORDER), "id": "L", "status": "gewonnen"}
    async with saying(http("200 OK", orjson.dumps([lead]), JSON)) as server, asking(server.address) as transport:
        [found] = await SalesLeads(transport).leads(["lead-1"], deadline=soon())
    assert (found.id, found.state) == ("L", None)


# Told by the ledger, and read back --------------------------------------------------------------------------------------

PAYLOAD: dict[str, Any] = {
    "telling": "lead",
    "id": "lead-1",
    "reason": "boosts",
    "evidence": ["3 boosts in 30 days", {"boost": "boost-1", "mbps": 400}],
    "customer": {"id": "customer-a", "name": "a"},
    "service": {"id": "service-a", "name": "service-a"},
    "at": AT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A lead, sales, and the process that tells it."""

    laid: Laid
    system: SalesSystem

    @asynccontextmanager
    async def process(self) -> AsyncIterator[SalesHandler]:
        async with opened(System(name=SYSTEM, address=self.system.address, failures=1_000)) as transport:
            teller = SalesHandler(
                store=self.laid.store,
                sales=SalesLeads(transport),
                system=SYSTEM,
                poll_seconds=0.1,
                processing_seconds=PACE.processing_seconds,
            )
            task = asyncio.create_task(Lanes(self.laid.store, teller, PACE, owner="one", note=lambda *_: None).run())
            try:
                yield teller
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def state(self) -> tuple[Any, ...]:
        rows = await self.laid.rows("MATCH (l:Lead {id: 'lead-1'}) RETURN l.state, l.system, l.externalId")
        return tuple(rows[0])


@pytest.fixture
async def scene(empty_store: Store) -> AsyncIterator[Scene]:
    await lay(empty_store)
    laid = Laid(store=empty_store)
    await laid.run("CREATE (:Lead {id: 'lead-1', reason: 'boosts', at: $at})", at=AT)
    event = Event(
        type="ServiceRateChanged",
        aggregate_id="service-a",
        aggregate_version=1,
        at=AT,
        principal="trunkline",
        payload={},
        customers=(),
    )

    async def work(transaction: Transaction) -> None:
        events.append(transaction, event)
        told = Told(event=event.id, system=SYSTEM, subject="lead-1", order_key="lead-1", payload=PAYLOAD)
        write_down(transaction, [told])

    await laid.store.write(work, deadline=soon())
    async with serving() as system:
        yield Scene(laid=laid, system=system)


@pytest.mark.parametrize("rules", [[], [Rule(kind=Kind.SILENT, times=1, method="POST")]], ids=["well", "answer lost"])
async def test_a_lead_gets_there_once_and_its_decision_comes_back(scene: Scene, rules: list[Rule]) -> None:
    scene.system.faults.order(*rules)
    async with scene.process():

        async def is_known() -> bool:
            return (await scene.state())[2] is not None

        await until(is_known)
        [lead] = scene.system.leads.all()
        assert await scene.state() == ("acknowledged", SYSTEM, lead["id"])
        assert [each["text"] for each in lead["note"]] == ["3 boosts in 30 days", "boost boost-1, mbps 400"]
        for status in ("inProgress", "accepted"):
            await decide(scene.system, str(lead["id"]), status)

            async def is_read(wanted: str = status) -> bool:
                return bool((await scene.state())[0] == wanted)

            await until(is_read)


async def test_what_is_decided_is_not_looked_at_any_more(scene: Scene) -> None:
    await scene.laid.run("MATCH (l:Lead) SET l.system = 'sales', l.externalId = 'LEAD-9', l.state = 'rejected'")
    lead = scene.system.leads.create(lead_body(ORDER))
    async with scene.process() as teller:
        await teller.look()
    assert lead["status"] == "acknowledged"
    assert (await scene.state())[0] == "rejected"


def test_what_is_no_lead_is_refused() -> None:
    with pytest.raises(ValueError, match="sales is told of leads"):
        order_of({**PAYLOAD, "telling": "usage"}, 90)
    order = order_of(PAYLOAD, 10)
    assert (order.until - order.at, order.customer) == (10 * DAY, Named(id="customer-a", name="a"))
