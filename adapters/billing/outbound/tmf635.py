"""A billing system that speaks TM Forum's APIs, version 4: usage by TMF635, and downtime as problems of TMF656.

Its POST does not notice that it was heard before, so what may be there is looked for by our id. An interval is there from
its beginning on, and is given its end by PATCH, like usage its new state: so whoever tells of one looks first, the first time
too.
"""

from __future__ import annotations

from typing import Final, assert_never

import structlog

from adapters.billing import DowntimeRecord, Record, UsageRecord
from adapters.billing.tmf635_resource import (
    id_of,
    id_of_ours,
    is_ours,
    problem_body,
    problem_patch,
    usage_body,
    usage_patch,
)
from adapters.errors import Nonsense
from adapters.tmf.tmf630 import quote_value
from adapters.tmf_client.client import TmfClient
from adapters.transport.transport import Transport

_API: Final = ("tmf-api", "usageManagement", "v4")
USAGE: Final = (*_API, "usage")
PROBLEM: Final = ("tmf-api", "serviceProblemManagement", "v4", "serviceProblem")
_PAGE: Final = 50

log = structlog.get_logger(__name__)


class Tmf635:
    """`adapters.billing.Billing` over a transport whose address is what `/tmf-api` is below."""

    def __init__(self, transport: Transport) -> None:
        self._client = TmfClient(transport)

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._client.retry_at

    async def tell(self, record: Record, *, again: bool, delivery_id: str, deadline: float) -> str:
        """Look for it where it may be there, then POST it, or PATCH what is not as the record says."""
        match record:
            case UsageRecord():
                there = await self._find(record, deadline) if again or record.is_changed else None
                if there is None:
                    return await self._post(USAGE, usage_body(record), record, delivery_id, deadline)
                if not record.is_changed:
                    return there
                return await self._patch((*USAGE, there), usage_patch(record), record, delivery_id, deadline)
            case DowntimeRecord():
                ended = record.end is not None
                there = await self._find(record, deadline) if again or ended else None
                if there is None:
                    return await self._post(PROBLEM, problem_body(record), record, delivery_id, deadline)
                if not ended:
                    return there
                return await self._patch((*PROBLEM, there), problem_patch(record), record, delivery_id, deadline)
            case never:
                assert_never(never)

    async def subscribe(self, callback: str, *, deadline: float) -> str:
        """POST the hub of usage: what was rated and billed is told there."""
        return await self._client.registered(callback, below=_API, deadline=deadline)

    async def unsubscribe(self, their_id: str, *, deadline: float) -> None:
        """DELETE it there."""
        await self._client.removed((*_API, "hub", their_id), key="", deadline=deadline)

    async def _post(
        self, path: tuple[str, ...], body: object, record: Record, delivery_id: str, deadline: float
    ) -> str:
        made = await self._client.created(path, body, key=delivery_id, deadline=deadline)
        if made is not None:
            return id_of_ours(made, record)
        # It was made, and what it is called there is only worth a note.
        return await self._find(record, deadline) or "what it does not say"

    async def _patch(
        self, path: tuple[str, ...], body: object, record: Record, delivery_id: str, deadline: float
    ) -> str:
        there = path[-1]
        changed = await self._client.changed(path, body, key=delivery_id, deadline=deadline)
        if changed is not None and id_of_ours(changed, record) != there:
            raise Nonsense(f"{self._client.name} answered another record than the one changed", where="id")
        return there

    async def _find(self, record: Record, deadline: float) -> str | None:
        """Ask by our id, and believe only what bears it; where there are several, the first."""
        path, attribute = USAGE, "usageCharacteristic.value"
        if isinstance(record, DowntimeRecord):
            path, attribute = PROBLEM, "externalIdentifier.id"
        query = ((attribute, quote_value(record.id)),)
        items = await self._client.listed(path, query, size=_PAGE, deadline=deadline)
        ours = [id_of(each, where) for where, each in items if is_ours(each, record)]
        if len(ours) > 1:
            log.warning("several records with one id", system=self._client.name, record=record.id, records=ours)
        return ours[0] if ours else None
