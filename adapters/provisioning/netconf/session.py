"""A session with a device can hang, end or speak nonsense at any moment, and its locks must end with it.

Whatever goes wrong with the connection leaves here as an `AdapterError`; what a device refuses leaves as `RpcRefused`. The device is
known by its host key: without one anybody could be asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import asyncssh

from adapters.errors import Nonsense, NotAdmitted, TimedOut, Unreachable
from adapters.provisioning.netconf.device import Device
from adapters.provisioning.netconf.framing import BrokenFraming, Framing
from adapters.provisioning.netconf.messages import (
    BASE_1_1,
    MOST_BYTES,
    close_session,
    hello,
    read_hello,
    read_reply,
    rpc,
)
from adapters.xml.parser import Element

_CHUNK: Final = 65_536
_END_SECONDS: Final = 0.5
"""for a session to end as it should."""


class Session:
    """A session that both sides have said hello in."""

    def __init__(self, name: str, process: Any) -> None:
        self.name = name
        """of the device."""
        self.capabilities: frozenset[str] = frozenset()
        self._process = process
        self._framing = Framing(most_bytes=MOST_BYTES)
        self._messages: list[bytes] = []
        self._calls = 0

    async def greet(self) -> None:
        """Say hello, and hear it."""
        self._send(hello())
        self.capabilities = read_hello(await self._receive(), self.name)
        self._framing.chunked = BASE_1_1 in self.capabilities

    async def call(self, operation: Element, *, deadline: float) -> Element:
        """Call an operation and give the reply; raises RpcRefused where the device refuses it."""
        with _seam(self.name, sent=True):
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                self._calls += 1
                self._send(rpc(self._calls, operation))
                return read_reply(await self._receive(), self._calls, self.name)

    def _send(self, message: bytes) -> None:
        self._process.stdin.write(self._framing.frame(message))

    async def _receive(self) -> bytes:
        while not self._messages:
            data = await self._process.stdout.read(_CHUNK)
            if not data:
                raise ConnectionResetError("the device has ended the session")
            self._messages += self._framing.feed(data)
        return self._messages.pop(0)


@asynccontextmanager
async def opened(device: Device, *, deadline: float) -> AsyncIterator[Session]:
    """Keep a session with a device while the block runs; whatever it has locked is free afterwards."""
    async with contextlib.AsyncExitStack() as stack:
        with _seam(device.name, sent=False):
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                connection = await stack.enter_async_context(
                    asyncssh.connect(
                        device.host,
                        device.port,
                        username=device.user,
                        password=device.password() if device.password else None,
                        client_keys=[str(device.key_file)] if device.key_file else [],
                        known_hosts=str(device.known_hosts),
                        agent_path=None,
                        config=None,
                    )
                )
                process = await stack.enter_async_context(connection.create_process(subsystem="netconf", encoding=None))
                session = Session(device.name, process)
                await session.greet()
        try:
            yield session
        finally:
            with contextlib.suppress(Exception):  # it is over in any case
                await session.call(close_session(), deadline=time.monotonic() + _END_SECONDS)
            connection.abort()


@contextmanager
def _seam(name: str, *, sent: bool) -> Iterator[None]:
    """Turn what the library raises into errors of ours; `sent`: something may have been done."""
    try:
        yield
    except (asyncssh.PermissionDenied, asyncssh.HostKeyNotVerifiable) as exc:
        what = "lets us not in" if isinstance(exc, asyncssh.PermissionDenied) else "has another host key than is known"
        hint = f"Look at provisioning.netconf.devices.{name}: its user, its password or key, its known_hosts"
        raise NotAdmitted(f"{name} {what}", hint=hint, status=403) from exc
    except BrokenFraming as exc:
        raise Nonsense(f"{name} answered what is no NETCONF", where="framing") from exc
    except TimeoutError as exc:
        raise TimedOut(f"{name} did not answer in time", hint="Look there", may_have_happened=sent) from exc
    except (asyncssh.Error, OSError) as exc:
        what = "The session was lost with" if sent else "There is no session with"
        hint = "Look at its address, and whether it runs"
        raise Unreachable(f"{what} {name}", hint=hint, may_have_happened=sent) from exc
