"""The same rows, for people as tables and for programs as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

import orjson
from rich.table import Table

from benchmarks.contestants import FLOOR, OURS
from benchmarks.measure import Measured

_DIGITS: Final = 3


def as_json(rows: Sequence[Measured]) -> bytes:
    """Give a list with an object for each row."""
    return orjson.dumps([_object(each) for each in rows], option=orjson.OPT_INDENT_2)


def _object(row: Measured) -> dict[str, Any]:
    return {
        "case": row.case.name,
        "store": row.store,
        "connections": row.connections,
        "version": row.version,
        "bytes": row.length,
        **{name: _rounded(asdict(each)) for name, each in row.contestants.items()},
        "ours_over": {name: _rounded(asdict(each)) for name, each in row.ours_over.items()},
    }


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, _DIGITS)
        case dict():
            return {name: _rounded(each) for name, each in value.items()}
        case _:
            return value


def as_table(rows: Sequence[Measured]) -> Table:
    """Give a table for a terminal: a line for each contestant of each row."""
    table = Table("case", "store", "conn.", "contestant", title="Reads")
    for each in ("rps", "p50 ms", "p99 ms", "CPU ms", "first ms", "CPU ours/it", "rps ours/it"):
        table.add_column(each, justify="right")
    for row in rows:
        for line in _lines(row):
            table.add_row(*line)
        table.add_section()
    return table


def as_markdown(rows: Sequence[Measured]) -> str:
    """Give the same lines for a document."""
    head = (
        "| case | store | conn. | contestant | rps | p50 ms | p99 ms | CPU ms | first ms | CPU ours/it | rps ours/it |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(f"| {' | '.join(line)} |" for row in rows for line in _lines(row))


def _lines(row: Measured) -> Iterator[tuple[str, ...]]:
    for name, each in row.contestants.items():
        first = (row.case.name, row.store, str(row.connections)) if name == OURS else ("", "", "")
        ratio = row.ours_over.get(name)
        compared = (str(ratio.cpu), str(ratio.rps)) if ratio else ("", "")
        numbers = f"{each.rps:.0f}", f"{each.p50_ms:.2f}", f"{each.p99_ms:.2f}", f"{each.cpu_ms:.3f}"
        yield (*first, name, *numbers, f"{each.first_ms:.0f}", *compared)


def misses(rows: Sequence[Measured]) -> list[str]:
    """Say which rows miss what we aim at."""
    return [miss for row in rows for miss in _misses(row)]


def _misses(row: Measured) -> Iterator[str]:
    place = f"{row.case.name} on {row.store} with {row.connections} connections"
    for name, most, least in _aims(row.case.name):
        found = row.ours_over.get(name)
        if found is None:
            continue
        if found.cpu.median > most:
            yield f"{place}: CPU is {found.cpu.median:.3f} of {name}'s; the aim is at most {most:.3f}"
        if found.rps.median < least:
            yield f"{place}: throughput is {found.rps.median:.2f} of {name}'s; the aim is at least {least}"


def _aims(case: str) -> Iterator[tuple[str, float, float]]:
    """Give the reference, how much of its CPU, how much of its throughput."""
    yield (FLOOR, 1.4, 0.75) if case == "point" else (FLOOR, 1.3, 0.8)
    if case == "customer":
        yield "ordinary", 1 / 15, 1.0
        yield "neo4j_graphql", 1 / 4, 1.0
