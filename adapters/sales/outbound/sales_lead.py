"""A sales system that keeps a `salesLead` in the manner of TM Forum's version 4 APIs (TMF699, Sales Management).

**No swagger of TMF699 was at hand.** What is written are members that all version 4 APIs have in common, each as it is in those whose swaggers are:
`name`, `description`, `category`, `status` (TMF621), `externalIdentifier` (TMF656), `relatedParty`, `relatedEntity`, `note` (TMF621)
and `validFor` (TMF657). docs/sales.md has the whole body, so that whoever has a system at hand can compare.

POST does not notice that it was heard before, so what may be there is looked for by our id first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from adapters.errors import Nonsense
from adapters.passed_over import PassedOver, known_as
from adapters.sales import US, LeadOrder, TheirLead
from adapters.tmf.tmf630 import quote_value, write_time
from adapters.tmf_client.client import TmfClient
from adapters.transport.transport import Transport
from graph.model.vocabulary import LEAD_STATES

RESOURCE: Final = "salesLead"
CHUNK: Final = 50
"""How many leads are asked about at once."""
_PAGE: Final = 100
_IDENTIFIER: Final = "externalIdentifier"

log = structlog.get_logger(__name__)


class SalesLeads:
    """`adapters.sales.Sales` over a transport whose address ends in `/tmf-api/sales/v4`."""

    def __init__(self, transport: Transport, passed_over: PassedOver | None = None) -> None:
        self._client = TmfClient(transport)
        self._passed_over = passed_over or PassedOver(transport.name)

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._client.retry_at

    async def tell(self, order: LeadOrder, *, again: bool, delivery_id: str, deadline: float) -> TheirLead:
        """Look for it where it may be there, then POST it."""
        if again and (there := await self._one(order.id, deadline)) is not None:
            return there
        made = await self._client.created((RESOURCE,), lead_body(order), key=delivery_id, deadline=deadline)
        if made is None:  # it was made, and the answer does not say as what
            found = await self._one(order.id, deadline)
            if found is None:
                raise Nonsense(f"{self._client.name} does not show the lead that it has made", where=_IDENTIFIER)
            return found
        their = lead_of(made, "")
        if their.ours != order.id:
            raise Nonsense(
                f"A lead that {self._client.name} answered bears another id than ours",
                hint="Look whether its address leads to the right system",
                where=_IDENTIFIER,
            )
        return their

    async def leads(self, ours: Sequence[str], *, deadline: float) -> Sequence[TheirLead]:
        """GET them by our ids, some at a time. One that cannot be read is passed over; what was not asked for, too."""
        found: list[TheirLead] = []
        for start in range(0, len(ours), CHUNK):
            chunk = ours[start : start + CHUNK]
            found += [each for each in await self._listed(chunk, deadline) if each.ours in chunk]
        return found

    async def _one(self, ours: str, deadline: float) -> TheirLead | None:
        found = await self.leads([ours], deadline=deadline)
        if len(found) > 1:
            log.warning("several leads with one id", system=self._client.name, lead=ours, leads=[e.id for e in found])
        return found[0] if found else None

    async def _listed(self, ours: Sequence[str], deadline: float) -> list[TheirLead]:
        query = ((f"{_IDENTIFIER}.id", ",".join(map(quote_value, ours))),)
        read = []
        for where, each in await self._client.listed((RESOURCE,), query, size=_PAGE, deadline=deadline):
            try:
                read.append(lead_of(each, where))
            except Nonsense as nonsense:
                self._passed_over.note(known_as(each, where), str(nonsense))
        return read


def lead_body(order: LeadOrder) -> dict[str, Any]:
    """Make the body that tells of a lead; its state is the server's to set."""
    said = write_time(order.at)
    who = f" of {order.customer.name}" if order.customer else ""
    return {
        "@type": "SalesLead",
        "name": f"More bandwidth for {order.service.name}",
        "description": f"{order.service.name}{who}: {'; '.join(order.evidence) or order.reason}",
        "category": order.reason,
        _IDENTIFIER: [{"id": order.id, "owner": US, "externalIdentifierType": "lead"}],
        "relatedParty": [_reference(order.customer.id, order.customer.name, "customer", "Customer")]
        if order.customer
        else [],
        "relatedEntity": [_reference(order.service.id, order.service.name, "service", "Service")],
        "note": [{"author": US, "date": said, "text": each} for each in order.evidence],
        "validFor": {"startDateTime": said, "endDateTime": write_time(order.until)},
    }


def lead_of(answer: object, where: str) -> TheirLead:
    """Read what sales has of a lead of ours; raises Nonsense where it has no id, or none of ours."""
    if not isinstance(answer, dict):
        raise Nonsense("Sales answered what is no lead", where=where or "body")
    their, ours, state = answer.get("id"), _ours(answer), answer.get("status")
    if not isinstance(their, str) or not their:
        raise Nonsense("A lead that sales answered has no id that is a string", where=f"{where}.id".lstrip("."))
    if ours is None:
        raise Nonsense("A lead that sales answered is none of ours", where=f"{where}.{_IDENTIFIER}".lstrip("."))
    return TheirLead(id=their, ours=ours, state=state if state in LEAD_STATES else None)


def _ours(answer: Mapping[str, Any]) -> str | None:
    held = answer.get(_IDENTIFIER)
    known = [each for each in held if isinstance(each, dict)] if isinstance(held, list) else []
    return next((each["id"] for each in known if each.get("owner") == US and isinstance(each.get("id"), str)), None)


def _reference(known: str, name: str, role: str, referred: str) -> dict[str, str]:
    return {"id": known, "name": name, "role": role, "@referredType": referred}
