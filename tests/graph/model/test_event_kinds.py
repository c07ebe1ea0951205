"""Each type of event that the product writes is told as some kind, or it is said why nobody is told."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import graph
from graph.changes.events import Event
from graph.model.event_kinds import ALARM_KINDS, KINDS, LEFT_OUT, kind_of, kind_of_doing
from graph.model.model import LABELS

NAME = re.compile(r"([A-Z][a-z]+){2,}")
IN_CYPHER = re.compile(r":Event \{[^}]*\btype: '(\w+)'")
ROOT = Path(graph.__file__).parent
WRITING = ("changes", "inventory", "ledger", "membership")
"""The rooms that write events."""


def names(tree: ast.AST) -> Iterator[str]:
    """Give each constant that is a name of several words, and each type of event that a statement of the module makes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from [node.value] if NAME.fullmatch(node.value) else IN_CYPHER.findall(node.value)


def test_every_type_of_event_that_is_written_is_in_the_table_or_left_out_with_a_reason() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for room in WRITING for path in (ROOT / room).rglob("*.py")]
    classes = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    others = KINDS.keys() | LABELS.keys() | classes
    told = {event for kind in KINDS.values() for event in kind.events}
    assert {each for tree in trees for each in names(tree)} - others == (told | LEFT_OUT.keys()) - others
    assert told.isdisjoint(LEFT_OUT)
    assert all(LEFT_OUT.values())


def test_an_event_that_nobody_has_decided_about_is_not_made() -> None:
    with pytest.raises(ValueError, match=r"^CardPolished: "):
        Event(
            type="CardPolished",
            aggregate_id="card-1",
            aggregate_version=1,
            at=0,
            principal="t",
            payload={},
            customers=(),
        )


def test_no_event_and_nothing_that_becomes_of_a_ticket_is_of_two_kinds() -> None:
    for kind in KINDS.values():
        assert {kind_of(each) for each in kind.events} == {kind}
        assert {kind_of_doing(each) for each in kind.doings} <= {kind}
    assert kind_of_doing("write") is None
    assert [kind.events for kind in KINDS.values() if kind.about == "alarm"] == [(each,) for each in ALARM_KINDS]
