"""The benchmarks are tried at a tiny scale: that contestants agree and blocks are counted; never how fast anything is."""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from benchmarks.agreement import agree, compare
from benchmarks.asking import client, cpu_seconds
from benchmarks.cases import cases
from benchmarks.cli import FULL, main
from benchmarks.contestants import FLOOR, ORDINARY, OURS, Callers, servers
from benchmarks.databases import Database
from benchmarks.dataset import PORTS, SERVICES, Dataset, load
from benchmarks.errors import BenchmarkFailed
from benchmarks.federation import comparing
from benchmarks.figures import Block, percentile, ratios, spread
from benchmarks.measure import Measured, Plan, measure
from benchmarks.node import spellings
from benchmarks.report import as_json, as_markdown, misses
from benchmarks.timing import Told, longer, rank_correlation
from graph.store.store import Product, Store, Transaction
from tests.conftest import wipe
from tests.selection import is_full

pytestmark = [pytest.mark.process, pytest.mark.long(45)]

SCALE = 5_000
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
async def dataset(store: Store) -> Dataset:
    await wipe(store)
    found = await load(store, scale=SCALE, progress=lambda *_: None)
    await store.write(partial(_end_one, card=found.card), deadline=time.monotonic() + 30)
    return found


async def _end_one(transaction: Transaction, card: str) -> None:
    """Let a service on the card be none that suffers, as some are in a large network."""
    text = "MATCH (:Card {id: $id})-[:HAS_PORT]->()<-[:ACCESSED_AT]-(s:Service) WITH s LIMIT 1 SET s.state = 'terminated' RETURN s.id"
    assert await transaction.run(text, {"id": card})


async def test_the_added_customer_has_the_shape_that_is_measured(store: Store, dataset: Dataset) -> None:
    text = (
        "MATCH (:Customer {id: $id})-[:SUBSCRIBES_TO]->(s:Service)-[:ACCESSED_AT]->(p:Port)<-[:HAS_PORT]-(k:Card) "
        "RETURN count(DISTINCT s), count(p), count(DISTINCT k)"
    )
    found = await store.rows(text, {"id": dataset.customer}, deadline=time.monotonic() + 30)
    assert found == [[SERVICES, SERVICES * PORTS, SERVICES * PORTS]]


@pytest.mark.skipif(not is_full(), reason="four servers, each of which answers every case")
async def test_contestants_agree_on_every_case_and_blocks_of_them_are_counted(
    store: Store, store_address: str, dataset: Dataset, tmp_path: Path
) -> None:
    product = "neo4j" if store.product is Product.NEO4J else "embedded"
    database = Database(product=product, address=store_address, version="", store=store)  # type: ignore[arg-type]
    rows = await asyncio.to_thread(_measured, database, dataset, tmp_path)
    assert [each.case.name for each in rows] == ["point", "customer", "services", "impact", "large"]
    for row in orjson.loads(as_json(rows)):
        for name in (OURS, FLOOR, ORDINARY):
            assert row[name]["blocks"] == 1
            assert min(row[name][each] for each in ("rps", "p50_ms", "p99_ms", "cpu_ms", "first_ms")) > 0
        assert row["ours_over"].keys() == {FLOOR, ORDINARY}
    assert as_markdown(rows).count("\n") == 1 + len(rows) * 3
    assert all(" on " in each for each in misses(rows))


def _measured(database: Database, dataset: Dataset, directory: Path) -> list[Measured]:
    callers, plan = Callers(directory), Plan(blocks=1, seconds=0.01, connections=(2,))
    with servers(database, callers, directory, only=(OURS, FLOOR, ORDINARY)) as running, client() as asking:
        return [
            row
            for case in cases(dataset)
            for row in measure(case, database, agree(case, running, dataset, callers), asking, plan)
        ]


def test_every_case_has_a_spelling_for_the_other_world(dataset: Dataset) -> None:
    assert spellings(dataset).keys() == {each.name for each in cases(dataset)}


def test_a_full_run_has_as_many_blocks_as_are_promised() -> None:
    assert FULL.blocks >= 15
    assert FULL.connections == (1, 16)


def _block(rps: int, cpu_ms: float) -> Block:
    return Block(seconds=1.0, cpu_seconds=cpu_ms * rps / 1000, latencies=(1.0,) * rps)


def test_a_ratio_is_of_neighbours_and_a_noisy_round_does_not_count() -> None:
    quiet = (_block(100, 1.2), _block(110, 1.0))
    noisy = (_block(10, 12.0), _block(11, 10.0))
    found = ratios([quiet, noisy, quiet])
    assert found.cpu.median == pytest.approx(1.2)
    assert found.rps.median == pytest.approx(100 / 110)


def test_a_spread_has_the_quartiles() -> None:
    assert spread([3.0, 1.0, 2.0, 5.0, 4.0]) == spread([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (spread([1.0, 2.0, 3.0, 4.0, 5.0]).low, spread([7.0]).high) == (2.0, 7.0)
    assert percentile([float(each) for each in range(1, 101)], 99) == 99.0


def test_cpu_is_of_the_process_asked_for() -> None:
    before = cpu_seconds(os.getpid())
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert cpu_seconds(os.getpid()) - before >= 0.05


def test_an_unknown_store_is_refused_with_a_sentence() -> None:
    found = CliRunner().invoke(main, ["reads", "--store", "other"])
    assert found.exit_code == 2
    assert "'other' is not one of" in found.output


def test_answers_that_differ_end_the_run(dataset: Dataset) -> None:
    case = cases(dataset)[0]
    same, other = ({"service": {"id": each}} for each in ("a", "b"))
    answers = {OURS: same, FLOOR: same}
    compare(case, answers, dataset)
    with pytest.raises(BenchmarkFailed, match="point: floor answers"):
        compare(case, {**answers, FLOOR: other}, dataset)
    with pytest.raises(BenchmarkFailed, match="point: the answer is empty"):
        compare(case, {OURS: {"services": {"nodes": []}}}, dataset)


def test_gateways_are_compared_over_subgraphs_that_answer() -> None:
    rows = comparing.compare(comparing.Effort(rounds=1, seconds=0.2, connections=(2,)), ("trunkline",))
    assert [each.sharing for each in rows] == [False, True]
    assert all(each.right and each.cpu_ms > 0 and each.rss_mib > 10 for each in rows)


@pytest.mark.skipif(not is_full(), reason="the same servers once more")
def test_another_checkout_is_compared_in_the_same_run() -> None:
    [(connections, ratio)] = comparing.beside(ROOT, comparing.Effort(rounds=1, seconds=0.2, connections=(2,)))
    assert connections == 2
    assert min(ratio.cpu.low, ratio.rps.low) > 0


@pytest.mark.skipif(not is_full(), reason="the same servers once more")
def test_memory_is_told_after_each_block() -> None:
    told = list(comparing.soak(3, connections=2, seconds=0.1))
    assert told[-1][0] >= 3
    assert told[-1][1] > 10


def test_times_that_go_with_a_class_tell_and_others_do_not() -> None:
    told = [(float(load), 1 + load / 100) for load in range(200)]
    silent = [(float(load), 1 + (load * 7919 % 200) / 100) for load in range(200)]
    assert rank_correlation(told) == pytest.approx(1)
    assert abs(rank_correlation(silent)) < 0.2
    assert longer([(0, 1.0), (0, 1.1), (1, 2.0), (1, 2.1)]) == 1
    assert longer([(0, 1.0), (0, 2.0), (1, 1.0), (1, 2.0)]) == 0.5


@pytest.mark.parametrize(
    ("measure", "value", "control", "tells"),
    [
        pytest.param("r", 0.5, 0.01, True, id="beyond the noise"),
        pytest.param("r", 0.05, 0.01, False, id="within the noise"),
        pytest.param("AUC", 0.3, 0.5, True, id="a hidden id that is quicker"),
        pytest.param("AUC", 0.62, 0.42, False, id="a machine that is noisier than lots are"),
    ],
)
def test_a_figure_tells_only_beyond_noise_and_control(
    measure: str, value: float, control: float, *, tells: bool
) -> None:
    found = Told(
        store="embedded", question="q", measure=measure, value=value, control=control, noise=0.1, low_ms=1, high_ms=1
    )
    assert found.tells is tells
