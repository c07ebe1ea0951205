"""Every promise about fault management, billing, the inventory and the ledger, broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tests.faults.equipment import OTHER_VENDOR
from tests.faults.evidence import Evidence
from tests.faults.kept import KeptDifference
from tests.faults.systems import BILLING, INVENTORY
from tests.faults.tampering import books, first, kept, nth


def alarm_missing_in_the_centre(good: Evidence) -> Evidence:
    return books(good, alarms=good.books.alarms[1:])


def alarm_twice_in_the_centre(good: Evidence) -> Evidence:
    return books(good, alarms=(*good.books.alarms, good.books.alarms[0]))


def alarm_in_the_centre_that_nobody_told_of(good: Evidence) -> Evidence:
    return books(good, alarms=(*good.books.alarms, replace(good.books.alarms[0], alarm="alarm-9")))


def alarm_open_in_the_centre(good: Evidence) -> Evidence:
    return books(good, alarms=nth(1, good.books.alarms, state="raised", severity="major"))


def alarm_without_its_customer_in_the_centre(good: Evidence) -> Evidence:
    return books(good, alarms=first(good.books.alarms, affected=frozenset()))


def lost_usage(good: Evidence) -> Evidence:
    return kept(good, usage=good.kept.usage[1:])


def usage_that_nobody_told_of(good: Evidence) -> Evidence:
    return kept(good, usage=(*good.kept.usage, replace(good.kept.usage[0], id="usage-9", external_id="CDR-9")))


def usage_of_another_service(good: Evidence) -> Evidence:
    return kept(good, usage=first(good.kept.usage, service="service-2"))


def usage_that_was_never_billed(good: Evidence) -> Evidence:
    return books(good, usage=())


def usage_that_was_billed_twice(good: Evidence) -> Evidence:
    return books(good, usage=good.books.usage * 2)


def usage_that_was_billed_to_somebody_else(good: Evidence) -> Evidence:
    return books(good, usage=first(good.books.usage, customer="customer-2"))


def usage_of_nobody_that_was_billed(good: Evidence) -> Evidence:
    return books(good, usage=(*good.books.usage, replace(good.books.usage[0], usage="usage-2")))


def downtime_that_billing_never_heard_of(good: Evidence) -> Evidence:
    return books(good, downtime=good.books.downtime[1:])


def downtime_twice_in_billing(good: Evidence) -> Evidence:
    return books(good, downtime=(*good.books.downtime, good.books.downtime[0]))


def downtime_whose_end_billing_never_heard_of(good: Evidence) -> Evidence:
    return books(good, downtime=first(good.books.downtime, end=None))


def downtime_that_overlaps(good: Evidence) -> Evidence:
    wrong = first(good.kept.downtime, end=3)
    return books(kept(good, downtime=wrong), downtime=wrong)


def downtime_that_is_over_and_lasts(good: Evidence) -> Evidence:
    wrong = (*good.kept.downtime, replace(good.kept.downtime[2], id="downtime-9", service="service-3"))
    return books(kept(good, downtime=wrong), downtime=wrong)


def downtime_that_ended_too_early(good: Evidence) -> Evidence:
    wrong = nth(2, good.kept.downtime, end=3)
    return books(kept(good, downtime=wrong), downtime=wrong)


def thing_made_twice(good: Evidence) -> Evidence:
    return books(good, stock=(*good.books.stock, replace(good.books.stock[2], id="R-2")))


def thing_never_made(good: Evidence) -> Evidence:
    return books(good, stock=good.books.stock[:2])


def thing_made_that_nobody_wanted(good: Evidence) -> Evidence:
    return books(good, stock=(*good.books.stock, replace(good.books.stock[2], id="R-2", ours="port-2")))


def thing_of_nobody(good: Evidence) -> Evidence:
    return books(good, stock=(*good.books.stock, replace(good.books.stock[2], id="R-2", ours="port-9")))


def thing_that_is_known_by_another_name(good: Evidence) -> Evidence:
    return kept(good, equipment=nth(2, good.kept.equipment, names=("R-1", "P1")))


def thing_that_lies_elsewhere(good: Evidence) -> Evidence:
    return books(good, stock=nth(2, good.books.stock, inside="C2"))


def state_that_was_not_taken(good: Evidence) -> Evidence:
    return kept(good, equipment=nth(1, good.kept.equipment, operational_state="enabled"))


def vendor_that_was_settled_and_not_told(good: Evidence) -> Evidence:
    return books(good, stock=first(good.books.stock, vendor=OTHER_VENDOR))


def vendor_that_nobody_settled(good: Evidence) -> Evidence:
    return kept(good, equipment=nth(1, good.kept.equipment, vendor=OTHER_VENDOR))


def feed_that_was_never_compared(good: Evidence) -> Evidence:
    return kept(good, feeds=(("full-1", "received"),))


def lost_feed(good: Evidence) -> Evidence:
    return kept(good, feeds=())


def difference_that_was_settled_and_is_open(good: Evidence) -> Evidence:
    return kept(good, differences=(*good.kept.differences, KeptDifference(resource="port-1", kind="missingThere")))


def difference_that_is_gone(good: Evidence) -> Evidence:
    return kept(good, differences=good.kept.differences[1:])


def told_backwards(good: Evidence) -> Evidence:
    return books(good, journal=(good.books.journal[3], *good.books.journal[:3], *good.books.journal[4:]))


def told_of_nothing(good: Evidence) -> Evidence:
    return books(good, journal=first(good.books.journal, delivery=None))


def told_of_what_is_no_delivery(good: Evidence) -> Evidence:
    return books(good, journal=(*good.books.journal, replace(good.books.journal[-1], delivery="event-z:inventory:x")))


def told_to_another_system(good: Evidence) -> Evidence:
    return books(good, journal=nth(5, good.books.journal, system=BILLING))


def done_and_never_received(good: Evidence) -> Evidence:
    return books(good, journal=good.books.journal[:3] + good.books.journal[4:])


def made_without_being_received(good: Evidence) -> Evidence:
    return books(good, journal=tuple(each for each in good.books.journal if each.system != INVENTORY))


def amended_again_to_something_else(good: Evidence) -> Evidence:
    payload = {"doing": "amend", "resource": {"properties": {"model": "X"}}}
    deliveries = [replace(each, payload=payload) if each.event == "event-j" else each for each in good.kept.deliveries]
    return kept(good, deliveries=tuple(deliveries))


def parked(good: Evidence) -> Evidence:
    return kept(good, deliveries=nth(3, good.kept.deliveries, state="DEAD", error="why"))


def waiting(good: Evidence) -> Evidence:
    return kept(good, deliveries=nth(3, good.kept.deliveries, state="READY"))


def delivery_without_its_event(good: Evidence) -> Evidence:
    return kept(good, deliveries=nth(3, good.kept.deliveries, event=None))


def delivery_of_another_version(good: Evidence) -> Evidence:
    return kept(good, deliveries=nth(3, good.kept.deliveries, event_version=1))


def gap(good: Evidence) -> Evidence:
    return kept(good, events=nth(2, good.kept.events, version=3))


def lost_event(good: Evidence) -> Evidence:
    return kept(good, events=tuple(each for each in good.kept.events if each.id != "event-c"))


BREACHES: Final[list[tuple[str, Callable[[Evidence], Evidence]]]] = [
    ("central", alarm_missing_in_the_centre),
    ("central", alarm_twice_in_the_centre),
    ("central", alarm_in_the_centre_that_nobody_told_of),
    ("central", alarm_open_in_the_centre),
    ("central", alarm_without_its_customer_in_the_centre),
    ("usage", lost_usage),
    ("usage", usage_that_nobody_told_of),
    ("usage", usage_of_another_service),
    ("usage", usage_that_was_never_billed),
    ("usage", usage_that_was_billed_twice),
    ("usage", usage_that_was_billed_to_somebody_else),
    ("usage", usage_of_nobody_that_was_billed),
    ("downtime", downtime_that_billing_never_heard_of),
    ("downtime", downtime_twice_in_billing),
    ("downtime", downtime_whose_end_billing_never_heard_of),
    ("downtime", downtime_that_overlaps),
    ("downtime", downtime_that_is_over_and_lasts),
    ("downtime", downtime_that_ended_too_early),
    ("stock", thing_made_twice),
    ("stock", thing_never_made),
    ("stock", thing_made_that_nobody_wanted),
    ("stock", thing_of_nobody),
    ("stock", thing_that_is_known_by_another_name),
    ("stock", thing_that_lies_elsewhere),
    ("stock", state_that_was_not_taken),
    ("stock", vendor_that_was_settled_and_not_told),
    ("stock", vendor_that_nobody_settled),
    ("feeds", feed_that_was_never_compared),
    ("feeds", lost_feed),
    ("feeds", difference_that_was_settled_and_is_open),
    ("feeds", difference_that_is_gone),
    ("order", told_backwards),
    ("receipts", told_of_nothing),
    ("receipts", told_of_what_is_no_delivery),
    ("receipts", told_to_another_system),
    ("receipts", done_and_never_received),
    ("receipts", made_without_being_received),
    ("receipts", amended_again_to_something_else),
    ("deliveries", parked),
    ("deliveries", waiting),
    ("deliveries", delivery_without_its_event),
    ("deliveries", delivery_of_another_version),
    ("events", gap),
    ("events", lost_event),
]
