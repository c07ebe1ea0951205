"""The questions, as a client of ours writes them; the ordinary contestant takes the same documents.

Three are asked by the customer that they are about, two by an operator: what a caller may see is part of the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.dataset import Dataset

_POINT: Final = """\
query Point($id: ID!) {
  service(id: $id) { id name kind state committedMbps effectiveMbps maxMbps effect }
}
"""
_CUSTOMER: Final = """\
query Customer($id: ID!) {
  customer(id: $id) {
    id name segment status
    services(first: 10, orderBy: [{field: NAME}]) {
      nodes {
        id name state committedMbps
        accessPoints {
          end
          port {
            id name speedMbps
            card { id name model networkElement { id name vendor } }
          }
        }
      }
    }
  }
}
"""
_SERVICES: Final = """\
query Services($states: [ServiceState!]!, $least: Int!) {
  services(
    first: 100
    filter: {state: {in: $states}, committedMbps: {range: {gte: $least}}}
    orderBy: [{field: COMMITTED_MBPS, direction: DESC}, {field: NAME}]
  ) {
    nodes { id name state committedMbps }
  }
}
"""
_IMPACT: Final = """\
query Impact($of: [ID!]!) {
  impact(of: $of) {
    totalServices
    totalCustomers
    counts { severity effect services }
    services(first: 10) { effect severity service { id name customer { id name } } }
  }
}
"""
_LARGE: Final = """\
query Large($first: Int!) {
  services(first: $first, orderBy: [{field: NAME}]) {
    nodes {
      id name kind state committedMbps effectiveMbps maxMbps effect
      customer { id name segment status }
      sla { id name tier availabilityPercent }
    }
  }
}
"""
LARGE_ROWS: Final = 1_000
"""the longest page; it makes some 500 kB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question."""

    name: str
    """the name of the operation too, in lower case."""
    about: str
    document: str
    variables: Mapping[str, Any]
    customer: str = ""
    """who asks: this customer, or an operator."""

    @property
    def operation(self) -> str:
        """The operation's name in the document."""
        return self.name.capitalize()


def cases(of: Dataset) -> tuple[Case, ...]:
    """Give the questions about a data set."""
    return (
        Case(
            name="point",
            about="a service by its id, asked by its customer",
            document=_POINT,
            variables={"id": of.service},
            customer=of.customer,
        ),
        Case(
            name="customer",
            about="a customer with 10 services of 5 ports each, with card and element, asked by that customer",
            document=_CUSTOMER,
            variables={"id": of.customer},
            customer=of.customer,
        ),
        Case(
            name="services",
            about="100 services of a hub customer, filtered and sorted, asked by that customer",
            document=_SERVICES,
            variables={"states": ["ACTIVE", "INACTIVE"], "least": 100},
            customer=of.hub,
        ),
        Case(
            name="impact",
            about="who suffers if a card fails, asked by an operator",
            document=_IMPACT,
            variables={"of": [of.card]},
        ),
        Case(
            name="large",
            about=f"{LARGE_ROWS} services with customer and contract, some 500 kB, asked by an operator",
            document=_LARGE,
            variables={"first": LARGE_ROWS},
        ),
    )
