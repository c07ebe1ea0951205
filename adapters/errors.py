"""What can go wrong between us and a surrounding system, in words that say what the caller may do next.

Each client library and each system has its own ways to fail; whoever keeps the promise that nothing is lost must only
know three things: may it help to ask again, when, and may it have happened already. Foreign exceptions stop in
`transport.py` and become one of these. What a system answers is in no message, since it may hold anything: the start of a
refusal is apart, in `answer`, and only operators are shown it.

    AdapterError            message: what happened; hint: what to do about it; may_have_happened
    +-- Unreachable         no connection, a lost one, half an answer; retry_after when it is known
    +-- TimedOut            the caller's time ran out: it may have happened, or may still happen
    +-- Busy                408, 425, 429 and 5xx: it does not want to now; retry_after when it said so
    |   +-- Suspended       its people let nothing of this kind in for a while, as for planned work: it is tried until they do
    +-- Rejected            any other 4xx: asking the same again will not help; status says which
    |   +-- Conflict        409, 412: somebody else was quicker; look again before asking again
    +-- NotAdmitted         401, 403, a wrong address: about us and not about what was asked; nothing else is done either
    +-- Nonsense            an answer that cannot be one to what was asked; where says at which place of it
    +-- Malformed           what was sent to us is against the conventions; field says where
"""

from __future__ import annotations


class AdapterError(Exception):
    """Something between us and a surrounding system could not be done."""

    def __init__(self, message: str, *, hint: str = "", may_have_happened: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.may_have_happened = may_have_happened
        """True when the other system may have done what it was asked to: look there before asking again."""
        self.of_credential = False
        """True when the system itself was not asked: what says who we are could not be had."""
        self.answer = ""
        """the start of what it said, without credentials; empty where nothing is kept."""

    def __str__(self) -> str:
        return f"{self.message.rstrip('.')}. {self.hint}" if self.hint else self.message


class Unreachable(AdapterError):
    """There was no whole exchange with the other system."""

    def __init__(
        self, message: str, *, hint: str = "", may_have_happened: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint=hint, may_have_happened=may_have_happened)
        self.retry_after = retry_after
        """seconds until it makes sense to ask again; None when nobody knows."""


class TimedOut(AdapterError):
    """The deadline came before the answer."""


class Busy(AdapterError):
    """The other system is there and does not do it now."""

    def __init__(self, message: str, *, hint: str = "", status: int, retry_after: float | None = None) -> None:
        # A system that fails inside may have failed after it acted; one that refuses the load has not begun.
        super().__init__(message, hint=hint, may_have_happened=status >= 500)
        self.status = status
        self.retry_after = retry_after
        """seconds, as the other system asked for; None when it did not say."""


class Suspended(Busy):
    """Its people have suspended what was asked for, for a time that they have set; nothing is wrong, on neither side."""


class Rejected(AdapterError):
    """The other system does not do this, whoever asks how often."""

    def __init__(self, message: str, *, hint: str = "", status: int) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Conflict(Rejected):
    """The thing was changed by somebody else meanwhile, or is not in a state for this; looking again says which."""


class NotAdmitted(AdapterError):
    """The other system does nothing that we ask: our credential, our rights or its address are not right."""

    def __init__(self, message: str, *, hint: str = "", status: int) -> None:
        super().__init__(message, hint=hint)
        self.status = status

    @property
    def may_be_of_one(self) -> bool:
        """Tell whether it may be about this request and no other: a 401 or a 407 never is."""
        return self.status not in (401, 407)


class Nonsense(AdapterError):
    """The other system, or something in front of it, answered what makes no sense."""

    def __init__(self, message: str, *, hint: str = "", where: str) -> None:
        super().__init__(message, hint=hint, may_have_happened=True)
        self.where = where
        """the place in the answer: `content-type`, `externalId`, `[3].status`."""


class Malformed(AdapterError):
    """What a caller sent does not follow the conventions of its protocol."""

    def __init__(self, message: str, *, hint: str = "", field: str) -> None:
        super().__init__(message, hint=hint)
        self.field = field
