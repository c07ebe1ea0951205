"""How many digits an amount of a currency has behind the point: prices are kept in its smallest unit.

The table is that of ISO 4217 (amendment 180), list one, without metals, units of account, test codes and what has no minor
unit. Unicode's CLDR, which libraries have, is another table: it has no digits for HUF, IDR, IQD and others, as in shops.

>>> minor_digits("EUR"), minor_digits("JPY"), minor_digits("KWD"), minor_digits("XXX")
(2, 0, 3, None)
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

_NONE: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_TWO: Final = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC
CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR
KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN
PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS
UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR: Final = "CLF UYW"

_DIGITS: Final = MappingProxyType(
    {
        currency: digits
        for digits, currencies in ((0, _NONE), (2, _TWO), (3, _THREE), (4, _FOUR))
        for currency in currencies.split()
    }
)


def minor_digits(currency: str) -> int | None:
    """Give the digits behind the point; None for what is no currency that is in use."""
    return _DIGITS.get(currency)
