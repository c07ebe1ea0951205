"""A service or a boost is found only where it is the caller's: what is another's is not there, and both take the same steps.

Where the index has none, one of the caller's own is looked at in its place. So no time tells whether there is one of another's. Whoever
goes on adds to the texts what is returned of `s`, the service, or `b`, the boost.
"""

from __future__ import annotations

from typing import Final

from graph.model.scope import Principal, Role, ScopeKind, scope_of

SERVICE: Final = """
WITH HEAD(COLLECT { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(o:Service) WHERE c.id IN $customers RETURN o LIMIT 1 }) AS other
WITH coalesce(HEAD(COLLECT { MATCH (n:Service {id: $service}) RETURN n LIMIT 1 }), other) AS s
WITH s, $everyone OR EXISTS { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) WHERE c.id IN $customers } AS mine
WITH s WHERE mine AND s.id = $service
"""
BOOST: Final = """
WITH HEAD(COLLECT { MATCH (c:Customer)-[:SUBSCRIBES_TO]->(:Service)<-[:BOOSTS]-(o:Boost) WHERE c.id IN $customers RETURN o LIMIT 1 }) AS other
WITH coalesce(HEAD(COLLECT { MATCH (n:Boost {id: $boost}) RETURN n LIMIT 1 }), other) AS b
WITH b, $everyone OR EXISTS {
  MATCH (c:Customer)-[:SUBSCRIBES_TO]->(:Service)<-[:BOOSTS]-(b) WHERE c.id IN $customers
} AS mine
WITH b WHERE mine AND b.id = $boost
"""


def of_who_changes(principal: Principal) -> dict[str, object]:
    """Give what the texts are asked with by whoever changes something: an operator for anyone, a customer for its own."""
    return {"everyone": principal.effective is Role.OPERATOR, "customers": list(principal.customers)}


def of_who_reads(principal: Principal) -> dict[str, object]:
    """Give what they are asked with by whoever reads: analysts see everything too, and change nothing."""
    scope = scope_of(principal)
    return {"everyone": scope.kind is ScopeKind.EVERYTHING, "customers": list(scope.customers)}
