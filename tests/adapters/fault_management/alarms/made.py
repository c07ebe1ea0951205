"""Alarms by chance: records of TMF642, with and without what only X.733 has, and alarms as another MTOSI would send them."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st

from adapters.fault_management.alarms.terms import LAYERS
from adapters.fault_management.alarms.words import ALARM_TYPES, CAUSES, PLAIN_CAUSES, PUBLISHED_CAUSES
from adapters.fault_management.alarms.x733 import BACKED_UP, MEMBER, SUBCLASS, TRENDS
from graph.model.vocabulary import SEVERITIES

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
times = st.builds(
    "{}-{:02}-{:02}{}{:02}:{:02}:{}{}{}".format,
    st.integers(1971, 9998),
    st.integers(1, 12),
    st.integers(1, 28),
    st.sampled_from("Tt "),
    st.integers(0, 23),
    st.integers(0, 59),
    st.sampled_from(["00", "07", "59"]),
    st.sampled_from(["", ".5", ".123456789"]),
    st.sampled_from(["Z", "z", "+01:00", "-23:59", "+14:00"]),
)
causes = st.one_of(words, st.sampled_from([*CAUSES, *PUBLISHED_CAUSES, *PLAIN_CAUSES, "VENDOR_EXT", "MINOR_EXT"]))
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
_rdns = st.lists(st.fixed_dictionaries({"type": texts, "value": texts}), min_size=1, max_size=3)
_pairs = st.lists(st.fixed_dictionaries({"name": texts}, optional={"value": texts}), max_size=2)
xml = st.sampled_from(
    [
        "<a>b</a>",
        '<v:x xmlns:v="urn:v" kind="v:odd">text<v:y></v:y>tail</v:x>',
        '<x xmlns="http://www.tmforum.org/mtop/fmw/xsd/nam/v1"><rdn></rdn></x>',
    ]
)
x733 = st.fixed_dictionaries(
    {},
    optional={
        "notificationIdentifier": texts,
        "objectName": _rdns,
        "isEdgePointRelated": st.booleans(),
        "isClearable": st.booleans(),
        "aliases": _pairs,
        "layerRate": st.fixed_dictionaries(
            {"value": st.sampled_from(sorted(LAYERS)) | texts}, optional={"extension": texts}
        ),
        "probableCause": st.fixed_dictionaries(
            {"word": causes},
            optional={"ru": st.booleans(), "contra": st.booleans(), "extension": texts, "qualifier": texts},
        ),
        "nativeProbableCause": texts,
        "affectedObjects": st.lists(_rdns, max_size=2),
        "serviceAffecting": st.just("UNKNOWN"),
        "acknowledgeIndication": st.just("NOT_APPLICABLE"),
        "specificProblems": st.lists(texts, max_size=3),
        "backedUpStatus": st.sampled_from(list(BACKED_UP.values())),
        "backUpObject": _rdns,
        "trendIndication": st.sampled_from(list(TRENDS.values())),
        "correlatedNotifications": st.lists(
            st.fixed_dictionaries({"name": _rdns, "notificationIdentifiers": st.lists(texts, max_size=2)}), max_size=2
        ),
        "monitoredAttributes": _pairs,
        "proposedRepairActions": st.lists(texts, max_size=3),
        "additionalInformation": st.lists(st.fixed_dictionaries({"name": texts}, optional={"xml": xml}), max_size=2),
        "vendorExtensions": st.lists(xml, max_size=2),
    },
)
_extension = st.one_of(
    st.just({}),
    x733.map(lambda made: {**SUBCLASS, MEMBER: made}),
    anything.map(lambda made: {MEMBER: made}),
    st.just({"@type": "CardAlarm", "@schemaLocation": "https://nms.test/CardAlarm.json"}),
)


def _joined(parts: tuple[dict[str, Any], dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    body, extension, more = parts
    return {**{f"x-{name}": value for name, value in more.items()}, **body, **extension}


bodies = st.tuples(
    st.fixed_dictionaries(
        {
            "alarmType": st.sampled_from(list(ALARM_TYPES)),
            "perceivedSeverity": st.sampled_from(SEVERITIES),
            "probableCause": causes,
            "alarmedObject": st.fixed_dictionaries(
                {"id": words | st.sampled_from(["card-c1", "MD=a/ME=b"])}, optional={"href": texts}
            ),
            "sourceSystemId": words,
            "state": st.sampled_from(["raised", "updated", "cleared"]),
            "alarmRaisedTime": times,
        },
        optional={
            "ackState": st.sampled_from(["acknowledged", "unacknowledged"]),
            "alarmChangedTime": times,
            "alarmClearedTime": times,
            "alarmDetails": texts,
            "alarmReportingTime": times,
            "alarmedObjectType": texts,
            "comment": st.lists(st.fixed_dictionaries({"comment": texts}), max_size=2),
            "externalAlarmId": words,
            "isRootCause": st.booleans(),
            "proposedRepairedActions": texts,
            "serviceAffecting": st.booleans(),
            "specificProblem": texts,
        },
    ),
    _extension,
    st.dictionaries(words, anything, max_size=2),
).map(_joined)
"""What has passed the shape of an alarm."""
