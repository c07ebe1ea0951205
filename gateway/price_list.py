"""What bandwidth costs, where the product catalog says so: read there every some minutes, and sold by until it is read again.

A quote must not wait for another system, nor fail with it. So each process has the prices that it has read last, and sells by them for as
long as the settings allow (`catalog.keep_hours`) and as the catalog has said that they are valid; then, and before they are read first,
what has such a tariff is not sold. What the catalog does not sell any more, we do not either, once we have read that.

    prices = price_list_of(settings)
    policy = bandwidth_policy_of(settings, prices)        # has whatever was read last
    async with kept_fresh(settings, prices): ...
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
from adapters.errors import AdapterError, Nonsense
from adapters.transport.transport import opened
from gateway.background import beside
from gateway.errors import SettingsBroken
from gateway.policies import tariff_of
from gateway.reaching import catalog_system
from gateway.settings.bandwidth import TariffSettings
from gateway.settings.settings import Settings
from graph.capacity.tariff import BrokenTariff, Rounding, Tariff
from graph.changes.bandwidth.policy import NoTariff
from graph.model.currencies import minor_digits

_FIRST_SECONDS: Final = 2.0
"""that a process waits at most for the first prices before it sells."""
_AGAIN_SECONDS: Final = 5.0
"""after which prices that could not be read are tried again; twice as long after each time, and as the settings say at most."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What was read, and until when it is sold by, by the clock of the process."""

    tariff: Tariff | NoTariff
    until: float


class PriceList(Mapping[str, Tariff | NoTariff]):
    """The tariffs by the tiers of contracts, as the settings and the catalog have them."""

    def __init__(
        self, chosen: Mapping[str, TariffSettings], *, keep_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the tariffs of the settings; raises SettingsBroken for one that is none."""
        self._fixed = {name: tariff_of(name, each) for name, each in chosen.items() if not each.offering}
        self._offered = {name: each for name, each in chosen.items() if each.offering}
        for name, each in self._offered.items():
            if each.currency is not None and minor_digits(each.currency) is None:
                raise SettingsBroken(
                    f"bandwidth.tariffs.{name} has the currency {each.currency!r}, which is none of ISO 4217."
                )
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._read: dict[str, _Read] = {}
        self._failing: dict[str, str] = {}
        """what kept the prices of a tariff from being read the last time."""

    def __getitem__(self, name: str) -> Tariff | NoTariff:
        """Give the tariff for a tier; raises KeyError where the settings have none."""
        if name not in self._offered:
            return self._fixed[name]
        read = self._read.get(name)
        return NoTariff.NOT_READ if read is None or self._clock() >= read.until else read.tariff

    def __iter__(self) -> Iterator[str]:
        """Give the tiers."""
        return iter((*self._fixed, *self._offered))

    def __len__(self) -> int:
        """Count the tariffs."""
        return len(self._fixed) + len(self._offered)

    @property
    def has_offerings(self) -> bool:
        """Whether any of them is in the catalog."""
        return bool(self._offered)

    @property
    def is_failing(self) -> bool:
        """Whether any could not be read the last time."""
        return bool(self._failing)

    def seconds_left(self) -> float:
        """Give for how long nothing of what was read ends."""
        left = (each.until - self._clock() for each in self._read.values())
        return min((each for each in left if each > 0), default=self._keep_seconds)

    async def refresh(self, prices: Prices, *, seconds: float) -> None:
        """Read all prices once; what cannot be read stays as it was."""
        for name, chosen in self._offered.items():
            try:
                await self._refresh_one(name, chosen, prices, seconds)
            except (AdapterError, BrokenTariff) as error:
                where = f" at {error.where}" if isinstance(error, Nonsense) and error.where else ""
                self._failed(name, f"{type(error).__name__}{where}", str(error))
            except Exception as error:  # one answer that nobody thought of must not end the reading of all others
                self._failed(name, type(error).__name__, "")
                log.exception("prices could not be read by a fault of ours", tariff=name)
            else:
                if self._failing.pop(name, None) is not None:
                    log.info("prices can be read again", tariff=name, offering=chosen.offering)

    async def _refresh_one(self, name: str, chosen: TariffSettings, prices: Prices, seconds: float) -> None:
        now, at = self._clock(), time.time_ns() // 1_000_000
        deadline = time.monotonic() + seconds
        found = await prices.priced(chosen.offering, step_mbps=chosen.step_mbps, at=at, deadline=deadline)
        tariff = _tariff(name, chosen, found)
        valid = self._keep_seconds if found.until is None else (found.until - at) / 1_000
        before = self._read.get(name)
        self._read[name] = _Read(tariff=tariff, until=now + min(self._keep_seconds, valid))
        if before is None or before.tariff != tariff:
            log.info("prices were read", tariff=name, offering=chosen.offering, sold=isinstance(tariff, Tariff))

    def _failed(self, name: str, what: str, why: str) -> None:
        """Log that prices cannot be read, once for each reason."""
        if self._failing.get(name) != what:
            self._failing[name] = what
            log.warning("prices cannot be read", tariff=name, offering=self._offered[name].offering, what=what, why=why)


def price_list_of(settings: Settings) -> PriceList:
    """Give the price list that the settings describe; raises SettingsBroken."""
    chosen: Mapping[str, TariffSettings] = {str(name): each for name, each in settings.bandwidth.tariffs.items()}
    offered = [name for name, each in chosen.items() if each.offering]
    if settings.catalog is None and offered:
        raise SettingsBroken(f"bandwidth.tariffs.{offered[0]}.offering: there is no section `catalog` to read it in.")
    if settings.catalog is not None and not offered:
        raise SettingsBroken("catalog: no tariff of `bandwidth.tariffs` has an `offering` that is read in it.")
    hours = settings.catalog.keep_hours if settings.catalog else 0.0
    return PriceList(chosen, keep_seconds=hours * 3_600)


@asynccontextmanager
async def kept_fresh(settings: Settings, prices: PriceList) -> AsyncIterator[None]:
    """Read the prices now and again while the block runs, where any are in the catalog."""
    chosen = settings.catalog
    if chosen is None:
        yield
        return
    async with opened(catalog_system(chosen)) as transport:
        there = Tmf620(transport, characteristic=chosen.characteristic, sold_in=chosen.sold_in)
        first = asyncio.Event()
        reading = keep_refreshing(
            prices, there, every=chosen.refresh_seconds, seconds=chosen.request_seconds, first=first
        )
        async with beside(reading):
            await _waited(first)
            yield


async def keep_refreshing(
    prices: PriceList, there: Prices, *, every: float, seconds: float, first: asyncio.Event
) -> None:
    """Read them again and again, sooner where that failed or where they end; `first` is set after the first time."""
    failures = 0
    while True:
        await prices.refresh(there, seconds=seconds)
        first.set()
        failures = failures + 1 if prices.is_failing else 0
        pause = min(every, _AGAIN_SECONDS * 2 ** (failures - 1)) if failures else every
        await asyncio.sleep(max(1.0, min(pause, prices.seconds_left())))


async def _waited(first: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_FIRST_SECONDS):
            await first.wait()
    except TimeoutError:
        log.warning("nothing is sold by the catalog's prices until they have been read")


def _tariff(name: str, chosen: TariffSettings, found: PricedOffering) -> Tariff | NoTariff:
    """Make a tariff of what the catalog says; raises BrokenTariff where they do not fit together."""
    if not found.tiers:
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
