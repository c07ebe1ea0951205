"""What a fault means is told by the exception in its detail."""

from __future__ import annotations

import pytest

from adapters.errors import AdapterError, Busy, Nonsense, NotAdmitted, Rejected
from adapters.soap.faults import content_of

MSG = "http://www.tmforum.org/mtop/fmw/xsd/msg/v1"
START = "the start of it"
RIU = "http://www.tmforum.org/mtop/mri/xsd/riu/v1"


def answered(code: str, *exceptions: str) -> bytes:
    inner = "".join(f"<msg:{each}><msg:reason>why</msg:reason></msg:{each}>" for each in exceptions)
    detail = f"<detail><riu:updateInventoryException>{inner}</riu:updateInventoryException></detail>" if inner else ""
    return (
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:msg="{MSG}" xmlns:riu="{RIU}"><s:Body>'
        f"<s:Fault><faultcode>s:{code}</faultcode><faultstring>why</faultstring>{detail}</s:Fault></s:Body></s:Envelope>"
    ).encode()


def raised(body: bytes, status: int = 500) -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        content_of(body, status, system="inventory", activity="updateInventory", start=lambda: START)
    return caught.value


@pytest.mark.parametrize("code", ["Client", "Server"])
@pytest.mark.parametrize(
    ("exceptions", "status"),
    [
        (["internalError"], None),
        (["commLoss"], None),
        (["tooManyOpenIterators"], None),
        (["objectInUse"], None),
        (["invalidInput"], 400),
        (["invalidInputObjectDoesNotExist"], 400),
        (["notImplemented"], 400),
        (["policyViolation"], 400),
        (["accessDenied"], 403),
        (["entityNotFound"], 404),
        (["internalError", "invalidInput"], 400),
    ],
)
def test_the_exception_decides_whatever_the_code_says(code: str, exceptions: list[str], status: int | None) -> None:
    error = raised(answered(code, *exceptions))
    if status is None:
        assert isinstance(error, Busy)
    else:
        assert isinstance(error, NotAdmitted if status == 403 else Rejected)
        assert error.status == status
    assert error.answer == START


@pytest.mark.parametrize(
    ("code", "exceptions", "kind"),
    [
        ("Client", [], Rejected),
        ("Client.Invalid", [], Rejected),
        ("MustUnderstand", [], Rejected),
        ("VersionMismatch", [], Rejected),
        ("Server", [], Busy),
        ("", [], Busy),
        ("Client", ["unableToComply"], Rejected),
        ("Server", ["unableToComply"], Busy),
    ],
)
def test_the_code_decides_where_no_exception_does(code: str, exceptions: list[str], kind: type[AdapterError]) -> None:
    assert type(raised(answered(code, *exceptions))) is kind


def test_the_older_spelling_of_an_exception_is_known() -> None:
    body = answered("Client", "details").replace(b"why</msg:reason>", b"EXCPT_INTERNAL_ERROR</msg:reason>")
    assert isinstance(raised(body), Busy)


@pytest.mark.parametrize(
    ("body", "status", "kind"), [(b"<html/>", 200, Nonsense), (b"<html/>", 500, Busy), (b"", 500, Busy)]
)
def test_what_is_no_soap_is_no_answer(body: bytes, status: int, kind: type[AdapterError]) -> None:
    assert type(raised(body, status)) is kind


def test_an_empty_answer_holds_nothing() -> None:
    assert content_of(b" ", 202, system="noc", activity="notify", start=lambda: START) is None
