"""Every answer of the endpoint has a published shape: by our own reading of it always, by the swagger where it is at hand.

The swagger is not part of the project: `tests.adapters.schema` says which variable names the folder that has it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import orjson
from jsonschema import Draft4Validator

from adapters.fault_management.inbound.alarms import BASE
from adapters.fault_management.inbound.shape import FIELDS
from adapters.tmf.shape import Many, Text, Thing, faults
from tests.adapters.schema import REFERENCE

FILE = "tmf-v4/TMF642-Alarm-v4.0.0.swagger.json"

OBJECT = Thing(fields={"id": Text(), "href": Text(), "@type": Text()})
ALARM = Thing(fields={**FIELDS, "id": Text(least=1), "alarmedObject": OBJECT}, required=("id", "href"))
ALARM_REFERENCE = Thing(fields={"id": Text(least=1), "href": Text(least=1)}, required=("id",))
TASKS = {
    name: Thing(fields={done: Many(of=ALARM_REFERENCE)}, required=("id", "href", "state", done))
    for name, done in (
        ("ackAlarms", "ackedAlarm"),
        ("unAckAlarms", "unAckedAlarm"),
        ("clearAlarms", "clearedAlarm"),
        ("commentAlarms", "commentedAlarm"),
    )
}
ERROR = Thing(
    fields=dict.fromkeys(("code", "reason", "message", "status"), Text()), required=("code", "reason", "status")
)


@cache
def swagger() -> Mapping[str, Any] | None:
    """The published swagger with one correction: an id is a string."""
    folder = os.environ.get(REFERENCE)
    if not folder:
        return None
    text = (Path(folder) / FILE).read_text(encoding="utf-8")
    document: dict[str, Any] = orjson.loads(text)
    for name in ("Alarm", "AlarmRefOrValue"):
        assert document["definitions"][name]["properties"]["id"]["type"] == "integer", "corrected there: no more here"
        document["definitions"][name]["properties"]["id"]["type"] = "string"
    return document


async def check(response: httpx.Response) -> None:
    """Compare an answer with the shape that its method, address and status promise."""
    await response.aread()
    if response.request.method in ("OPTIONS", "HEAD") or response.status_code == 204:
        assert response.content == b""
        return
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    body = response.json()
    if response.status_code >= 400:
        assert body["status"] == str(response.status_code)
        _check(body, ERROR, "Error")
        return
    name = response.request.url.path.removeprefix(f"{BASE}/").partition("/")[0]
    for each in body if isinstance(body, list) else [body]:
        if name == "alarm":
            _check_alarm(each, response.request.url)
        elif name == "hub":
            check_as(each, "EventSubscription")
        else:
            _check(each, TASKS[name], name[0].upper() + name[1:])


def _check_alarm(alarm: dict[str, Any], url: httpx.URL) -> None:
    shape = Thing(fields=ALARM.fields) if "fields" in url.params else ALARM
    _check(alarm, shape, "Alarm")
    assert alarm["href"] == f"{BASE}/alarm/{alarm['id']}"


def _check(value: Any, shape: Thing, definition: str) -> None:
    assert faults(shape, value) == ()
    check_as(value, definition)


def check_as(value: Any, definition: str) -> None:
    """Compare what is shown or told with a published definition, where there are any."""
    document = swagger()
    if document is not None:
        validator = Draft4Validator({**document, "$ref": f"#/definitions/{definition}"})
        assert [error.message for error in validator.iter_errors(value)] == []
