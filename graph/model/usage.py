"""Systems that measure a network tell in several protocols what a service has carried, and each record counts once.

Every protocol is decoded to this one value. What is billed of it has a field; what else came with it is in `record`, so
that it can be given back as it came.

>>> told = Usage(source="meter", external_id="U7", service="service-1", start=0, end=60_000, octets=75_000_000, mbps=10)
>>> told.id == Usage(source="meter", external_id="U7", service="x", start=1, end=2, octets=0, mbps=0).id
True
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graph.model.identity import loaded_id
from graph.model.vocabulary import USAGE_STATES

KIND = "bandwidth"
"""what a record is of that does not say it."""
BOOST = "boost"
"""what a record is of that says which rate was to be had beside the committed one, and for how long: nobody counts its octets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a source has measured of one service in one interval. Times are epoch milliseconds UTC."""

    source: str
    external_id: str
    """the source's own id of the record."""
    service: str
    """our id of the service, or the name by which the source knows it."""
    start: int | None
    end: int | None
    """None, as the start, where the source gives no interval."""
    octets: int | None
    mbps: int | None
    """the rate that was to be had in the interval."""
    at: int | None = None
    """the moment that a record without an interval is of; None: when it came."""
    kind: str = KIND
    state: str = "received"
    """a word of `graph.model.vocabulary.USAGE_STATES`."""
    record: Mapping[str, object] = field(default_factory=dict)
    """the whole record as it came, JSON values only; empty for one that is all in the other fields."""

    def __post_init__(self) -> None:
        if self.state not in USAGE_STATES:
            raise ValueError(f"{self.state!r} is no state of usage")
        if not (self.source and self.external_id and self.service):
            raise ValueError("usage without a source, an id or a service is nobody's")
        if (self.start is None) != (self.end is None):
            raise ValueError("an interval has both ends or none")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("an interval ends after it begins")

    @property
    def is_complete(self) -> bool:
        """Whether it says all that billing needs."""
        return None not in (self.start, self.octets, self.mbps)

    @property
    def id(self) -> str:
        """Our id: the same for every telling of the same record."""
        return usage_id(self.source, self.external_id)


def usage_id(source: str, external_id: str) -> str:
    """Give our id of the record that a source calls so."""
    return loaded_id("Usage", f"usage of {source}", external_id)
