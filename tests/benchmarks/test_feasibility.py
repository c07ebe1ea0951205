"""The questions of the benchmark are of the kinds that they are said to be, in a small network; never how fast they are answered."""

from __future__ import annotations

import random
import time

import pytest

from benchmarks.feasibility import KINDS, Plan, ask_often, read_often, tied_in
from graph.load import load_topology
from graph.store.store import Store

pytestmark = pytest.mark.long(15)


async def test_each_kind_of_question_is_answered_as_it_should_be(empty_store: Store) -> None:
    report = await load_topology(
        empty_store, scale=3_000, seed=7, progress=lambda *_: None, deadline=time.monotonic() + 120
    )
    places = await tied_in(empty_store, random.Random(7))
    network, reading = await read_often(empty_store, "embedded", report.nodes)
    assert reading.sites == len(network.sites) > 50
    plan = Plan(questions=4)
    rows = {kind: await ask_often(empty_store, "embedded", kind, places, network, plan) for kind in KINDS}
    assert rows["plain"].designs == 4
    assert rows["protected"].designs > 0
    assert rows["shared"].designs == 0
    assert all(row.statements_p95 >= 2 for row in rows.values())
