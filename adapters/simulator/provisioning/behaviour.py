"""A network does not always do what it is asked: it refuses, takes its time, sets another rate, or never says how it went.

Each way is a `Way`; a `Behaviour` orders it for the next so many changes: of rates, and of services that are made. One that is to be taken
away is either refused or done. What the connection does (`adapters/simulator/faults.py`) is
apart: a change may be made and its answer be lost. Given from Python, or over HTTP at `/simulator/changes`: PUT a list as JSON, DELETE
to behave again, GET what the network has carried.

    PUT /simulator/changes   [{"way": "fails", "times": 1, "seconds": 0.2}, {"way": "endless", "service": "service-7"}]
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass


class Way(enum.StrEnum):
    """What becomes of a change."""

    DONE = "done"
    """it is made before the answer, 200; the network's usual way, unless it is served with monitors."""
    REFUSED = "refused"
    """422 with a reason; nothing is done."""
    LATE = "late"
    """202; it is made `seconds` later, and its monitor is Completed then."""
    TWICE = "twice"
    """as late, but what has asked at the hub is told twice that it is over."""
    FAILS = "fails"
    """202; `seconds` later its monitor is InError with a reason; nothing is done."""
    ENDLESS = "endless"
    """202; its monitor is InProgress for ever; nothing is done."""
    SECRET = "secret"  # noqa: S105 - a way, no secret
    """202 without a monitor; it is made `seconds` later."""
    OTHER_RATE = "otherRate"
    """half of the rate is set, 200."""
    OTHER_SERVICE = "otherService"
    """the rate is set for another service, 200 with the one that was asked for as it was."""
    ECHOED = "echoed"
    """200 with what was asked for; nothing is done."""


@dataclass(slots=True, kw_only=True)
class Behaviour:
    """What becomes of the next changes. It counts down, so it is not frozen."""

    way: Way
    times: int | None = None
    """how many changes more; None: without an end."""
    seconds: float = 0.0
    service: str = ""
    """of which service; empty: of any."""

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= 600 or (self.times is not None and self.times < 0):
            raise ValueError("seconds are 0 to 600, times is 0 or more")

    def fits(self, service: str) -> bool:
        """Tell whether this change is meant, and count it."""
        if self.times == 0 or self.service not in ("", service):
            return False
        if self.times is not None:
            self.times -= 1
        return True


def next_of(ordered: Sequence[Behaviour], service: str, usual: Behaviour) -> Behaviour:
    """Give what becomes of a change of this service: the first that is meant, else the usual."""
    return next((each for each in ordered if each.fits(service)), usual)
