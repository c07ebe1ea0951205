"""What bandwidth costs, where the product catalog says so: read there every some minutes, and sold by until the next look.

A quote must not wait for another system, nor fail with it. So each process has the prices of its last look, and sells by them for as
long as the settings allow (`catalog.keep_hours`); then, and before its first look, what has such a tariff is not sold. What the
catalog does not sell any more, we do not either, from the next look on.

    prices = price_list_of(settings)
    policy = bandwidth_policy_of(settings, prices)        # has whatever was read last
    async with kept_read(settings, prices): ...
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from adapters.billing import PricedOffering, Prices
from adapters.billing.outbound.tmf620 import Tmf620
from adapters.errors import AdapterError
from adapters.transport.transport import opened
from gateway.background import beside
from gateway.errors import SettingsBroken
from gateway.policies import tariff_of
from gateway.reaching import catalog_system
from gateway.settings.bandwidth import TariffSettings
from gateway.settings.settings import Settings
from graph.capacity.tariff import BrokenTariff, Rounding, Tariff
from graph.changes.bandwidth.policy import NoTariff

_FIRST_SECONDS: Final = 2.0
"""that a process waits at most for its first look before it sells."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What a look has found, and when that was, by the clock of the process."""

    tariff: Tariff | NoTariff
    at: float


class PriceList(Mapping[str, Tariff | NoTariff]):
    """The tariffs by the tiers of contracts, as the settings and the last look at the catalog have them."""

    def __init__(
        self, chosen: Mapping[str, TariffSettings], *, keep_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the tariffs of the settings; raises SettingsBroken for one that is none."""
        self._fixed = {name: tariff_of(name, each) for name, each in chosen.items() if not each.offering}
        self._offered = {name: each for name, each in chosen.items() if each.offering}
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._read: dict[str, _Read] = {}
        self._said: dict[str, str] = {}
        """why the prices of an offering could not be read at the last look."""

    def __getitem__(self, name: str) -> Tariff | NoTariff:
        """Give the tariff for a tier; raises KeyError where the settings have none."""
        if name not in self._offered:
            return self._fixed[name]
        read = self._read.get(name)
        if read is None or self._clock() - read.at > self._keep_seconds:
            return NoTariff.NOT_READ
        return read.tariff

    def __iter__(self) -> Iterator[str]:
        """Give the tiers."""
        return iter((*self._fixed, *self._offered))

    def __len__(self) -> int:
        """Count the tariffs."""
        return len(self._fixed) + len(self._offered)

    @property
    def is_read(self) -> bool:
        """Whether any of them is in the catalog."""
        return bool(self._offered)

    async def look(self, prices: Prices, *, seconds: float) -> None:
        """Read all prices once; what cannot be read stays as it was."""
        for name, chosen in self._offered.items():
            try:
                deadline = time.monotonic() + seconds
                found = await prices.priced(chosen.offering, at=time.time_ns() // 1_000_000, deadline=deadline)
                tariff = _tariff(name, chosen, found)
            except AdapterError as error:
                self._say(chosen.offering, f"{error.message} {error.hint or ''}".strip())
            except BrokenTariff as broken:
                self._say(chosen.offering, f"it {broken}")
            else:
                self._say(chosen.offering, "")
                self._read[name] = _Read(tariff=tariff, at=self._clock())

    async def keep_looking(self, prices: Prices, *, every: float, seconds: float, looked: asyncio.Event) -> None:
        """Look again and again; `looked` is set after the first time."""
        while True:
            await self.look(prices, seconds=seconds)
            looked.set()
            await asyncio.sleep(every)

    def _say(self, offering: str, why: str) -> None:
        """Log that prices cannot be read, or can be again, once."""
        if self._said.get(offering, "") == why:
            return
        self._said[offering] = why
        if why:
            log.warning("prices cannot be read", offering=offering, reason=why)
        else:
            log.info("prices are read again", offering=offering)


def price_list_of(settings: Settings) -> PriceList:
    """Give the price list that the settings describe; raises SettingsBroken."""
    chosen: Mapping[str, TariffSettings] = {str(name): each for name, each in settings.bandwidth.tariffs.items()}
    if settings.catalog is None and (offered := [name for name, each in chosen.items() if each.offering]):
        raise SettingsBroken(f"bandwidth.tariffs.{offered[0]}.offering: there is no section `catalog` to read it in.")
    hours = settings.catalog.keep_hours if settings.catalog else 0.0
    return PriceList(chosen, keep_seconds=hours * 3_600)


@asynccontextmanager
async def kept_read(settings: Settings, prices: PriceList) -> AsyncIterator[None]:
    """Read the prices now and again while the block runs, where any are in the catalog."""
    chosen = settings.catalog
    if chosen is None or not prices.is_read:
        yield
        return
    async with opened(catalog_system(chosen)) as transport:
        there, looked = Tmf620(transport, characteristic=chosen.characteristic), asyncio.Event()
        looking = prices.keep_looking(
            there, every=chosen.refresh_seconds, seconds=chosen.request_seconds, looked=looked
        )
        async with beside(looking):
            await _first(looked)
            yield


async def _first(looked: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_FIRST_SECONDS):
            await looked.wait()
    except TimeoutError:
        log.warning("nothing is sold by the catalog's prices until they have been read")


def _tariff(name: str, chosen: TariffSettings, found: PricedOffering | None) -> Tariff | NoTariff:
    """Make a tariff of what the catalog says; raises BrokenTariff where they do not fit together."""
    if found is None:
        return NoTariff.NOT_SOLD
    if chosen.currency not in (None, found.currency):
        raise BrokenTariff(f"is sold in {found.currency}, and bandwidth.tariffs.{name}.currency is {chosen.currency}")
    return Tariff(
        currency=found.currency,
        step_mbps=chosen.step_mbps,
        tiers=found.tiers,
        minimum=chosen.minimum,
        rounding=Rounding(chosen.rounding),
    )
