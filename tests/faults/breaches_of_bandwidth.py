"""Every promise about boosts, broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from tests.faults.evidence import Evidence
from tests.faults.kept_boosts import KeptLead, KeptTask
from tests.faults.rate_books import RateTold
from tests.faults.tampering import books, first, kept, nth


def _graph(good: Evidence, **more: Any) -> Evidence:
    return kept(good, boosts=replace(good.kept.boosts, **more))


def _systems(good: Evidence, **more: Any) -> Evidence:
    return books(good, rates=replace(good.books.rates, **more))


def lost_booking(good: Evidence) -> Evidence:
    return _graph(good, boosts=tuple(each for each in good.kept.boosts.boosts if each.id != "boost-3"))


def boost_that_nobody_was_told_of(good: Evidence) -> Evidence:
    more = replace(good.kept.boosts.boosts[2], id="boost-9")
    return _graph(good, boosts=(*good.kept.boosts.boosts, more))


def boost_of_another_rate_than_was_told(good: Evidence) -> Evidence:
    return replace(good, told=replace(good.told, booked=nth(2, good.told.booked, mbps=50)))


def extension_that_was_told_and_is_lost(good: Evidence) -> Evidence:
    return replace(good, told=replace(good.told, booked=nth(1, good.told.booked, end=31_000)))


def boost_that_is_not_over(good: Evidence) -> Evidence:
    return _graph(good, boosts=first(good.kept.boosts.boosts, status="ACTIVATED", ended_at=None))


def return_that_the_network_never_made(good: Evidence) -> Evidence:
    return _systems(good, network={"service-1": 150})


def return_that_the_graph_does_not_know(good: Evidence) -> Evidence:
    return _graph(good, rates=first(good.kept.boosts.rates, effective=150))


def rate_that_nobody_knows(good: Evidence) -> Evidence:
    return _graph(good, rates=first(good.kept.boosts.rates, may_carry=150))


def return_alarm_that_is_open(good: Evidence) -> Evidence:
    return kept(good, alarms=nth(2, good.kept.alarms, state="raised"))


def return_alarm_that_is_open_in_the_centre(good: Evidence) -> Evidence:
    return books(good, alarms=nth(2, good.books.alarms, state="raised"))


def return_alarm_that_the_centre_never_heard_of(good: Evidence) -> Evidence:
    return books(good, alarms=good.books.alarms[:2])


def return_alarm_twice_in_the_centre(good: Evidence) -> Evidence:
    return books(good, alarms=(*good.books.alarms, good.books.alarms[2]))


def rate_that_was_set_twice(good: Evidence) -> Evidence:
    carried = good.books.rates.carried
    return _systems(good, carried=(carried[0], replace(carried[0], at=10_360), *carried[1:]))


def rate_that_nobody_had_booked(good: Evidence) -> Evidence:
    return _systems(good, carried=nth(1, good.books.rates.carried, mbps=300))


def rate_of_long_ago(good: Evidence) -> Evidence:
    late = replace(good.books.rates.carried[0], at=110_000)
    return _systems(good, carried=(*good.books.rates.carried, late))


def charge_that_is_missing(good: Evidence) -> Evidence:
    return _both(good, 1, None)


def charge_that_is_too_short(good: Evidence) -> Evidence:
    return _both(good, 0, {"end": 19_000})


def charge_after_the_end(good: Evidence) -> Evidence:
    return _both(good, 0, {"end": 20_300})


def charge_before_it_was_confirmed(good: Evidence) -> Evidence:
    return _both(good, 0, {"start": 10_000})


def charge_at_a_higher_rate(good: Evidence) -> Evidence:
    return _both(good, 0, {"mbps": 60})


def charge_of_a_boost_that_was_refused(good: Evidence) -> Evidence:
    return _both(good, 0, {"boost": "boost-3"})


def charge_for_what_the_network_did_not_carry(good: Evidence) -> Evidence:
    return _systems(good, carried=good.books.rates.carried[1:])


def charge_that_was_made_twice(good: Evidence) -> Evidence:
    twice = replace(good.kept.boosts.charges[0], id="usage-19")
    return _graph(good, charges=(*good.kept.boosts.charges, twice))


def charge_that_was_never_billed(good: Evidence) -> Evidence:
    return _systems(good, billed=good.books.rates.billed[1:])


def charge_that_was_billed_twice(good: Evidence) -> Evidence:
    return _systems(good, billed=(*good.books.rates.billed, good.books.rates.billed[0]))


def bill_that_is_a_second_longer(good: Evidence) -> Evidence:
    return _systems(good, billed=first(good.books.rates.billed, end=21_000))


def bill_of_another_customer(good: Evidence) -> Evidence:
    return _systems(good, billed=first(good.books.rates.billed, customer="customer-2"))


def credit_that_was_made_twice(good: Evidence) -> Evidence:
    charge, billed = good.kept.boosts.charges[3], good.books.rates.billed[3]
    graph = _graph(good, charges=(*good.kept.boosts.charges, replace(charge, id="usage-19")))
    return _systems(graph, billed=(*good.books.rates.billed, replace(billed, id="usage-19")))


def overbooked_port(good: Evidence) -> Evidence:
    return replace(good, network=replace(good.network, capacity={**good.network.capacity, "port-1": 249}))


def capacity_that_is_held_for_nobody(good: Evidence) -> Evidence:
    return _graph(good, boosts=first(good.kept.boosts.boosts, reserves=3))


def step_that_is_pending(good: Evidence) -> Evidence:
    return _graph(good, steps=first(good.kept.boosts.steps, state="PENDING"))


def return_without_a_step(good: Evidence) -> Evidence:
    steps = good.kept.boosts.steps
    return _graph(good, steps=tuple(each for each in steps if (each.boost, each.boundary) != ("boost-1", "RETURN")))


def task_that_is_left(good: Evidence) -> Evidence:
    return _graph(good, tasks=(KeptTask(kind="rateUnknown", about="service-1", state="OPEN"),))


def job_that_was_never_made(good: Evidence) -> Evidence:
    return _systems(good, measured=())


def job_that_was_made_twice(good: Evidence) -> Evidence:
    return _systems(good, measured=good.books.rates.measured * 2)


def job_with_the_boosted_rate(good: Evidence) -> Evidence:
    return _systems(good, measured=(RateTold(service="service-1", mbps=150), *good.books.rates.measured[1:]))


def service_that_nobody_watches(good: Evidence) -> Evidence:
    rates = good.books.rates
    without = replace(
        rates,
        measured=tuple(each for each in rates.measured if each.service != "service-2"),
        events=tuple(each for each in rates.events if each.service != "service-2"),
    )
    unwatched = tuple(each for each in good.happened if (each.type, each.about) != ("ServiceThresholdSet", "service-2"))
    return replace(books(good, rates=without), happened=unwatched)


def inventory_with_the_boosted_rate(good: Evidence) -> Evidence:
    return _systems(good, stocked={"service-1": 150})


def rate_that_fault_management_never_heard_of(good: Evidence) -> Evidence:
    return _systems(good, events=good.books.rates.events[:-1])


def rate_that_fault_management_heard_of_twice(good: Evidence) -> Evidence:
    return _systems(good, events=(*good.books.rates.events, good.books.rates.events[-1]))


def rates_that_fault_management_heard_of_backwards(good: Evidence) -> Evidence:
    return _systems(good, events=good.books.rates.events[::-1])


def lead_that_sales_never_heard_of(good: Evidence) -> Evidence:
    return _systems(good, leads=())


def lead_twice_in_sales(good: Evidence) -> Evidence:
    return _systems(good, leads=good.books.rates.leads * 2)


def lead_that_was_never_opened(good: Evidence) -> Evidence:
    return _systems(_graph(good, leads=()), leads=())


def second_lead_of_a_service(good: Evidence) -> Evidence:
    graph = _graph(good, leads=(*good.kept.boosts.leads, KeptLead(id="lead-2", service="service-1")))
    return _systems(graph, leads=("lead-1", "lead-2"))


def _both(good: Evidence, number: int, more: dict[str, Any] | None) -> Evidence:
    """Let graph and billing agree on a charge that is wrong; None: on one that is missing."""
    charges, billed = list(good.kept.boosts.charges), list(good.books.rates.billed)
    if more is None:
        del charges[number], billed[number]
    else:
        charges[number] = replace(charges[number], **more)
        said = {name: value for name, value in more.items() if name != "boost"}
        whole = {name: value // 1_000 * 1_000 if name in ("start", "end") else value for name, value in said.items()}
        billed[number] = replace(billed[number], **whole)
    return _systems(_graph(good, charges=tuple(charges)), billed=tuple(billed))


BREACHES: Final[list[tuple[str, Callable[[Evidence], Evidence]]]] = [
    ("bookings", lost_booking),
    ("bookings", boost_that_nobody_was_told_of),
    ("bookings", boost_of_another_rate_than_was_told),
    ("bookings", extension_that_was_told_and_is_lost),
    ("returns", boost_that_is_not_over),
    ("returns", return_that_the_network_never_made),
    ("returns", return_that_the_graph_does_not_know),
    ("returns", rate_that_nobody_knows),
    ("returns", return_alarm_that_is_open),
    ("returns", return_alarm_that_is_open_in_the_centre),
    ("returns", return_alarm_that_the_centre_never_heard_of),
    ("returns", return_alarm_twice_in_the_centre),
    ("carried", rate_that_was_set_twice),
    ("carried", rate_that_nobody_had_booked),
    ("carried", rate_of_long_ago),
    ("charges", charge_that_is_missing),
    ("charges", charge_that_is_too_short),
    ("charges", charge_after_the_end),
    ("charges", charge_before_it_was_confirmed),
    ("charges", charge_at_a_higher_rate),
    ("charges", charge_of_a_boost_that_was_refused),
    ("charges", charge_for_what_the_network_did_not_carry),
    ("charges", charge_that_was_made_twice),
    ("bills", charge_that_was_never_billed),
    ("bills", charge_that_was_billed_twice),
    ("bills", bill_that_is_a_second_longer),
    ("bills", bill_of_another_customer),
    ("bills", credit_that_was_made_twice),
    ("capacity", overbooked_port),
    ("capacity", capacity_that_is_held_for_nobody),
    ("processes", step_that_is_pending),
    ("processes", return_without_a_step),
    ("processes", task_that_is_left),
    ("rates", job_that_was_never_made),
    ("rates", service_that_nobody_watches),
    ("rates", job_that_was_made_twice),
    ("rates", job_with_the_boosted_rate),
    ("rates", inventory_with_the_boosted_rate),
    ("rates", rate_that_fault_management_never_heard_of),
    ("rates", rate_that_fault_management_heard_of_twice),
    ("rates", rates_that_fault_management_heard_of_backwards),
    ("rates", lead_that_sales_never_heard_of),
    ("rates", lead_twice_in_sales),
    ("rates", lead_that_was_never_opened),
    ("rates", second_lead_of_a_service),
]
