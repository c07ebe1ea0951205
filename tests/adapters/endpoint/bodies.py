"""Alarms as fault managers send them: the least that one may say, and all that one can."""

from __future__ import annotations

from typing import Any

LEAST: dict[str, Any] = {
    "alarmType": "equipmentAlarm",
    "perceivedSeverity": "critical",
    "probableCause": "powerProblem",
    "alarmedObject": {"id": "card-c1"},
    "sourceSystemId": "nms-1",
    "state": "raised",
    "alarmRaisedTime": "2026-01-01T12:00:00Z",
}

FULL: dict[str, Any] = {
    **LEAST,
    "@type": "CardAlarm",
    "@baseType": "Alarm",
    "@schemaLocation": "https://nms.test/schema/CardAlarm.json",
    "id": "nms's own 17",
    "href": "https://nms.test/alarm/17",
    "ackState": "unacknowledged",
    "ackSystemId": "nms-1",
    "ackUserId": "ann",
    "affectedService": [{"id": "their service", "href": "https://nms.test/service/1", "@type": "Service"}],
    "alarmChangedTime": "2026-01-01T13:30:00.1234567+01:00",
    "alarmClearedTime": "2026-01-01t14:00:00z",
    "alarmDetails": "PSU B, Größe 3, 電源",
    "alarmEscalation": False,
    "alarmReportingTime": "2026-01-01T12:00:01Z",
    "alarmType": "mechanismViolation",
    "alarmedObject": {"id": "card-c1", "href": "https://nms.test/card/1", "@type": "Card"},
    "alarmedObjectType": "Card",
    "clearSystemId": "nms-1",
    "clearUserId": "ben",
    "comment": [{"comment": "looking", "systemId": "nms-1", "time": "2026-01-01T12:05:00Z", "userId": "ann"}],
    "correlatedAlarm": [{"id": "16", "href": "x", "name": "n", "@referredType": "Alarm"}],
    "crossedThresholdInformation": {
        "direction": "up",
        "granularity": "15 min",
        "indicatorName": "temperature",
        "indicatorUnit": "C",
        "observedValue": "71.5",
        "thresholdCrossingDescription": "too hot",
        "threshold": {"id": "t1", "name": "hot"},
    },
    "externalAlarmId": "17",
    "isRootCause": True,
    "parentAlarm": [{"id": "15"}],
    "place": [{"role": "site", "id": "s1", "name": "Köln"}],
    "plannedOutageIndicator": "inService",
    "proposedRepairedActions": "replace",
    "reportingSystemId": "umbrella",
    "serviceAffecting": True,
    "specificProblem": "LOS",
    "x-vendor": {"list": [1, 2.5, None, True, {"deep": [[]]}], "large": 18446744073709551615, "tiny": -(2**63)},
}
