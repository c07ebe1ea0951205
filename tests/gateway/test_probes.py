"""`trunkline check` asks each surrounding system harmlessly, and names the setting to mend."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from adapters.simulator.billing import billing
from adapters.simulator.customers import customer_management
from adapters.simulator.fault_management import alarm_management, alerta, notified
from adapters.simulator.inventory import inventory
from adapters.simulator.performance import performance
from adapters.simulator.provisioning import provisioning
from adapters.simulator.sales import sales
from adapters.simulator.serving import listening
from adapters.simulator.ticketing import ticketing
from gateway.probes import Probed, probe_systems
from gateway.settings.bandwidth import Bandwidth, TariffSettings
from gateway.settings.billing import Billing
from gateway.settings.catalog import Catalog
from gateway.settings.customers import Customers
from gateway.settings.fault_management import FaultManagement
from gateway.settings.inventory import Inventory
from gateway.settings.performance import Performance
from gateway.settings.provisioning import Provisioning
from gateway.settings.sales import Sales
from gateway.settings.settings import Settings
from gateway.settings.system import BasicSettings, OAuthSettings
from gateway.settings.ticketing import Ticketing

TOKEN = SecretStr("a-token-of-ours")


@dataclass(frozen=True, slots=True)
class Around:
    """Where the stand-ins are; each asks for the token."""

    ticketing: str
    tmf642: str
    mtosi: str
    alerta: str
    billing: str
    inventory: str
    performance: str
    sales: str
    customers: str
    soap: str
    provisioning: str


@pytest.fixture(scope="module")
async def around() -> AsyncIterator[Around]:
    async with AsyncExitStack() as stack:
        stocked = await stack.enter_async_context(inventory.serving(bearer=TOKEN))
        yield Around(
            ticketing=(await stack.enter_async_context(ticketing.serving(bearer=TOKEN))).address,
            tmf642=(await stack.enter_async_context(alarm_management.serving(bearer=TOKEN))).address,
            mtosi=(await stack.enter_async_context(notified.serving(bearer=TOKEN))).address,
            alerta=(await stack.enter_async_context(alerta.serving(key=TOKEN))).address,
            billing=(await stack.enter_async_context(billing.serving(bearer=TOKEN))).address,
            inventory=stocked.address,
            performance=(await stack.enter_async_context(performance.serving(bearer=TOKEN))).address,
            sales=(await stack.enter_async_context(sales.serving(bearer=TOKEN))).address,
            customers=(await stack.enter_async_context(customer_management.serving(bearer=TOKEN))).address,
            soap=stocked.mtosi,
            provisioning=(await stack.enter_async_context(provisioning.serving(bearer=TOKEN))).address,
        )


async def probed(**sections: Any) -> list[Probed]:
    return await probe_systems(Settings(**sections))


async def test_every_system_that_is_there_answers(around: Around, tmp_path: Path) -> None:
    found = await probed(
        ticketing=Ticketing(address=around.ticketing, bearer=TOKEN),
        fault_management=FaultManagement(address=around.tmf642, bearer=TOKEN),
        billing=Billing(address=around.billing, bearer=TOKEN),
        inventory=Inventory(address=around.inventory, bearer=TOKEN),
        provisioning=Provisioning(address=around.provisioning, bearer=TOKEN),
        performance=Performance(address=around.performance, measurements=around.performance, bearer=TOKEN),
        sales=Sales(address=around.sales, bearer=TOKEN),
        catalog=Catalog(address=around.billing, bearer=TOKEN),
        customers=Customers(address=around.customers, bearer=TOKEN),
    )
    assert [each.system for each in found] == [
        *(
            "ticketing",
            "fault_management",
            "billing",
            "billing",
            "billing",
            "inventory",
            "inventory",
            "performance",
            "performance",
            "catalog",
            "customers",
            "provisioning",
            "sales",
        )
    ]
    assert all(each.well for each in found), found
    assert len({each.text for each in found}) == len(found)  # each line says what was asked
    others = await probed(
        fault_management=FaultManagement(address=around.alerta, bearer=TOKEN, dialect="alerta"),
        billing=Billing(spool=tmp_path, dialect="ipdr"),
        inventory=Inventory(address=around.soap, bearer=TOKEN, dialect="mtosi"),
    )
    assert all(each.well for each in others), others
    assert len(await probed()) == 0


async def test_one_that_is_only_told_is_asked_what_it_takes(around: Around) -> None:
    [found] = await probed(fault_management=FaultManagement(address=around.mtosi, bearer=TOKEN, dialect="mtosi"))
    assert found.well, found.text


@pytest.mark.parametrize("bearer", ["another-token", ""])
async def test_a_credential_that_is_not_taken_is_named_by_its_setting(around: Around, bearer: str) -> None:
    given = SecretStr(bearer)
    found = await probed(
        ticketing=Ticketing(address=around.ticketing, bearer=given),
        fault_management=FaultManagement(address=around.alerta, bearer=given, dialect="alerta"),
        inventory=Inventory(address=around.inventory, bearer=given),
        performance=Performance(address=around.performance, bearer=given),
        sales=Sales(address=around.sales, bearer=given),
        catalog=Catalog(address=around.billing, bearer=given),
        customers=Customers(address=around.customers, bearer=given),
    )
    assert not any(each.well for each in found)
    for each in found:
        assert f"{each.system}.bearer (or {each.system}.bearer_file)" in each.text
        assert "another-token" not in each.text


async def test_a_user_that_is_not_let_in_is_named_by_its_setting(around: Around) -> None:
    basic = BasicSettings(user="us", password=SecretStr("a-password"))
    [found] = await probed(ticketing=Ticketing(address=around.ticketing, basic=basic))
    assert (found.well, "Mend ticketing.basic: its user or its password" in found.text) == (False, True)
    assert "a-password" not in found.text


async def test_a_path_that_is_wrong_is_named_by_its_setting(around: Around) -> None:
    found = await probed(
        ticketing=Ticketing(address=f"{around.ticketing}/nowhere", bearer=TOKEN),
        billing=Billing(address=around.billing, bills=f"{around.billing}/nowhere", bearer=TOKEN),
    )
    assert [(each.system, each.well) for each in found] == [
        ("ticketing", False),
        ("billing", True),
        ("billing", True),
        ("billing", False),
    ]
    assert f"Mend ticketing.address, which is {around.ticketing}/nowhere" in found[0].text
    assert "Mend billing.bills" in found[3].text


async def test_a_billing_system_that_takes_usage_and_no_problems_is_told_before_the_first_downtime() -> None:
    usage = Route("/tmf-api/usageManagement/v4/usage", lambda _: JSONResponse([]))
    async with listening(Starlette(routes=[usage])) as address:
        taken, refused, _ = await probed(billing=Billing(address=address))
    assert (taken.well, refused.well) == (True, False)
    assert "tmf-api/serviceProblemManagement/v4/serviceProblem: there is no such path" in refused.text
    assert "Mend billing.address" in refused.text


async def test_where_nobody_listens_the_others_are_asked_all_the_same(around: Around) -> None:
    found = await probed(
        ticketing=Ticketing(address="http://127.0.0.1:9"), inventory=Inventory(address=around.inventory, bearer=TOKEN)
    )
    assert [each.well for each in found] == [False, True, True]
    assert "cannot be reached" in found[0].text


async def test_a_spool_that_is_gone_meanwhile_is_told(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    settings = Settings(billing=Billing(spool=spool, dialect="ipdr"))
    spool.rmdir()
    [found] = await probe_systems(settings)
    assert (found.well, "billing.spool" in found.text) == (False, True)


async def test_an_authorization_server_that_is_away_is_named_by_its_setting(around: Around) -> None:
    oauth = OAuthSettings(token_url="http://127.0.0.1:9/token", client_id="us", client_secret=SecretStr("a-secret"))
    [found] = await probed(ticketing=Ticketing(address=around.ticketing, oauth=oauth))
    assert found.text.startswith("The authorization server of ticketing cannot be reached")
    assert "Mend ticketing.oauth: token_url" in found.text
    assert "ticketing.address" not in found.text


async def test_an_offering_that_is_not_there_is_named_by_its_setting(around: Around) -> None:
    [listed, offering] = await probed(
        catalog=Catalog(address=around.billing, bearer=TOKEN),
        bandwidth=Bandwidth(tariffs={"PREMIUM": TariffSettings(offering="no-such", step_mbps=50)}),
    )
    assert listed.well
    assert not offering.well
    assert "bandwidth.tariffs.PREMIUM.offering" in offering.text
