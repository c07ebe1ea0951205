"""What the settings say about selling bandwidth becomes the rules that the changes are given.

policy = sold_by(BandwidthPolicy(provisioning="provisioning"), settings.bandwidth)
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from gateway.errors import SettingsBroken
from gateway.settings.bandwidth import Bandwidth, CapSettings, TariffSettings
from graph.capacity.limits import read_overbooking
from graph.capacity.tariff import BrokenTariff, Rounding, Tariff, Tier
from graph.changes.bandwidth.policy import BandwidthPolicy, LeadRule, SpendCap
from graph.model.currencies import minor_digits

_OTHERWISE = "any"


def sold_by(policy: BandwidthPolicy, chosen: Bandwidth) -> BandwidthPolicy:
    """Give a policy with the rules of the section `bandwidth`; raises SettingsBroken where a currency is none."""
    factors = {layer: factor for layer, factor in chosen.overbooking.items() if layer != _OTHERWISE}
    return replace(
        policy,
        hold_ms=_ms(chosen.hold_seconds),
        late_ms=_ms(chosen.late_seconds),
        horizon_ms=_ms(chosen.horizon_days * 86_400.0),
        notice_ms=_ms(chosen.notice_seconds),
        quote_ms=_ms(chosen.quote_seconds),
        search_ms=_ms(chosen.search_days * 86_400.0),
        charge=chosen.charge,
        overbooking=read_overbooking(factors, chosen.overbooking.get(_OTHERWISE, "1")),
        cap=None if chosen.cap is None else _cap("bandwidth.cap", chosen.cap),
        caps={customer: _cap(f"bandwidth.caps.{customer}", each) for customer, each in chosen.caps.items()},
        tariffs={tier: _tariff(tier, each) for tier, each in chosen.tariffs.items()},
        leads=tuple(LeadRule(reason=each.reason, boosts=each.boosts, days=each.days) for each in chosen.leads),
    )


def _tariff(tier: str, chosen: TariffSettings) -> Tariff:
    tiers = tuple(Tier(name=each.name, mbps=each.mbps, per_mbps_hour=each.per_mbps_hour) for each in chosen.tiers)
    try:
        return Tariff(
            currency=chosen.currency,
            step_mbps=chosen.step_mbps,
            tiers=tiers,
            minimum=chosen.minimum,
            rounding=Rounding(chosen.rounding),
        )
    except BrokenTariff as broken:
        raise SettingsBroken(f"bandwidth.tariffs.{tier} {broken}.") from broken


def _cap(name: str, chosen: CapSettings) -> SpendCap:
    digits = minor_digits(chosen.currency)
    if digits is None:
        raise SettingsBroken(f"{name} has the currency {chosen.currency!r}, which is none of ISO 4217.")
    amount = chosen.amount.scaleb(digits)
    if amount != amount.to_integral_value():
        raise SettingsBroken(
            f"{name} has an amount of {chosen.amount}, which is no whole number of {chosen.currency}'s smallest unit."
        )
    return SpendCap(amount=int(amount), currency=chosen.currency)


def _ms(seconds: float) -> int:
    return int(Decimal(str(seconds)) * 1_000)
