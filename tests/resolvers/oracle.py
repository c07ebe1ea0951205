"""The second implementation: graphql-core's executor and one resolver per kind of field, over plain values.

It shares with the compiler only the schema, the table that says which field is what, and the seal of cursors. Whoever
is at a field sees a value of `NodeOf`, `EdgeOf` or a plain dict (a page, an impact, a path).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import orjson
from graphql import DocumentNode, ExecutionResult, GraphQLResolveInfo, GraphQLSchema, execute, get_named_type

from graph.compiler.cursor import CursorKey
from graph.errors import Refused
from graph.model.mapping import (
    Along,
    AnyById,
    ById,
    Changed,
    EndOf,
    Entities,
    Everything,
    FieldMapping,
    Fixed,
    Grouped,
    Happening,
    Hop,
    ImpactField,
    ImpactList,
    KeptNode,
    KeptNodes,
    KeptRows,
    Mappings,
    NodeType,
    OfCaller,
    PathField,
    PathNodes,
    RelationType,
    SearchField,
    Stored,
    enum_name,
)
from graph.model.model import LABELS, RELATIONSHIPS, Kind, Property
from graph.model.scope import Principal, Role
from tests.resolvers import meaning
from tests.resolvers.answers import Answered, answered
from tests.resolvers.meaning import Graph, Hit
from tests.resolvers.world import Edge, Node, World

_PAGE = 10
_COUNTS = 50
_Question = (
    ById
    | AnyById
    | Entities
    | ImpactField
    | PathField
    | SearchField
    | Changed
    | Happening
    | KeptRows
    | KeptNode
    | KeptNodes
)


@dataclass(frozen=True, slots=True)
class Oracle:
    """The API over one world, for one caller."""

    schema: GraphQLSchema
    mappings: Mappings
    graph: Graph
    principal: Principal
    seen: frozenset[str]
    key: CursorKey

    def ask(self, document: DocumentNode, variables: Mapping[str, Any]) -> Answered:
        """Answer an operation."""
        result = execute(
            self.schema,
            document,
            variable_values=dict(variables),
            field_resolver=self._resolve,
            type_resolver=lambda value, _info, _type: value["__typename"] if isinstance(value, dict) else value.label,
        )
        assert isinstance(result, ExecutionResult)
        for each in result.errors or ():
            if isinstance(refused := each.original_error, Refused):
                place = {"path": each.path} if refused.path else {}
                return answered({"errors": [{**place, "extensions": {"code": refused.code}}]})
        errors = [{"path": each.path, "extensions": {"code": "INCONSISTENT_DATA"}} for each in result.errors or ()]
        return answered({"data": result.data, "errors": errors})

    def _resolve(self, source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        mapping = self.mappings.fields.get((info.parent_type.name, info.field_name))
        if mapping is None:
            return source[info.field_name]
        return self._mapped(mapping, source, info, arguments)

    def _mapped(self, mapping: FieldMapping, source: Any, info: GraphQLResolveInfo[Any], given: dict[str, Any]) -> Any:
        match mapping:
            case Stored(name=name):
                return _value(source, name)
            case EndOf(role=role):
                return self._end(source, role)
            case Fixed(value=value):
                return value
            case Grouped():
                return {}
            case OfCaller(name=name):
                return self.principal.subject if name == "subject" else self.principal.effective.value
            case Along():
                return self._along(mapping, source, info, given)
            case Everything(label=label, having=having):
                nodes = [self.graph.world.nodes[each] for each in self.graph.world.ids(label) if each in self.seen]
                nodes = [each for each in nodes if not having or _value(each, having) is not None]
                return self._page([(each, each) for each in nodes], label, info, given, None)
            case ImpactList(of=of):
                return source[of][: _size(given, _COUNTS if of == "counts" else _PAGE)]
            case PathNodes(label=label):
                return source[label]
            case _:
                return self._asked(mapping, given)

    def _asked(self, mapping: _Question, given: dict[str, Any]) -> Any:
        match mapping:
            case ById(label=label):
                return self._node(given["id"], label)
            case AnyById():
                return self._node(given["id"], None)
            case Entities():
                return [self._node(each["id"], each["__typename"]) for each in given["representations"]]
            case ImpactField():
                return self._impact(given["of"])
            case PathField():
                return self._path(given["from"], given["to"])
            case SearchField():
                return self._search(given)
            case Changed() | Happening() | KeptRows() | KeptNode() | KeptNodes():
                raise AssertionError("a payload or an event is not part of a query")
            case never:
                assert_never(never)

    # Objects -------------------------------------------------------------------------------------------------------

    def _node(self, key: str, label: str | None) -> Node | None:
        found = self.graph.world.nodes.get(key)
        return found if found and key in self.seen and label in {None, found.label} else None

    def _end(self, source: Any, role: str) -> Any:
        if isinstance(source, Edge):
            return self.graph.world.nodes[source.start if role == "start" else source.end]
        return self.graph.world.nodes[source[role]]

    def _along(self, mapping: Along, source: Node, info: GraphQLResolveInfo[Any], given: dict[str, Any]) -> Any:
        found = self._walk(mapping.hops, source)
        kind = str(info.return_type)
        element = kind.strip("[]!").removesuffix("Connection")
        if isinstance(self.mappings.types.get(element), RelationType):
            rows: list[tuple[Any, Node]] = list(found)
        else:
            rows = [(each, each) for each in {node.id: node for _, node in found}.values()]
        if kind.endswith("Connection!"):
            of = self.mappings.types[element]
            return self._page(rows, of.label if isinstance(of, NodeType) else None, info, given, source.id)
        if kind.startswith("["):
            ordered = sorted(found, key=lambda row: (*(row[0].values[each] for each in mapping.order), row[1].id))
            assert len(ordered) <= mapping.at_most, "more are refused"
            return [edge for edge, _ in ordered]
        assert len(rows) <= 1 or not all(hop.single for hop in mapping.hops), "the model says one"
        return min(rows, key=lambda row: row[1].id)[0] if rows else None

    def _walk(self, hops: Sequence[Hop], source: Node) -> list[tuple[Edge, Node]]:
        """Every relationship at the end of the way, with its far node; each step must be seen."""
        edges: list[Edge] = []
        here = {source.id}
        for hop in hops:
            edges = [edge for node in sorted(here) for edge in self.graph.edges(hop.type, node, reverse=hop.reverse)]
            edges = [each for each in edges if _far(each, hop) in self.seen and self._fits(_far(each, hop), hop)]
            here = {_far(each, hop) for each in edges}
        return [(each, self.graph.world.nodes[_far(each, hops[-1])]) for each in edges]

    def _fits(self, node: str, hop: Hop) -> bool:
        """Tell whether a node has the label that a step leads to, where the relationship may lead to several."""
        return hop.label in ("", self.graph.world.nodes[node].label)

    # Pages ---------------------------------------------------------------------------------------------------------

    def _page(
        self,
        rows: list[tuple[Any, Node]],
        label: str | None,
        info: GraphQLResolveInfo[Any],
        given: dict[str, Any],
        owner: str | None,
    ) -> Any:
        """A page of rows, each a value and the node whose properties are sorted by; `owner` has the list."""
        kept = [row for row in rows if label is None or meaning.matches(label, row[1].values, given.get("filter"))]
        keys = meaning.order_keys(label, given.get("orderBy"))
        for name, descending in reversed(keys):
            kept.sort(key=lambda row, name=name: row[1].values[name], reverse=descending)  # type: ignore[misc]  # a bound default
        context = meaning.named_list(get_named_type(info.return_type).name, info.field_name, given)
        for name in ("after", "before"):
            if given.get(name) is not None:
                self.key.check_owner(given[name], context, owner)
        after = self._position(kept, keys, given.get("after"), context, beside=True)
        before = self._position(kept, keys, given.get("before"), context, beside=False)
        window = kept[after if after is not None else 0 : before if before is not None else len(kept)]
        backward = given.get("last") is not None or (before is not None and given.get("first") is None)
        size = _size(given)
        taken = window[max(0, len(window) - size) :] if backward else window[:size]
        more = len(window) > size
        cursors = [self.key.seal([row[1].values[name] for name, _ in keys], context, owner) for row in taken]
        return {
            "__typename": get_named_type(info.return_type).name,
            "nodes": [row[0] for row in taken],
            "edges": [{"cursor": c, "node": row[0]} for c, row in zip(cursors, taken, strict=True)],
            "totalCount": len(kept),
            "pageInfo": {
                "hasNextPage": before is not None if backward else more,
                "hasPreviousPage": more if backward else after is not None,
                "startCursor": cursors[0] if cursors else None,
                "endCursor": cursors[-1] if cursors else None,
            },
        }

    def _position(
        self,
        rows: list[tuple[Any, Node]],
        keys: list[tuple[str, bool]],
        cursor: str | None,
        context: str,
        *,
        beside: bool,
    ) -> int | None:
        """Where in the sorted rows a cursor's place is: behind the row itself (`beside`), or before it."""
        if cursor is None:
            return None
        place = self.key.open(cursor, context)
        position = 0
        for _, node in rows:
            order = _order([node.values[name] for name, _ in keys], place, keys)
            position += order < 0 or (beside and order == 0)
        return position

    # Questions -----------------------------------------------------------------------------------------------------

    def _impact(self, failed: Sequence[str]) -> dict[str, Any]:
        nodes = self.graph.world.nodes
        if any(each not in self.seen or nodes[each].label not in meaning.MAY_FAIL for each in failed):
            raise Refused("one of them is not there", code="BAD_USER_INPUT", path=("impact",))
        hits = meaning.impact(self.graph, failed, self.seen)
        owners = sorted({each.customer for each in hits if each.customer})
        groups = {(each.rank, each.effect): each for each in hits}
        customers = [_customer(owner, [each for each in hits if each.customer == owner]) for owner in owners]
        return {
            "totalServices": len(hits),
            "totalCustomers": len(owners),
            "services": [{"service": h.service, "effect": h.effect, "severity": h.severity} for h in hits],
            "customers": sorted(customers, key=lambda each: (each["rank"], each["customer"])),
            "counts": [
                {
                    "severity": group.severity,
                    "effect": group.effect,
                    "services": sum((h.rank, h.effect) == key for h in hits),
                }
                for key, group in sorted(groups.items())
            ],
        }

    def _path(self, left: str, right: str) -> dict[str, Any] | None:
        assert self.principal.effective in {Role.OPERATOR, Role.ANALYST}
        ways = meaning.paths(self.graph, left, right)
        assert len(ways) <= 1, "two shortest ways: which one is given is not promised"
        if not ways:
            return None
        nodes = [self.graph.world.nodes[each] for each in ways[0]]
        labels = ("Trunk", "NetworkElement")
        return {
            "hops": sum(each.label == "Trunk" for each in nodes),
            **{label: [each for each in nodes if each.label == label] for label in labels},
        }

    def _search(self, given: dict[str, Any]) -> list[Node]:
        nodes = [each for each in self.graph.world.nodes.values() if each.id in self.seen]
        hits = [n for n in nodes if LABELS[n.label].searched and meaning.found_by(n.values, given["text"])]
        return sorted(hits, key=lambda n: (n.label, n.values["name"], n.id))[: _size(given)]


def oracle(schema: GraphQLSchema, mappings: Mappings, world: World, principal: Principal, key: CursorKey) -> Oracle:
    """Answer as this principal."""
    graph = Graph(world=world)
    everything = frozenset(world.nodes)
    seen = everything if _reads_all(principal) else meaning.slice_of(graph, principal.customers)
    return Oracle(schema, mappings, graph, principal, seen, key)


def _reads_all(principal: Principal) -> bool:
    return principal.effective in {Role.OPERATOR, Role.ANALYST}


def _far(edge: Edge, hop: Hop) -> str:
    return edge.start if hop.reverse else edge.end


def _size(given: Mapping[str, Any], usual: int = _PAGE) -> int:
    first, last = given.get("first"), given.get("last")
    wanted = first if first is not None else last
    return usual if wanted is None else int(wanted)


def _order(left: list[Any], right: list[Any], keys: list[tuple[str, bool]]) -> int:
    for a, b, (_, descending) in zip(left, right, keys, strict=True):
        if a != b:
            return 1 if (a > b) != descending else -1
    return 0


def _customer(owner: str, hits: list[Hit]) -> dict[str, Any]:
    worst = min(hits, key=lambda each: each.rank)
    return {"customer": owner, "severity": worst.severity, "services": len(hits), "rank": worst.rank}


def _value(source: Any, name: str) -> Any:
    """A stored value, printed; those of computed objects are words, numbers and nothing else."""
    if isinstance(source, (Node, Edge)):
        known = LABELS[source.label].property(name) if isinstance(source, Node) else _of_edge(source, name)
        value = source.values.get(name)
        return orjson.loads(value) if known.kind is Kind.JSON and value is not None else meaning.printed(known, value)
    value = source[name]
    return enum_name(value) if isinstance(value, str) else value


def _of_edge(edge: Edge, name: str) -> Property:
    return next(each for each in RELATIONSHIPS[edge.type].properties if each.name == name)
