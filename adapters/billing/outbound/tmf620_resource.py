"""What is believed of TMF620's product offerings and prices: a price of a bandwidth tier is a charge by usage for its rates.

TMF620 leaves to the catalog how a price is put. This much must be there, in the words of its ProductOfferingPrice:

    {"id": "M", "name": "M", "priceType": "usage", "price": {"unit": "EUR", "value": 0.02},
     "unitOfMeasure": {"amount": 1, "units": "Mbps*h"},
     "prodSpecCharValueUse": [{"name": "bandwidth", "productSpecCharacteristicValue": [{"valueTo": 500, "unitOfMeasure": "Mbps"}]}]}

Prices of the other known types (a recurring one, a single one) are none of bandwidth for a while, and those whose time has not come or
is over do not count. Whatever may be a price of bandwidth and cannot be read spoils the whole: with a tier less, its rates would have
the price of another tier. So do ranges that leave a gap or overlap, and a price that is for more than a rate.

Pure: a `PricedOffering` out of answers.

>>> units = [str(mbps_hours({"amount": 2, "units": each}, "u")) for each in ("Mbps*h", "Gbit/s hour")]
>>> units
['2', '2000']
"""

from __future__ import annotations

import decimal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from adapters.billing import PricedOffering
from adapters.billing.outbound.money import decimal_of, money_of
from adapters.errors import Nonsense
from adapters.tmf.tmf630 import time_in_answer
from graph.capacity.tariff import Tier

MOST_PRICES: Final = 50
_NOT_SOLD: Final = frozenset(
    {"in study", "in design", "in test", "active", "launched", "rejected", "retired", "obsolete"}
)
"""the states of TMF620's life cycle; those in which something is sold are for the operator to say."""
_USAGE: Final = "usage"
_OTHERS: Final = frozenset({"recurring", "onetime", "discount", "allowance", "deposit", "penalty"})
"""types of prices, their letters, that are none of bandwidth for a while."""
_SIGNS: Final = str.maketrans("", "", " *·/-_.")
_MBPS: Final = {"mbps": Decimal(1), "mbits": Decimal(1), "gbps": Decimal(1_000), "gbits": Decimal(1_000)}
"""what a unit of rate is in Mbit/s; signs and blanks in it are passed over."""
_HOURS: Final = ("hours", "hour", "hr", "h")
_MOST_MBPS: Final = 10_000_000
_LEAST, _MOST = Decimal("1e-9"), Decimal("1e9")
"""of amounts and prices that are read."""
_DIGITS: Final = Decimal("1e-12")
"""of a price of 1 Mbit/s and hour."""
_TOP_EXCLUDED: Final = ("open", "closedbottom")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the operator says of the catalog."""

    characteristic: str
    sold_in: frozenset[str]
    """states in which something is sold, in small letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogued:
    """A product offering."""

    is_sold: bool
    until: int | None
    """when that changes, as far as it is known: epoch milliseconds UTC."""
    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A price of bandwidth. One that does not count yet, or no longer, has no tier."""

    where: str
    until: int | None
    tier: Tier | None = None
    above: int = 0
    """the rate from which on it is; 0: it says none."""
    currency: str = ""


def read_offering(reading: Reading, answer: object, offering: str, at: int) -> Catalogued:
    """Read a product offering, which must be the one that was asked for."""
    read = _object(answer, "productOffering")
    if read.get("id") != offering:
        raise _nonsense("answered another product offering than was asked for", "productOffering.id")
    is_effective, until = _effective(reading, read, "productOffering", at)
    sellable = read.get("isSellable")
    if sellable is not None and not isinstance(sellable, bool):
        raise _nonsense("has an isSellable that is neither true nor false", "productOffering.isSellable")
    return Catalogued(is_sold=is_effective and sellable is not False, until=until, members=read)


def prices_of(offering: Catalogued) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the prices that an offering has or names, each with its place."""
    found = offering.members.get("productOfferingPrice")
    if not isinstance(found, list) or len(found) > MOST_PRICES:
        raise _nonsense(f"has an offering without a list of at most {MOST_PRICES} prices", "productOfferingPrice")
    for number, each in enumerate(found):
        where = f"productOfferingPrice[{number}]"
        named = _object(each, where)
        if not isinstance(named.get("id"), str) and named.get("price") is None:
            raise _nonsense("names a price without an id", f"{where}.id")
        yield where, named


def read_price(reading: Reading, answer: object, where: str, at: int, *, expected: str = "") -> Price | None:
    """Read a price; None: it is none of bandwidth for a while. `expected` is the id that was asked for."""
    price = _object(answer, where)
    if expected and price.get("id") != expected:
        raise _nonsense("answered another price than was asked for", f"{where}.id")
    uses = _uses(price, where)
    if not _is_of_bandwidth(reading, price, uses, where):
        return None
    is_effective, until = _effective(reading, price, where, at)
    if not is_effective:
        return Price(where=where, until=until)
    if price.get("isBundle") is True:
        raise _nonsense("has a price that is made of others", f"{where}.isBundle")
    money = money_of(price.get("price"), f"{where}.price")
    if not 0 <= money.value <= _MOST:
        raise _nonsense("has a price below zero, or beyond all prices", f"{where}.price.value")
    above, most = _range(reading, uses, where)
    with decimal.localcontext(decimal.Context(prec=60)):
        each = money.value / mbps_hours(price.get("unitOfMeasure"), f"{where}.unitOfMeasure")
        tier = Tier(name=_name(price, where), mbps=most, per_mbps_hour=each.quantize(_DIGITS))
    return Price(where=where, until=until, tier=tier, above=above, currency=money.currency)


def priced_offering(offering: Catalogued, prices: Sequence[Price], step_mbps: int) -> PricedOffering:
    """Make the tiers of an offering of its prices; without any that counts it is not sold."""
    counting = sorted((each.tier.mbps, each.where, each.tier, each) for each in prices if each.tier is not None)
    below = 0
    for most, where, _, each in counting:
        if each.above and not below <= each.above <= below + step_mbps:
            raise _nonsense(f"has prices that leave a gap or overlap at {each.above} Mbit/s", where)
        below = most
    currencies = {each.currency for *_, each in counting}
    if len(currencies) > 1:
        raise _nonsense("has prices of one product offering in several currencies", counting[0][1])
    changes = [each for each in (offering.until, *(one.until for one in prices)) if each is not None]
    tiers = tuple(tier for _, _, tier, _ in counting)
    return PricedOffering(currency="".join(currencies), tiers=tiers, until=min(changes, default=None))


def mbps_hours(unit: object, where: str) -> Decimal:
    """Give how many Mbit/s for an hour a price is for, by its unit of measure."""
    told = _object(unit, where)
    amount = decimal_of(1 if told.get("amount") is None else told["amount"])
    units = told.get("units")
    rate = _rate_of_hours(units) if isinstance(units, str) else None
    if amount is None or rate is None or not _LEAST <= amount <= _MOST:
        raise _nonsense("has a price of a unit that is not read as rate and hours, such as Mbps*h", where)
    return amount * rate


def _rate_of_hours(units: str) -> Decimal | None:
    for hours in _HOURS:
        plain = units.translate(_SIGNS)
        if plain.lower().endswith(hours) and (rate := _mbps_of(plain[: -len(hours)])):
            return rate
    return None


def _mbps_of(unit: str) -> Decimal | None:
    """Give what a unit of rate is in Mbit/s; a large B is for bytes."""
    plain = unit.translate(_SIGNS)
    return None if "B" in plain else _MBPS.get(plain.lower())


def _name(price: Mapping[str, Any], where: str) -> str:
    name = price.get("id") if price.get("name") is None else price["name"]
    if not isinstance(name, str) or not 0 < len(name) <= 100:
        raise _nonsense("has a price without a name of at most 100 characters", f"{where}.name")
    return name


def _uses(price: Mapping[str, Any], where: str) -> Sequence[Mapping[str, Any]]:
    """Give the characteristics that a price is for."""
    inside = f"{where}.prodSpecCharValueUse"
    uses = price.get("prodSpecCharValueUse")
    if uses is not None and not isinstance(uses, list):
        raise _nonsense("has a price whose characteristics are no list", inside)
    return [_object(each, inside) for each in uses or ()]


def _is_of_bandwidth(reading: Reading, price: Mapping[str, Any], uses: Sequence[Mapping[str, Any]], where: str) -> bool:
    """Tell whether a price is one by usage; one that names our characteristic must say so, or be of another known type."""
    kind = price.get("priceType")
    plain = "".join(filter(str.isalpha, kind.lower())) if isinstance(kind, str) else ""
    if plain == _USAGE or plain in _OTHERS:
        return plain == _USAGE
    if any(each.get("name") == reading.characteristic for each in uses):
        raise _nonsense("has a price of bandwidth whose priceType is not known", f"{where}.priceType")
    return False


def _range(reading: Reading, uses: Sequence[Mapping[str, Any]], where: str) -> tuple[int, int]:
    """Give the rates that a price is for: from which on (0: it says none), and up to which."""
    inside = f"{where}.prodSpecCharValueUse"
    if [each.get("name") for each in uses] != [reading.characteristic]:
        raise _nonsense(f"has a price that is not for {reading.characteristic!r:.40} alone", inside)
    inside = f"{inside}.productSpecCharacteristicValue"
    values = uses[0].get("productSpecCharacteristicValue")
    if not isinstance(values, list) or len(values) != 1:
        raise _nonsense("has a price that is not for one range of rates", inside)
    value = _object(values[0], inside)
    interval = value.get("rangeInterval")
    if isinstance(interval, str) and interval.lower() in _TOP_EXCLUDED:
        raise _nonsense("has a price for a range without its highest rate", f"{inside}.rangeInterval")
    unit = "Mbps" if value.get("unitOfMeasure") is None else value["unitOfMeasure"]
    top = value.get("value") if value.get("valueTo") is None else value["valueTo"]
    start = value.get("valueFrom")
    return 0 if start is None else _mbps(start, unit, inside, least=0), _mbps(top, unit, inside, least=1)


def _mbps(rate: object, unit: object, where: str, *, least: int) -> int:
    number = decimal_of(rate)
    factor = _mbps_of(unit) if isinstance(unit, str) else None
    mbps = None if number is None or factor is None else number * factor
    if mbps is None or mbps != mbps.to_integral_value() or not least <= mbps <= _MOST_MBPS:
        raise _nonsense("has a price whose rate is no whole number of Mbit/s", where)
    return int(mbps)


def _effective(reading: Reading, read: Mapping[str, Any], where: str, at: int) -> tuple[bool, int | None]:
    """Tell whether something is sold at an instant by its state and its time, and when its time changes that."""
    state = read.get("lifecycleStatus")
    plain = state.strip().lower() if isinstance(state, str) else None
    if state is not None and plain not in _NOT_SOLD | reading.sold_in:
        raise _nonsense("has a lifecycleStatus that is none of TMF620", f"{where}.lifecycleStatus")
    start, end = _valid_for(read, where)
    is_valid = (start is None or start <= at) and (end is None or at < end)
    changes = [each for each in (start, end) if each is not None and each > at]
    return is_valid and (plain is None or plain in reading.sold_in), min(changes, default=None)


def _valid_for(read: Mapping[str, Any], where: str) -> tuple[int | None, int | None]:
    period = read.get("validFor")
    if period is None:
        return None, None
    told = _object(period, f"{where}.validFor")
    return _moment(told, "startDateTime", where), _moment(told, "endDateTime", where)


def _moment(period: Mapping[str, Any], name: str, where: str) -> int | None:
    value = period.get(name)
    moment = None if value is None else time_in_answer(value)
    if value is not None and moment is None:
        raise _nonsense("has a time that is none with a zone", f"{where}.validFor.{name}")
    return moment


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _nonsense("answered what is no object", where)
    return value


def _nonsense(what: str, where: str) -> Nonsense:
    return Nonsense(f"The product catalog {what}", hint="Look at the price there, and at the settings", where=where)
