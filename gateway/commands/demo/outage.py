"""The main job, told as it happens: a card fails, and whoever must know of it does, each in the system they look at.

Everything is done and seen from outside, over HTTP: the stand-in for fault management raises the alarm, the gateway is
asked whom it hits, the stand-ins of the other systems are asked what they hold of it, and the customer asks for its slice.
Then the card is mended, the alarm clears, the tickets must be resolved, and billing must know for how long who suffered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from gateway.commands.demo import centre, invoice, newcomer, report, stock, videoconference, window
from gateway.commands.demo.centre import Centre
from gateway.commands.demo.invoice import Invoice
from gateway.commands.demo.newcomer import Newcomer
from gateway.commands.demo.report import Report
from gateway.commands.demo.scene import Scene, soon
from gateway.commands.demo.stock import Stock
from gateway.commands.demo.story import Told, as_text, own_word, tell
from gateway.commands.demo.videoconference import Videoconference
from gateway.commands.demo.window import Heard, Window
from gateway.errors import CommandFailed
from gateway.stand_ins import fault_management

_RANK: Final = ("critical", "major", "minor", "warning")
_TICKETED: Final = frozenset(_RANK[:3])
_CARD: Final = """
query Card($id: ID!) {
  customer(id: $id) { services(first: 50) { nodes { accessPoints { port { card { id } } } } } }
}
"""
_IMPACT: Final = "query Impact($of: [ID!]!) { impact(of: $of) { totalServices totalCustomers } }"
_AFFECTED: Final = """
query Affected($id: ID!) {
  alarm(id: $id) {
    alarmedObject { __typename ... on Resource { id name } }
    affects(first: 1000) { nodes { effect severity service { id name customer { id name } } } }
  }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """What happened."""

    alarm: dict[str, Any]
    affected: list[dict[str, Any]]
    tickets: list[dict[str, Any]]
    """as the ticketing system returns them, while the fault lasts."""
    ticketed_ms: float
    """from the fault manager's request to the last ticket."""
    centre: Centre
    slice: Told
    heard: Heard
    resolved: bool
    report: Report
    invoice: Invoice
    stock: Stock
    videoconference: Videoconference
    newcomer: Newcomer


async def play(scene: Scene, note: Callable[[str], None]) -> Outage:
    """Let a card fail and be mended; raises CommandFailed where any of it does not happen."""
    token = SecretStr(scene.tokens["fault management"])
    async with fault_management(f"{scene.base}/tmf-api/alarmManagement/v4", token) as faults:
        await invoice.make_bill(scene)
        card = await _card(scene)
        second = Window(scene=scene)
        await second.open()
        began = time.monotonic()
        raised = await faults.raise_alarm(card, number=scene.seed, deadline=soon())
        alarm, affected = await _affected(scene, raised.id, raised.external_alarm_id)
        note(_what_fails(alarm, affected))
        wanted = _ticketed(affected)
        tickets = await _tickets(scene, raised.id, lambda found: len(found) >= len(wanted), "were opened")
        ticketed_ms = round((time.monotonic() - began) * 1_000, 1)
        note(_what_is_filed(tickets, ticketed_ms))
        central = await centre.look(scene, raised.id)
        note(centre.as_text(central))
        told = await tell(f"{scene.base}/graphql", dict(scene.tokens), scene.premium, scene.standard)
        note(as_text(told))
        alert = await second.hear("BEGAN")
        note(window.began_as_text(alert))
        await second.cut()
        await faults.clear_alarm(raised.external_alarm_id, deadline=soon())
        over = await _tickets(scene, raised.id, _all_resolved, "were resolved")
        await centre.look_again(scene, raised.id)
        note(f"The card works again, the alarm is cleared: {len(over)} of {len(tickets)} tickets are resolved.")
        heard = Heard(began=alert, ended=await second.hear("ENDED"))
        await second.cut()
        note(window.ended_as_text(heard.ended))
        reported, billed, stocked, boosted, newly = await _afterwards(scene, card, note)
    return Outage(
        alarm=alarm,
        affected=affected,
        tickets=tickets,
        ticketed_ms=ticketed_ms,
        centre=central,
        slice=told,
        heard=heard,
        resolved=len(over) == len(tickets),
        report=reported,
        invoice=billed,
        stock=stocked,
        videoconference=boosted,
        newcomer=newly,
    )


async def _afterwards(
    scene: Scene, card: str, note: Callable[[str], None]
) -> tuple[Report, Invoice, Stock, Videoconference, Newcomer]:
    """Do what customers and systems do on any day."""
    reported = await report.look(scene)
    note(report.as_text(reported))
    billed = await invoice.look(scene)
    note(invoice.as_text(billed))
    stocked = await stock.look(scene, card)
    note(stock.as_text(stocked))
    boosted = await videoconference.look(scene)
    note(videoconference.as_text(boosted))
    newly = await newcomer.look(scene)
    note(newcomer.as_text(newly))
    return reported, billed, stocked, boosted, newly


async def _card(scene: Scene) -> str:
    """Choose the card of the customer's own whose failure hits the most, and nobody's whole network."""
    (customer,) = scene.premium.customers
    data = await scene.ask(_CARD, id=customer)
    services = data["customer"]["services"]["nodes"]
    cards: list[str] = sorted({each["port"]["card"]["id"] for service in services for each in service["accessPoints"]})
    sizes = [(await scene.ask(_IMPACT, of=[each]))["impact"] for each in cards]
    hit = {card: (size["totalCustomers"], size["totalServices"]) for card, size in zip(cards, sizes, strict=True)}
    return max(cards, key=lambda each: (hit[each][1] <= 200, hit[each], each))


async def _affected(scene: Scene, alarm_id: str, external_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    found = (await scene.ask(_AFFECTED, id=alarm_id))["alarm"]
    affected = [
        {
            "customer": each["service"]["customer"],
            "service": {"id": each["service"]["id"], "name": each["service"]["name"]},
            "effect": own_word(each["effect"]),
            "severity": own_word(each["severity"]),
        }
        for each in found["affects"]["nodes"]
    ]
    if not affected:
        raise CommandFailed("The alarm affects no service.", "Try another --seed.")
    alarm = {"id": alarm_id, "externalAlarmId": external_id, "alarmedObject": found["alarmedObject"]}
    return alarm, sorted(affected, key=_badness)


def _badness(affected: Mapping[str, Any]) -> tuple[int, str, str]:
    severity = affected["severity"]
    rank = _RANK.index(severity) if severity in _RANK else len(_RANK)
    return rank, affected["customer"]["name"], affected["service"]["name"]


def _ticketed(affected: Sequence[Mapping[str, Any]]) -> set[str]:
    return {each["customer"]["id"] for each in affected if each["severity"] in _TICKETED}


async def _tickets(
    scene: Scene, alarm_id: str, enough: Callable[[list[dict[str, Any]]], bool], what: str
) -> list[dict[str, Any]]:
    """Read the alarm's tickets back from the ticketing system, until they are as they should be."""

    def of_it(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [each for each in listed if each["externalId"].startswith(f"{alarm_id}:")]

    url = f"{scene.neighbours.ticketing}/troubleTicket?limit=1000"
    listed = await scene.until(url, lambda found: enough(of_it(found)), f"Not all tickets {what}")
    return [_shown(each) for each in of_it(listed)]


def _all_resolved(found: Sequence[Mapping[str, Any]]) -> bool:
    return bool(found) and all(each["status"] == "resolved" for each in found)


def _shown(ticket: Mapping[str, Any]) -> dict[str, Any]:
    return {name: ticket[name] for name in ("id", "externalId", "severity", "status", "relatedParty")}


def _what_fails(alarm: Mapping[str, Any], affected: Sequence[Mapping[str, Any]]) -> str:
    customers = {each["customer"]["id"] for each in affected}
    fails = f"Card {alarm['alarmedObject']['name']} fails. Fault management posts alarm {alarm['externalAlarmId']}"
    lines = [f"{fails}, which hits {len(affected)} services of {len(customers)} customers:"]
    for each in affected[:6]:
        severity = each["severity"] or "no severity promised"
        lines.append(f"  {each['customer']['name']}: {each['service']['name']}: {each['effect']}, {severity}")
    if len(affected) > 6:
        lines.append(f"  and {len(affected) - 6} more")
    return "\n".join(lines)


def _what_is_filed(tickets: Sequence[Mapping[str, Any]], milliseconds: float) -> str:
    lines = [f"The ticketing system, {milliseconds} ms after the alarm, holds {len(tickets)} tickets:"]
    lines += [
        f"  {each['id']}: {each['severity']}, {each['status']}, for {each['relatedParty'][0]['name']}"
        for each in sorted(tickets, key=lambda ticket: _RANK.index(ticket["severity"]))[:6]
    ]
    if len(tickets) > 6:
        lines.append(f"  and {len(tickets) - 6} more")
    return "\n".join(lines)


def as_object(outage: Outage) -> dict[str, Any]:
    """Give what happened for programs."""
    return {
        "alarm": outage.alarm,
        "affected": outage.affected,
        "tickets": outage.tickets,
        "ticketedMilliseconds": outage.ticketed_ms,
        "query": {"data": outage.slice.data, "milliseconds": outage.slice.milliseconds},
        "hiddenFromOther": outage.slice.hidden,
        "subscriber": window.as_object(outage.heard),
        "resolved": outage.resolved,
        "centre": {"alarm": dict(outage.centre.alarm), "acknowledgedHere": outage.centre.acknowledged_here},
        "report": report.as_object(outage.report),
        "billing": invoice.as_object(outage.invoice),
        "inventory": stock.as_object(outage.stock),
        "videoconference": videoconference.as_object(outage.videoconference),
        "newcomer": newcomer.as_object(outage.newcomer),
    }
