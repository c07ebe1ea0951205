"""A billing system that speaks TM Forum's APIs, version 4: usage by TMF635, and downtime as objectives of TMF657.

Its POST does not notice that it was heard before, so what may be there is looked for by our id. An interval is there from
its beginning on, and is given its end by PATCH: so whoever tells of an end looks first, the first time too. Of a service
without a contract there is no objective to tell, since TMF657 has none without a target; one that is there gets its end.
"""

from __future__ import annotations

from typing import Final, assert_never

import structlog

from adapters.billing import DowntimeRecord, Record, UsageRecord
from adapters.billing.tmf635_resource import (
    a_list,
    id_of,
    id_of_ours,
    is_ours,
    objective_body,
    objective_patch,
    usage_body,
)
from adapters.errors import Nonsense
from adapters.tmf.tmf630 import quote_value
from adapters.transport.transport import Call, Transport

USAGE: Final = ("tmf-api", "usageManagement", "v4", "usage")
OBJECTIVE: Final = ("tmf-api", "serviceQualityManagement", "v4", "serviceLevelObjective")
NO_OBJECTIVE: Final = "no objective, since nothing is promised"
"""what is told in the place of its name there."""
_PAGE: Final = 50
_MOST_PAGES: Final = 100

log = structlog.get_logger(__name__)


class Tmf635:
    """`adapters.billing.Billing` over a transport whose address is what `/tmf-api` is below."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._transport.breaker.retry_at

    async def tell(self, record: Record, *, again: bool, delivery_id: str, deadline: float) -> str:
        """Look for it where it may be there, then POST it, or PATCH what is not as the record says."""
        match record:
            case UsageRecord():
                there = await self._find(record, deadline) if again else None
                return there or await self._post(USAGE, usage_body(record), record, delivery_id, deadline)
            case DowntimeRecord():
                ended = record.end is not None
                there = await self._find(record, deadline) if again or ended else None
                if there is None and record.target is None:
                    return NO_OBJECTIVE
                if there is None:
                    return await self._post(OBJECTIVE, objective_body(record), record, delivery_id, deadline)
                return await self._end(there, record, delivery_id, deadline) if ended else there
            case never:
                assert_never(never)

    async def _post(
        self, path: tuple[str, ...], body: object, record: Record, delivery_id: str, deadline: float
    ) -> str:
        call = Call(method="POST", path=path, body=body, headers=_key(delivery_id))
        return id_of_ours((await self._transport.exchange(call, deadline=deadline)).json(), record)

    async def _end(self, there: str, record: DowntimeRecord, delivery_id: str, deadline: float) -> str:
        path, body = (*OBJECTIVE, there), objective_patch(record)
        call = Call(method="PATCH", path=path, body=body, headers=_key(delivery_id))
        found = id_of_ours((await self._transport.exchange(call, deadline=deadline)).json(), record)
        if found != there:
            raise Nonsense(f"{self._transport.name} answered another record than the one changed", where="id")
        return there

    async def _find(self, record: Record, deadline: float) -> str | None:
        """Ask by our id, and believe only what bears it; where there are several, the first."""
        path, attribute = USAGE, "usageCharacteristic.value"
        if isinstance(record, DowntimeRecord):
            path, attribute = OBJECTIVE, "name"
        asked = (attribute, quote_value(record.id))
        seen = 0
        for _ in range(_MOST_PAGES):
            query = (asked, ("offset", str(seen)), ("limit", str(_PAGE)))
            answer = await self._transport.exchange(Call(method="GET", path=path, query=query), deadline=deadline)
            items = a_list(answer.json())
            ours = [id_of(each, f"[{number}]") for number, each in enumerate(items) if is_ours(each, record)]
            if len(ours) > 1:
                log.warning("several records with one id", system=self._transport.name, record=record.id, records=ours)
            if ours:
                return ours[0]
            seen += len(items)
            if not items or seen >= _count(answer.headers.get("x-total-count", "")):
                return None
        raise Nonsense(f"{self._transport.name} answered a list without an end", where="X-Total-Count")


def _key(delivery_id: str) -> dict[str, str]:
    return {"Idempotency-Key": delivery_id}


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
