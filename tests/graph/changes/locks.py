"""Which nodes each transaction locks, in which order, read from the statements that it runs.

A statement locks what it sets, deletes or merges, and both ends of a relationship that it makes or deletes (Neo4j does so;
the embedded database notices a conflict in the same places). Ids are read from the parameters. A statement that writes to a
node of a label that has a place in the order, and does not say by which id, cannot be judged: that is an error here, but for
deliveries that are claimed, which lock nothing else. A delivery is in the order by its order key; those of the ticketing system
only, since who settles another system's locks nothing after them that is locked before they are written; the first of an order
key is new, and waits for nobody. Customers are one lock for whoever holds the gate of slices (graph/changes/gates.py). What stands at the other end of a relationship that is deleted is known by the walk only, and passed over; and a relationship that is
merged is there already, or both of its ends are locked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from graph.store.link import Transaction

RANKS: Final = {
    "AlarmIdentity": 1,
    "NameGate": 2,
    "NetworkElement": 3,
    "Card": 3,
    "Port": 3,
    "Trunk": 3,
    "SchemaVersion": 4,
    "Service": 5,
    "Alarm": 6,
    "Delivery": 7,
    "Ticket": 8,
    "Customer": 9,
}
_TICKETING: Final = "desk"
_GATE: Final = (RANKS["SchemaVersion"], "the only one")
_UNWIND: Final = re.compile(r"UNWIND\s+([$\w.]+)\s+AS\s+(\w+)")
_CLAUSE: Final = re.compile(
    r"\b(OPTIONAL MATCH|MATCH|DETACH DELETE|DELETE|CREATE|MERGE|ON CREATE SET|SET|REMOVE|WITH|WHERE|RETURN|UNWIND)\b"
)
_NODE: Final = re.compile(r"\((\w*)(?::([\w|]+))?\s*(?:\{(\w+): ([$\w.]+)[^}]*\})?[^()]*\)")
_PATTERN: Final = re.compile(r"(\([^()]*\))(?:(<?-\[(\w*)[^\]]*\]->?)(\([^()]*\)))+")
_BRACES: Final = re.compile(r"(EXISTS|COLLECT|COUNT) \{(?:[^{}]|\{[^{}]*\})*\}")


@dataclass(slots=True)
class Recorded:
    """What transactions have locked."""

    runs: dict[int, list[tuple[str, Mapping[str, Any]]]] = field(default_factory=dict)
    """by transaction: its statements."""

    def orders(self) -> list[list[tuple[int, str]]]:
        """Give for each transaction what it locked, each node once, as place in the order and id."""
        written: set[str] = set()
        return [order for each in self.runs.values() if (order := list(_locks(each, written)))]

    def breaches(self) -> list[tuple[tuple[int, str], tuple[int, str]]]:
        """Give each lock that was taken after one that comes behind it."""
        found = []
        for order in self.orders():
            for number, each in enumerate(order):
                later = [before for before in order[:number] if before > each]
                found += [(max(later), each)] if later else []
        return found


@contextmanager
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    """Note the statements of every transaction while the block runs."""
    seen = Recorded()
    run, later = Transaction.run, Transaction.later

    async def noted_run(self: Transaction, text: str, parameters: Mapping[str, object]) -> list[list[object]]:
        seen.runs.setdefault(id(self), []).append((text, parameters))
        kept.append(self)
        return await run(self, text, parameters)

    def noted_later(self: Transaction, text: str, parameters: Mapping[str, object]) -> None:
        seen.runs.setdefault(id(self), []).append((text, parameters))
        kept.append(self)
        later(self, text, parameters)

    kept: list[Transaction] = []  # so that no two have one id
    with monkeypatch.context() as patch:
        patch.setattr(Transaction, "run", noted_run)
        patch.setattr(Transaction, "later", noted_later)
        yield seen


def _locks(statements: list[tuple[str, Mapping[str, Any]]], written: set[str]) -> Iterator[tuple[int, str]]:
    """Give what a transaction locks; `written` are the order keys of which there are deliveries."""
    held: set[tuple[int, str]] = set()
    keys: dict[str, str] = {}
    for text, parameters in statements:
        for is_new, found in _of_statement(text, parameters, keys):
            each = (found[0], "") if found[0] == RANKS["Customer"] and _GATE in held else found
            if each[0] == RANKS["Delivery"] and each[1] not in written:
                written |= {each[1]} if "CREATE (:Delivery" in text else set()
                continue
            if each not in held and not is_new:
                yield each
            held.add(each)


def _of_statement(
    text: str, parameters: Mapping[str, Any], keys: dict[str, str]
) -> Iterator[tuple[bool, tuple[int, str]]]:
    """Give what a statement locks, and whether it has made it; `keys` are the order keys of deliveries, by their ids."""
    flat = _BRACES.sub("true", text)
    nodes, ends, written, made = _read(flat)
    for row in _rows(flat, parameters):
        for variable in written:
            for each in ends.get(variable, (variable,)):
                labels, expression = nodes.get(each, ("", ""))
                ranks = {RANKS[label] for label in labels.split("|") if label in RANKS}
                if not ranks:
                    continue
                if labels == "Delivery":
                    key = _order_key(row, parameters, keys)
                    yield from () if key is None else [(each in made, (RANKS[labels], key))]
                    continue
                if labels == "SchemaVersion":
                    yield False, _GATE
                    continue
                if not expression and variable in ends:
                    continue  # it was walked to
                if not expression and re.search(rf"ORDER BY {each}\.(id|orderKey)\b", flat):
                    yield False, (min(ranks), "")  # all that were walked to, in their order
                    continue
                assert expression, f"no id of {each} in {text}"
                value = _value(expression, row, parameters)
                yield each in made, (min(ranks), str(value))
        yield from _made([nodes.get(each, ("", "")) for each in sorted(made)], row, parameters)


def _made(
    nodes: list[tuple[str, str]], row: Mapping[str, Any], parameters: Mapping[str, Any]
) -> Iterator[tuple[bool, tuple[int, str]]]:
    """Give what a statement makes: nobody else knows it yet."""
    for labels, expression in nodes:
        if labels in RANKS and labels != "Delivery" and expression:
            yield True, (RANKS[labels], str(_value(expression, row, parameters)))


def _order_key(row: Mapping[str, Any], parameters: Mapping[str, Any], keys: dict[str, str]) -> str | None:
    """Give the order key of the delivery that a row is about; None where it is claimed, or another system's."""
    said = row.get("row", row.get("id", parameters.get("delivery", parameters.get("id"))))
    if isinstance(said, dict) and "orderKey" in said:
        if said.get("system", _TICKETING) != _TICKETING:
            return None
        keys[said.get("id", "")] = said["orderKey"]
        return str(said["orderKey"])
    delivery = said["id"] if isinstance(said, dict) else said
    return None if delivery is None else keys.setdefault(str(delivery), str(delivery))


def _read(text: str) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, ...]], list[str], set[str]]:
    """Give nodes (labels and the expression of an id), relationships (their ends), what is written, and what is new."""
    nodes: dict[str, tuple[str, str]] = {}
    ends: dict[str, tuple[str, ...]] = {}
    written: list[str] = []
    made: set[str] = set()
    parts = _CLAUSE.split(text)
    for clause, body in zip(parts[1::2], parts[2::2], strict=True):
        named = _name_all(body)
        for variable, labels, _, expression in _NODE.findall(named):
            if labels:
                nodes.setdefault(variable, (labels, expression))
        for pattern in _PATTERN.finditer(named):
            around = tuple(each[0] for each in _NODE.findall(pattern.group(0)))
            for relationship in re.findall(r"-\[(\w+)", pattern.group(0)):
                ends[relationship] = around
            if clause == "CREATE":
                written += [each for each in around if each not in made]
        more, new = _written(clause, body, named)
        written += more
        made |= new
    return nodes, ends, written, made


def _written(clause: str, body: str, named: str) -> tuple[list[str], set[str]]:
    """Give what a clause writes to by its name, and which nodes it makes."""
    match clause:
        case "SET" | "REMOVE":
            return re.findall(r"(?:^|,)\s*(\w+)(?:\.\w+\s*(?:=|$|\s)|\s*\+=)", body), set()
        case "DELETE" | "DETACH DELETE":
            return re.findall(r"\w+", body), set()
        case "CREATE":
            alone = not _PATTERN.search(named)
            return [], {each[0] for each in _NODE.findall(named) if alone or (each[1] and each[3])}
        case "MERGE" if not _PATTERN.search(named):
            return [each[0] for each in _NODE.findall(named)], set()
        case _:
            return [], set()


def _name_all(body: str) -> str:
    """Name the nodes that a pattern leaves without a name."""
    count = iter(range(1_000))
    return re.sub(r"\((?=:\w)", lambda _: f"(anonymous{abs(hash(body)) % 10_000}x{next(count)}", body)


def _rows(text: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{}]
    given = [
        each for each in _UNWIND.findall(text) if each[0][0] == "$" or "." in each[0]
    ]  # others are found, not given
    for source, name in given:
        rows = [{**row, name: each} for row in rows for each in _value(source, row, parameters)]
    return rows


def _value(expression: str, row: Mapping[str, Any], parameters: Mapping[str, Any]) -> Any:
    first, *rest = expression.split(".")
    value: Any = parameters[first[1:]] if first.startswith("$") else row[first]
    for step in rest:
        if step == "id" and isinstance(value, dict) and "orderKey" in value:
            step = "orderKey"  # noqa: PLW2901  # tickets are in the order of their keys
        value = value[step]
    return value
