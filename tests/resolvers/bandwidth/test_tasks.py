"""What waits for a person is asked for, and settled by operators alone."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.graph.changes.bandwidth.network import ANNA, OPERATOR
from tests.graph.changes.bandwidth.test_consequences import park
from tests.resolvers.bandwidth.conftest import Shop
from tests.resolvers.bandwidth.test_booking import BOOK, change

TASKS: Final = "{ tasks { nodes { id kind state about reason note } } }"
SETTLE: Final = """
mutation($id: ID!, $key: String!) { %s(taskId: $id, %s idempotencyKey: $key) { task { id state note } userErrors { code path } } }
"""
RETRY: Final = SETTLE % ("retryTask", "")
SKIP: Final = SETTLE % ("skipTask", 'reason: "told by hand",')
CANCEL: Final = SETTLE % ("cancelTask", 'reason: "it cannot be",')


async def parked(shop: Shop) -> str:
    """Let the step of performance monitoring be parked; give its task."""
    await change(shop, BOOK, id="service-a", mbps=200, hours=2)
    await shop.booked.answer()
    await park(shop.booked, "pm")
    [task] = (await shop.data(TASKS, OPERATOR))["tasks"]["nodes"]
    assert (task["kind"], task["state"]) == ("stepParked", "OPEN")
    return str(task["id"])


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("text", "state", "note"),
    [
        pytest.param(RETRY, "OPEN", None, id="try again"),
        pytest.param(SKIP, "SKIPPED", "told by hand", id="skip"),
        pytest.param(CANCEL, "CANCELLED", "it cannot be", id="cancel"),
    ],
)
async def test_a_task_is_settled_once(shop: Shop, text: str, state: str, note: str | None) -> None:
    task = await parked(shop)
    for _ in range(2):
        payload = await change(shop, text, OPERATOR, id=task, key="once")
        assert payload == {"task": {"id": task, "state": state, "note": note}, "userErrors": []}
    if state != "OPEN":
        again = await change(shop, text, OPERATOR, id=task)
        assert again == {"task": None, "userErrors": [{"code": "TASK_SETTLED", "path": ["taskId"]}]}


@pytest.mark.parametrize("text", [RETRY, SKIP, CANCEL], ids=["retry", "skip", "cancel"])
async def test_a_task_that_is_not_there_says_so_and_customers_settle_none(shop: Shop, text: str) -> None:
    payload = await change(shop, text, OPERATOR, id="task-zip")
    assert payload == {"task": None, "userErrors": [{"code": "TASK_NOT_FOUND", "path": ["taskId"]}]}
    for asked in (text, TASKS):
        given: dict[str, Any] = {"id": "task-zip", "key": "k"} if asked is text else {}
        answer = await shop.ask(asked, ANNA, **given)
        assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]


@pytest.mark.parametrize("reason", ["", " ", "x" * 2_001])
async def test_a_reason_is_to_be_given(shop: Shop, reason: str) -> None:
    text = "mutation($r: String!) { skipTask(taskId: 1, reason: $r, idempotencyKey: 2) { userErrors { code } } }"
    answer = await shop.ask(text.replace("2)", '"k")'), OPERATOR, r=reason)
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["BAD_USER_INPUT"]
    assert answer["errors"][0]["path"] == ["skipTask", "reason"]
