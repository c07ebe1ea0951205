"""Every statement that is not compiled is a constant on a reviewed list, and no value is ever spliced into a text.

tests/statements.cypher is that list: a statement that is new or changed shows there, as a line for a reader to judge
(`pytest --update-cases` writes it). What makes texts from the names of the model, and what passes a text on, is listed
here with the reason. All three lists are exact: what is no longer so must leave them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
REVIEWED = Path(__file__).with_name("statements.cypher")
PRINTER = "graph/compiler/cypher.py"
SOURCES = sorted(path for room in ("gateway", "resolvers", "adapters", "graph") for path in (TOP / room).rglob("*.py"))
STATEMENT = re.compile(
    r"\s*(MATCH|OPTIONAL|MERGE|CREATE|UNWIND|RETURN|CALL|WITH|SHOW|TERMINATE|DROP|ALTER|SET|FOREACH)\s"
)
RUNS = {"run", "later", "rows", "read", "fetch", "command"}
STORELESS = ("gateway/federation/planning/", "gateway/federation/execution/")
"""They know no store (the arrows hold them to that), and have methods of the same names."""
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*\Z")

MADE = {
    "graph/store/embedded_server.py _prepare": "the embedded database's own schema, from the names of the model",
    "graph/changes/alarms/alarms.py _CREATE": "once, at import, from the names of the model",
    "graph/changes/alarms/alarms.py _ENTER": "once, at import, from the names of the model",
    "graph/changes/alarms/alarms.py _created_on": "once, at import, from the names of the model",
    "graph/changes/alarms/occurrence.py _FIND": "once, at import, from the names of the model",
    "graph/changes/alarms/occurrence.py _HOLD": "once, at import, from the names of the model",
    "graph/changes/alarms/occurrence.py RESOLVE": "once, at import, from the names of the model",
    "graph/changes/references.py look_up": "once, at import, from labels and names of parameters",
    "graph/changes/usage/usage.py _FIND": "once, at import, of constants",
    "graph/changes/usage/usage.py _RESOLVE": "once, at import, of constants",
    "graph/changes/bandwidth/boosts.py _LOCK": "of constants",
    "graph/changes/customers/hindrances.py _ORDERS": "once, at import, of constants",
    "graph/changes/customers/hindrances.py _TICKETS": "once, at import, of constants",
    "graph/changes/customers/moving.py _along": "once, at import, from the names of the model",
    "graph/changes/customers/moving.py _back": "once, at import, from the names of the model",
    "graph/changes/customers/moving.py _counted": "once, at import, from the names of the model",
    "graph/changes/customers/moving.py _counted_back": "once, at import, from the names of the model",
    "graph/changes/bandwidth/costs.py _BOOSTS": "of constants",
    "graph/changes/bandwidth/consequences/thresholds.py _PAGE": "of constants",
    "graph/changes/bandwidth/consequences/thresholds.py _THESE": "of constants",
    "graph/changes/services/affected.py _LOCK": "of constants",
    "graph/changes/services/affected.py _LOOK": "of constants",
    "graph/changes/services/hits.py _BY_TRUNK": "once, at import, from the ways of the model",
    "graph/changes/services/hits.py _USED": "once, at import, from the ways of the model",
    "graph/changes/services/hits.py _by_holder": "once, at import, from the ways of the model",
    "graph/changes/tickets/owners.py _NAMED": "once, at import, of constants",
    "graph/inventory/alarms.py _RAISED": "once, at import, from the names of the model",
    "graph/inventory/answers.py _OTHER_NAMES": "once, at import, from the names of the model",
    "graph/inventory/equipment.py _CHANGE": "once, at import, from the names of the model",
    "graph/inventory/equipment.py _COUNT_ON": "once, at import, from the names of the model",
    "graph/inventory/equipment.py _FORGET_NAMES": "once, at import, from the names of the model",
    "graph/inventory/equipment.py _MAKE": "once, at import, from the names of the model",
    "graph/inventory/equipment.py _TAKE_AWAY": "once, at import, from the names of the model",
    "graph/inventory/names.py _CALLED": "once, at import, from the names of the model",
    "graph/inventory/naming.py _LOCK": "once, at import, from the names of the model",
    "graph/inventory/naming.py _NAME": "once, at import, from the names of the model",
    "graph/inventory/naming.py _UNNAME": "once, at import, from the names of the model",
    "graph/inventory/known.py _KNOWN": "once, at import, from the names of the model",
    "graph/inventory/known.py _LOCK": "once, at import, from the names of the model",
    "graph/inventory/known.py _THEIR_NAMES": "once, at import, from the names of the model",
    "graph/inventory/reconcile.py _UNSEEN": "once, at import, from the names of the model",
    "graph/store/joined.py joined": "of constants, with a number behind each parameter",
    "graph/load/statements.py HOLDERS": "once, at import, from the names of the model",
    "graph/load/statements.py KNOWN_IDS": "once, at import, from the names of the model",
    "graph/load/statements.py _nodes": "once, at import, from the names of the model",
    "graph/load/statements.py _relationships": "once, at import, from the names of the model",
    "graph/load/versions.py _COUNT_ON": "once, at import, from the names of the model",
    "graph/store/bounds.py _find": "once, at import, from the names and the bounds of the model",
    "graph/store/bounds.py _find_between": "the same",
    "graph/store/cardinality.py _look": "once, at import, from the names of the model",
    "graph/store/cardinality.py _several": "once, at import, from the names of the model",
    "graph/load/statements.py _DERIVED": "once, at import, of constants",
    "graph/store/migrations/boost_marks.py _BOOSTS": "once, at import, of constants",
    "graph/store/migrations/boost_marks.py _TASKS": "once, at import, of constants",
    "graph/store/open_alarms.py _MARK": "once, at import, of constants",
    "graph/store/open_alarms.py _PAGE": "once, at import, of constants",
    "graph/store/migrations/words.py _NAMED": "once, at import, from the names of the model",
    "graph/store/migrations/words.py _REWORD": "once, at import, from the names of the model",
    "graph/membership/ways.py _back": "once, at import, from the names of the model",
    "graph/membership/ways.py _drop": "once, at import, from the names of the model",
    "graph/membership/ways.py _taken": "once, at import, from the names of the model",
    "graph/membership/ways.py _way": "once, at import, from the names of the model",
    "graph/store/migrate.py schema_statements": "constraints and indexes, from the names of the model",
}
PASSED_ON = {
    "resolvers/knowledge/streams.py STREAMS: event.payload": "no statement: what an event keeps",
    "resolvers/knowledge/streams.py _alert: payload": "no statement: what an event keeps",
    "resolvers/knowledge/streams.py _turns: payload": "no statement: what an event keeps",
    "resolvers/knowledge/batching.py RowBatcher._records: statement.text": "compiled, or a constant of rows",
    "graph/ledger/sequence.py wanted_between: text": "one of two constants",
    "graph/store/link.py Link._fetch: self._query(text, deadline)": "the door to the driver",
    "graph/changes/alarms/consequences.py follow: each.text": "of alarms.py, a constant or one of those made at import",
    "graph/changes/alarms/occurrence.py hold: _HOLD[label.name]": "one of those made at import",
    "graph/changes/customers/moving.py _moved: text": "each of those made at import",
    "graph/changes/customers/moving.py hold: text": "each of three constants",
    "graph/changes/services/affected.py write: text": "each of three constants",
    "graph/changes/services/hits.py hits_of: _UP[label.name]": "one of those made at import",
    "graph/store/link.py Transaction._run: text": "the door to the driver",
    "graph/inventory/alarms.py _above: _ABOVE[kind]": "one of a table of constants",
    "graph/inventory/alarms.py let_go: _RAISED[kind]": "one of those made at import",
    "graph/inventory/equipment.py _enter: _ENTER[kind]": "one of a table of constants",
    "graph/inventory/equipment.py _make: _MAKE[resource.kind]": "one of those made at import",
    "graph/inventory/equipment.py change: _CHANGE[known.kind]": "one of those made at import",
    "graph/inventory/equipment.py count_on: _COUNT_ON[known.kind]": "one of those made at import",
    "graph/inventory/equipment.py move: _COUNT_ON[known.kind]": "one of those made at import",
    "graph/inventory/equipment.py move: _LEAVE[known.kind]": "one of a table of constants",
    "graph/inventory/equipment.py remove: _FORGET_NAMES[known.kind]": "one of those made at import",
    "graph/inventory/equipment.py remove: _TAKE_AWAY[known.kind]": "one of those made at import",
    "graph/inventory/equipment.py why_held: _HELD_BY[known.kind]": "one of a table of constants",
    "graph/inventory/names.py called: _CALLED[kind]": "one of those made at import",
    "graph/inventory/known.py locked: _LOCK[label.name]": "one of those made at import",
    "graph/inventory/known.py their_names: text": "each of those made at import",
    "graph/inventory/answers.py _others: _OTHER_NAMES[label.name]": "one of those made at import",
    "graph/inventory/naming.py _lock: _LOCK[label.name]": "one of those made at import",
    "graph/inventory/naming.py _put: _NAME[thing.label]": "one of those made at import",
    "graph/inventory/naming.py take_back: _UNNAME[thing.label]": "one of those made at import",
    "graph/inventory/reconcile.py _missing: _UNSEEN[kind]": "one of those made at import",
    "graph/changes/alarms/awaiting.py find_all_awaiting: _NEXT_NAME[store.product]": "one of a table of constants",
    "graph/changes/usage/usage.py join_usage: _NEXT_NAME[store.product]": "one of a table of constants",
    "graph/load/known.py known_ids: KNOWN_IDS[name]": "one of those made at import",
    "graph/load/unique.py holders: HOLDERS[label, name]": "one of those made at import",
    "graph/load/write.py _write.run: text": "each of those made at import",
    "graph/load/versions.py _count_on.work: text": "one of those made at import",
    "graph/store/looks.py look: text": "passes on what bounds.py and cardinality.py have made at import",
    "graph/store/cardinality.py taken: _SEEN[limit]": "one of those made at import",
    "graph/store/cardinality.py taken_under_lock: _LOCKED[limit]": "one of those made at import",
    "graph/store/open_alarms.py _differing: _PAGE[store.product]": "one of those made at import",
    "graph/store/migrations/companies.py name_companies: _NAMED[store.product]": "one of a table of constants",
    "graph/store/migrations/boosts.py _change_all.work: statement": "one of two constants",
    "graph/store/migrations/boost_marks.py _mark.work: statement": "one of those made at import",
    "graph/ledger/retention.py sweep: _STATEMENTS[kind]": "one of a table of constants",
    "graph/store/migrations/words.py _reword.work: text": "one of those made at import",
    "graph/store/migrations/words.py rewrite_words: text": "one of those made at import",
    "graph/ledger/backlog.py _oldest_seconds: _OLDEST[store.product]": "one of a table of constants",
    "graph/store/migrations/ledger.py identify_alarms: _ALARMS[store.product]": "one of a table of constants",
    "graph/store/migrations/ledger.py _repeat.work: text": "each of a constant tuple",
    "graph/membership/checking.py check.run: text": "passes on what a walk and a look at memberships run",
    "graph/membership/upkeep.py drop: DROP[name]": "one of those made at import",
    "graph/membership/upkeep.py forget_behind: text": "each of those made at import",
    "graph/store/migrations/mtosi_names.py _page: text": "each of three constants",
    "graph/store/migrations/mtosi_names.py _write.work: text": "each of three constants",
    "graph/store/migrate.py _missing: text": "each of a constant tuple",
    "graph/store/migrate.py _run_alone.work: text": "each of schema_statements",
    "resolvers/knowledge/subgraph.py Noting.read: text": "passes on what Reads.record runs",
    "graph/compiler/read.py Reads.record: prepared.text": "compiled: printed by graph/compiler/cypher.py, with a scope",
    "graph/store/store.py Store._fetch: text": "the door to the driver",
    "graph/store/store.py Store.ping: text": "a constant, in the line above",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A text in a module, and where: the function, or the constant, that it stands in."""

    where: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What a module says to a database."""

    constants: tuple[Found, ...]
    made: frozenset[str]
    """where texts are put together."""
    passed_on: frozenset[str]
    """where something else than a constant is run."""


class Reading(ast.NodeVisitor):
    """Collects the texts of one module."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.constants: list[Found] = []
        self.made: set[str] = set()
        self.passed_on: set[str] = set()
        self.imported: set[str] = set()

    def visit_Import(self, node: ast.Import) -> None:
        self.imported |= {(each.asname or each.name).partition(".")[0] for each in node.names}

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._inside(node.name, node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._inside(node.name, node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._inside(node.name, node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self._inside("" if self.names else ast.unparse(node.targets[0]), node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._inside("" if self.names else ast.unparse(node.target), node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and STATEMENT.match(node.value):
            self.constants.append(Found(where=self.where, text=node.value))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        if any(map(is_statement, node.values[:1])):
            self.made.add(self.where)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.Add | ast.Mod) and is_statement(leftmost(node)):
            self.made.add(self.where)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        method = node.func
        if isinstance(method, ast.Attribute):
            if is_statement(method.value) or (method.attr == "join" and any(map(is_statement, ast.walk(node)))):
                self.made.add(self.where)
            if method.attr in RUNS and self._runs_a_text(method, node) and not is_constant(node.args[0]):
                self.passed_on.add(f"{self.where}: {ast.unparse(node.args[0])}")
        self.generic_visit(node)

    @property
    def where(self) -> str:
        return ".".join(filter(None, self.names))

    def _inside(self, name: str, node: ast.AST) -> None:
        self.names.append(name)
        self.generic_visit(node)
        self.names.pop()

    def _runs_a_text(self, method: ast.Attribute, node: ast.Call) -> bool:
        of_a_module = isinstance(method.value, ast.Name) and method.value.id in self.imported
        return len(node.args) in (2, 3) and not of_a_module


def is_statement(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(STATEMENT.match(node.value))


def is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and bool(CONSTANT.match(node.id)))


def leftmost(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.BinOp):
        node = node.left
    return node


def read(source: str) -> Texts:
    reading = Reading()
    reading.visit(ast.parse(source))
    return Texts(
        constants=tuple(reading.constants),
        made=frozenset(reading.made),
        passed_on=frozenset(reading.passed_on),
    )


@pytest.fixture(scope="module")
def texts() -> dict[str, Texts]:
    names = {path.relative_to(TOP).as_posix(): path for path in SOURCES}
    return {name: read(path.read_text()) for name, path in names.items() if name != PRINTER}


def listed(texts: dict[str, Texts]) -> Iterator[str]:
    for module, found in texts.items():
        for each in found.constants:
            yield f"// {module} {each.where}\n{each.text.strip()}\n"


def test_every_statement_is_on_the_reviewed_list(texts: dict[str, Texts], update_cases: bool) -> None:  # noqa: FBT001  a fixture
    found = "\n".join(listed(texts))
    if update_cases:
        REVIEWED.write_text(found)
    assert REVIEWED.read_text() == found, "read what has changed, then: pytest --update-cases tests/test_statements.py"


def test_texts_are_made_only_of_the_names_of_the_model(texts: dict[str, Texts]) -> None:
    assert {f"{module} {where}" for module, found in texts.items() for where in found.made} == set(MADE)


def test_what_is_run_is_a_constant_or_comes_from_a_listed_place(texts: dict[str, Texts]) -> None:
    knowing = {module: found for module, found in texts.items() if not module.startswith(STORELESS)}
    assert {f"{module} {where}" for module, found in knowing.items() for where in found.passed_on} == set(PASSED_ON)


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("f\"MATCH (n {{id: '{x}'}}) RETURN n\"", id="an f-string"),
        pytest.param("'MATCH (n) WHERE n.id = ' + x + ' RETURN n'", id="a sum"),
        pytest.param("'MATCH (n) WHERE n.id = %s RETURN n' % x", id="a percent sign"),
        pytest.param("'MATCH (n) WHERE n.id = {} RETURN n'.format(x)", id="format"),
        pytest.param("'MATCH (n) WHERE n.id = X'.replace('X', x)", id="replace"),
        pytest.param("' '.join(['MATCH (n)', x, 'RETURN n'])", id="join"),
    ],
)
def test_a_value_spliced_into_a_text_is_seen(expression: str) -> None:
    found = read(f"async def sneak(tx, x):\n    return await tx.run({expression}, {{}})\n")
    assert found.made == {"sneak"}
    assert len(found.passed_on) == 1


@pytest.mark.parametrize("argument", ["text", "self.text", "texts[x]", "made(x)"])
def test_a_text_from_elsewhere_is_seen(argument: str) -> None:
    found = read(f"async def sneak(tx, x):\n    return await tx.run({argument}, {{}})\n")
    assert found.passed_on == {f"sneak: {argument}"}


def test_a_constant_is_seen_and_may_be_run() -> None:
    found = read("_TOLD: Final = 'MATCH (n) RETURN n'\nasync def honest(tx, x):\n    await tx.run(_TOLD, {'x': x})\n")
    assert found.constants == (Found(where="_TOLD", text="MATCH (n) RETURN n"),)
    assert not found.made | found.passed_on
