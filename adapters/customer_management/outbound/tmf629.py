"""A system that speaks TMF629, version 4: all its customers are one list, read page by page, and its hub is asked to call us."""

from __future__ import annotations

from typing import Final

from adapters.customer_management import CustomerList
from adapters.customer_management.tmf629_resource import FIELDS, RESOURCE, record_of
from adapters.errors import Nonsense
from adapters.passed_over import PassedOver, known_as
from adapters.tmf_client.client import TmfClient
from adapters.transport.transport import Transport
from graph.changes.customers.records import CustomerRecord

_PAGE: Final = 100
_MOST_PAGES: Final = 10_000
"""a million customers."""


class Tmf629:
    """`adapters.customer_management.CustomerManagement` over a transport whose address ends in `/tmf-api/customerManagement/v4`."""

    def __init__(self, transport: Transport, *, segment: str, passed_over: PassedOver | None = None) -> None:
        """Take which characteristic is the segment, and who is told of customers that cannot be read."""
        self._client = TmfClient(transport)
        self._segment = segment
        self._passed_over = passed_over or PassedOver(transport.name)

    async def customers(self, *, at: int, deadline: float) -> CustomerList:
        """GET them all."""
        query = (("fields", ",".join(FIELDS)),)
        listed = await self._client.listed((RESOURCE,), query, size=_PAGE, deadline=deadline, most=_MOST_PAGES)
        records: list[CustomerRecord] = []
        for where, each in listed:
            try:
                records.append(record_of(each, at=at, segment=self._segment, where=where))
            except Nonsense as nonsense:  # of this customer, which costs the others nothing
                self._passed_over.note(known_as(each, where), str(nonsense))
        there = frozenset(known_as(each, "") for _, each in listed) - {""}
        return CustomerList(records=tuple(records), there=there)

    async def subscribe(self, callback: str, *, deadline: float) -> str:
        """POST the hub."""
        return await self._client.registered(callback, deadline=deadline)

    async def unsubscribe(self, their_id: str, *, deadline: float) -> None:
        """DELETE it there."""
        await self._client.removed(("hub", their_id), key="", deadline=deadline)
