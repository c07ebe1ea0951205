"""Fault managers speak different dialects of one alarm (X.733), and nothing that they say of it may be lost on the way.

Every dialect is decoded to this one value. What decides anything here (which object, which kind, how bad, since when)
has a field; all of it, as it came, is in `record`, in the shape of TMF642, so that it can be given back as it came.

>>> alarm = Alarm(source_system_id="ems", external_alarm_id="7", alarmed_object="card-1", alarm_type="equipmentAlarm",
...               probable_cause="powerProblem", perceived_severity="major", raised_at=0, record={})
>>> alarm.identity
('ems', '7')
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from graph.model.vocabulary import ALARM_TYPES, SEVERITIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What a source system says of one alarm, at one moment. Times are epoch milliseconds UTC."""

    source_system_id: str
    external_alarm_id: str | None = None
    """the source's own id of the alarm (TMF642 externalAlarmId); optional there."""
    alarmed_object: str
    """our id of the object, or the name by which the source system knows it."""
    alarm_type: str
    """a word of `graph.model.vocabulary.ALARM_TYPES`."""
    probable_cause: str
    specific_problem: str | None = None
    perceived_severity: str
    """a word of `graph.model.vocabulary.SEVERITIES`."""
    cleared: bool = False
    """the source says that it is over: by its state, or by the severity `cleared`."""
    acknowledged: bool = False
    raised_at: int
    is_dated: bool = True
    """whether the source says when the alarm was raised; else `raised_at` is the time of this report, and counts for a new one."""
    changed_at: int | None = None
    cleared_at: int | None = None
    """when the source says that it was over; None: when we heard of it."""
    record: Mapping[str, object]
    """the whole alarm as it came, JSON values only."""

    def __post_init__(self) -> None:
        if self.alarm_type not in ALARM_TYPES:
            raise ValueError(f"{self.alarm_type!r} is no alarm type")
        if self.perceived_severity not in SEVERITIES:
            raise ValueError(f"{self.perceived_severity!r} is no severity")

    @property
    def comments(self) -> Sequence[object]:
        """What people have written on it."""
        found = self.record.get("comment")
        return found if isinstance(found, list) else ()

    def after(self, before: Alarm) -> Alarm:
        """Give the report as it is of an alarm that was known before: no report takes back what people have written."""
        kept = [*before.comments, *(each for each in self.comments if each not in before.comments)]
        return replace(self, record={**self.record, "comment": kept}) if before.comments else self

    def dated_as(self, before: Alarm) -> Alarm:
        """Give the report with the time of the raise that is known, where it has none of its own."""
        if self.is_dated:
            return self
        return replace(self, raised_at=before.raised_at, changed_at=self.changed_at or self.raised_at)

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes two uncleared alarms the same: the source's id, or without one all that tells what it is about."""
        if self.external_alarm_id is not None:
            return (self.source_system_id, self.external_alarm_id)
        about = (self.alarm_type, self.probable_cause, self.specific_problem or "")
        return (self.source_system_id, self.alarmed_object, *about)

    @property
    def identity_key(self) -> str:
        """The identity as it is kept: of one length, whatever it says."""
        return key_of(self.identity)


def key_of(identity: Sequence[str]) -> str:
    """Give the key of an identity, as it is kept with the latest alarm that has it."""
    return hashlib.sha256(orjson.dumps(list(identity))).hexdigest()


def key_of_stored(properties: Mapping[str, object]) -> str:
    """Give the key of an alarm from its properties in the graph.

    >>> key_of_stored({"sourceSystemId": "ems", "externalAlarmId": "7"}) == key_of(["ems", "7"])
    True
    """
    source, external = str(properties.get("sourceSystemId")), properties.get("externalAlarmId")
    if external is not None:
        return key_of([source, str(external)])
    names = ("alarmedObjectRef", "alarmType", "probableCause", "specificProblem")
    return key_of([source, *(str(properties.get(name) or "") for name in names)])
