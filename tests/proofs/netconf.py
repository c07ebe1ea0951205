"""Provisioning by NETCONF, proven on two netconfds: a rate goes up and returns on both, or on none, whoever dies or hangs up.

What runs on a device is asked of it by OpenSSH's client, in words of its own, and not by ours. Whoever dies is a process of its own,
killed by SIGKILL after a device has committed and before it is told to keep it.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from adapters.delivery.retrying import Waits
from adapters.errors import Unreachable
from adapters.provisioning import RateConfirmed, RateRefused, RateRequest, ServiceRef
from adapters.provisioning.netconf.device import Device
from adapters.provisioning.netconf.messages import lock
from adapters.provisioning.netconf.service_model import ServiceModel
from adapters.provisioning.netconf.session import opened
from adapters.provisioning.outbound.netconf import Netconf
from tests.faults.processes import TOP
from tests.proofs.debian import present
from tests.proofs.netconfd import COMMITTED, PACKAGES, SERVICE, RealDevice, devices
from tests.proofs.running import until
from tests.proofs.steps import Say, Steps, Summary

NAME: Final = "netconf"
_CONFIRM_SECONDS: Final = 20
"""after which a device takes back what nobody has confirmed."""
E = TypeVar("E", bound=Exception)
_SECONDS: Final = 60.0
"""for each thing to come to be."""


async def prove(directory: Path, say: Say) -> Summary:
    """Set rates on devices, and let things go wrong."""
    versions = present(PACKAGES)
    steps = Steps(say=say)
    async with devices(directory) as there:
        steps.show(f"{len(there)} devices run, and carry {COMMITTED} Mbit/s for a service")
        dialect = _dialect([each.device for each in there])
        await _changed_and_returned(dialect, there, steps)
        await _refused(dialect, there, steps)
        await _locked(dialect, there, steps)
        await _dropped(dialect, there, steps)
        await _killed(dialect, there, directory, steps)
        await _taken_over(dialect, there, directory, steps)
    return Summary(name=NAME, system=f"netconfd {versions['netconfd']} (Debian)", steps=tuple(steps.shown))


async def _changed_and_returned(dialect: Netconf, there: Sequence[RealDevice], steps: Steps) -> None:
    assert (await _set(dialect, 500, "d-1")).mbps == 500
    await _carry(there, 500)
    again = await _set(dialect, 500, "d-1", again=True)
    assert again.is_old, "what is carried already is left alone"
    assert (await _set(dialect, COMMITTED, "d-2")).mbps == COMMITTED
    await asyncio.sleep(_CONFIRM_SECONDS + 1)
    await _carry(there, COMMITTED)
    steps.show("the rate goes to 500 Mbit/s on both devices, and returns; nothing falls back afterwards")


async def _refused(dialect: Netconf, there: Sequence[RealDevice], steps: Steps) -> None:
    refused = await _fails(RateRefused, _set(dialect, 5_000, "d-3"))
    assert "pe-2 refuses it: invalid-value" in refused.reason, refused.reason
    assert not refused.may_have_happened
    await _carry(there, COMMITTED)
    steps.show("5,000 Mbit/s is more than the second device can carry: it refuses, and the first one keeps its rate")


async def _locked(dialect: Netconf, there: Sequence[RealDevice], steps: Steps) -> None:
    async with opened(there[1].device, deadline=_soon()) as somebody:
        await somebody.call(lock("candidate"), deadline=_soon())
        waits = await _fails(Waits, _set(dialect, 500, "d-4"))
        assert "pe-2 is being changed" in str(waits), str(waits)
        await _carry(there, COMMITTED)
    assert (await _patiently(dialect, 500, "d-4")).mbps == 500
    await _carry(there, 500)
    steps.show("somebody else has locked a device: the change waits, on both, and is made when the lock is released")


async def _dropped(dialect: Netconf, there: Sequence[RealDevice], steps: Steps) -> None:
    there[0].loses("drop")
    assert (await _fails(Unreachable, _set(dialect, 600, "d-5"))).may_have_happened
    assert there[0].has_lost
    found = await _patiently(dialect, 600, "d-5")
    assert (found.mbps, found.is_old) == (600, True), "what both have committed is kept"
    await asyncio.sleep(_CONFIRM_SECONDS + 1)
    await _carry(there, 600)
    steps.show(
        "a device ends the session after its commit: it is looked at, what both have committed is kept, and stays"
    )


async def _killed(dialect: Netconf, there: Sequence[RealDevice], directory: Path, steps: Steps) -> None:
    await _die_before_confirming(there, directory, 700, "d-6")
    await _carry(there, 700)
    await asyncio.sleep(_CONFIRM_SECONDS + 1)
    await _carry(there, 600)
    assert (await _patiently(dialect, COMMITTED, "d-6")).mbps == COMMITTED
    await _carry(there, COMMITTED)
    steps.show("we die before we confirm: both devices fall back by themselves, and whoever takes over sets the rate")


async def _taken_over(dialect: Netconf, there: Sequence[RealDevice], directory: Path, steps: Steps) -> None:
    await _die_before_confirming(there, directory, 800, "d-7")
    found = await _set(dialect, 800, "d-7", again=True)
    assert (found.mbps, found.is_old) == (800, True)
    await asyncio.sleep(_CONFIRM_SECONDS + 1)
    await _carry(there, 800)
    await _die_before_confirming(there, directory, 900, "d-8")
    assert (await _set(dialect, COMMITTED, "d-8", again=True)).mbps == COMMITTED, "another rate is wanted by now"
    await asyncio.sleep(_CONFIRM_SECONDS + 1)
    await _carry(there, COMMITTED)
    steps.show("we die before we confirm, and somebody takes over in time: what was committed is kept, or taken back")


async def _die_before_confirming(there: Sequence[RealDevice], directory: Path, mbps: int, delivery: str) -> None:
    """Set a rate in a process of its own, and kill it when all devices have committed and nobody has confirmed."""
    for each in there:
        each.loses("hold")
    described = [_described(each.device) for each in there]
    (directory / "setting.json").write_text(json.dumps({"devices": described, "mbps": mbps, "delivery": delivery}))
    command = [sys.executable, "-m", "tests.proofs.netconf", str(directory / "setting.json")]
    process = subprocess.Popen(command, cwd=TOP)  # noqa: ASYNC220 - it only forks
    try:

        async def committed() -> bool:
            assert process.poll() is None, "it has ended by itself"
            return all(each.has_lost for each in there)

        await until(committed, "all devices have committed", _SECONDS)
    finally:
        process.kill()
        process.wait()


async def _carry(there: Sequence[RealDevice], mbps: int) -> None:
    found = {each.device.name: await each.rates() for each in there}
    assert found == {each.device.name: {mbps} for each in there}, f"{mbps} Mbit/s were expected, and there are {found}"


async def _patiently(dialect: Netconf, mbps: int, delivery: str) -> RateConfirmed:
    """Ask as the ledger does: again and again while it waits."""
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        try:
            return await _set(dialect, mbps, delivery, again=True)
        except Waits as waits:
            await asyncio.sleep(waits.at_least_ms / 1_000)
    raise AssertionError("it waits and waits")


async def _fails(kind: type[E], setting: Awaitable[object]) -> E:
    """Give the error of this kind that it ends with."""
    try:
        await setting
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


async def _set(dialect: Netconf, mbps: int, delivery: str, *, again: bool = False) -> RateConfirmed:
    request = RateRequest(service=ServiceRef(id=SERVICE, name=SERVICE), mbps=mbps)
    return await dialect.set_rate(request, again=again, delivery_id=delivery, deadline=_soon())


def _dialect(there: Sequence[Device]) -> Netconf:
    return Netconf(there, ServiceModel(), confirm_seconds=_CONFIRM_SECONDS)


def _soon() -> float:
    return time.monotonic() + _SECONDS


def _described(device: Device) -> dict[str, Any]:
    paths = {"key_file": str(device.key_file), "known_hosts": str(device.known_hosts)}
    return {"name": device.name, "host": device.host, "port": device.port, "user": device.user, **paths}


def _device(described: dict[str, Any]) -> Device:
    paths = {name: Path(described[name]) for name in ("key_file", "known_hosts")}
    return Device(**{**described, **paths})


async def _setting(file: Path) -> None:
    """Set a rate as the file says: what is killed."""
    given = json.loads(await asyncio.to_thread(file.read_text))
    await _set(_dialect([_device(each) for each in given["devices"]]), given["mbps"], given["delivery"])


if __name__ == "__main__":
    asyncio.run(_setting(Path(sys.argv[1])))
