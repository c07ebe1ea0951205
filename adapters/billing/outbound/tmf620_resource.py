"""What is believed of TMF620's product offerings and prices: a price of a bandwidth tier is a charge by usage for its rates.

TMF620 leaves to the catalog how a price is put. This much must be there, in the words of its ProductOfferingPrice:

    {"id": "M", "name": "M", "priceType": "usage", "price": {"unit": "EUR", "value": 0.02},
     "unitOfMeasure": {"amount": 1, "units": "Mbps*h"},
     "prodSpecCharValueUse": [{"name": "bandwidth", "productSpecCharacteristicValue": [{"valueTo": 500, "unitOfMeasure": "Mbps"}]}]}

Prices of other types (a recurring one, a single one) are none of bandwidth for a while, and those whose time has not come or is over
do not count. One that counts and cannot be read spoils the whole: with a tier less, its rates would have the price of another tier.

Pure: a `PricedOffering` out of answers.

>>> units = [per_mbps_hour({"amount": 2, "units": each}, "u") for each in ("Mbps*h", "Gbit/s hour")]
>>> [str(each) for each in units]
['2', '2000']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from adapters.billing import PricedOffering
from adapters.billing.outbound.money import decimal_of, money_of
from adapters.errors import Nonsense
from adapters.tmf.tmf630 import time_in_answer
from graph.capacity.tariff import Tier

MOST_PRICES: Final = 100
_SOLD: Final = ("active", "launched")
"""states of what may be bought, in the words of TMF620's life cycle."""
_USAGE: Final = "usage"
_MBPS: Final = {"mbps": Decimal(1), "mbits": Decimal(1), "gbps": Decimal(1_000), "gbits": Decimal(1_000)}
"""what a unit of rate is in Mbit/s; signs and blanks in it are passed over."""
_HOURS: Final = ("hours", "hour", "hr", "h")
_MOST_MBPS: Final = 10_000_000
_DIGITS: Final = 12
"""of a price of 1 Mbit/s and hour behind the point."""


def read_offering(answer: object, offering: str) -> Mapping[str, Any]:
    """Read a product offering, which must be the one that was asked for."""
    read = _object(answer, "body")
    if read.get("id") != offering:
        raise _nonsense("answered another product offering than was asked for", "id")
    return read


def is_sold(told: Mapping[str, Any], where: str, at: int) -> bool:
    """Tell whether an offering may be bought, or a price counts, at an instant; what says nothing of it, does."""
    state = told.get("lifecycleStatus")
    if state is not None and (not isinstance(state, str) or state.lower() not in _SOLD):
        return False
    return told.get("isSellable") is not False and _is_valid(told.get("validFor"), f"{where}.validFor", at)


def priced_offering(prices: Sequence[object], characteristic: str, at: int) -> PricedOffering | None:
    """Read the prices of an offering that count at an instant; None: there is none."""
    read = [_object(each, f"[{number}]") for number, each in enumerate(prices)]
    counting = [(f"[{n}]", each) for n, each in enumerate(read) if _is_usage(each) and is_sold(each, f"[{n}]", at)]
    tiers = sorted((_tier(each, characteristic, where) for where, each in counting), key=lambda tier: tier.mbps)
    currencies = {money_of(each.get("price"), f"{where}.price").currency for where, each in counting}
    if len(currencies) > 1:
        raise _nonsense("has prices of one product offering in several currencies", "price.unit")
    if len({each.mbps for each in tiers}) < len(tiers) or len({each.name for each in tiers}) < len(tiers):
        raise _nonsense("has two prices for the same rates, or of one name", "")
    return PricedOffering(currency=currencies.pop(), tiers=tuple(tiers)) if tiers else None


def per_mbps_hour(unit: object, where: str) -> Decimal:
    """Give how many Mbit/s for an hour a price is for, by its unit of measure."""
    told = _object(unit, where)
    amount = decimal_of(told.get("amount", 1))
    units = told.get("units")
    rate = _rate_of_hours(units) if isinstance(units, str) else None
    if amount is None or amount <= 0 or rate is None:
        raise _nonsense("has a price of a unit that is not read as rate and hours, such as Mbps*h", where)
    return amount * rate


def _rate_of_hours(units: str) -> Decimal | None:
    plain = _letters(units)
    for hours in _HOURS:
        if plain.endswith(hours) and (rate := _MBPS.get(plain.removesuffix(hours))):
            return rate
    return None


def _tier(price: Mapping[str, Any], characteristic: str, where: str) -> Tier:
    name = price.get("name", price.get("id"))
    if not isinstance(name, str) or not 0 < len(name) <= 100:
        raise _nonsense("has a price without a name of at most 100 characters", f"{where}.name")
    money = money_of(price.get("price"), f"{where}.price")
    if money.value < 0:
        raise _nonsense("has a price below zero", f"{where}.price.value")
    each = money.value / per_mbps_hour(price.get("unitOfMeasure"), f"{where}.unitOfMeasure")
    return Tier(name=name, mbps=_most_mbps(price, characteristic, where), per_mbps_hour=round(each, _DIGITS))


def _most_mbps(price: Mapping[str, Any], characteristic: str, where: str) -> int:
    """Give the highest rate that a price is for."""
    inside = f"{where}.prodSpecCharValueUse"
    uses = price.get("prodSpecCharValueUse")
    for use in uses if isinstance(uses, list) else ():
        told = _object(use, inside)
        values = told.get("productSpecCharacteristicValue")
        if told.get("name") == characteristic and isinstance(values, list) and values:
            return max(_mbps(_object(each, inside), f"{inside}.productSpecCharacteristicValue") for each in values)
    raise _nonsense(f"has a price that does not say for which {characteristic!r:.40} it is", inside)


def _mbps(value: Mapping[str, Any], where: str) -> int:
    rate = decimal_of(value.get("valueTo") if value.get("valueTo") is not None else value.get("value"))
    unit = value.get("unitOfMeasure", "Mbps")
    factor = _MBPS.get(_letters(unit)) if isinstance(unit, str) else None
    mbps = None if rate is None or factor is None else rate * factor
    if mbps is None or mbps != mbps.to_integral_value() or not 0 < mbps <= _MOST_MBPS:
        raise _nonsense("has a price whose rate is no whole number of Mbit/s above 0", where)
    return int(mbps)


def _is_usage(price: Mapping[str, Any]) -> bool:
    kind = price.get("priceType")
    return isinstance(kind, str) and kind.lower() == _USAGE


def _is_valid(period: object, where: str, at: int) -> bool:
    if period is None:
        return True
    told = _object(period, where)
    start, end = (_moment(told.get(name), f"{where}.{name}") for name in ("startDateTime", "endDateTime"))
    return (start is None or start <= at) and (end is None or at < end)


def _moment(value: object, where: str) -> int | None:
    if value is None:
        return None
    moment = time_in_answer(value)
    if moment is None:
        raise _nonsense("has a time that is none with a zone", where)
    return moment


def _letters(text: str) -> str:
    return "".join(each for each in text.lower() if each.isalpha())


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _nonsense("answered what is no object", where)
    return value


def _nonsense(what: str, where: str) -> Nonsense:
    return Nonsense(f"The product catalog {what}", hint="Look at the price there, and at the settings", where=where)
