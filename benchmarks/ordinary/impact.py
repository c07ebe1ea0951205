"""Who suffers if cards fail: one statement for the services and how they are hit, the rule in Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.ordinary.loaders import rows
from graph.model.effects import Effect, Routes, effect_on, severity_of
from graph.store.store import Store

_HIT: Final = """
MATCH (k:Card)-[:HAS_PORT]->(:Port)<-[:ACCESSED_AT]-(s:Service) WHERE k.id IN $of RETURN s.id AS id, 'ACCESS' AS way
UNION
MATCH (k:Card)-[:HAS_PORT]->(:Port)<-[:TERMINATES_ON]-(:Trunk)<-[r:ROUTED_OVER]-(s:Service)
WHERE k.id IN $of RETURN s.id AS id, r.path AS way
"""
_ABOUT: Final = """
UNWIND $ids AS id
MATCH (s:Service {id: id, state: 'active'}) MATCH (s)<-[:SUBSCRIBES_TO]-(c:Customer) MATCH (s)-[:GOVERNED_BY]->(a:Sla)
RETURN id, c.id, a.tier, EXISTS { MATCH (s)-[r:ROUTED_OVER]->(:Trunk) WHERE r.path = 'PROTECTING' }
"""
_RANKS: Final[Mapping[str | None, int]] = {"critical": 0, "major": 1, "minor": 2, "warning": 3, None: 9}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One service that suffers."""

    service: str
    customer: str
    effect: Effect
    severity: str | None

    @property
    def rank(self) -> int:
        """How bad it is; 0 is worst."""
        return _RANKS[self.severity]


async def hits(store: Store, of: list[str]) -> list[Hit]:
    """Give all services that suffer, worst first."""
    ways: dict[str, set[str]] = {}
    for id_, way in await rows(store, _HIT, {"of": of}):
        ways.setdefault(id_, set()).add(way)
    about = await rows(store, _ABOUT, {"ids": list(ways)})
    return sorted(_hits(ways, about), key=lambda each: (each.rank, each.service))


def _hits(ways: Mapping[str, set[str]], about: list[list[Any]]) -> Iterator[Hit]:
    for id_, customer, tier, protected in about:
        routes = Routes(access=("ACCESS",), working=("WORKING",), protecting=("PROTECTING",) if protected else ())
        effect = effect_on(routes, ways[id_])
        if effect is not None:
            yield Hit(service=id_, customer=customer, effect=effect, severity=severity_of(effect, tier))


def counted(found: list[Hit]) -> list[tuple[str | None, Effect, int]]:
    """Count by severity and effect, worst first."""
    counts = Counter((each.rank, each.effect, each.severity) for each in found)
    return [(severity, effect, counts[rank, effect, severity]) for rank, effect, severity in sorted(counts, key=_key)]


def _key(each: tuple[int, Effect, str | None]) -> tuple[int, str]:
    return each[0], each[1]
