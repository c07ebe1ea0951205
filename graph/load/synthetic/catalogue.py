"""What our imagined provider buys, builds and sells: every number that we chose, in one place.

Topologies have neither capacities nor units, so a reader must be able to see where a figure in the graph came from, and
to change it here. Rates are Mbps. A trunk is filled to `FILL` of its capacity, so that customers find room for a boost,
and carries at most `SERVICES_PER_TRUNK`: that bounds every neighbourhood in the graph however large it grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SYSTEM: Final = "inventory"
"""The system by whose names the network is known elsewhere."""

FILL: Final = 0.8
SERVICES_PER_TRUNK: Final = 250
SERVICES_PER_PORT: Final = 8
SLOTS: Final = 16
"""cards in an element."""

NODES_PER_ACCESS_SITE: Final = 150
SITES_PER_CITY: Final = 2
"""access sites at least, so that a city has traffic of its own."""
SINGLE_HOMED: Final = 8
"""every eighth access site has one uplink only, and so no protection."""
LOCAL_SHARE: Final = 0.35
"""of the services stay in their city."""

EPOCH_MS: Final = 1_767_225_600_000
"""2026-01-01T00:00:00Z: what happened, happened from here on, so that the same load gives the same graph."""
HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CardModel:
    """A kind of card: how many ports, how fast, and what for."""

    name: str
    ports: int
    speed: int
    role: str


CORE_LINE: Final = CardModel(name="LC-16x100G", ports=16, speed=100_000, role="trunk")
CORE_TRIBUTARY: Final = CardModel(name="LC-48x10G", ports=48, speed=10_000, role="trunk")
ACCESS_LINE: Final = CardModel(name="LC-8x10G", ports=8, speed=10_000, role="trunk")
ACCESS_LINE_FAST: Final = CardModel(name="LC-4x100G", ports=4, speed=100_000, role="trunk")
ACCESS_CLIENT: Final = CardModel(name="LC-24x10G", ports=24, speed=10_000, role="client")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A kind of trunk: its layer rate (an optical data unit of G.709), its capacity, and the card at either end."""

    layer: str
    capacity: int
    a_card: CardModel
    z_card: CardModel


CORE: Final = Rate(layer="ODU4", capacity=100_000, a_card=CORE_LINE, z_card=CORE_LINE)
UPLINK: Final = Rate(layer="ODU2", capacity=10_000, a_card=ACCESS_LINE, z_card=CORE_TRIBUTARY)
FAST_UPLINK: Final = Rate(layer="ODU4", capacity=100_000, a_card=ACCESS_LINE_FAST, z_card=CORE_LINE)

VENDORS: Final = ("Auriga", "Boreal", "Cassini")
"""Made up, as are their models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a tier promises."""

    tier: str
    availability: float
    repair_hours: int


PROMISES: Final = (
    Promise(tier="PREMIUM", availability=99.99, repair_hours=4),
    Promise(tier="STANDARD", availability=99.9, repair_hours=8),
    Promise(tier="BASIC", availability=99.5, repair_hours=24),
)


def promise(tier: str) -> Promise:
    """Give what a tier promises."""
    return next(each for each in PROMISES if each.tier == tier)


TIER_ODDS: Final = (20, 45, 35)

RATES: Final = (50, 100, 200, 500, 1000)
RATE_ODDS: Final = (25, 35, 25, 10, 5)
SERVICE_KINDS: Final = ("E-Line", "IP-VPN", "Internet")
SERVICE_STATES: Final = ("active", "inactive", "designed")
STATE_ODDS: Final = (96, 3, 1)
SIZES: Final = (1, 2, 3, 4, 6, 8, 12)
SIZE_ODDS: Final = (20, 22, 18, 15, 12, 8, 5)
"""How many services an ordinary customer has."""
DEMO_SERVICES: Final = 8

SEGMENTS: Final = ("enterprise", "public", "wholesale", "retail")
NAMES: Final = (
    ("Nordlicht", "Rheintal", "Alpenblick", "Hanse", "Lindenhof", "Falken", "Silber", "Morgen", "Kranich", "Eichen"),
    ("Logistik", "Klinik", "Energie", "Druck", "Handel", "Maschinen", "Labor", "Medien", "Bank", "Verlag", "Werke"),
)
DEMO_CUSTOMERS: Final = (("PREMIUM", "Marienhospital"), ("STANDARD", "Kontor am Markt"))
"""The tier and the name of each customer for demonstrations."""
HUB: Final = "Sparring Retail"


def hub_count(scale: int) -> int:
    """Give the number of hub customers: one, and one more for every 150 thousand nodes."""
    return 1 + scale // 150_000


def hub_services(scale: int) -> int:
    """Give how many services a hub customer has: several hundred in 10 thousand nodes, 5 thousand at most."""
    return min(5_000, scale // 33)
