"""A billing system that reads documents of IPDR 3.5: it is told by putting one where it looks for them.

A document's name is made of our id, and its bytes of the record and the delivery. So telling again puts the same document in
its own place, and there is nothing to look for first; an outage that has ended replaces the one that had not. A service at
risk carries all that it should: that is no outage, and there is no document of it.
"""

from __future__ import annotations

from adapters.billing import DowntimeRecord, Record
from adapters.billing.ipdr_names import Version
from adapters.billing.outbound.ipdr_document import document_of, name_of
from adapters.billing.outbound.places import Place


class Ipdr:
    """`adapters.billing.Billing` by documents."""

    def __init__(self, place: Place, version: Version = "3.5.1") -> None:
        self._place = place
        self._version = version

    @property
    def retry_at(self) -> float | None:
        """When the next document can be put, by time.monotonic(); None: now."""
        return self._place.retry_at

    async def tell(self, record: Record, *, again: bool, delivery_id: str, deadline: float) -> str:  # noqa: ARG002 - a put is a put
        """Put its document; gives the name, or says that there is none."""
        if isinstance(record, DowntimeRecord) and record.effect == "atRisk":
            return "not an outage"
        name = name_of(record.id)
        document = document_of(record, delivery_id, self._version)
        await self._place.put(name, document, key=delivery_id, deadline=deadline)
        return name
