"""A performance monitoring system that speaks TM Forum's Performance Management API, version 4 (TMF628).

POST does not notice that it was heard before, so the job is looked for by `jobId` first. What is there is changed by PATCH, and
only where it says something else: to tell again what was told makes no request that changes anything.
"""

from __future__ import annotations

from typing import Final

import structlog

from adapters.performance_management import MeasurementOrder
from adapters.performance_management.outbound.tmf628_resource import Measuring, id_of_ours, is_ours, job_body, job_patch
from adapters.tmf.tmf630 import quote_value
from adapters.tmf_client.client import TmfClient
from adapters.transport.transport import Transport

RESOURCE: Final = "measurementCollectionJob"
_PAGE: Final = 50

log = structlog.get_logger(__name__)


class Tmf628:
    """`adapters.performance_management.PerformanceManagement` over a transport whose address ends in `/tmf-api/performance/v4`."""

    def __init__(self, transport: Transport, measuring: Measuring) -> None:
        self._client = TmfClient(transport)
        self._measuring = measuring

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._client.retry_at

    async def measure(self, order: MeasurementOrder, *, delivery_id: str, deadline: float) -> str | None:
        """Look for the job, then POST it, or PATCH what is not as the order says."""
        there = await self._find(order, deadline)
        if there is None:
            return None if order.is_over else await self._made(order, delivery_id, deadline)
        changed = await self._client.revised(
            (RESOURCE, there),
            lambda job: job_patch(_ours(job, order), order, self._measuring),
            key=delivery_id,
            deadline=deadline,
        )
        return id_of_ours(changed, order)

    async def _made(self, order: MeasurementOrder, delivery_id: str, deadline: float) -> str:
        body = job_body(order, self._measuring)
        made = await self._client.created((RESOURCE,), body, key=delivery_id, deadline=deadline)
        if made is not None:
            return id_of_ours(made, order)
        # It was made, and what it is called there is only worth a note.
        return await self._find(order, deadline) or "what it does not say"

    async def _find(self, order: MeasurementOrder, deadline: float) -> str | None:
        """Ask by our id, and believe only what bears it; where there are several, the first."""
        query = (("jobId", quote_value(order.job_id)),)
        items = await self._client.listed((RESOURCE,), query, size=_PAGE, deadline=deadline)
        ours = [id_of_ours(each, order, where) for where, each in items if is_ours(each, order)]
        if len(ours) > 1:
            log.warning("several jobs with one id", system=self._client.name, job=order.job_id, jobs=ours)
        return ours[0] if ours else None


def _ours(job: object, order: MeasurementOrder) -> object:
    """Give a job back that is ours: one that is another's is not changed."""
    id_of_ours(job, order)
    return job
