"""What failures do to a service, computed a second time and in another way than the product does.

The oracles ask this and never `graph.model.effects`: a rule that both sides shared could be wrong in both. Traffic is followed:
a service works where its ports are up and one of its two ways is. One that nobody uses (TMF638: anything but active) has no
traffic that could be lost. docs/api.md has the table of severities; it is typed in here again. Who has no contract is judged
as who was promised least.

>>> needs = Needs(access=("port-a", "port-z"), working=("trunk-1",), protecting=("trunk-2",))
>>> needs.effect({"trunk-1"}), needs.parts({"trunk-1", "port-a"})
('degraded', 'access working')
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

WORST_FIRST: Final = ["critical", "major", "minor", "warning", "indeterminate", "cleared"]
_TABLE: Final = """
            PREMIUM   STANDARD  BASIC
down        critical  major     minor
degraded    major     minor     warning
atRisk      minor     warning   -
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a service needs, as ids."""

    access: tuple[str, ...]
    working: tuple[str, ...]
    protecting: tuple[str, ...] = ()
    state: str = "active"

    def effect(self, failed: AbstractSet[str]) -> str | None:
        """Tell what the service suffers when all of these have failed."""
        if self.state != "active":
            return None
        ways = [way for way in (self.working, self.protecting) if way or way is self.working]
        open_ways = [way for way in ways if not any(each in failed for each in (*self.access, *way))]
        if not open_ways:
            return "down"
        if self.working not in open_ways:
            return "degraded"
        return "atRisk" if len(open_ways) < len(ways) else None

    def parts(self, failed: AbstractSet[str]) -> str:
        """Name what is hit of it, as the graph keeps that; empty where nothing is, or nobody uses it."""
        named = {"access": self.access, "working": self.working, "protecting": self.protecting}
        return " ".join(name for name, ids in named.items() if self.state == "active" and not failed.isdisjoint(ids))


def severity(effect: str | None, tier: str | None) -> str | None:
    """Look an effect up in the table of severities; without a contract it is the last column's, and a tier that is none has none."""
    head, *rows = (line.split() for line in _TABLE.strip().splitlines())
    table = {row[0]: dict(zip(head, row[1:], strict=True)) for row in rows}
    found = table[effect].get(tier or head[-1], "-") if effect else "-"
    return None if found == "-" else found


def says_that_something_failed(alarm_type: str, perceived: str) -> bool:
    """Tell whether an alarm means that its object does not work (docs/alarms.md)."""
    return alarm_type in ("equipmentAlarm", "communicationsAlarm") and perceived in ("critical", "major")


def worst(severities: Iterable[str | None]) -> str | None:
    """Give the worst of them; None where none is."""
    there = set(severities)
    return next((each for each in WORST_FIRST if each in there), None)
