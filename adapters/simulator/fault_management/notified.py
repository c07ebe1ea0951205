"""Who hears MTOSI's notifications, to try things with: a SOAP endpoint that keeps the alarms that it is told of.

It knows an alarm as MTOSI does, by what it is on, in which layer and why, so that hearing of one twice changes nothing, and
by what stands in vendorExtensions only for those who ask. A notification is answered with 202, a message that is none with
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
            yield Listener(address=f"{address}{PATH}", alarms=desk.alarms, messages=desk.messages, faults=faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """The endpoint."""

    received: Journal
    bearer: SecretStr | None
    alarms: dict[str, Heard] = field(default_factory=dict)
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
        self.messages.append(notify)
        for alarm in notify.iter(_ALARM):
            self._keep(alarm)
        return Response(status_code=202)

    def _keep(self, alarm: Element) -> None:
        key, known = _key(alarm), _text(alarm, "notificationId")
        before = self.alarms[key].notifications if key in self.alarms else ()
        self.received.write({"time": time.time_ns() // 1_000_000, "notificationId": known, "alarm": key})
        self.alarms[key] = Heard(element=alarm, notifications=(*before, *(() if known in before else (known,))))


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
