"""What is sold by orders and built by itself: each product says which service it is, at which rates, and by which contract.

Pure. An order says a rate as a number, or in a characteristic of the product. One that says a rate that nobody can read has said one: it is
never built at the product's own.

>>> line = Product(name="Line", service_type="E-Line", tier="PREMIUM", most_mbps=1_000)
>>> line.asked(None, {"bandwidth": "1 Gbps"}), line.asked(None, {"bandwidth": "fast"})
(Said(mbps=1000, unread=''), Said(mbps=None, unread='"fast"'))
>>> line.rate_problem(Said(mbps=5_000))
'Line has 1 to 1000 Mbit/s, and not 5000'
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from graph.model.rates import read_mbps
from graph.model.vocabulary import TIERS
from graph.routing.demand import Weights

MOST_MBPS: Final = 10_000_000
_LONGEST: Final = 100
"""characters of what cannot be read that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The rate that an order says."""

    mbps: int | None = None
    """None: it says none that can be read."""
    unread: str = ""
    """what cannot be read; empty: there is nothing of that kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One kind of service that is sold; a broken one is a ValueError."""

    name: str
    """as orders name it: the offering, or the product."""
    service_type: str
    """what the service is called in its `kind`, and to provisioning."""
    tier: str
    """of its contract."""
    mbps: int | None = None
    """the rate of each of them; None: the order says it."""
    characteristic: str = "bandwidth"
    """of a product or service that is ordered: where the rate is."""
    least_mbps: int = 1
    most_mbps: int = MOST_MBPS
    boost_to_mbps: int | None = None
    """up to which rate it may be boosted; None: to no more than its own."""
    protected: bool = False
    """whether it has a second way that stands by."""
    weights: Weights = field(default_factory=Weights)
    """what makes a way dear."""
    availability_percent: float = 99.0
    repair_hours: int = 24
    """what its contract promises."""

    def __post_init__(self) -> None:
        if self.tier not in TIERS:
            raise ValueError(f"{self.tier!r} is no tier")
        if not 1 <= self.least_mbps <= self.most_mbps <= MOST_MBPS:
            raise ValueError(f"{self.name} has no rates")
        if self.mbps is not None and not self.least_mbps <= self.mbps <= self.most_mbps:
            raise ValueError(f"the rate of {self.name} is none of its own")

    def asked(self, said: int | None, characteristics: Mapping[str, object]) -> Said:
        """Give the rate that an order says, in whole Mbit/s."""
        told = characteristics.get(self.characteristic) if said is None else said
        if told is None:
            return Said()
        found = read_mbps(told, "Mbps")
        if found is None or found != found.to_integral_value() or not 0 <= found <= MOST_MBPS:
            return Said(unread=json.dumps(told, default=str, ensure_ascii=False)[:_LONGEST])
        return Said(mbps=int(found))

    def rate_problem(self, said: Said) -> str | None:
        """Say why it cannot be had at the rate that is asked for; None: it can."""
        if said.unread:
            return f"The order says the rate {said.unread}, which is no whole number of Mbit/s"
        asked = said.mbps
        if self.mbps is not None:
            return None if asked in (None, self.mbps) else f"{self.name} has {self.mbps} Mbit/s, and not {asked}"
        if asked is None:
            return f"The order says no rate: {self.name} has {self.least_mbps} to {self.most_mbps} Mbit/s"
        if self.least_mbps <= asked <= self.most_mbps:
            return None
        return f"{self.name} has {self.least_mbps} to {self.most_mbps} Mbit/s, and not {asked}"

    def most(self, mbps: int) -> int:
        """Give the rate up to which a service of so many Mbit/s may be boosted."""
        return max(mbps, self.boost_to_mbps or 0)
