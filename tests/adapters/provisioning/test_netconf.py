"""Rates are set on devices that speak NETCONF over SSH: on all of a service, or on none, whoever refuses, hangs up, lies or dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.delivery.retrying import Waits
from adapters.errors import NotAdmitted, Unreachable
from adapters.provisioning import RateConfirmed, RateRefused, RateRequest, ServiceRef
from adapters.provisioning.netconf.messages import lock
from adapters.provisioning.netconf.service_model import ServiceModel
from adapters.provisioning.netconf.session import opened
from adapters.provisioning.outbound.netconf import Netconf
from tests.adapters.provisioning.netconf_device import COMMITTED, SERVICE, FakeDevice, Fault, serving

CONFIRM_SECONDS = 1
SECONDS = 20.0
KEEPS_NO_COMMIT = ("candidate:1.0", "confirmed-commit:1.0")
CHECKS_NOTHING = ("candidate:1.0", "confirmed-commit:1.1")


@pytest.fixture
async def devices(tmp_path: Path) -> AsyncIterator[list[FakeDevice]]:
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(serving("pe-1", tmp_path))
        yield [first, await stack.enter_async_context(serving("pe-2", tmp_path, most=1_000))]


async def test_a_rate_is_set_on_both_and_returns_and_nothing_falls_back(devices: list[FakeDevice]) -> None:
    dialect = dialect_of(devices)
    assert await rate(dialect, 500) == RateConfirmed(mbps=500, reference="pe-1, pe-2", at=None)
    assert (await rate(dialect, COMMITTED, delivery="d-2")).mbps == COMMITTED
    assert (await rate(dialect, 500, delivery="d-3")).mbps == 500
    await asyncio.sleep(CONFIRM_SECONDS + 0.2)
    assert carried(devices) == {500}
    assert is_free(devices)


async def test_each_device_is_asked_in_the_order_of_the_rfc(devices: list[FakeDevice]) -> None:
    await rate(dialect_of(devices), 500)
    changed = ["lock", "lock", "discard-changes", "edit-config", "commit", "commit", "get-config", "close-session"]
    assert devices[0].asked == devices[1].asked == ["get-config", *changed]


async def test_what_is_carried_already_is_left_alone(devices: list[FakeDevice]) -> None:
    dialect = dialect_of(devices)
    await rate(dialect, 500)
    for each in devices:
        each.asked.clear()
    assert (await rate(dialect, 500, again=True)).is_old
    assert set(devices[0].asked) == {"get-config", "commit", "close-session"}, "a commit that waits would be kept"


async def test_one_refuses_and_neither_keeps_it(devices: list[FakeDevice]) -> None:
    with pytest.raises(RateRefused, match="pe-2 refuses it: invalid-value") as refused:
        await rate(dialect_of(devices), 5_000)
    assert not refused.value.may_have_happened
    assert "commit" not in devices[0].asked
    assert carried(devices) == {COMMITTED}
    assert is_free(devices)


async def test_one_refuses_the_commit_that_the_other_has_made_and_that_is_taken_back(tmp_path: Path) -> None:
    async with (
        serving("pe-1", tmp_path) as first,
        serving("pe-2", tmp_path, most=1_000, capabilities=CHECKS_NOTHING) as second,
    ):
        with pytest.raises(RateRefused, match="pe-2 refuses it: invalid-value"):
            await rate(dialect_of([first, second]), 5_000)
        assert first.asked[-2:] == ["cancel-commit", "close-session"]
        assert carried([first, second]) == {COMMITTED}
        assert is_free([first, second])


async def test_a_lock_of_somebody_elses_is_waited_for_and_nothing_is_changed(devices: list[FakeDevice]) -> None:
    dialect = dialect_of(devices)
    async with opened(devices[1].device, deadline=soon()) as somebody:
        await somebody.call(lock("candidate"), deadline=soon())
        with pytest.raises(Waits, match="pe-2 is being changed by session 1"):
            await rate(dialect, 500)
        assert carried(devices) == {COMMITTED}
        assert not devices[0].locks, "whoever waits holds up nobody"
    assert (await rate(dialect, 500, again=True)).mbps == 500


async def test_a_commit_of_somebody_elses_that_waits_is_waited_for(devices: list[FakeDevice]) -> None:
    await die_after_commit(devices, 700, "somebody-elses")
    with pytest.raises(Waits, match="pe-1 is being changed"):
        await rate(dialect_of(devices), 500)
    await asyncio.sleep(CONFIRM_SECONDS + 0.2)
    assert carried(devices) == {COMMITTED}, "it was not ours to be kept or taken back"
    assert (await rate(dialect_of(devices), 500, again=True)).mbps == 500


async def test_a_session_that_ends_after_the_commit_is_looked_at_and_the_commit_is_kept(
    devices: list[FakeDevice],
) -> None:
    dialect = dialect_of(devices)
    devices[0].order(Fault.DROPS_AFTER_COMMIT)
    with pytest.raises(Unreachable) as lost:
        await rate(dialect, 600)
    assert lost.value.may_have_happened
    found = await rate(dialect, 600, again=True)
    assert (found.mbps, found.is_old) == (600, True)
    await asyncio.sleep(CONFIRM_SECONDS + 0.2)
    assert carried(devices) == {600}


async def test_a_session_that_ends_before_the_commit_lets_the_other_take_back_and_both_are_set(
    devices: list[FakeDevice],
) -> None:
    dialect = dialect_of(devices)
    devices[0].order(Fault.DROPS_BEFORE_COMMIT)
    with pytest.raises(Unreachable):
        await rate(dialect, 600)
    assert (devices[0].running, devices[1].running) == (rates(COMMITTED), rates(600))
    found = await rate(dialect, 600, again=True)
    assert (found.mbps, found.is_old) == (600, False)
    assert "cancel-commit" in devices[1].asked
    await asyncio.sleep(CONFIRM_SECONDS + 0.2)
    assert carried(devices) == {600}


async def test_a_session_that_ends_before_it_is_told_to_keep_it_is_looked_at(devices: list[FakeDevice]) -> None:
    dialect = dialect_of(devices)
    devices[1].order(Fault.DROPS_BEFORE_CONFIRMING)
    with pytest.raises(Unreachable) as lost:
        await rate(dialect, 600)
    assert lost.value.may_have_happened
    assert (await rate(dialect, 600, again=True)).is_old
    await asyncio.sleep(CONFIRM_SECONDS + 0.2)
    assert carried(devices) == {600}


async def test_a_device_that_kept_what_another_took_back_is_set_anew(devices: list[FakeDevice]) -> None:
    dialect = dialect_of(devices)
    devices[1].order(Fault.DROPS_BEFORE_CONFIRMING)
    with pytest.raises(Unreachable):
        await rate(dialect, 600)
    await asyncio.sleep(CONFIRM_SECONDS + 0.2)
    assert (devices[0].running, devices[1].running) == (rates(600), rates(COMMITTED))
    assert (await rate(dialect, 600, again=True)).mbps == 600
    assert carried(devices) == {600}
    assert is_free(devices)


@pytest.mark.parametrize(("fault", "shown"), [(Fault.SETS_HALF, 300), (Fault.SETS_NOTHING, COMMITTED)])
async def test_a_device_that_lies_is_believed_what_it_shows(
    devices: list[FakeDevice], fault: Fault, shown: int
) -> None:
    devices[1].order(fault)
    found = await rate(dialect_of(devices), 600)
    assert (found.mbps, found.is_old) == (shown, False)


async def test_we_die_before_we_confirm_and_each_device_takes_it_back(devices: list[FakeDevice]) -> None:
    await die_after_commit(devices, 700, "d-1")
    assert carried(devices) == {700}
    await asyncio.sleep(CONFIRM_SECONDS + 0.2)
    assert carried(devices) == {COMMITTED}
    assert is_free(devices)


async def test_whoever_takes_over_in_time_keeps_what_was_committed(devices: list[FakeDevice]) -> None:
    await die_after_commit(devices, 700, "d-1")
    found = await rate(dialect_of(devices), 700, again=True)
    assert (found.mbps, found.is_old) == (700, True)
    await asyncio.sleep(CONFIRM_SECONDS + 0.2)
    assert carried(devices) == {700}


async def test_whoever_takes_over_when_another_rate_is_wanted_takes_it_back_first(devices: list[FakeDevice]) -> None:
    await die_after_commit(devices, 700, "d-1")
    found = await rate(dialect_of(devices), 200, again=True)
    assert (found.mbps, found.is_old) == (200, False)
    await asyncio.sleep(CONFIRM_SECONDS + 0.2)
    assert carried(devices) == {200}


async def test_a_device_that_cannot_keep_a_commit_for_another_takes_it_back_with_the_session(tmp_path: Path) -> None:
    async with serving("pe-1", tmp_path, capabilities=KEEPS_NO_COMMIT) as device:
        dialect = dialect_of([device])
        assert (await rate(dialect, 500)).mbps == 500
        await die_after_commit([device], 700, "d-2")
        await until_free([device])
        assert carried([device]) == {500}
        assert (await rate(dialect, 700, delivery="d-2", again=True)).mbps == 700


@pytest.mark.parametrize("capabilities", [("confirmed-commit:1.1",), ("candidate:1.0",)])
async def test_a_device_that_could_not_take_a_change_back_is_not_changed(
    tmp_path: Path, capabilities: tuple[str, ...]
) -> None:
    async with serving("pe-1", tmp_path, capabilities=capabilities) as device:
        with pytest.raises(RateRefused, match="it could not take a change back"):
            await rate(dialect_of([device]), 500)
        assert device.asked == ["get-config", "close-session"]


async def test_a_device_that_gives_us_no_right_admits_nobody(devices: list[FakeDevice]) -> None:
    devices[1].access_denied = True
    with pytest.raises(NotAdmitted, match="pe-2 does not let us change it"):
        await rate(dialect_of(devices), 500)
    assert carried(devices) == {COMMITTED}
    assert is_free(devices)


async def test_a_device_with_another_host_key_is_told_nothing(devices: list[FakeDevice]) -> None:
    other = replace(devices[0].device, known_hosts=devices[1].device.known_hosts)
    dialect = Netconf([other], ServiceModel(), confirm_seconds=CONFIRM_SECONDS)
    with pytest.raises(NotAdmitted, match="pe-1 has another host key than is known"):
        await rate(dialect, 500)
    assert devices[0].asked == []


async def test_a_device_that_knows_us_not_says_so(devices: list[FakeDevice]) -> None:
    stranger = replace(devices[0].device, password=lambda: "another")
    dialect = Netconf([stranger], ServiceModel(), confirm_seconds=CONFIRM_SECONDS)
    with pytest.raises(NotAdmitted, match="pe-1 lets us not in"):
        await rate(dialect, 500)


async def test_a_service_that_no_device_has_is_refused(devices: list[FakeDevice]) -> None:
    with pytest.raises(RateRefused, match="No device has an access of the service service-8"):
        await rate(dialect_of(devices), 500, service="service-8")


async def die_after_commit(devices: Sequence[FakeDevice], mbps: int, delivery: str) -> None:
    """Set a rate, and be gone when all devices have committed it and none has answered."""
    for each in devices:
        each.order(Fault.HOLDS_ANSWER)
    setting = asyncio.create_task(rate(dialect_of(devices), mbps, delivery=delivery))
    for each in devices:
        await each.held.wait()
    for each in devices:
        each.cut()
    await asyncio.gather(setting, return_exceptions=True)


async def until_free(devices: Sequence[FakeDevice]) -> None:
    async with asyncio.timeout(SECONDS):
        while not is_free(devices):  # noqa: ASYNC110 - a device sets no event
            await asyncio.sleep(0.01)


async def rate(
    dialect: Netconf, mbps: int, *, delivery: str = "d-1", again: bool = False, service: str = SERVICE
) -> RateConfirmed:
    request = RateRequest(service=ServiceRef(id=service, name=service), mbps=mbps)
    return await dialect.set_rate(request, again=again, delivery_id=delivery, deadline=soon())


def dialect_of(devices: Sequence[FakeDevice]) -> Netconf:
    return Netconf([each.device for each in devices], ServiceModel(), confirm_seconds=CONFIRM_SECONDS)


def carried(devices: Sequence[FakeDevice]) -> set[int]:
    return {mbps for each in devices for mbps in each.running.values()}


def is_free(devices: Sequence[FakeDevice]) -> bool:
    """Tell whether nothing is locked, and nothing waits."""
    return not any(each.locks or each.pending for each in devices)


def rates(mbps: int) -> dict[str, int]:
    return dict.fromkeys(("input-bw", "output-bw"), mbps)


def soon() -> float:
    return time.monotonic() + SECONDS
