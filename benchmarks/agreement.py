"""Whoever answers faster and wrong has won nothing: all answers to a question are compared before any time is taken.

The first answer of each contestant is the one that is compared, so its time is the time of a first call: the document is
new to the server and the statement to the database. Ours and the floor's must be equal byte for byte.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from benchmarks.asking import Question, ask
from benchmarks.cases import Case
from benchmarks.contestants import NODE, OURS, Callers, Server
from benchmarks.dataset import Dataset
from benchmarks.errors import BenchmarkFailed
from benchmarks.node import spellings

PEOPLE: Final = 16
"""who ask the same over connections of their own: what one of them may ask at a time is bounded, and is not what is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A server that has answered a question as the others have."""

    server: Server
    question: Question
    length: int
    """of the answer, in bytes."""
    first_ms: float


def agree(case: Case, among: Sequence[Server], of: Dataset, callers: Callers) -> tuple[Ready, ...]:
    """Ask everybody, compare, and give what can be timed."""
    questions = {each.name: _question(case, each, of, callers) for each in among}
    # In no fixed order: whoever comes first also warms the database for the others.
    answers = {each.name: ask(each.port, questions[each.name]) for each in random.sample(among, len(among))}
    compare(case, {name: each.data for name, each in answers.items()}, of)
    return tuple(
        Ready(
            server=each,
            question=questions[each.name],
            length=answers[each.name].length,
            first_ms=answers[each.name].milliseconds,
        )
        for each in among
    )


def _question(case: Case, server: Server, of: Dataset, callers: Callers) -> Question:
    document, variables = case.document, case.variables
    if server.name == NODE:
        spelling = spellings(of)[case.name]
        document, variables = spelling.document, spelling.variables
    return Question(
        document=document,
        variables=variables,
        operation=case.operation,
        token=callers.token(case.customer),
        colleagues=[callers.token(case.customer, f"-{each}") for each in range(1, PEOPLE)],
    )


def compare(case: Case, answers: Mapping[str, Any], of: Dataset) -> None:
    """End the run where the data of one contestant is not ours, or where there is none."""
    ours = answers[OURS]
    if not _holds_something(ours):
        raise BenchmarkFailed(f"{case.name}: the answer is empty.")
    for name, answer in answers.items():
        data = spellings(of)[case.name].ours(answer) if name == NODE else answer
        # Node's answers have the order of its own documents.
        same = data == ours if name == NODE else orjson.dumps(data) == orjson.dumps(ours)
        if not same:
            raise BenchmarkFailed(f"{case.name}: {name} answers {_short(data)} where ours answers {_short(ours)}.")


def _holds_something(data: object) -> bool:
    match data:
        case dict():
            return bool(data) and all(_holds_something(each) for each in data.values())
        case list():
            return bool(data)
        case _:
            return True


def _short(data: object) -> str:
    return orjson.dumps(data)[:1500].decode(errors="replace")
