"""The operations of NETCONF that set a rate, and what is read of the answers: hello, ok, data, and what went wrong.

Source: RFC 6241; hello 8.1, rpc-error 4.3, edit-config 7.2, lock 7.5, candidate 8.3, confirmed commit 8.4, validate 8.6. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from lxml import etree

from adapters.errors import Malformed, Nonsense
from adapters.xml.parser import Element, read_xml

BASE: Final = "urn:ietf:params:xml:ns:netconf:base:1.0"
BASE_1_0: Final = "urn:ietf:params:netconf:base:1.0"
BASE_1_1: Final = "urn:ietf:params:netconf:base:1.1"
CANDIDATE: Final = "urn:ietf:params:netconf:capability:candidate:1.0"
CONFIRMED_1_0: Final = "urn:ietf:params:netconf:capability:confirmed-commit:1.0"
CONFIRMED_1_1: Final = "urn:ietf:params:netconf:capability:confirmed-commit:1.1"
VALIDATE: Final = ("urn:ietf:params:netconf:capability:validate:1.0", "urn:ietf:params:netconf:capability:validate:1.1")
MOST_BYTES: Final = 16_777_216
"""of one message: a configuration may be large."""
Datastore: TypeAlias = Literal["running", "candidate"]
_N: Final = f"{{{BASE}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcError:
    """What a device says of what it does not do."""

    tag: str
    """`error-tag`, one of RFC 6241, appendix A."""
    path: str
    message: str
    session: str
    """which session holds the lock, where that is what is wrong."""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.tag, self.path, self.message)))


class RpcRefused(Exception):
    """A device has answered with an error; the session goes on."""

    def __init__(self, error: RpcError) -> None:
        super().__init__(str(error))
        self.error = error


def hello() -> bytes:
    """Write what we can."""
    root = etree.Element(f"{_N}hello", nsmap={None: BASE})
    capabilities = etree.SubElement(root, f"{_N}capabilities")
    for each in (BASE_1_0, BASE_1_1):
        etree.SubElement(capabilities, f"{_N}capability").text = each
    return _written(root)


def read_hello(message: bytes, device: str) -> frozenset[str]:
    """Read what a device can; what stands behind a question mark is left out."""
    root = _read(message, device)
    if root.tag != f"{_N}hello":
        raise Nonsense(f"{device} does not say hello", where="hello")
    found = [(each.text or "").strip() for each in root.iter(f"{_N}capability")]
    return frozenset(each.partition("?")[0] for each in found)


def rpc(message_id: int, operation: Element) -> bytes:
    """Write a call of an operation."""
    root = etree.Element(f"{_N}rpc", nsmap={None: BASE})
    root.set("message-id", str(message_id))
    root.append(operation)
    return _written(root)


def read_reply(message: bytes, message_id: int, device: str) -> Element:
    """Read the answer to a call; raises RpcRefused for an error, and Nonsense for what is no answer to it. Warnings are passed over."""
    root = _read(message, device)
    if root.tag != f"{_N}rpc-reply" or root.get("message-id") not in (None, str(message_id)):
        raise Nonsense(f"{device} answered something else than it was asked", where="rpc-reply")
    for each in root.iterchildren(f"{_N}rpc-error"):
        if each.findtext(f"{_N}error-severity", "error").strip() != "warning":
            raise RpcRefused(_error(each))
    return root


def data_of(reply: Element, device: str) -> Element:
    """Take the data out of the answer to a question."""
    found = reply.find(f"{_N}data")
    if found is None:
        raise Nonsense(f"{device} answered without data", where="data")
    return found


def get_config(source: Datastore, subtree: Element) -> Element:
    """Ask for a part of a datastore, by a subtree filter."""
    operation = _operation("get-config")
    _datastore(operation, "source", source)
    wanted = etree.SubElement(operation, f"{_N}filter")
    wanted.set("type", "subtree")
    wanted.append(subtree)
    return operation


def lock(target: Datastore) -> Element:
    """Keep others from changing a datastore, until the session ends."""
    return _on("lock", target)


def edit_config(config: Element, *, tested: bool) -> Element:
    """Merge this into the candidate; `tested`: only if the whole of it is valid then, for a device that can validate."""
    operation = _on("edit-config", "candidate")
    if tested:
        etree.SubElement(operation, f"{_N}test-option").text = "test-then-set"
    etree.SubElement(operation, f"{_N}config").append(config)
    return operation


def discard_changes() -> Element:
    """Make the candidate what runs."""
    return _operation("discard-changes")


def commit_for(seconds: int, persist: str) -> Element:
    """Let the candidate run for so many seconds; with `persist` whoever knows it may confirm it, else this session only."""
    operation = _operation("commit")
    etree.SubElement(operation, f"{_N}confirmed")
    etree.SubElement(operation, f"{_N}confirm-timeout").text = str(seconds)
    if persist:
        etree.SubElement(operation, f"{_N}persist").text = persist
    return operation


def confirm(persist_id: str) -> Element:
    """Let what was committed for a while run for good."""
    return _persisted("commit", persist_id)


def cancel_commit(persist_id: str) -> Element:
    """Take back what was committed for a while."""
    return _persisted("cancel-commit", persist_id)


def close_session() -> Element:
    """End the session, and release its locks."""
    return _operation("close-session")


def _persisted(name: str, persist_id: str) -> Element:
    operation = _operation(name)
    if persist_id:
        etree.SubElement(operation, f"{_N}persist-id").text = persist_id
    return operation


def _operation(name: str) -> Element:
    return etree.Element(f"{_N}{name}", nsmap={None: BASE})


def _on(name: str, target: Datastore) -> Element:
    operation = _operation(name)
    _datastore(operation, "target", target)
    return operation


def _datastore(operation: Element, role: str, name: Datastore) -> None:
    etree.SubElement(etree.SubElement(operation, f"{_N}{role}"), f"{_N}{name}")


def _error(element: Element) -> RpcError:
    def said(name: str) -> str:
        return " ".join((element.findtext(f"{_N}{name}") or "").split())

    session = element.findtext(f"{_N}error-info/{_N}session-id") or ""
    return RpcError(
        tag=said("error-tag"), path=said("error-path"), message=said("error-message"), session=session.strip()
    )


def _read(message: bytes, device: str) -> Element:
    try:
        return read_xml(message, most_bytes=MOST_BYTES)
    except Malformed as error:
        raise Nonsense(f"{device} answered what is no XML that can be read", where="message") from error


def _written(root: Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
