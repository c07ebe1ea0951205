"""The ledger: what was to be told was told, all of it, in order, and of events that are there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.faults.evidence import Evidence
from tests.faults.kept import KeptDelivery
from tests.faults.systems import INVENTORY, PROVISIONING


def order(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What a system was told under one order key, it was told in the order of versions."""
    last: dict[tuple[str, str], KeptDelivery] = {}
    for delivery in _told(evidence):
        before = last.get((delivery.system, delivery.order_key))
        if before is not None and delivery.version < before.version:
            yield delivery.order_key, f"version {delivery.version} was told after {before.version}"
        last[delivery.system, delivery.order_key] = delivery


def receipts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What a system was told is what was to be told to it, all of it."""
    by_id = {each.id: each for each in evidence.kept.deliveries}
    heard = {each.delivery for each in evidence.books.journal}
    for line in evidence.books.journal:
        delivery = by_id.get(line.delivery or "")
        if delivery is None and (line.delivery is not None or line.system != INVENTORY):
            yield line.system, f"was told {line.delivery}, which is no delivery"
        elif delivery is not None and delivery.system != line.system:
            yield line.system, f"was told {line.delivery}, which is for {delivery.system}"
    for each in evidence.kept.deliveries:
        if each.state == "DONE" and each.id not in heard and not _was_there(evidence, each):
            yield each.id, "is done, and was never received"


def deliveries(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Everything has been told, and tells of an event that is there."""
    for each in evidence.kept.deliveries:
        if each.state != "DONE":
            yield each.id, f"is {each.state}: {each.error}"
        if each.event is None or not each.id.startswith(f"{each.event}:{each.system}:"):
            yield each.id, f"tells of {each.event}, which is not its event"
        elif each.event_version != each.version:
            yield each.id, f"has version {each.version}, and its event {each.event_version}"


def events(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """The events of each thing have versions without a gap, up to the thing's own."""
    versions: defaultdict[str, list[int]] = defaultdict(list)
    for each in evidence.kept.events:
        versions[each.aggregate].append(each.version)
    for aggregate, found in versions.items():
        if sorted(found) != list(range(1, len(found) + 1)):
            yield aggregate, f"has events of versions {sorted(found)}"
    for alarm in evidence.kept.alarms:
        if alarm.version != max(versions[alarm.id], default=0):
            yield alarm.id, f"has version {alarm.version}, and its last event {max(versions[alarm.id], default=0)}"


def _told(evidence: Evidence) -> Iterator[KeptDelivery]:
    """Give, for each change that was received, the delivery that it came of."""
    by_id = {each.id: each for each in evidence.kept.deliveries}
    return (by_id[each.delivery] for each in evidence.books.journal if each.delivery in by_id)


def _was_there(evidence: Evidence, delivery: KeptDelivery) -> bool:
    """Tell whether nothing was left to be told: an earlier delivery had made or amended a thing, or its people had.

    The people of the inventory switch equipment off and on, and what differed of that may be right when it is told. The network is
    asked for the rate that is wanted when it is asked, and may carry that; what it carries is looked at elsewhere.
    """
    if delivery.system == PROVISIONING:
        return True
    if delivery.system != INVENTORY or delivery.payload.get("doing") not in ("create", "amend"):
        return False
    if _aspects(delivery) == {"operationalState"}:
        return True
    return any(
        (each.order_key, each.system) == (delivery.order_key, delivery.system)
        and each.version < delivery.version
        and (each.payload.get("doing") == "create" or _aspects(each) == _aspects(delivery))
        for each in _told(evidence)
    )


def _aspects(delivery: KeptDelivery) -> frozenset[str]:
    """Give what a delivery says of a thing in the inventory."""
    return frozenset(delivery.payload.get("resource", {}).get("properties", ()))
