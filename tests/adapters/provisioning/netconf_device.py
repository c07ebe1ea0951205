"""A device to speak NETCONF with, in the process of the test: a real SSH server with the subsystem `netconf`, and strict.

It has what RFC 6241 asks of a device with candidate, confirmed commit 1.1 and validate, and takes nothing that the RFC forbids: an
operation in another namespace, a change of `running`, a commit of what somebody else has locked, a lock while a confirmed commit waits,
a `persist-id` that is not the one that waits. Messages are parted by its own reader, and not by ours. What a test orders it to do
wrongly is a `Fault`.

    async with serving("pe-1", directory) as device:
        device.order(Fault.DROPS_AFTER_COMMIT)
        device.running      # Mbit/s by direction
"""

from __future__ import annotations

import asyncio
import enum
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncssh
from lxml import etree

from adapters.provisioning.netconf.device import Device

BASE: Final = "urn:ietf:params:xml:ns:netconf:base:1.0"
MODEL: Final = "urn:ietf:params:xml:ns:yang:ietf-l2vpn-svc"
CAPABILITY: Final = "urn:ietf:params:netconf:capability:"
ALL: Final = ("candidate:1.0", "confirmed-commit:1.1", "validate:1.1")
SERVICE: Final = "service-7"
COMMITTED: Final = 100
USER, PASSWORD = "trunkline", "a long password"
_MARK: Final = b"]]>]]>"
_DIRECTIONS: Final = ("input-bw", "output-bw")
_MEGA: Final = 1_000_000
Rates = dict[str, int]


class Fault(enum.StrEnum):
    """What it does wrongly at the next commit that is to be confirmed."""

    DROPS_BEFORE_COMMIT = "dropsBeforeCommit"
    """the session ends, and nothing is done."""
    DROPS_AFTER_COMMIT = "dropsAfterCommit"
    """it is done, and the session ends before the answer."""
    HOLDS_ANSWER = "holdsAnswer"
    """it is done, and the answer does not come."""
    SETS_HALF = "setsHalf"
    """half of the rate runs, and the answer is ok."""
    SETS_NOTHING = "setsNothing"
    """nothing is done, and the answer is ok."""
    DROPS_BEFORE_CONFIRMING = "dropsBeforeConfirming"
    """it is done and answered; the session ends when it is told to keep it."""


class Refusal(Exception):
    """An rpc-error."""

    def __init__(self, tag: str, *, session: int = 0) -> None:
        super().__init__(tag)
        self.tag = tag
        self.session = session


class NoAnswer(Exception):
    """It is done, and nothing is said any more until the session ends."""


@dataclass(slots=True, kw_only=True)
class Pending:
    """A commit that waits to be confirmed."""

    before: Rates
    persist: str
    """empty: only the session that has made it may confirm it, and its end takes it back."""
    session: int
    timer: asyncio.TimerHandle


@dataclass(slots=True, kw_only=True)
class FakeDevice:
    """The device: two datastores, their locks, and a commit that may wait."""

    device: Device
    most: int
    capabilities: tuple[str, ...]
    access_denied: bool = False
    running: Rates = field(default_factory=lambda: dict.fromkeys(_DIRECTIONS, COMMITTED))
    candidate: Rates = field(default_factory=lambda: dict.fromkeys(_DIRECTIONS, COMMITTED))
    locks: dict[str, int] = field(default_factory=dict)
    """by datastore, which session has it."""
    pending: Pending | None = None
    asked: list[str] = field(default_factory=list)
    """the operations that came, in order."""
    held: asyncio.Event = field(default_factory=asyncio.Event)
    """set when an answer is kept back."""
    connections: set[Any] = field(default_factory=set)
    _faults: list[Fault] = field(default_factory=list)
    _sessions: int = 0

    def order(self, fault: Fault) -> None:
        """Do this wrongly, once."""
        self._faults.append(fault)

    def take(self, *faults: Fault) -> Fault | None:
        """Give what is to be done wrongly now."""
        found = next((each for each in self._faults if each in faults), None)
        if found is not None:
            self._faults.remove(found)
        return found

    def number(self) -> int:
        """Begin a session."""
        self._sessions += 1
        return self._sessions

    def can(self, *capabilities: str) -> bool:
        """Tell whether it has one of these."""
        return not set(capabilities).isdisjoint(self.capabilities)

    def cut(self) -> None:
        """Lose all connections, as when those who have opened them die."""
        for each in self.connections:
            each.abort()

    def end(self, session: int) -> None:
        """End a session: its locks go, its changes of the candidate, and what only it could have confirmed."""
        if "candidate" in self.locks and self.locks["candidate"] == session:
            self.candidate = dict(self.running)
        self.locks = {name: by for name, by in self.locks.items() if by != session}
        if self.pending is not None and not self.pending.persist and self.pending.session == session:
            self.take_back()

    def take_back(self) -> None:
        """Let run what ran before the commit that waits."""
        if self.pending is not None:
            self.pending.timer.cancel()
            self.running, self.candidate, self.pending = self.pending.before, dict(self.pending.before), None


Operation = Callable[[FakeDevice, int, Any], Awaitable[str]]


async def _get_config(device: FakeDevice, session: int, operation: Any) -> str:  # noqa: ARG001
    source = _datastore(operation, "source")
    rates = device.running if source == "running" else device.candidate
    entries = "".join(
        f"<bandwidth><direction>{name}</direction><type>bw-per-svc</type><cir>{mbps * _MEGA}</cir></bandwidth>"
        for name, mbps in rates.items()
    )
    return f"""<data><l2vpn-svc xmlns="{MODEL}"><sites><site><site-id>{device.device.name}</site-id><site-network-accesses>
<site-network-access><network-access-id>a-1</network-access-id><vpn-attachment><vpn-id>{SERVICE}</vpn-id></vpn-attachment>
<service><svc-bandwidth>{entries}</svc-bandwidth></service></site-network-access></site-network-accesses></site></sites>
</l2vpn-svc></data>"""


async def _lock(device: FakeDevice, session: int, operation: Any) -> str:
    target = _datastore(operation, "target")
    if target in device.locks:
        raise Refusal("lock-denied", session=device.locks[target])
    if target == "running" and device.pending is not None and device.pending.session != session:
        raise Refusal("lock-denied", session=0 if device.pending.persist else device.pending.session)
    if target == "candidate" and device.candidate != device.running:
        raise Refusal("lock-denied")
    device.locks[target] = session
    return "<ok/>"


async def _discard(device: FakeDevice, session: int, operation: Any) -> str:  # noqa: ARG001
    _check_lock(device, "candidate", session)
    device.candidate = dict(device.running)
    return "<ok/>"


async def _edit(device: FakeDevice, session: int, operation: Any) -> str:
    if _datastore(operation, "target") != "candidate":
        raise Refusal("operation-not-supported")
    if device.access_denied:
        raise Refusal("access-denied")
    _check_lock(device, "candidate", session)
    tested = operation.findtext(f"{{{BASE}}}test-option") is not None
    if tested and not device.can("validate:1.0", "validate:1.1"):
        raise Refusal("unknown-element")
    changed = {}
    for entry in operation.iter(f"{{{MODEL}}}bandwidth"):
        if entry.findtext(f"{{{MODEL}}}type") != "bw-per-svc":
            raise Refusal("invalid-value")
        changed[entry.findtext(f"{{{MODEL}}}direction")] = int(entry.findtext(f"{{{MODEL}}}cir")) // _MEGA
    if set(changed) - set(device.candidate):
        raise Refusal("data-missing")
    if tested and max(changed.values()) > device.most:
        raise Refusal("invalid-value")
    device.candidate.update(changed)
    return "<ok/>"


async def _commit(device: FakeDevice, session: int, operation: Any) -> str:
    persist_id = operation.findtext(f"{{{BASE}}}persist-id") or ""
    if operation.find(f"{{{BASE}}}confirmed") is None:
        return _confirmed(device, session, persist_id)
    if not device.can("confirmed-commit:1.0", "confirmed-commit:1.1"):
        raise Refusal("unknown-element")
    if operation.find(f"{{{BASE}}}persist") is not None and not device.can("confirmed-commit:1.1"):
        raise Refusal("unknown-element")
    for datastore in ("running", "candidate"):
        _check_lock(device, datastore, session)
    if device.pending is not None:
        raise Refusal("in-use")
    if max(device.candidate.values()) > device.most:
        raise Refusal("invalid-value")
    return await _committed(device, session, operation)


async def _committed(device: FakeDevice, session: int, operation: Any) -> str:
    fault = device.take(*set(Fault) - {Fault.DROPS_BEFORE_CONFIRMING})
    if fault is Fault.DROPS_BEFORE_COMMIT:
        raise ConnectionResetError
    seconds = int(operation.findtext(f"{{{BASE}}}confirm-timeout") or 600)
    device.pending = Pending(
        before=dict(device.running),
        persist=operation.findtext(f"{{{BASE}}}persist") or "",
        session=session,
        timer=asyncio.get_running_loop().call_later(seconds, device.take_back),
    )
    share = {Fault.SETS_HALF: 2}.get(fault, 1) if fault else 1
    if fault is not Fault.SETS_NOTHING:
        device.running = {name: mbps // share for name, mbps in device.candidate.items()}
    if fault is Fault.DROPS_AFTER_COMMIT:
        raise ConnectionResetError
    if fault is Fault.HOLDS_ANSWER:
        device.held.set()
        raise NoAnswer
    return "<ok/>"


def _confirmed(device: FakeDevice, session: int, persist_id: str) -> str:
    pending = device.pending
    if (
        pending is None
        or (persist_id or not pending.persist) != (pending.persist or True)
        or (not pending.persist and pending.session != session)
    ):
        raise Refusal("invalid-value" if persist_id else "operation-failed")
    if device.take(Fault.DROPS_BEFORE_CONFIRMING):
        raise ConnectionResetError
    pending.timer.cancel()
    device.pending = None
    return "<ok/>"


async def _cancel(device: FakeDevice, session: int, operation: Any) -> str:
    persist_id = operation.findtext(f"{{{BASE}}}persist-id") or ""
    if not device.can("confirmed-commit:1.1"):
        raise Refusal("operation-not-supported")
    pending = device.pending
    if pending is None or persist_id != pending.persist or (not persist_id and pending.session != session):
        raise Refusal("invalid-value")
    device.take_back()
    return "<ok/>"


_OPERATIONS: Final[dict[str, Operation]] = {
    "get-config": _get_config,
    "lock": _lock,
    "discard-changes": _discard,
    "edit-config": _edit,
    "commit": _commit,
    "cancel-commit": _cancel,
}


def _operation(name: etree.QName) -> Operation:
    if name.namespace != BASE:
        raise Refusal("unknown-namespace")
    if name.localname not in _OPERATIONS:
        raise Refusal("operation-not-supported")
    return _OPERATIONS[name.localname]


def _datastore(operation: Any, role: str) -> str:
    [found] = operation.find(f"{{{BASE}}}{role}")
    return etree.QName(found).localname


def _check_lock(device: FakeDevice, datastore: str, session: int) -> None:
    """Refuse whoever has not locked it: stricter than the RFC, which lets those pass where nobody has."""
    if device.locks.get(datastore) != session:
        raise Refusal("in-use")


class _Session:
    """One session, on the device's side."""

    def __init__(self, device: FakeDevice, process: Any) -> None:
        self._device = device
        self._process = process
        self._number = device.number()
        self._connection = process.channel.get_connection()
        device.connections.add(self._connection)
        self._buffer = b""
        self._chunked = False

    async def serve(self) -> None:
        """Say hello, and answer until the session ends."""
        capabilities = ["urn:ietf:params:netconf:base:1.0", "urn:ietf:params:netconf:base:1.1"]
        capabilities += [f"{CAPABILITY}{each}" for each in self._device.capabilities]
        said = "".join(f"<capability>{each}</capability>" for each in capabilities)
        self._send(
            f'<hello xmlns="{BASE}"><capabilities>{said}</capabilities><session-id>{self._number}</session-id></hello>'
        )
        try:
            hello = etree.fromstring(await self._message())
            assert hello.tag == f"{{{BASE}}}hello"
            assert hello.find(f"{{{BASE}}}session-id") is None, "a client's hello has no session-id (RFC 6241, 8.1)"
            self._chunked = any("base:1.1" in (each.text or "") for each in hello.iter(f"{{{BASE}}}capability"))
            while await self._answer(etree.fromstring(await self._message())):
                pass
        except NoAnswer:
            await self._process.stdin.read()
        except (ConnectionResetError, asyncssh.Error):
            pass
        finally:
            self._device.end(self._number)
            self._device.connections.discard(self._connection)
            self._connection.abort()

    async def _answer(self, rpc: Any) -> bool:
        assert rpc.tag == f"{{{BASE}}}rpc"
        message_id = rpc.get("message-id")
        assert message_id, "the attribute message-id is mandatory (RFC 6241, 4.1)"
        [operation] = rpc
        name = etree.QName(operation)
        self._device.asked.append(name.localname)
        if name.localname == "close-session":
            self._device.end(self._number)
            self._reply(message_id, "<ok/>")
            return False
        try:
            self._reply(message_id, await _operation(name)(self._device, self._number, operation))
        except Refusal as refusal:
            self._reply(message_id, _error(refusal))
        return True

    def _reply(self, message_id: str, inside: str) -> None:
        self._send(f'<rpc-reply xmlns="{BASE}" message-id="{message_id}">{inside}</rpc-reply>')

    def _send(self, text: str) -> None:
        data = text.encode()
        half = len(data) // 2
        parts = b"".join(b"\n#%d\n%b" % (len(each), each) for each in (data[:half], data[half:]))
        self._process.stdout.write(parts + b"\n##\n" if self._chunked else data + _MARK)

    async def _message(self) -> bytes:
        """Read one message: up to the mark, or in chunks, each as long as it says."""
        if not self._chunked:
            return (await self._until(_MARK))[: -len(_MARK)]
        found = b""
        while True:
            head = (await self._until(b"\n", b"\n"))[1:-1]
            if head == b"##":
                return found
            assert re.fullmatch(rb"#[1-9][0-9]{0,9}", head), f"no chunk begins with {head!r} (RFC 6242, 4.2)"
            found += await self._exactly(int(head[1:]))

    async def _until(self, end: bytes, begin: bytes = b"") -> bytes:
        while (found := self._buffer.find(end, len(begin))) < 0:
            await self._more()
        assert self._buffer.startswith(begin), f"{self._buffer[:20]!r} does not begin with {begin!r}"
        return self._cut(found + len(end))

    async def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            await self._more()
        return self._cut(size)

    def _cut(self, size: int) -> bytes:
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    async def _more(self) -> None:
        data = await self._process.stdin.read(65_536)
        if not data:
            raise ConnectionResetError
        self._buffer += data


def _error(refusal: Refusal) -> str:
    info = (
        f"<error-info><session-id>{refusal.session}</session-id></error-info>" if refusal.tag == "lock-denied" else ""
    )
    return f"""<rpc-error><error-type>application</error-type><error-tag>{refusal.tag}</error-tag>
<error-severity>error</error-severity><error-message xml:lang="en">No: {refusal.tag}</error-message>{info}</rpc-error>"""


class _Server(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:  # noqa: ARG002
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


@asynccontextmanager
async def serving(
    name: str, directory: Path, *, most: int = 10_000, capabilities: tuple[str, ...] = ALL
) -> AsyncIterator[FakeDevice]:
    """Serve one on a free port while the block runs; `most` is what it can carry, in Mbit/s."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    found: list[FakeDevice] = []

    async def session(process: Any) -> None:
        if process.subsystem != "netconf":
            process.exit(1)
            return
        await _Session(found[0], process).serve()

    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=_Server, server_host_keys=[key], process_factory=session, encoding=None
    )
    port = server.get_port()
    known = directory / f"{name}-known-hosts"
    known.write_text(f"[127.0.0.1]:{port} {key.export_public_key().decode()}")
    device = Device(name=name, host="127.0.0.1", port=port, user=USER, password=lambda: PASSWORD, known_hosts=known)
    found.append(FakeDevice(device=device, most=most, capabilities=capabilities))
    try:
        yield found[0]
    finally:
        if found[0].pending is not None:
            found[0].pending.timer.cancel()
        server.close()
        await server.wait_closed()
