"""The pages that show statements are run as they are printed, on the database of the session."""

from __future__ import annotations

import ast
import inspect
import re
import time
from pathlib import Path
from types import CodeType

import orjson
import pytest

from graph.changes.alarms.alarms import acknowledge_alarm
from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

DOCS = Path(__file__).parents[3] / "docs"
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ALARM = """
CREATE (:Alarm {id: 'alarm-1', sourceSystemId: 'fault-management', state: 'raised', ackState: 'unacknowledged'})
  -[:AFFECTS {effect: 'down'}]->(:Service {id: 'service-1'})<-[:SUBSCRIBES_TO]-(:Customer {id: 'customer-1'})
"""


def blocks(page: str) -> list[tuple[str, str]]:
    return [(each[1], each[2]) for each in FENCED.finditer((DOCS / page).read_text())]


SEED, PARAMETERS, *SPELLED = blocks("cypher.md")
EXAMPLES = list(zip(SPELLED[::2], SPELLED[1::2], strict=True))


async def run(store: Store, text: str, parameters: dict[str, object]) -> list[list[object]]:
    async def work(transaction: Transaction) -> list[list[object]]:
        return await transaction.run(text, parameters)

    return await store.write(work, deadline=time.monotonic() + 60)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: " ".join(each[0][1].split())[:60])
async def test_a_spelling_gives_what_the_page_says(
    empty_store: Store, example: tuple[tuple[str, str], tuple[str, str]]
) -> None:
    (language, text), (format_of_rows, rows) = example
    assert (SEED[0], PARAMETERS[0], language, format_of_rows) == ("cypher", "json", "cypher", "json")
    await run(empty_store, SEED[1], {})
    assert await run(empty_store, text, orjson.loads(PARAMETERS[1])) == orjson.loads(rows)


async def test_the_example_of_a_change_is_true(empty_store: Store) -> None:
    example, (_, text), (_, rows) = blocks("changes.md")
    assert example[0] == "python"
    await run(empty_store, ALARM, {})
    given = {
        "store": empty_store,
        "operator": Principal(subject="ann", role=Role.OPERATOR),
        "policy": AlarmPolicy(),
        "acknowledge_alarm": acknowledge_alarm,
        "Outcome": Outcome,
        "time": time,
    }
    await awaited(compile(example[1], "docs/changes.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), given)
    assert await empty_store.rows(text, {}, deadline=time.monotonic() + 60) == orjson.loads(rows)


async def awaited(code: CodeType, names: dict[str, object]) -> None:
    coroutine = eval(code, names)
    assert inspect.iscoroutine(coroutine)
    await coroutine
