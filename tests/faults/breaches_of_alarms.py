"""Every promise about alarms and tickets, broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tests.faults.evidence import Evidence
from tests.faults.fitting import delivery, received
from tests.faults.tampering import books, first, kept, nth


def lost_alarm(good: Evidence) -> Evidence:
    return kept(good, alarms=good.kept.alarms[1:])


def unknown_alarm(good: Evidence) -> Evidence:
    return kept(good, alarms=(*good.kept.alarms, replace(good.kept.alarms[0], id="alarm-9", version=0)))


def alarm_still_open(good: Evidence) -> Evidence:
    return kept(good, alarms=nth(1, good.kept.alarms, state="raised", severity="major"))


def alarm_elsewhere(good: Evidence) -> Evidence:
    return kept(good, alarms=first(good.kept.alarms, target="trunk-1"))


def alarm_with_another_severity(good: Evidence) -> Evidence:
    return kept(good, alarms=first(good.kept.alarms, severity="minor"))


def lost_service(good: Evidence) -> Evidence:
    return kept(good, services=good.kept.services[:-1])


def effect_left_behind(good: Evidence) -> Evidence:
    return kept(good, services=nth(2, good.kept.services, effect="down"))


def effect_of_a_cleared_alarm(good: Evidence) -> Evidence:
    affected = good.kept.services[1].affected_by
    return kept(good, services=nth(1, good.kept.services, affected_by={**affected, "alarm-2": affected["alarm-1"]}))


def wrong_severity_of_an_effect(good: Evidence) -> Evidence:
    wrong = {"alarm-1": replace(good.kept.services[0].affected_by["alarm-1"], severity="minor")}
    return kept(good, services=first(good.kept.services, affected_by=wrong))


def doubled_ticket(good: Evidence) -> Evidence:
    more = replace(good.books.tickets[0], id="TT-another")
    return books(good, journal=(*good.books.journal, good.books.journal[1]), tickets=(*good.books.tickets, more))


def doubled_in_the_journal_only(good: Evidence) -> Evidence:
    return books(good, journal=(*good.books.journal, good.books.journal[1]))


def missing_ticket(good: Evidence) -> Evidence:
    gone = "alarm-1:customer-1"
    return replace(
        good,
        kept=replace(
            good.kept,
            tickets=good.kept.tickets[1:],
            deliveries=tuple(each for each in good.kept.deliveries if each.order_key != gone),
        ),
        books=replace(
            good.books,
            tickets=good.books.tickets[1:],
            journal=tuple(each for each in good.books.journal if each.external_id != gone),
        ),
    )


def ticket_never_ordered(good: Evidence) -> Evidence:
    return kept(good, deliveries=tuple(each for each in good.kept.deliveries if each.order_key != "alarm-1:customer-1"))


def ticket_of_someone_who_is_not_hurt(good: Evidence) -> Evidence:
    key = "alarm-1:customer-3"
    order = delivery("event-b", 1, 3, 1, ("open", "acknowledged", "minor"))
    held = replace(good.books.tickets[0], id="TT-3", external_id=key, customer="customer-3", severity="minor")
    ticket = replace(good.kept.tickets[0], order_key=key, their_id="TT-3", customer="customer-3", severity="minor")
    return replace(
        good,
        kept=replace(good.kept, deliveries=(*good.kept.deliveries, order), tickets=(*good.kept.tickets, ticket)),
        books=replace(good.books, journal=(*good.books.journal, received(order)), tickets=(*good.books.tickets, held)),
    )


def ticket_of_somebody_else(good: Evidence) -> Evidence:
    return books(good, tickets=first(good.books.tickets, customer="customer-2"))


def wrong_severity_there(good: Evidence) -> Evidence:
    return books(good, tickets=first(good.books.tickets, severity="minor"))


def wrong_severity_everywhere(good: Evidence) -> Evidence:
    return kept(wrong_severity_there(good), tickets=first(good.kept.tickets, severity="minor"))


def not_resolved(good: Evidence) -> Evidence:
    there = books(good, tickets=nth(2, good.books.tickets, status="acknowledged"))
    return kept(there, tickets=nth(2, good.kept.tickets, status="acknowledged"))


def resolved_too_early(good: Evidence) -> Evidence:
    there = books(good, tickets=first(good.books.tickets, status="resolved"))
    return kept(there, tickets=first(good.kept.tickets, status="resolved"))


def told_something_else(good: Evidence) -> Evidence:
    return books(good, journal=first(good.books.journal, severity="minor"))


def told_of_another_ticket(good: Evidence) -> Evidence:
    return books(good, journal=first(good.books.journal, external_id="alarm-1:customer-1"))


BREACHES: Final[list[tuple[str, Callable[[Evidence], Evidence]]]] = [
    ("alarms", lost_alarm),
    ("alarms", unknown_alarm),
    ("alarms", alarm_still_open),
    ("alarms", alarm_elsewhere),
    ("alarms", alarm_with_another_severity),
    ("effects", lost_service),
    ("effects", effect_left_behind),
    ("effects", effect_of_a_cleared_alarm),
    ("effects", wrong_severity_of_an_effect),
    ("tickets", doubled_ticket),
    ("doubles", doubled_ticket),
    ("doubles", doubled_in_the_journal_only),
    ("tickets", missing_ticket),
    ("tickets", ticket_never_ordered),
    ("tickets", ticket_of_someone_who_is_not_hurt),
    ("tickets", ticket_of_somebody_else),
    ("states", wrong_severity_there),
    ("states", wrong_severity_everywhere),
    ("states", not_resolved),
    ("states", resolved_too_early),
    ("contents", told_something_else),
    ("contents", told_of_another_ticket),
]
