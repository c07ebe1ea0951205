"""A SOAP fault comes with HTTP's 500 whoever is to blame; whether to send the message again must be read out of the fault.

What we say: a fault has in its detail our code, the line and the reason (`trk:fault`). `Client` means that the same message will
be refused again, `Server` that it may be sent again.

What we hear: many systems put `Client` on everything, or `Server`. What MTOSI adds is the exception in the detail, such as
`<msg:internalError>` in `<riu:updateInventoryException>`, and it decides. Where there are several, one that will not go away by
itself decides for all, since the message that holds it is refused as a whole. The code is what counts where no exception is
named, or only `unableToComply`, which tells nothing.

Sources: SOAP 1.1 section 4.4; MTOSI 2.1, MessageDefinitions.xsd and ResourceInventoryUpdateMessages.xsd. MTOSI 1 spells the
exceptions `EXCPT_INTERNAL_ERROR`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from lxml import etree

from adapters.errors import AdapterError, Busy, Malformed, Nonsense, NotAdmitted, Rejected
from adapters.soap.elements import spaces, tag, text_in
from adapters.soap.envelope import as_bytes, read_envelope
from adapters.xml.parser import Element

STATUS: Final = 500
"""A fault comes with it."""
_REFUSES: Final = {
    "accessdenied": 403,
    "entitynotfound": 404,
    "invalidfilterdefinition": 400,
    "invalidinput": 400,
    "invalidinputobjectdoesnotexist": 400,
    "invalidinputunsupportattributesorvalues": 400,
    "invalidinputunsupportedobjecttypes": 400,
    "invalidtopic": 400,
    "notimplemented": 400,
    "policyviolation": 400,
    "tpinvalidendpoint": 400,
    "unsupportedcompressionformat": 400,
    "unsupportedpackingformat": 400,
    "unsupportedroutingconstraints": 400,
    "userlabelinuse": 400,
}
"""Exceptions that the same message meets again, with the status of HTTP that says the same."""
_PASSES: Final = frozenset(
    {
        "capacityexceeded",
        "commloss",
        "internalerror",
        "notificationserviceproblem",
        "notinvalidstate",
        "objectinuse",
        "protectioneffortnotmet",
        "timeslotinuse",
        "toomanyopeniterators",
    }
)
"""Exceptions of the other system's state, which passes."""


_OURS: Final = ("Client", "MustUnderstand", "VersionMismatch")
"""How the codes of SOAP 1.1 begin that are about the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoapFault:
    """What somebody says is wrong."""

    status: int
    """of HTTP: from 500 on the message may be sent again, below it will be refused again."""
    text: str

    @property
    def is_ours(self) -> bool:
        """Tell whether the message was wrong, and not who received it."""
        return self.status < STATUS


def fault(code: str, text: str, *, is_ours: bool, line: int | None = None) -> bytes:
    """Write a fault: our code, a sentence, and the line that it is about; `is_ours` when the fault is the server's."""
    made = etree.Element(tag("soap:Envelope"), nsmap=spaces("soap", "hdr"))
    told = etree.SubElement(etree.SubElement(made, tag("soap:Body")), tag("soap:Fault"))
    etree.SubElement(told, "faultcode").text = "soap:Server" if is_ours else "soap:Client"
    etree.SubElement(told, "faultstring").text = text
    detail = etree.SubElement(etree.SubElement(told, "detail"), tag("trk:fault"), nsmap=spaces("trk"))
    text_in(detail, "trk:code", code)
    if line is not None:
        text_in(detail, "trk:line", str(line))
    text_in(detail, "trk:reason", text)
    return as_bytes(made)


def fault_in(content: Element) -> SoapFault | None:
    """Read a fault; None for anything else."""
    if content.tag != tag("soap:Fault"):
        return None
    return SoapFault(status=_status(content), text=(content.findtext("faultstring") or "").strip())


def content_of(body: bytes, status: int, *, system: str, activity: str, start: Callable[[], str]) -> Element | None:
    """Give what the answer to a message holds; None where it is empty.

    `status` is HTTP's, 2xx or `STATUS`; `start` gives the start of the answer without credentials, which the error of a fault
    keeps. Raises NotAdmitted where our rights are at fault, Rejected for another fault of ours, Busy for one of theirs, and
    Nonsense for what is no SOAP; what is none and comes with `STATUS` is a system that has failed, and so Busy.
    """
    if not body.strip() and status != STATUS:
        return None
    try:
        content = read_envelope(body).content
    except Malformed as error:
        if status == STATUS:
            raise _with(_busy(system, activity), start()) from error
        hint = "Look whether its address leads to the right system"
        raise Nonsense(f"{system} answered what is no SOAP message: {error}", hint=hint, where="body") from None
    found = fault_in(content)
    if found is not None and found.is_ours:
        raise _with(_refusal(found.status, system, activity), start())
    if found is not None or status == STATUS:
        raise _with(_busy(system, activity), start())
    return content


def _busy(system: str, activity: str) -> AdapterError:
    return Busy(f"{system} could not do {activity}", hint="It is asked again later", status=STATUS)


def _refusal(status: int, system: str, activity: str) -> AdapterError:
    """Make the error of a fault of ours: a right that we have not is about us, and not about what was asked."""
    said = f"{system} answered a fault of ours to {activity}"
    if status == HTTPStatus.FORBIDDEN:
        return NotAdmitted(said, hint="Look at our credential and our rights there", status=status)
    return Rejected(said, hint="Look into its own log for the reason", status=status)


def _with(error: AdapterError, answer: str) -> AdapterError:
    error.answer = answer
    return error


def _status(content: Element) -> int:
    exceptions = _exceptions(content.find("detail"))
    if refused := [_REFUSES[each] for each in exceptions if each in _REFUSES]:
        return refused[0]
    if any(each in _PASSES for each in exceptions):
        return STATUS
    code = (content.findtext("faultcode") or "").rpartition(":")[2].strip()
    return 400 if code.startswith(_OURS) else STATUS


def _exceptions(detail: Element | None) -> list[str]:
    """Give the names of all that a detail holds: of elements, and texts that are a name of MTOSI 1."""
    if detail is None:
        return []
    found = [each for each in detail.iter() if isinstance(each.tag, str)]
    texts = [each.text.strip() for each in found if each.text and each.text.strip().startswith("EXCPT_")]
    return [_plain(each) for each in (*(etree.QName(each).localname for each in found), *texts)]


def _plain(name: str) -> str:
    """Spell an exception's name as the tables do.

    >>> _plain("internalError"), _plain("EXCPT_INTERNAL_ERROR")
    ('internalerror', 'internalerror')
    """
    return name.lower().removeprefix("excpt_").replace("_", "")
