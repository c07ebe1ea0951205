from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import structlog.testing

from adapters.billing.outbound.tmf635 import Tmf635
from adapters.billing.tmf635_resource import objective_body, objective_patch, usage_body
from adapters.errors import Nonsense
from adapters.simulator.billing.billing import BillingSystem, serving
from adapters.simulator.billing.records import OBJECTIVE, USAGE
from adapters.transport.transport import System, opened
from tests.adapters.billing.dialects import AT, HOUR, downtime, usage
from tests.adapters.conftest import JSON, asking, http, saying, soon
from tests.adapters.schema import properties_of, published


@pytest.fixture
async def system() -> AsyncIterator[BillingSystem]:
    async with serving() as found:
        yield found


@pytest.fixture
async def billing(system: BillingSystem) -> AsyncIterator[Tmf635]:
    async with opened(System(name="billing", address=system.address)) as transport:
        yield Tmf635(transport)


@pytest.mark.parametrize(
    ("definition", "api", "body"),
    [
        pytest.param("Usage_Create", 635, usage_body(usage()), id="usage"),
        pytest.param("Usage_Create", 635, usage_body(usage(customer=None)), id="usage that is nobody's"),
        pytest.param("ServiceLevelObjective_Create", 657, objective_body(downtime()), id="downtime"),
        pytest.param("ServiceLevelObjective_Update", 657, objective_patch(downtime(end=AT)), id="its end"),
    ],
)
def test_what_is_said_is_as_published(definition: str, api: int, body: dict[str, Any]) -> None:
    validator = published(definition, api)
    assert [each.message for each in validator.iter_errors(body)] == []
    assert set(body) <= properties_of(definition, api)


def test_there_is_no_objective_without_a_target() -> None:
    with pytest.raises(ValueError, match="target"):
        objective_body(downtime(target=None))


async def test_of_several_with_one_id_the_first_counts_and_the_log_says_so(
    system: BillingSystem, billing: Tmf635
) -> None:
    first, second = [system.records.create(USAGE, usage_body(usage())) for _ in range(2)]
    with structlog.testing.capture_logs() as lines:
        assert await billing.tell(usage(), again=True, delivery_id="d", deadline=soon()) == first["id"]
    [line] = lines
    assert (line["record"], line["records"]) == ("usage-1", [first["id"], second["id"]])


async def test_an_end_that_was_told_before_is_told_again_to_the_same(system: BillingSystem, billing: Tmf635) -> None:
    for again in (False, True, False):
        await billing.tell(downtime(end=AT + HOUR), again=again, delivery_id="d", deadline=soon())
    assert len(system.records.all(OBJECTIVE)) == 1


def listed(*bodies: dict[str, Any], total: int | None = None) -> bytes:
    count = len(bodies) if total is None else total
    return http(
        "200 OK",
        orjson.dumps([{"id": f"X{n}", **each} for n, each in enumerate(bodies)]),
        JSON,
        f"X-Total-Count: {count}",
    )


async def test_a_system_that_ignores_what_it_is_asked_for_is_looked_through() -> None:
    pages = (listed(*(usage_body(usage(n)) for n in (2, 3)), total=3), listed(usage_body(usage(1)), total=3))
    async with saying(*pages) as other, asking(other.address) as transport:
        assert await Tmf635(transport).tell(usage(1), again=True, delivery_id="d", deadline=soon()) == "X0"


async def test_a_list_without_an_end_is_not_read_for_ever() -> None:
    async with saying(listed(usage_body(usage(2)), total=10**9)) as other, asking(other.address) as transport:
        with pytest.raises(Nonsense, match="without an end"):
            await Tmf635(transport).tell(usage(1), again=True, delivery_id="d", deadline=soon(20))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(http("201 Created", b"[]", JSON), id="a list"),
        pytest.param(http("201 Created", b"{}", JSON), id="nothing"),
        pytest.param(http("201 Created", orjson.dumps({"id": "X1", **usage_body(usage(2))}), JSON), id="another record"),
        pytest.param(http("201 Created", orjson.dumps({"id": "..", **usage_body(usage(1))}), JSON), id="an id that leads elsewhere"),
        pytest.param(http("201 Created", orjson.dumps({"id": 7, **usage_body(usage(1))}), JSON), id="an id that is no string"),
        pytest.param(http("201 Created", b"<x/>", "Content-Type: application/xml"), id="XML"),
    ],
)  # fmt: skip
async def test_an_answer_that_is_not_of_our_record_is_not_believed(answer: bytes) -> None:
    async with saying(answer) as other, asking(other.address) as transport:
        with pytest.raises(Nonsense):
            await Tmf635(transport).tell(usage(1), again=False, delivery_id="d", deadline=soon())


async def test_the_change_of_another_record_is_not_believed() -> None:
    there = {"id": "X0", **objective_body(downtime())}
    changed = http("200 OK", orjson.dumps({**there, "id": "X9"}), JSON)
    async with saying(listed(there), changed) as other, asking(other.address) as transport:
        with pytest.raises(Nonsense, match="another record"):
            await Tmf635(transport).tell(downtime(end=AT), again=False, delivery_id="d", deadline=soon())
