"""@neo4j/graphql lives in another world: its server, its installation, and its spelling of our questions.

Its versions are pinned in `neo4j_graphql/package.json`; npm puts them into a folder of the cache that is named by that
file, once. Its schema is generated from types, so its documents are its own, and its answers are brought into our shape
before they are compared. It has no tokens, no log and no scope: less work than the others have.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.cases import LARGE_ROWS
from benchmarks.dataset import Dataset
from benchmarks.npm import packages
from graph.model.mapping import enum_name

_SOURCE: Final = Path(__file__).with_name("neo4j_graphql")


def installed() -> Path | None:
    """Give the folder of the server, with what it needs; None where there is no Node."""
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    return packages(_SOURCE, "neo4j-graphql", ("server.mjs", "types.graphql"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """One of our questions as this server takes it."""

    document: str
    variables: Mapping[str, Any]
    ours: Callable[[Any], Any]
    """from its data to ours."""


_POINT: Final = """\
query Point($id: ID!) {
  services(where: {id: {eq: $id}}) { id name kind state committedMbps effectiveMbps maxMbps effect }
}
"""
_CUSTOMER: Final = """\
query Customer($id: ID!) {
  customers(where: {id: {eq: $id}}) {
    id name segment status
    services(limit: 10, sort: [{name: ASC}]) {
      id name state committedMbps
      portsConnection(sort: [{edge: {end: ASC}}, {node: {id: ASC}}]) {
        edges {
          properties { end }
          node { id name speedMbps card { id name model networkElement { id name vendor } } }
        }
      }
    }
  }
}
"""
_SERVICES: Final = """\
query Services($id: ID!, $states: [String!]!, $least: Int!) {
  customers(where: {id: {eq: $id}}) {
    services(
      where: {state: {in: $states}, committedMbps: {gte: $least}}
      limit: 100
      sort: [{committedMbps: DESC}, {name: ASC}]
    ) { id name state committedMbps }
  }
}
"""
_IMPACT: Final = """\
query Impact($of: [ID!]!) {
  impact(of: $of) {
    totalServices
    totalCustomers
    counts { severity effect services }
    services { effect severity service { id name customer { id name } } }
  }
}
"""
_LARGE: Final = """\
query Large($first: Int!) {
  services(limit: $first, sort: [{name: ASC}, {id: ASC}]) {
    id name kind state committedMbps effectiveMbps maxMbps effect
    customer { id name segment status }
    sla { id name tier availabilityPercent }
  }
}
"""


def spellings(of: Dataset) -> Mapping[str, Spelling]:
    """Give the questions by the names of their cases."""
    return {
        "point": Spelling(document=_POINT, variables={"id": of.service}, ours=_point),
        "customer": Spelling(document=_CUSTOMER, variables={"id": of.customer}, ours=_customer),
        "services": Spelling(
            document=_SERVICES,
            variables={"id": of.hub, "states": ["active", "inactive"], "least": 100},
            ours=lambda data: {"services": {"nodes": _named(data["customers"][0]["services"])}},
        ),
        "impact": Spelling(document=_IMPACT, variables={"of": [of.card]}, ours=_named),
        "large": Spelling(document=_LARGE, variables={"first": LARGE_ROWS}, ours=_large),
    }


_VOCABULARIES: Final = frozenset({"state", "effect", "severity"})


def _named(value: Any) -> Any:
    """Spell the words of closed vocabularies as an enum does."""
    match value:
        case list():
            return [_named(each) for each in value]
        case dict():
            return {
                key: enum_name(each) if key in _VOCABULARIES and each is not None else _named(each)
                for key, each in value.items()
            }
        case _:
            return value


def _point(data: Any) -> Any:
    return {"service": _named(data["services"][0])}


def _customer(data: Any) -> Any:
    customer = _named(data["customers"][0])
    for service in customer["services"]:
        edges = service.pop("portsConnection")["edges"]
        service["accessPoints"] = [{"end": each["properties"]["end"], "port": _port(each["node"])} for each in edges]
    return {"customer": {**customer, "services": {"nodes": customer["services"]}}}


def _port(port: Any) -> Any:
    (card,) = port["card"]
    (element,) = card["networkElement"]
    return {**port, "card": {**card, "networkElement": element}}


def _large(data: Any) -> Any:
    nodes = [{**each, "customer": each["customer"][0], "sla": each["sla"][0]} for each in _named(data["services"])]
    return {"services": {"nodes": nodes}}
