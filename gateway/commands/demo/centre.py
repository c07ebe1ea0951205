"""The central fault management system hears of an alarm with what it does to customers, and what its people do comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.commands.demo.scene import Scene
from gateway.errors import CommandFailed

_ALARM = "query Alarm($id: ID!) { alarm(id: $id) { ackState } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """What it has of the alarm, and what was learnt from it."""

    alarm: Mapping[str, Any]
    """as it shows it."""
    acknowledged_here: bool
    """what the gateway says once somebody has taken note over there."""


async def look(scene: Scene, alarm_id: str) -> Centre:
    """Look at the alarm there, take note of it there, and wait until that is known here."""
    url = f"{scene.neighbours.centre}/alarm"
    found = await scene.until(
        f"{url}?externalAlarmId={alarm_id}", bool, "The central fault management system was not told of the alarm"
    )
    await scene.call("PATCH", f"{url}/{found[0]['id']}", {"ackState": "acknowledged"})
    here = f"{scene.base}/tmf-api/alarmManagement/v4/alarm/{alarm_id}"
    await scene.until(
        here, lambda each: each["ackState"] == "acknowledged", "The acknowledgement did not come back", by="operator"
    )
    said = (await scene.ask(_ALARM, id=alarm_id))["alarm"]["ackState"]
    return Centre(alarm=found[0], acknowledged_here=said == "ACKNOWLEDGED")


async def look_again(scene: Scene, alarm_id: str) -> None:
    """Wait until the alarm is over there too."""
    url = f"{scene.neighbours.centre}/alarm?externalAlarmId={alarm_id}"
    await scene.until(url, lambda found: found[0]["state"] == "cleared", "The alarm was not cleared in the centre")


def as_text(centre: Centre) -> str:
    """Tell it."""
    if not centre.acknowledged_here:
        raise CommandFailed("The acknowledgement is known to TMF642 and not to GraphQL.", "This is a fault of ours.")
    affected = centre.alarm["affectedService"]
    customers = {each["customer"]["id"] for each in affected}
    return (
        f"The central fault management system holds it too, as {centre.alarm['id']} of its own, with the {len(affected)} "
        f"services of {len(customers)} customers that it affects.\n"
        "  Somebody there acknowledges it, and it is acknowledged here."
    )
