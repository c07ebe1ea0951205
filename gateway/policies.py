"""What the settings say becomes the policies that the changes are given: who is told of what, and what is sold for how much.

policy = policy_of(settings)
selling = bandwidth_policy_of(settings, price_list_of(settings))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from gateway.errors import SettingsBroken
from gateway.settings.bandwidth import Bandwidth, CapSettings, LeadSettings, TariffSettings
from gateway.settings.orders import ProductSettings
from gateway.settings.settings import Settings
from graph.capacity.limits import read_overbooking
from graph.capacity.tariff import BrokenTariff, Rounding, Tariff, Tier
from graph.changes.bandwidth.policy import (
    AnyLeadRule,
    BandwidthPolicy,
    CrossingRule,
    LeadRule,
    NoTariff,
    SpendCap,
    UtilizationRule,
)
from graph.changes.catalogue import Product
from graph.changes.policy import AlarmPolicy, Hearing, Ordering
from graph.model.currencies import minor_digits
from graph.model.thresholds import Thresholds
from graph.routing.demand import Weights

_OTHERWISE = "any"


def policy_of(settings: Settings) -> AlarmPolicy:
    """Give what the settings say about alarms, and about who is told of what follows from them."""
    inventory = settings.inventory
    sending = {name for name, each in settings.systems.items() if each.inventory}
    policy = AlarmPolicy(
        reopen_ms=int(settings.reopen_seconds * 1_000),
        fault_management=_hearing(settings),
        billing=settings.billing.name if settings.billing else "",
        inventory=inventory.name if inventory else "",
        inventories=tuple(sorted({inventory.name if inventory else "inventory", *sending})),
        default_tier=settings.default_tier,
        late_ms=int(settings.late_seconds * 1_000),
        skew_ms=int(settings.clock_skew_seconds * 1_000),
        names_of=_names_of(settings),
        customer_management=settings.customers.name if settings.customers else "",
        ordering=_ordering(settings),
    )
    if (chosen := settings.ticketing) is None:
        return policy
    return replace(policy, ticketing=chosen.name, ticket_from=chosen.severity)


def _ordering(settings: Settings) -> Ordering | None:
    chosen = settings.orders
    if chosen is None:
        return None
    if chosen.products and (settings.provisioning is None or settings.provisioning.netconf is not None):
        raise SettingsBroken(
            "orders.products needs the section provisioning, with the dialect tmf640: services are made by it."
        )
    products = {name: _product(name, each) for name, each in chosen.products.items()}
    return Ordering(
        systems=frozenset(chosen.systems),
        most_items=chosen.most_items,
        most_open=chosen.most_open,
        products=products,
    )


def _product(name: str, chosen: ProductSettings) -> Product:
    weights = chosen.weights
    return Product(
        name=name,
        service_type=chosen.service_type,
        tier=chosen.tier,
        mbps=chosen.mbps,
        characteristic=chosen.characteristic,
        least_mbps=chosen.least_mbps,
        most_mbps=chosen.most_mbps,
        boost_to_mbps=chosen.boost_to_mbps,
        protected=chosen.protected,
        weights=Weights(hop=weights.hop, km=weights.km, percent=weights.percent),
        availability_percent=chosen.availability_percent,
        repair_hours=chosen.repair_hours,
    )


def _names_of(settings: Settings) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Give each source with all those whose names it uses: several systems may speak for one source."""
    used: dict[str, dict[str, None]] = {}
    for each in settings.systems.values():
        for source in each.sources if each.names_of else ():
            used.setdefault(source, {}).update(dict.fromkeys(each.names_of))
    return tuple((source, tuple(others)) for source, others in used.items())


def bandwidth_policy_of(settings: Settings, tariffs: Mapping[str, Tariff | NoTariff]) -> BandwidthPolicy:
    """Give what the settings say about rates: who is told of them, and what may be booked; what it costs is in a price list."""
    policy = BandwidthPolicy(
        provisioning=settings.provisioning.name if settings.provisioning else "",
        performance=settings.performance.name if settings.performance else "",
        sales=settings.sales.name if settings.sales else "",
        billing=settings.billing.name if settings.billing else "",
        inventory=settings.inventory.name if settings.inventory and settings.inventory.services_address else "",
        fault_management=_hearing(settings),
        thresholds=thresholds_of(settings),
    )
    return sold_by(policy, settings.bandwidth, tariffs)


def thresholds_of(settings: Settings) -> Thresholds:
    """Give what the settings say is too much for a service; without performance monitoring, what they say by themselves."""
    chosen = settings.performance
    if chosen is None:
        return Thresholds(default_tier=settings.default_tier)
    said, default = chosen.utilization, settings.default_tier
    return Thresholds(premium=said.premium, standard=said.standard, basic=said.basic, default_tier=default)


def _hearing(settings: Settings) -> Hearing | None:
    chosen = settings.fault_management
    if chosen is None:
        return None
    sources = settings.sources.get(chosen.name, (chosen.name,))
    return Hearing(name=chosen.name, sources=frozenset(sources), events=frozenset(chosen.events))


def sold_by(policy: BandwidthPolicy, chosen: Bandwidth, tariffs: Mapping[str, Tariff | NoTariff]) -> BandwidthPolicy:
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
        tariffs=tariffs,
        leads=tuple(map(_lead_rule, chosen.leads)),
    )


def _lead_rule(chosen: LeadSettings) -> AnyLeadRule:
    """Give a rule for leads by the one finding that it names."""
    rule: AnyLeadRule = LeadRule(boosts=chosen.boosts or 3, days=chosen.days)
    if chosen.crossings is not None:
        rule = CrossingRule(crossings=chosen.crossings, days=chosen.days)
    elif chosen.hours is not None:
        rule = UtilizationRule(hours=chosen.hours, days=chosen.days)
    return rule if chosen.reason is None else replace(rule, reason=chosen.reason)


def tariff_of(tier: str, chosen: TariffSettings) -> Tariff:
    """Give the tariff that the settings have in full; raises SettingsBroken."""
    tiers = tuple(Tier(name=each.name, mbps=each.mbps, per_mbps_hour=each.per_mbps_hour) for each in chosen.tiers)
    try:
        return Tariff(
            currency=chosen.currency or "",
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
