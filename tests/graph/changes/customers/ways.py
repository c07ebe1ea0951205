"""How tests merge customers and part them again, and what they look at then."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, Final

from graph.changes.customers.declining import Declining, decline_match
from graph.changes.customers.merging import Merging, merge_customers, undo_merge_customers
from graph.changes.outcome import Outcome
from graph.model.scope import Principal, Role
from tests.graph.changes.network import Laid, soon

OPERATOR: Final = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
_KEYS: Final = itertools.count()

Hung = set[tuple[str, str, str]]
"""Types of relationships of customers, the customer, and what is at the other end."""


@dataclass(slots=True, kw_only=True)
class Merged:
    """A store whose customers are merged and parted."""

    laid: Laid
    by: Principal = field(default=OPERATOR)

    async def merge(self, stub: str, into: str, *, dry_run: bool = False, key: str = "") -> Outcome:
        return await merge_customers(
            self.laid.store,
            self.by,
            Merging(stub=stub, into=into),
            dry_run=dry_run,
            idempotency_key=key or f"merge {next(_KEYS)}",
            deadline=soon(),
        )

    async def undo(self, customer: str, *, dry_run: bool = False, key: str = "") -> Outcome:
        return await undo_merge_customers(
            self.laid.store,
            self.by,
            customer,
            dry_run=dry_run,
            idempotency_key=key or f"undo {next(_KEYS)}",
            deadline=soon(),
        )

    async def decline(self, match: str, reason: str = "") -> Outcome:
        return await decline_match(
            self.laid.store,
            self.by,
            Declining(match=match, reason=reason),
            idempotency_key=f"decline {next(_KEYS)}",
            deadline=soon(),
        )

    async def matches(self) -> dict[tuple[str, ...], str]:
        """Give the state of each match, by the customers that it compares."""
        text = (
            "MATCH (m:CustomerMatch) RETURN m.state, COLLECT { MATCH (m)-[:COMPARES]->(c) RETURN c.id ORDER BY c.id }"
        )
        return {tuple(customers): state for state, customers in await self.laid.rows(text)}

    async def tasks(self) -> list[tuple[str, str]]:
        """Give the states of tasks of matches, with what they say."""
        text = "MATCH (t:Task {kind: 'customerMatch'}) RETURN t.state, t.reason ORDER BY t.openedAt, t.reason"
        return [(state, reason) for state, reason in await self.laid.rows(text)]

    async def hung(self) -> Hung:
        """Give all that hangs on customers, but for events and for what people say of two of them."""
        text = (
            "MATCH (c:Customer)-[r]-(o) WHERE NOT type(r) IN ['CONCERNS_CUSTOMER', 'COMPARES'] "
            "RETURN type(r), c.id, o.id"
        )
        return {(kind, customer, other) for kind, customer, other in await self.laid.rows(text)}

    async def customers(self) -> list[list[Any]]:
        """Give what is written of customers themselves."""
        return await self.laid.rows(
            "MATCH (c:Customer) RETURN c.id, c.name, c.accountRef, c._sliceStored ORDER BY c.id"
        )
