"""A caller that got no answer asks again, and the change it asked for must not be made twice.

The caller names each change with a key of its own. What the change returned is kept under that key in the transaction
of the change itself: either both are there or neither is, whatever dies in between.

Rules. 1. The record is claimed before the change reads anything, so that of two callers with one key the second waits
(Neo4j) or is sent back to try again (the embedded database), and then finds the outcome of the first. 2. A key belongs
to one principal, and to one operation and input; with another input it is refused. The selection is no part of that: the
same change may be asked for again with more fields. 3. A record lives for a day by the database's clock; after that it
may be claimed anew, and is swept away.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import orjson

from graph.changes.outcome import Outcome, as_text, outcome_of
from graph.errors import Contended, GraphError, Refused
from graph.store.store import Store, Transaction

Change: TypeAlias = Callable[[Transaction], Awaitable[Outcome]]
"""What is done once. It may be run again when its transaction was rolled back."""

KEPT_MS: Final = 24 * 60 * 60 * 1000
LONGEST_KEY: Final = 255
_SWEPT_AT_ONCE: Final = 1000
_SWEEP_SECONDS: Final = 30.0

# The lock comes first: what is read before it may be what another transaction is just replacing.
_CLAIM: Final = """
MERGE (i:Idempotency {key: $key})
ON CREATE SET i.expiresAt = 0
SET i._lock = true
REMOVE i._lock
WITH i
RETURN i.expiresAt > timestamp(), i.requestHash, i.response
"""

_RECORD: Final = """
MATCH (i:Idempotency {key: $key})
RETURN i.expiresAt > timestamp(), i.requestHash, i.response
"""

_KEEP: Final = """
MATCH (i:Idempotency {key: $key})
SET i.requestHash = $hash, i.response = $response, i.expiresAt = timestamp() + $kept
"""

# Looked at again under the lock: a record found expired may have been claimed anew in the meantime.
_SWEEP: Final = """
MATCH (i:Idempotency)
WHERE i.expiresAt < timestamp()
WITH i LIMIT $most
SET i._lock = true
REMOVE i._lock
WITH i WHERE i.expiresAt < timestamp()
DETACH DELETE i
RETURN count(*)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which change, asked for by whom, under which key."""

    subject: str
    """the principal's, unique over all issuers."""
    client_key: str
    operation: str
    input: Mapping[str, object]
    """all that the change depends on."""

    def __post_init__(self) -> None:
        if not 0 < len(self.client_key) <= LONGEST_KEY:
            raise Refused(
                f"An idempotency key has 1 to {LONGEST_KEY} characters",
                code="BAD_USER_INPUT",
                path=("idempotencyKey",),
                hint="Use a new UUID for each change, and the same one when asking again",
            )

    @property
    def key(self) -> str:
        """What is unique: a hash, since keys are of any length. The length in front keeps apart who and what."""
        return _hash(f"{len(self.subject)}:{self.subject}{self.client_key}".encode())

    @property
    def request_hash(self) -> str:
        """Equal for equal changes, in whatever order the input was written."""
        return _hash(orjson.dumps([self.operation, self.input], option=orjson.OPT_SORT_KEYS))


async def once(store: Store, asked: Asked, change: Change, *, deadline: float, keeps_failures: bool = True) -> Outcome:
    """Make a change in one transaction, or give what it returned when it was made under this key before.

    Without `keeps_failures`, what was not done may be asked for again under its key: it may be possible by then.
    """

    async def work(transaction: Transaction) -> Outcome:
        remembered = await _claim(transaction, asked)
        if remembered is not None:
            return remembered
        outcome = await change(transaction)
        if outcome.user_errors and not keeps_failures:
            return outcome
        kept = {"hash": asked.request_hash, "response": as_text(outcome), "kept": KEPT_MS}
        transaction.later(_KEEP, {"key": asked.key, **kept})
        return outcome

    return await store.write(work, deadline=deadline)


async def remembered(store: Store, asked: Asked, *, deadline: float) -> Outcome | None:
    """Give what a change returned under this key, where it can be seen already; None: ask for it by `once`.

    For those who find out what is asked for by what there is now: a repetition must not be judged by what has come of the first.
    """
    for alive, request_hash, response in await store.rows(_RECORD, {"key": asked.key}, deadline=deadline):
        if alive:
            return _outcome(asked, request_hash, response)
    return None


async def sweep(store: Store, *, most: int, deadline: float) -> int:
    """Take away up to `most` expired records; give how many there were, so that fewer than `most` means: all."""

    async def work(transaction: Transaction) -> int:
        [[count]] = await transaction.run(_SWEEP, {"most": most})
        assert isinstance(count, int)  # count(*)
        return count

    return await store.write(work, deadline=deadline)


async def keep_swept(store: Store, *, every: float) -> None:
    """Take away what has expired, every so many seconds, until cancelled. Several processes may do so at once."""
    while True:
        await asyncio.sleep(every * random.uniform(0.5, 1.5))  # noqa: S311 - to get out of step
        with contextlib.suppress(GraphError):  # a database that is away now is swept the next time
            while await sweep(store, most=_SWEPT_AT_ONCE, deadline=time.monotonic() + _SWEEP_SECONDS) == _SWEPT_AT_ONCE:
                pass


async def _claim(transaction: Transaction, asked: Asked) -> Outcome | None:
    [[alive, request_hash, response]] = await transaction.run(_CLAIM, {"key": asked.key})
    if alive is None:
        # Neo4j finds the record, waits for its lock, and then holds the lock of what a sweep has deleted.
        raise Contended("The record of this idempotency key was swept away at this moment")
    return _outcome(asked, request_hash, response) if alive else None


def _outcome(asked: Asked, request_hash: object, response: object) -> Outcome:
    if request_hash != asked.request_hash:
        raise Refused(
            "This idempotency key was used for another change",
            code="IDEMPOTENCY_CONFLICT",
            path=("idempotencyKey",),
            hint="Use a new key for each change; the same key only to ask for the same change again",
        )
    return outcome_of(str(response))


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
