"""Usage is asked of the compiled reads, in the caller's scope, so that no second way round the slice exists.

A surrounding system is asked for as an analyst, with the condition that what it reads is of its own sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.billing.inbound.query import UsageFilter
from adapters.endpoint.edge import Port
from adapters.endpoint.listing import Orders, in_full
from adapters.endpoint.reading import Reader, Rows, asked_as, questions
from graph.model.scope import Principal, Role

_TYPED: Final = "id from to mbps octets kind state source externalId service { id customer { id name } }"
_WHOLE: Final = _TYPED + " serviceRef record"
ENDED: Final[Orders] = ({"field": "TO"},)


LIST: Final = {False: questions("usages", "Usage", _WHOLE), True: questions("usages", "Usage", _TYPED)}
"""By whether the caller is a customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReads:
    """What one caller may read, until its deadline."""

    port: Port
    principal: Principal
    deadline: float

    async def one(self, usage_id: str) -> Mapping[str, Any] | None:
        """Give a record; None when there is none that the caller sees."""
        found = await self.page({"id": {"eq": usage_id}}, 0, 1)
        return found.rows[0] if found.rows else None

    async def page(self, wanted: UsageFilter, offset: int, limit: int, orders: Orders = ()) -> Rows:
        """Give up to `limit` of the records that match, from the `offset`th on; without orders in that in which they ended."""
        reader = Reader(port=self.port, principal=asked_as(self.principal), deadline=self.deadline)
        asked = LIST[self.principal.effective is Role.CUSTOMER]
        return await reader.page(asked, self._forced(wanted), in_full(orders, ENDED), offset, limit)

    def _forced(self, wanted: UsageFilter) -> UsageFilter:
        if self.principal.effective is not Role.SYSTEM:
            return wanted
        return {"and": [{"source": {"in": list(self.principal.sources)}}, wanted]}
