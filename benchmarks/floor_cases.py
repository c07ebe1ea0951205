"""The floor's statements in list form, each with its parameters and its answer, written by hand as well as we can.

They know what the compiler cannot: that every port has a card and every card an element, that what an operator gave is
the id of a card. A customer's rights are in the statements, as they would have to be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from graph.model.effects import SEVERITY, Effect
from graph.model.scope import ScopeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """How one case is answered."""

    scope: ScopeKind
    text: str
    parameters: Callable[[Mapping[str, Any]], dict[str, Any]]
    answer: Callable[[Any], dict[str, Any]]


_STATES: Final = {
    "feasibilityChecked": "FEASIBILITY_CHECKED",
    "designed": "DESIGNED",
    "reserved": "RESERVED",
    "inactive": "INACTIVE",
    "active": "ACTIVE",
    "terminated": "TERMINATED",
}
_WORDS: Final = {name: word for word, name in _STATES.items()}
_EFFECTS: Final = {None: None, "down": "DOWN", "degraded": "DEGRADED", "atRisk": "AT_RISK"}
_SEVERITIES: Final = {None: None, "critical": "CRITICAL", "major": "MAJOR", "minor": "MINOR", "warning": "WARNING"}

_POINT: Final = """
RETURN HEAD(COLLECT {
  MATCH (s:Service {id: $id})
  WHERE EXISTS { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) WHERE c.id IN $scope }
  RETURN [s.id, s.name, s.kind, s.state, s.committedMbps, s.effectiveMbps, s.maxMbps, s.effect] LIMIT 1
}) AS data
"""


def _point(row: Any) -> dict[str, Any]:
    if row is None:
        return {"service": None}
    id_, name, kind, state, committed, effective, most, effect = row
    service = {
        "id": id_,
        "name": name,
        "kind": kind,
        "state": _STATES[state],
        "committedMbps": committed,
        "effectiveMbps": effective,
        "maxMbps": most,
        "effect": _EFFECTS[effect],
    }
    return {"service": service}


_CUSTOMER: Final = """
RETURN HEAD(COLLECT {
  MATCH (c:Customer {id: $id}) WHERE c.id IN $scope
  RETURN [c.id, c.name, c.segment, c.status, COLLECT {
    MATCH (c)-[:SUBSCRIBES_TO]->(s:Service)
    WITH c, s ORDER BY s.name, s.id LIMIT 10
    RETURN [s.id, s.name, s.state, s.committedMbps, COLLECT {
      MATCH (s)-[a:ACCESSED_AT]->(p:Port)<-[:HAS_PORT]-(k:Card)<-[:HOLDS]-(e:NetworkElement)
      RETURN [a.end, p.id, p.name, p.speedMbps, k.id, k.name, k.model, e.id, e.name, e.vendor] ORDER BY a.end, p.id
    }] ORDER BY s.name, s.id
  }] LIMIT 1
}) AS data
"""


def _access_point(row: Any) -> dict[str, Any]:
    end, port_id, port, speed, card_id, card, model, element_id, element, vendor = row
    network_element = {"id": element_id, "name": element, "vendor": vendor}
    holder = {"id": card_id, "name": card, "model": model, "networkElement": network_element}
    return {"end": end, "port": {"id": port_id, "name": port, "speedMbps": speed, "card": holder}}


def _customer(row: Any) -> dict[str, Any]:
    if row is None:
        return {"customer": None}
    id_, name, segment, status, rows = row
    services = [
        {
            "id": service_id,
            "name": service,
            "state": _STATES[state],
            "committedMbps": committed,
            "accessPoints": [_access_point(each) for each in ends],
        }
        for service_id, service, state, committed, ends in rows
    ]
    return {
        "customer": {"id": id_, "name": name, "segment": segment, "status": status, "services": {"nodes": services}}
    }


_SERVICES: Final = """
RETURN COLLECT {
  MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s:Service)
  WHERE c.id IN $scope AND s.state IN $states AND s.committedMbps >= $least
  RETURN [s.id, s.name, s.state, s.committedMbps] ORDER BY s.committedMbps DESC, s.name, s.id LIMIT 100
} AS data
"""


def _services(rows: Any) -> dict[str, Any]:
    nodes = [
        {"id": id_, "name": name, "state": _STATES[state], "committedMbps": committed}
        for id_, name, state, committed in rows
    ]
    return {"services": {"nodes": nodes}}


_IMPACT: Final = """
RETURN COLLECT {
  CALL () {
    MATCH (:Card {id: $card})-[:HAS_PORT]->(:Port)<-[:ACCESSED_AT]-(s:Service) RETURN s, 'ACCESS' AS way
    UNION
    MATCH (:Card {id: $card})-[:HAS_PORT]->(:Port)<-[:TERMINATES_ON]-(:Trunk)<-[r:ROUTED_OVER]-(s:Service)
    RETURN s, r.path AS way
  }
  WITH s, collect(way) AS ways WHERE s.state = 'active'
  MATCH (s)<-[:SUBSCRIBES_TO]-(c:Customer) MATCH (s)-[:GOVERNED_BY]->(a:Sla)
  RETURN [s.id, s.name, c.id, c.name, a.tier, ways,
          EXISTS { MATCH (s)-[r:ROUTED_OVER]->(:Trunk) WHERE r.path = 'PROTECTING' }]
} AS data
"""
_RANKS: Final = {"critical": 0, "major": 1, "minor": 2, "warning": 3, None: 9}


def _effect(ways: list[str], *, protected: bool) -> Effect:
    if "ACCESS" in ways:
        return "down"
    if "WORKING" in ways:
        return "degraded" if protected and "PROTECTING" not in ways else "down"
    return "atRisk"


def _impact(rows: Any) -> dict[str, Any]:
    found = []
    counts: dict[tuple[int, str, str | None], int] = {}
    for id_, name, customer_id, customer, tier, ways, protected in rows:
        effect = _effect(ways, protected=protected)
        severity = SEVERITY.get((effect, tier))
        rank = _RANKS[severity]
        found.append((rank, id_, name, customer_id, customer, effect, severity))
        counts[rank, effect, severity] = counts.get((rank, effect, severity), 0) + 1
    found.sort()
    services = [
        {
            "effect": _EFFECTS[effect],
            "severity": _SEVERITIES[severity],
            "service": {"id": id_, "name": name, "customer": {"id": customer_id, "name": customer}},
        }
        for _, id_, name, customer_id, customer, effect, severity in found[:10]
    ]
    counted = [
        {"severity": _SEVERITIES[severity], "effect": _EFFECTS[effect], "services": number}
        for (_, effect, severity), number in sorted(counts.items(), key=lambda each: each[0][:2])
    ]
    customers = len({each[3] for each in found})
    return {
        "impact": {
            "totalServices": len(found),
            "totalCustomers": customers,
            "counts": counted,
            "services": services,
        }
    }


_LARGE: Final = """
RETURN COLLECT {
  MATCH (s:Service) WHERE s.name >= ''
  WITH s ORDER BY s.name, s.id LIMIT $first
  MATCH (s)<-[:SUBSCRIBES_TO]-(c:Customer) MATCH (s)-[:GOVERNED_BY]->(a:Sla)
  RETURN [s.id, s.name, s.kind, s.state, s.committedMbps, s.effectiveMbps, s.maxMbps, s.effect,
          c.id, c.name, c.segment, c.status, a.id, a.name, a.tier, a.availabilityPercent] ORDER BY s.name, s.id
} AS data
"""


def _large_service(row: Any) -> dict[str, Any]:
    id_, name, kind, state, committed, effective, most, effect, *others = row
    customer_id, customer, segment, status, sla_id, sla, tier, availability = others
    return {
        "id": id_,
        "name": name,
        "kind": kind,
        "state": _STATES[state],
        "committedMbps": committed,
        "effectiveMbps": effective,
        "maxMbps": most,
        "effect": _EFFECTS[effect],
        "customer": {"id": customer_id, "name": customer, "segment": segment, "status": status},
        "sla": {"id": sla_id, "name": sla, "tier": tier, "availabilityPercent": availability},
    }


def _large(rows: Any) -> dict[str, Any]:
    return {"services": {"nodes": [_large_service(each) for each in rows]}}


STATEMENTS: Final = {
    "Point": Statement(
        scope=ScopeKind.CUSTOMERS, text=_POINT, parameters=lambda given: {"id": given["id"]}, answer=_point
    ),
    "Customer": Statement(
        scope=ScopeKind.CUSTOMERS, text=_CUSTOMER, parameters=lambda given: {"id": given["id"]}, answer=_customer
    ),
    "Services": Statement(
        scope=ScopeKind.CUSTOMERS,
        text=_SERVICES,
        parameters=lambda given: {"states": [_WORDS[each] for each in given["states"]], "least": given["least"]},
        answer=_services,
    ),
    "Impact": Statement(
        scope=ScopeKind.EVERYTHING, text=_IMPACT, parameters=lambda given: {"card": given["of"][0]}, answer=_impact
    ),
    "Large": Statement(
        scope=ScopeKind.EVERYTHING, text=_LARGE, parameters=lambda given: {"first": given["first"]}, answer=_large
    ),
}
