"""Who hears MTOSI's notifications, to try things with: a SOAP endpoint that keeps the alarms and events that it is told of.

It knows an alarm as MTOSI does, by what it is on, in which layer and why, so that hearing of one twice changes nothing, and
by what stands in vendorExtensions only for those who ask. Of other events it knows those of the standard: each has the elements that
the published schema gives it, in their order, and says what it is about; any other is refused. A notification is answered with 202, a message that is none with
a SOAP fault. Every notification gets its line in the journal before it is answered.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lxml import etree
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.errors import Malformed
from adapters.simulator.faults import Faults
from adapters.simulator.front import authenticate, read_bytes, refused
from adapters.simulator.journal import Journal
from adapters.simulator.serving import listening
from adapters.xml.parser import Element, read_xml

PATH: Final = "/notify"
_ALARM: Final = "{http://www.tmforum.org/mtop/nra/xsd/alm/v1}alarm"
_MTOP: Final = "{http://www.tmforum.org/mtop/"
_MESSAGE: Final = f"{_MTOP}fmw/xsd/notmsg/v1}}message"
_COMMON: Final = tuple(f"fmw/xsd/cei/v1}}{each}" for each in ("notificationId", "sourceTime", "vendorExtensions"))
"""CommonEventInformationType."""
_NEEDED: Final = tuple(f"fmw/xsd/ei/v1}}{each}" for each in ("objectType", "objectName"))
"""The published schema lets an event leave these out, but without them nobody knows what it is about."""
_OBJECT: Final = (*_NEEDED, "fmw/xsd/ei/v1}osTime")
"""EventInformationType."""
_VENDORS: Final = "fmw/xsd/vdn/v1}vendorNotification"
_EDGE: Final = "isEdgePointRelated"
_EVENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "nrb/xsd/rscoc/v1}resourceObjectCreation": (*_OBJECT, "fmw/xsd/oc/v1}object", f"nrb/xsd/rscoc/v1}}{_EDGE}"),
    "nrb/xsd/rscodel/v1}resourceObjectDeletion": (*_OBJECT, f"nrb/xsd/rscodel/v1}}{_EDGE}"),
    "nrb/xsd/rscsc/v1}resourceStateChange": (*_OBJECT, "fmw/xsd/sc/v1}attributeList", f"nrb/xsd/rscsc/v1}}{_EDGE}"),
    "nrb/xsd/rscavc/v1}resourceAttributeValueChange": (
        *_OBJECT,
        "fmw/xsd/avc/v1}attributeList",
        f"nrb/xsd/rscavc/v1}}{_EDGE}",
    ),
    "sb/xsd/soc/v1}serviceObjectCreation": (*_OBJECT, "fmw/xsd/oc/v1}object"),
    "sb/xsd/sodel/v1}serviceObjectDeletion": _OBJECT,
    "sb/xsd/ssc/v1}ServiceStateChange": (*_OBJECT, "fmw/xsd/sc/v1}attributeList"),
    "sb/xsd/savc/v1}serviceAttributeValueChange": (*_OBJECT, "fmw/xsd/avc/v1}attributeList"),
    _VENDORS: ("fmw/xsd/vdn/v1}type",),
}
"""What each event may have, in this order, after what all have."""
_NOTIFY: Final = "{http://www.tmforum.org/mtop/fmw/xsd/notmsg/v1}notify"
_BODY: Final = "{http://schemas.xmlsoap.org/soap/envelope/}Body"
_FAULT: Final = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>'
    "<faultcode>soap:Client</faultcode><faultstring>{}</faultstring></soap:Fault></soap:Body></soap:Envelope>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One alarm, as it was last told."""

    element: Element
    notifications: tuple[str, ...]
    """their ids, each once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """An endpoint that is being served."""

    address: str
    alarms: Mapping[str, Heard]
    """by what MTOSI knows them by."""
    events: Mapping[str, Element]
    """other events, by their notification ids, in the order in which they were first told."""
    messages: list[Element]
    """what is in the body of each, as they came."""
    faults: Faults


@asynccontextmanager
async def serving(
    *, host: str = "127.0.0.1", port: int = 0, journal: Path | None = None, bearer: SecretStr | None = None
) -> AsyncIterator[Listener]:
    """Serve one in the running loop while the block runs."""
    with closing(Journal(journal)) as received:
        desk = _Desk(received=received, bearer=bearer)
        faults = Faults(desk.application())
        async with listening(faults, host=host, port=port) as address:
            yield Listener(
                address=f"{address}{PATH}",
                alarms=desk.alarms,
                events=desk.events,
                messages=desk.messages,
                faults=faults,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """The endpoint."""

    received: Journal
    bearer: SecretStr | None
    alarms: dict[str, Heard] = field(default_factory=dict)
    events: dict[str, Element] = field(default_factory=dict)
    messages: list[Element] = field(default_factory=list)

    def application(self) -> Starlette:
        return Starlette(
            routes=[Route(PATH, self.told, methods=["POST"])],
            exception_handlers={HTTPException: refused, Malformed: _malformed},
        )

    async def told(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        root = read_xml(await read_bytes(request, "text/xml"))
        notify = root.find(f"{_BODY}/{_NOTIFY}")
        if notify is None:
            raise Malformed("It is no notification", field="")
        told = list(notify.iterfind(f"{_MESSAGE}/*"))
        others = [each for each in told if each.tag != _ALARM]
        for each in others:
            _check(each)
        self.messages.append(notify)
        for each in told:
            if each.tag == _ALARM:
                self._keep(each)
        for each in others:
            self._keep_event(each)
        return Response(status_code=202)

    def _keep(self, alarm: Element) -> None:
        key, known = _key(alarm), _text(alarm, "notificationId")
        before = self.alarms[key].notifications if key in self.alarms else ()
        self.received.write({"time": time.time_ns() // 1_000_000, "notificationId": known, "alarm": key})
        self.alarms[key] = Heard(element=alarm, notifications=(*before, *(() if known in before else (known,))))

    def _keep_event(self, event: Element) -> None:
        known = _text(event, "notificationId")
        if known not in self.events:
            name = etree.QName(event).localname
            self.received.write({"time": time.time_ns() // 1_000_000, "notificationId": known, "event": name})
            self.events[known] = event


def _check(event: Element) -> None:
    """Raise Malformed for an event that the standard has not, or not so."""
    name = str(event.tag).removeprefix(_MTOP)
    if name not in _EVENTS:
        raise Malformed(f"{etree.QName(event).localname} is no event of MTOSI 2.1", field="")
    known = (*_COMMON, *_EVENTS[name])
    found = [str(each.tag).removeprefix(_MTOP) for each in event if isinstance(each.tag, str)]
    places = [known.index(each) if each in known else -1 for each in found]
    if -1 in places or places != sorted(set(places)):
        raise Malformed(f"What is in {etree.QName(event).localname} is not what it has, in its order", field="")
    wanted = [_COMMON[0], *_NEEDED[: None if name != _VENDORS else 0]]
    if missing := [each for each in wanted if each not in found]:
        raise Malformed(f"{missing[0].rpartition('}')[2]} is missing", field="")
    for each in event:
        if str(each.tag).endswith("}attributeList") and len(each) != 1:
            raise Malformed("An attributeList has one element: that of the object", field="")


def _key(alarm: Element) -> str:
    named = [each for each in alarm if etree.QName(each).localname in ("objectName", "layerRate", "probableCause")]
    values = ["".join((*each.values(), *each.itertext())) for each in named]
    return "|".join(" ".join(each.split()) for each in values)


def _text(alarm: Element, name: str) -> str:
    return next((each.text or "" for each in alarm if etree.QName(each).localname == name), "")


async def _malformed(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, Malformed)
    text = exc.message.replace("&", "&amp;").replace("<", "&lt;")
    return Response(_FAULT.format(text), 500, media_type="text/xml")
