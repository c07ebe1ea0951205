"""The gateway as a process: its command, its doors, its schema, and documents that make no sense."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from graphql import parse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gateway.cli import run
from gateway.errors import CommandFailed, SettingsBroken
from gateway.federation.federation import Federation
from gateway.federation.planning import Budget, Planner
from gateway.federation.planning.normalize import Normalized
from gateway.federation.planning.plan import QueryPlan
from gateway.federation.subgraph import Operation, Subgraph
from gateway.federation.supergraph_sdl import read_supergraph
from gateway.http.serving import bound, listening
from gateway.preparing.cache import SharedCache
from gateway.preparing.new_work import UNMETERED, NewWork
from gateway.preparing.preparing import Preparing
from gateway.settings.settings import Limits, Settings
from gateway.settings.subgraph import FederationSettings
from gateway.standalone import application
from graph.model.scope import Principal, Role
from tests.gateway.allowances import preparing
from tests.gateway.conftest import Mint
from tests.gateway.federation.conftest import SUPERGRAPH, Subgraphs, ask, gateway
from tests.gateway.federation.planning.simulated import SimulatedSubgraph
from tests.gateway.federation.planning.test_cases import FOLDER
from tests.gateway.federation.planning.world import world_of
from tests.gateway.http.test_wild import JSON_VALUE
from tests.selection import examples

WORDS = [
    *["{", "}", "(", ")", "[", "]", ":", "!", "$", "@", "...", "=", "1", "null", "true"],
    *[
        "query",
        "mutation",
        "fragment",
        "on",
        "Query",
        "Product",
        "id",
        "name",
        "note",
        "strict",
        "product",
        "products",
        "must",
        "a:",
        "b:",
        "...A",
    ],
    *["__typename", "__schema", "__type", "_entities", "_service", "skip", "include", "if"],
    '"s"',
    "{ id name }",
    "{ note }",
    "fragment A on Product { note ...A }",
]
DOCUMENT = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
OPERATOR = Principal(subject="one", role=Role.OPERATOR)


def test_the_command_serves_until_it_is_told_to_end(subgraphs: Subgraphs, supergraph: Path) -> None:
    del subgraphs
    arguments = [sys.executable, "-m", "gateway", "gateway", "--supergraph", str(supergraph), "--listen", "127.0.0.1:0"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, env=kept) as process:
        assert process.stderr is not None
        try:
            url = process.stderr.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/graphql", url)
            body = httpx.post(url, json={"query": "{ __schema { queryType { name } } }"}, timeout=20).json()
            assert body == {"data": {"__schema": {"queryType": {"name": "Query"}}}}
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"listen": "0.0.0.0:0"}, "no loopback address", id="an open address without issuers"),
        pytest.param(
            {"federation": {"urls": {"nobody": "http://x"}}}, "no subgraph 'nobody'", id="an unknown subgraph"
        ),
        pytest.param({"federation": {"supergraph": None}}, "there is none", id="no supergraph"),
    ],
)
def test_what_cannot_be_served_is_said_at_once(supergraph: Path, settings: dict[str, Any], message: str) -> None:
    federation = {"supergraph": supergraph, **settings.get("federation", {})}
    given = {"listen": "127.0.0.1:0", **settings, "federation": FederationSettings(**federation)}
    with pytest.raises((SettingsBroken, CommandFailed), match=message):
        application(Settings(**given))


async def test_without_issuers_new_work_is_counted_by_the_clients_address(supergraph: Path) -> None:
    given = Settings(
        listen="127.0.0.1:0",
        limits=Limits(new_documents_per_minute=3),
        federation=FederationSettings(supergraph=supergraph),
    )
    sock, numbers = bound(given), itertools.count()
    base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with listening(application(given), sock):
        assert await status_of(base, "127.0.0.1", "{ a: __typename }") == 200
        async with asyncio.timeout(120):  # it fills up again meanwhile, the further the slower the machine is
            while await status_of(base, "127.0.0.1", f"{{ a{next(numbers)}: __typename }}") != 429:
                pass
        assert await status_of(base, "127.0.0.2", "{ b: __typename }") == 200, "it has an allowance of its own"


async def status_of(base: str, address: str, query: str) -> int:
    """Ask from one of this machine's addresses."""
    transport = httpx.AsyncHTTPTransport(local_address=address)
    async with httpx.AsyncClient(base_url=base, transport=transport, timeout=30) as client:
        return (await client.post("/graphql", json={"query": query})).status_code


def test_a_broken_supergraph_is_told_line_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.graphql"
    path.write_text(SUPERGRAPH.replace('key: "id"', 'key: "nope"'))
    assert run(["gateway", "--supergraph", str(path)]) == 1
    assert "line 11: The key names Product.nope" in capsys.readouterr().err


@pytest.mark.parametrize("stage", ["normalize", "paths", "fetches", "plan"])
def test_plan_prints_a_stage(stage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = tmp_path / "query.graphql"
    query.write_text("{ user { name mail } }")
    arguments = ["plan", "--supergraph", str(FOLDER / "entities.graphql"), "--query", str(query)]
    assert run([*arguments, "--stage", stage]) == 0
    alone = capsys.readouterr().out
    assert "mail" in alone
    assert run([*arguments, "--json"]) == 0
    assert orjson.loads(capsys.readouterr().out)[stage].strip() == alone.strip()


def test_plan_refuses_what_the_schema_does_not_have(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = tmp_path / "query.graphql"
    query.write_text("{ nobody }")
    assert run(["plan", "--supergraph", str(FOLDER / "entities.graphql"), "--query", str(query)]) == 1
    assert "nobody" in capsys.readouterr().err


async def test_with_issuers_a_token_is_needed(subgraphs: Subgraphs, supergraph: Path, mint: Mint) -> None:
    del subgraphs
    settings = Settings(
        listen="127.0.0.1:0", issuers=(mint.settings(),), federation=FederationSettings(supergraph=supergraph)
    )
    sock = bound(settings)
    base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with listening(application(settings), sock), httpx.AsyncClient(base_url=base) as client:
        body = {"query": "mutation { change { name } }"}
        assert (await client.post("/graphql", json=body)).status_code == 401
        for role in ("operator", "analyst"):
            answer = await client.post("/graphql", json=body, headers=mint.bearer(role))
            assert answer.json() == {"data": {"change": {"name": "one"}}}


async def test_without_issuers_no_other_name_and_no_web_page_is_answered(
    subgraphs: Subgraphs, supergraph: Path
) -> None:
    body = {"query": "mutation { change { name } }"}
    async with gateway(supergraph) as client:
        for headers, status in (
            ({"Host": "evil.test"}, 421),
            ({"Host": "evil.test", "Origin": "http://evil.test"}, 421),
            ({"Origin": "http://evil.test"}, 403),
            ({}, 200),
        ):
            answer = await client.post("/graphql", json=body, headers=headers)
            assert (answer.status_code, "data" in answer.json()) == (status, status == 200)
        assert (await client.post("/graphql/", json=body)).status_code == 404
    assert subgraphs.calls("a") == 1


async def test_introspection_shows_the_public_schema(subgraphs: Subgraphs, supergraph: Path) -> None:
    async with gateway(supergraph) as client:
        answer = await ask(client, '{ __type(name: "State") { enumValues { name } } product { name __typename } }')
        names = await ask(client, "{ __schema { types { name } } }")
    assert answer["data"]["__type"] == {"enumValues": [{"name": "OPEN"}]}
    assert answer["data"]["product"] == {"name": "one", "__typename": "Product"}
    assert not [each for each in names["data"]["__schema"]["types"] if each["name"].startswith("join__")]
    assert subgraphs.calls("a") == 1


async def test_how_an_answer_was_made_is_told_whoever_answers(subgraphs: Subgraphs, supergraph: Path) -> None:
    async with gateway(supergraph) as client:
        body = {"query": "{ products { name note } }", "extensions": {"queryPlan": True}}
        answer = (await client.post("/graphql", json=body)).json()
    told = answer["extensions"]["queryPlan"]
    assert "#1 B after #0" in told["plan"]
    assert [(each["subgraph"], each["entities"]) for each in told["fetches"]] == [("a", 0), ("b", 2)]
    assert all(each["ms"] > 0 for each in told["fetches"])
    assert subgraphs.calls("b") == 1


@pytest.fixture(scope="module")
def wild(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wild") / "supergraph.graphql"
    path.write_text(SUPERGRAPH.replace("{base}", "http://127.0.0.1:1"))
    return path


async def test_wild_documents(wild: Path) -> None:
    tried = int(os.environ.get("WILD_DOCUMENTS", examples(300)))
    async with gateway(wild, tries=1) as client:

        async def send(document: str, variables: dict[str, Any]) -> None:
            body = json.dumps({"query": document, "variables": variables}).encode()
            response = await client.post("/graphql", content=body, headers={"content-type": "application/json"})
            assert response.status_code < 500, (document, response.text)
            assert "Traceback" not in response.text

        loop = asyncio.get_running_loop()

        @hypothesis_settings(max_examples=tried, suppress_health_check=list(HealthCheck))
        @given(document=DOCUMENT, variables=st.dictionaries(st.sampled_from("ab"), JSON_VALUE))
        def try_all(document: str, variables: dict[str, Any]) -> None:
            asyncio.run_coroutine_threadsafe(send(document, variables), loop).result(30)

        await asyncio.to_thread(try_all)


class SlowToLeave:
    """A subgraph that takes some turns of the loop to answer, and some to stop."""

    sdl = ""

    def __init__(self, subgraph: Subgraph) -> None:
        self.name = subgraph.name
        self._subgraph = subgraph

    async def execute(self, *given: Any) -> Any:
        try:
            await asyncio.sleep(0.05)
        finally:
            for _ in range(5):
                await asyncio.sleep(0)
        return await self._subgraph.execute(*given)


class TestPlans:
    """Plans are kept, and no more of them than allowed."""

    def federation(self, preparing: Preparing | None = None) -> tuple[Federation, list[SimulatedSubgraph]]:
        supergraph = read_supergraph((FOLDER / "entities.graphql").read_text(encoding="utf-8"))
        subgraphs = {each: SimulatedSubgraph(supergraph, each, world_of(supergraph)) for each in supergraph.endpoints}
        made = Federation(supergraph, subgraphs, budget=Budget(), share=False, preparing=preparing)
        return made, list(subgraphs.values())

    async def ask(self, federation: Federation, text: str, **variables: Any) -> Any:
        operation = Operation(key=text, document=parse(text), name=None)
        return await federation.execute(operation, variables, OPERATOR, 1e12)

    async def test_conditions_are_part_of_what_a_plan_is_known_by(self) -> None:
        federation, (_, mails, _) = self.federation()
        text = "query($yes: Boolean!) { user { name mail @include(if: $yes) } }"
        for yes in (True, False, True):
            answer = await self.ask(federation, text, yes=yes)
            assert ("mail" in answer["data"]["user"]) is yes
        assert len(mails.asked) == 2

    async def test_two_ways_to_write_a_question_share_a_plan(self) -> None:
        federation, _ = self.federation()
        await self.ask(federation, "{ user { name } }")
        await self.ask(federation, "query Named { user { ... { name @include(if: true) } } }")
        assert len(federation.plans.made) == 1

    async def test_no_more_plans_are_kept_than_the_cache_holds(self) -> None:
        cache = SharedCache(100_000)
        federation, _ = self.federation(Preparing(cache=cache, new_work=NewWork(UNMETERED)))
        for number in range(30):
            await self.ask(federation, f"{{ a{number}: user {{ name }} }}")
            assert cache.bytes <= 100_000
        assert 3 < len(federation.plans.made) < 10

    async def test_a_new_combination_of_conditions_counts_as_a_new_document(self) -> None:
        federation, _ = self.federation(preparing(4))
        names = [f"b{number}" for number in range(4)]
        heads, fields = (
            ", ".join(f"${name}: Boolean!" for name in names),
            " ".join(f"{name}: user @include(if: ${name}) {{ name }}" for name in names),
        )
        text = f"query({heads}) {{ user {{ name }} {fields} }}"
        answers = [
            await self.ask(federation, text, **{name: bool(number >> bit & 1) for bit, name in enumerate(names)})
            for number in (0, 1, 2, 3, 0, 4, 5, 1)
        ]
        assert ["errors" in each for each in answers] == [False] * 6 + [True, False], "the document covers its first"
        (error,) = answers[-2]["errors"]
        assert error["extensions"]["code"] == "TOO_MANY_NEW_DOCUMENTS"
        assert 0 < error["extensions"]["retryAfter"] <= 60
        assert len(federation.plans.made) == 5

    async def test_a_large_operation_is_planned_beside_the_loop_and_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        federation, _ = self.federation()
        text = "{ " + " ".join(f"a{n}: user {{ name mail }}" for n in range(200)) + " }"
        planned_in: list[int] = []
        loop, loop_goes_on = asyncio.get_running_loop(), threading.Event()
        plan = Planner.plan

        def planning(planner: Planner, normalized: Normalized) -> QueryPlan:
            planned_in.append(threading.get_ident())
            loop.call_soon_threadsafe(loop_goes_on.set)
            # Beside the loop this ends; in the loop nobody could set it.
            assert loop_goes_on.wait(60), "planning holds up the event loop"
            return plan(planner, normalized)

        monkeypatch.setattr(Planner, "plan", planning)
        answers = await asyncio.gather(*(self.ask(federation, text) for _ in range(3)))
        assert answers[0] == answers[1] == answers[2]
        assert len(planned_in) == 1
        assert planned_in != [threading.get_ident()]
        assert len(federation.plans.made) == 1

    async def test_who_joins_a_large_plan_pays_nothing_and_does_nothing(self) -> None:
        looked: list[None] = []  # at the CPU's clock: twice for each piece of work

        def cpu() -> float:
            looked.append(None)
            return 0.0

        new_work = NewWork(120, clock=lambda: 0.0, cpu=cpu)
        federation, _ = self.federation(Preparing(cache=SharedCache(10_000_000), new_work=new_work))
        text = "{ " + " ".join(f"a{n}: user {{ name mail }}" for n in range(180)) + " }"

        async def late(turns: int) -> Any:
            for _ in range(turns):
                await asyncio.sleep(0.001)
            return await self.ask(federation, text)

        answers = await asyncio.gather(*(late(each % 10) for each in range(30)))
        assert all(each == answers[0] for each in answers)
        assert "errors" not in answers[0]
        assert len(looked) == 4, "it is normalized, and planned"
        assert new_work._account(OPERATOR.subject).left == 120

    @pytest.mark.parametrize("fields", [1, 180])
    async def test_a_document_covers_its_first_plan_also_after_a_refusal(self, fields: int) -> None:
        now = 0.0
        new_work = NewWork(60, clock=lambda: now, cpu=lambda: 0.0)
        federation, _ = self.federation(Preparing(cache=SharedCache(10_000_000), new_work=new_work))
        text = "query($yes: Boolean!) { " + " ".join(f"a{n}: user @include(if: $yes) {{ name }}" for n in range(fields))
        new_work.settle(OPERATOR.subject, 0.0, 1e9)
        assert "errors" in await self.ask(federation, text + " }", yes=True)
        now = 60.0
        assert new_work._account(OPERATOR.subject).left == 0.0
        assert "errors" not in await self.ask(federation, text + " }", yes=True)
        now = 120.0
        assert "errors" not in await self.ask(federation, text + " }", yes=False)
        assert new_work._account(OPERATOR.subject).left == 59.0, "another combination is a new document"

    async def test_an_answer_is_shared_between_those_only_who_are_the_same(self) -> None:
        supergraph = read_supergraph((FOLDER / "entities.graphql").read_text(encoding="utf-8"))
        subgraphs = {each: SimulatedSubgraph(supergraph, each, world_of(supergraph)) for each in supergraph.endpoints}
        federation = Federation(supergraph, subgraphs, budget=Budget(), share=True)
        operation = Operation(key="one", document=parse("{ user { name } }"), name=None)
        other = Principal(subject="two", role=Role.CUSTOMER, customers=("customer-2",))
        asked = [federation.execute(operation, {}, each, 1e12) for each in (OPERATOR, other, OPERATOR)]
        first, _, third = await asyncio.gather(*asked)
        assert first is third
        assert len(next(iter(subgraphs.values())).asked) == 2

    async def test_who_asks_again_while_the_first_question_is_called_off_is_answered(self) -> None:
        supergraph = read_supergraph((FOLDER / "entities.graphql").read_text(encoding="utf-8"))
        world = world_of(supergraph)
        subgraphs = {each: SlowToLeave(SimulatedSubgraph(supergraph, each, world)) for each in supergraph.endpoints}
        federation = Federation(supergraph, subgraphs, budget=Budget(), share=True)
        expected = await self.ask(federation, "{ user { name } }")
        first = asyncio.create_task(self.ask(federation, "{ user { name } }"))
        await asyncio.sleep(0.01)
        first.cancel()
        again = await asyncio.gather(*(self.ask(federation, "{ user { name } }") for _ in range(3)))
        assert again == [expected] * 3
        assert first.cancelled()
