"""What was acknowledged of alarms is in the graph, and services suffer what all open alarms together do to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.faults.evidence import Evidence
from tests.faults.kept_boosts import OURSELVES
from tests.faults.network import Suffering


def alarms(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What was acknowledged is in the graph, once, as it was last said; and nothing else is."""
    kept = Counter((each.source, each.external_id) for each in evidence.kept.alarms if each.source != OURSELVES)
    by_id = {each.id: each for each in evidence.kept.alarms}
    for told in evidence.told.alarms:
        found = by_id.get(told.alarm)
        if found is None:
            yield told.alarm, "was acknowledged and is lost"
            continue
        state = "cleared" if told.cleared else "open"
        severity = "cleared" if told.cleared else told.words.severity
        if (found.state == "cleared") != told.cleared:
            yield told.alarm, f"is {found.state}, and its source knows that it is {state}"
        elif found.severity != severity:
            yield told.alarm, f"has severity {found.severity}, and its source said {severity}"
        if found.target != told.target:
            yield told.alarm, f"is raised on {found.target} instead of {told.target}"
        kept[told.source, told.external_id] -= 1
    for (source, external_id), more in kept.items():
        if more > 0:
            yield f"{source} {external_id}", f"{more} more in the graph than were told"


def effects(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What services suffer in the graph is what all open alarms together do to the network."""
    suffered = suffering(evidence)
    if missing := suffered.keys() - {each.id for each in evidence.kept.services}:
        yield from ((each, "was loaded and is lost") for each in sorted(missing))
    for service in evidence.kept.services:
        wanted = suffered[service.id]
        if service.effect != wanted.effect:
            yield service.id, f"has effect {service.effect} instead of {wanted.effect}"
        parts = {alarm: each.parts for alarm, each in service.affected_by.items()}
        if parts != wanted.parts:
            yield service.id, f"is hit by {parts} instead of {wanted.parts}"
        for alarm, each in service.affected_by.items():
            if (each.effect, each.severity) != (wanted.effect, wanted.severity):
                yield service.id, f"suffers {each.effect}, {each.severity} from {alarm}, not {wanted.severity}"


def suffering(evidence: Evidence) -> dict[str, Suffering]:
    """Compute what every service suffers from what the sources remember."""
    return evidence.network.suffering({each.alarm: each.target for each in evidence.told.alarms if each.fails})
