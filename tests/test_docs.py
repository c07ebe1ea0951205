"""The documents' examples run, their links lead somewhere, and no setting, code or command goes undocumented."""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import OperationType, build_schema, parse, validate

from gateway.areas import BANDWIDTH, BILLING, KNOWLEDGE, PERFORMANCE, TICKETING, federation_of
from gateway.cli import COMMANDS
from gateway.errors import TREATMENTS
from gateway.federation.subgraph import Operation, Subgraph
from gateway.federation.supergraph import Graph
from gateway.operations.cost import amount, cost_of
from gateway.operations.schema import read_schema
from gateway.policies import sold_by, tariff_of
from gateway.settings.bandwidth import Bandwidth
from gateway.settings.settings import Limits, Settings
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.policy import AlarmPolicy
from graph.compiler.query import find_operation
from graph.load import load_topology
from graph.model.effects import SEVERITY
from graph.model.mapping import enum_name
from graph.model.scope import Principal, Role
from graph.store.store import Store
from resolvers.bandwidth.subgraph import BandwidthSubgraph
from resolvers.billing.subgraph import BillingSubgraph
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from resolvers.performance.subgraph import PerformanceSubgraph
from resolvers.ticketing.subgraph import TicketingSubgraph
from tests.conftest import wipe
from trunkline import client

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
OPERATOR = Principal(subject="docs", role=Role.OPERATOR)


@dataclass(frozen=True)
class Example:
    name: str
    text: str
    variables: dict[str, Any]


def examples() -> Iterator[Example]:
    for page in PAGES:
        blocks = re.findall(
            r"```graphql\n(.*?)```(?:\s*```json\n(.*?)```)?", page.read_text(encoding="utf-8"), re.DOTALL
        )
        for number, (text, variables) in enumerate(blocks):
            yield Example(f"{page.name}-{number}", text, orjson.loads(variables) if variables else {})


@pytest.fixture(scope="module")
async def network(store: Store) -> dict[str, str]:
    """A small network with an alarm, and an id for each variable that the examples use."""
    await wipe(store)
    await load_topology(store, scale=3_000, seed=7, alarms=2, progress=lambda *_: None, deadline=time.monotonic() + 120)
    found = {}
    for variable, text in {
        "customer": "MATCH (n:Customer)-[:SUBSCRIBES_TO]->(:Service) RETURN n.id ORDER BY n.id LIMIT 1",
        "card": "MATCH (n:Card)-[:HAS_PORT]->(:Port)<-[:ACCESSED_AT]-(:Service) RETURN n.id ORDER BY n.id LIMIT 1",
        "element": "MATCH (n:NetworkElement) RETURN n.id ORDER BY n.id DESC LIMIT 1",
        "service": "MATCH (n:Service) RETURN n.id ORDER BY n.id LIMIT 1",
        "boost": "MATCH (n:Boost) RETURN n.id ORDER BY n.id LIMIT 1",
        "siteA": "MATCH (n:Site) RETURN n.id ORDER BY n.id LIMIT 1",
        "siteZ": "MATCH (n:Site) RETURN n.id ORDER BY n.id DESC LIMIT 1",
        "alarm": "MATCH (n:Alarm) RETURN n.id ORDER BY n.id LIMIT 1",
    }.items():
        rows = await store.rows(text, {}, deadline=time.monotonic() + 30)
        found[variable] = str(rows[0][0])
    return found


@pytest.mark.parametrize("example", list(examples()), ids=lambda each: each.name)
async def test_an_example_runs(example: Example, store: Store, network: dict[str, str]) -> None:
    graph = KnowledgeSubgraph(store, b"d" * 32, AlarmPolicy())
    bandwidth = BandwidthSubgraph(_sold_by_the_page(), quotes_per_minute=100)
    areas: Mapping[Graph, Subgraph] = {
        KNOWLEDGE: graph,
        TICKETING: TicketingSubgraph("", seconds=5.0),
        BILLING: BillingSubgraph(seconds=0.0),
        BANDWIDTH: bandwidth,
        PERFORMANCE: PerformanceSubgraph(seconds=0.0),
    }
    product = federation_of(areas, Settings())
    document = parse(example.text)
    assert validate(build_schema(product.sdl, assume_valid_sdl=True), document) == []
    declared = {
        d.variable.name.value for o in document.definitions for d in getattr(o, "variable_definitions", ()) or ()
    }
    variables = {**example.variables, **{name: network[name] for name in declared & network.keys()}}
    assert amount(cost_of(document, read_schema(product.sdl)), variables) <= Limits().cost
    operation = Operation(key=example.name, document=document, name=None)
    if find_operation(operation).operation is OperationType.SUBSCRIPTION:
        begun = await graph.subscribe(operation, variables, OPERATOR, None, time.monotonic() + 60)
        assert not isinstance(begun, dict), begun
        await begun.aclose()
        return
    with bandwidth.reading(store, b"d" * 32):
        answer = await product.execute(operation, variables, OPERATOR, time.monotonic() + 60)
    assert "errors" not in answer
    assert all(value is not None for value in answer["data"].values())


def _sold_by_the_page() -> BandwidthPolicy:
    """The rules that the page about bandwidth shows, as settings."""
    page = (ROOT / "docs" / "selfservice.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    chosen = Bandwidth.model_validate(tomllib.loads(shown)["bandwidth"])
    tariffs = {str(name): tariff_of(name, each) for name, each in chosen.tariffs.items()}
    return sold_by(BandwidthPolicy(provisioning="provisioning"), chosen, tariffs)


def test_the_program_of_the_page_is_the_one_that_is_tried() -> None:
    page = (ROOT / "docs" / "subscriptions.md").read_text(encoding="utf-8")
    [program] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert program == (ROOT / "docs" / "examples" / "alerts.py").read_text(encoding="utf-8")


def test_every_error_of_the_client_is_on_the_page() -> None:
    page = (ROOT / "docs" / "subscriptions.md").read_text(encoding="utf-8")
    errors = {name for name, each in vars(client.errors).items() if isinstance(each, type)} - {"TrunklineError"}
    assert {name for name in errors if issubclass(getattr(client.errors, name), Exception)} == set(
        re.findall(r"^\| `([A-Z][A-Za-z]+)` \|", page, re.MULTILINE)
    )


def test_there_are_examples() -> None:
    assert len(list(examples())) >= 8


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https://)([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_every_setting_and_command_is_documented() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for name in (*Settings.model_fields, *Limits.model_fields):
        assert f"`{name}`" in text, name
    for name in COMMANDS:
        assert f"`trunkline {name}`" in text, name


def test_every_folder_is_found_by_what_it_is_for() -> None:
    page = (ROOT / "docs" / "rooms.md").read_text(encoding="utf-8")
    rows = [line for line in page.partition("## ")[0].splitlines() if line.startswith("| ")]
    named = {each for row in rows for each in re.findall(r"`((?:adapters|gateway|graph)/[a-z_/]*)", row)}
    assert [each for each in sorted(named) if not (ROOT / each).is_dir()] == []
    folders = {door.parent for room in ("adapters", "gateway", "graph") for door in (ROOT / room).glob("*/__init__.py")}
    systems = {each for each in folders if (each / "outbound").is_dir()}  # which have rows for all of them
    assert systems
    assert [
        str(each) for each in folders - systems if not any((ROOT / one).is_relative_to(each) for one in named)
    ] == []


def test_the_codes_of_the_page_are_codes() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| (\d+(?:, \d+)*) \|", text, re.MULTILINE)
    said: dict[str, int] = {}
    for codes, statuses in rows:
        names = re.findall(r"[A-Z_]+", codes)
        given = [int(each) for each in statuses.split(", ")]
        said |= zip(names, given if len(given) > 1 else given * len(names), strict=True)
    assert said == {str(code.value): treatment.status for code, treatment in TREATMENTS.items()}


def test_the_table_of_severities_is_the_policy() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for effect, word in (("down", "down"), ("degraded", "degraded"), ("atRisk", "at risk")):
        row = next(line for line in text.splitlines() if line.startswith(f"| {word} |"))
        told = [each.strip() for each in row.split("|")[2:5]]
        assert told == [SEVERITY.get((effect, tier), "") for tier in ("PREMIUM", "STANDARD", "BASIC")]  # type: ignore[arg-type]  # the effects are these three
    assert enum_name("atRisk") == "AT_RISK"
