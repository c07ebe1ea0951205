"""A fault management system to try things with: it sees things break, and tells a gateway of it by TMF642, version 4.

Such a system tells on until it is heard. An answer that was lost leaves it in doubt, so it tells the same thing again,
under the same `externalAlarmId`, by which the gateway knows that it is the same. What is broken follows from the id of
the object: a card has an equipment alarm, a trunk or a port has lost its signal.

    async with reporting("http://127.0.0.1:8000/tmf-api/alarmManagement/v4", token) as faults:
        raised = await faults.raise_alarm("card-7", number=1, deadline=soon)
        await faults.clear_alarm(raised.external_alarm_id, deadline=soon)
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from adapters.errors import Busy, Nonsense, TimedOut, Unreachable
from adapters.tmf.tmf630 import write_time
from adapters.transport.credentials import Token, fixed
from adapters.transport.transport import Answer, Call, System, Transport, opened

SOURCE: Final = "fault-management"
RESOURCE: Final = "alarm"
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What an alarm says, in the words of X.733."""

    alarm_type: str
    severity: str
    cause: str
    problem: str


UNIT: Final = Words(
    alarm_type="equipmentAlarm",
    severity="critical",
    cause="replaceableUnitProblem",
    problem="The unit does not answer",
)
POWER: Final = Words(
    alarm_type="equipmentAlarm", severity="critical", cause="powerProblem", problem="The element has no power"
)
SIGNAL: Final = Words(
    alarm_type="communicationsAlarm", severity="major", cause="lossOfSignal", problem="No light is received"
)
THRESHOLD: Final = Words(
    alarm_type="qualityOfServiceAlarm",
    severity="minor",
    cause="thresholdCrossed",
    problem="More errors than agreed",
)
WORDS: Final[Mapping[str, Words]] = {"card": UNIT, "networkelement": POWER, "port": SIGNAL, "trunk": SIGNAL}
"""By the first part of an object's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An alarm that the gateway has heard of."""

    id: str
    """the gateway's."""
    external_alarm_id: str
    object_id: str
    body: Mapping[str, object]
    """as it was posted."""


def words_of(object_id: str) -> Words:
    """Give what is wrong with such a thing when it breaks; what is none of ours has crossed a threshold."""
    return WORDS.get(object_id.partition("-")[0], THRESHOLD)


def alarm_body(
    object_id: str, *, number: int, raised_at: int, source: str = SOURCE, words: Words | None = None
) -> dict[str, object]:
    """Make the alarm with this number; the same arguments make the same alarm."""
    said = words or words_of(object_id)
    moment = write_time(raised_at)
    return {
        "externalAlarmId": f"FM-{number:08d}",
        "sourceSystemId": source,
        "alarmType": said.alarm_type,
        "perceivedSeverity": said.severity,
        "probableCause": said.cause,
        "specificProblem": said.problem,
        "alarmedObject": {"id": object_id},
        "alarmedObjectType": object_id.partition("-")[0],
        "state": "raised",
        "alarmRaisedTime": moment,
        "alarmReportingTime": moment,
    }


class FaultManagement:
    """Tells a gateway what breaks, and remembers what it has told."""

    def __init__(self, transport: Transport, *, source: str, attempt_seconds: float) -> None:
        self._transport = transport
        self._source = source
        self._attempt_seconds = attempt_seconds
        self.raised: dict[str, Raised] = {}
        """what has been heard and not been cleared, by external alarm id."""
        self.repeated = 0
        """how often something was told again."""

    async def raise_alarm(self, object_id: str, *, number: int, deadline: float, words: Words | None = None) -> Raised:
        """Tell that something is broken, until it is heard."""
        now = time.time_ns() // 1_000_000
        body = alarm_body(object_id, number=number, raised_at=now, source=self._source, words=words)
        answer = await self._tell(Call(method="POST", path=(RESOURCE,), body=body), deadline)
        raised = Raised(
            id=_id_in(answer), external_alarm_id=str(body["externalAlarmId"]), object_id=object_id, body=body
        )
        self.raised[raised.external_alarm_id] = raised
        return raised

    async def clear_alarm(self, external_alarm_id: str, *, deadline: float) -> None:
        """Tell that something works again, until it is heard; KeyError for what was not raised."""
        raised = self.raised[external_alarm_id]
        body = {
            "state": "cleared",
            "perceivedSeverity": "cleared",
            "alarmClearedTime": write_time(time.time_ns() // 1_000_000),
        }
        await self._tell(Call(method="PATCH", path=(RESOURCE, raised.id), body=body), deadline)
        del self.raised[external_alarm_id]

    async def _tell(self, call: Call, deadline: float) -> Answer:
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._transport.exchange(
                    call, deadline=min(deadline, time.monotonic() + self._attempt_seconds)
                )
            except (Unreachable, TimedOut, Busy) as error:
                wait = (None if isinstance(error, TimedOut) else error.retry_after) or pause
                if time.monotonic() + wait >= deadline:
                    raise
            await asyncio.sleep(wait)
            self.repeated += 1
            pause = min(pause * 2, LONGEST_PAUSE)


@asynccontextmanager
async def reporting(
    gateway: str, token: SecretStr, *, source: str = SOURCE, attempt_seconds: float = 5.0
) -> AsyncIterator[FaultManagement]:
    """Report to the alarm management API at this address while the block runs."""
    # It never tires of a gateway that is away: the breaker would keep it from noticing that it is back.
    system = System(name="the gateway", address=gateway, credential=Token(secret=fixed(token)), failures=sys.maxsize)
    async with opened(system) as transport:
        yield FaultManagement(transport, source=source, attempt_seconds=attempt_seconds)


def _id_in(answer: Answer) -> str:
    told = answer.json()
    found = told.get("id") if isinstance(told, dict) else None
    if not isinstance(found, str):
        raise Nonsense("The gateway answered an alarm without an id", where="id")
    return found
