"""One device of a service: it is locked, changed, committed for a while, and told to keep that or to take it back.

What a device refuses becomes an error that says what may be done next (RFC 6241, appendix A): a lock or a commit of somebody else's
ends, so it is waited for; what is about our rights is about all of the device; anything else is a refusal of the rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from adapters.delivery.retrying import Waits
from adapters.errors import AdapterError, Busy, NotAdmitted
from adapters.provisioning import RateRefused
from adapters.provisioning.netconf import messages
from adapters.provisioning.netconf.messages import (
    CANDIDATE,
    CONFIRMED_1_0,
    CONFIRMED_1_1,
    VALIDATE,
    Datastore,
    RpcError,
    RpcRefused,
)
from adapters.provisioning.netconf.service_model import Access, ServiceModel, accesses_of, edit, wanted
from adapters.provisioning.netconf.session import Session
from adapters.xml.parser import Element

_LOCKED: Final[tuple[Datastore, ...]] = ("running", "candidate")
_LOCK_MS: Final = (500, 10_000)
"""pauses, at least and at most, while somebody else has locked a device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A device, and its accesses of one service as they were when they were read."""

    session: Session
    service: str
    model: ServiceModel
    deadline: float
    accesses: tuple[Access, ...] = ()

    @property
    def device(self) -> str:
        """Its name."""
        return self.session.name

    @property
    def can_persist(self) -> bool:
        """Whether a commit can be confirmed by another session than the one that has made it."""
        return CONFIRMED_1_1 in self.session.capabilities

    async def read(self) -> Endpoint:
        """Give it with its accesses as they run now."""
        reply = await self._call(messages.get_config("running", wanted(self.model)))
        data = messages.data_of(reply, self.device)
        return replace(self, accesses=accesses_of(data, self.service, self.model))

    async def lock(self) -> None:
        """Keep others from changing it, until the session ends; raises RateRefused where it could not take a change back."""
        able = self.session.capabilities
        if CANDIDATE not in able or able.isdisjoint({CONFIRMED_1_0, CONFIRMED_1_1}):
            raise RateRefused(
                f"{self.device} has no candidate, or no confirmed commit: it could not take a change back"
            )
        for each in _LOCKED:
            await self._call(messages.lock(each))
        await self._call(messages.discard_changes())

    async def prepare(self, mbps: int) -> None:
        """Write the rate into its candidate, and let that be checked.

        In one operation: netconfd 2.13 commits nothing of what was changed before a `validate`.
        """
        tested = not self.session.capabilities.isdisjoint(VALIDATE)
        await self._call(messages.edit_config(edit(self.accesses, mbps, self.model), tested=tested))

    async def commit(self, seconds: int, persist: str) -> None:
        """Let the candidate run for so many seconds."""
        await self._call(messages.commit_for(seconds, persist if self.can_persist else ""))

    async def confirm(self, persist: str) -> None:
        """Let it run for good."""
        await self._call(messages.confirm(persist if self.can_persist else ""))

    async def cancel(self, persist: str) -> None:
        """Take it back."""
        await self._call(messages.cancel_commit(persist if self.can_persist else ""))

    async def _call(self, operation: Element) -> Element:
        try:
            return await self.session.call(operation, deadline=self.deadline)
        except RpcRefused as refused:
            raise _meant(self.device, refused.error) from refused


def _meant(device: str, error: RpcError) -> AdapterError | Waits:
    """Make the error that an rpc-error means; its texts are in `answer` only, since they may hold anything."""
    found: AdapterError
    match error.tag:
        case "lock-denied" | "in-use":
            least, most = _LOCK_MS
            by = f" by session {error.session}" if error.session.isdigit() else ""
            return Waits(f"{device} is being changed{by}", at_least_ms=least, at_most_ms=most)
        case "resource-denied":
            found = Busy(f"{device} has no resources for it now", status=503)
            found.may_have_happened = False
        case "access-denied":
            found = NotAdmitted(f"{device} does not let us change it", hint="Look at our rights there", status=403)
        case tag:
            found = RateRefused(f"{device} refuses it: {tag if tag.replace('-', '').isalpha() else 'an error'}")
    found.answer = str(error)
    return found
