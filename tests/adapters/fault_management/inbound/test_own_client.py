"""Our own client of TMF642 at our own server: one of us may be the central system of another."""

from __future__ import annotations

import httpx
from pydantic import SecretStr

from adapters.fault_management import AlarmOrder
from adapters.fault_management.outbound.tmf642 import Tmf642
from adapters.transport.transport import System, opened
from tests.adapters.endpoint.bodies import LEAST
from tests.adapters.endpoint.composed import soon
from tests.gateway.conftest import Mint


def order(*, is_new: bool, severity: str) -> AlarmOrder:
    named = {"externalAlarmId": "alarm-of-another-1", "reportingSystemId": "trunkline", "perceivedSeverity": severity}
    return AlarmOrder(
        id="alarm-of-another-1",
        body={**LEAST, **named},
        is_new=is_new,
        is_theirs=False,
        their_id="",
        acknowledged=None,
        is_cleared=False,
        affected=(),
        affected_count=0,
    )


async def test_it_reports_finds_amends_and_polls(client: httpx.AsyncClient, mint: Mint) -> None:
    address = str(client.base_url).rstrip("/")
    async with opened(System(name="us", address=address, bearer=SecretStr(mint.token("operator")))) as transport:
        ours = Tmf642(transport)
        assert await ours.find(order(is_new=True, severity="minor"), deadline=soon()) is None
        await ours.report(order(is_new=True, severity="minor"), delivery_id="d1", deadline=soon())
        their = await ours.find(order(is_new=False, severity="minor"), deadline=soon())
        assert their is not None
        await ours.amend(their, order(is_new=False, severity="major"), delivery_id="d2", deadline=soon())
        headers = mint.bearer("operator")
        held = (await client.get(f"/alarm/{their.id}", headers=headers)).json()
        assert (held["perceivedSeverity"], held["reportingSystemId"]) == ("major", "trunkline")
        assert await ours.acknowledged(deadline=soon()) == []
        await client.patch(f"/alarm/{their.id}", json={"ackState": "acknowledged"}, headers=headers)
        assert await ours.acknowledged(deadline=soon()) == ["alarm-of-another-1"]
