"""Messages of NETCONF come in any pieces, and what a device has or refuses is read by its names; recorded on netconfd 2.13."""

from __future__ import annotations

import pytest
from lxml import etree

from adapters.delivery.retrying import Waits
from adapters.errors import AdapterError, Busy, Nonsense, NotAdmitted
from adapters.provisioning import RateRefused
from adapters.provisioning.netconf import messages
from adapters.provisioning.netconf.endpoint import _meant
from adapters.provisioning.netconf.framing import BrokenFraming, Framing
from adapters.provisioning.netconf.messages import BASE, RpcError, RpcRefused
from adapters.provisioning.netconf.service_model import ServiceModel, accesses_of, carries, edit, least_mbps, wanted
from adapters.xml.parser import read_xml

L2 = "urn:ietf:params:xml:ns:yang:ietf-l2vpn-svc"
L3 = "urn:ietf:params:xml:ns:yang:ietf-l3vpn-svc"
MESSAGE = "<rpc-reply>ä ]]> \n##\n</rpc-reply>".encode()


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
def test_what_is_framed_comes_out_in_any_pieces(size: int, *, chunked: bool) -> None:
    framing = Framing(most_bytes=10_000)
    framing.chunked = chunked
    stream = framing.frame(MESSAGE) + framing.frame(b"<b/>")
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [message for piece in pieces for message in framing.feed(piece)] == [MESSAGE, b"<b/>"]


def test_the_example_of_rfc_6242_is_read() -> None:
    framing = Framing(most_bytes=1_000)
    framing.chunked = True
    stream = b'\n#4\n<rpc\n#18\n message-id="102"\n\n#79\n     xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">\n'
    stream += b"  <close-session/>\n</rpc>\n##\n"
    [message] = framing.feed(stream)
    assert read_xml(message).get("message-id") == "102"


@pytest.mark.parametrize("data", [b"x", b"\n#0\n", b"\n#x\n", b"\n#99999999999\n", b"\n#2000\n", b"\n#12345678901234"])
def test_what_is_no_chunk_ends_the_session(data: bytes) -> None:
    framing = Framing(most_bytes=1_000)
    framing.chunked = True
    with pytest.raises(BrokenFraming):
        framing.feed(data + b" " * 20)


def test_a_message_without_an_end_is_not_kept() -> None:
    with pytest.raises(BrokenFraming):
        Framing(most_bytes=100).feed(b"<" * 101)


def reply(inside: str, message_id: str = "7") -> bytes:
    return f'<rpc-reply xmlns="{BASE}" message-id="{message_id}">{inside}</rpc-reply>'.encode()


ERROR = """<rpc-error><error-type>protocol</error-type><error-tag>{tag}</error-tag><error-severity>{severity}</error-severity>
<error-message xml:lang="en">lock
  denied</error-message><error-info><session-id>12</session-id></error-info></rpc-error>"""


def test_an_error_of_a_device_is_read() -> None:
    with pytest.raises(RpcRefused) as caught:
        messages.read_reply(reply(ERROR.format(tag="lock-denied", severity="error")), 7, "pe-1")
    assert caught.value.error == RpcError(tag="lock-denied", path="", message="lock denied", session="12")


def test_a_warning_is_passed_over() -> None:
    told = messages.read_reply(reply(ERROR.format(tag="x", severity="warning") + "<ok/>"), 7, "pe-1")
    assert len(told) == 2


@pytest.mark.parametrize("message", [reply("<ok/>", "8"), b"<hello/>", b"no XML", b"<!DOCTYPE a><a/>"])
def test_what_is_no_answer_is_not_believed(message: bytes) -> None:
    with pytest.raises(Nonsense):
        messages.read_reply(message, 7, "pe-1")


def test_hello_says_what_a_device_can() -> None:
    told = f'<hello xmlns="{BASE}"><capabilities><capability>\n{messages.CANDIDATE}\n</capability><capability>{L2}?revision=1'
    found = messages.read_hello(f"{told}</capability></capabilities><session-id>4</session-id></hello>".encode(), "pe")
    assert found == {messages.CANDIDATE, L2}


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("lock-denied", Waits),
        ("in-use", Waits),
        ("resource-denied", Busy),
        ("access-denied", NotAdmitted),
        ("invalid-value", RateRefused),
        ("data-missing", RateRefused),
        ("operation-failed", RateRefused),
        ("<b>", RateRefused),
    ],
)
def test_what_a_device_refuses_says_what_may_be_done_next(tag: str, kind: type[Exception]) -> None:
    found = _meant("pe-1", RpcError(tag=tag, path="/a", message="secret", session="12"))
    assert type(found) is kind
    assert "secret" not in str(found)
    assert "<b>" not in str(found)
    if isinstance(found, AdapterError):
        assert not found.may_have_happened
        assert "secret" in found.answer


ACCESS = """<site-network-access><network-access-id>{id}</network-access-id><vpn-attachment><vpn-id>{vpn}</vpn-id></vpn-attachment>
<service>{rates}</service></site-network-access>"""
ENTRY = """<bandwidth><direction{ns}>{direction}</direction><type>{type}</type>{vpn}<cir>{cir}</cir><cbs>9</cbs></bandwidth>"""


def entry(
    direction: str = "input-bw", kind: str = "bw-per-svc", cir: str = "100000000", vpn: str = "", ns: str = ""
) -> str:
    return ENTRY.format(direction=direction, type=kind, cir=cir, vpn=f"<vpn-id>{vpn}</vpn-id>" if vpn else "", ns=ns)


def layer2(*entries: str, vpn: str = "service-7", name: str = "a-1") -> str:
    return ACCESS.format(id=name, vpn=vpn, rates=f"<svc-bandwidth>{''.join(entries)}</svc-bandwidth>")


def data(*accesses: str, namespace: str = L2, root: str = "l2vpn-svc") -> etree._Element:
    sites = f"<site><site-id>A</site-id><site-network-accesses>{''.join(accesses)}</site-network-accesses></site>"
    return read_xml(f'<data><{root} xmlns="{namespace}"><sites>{sites}</sites></{root}></data>'.encode())


def test_only_the_rates_of_the_service_are_read_and_set() -> None:
    model = ServiceModel()
    told = data(
        layer2(entry(), entry("output-bw"), entry(kind="bw-per-port"), entry(vpn="service-8")),
        layer2(entry(), vpn="service-8", name="a-2"),
        layer2(entry(vpn="service-7", cir="100000001"), name="a-3"),
    )
    found = accesses_of(told, "service-7", model)
    assert [(each.site, each.id, [rate.bps for rate in each.rates]) for each in found] == [
        ("A", "a-1", [100_000_000, 100_000_000]),
        ("A", "a-3", [100_000_001]),
    ]
    assert (carries(found[:1], 100), carries(found, 100), least_mbps(found)) == (True, False, 100)
    written = edit(found, 500, model)
    assert [each.text for each in written.iter(model.tag("cir"))] == ["500000000"] * 3
    assert not list(written.iter(model.tag("cbs"))), "nothing else is merged"
    again = accesses_of(read_xml(b"<data>" + etree.tostring(written) + b"</data>"), "service-7", model)
    assert again == (), "what it is attached to is not written"


@pytest.mark.parametrize(
    ("direction", "ns", "written"),
    [
        ("input-bw", "", "input-bw"),
        ("x:input-bw", f' xmlns:x="{L2}"', "input-bw"),
        ("v:both", ' xmlns:v="urn:vendor"', "of:both"),
    ],
)
def test_identities_are_written_so_that_they_are_the_same(direction: str, ns: str, written: str) -> None:
    model = ServiceModel()
    found = accesses_of(data(layer2(entry(direction, ns=ns))), "service-7", model)
    [key] = edit(found, 500, model).iter(model.tag("direction"))
    assert key.text == written
    if written.startswith("of:"):
        assert key.nsmap["of"] == "urn:vendor"


def test_layer_3_has_two_leaves() -> None:
    model = ServiceModel(module="ietf-l3vpn-svc")
    rates = "<svc-input-bandwidth>5000000</svc-input-bandwidth><svc-output-bandwidth>fast</svc-output-bandwidth>"
    told = data(ACCESS.format(id="a", vpn="service-7", rates=rates), namespace=L3, root="l3vpn-svc")
    found = accesses_of(told, "service-7", model)
    assert [each.bps for each in found[0].rates] == [5_000_000, None]
    assert least_mbps(found) == 0
    written = etree.tostring(edit(found, 7, model)).decode()
    assert (
        "<svc-input-bandwidth>7000000</svc-input-bandwidth><svc-output-bandwidth>7000000</svc-output-bandwidth>"
        in written
    )
    assert "svc-output-bandwidth" in etree.tostring(wanted(model)).decode()


def test_leaves_and_types_of_ones_own_are_set() -> None:
    model = ServiceModel(bandwidth_type="gold", rate_leaves=("cir", "pir"), namespace="urn:own")
    rates = f"<svc-bandwidth>{entry(kind='gold').replace('<cbs>', '<pir>1</pir><cbs>')}</svc-bandwidth>"
    told = data(ACCESS.format(id="a", vpn="service-7", rates=rates), namespace="urn:own")
    written = etree.tostring(edit(accesses_of(told, "service-7", model), 7, model)).decode()
    assert "<cir>7000000</cir><pir>7000000</pir>" in written
