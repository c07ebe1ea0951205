"""A service that may carry more for two hours must not raise an alarm for it: what is too much follows from the present rate.

A threshold is a share of the rate that the network carries now, by the tier of the contract. So it moves with a boost: what is an
alarm at the committed rate is none at the higher one. Performance monitoring is given it, and fault management hears it.

Pure.

>>> Thresholds().load_mbps("PREMIUM", 100), Thresholds().load_mbps("PREMIUM", 500)
(80, 400)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from graph.model.effects import DEFAULT_TIER
from graph.model.vocabulary import TIERS

_WHOLE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The load above which a service is too full, in percent of its present rate, by tier."""

    premium: int = 80
    standard: int = 90
    basic: int = 95
    default_tier: str = DEFAULT_TIER
    """by which a service without a contract is judged."""

    def __post_init__(self) -> None:
        if not all(0 < each <= _WHOLE for each in (self.premium, self.standard, self.basic)):
            raise ValueError("A threshold is a share of the present rate: more than 0, and at most 100 percent")

    def percent(self, tier: str | None) -> int:
        """Give the share for a tier of `graph.model.vocabulary.TIERS`; a service without one is judged by the default one."""
        by_tier = dict(zip(TIERS, (self.premium, self.standard, self.basic), strict=True))
        return by_tier[tier or self.default_tier]

    def load_mbps(self, tier: str | None, mbps: int) -> int:
        """Give the threshold in whole Mbit/s of a service whose rate is `mbps`: rounded down, and at least 1 where there is a rate."""
        return max(mbps * self.percent(tier) // _WHOLE, min(mbps, 1))
