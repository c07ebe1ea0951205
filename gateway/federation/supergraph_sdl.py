"""Operators hand over a supergraph as text, and must hear everything that is wrong with it at once, line by line.

In: supergraph SDL (join specification 0.2 to 0.5). Out: a `Supergraph`, or `SupergraphBroken` with every fault that was
found. What the specification obliges a gateway to understand and this one does not (a `@link` that is `for: SECURITY`,
arguments from a context) is a fault as well: to ignore it would show what must not be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLError,
    InterfaceTypeDefinitionNode,
    NamedTypeNode,
    Node,
    ObjectTypeDefinitionNode,
    SchemaDefinitionNode,
    TypeDefinitionNode,
    TypeNode,
    TypeSystemExtensionNode,
    UnionTypeDefinitionNode,
    Visitor,
    parse,
    parse_type,
    visit,
)
from graphql.language import print_ast

from gateway.federation.links import APOLLO, CORE, INACCESSIBLE, JOIN, LINK, Element, links_of
from gateway.federation.public import is_machinery, public_part
from gateway.federation.selections import Fragment, SelectionSet, read_field_set
from gateway.federation.supergraph import (
    Endpoint,
    Fault,
    FieldInGraph,
    Graph,
    SuperField,
    Supergraph,
    SupergraphBroken,
    SuperType,
    TypeInGraph,
)
from gateway.syntax import arguments_of

UNDERSTOOD: Final = {
    LINK: frozenset({"v1.0"}),
    CORE: frozenset({"v0.1", "v0.2"}),
    JOIN: frozenset({"v0.2", "v0.3", "v0.4", "v0.5"}),
    INACCESSIBLE: frozenset({"v0.1", "v0.2"}),
}
"""The versions of specifications that a gateway must not ignore which this one knows."""
PROTECTING: Final = frozenset({"@authenticated", "@requiresScopes", "@policy"})
"""Directives that keep fields from some callers; this gateway does not read them."""
GRAPHS: Final = Element(JOIN, "Graph")
BUILT_IN: Final = ("ID", "String", "Int", "Float", "Boolean")


def read_supergraph(text: str) -> Supergraph:
    """Read a supergraph, or raise SupergraphBroken with all faults."""
    try:
        document = parse(text)
    except GraphQLError as error:
        line = error.locations[0].line if error.locations else 1
        raise SupergraphBroken(Fault(line=line, text=f"{error.message.removeprefix('Syntax Error: ')}")) from None
    reading = _Reading(document)
    found = reading.supergraph()
    if found is None or reading.faults:
        raise SupergraphBroken(*sorted(reading.faults, key=lambda each: each.line))
    return found


class _Reading:
    """One walk over a supergraph; faults are collected and the walk goes on."""

    def __init__(self, document: DocumentNode) -> None:
        self.faults: list[Fault] = []
        self._document = document
        self._definitions = {
            each.name.value: each for each in document.definitions if isinstance(each, TypeDefinitionNode)
        }
        self._links = links_of(document)
        self._graphs: frozenset[Graph] = frozenset()

    def _fault(self, node: Node, text: str) -> None:
        self.faults.append(Fault(line=max(node.loc.start_token.line, 1) if node.loc else 1, text=text))

    def supergraph(self) -> Supergraph | None:
        """Give the tables; None where the document is none that could be read as a supergraph."""
        if not self._check_links():
            return None
        self._check_definitions()
        endpoints = self._endpoints()
        self._graphs = frozenset(endpoints)
        public = public_part(self._document, self._links)
        for line, message in public.faults:
            self.faults.append(Fault(line=line, text=message))
        schemas = (each for each in self._document.definitions if isinstance(each, SchemaDefinitionNode))
        roots = {op.operation.value: op.type.name.value for each in schemas for op in each.operation_types or ()}
        types = {
            name: self._type(each) for name, each in self._definitions.items() if not is_machinery(each, self._links)
        }
        types |= {name: _scalar(name) for name in BUILT_IN if name not in types}
        found = Supergraph(
            endpoints=MappingProxyType(endpoints),
            types=MappingProxyType(types),
            roots=MappingProxyType(roots),
            public=public,
        )
        for name, each in types.items():
            for problem in _dangling(found, each):
                self._fault(self._definitions[name], problem)
        return found

    def _check_links(self) -> bool:
        """Name what the links say that cannot be served; tell whether there is a join specification to read by."""
        for node, problem in self._links.faults:
            self._fault(node, problem)
        for each in self._links.links:
            if each.spec == JOIN and each.version not in UNDERSTOOD[JOIN]:
                self._fault(each.node, f"The join specification {each.version} is none of v0.2 to v0.5.")
            elif each.purpose and each.version not in UNDERSTOOD.get(each.spec, ()):
                self._fault(each.node, f"{each.spec}/{each.version} must be understood to serve this, and is not.")
        if not any(each.spec == JOIN for each in self._links.links):
            self._fault(self._document, "The schema links no join specification: this is no supergraph.")
            return False
        return True

    def _check_definitions(self) -> None:
        """Name what no supergraph has: extensions, and marks that keep fields from callers by rules not known here."""
        for each in self._document.definitions:
            if isinstance(each, TypeSystemExtensionNode):
                self._fault(each, "A supergraph has no extensions.")
        visit(self._document, _Directives(self._check_directive))

    def _check_directive(self, node: DirectiveNode) -> None:
        spec, name = self._links.directive(node.name.value)
        if name in PROTECTING and (not spec or spec.startswith(APOLLO)):
            self._fault(node, f"@{node.name.value} must be understood to serve this, and is not.")

    def _endpoints(self) -> dict[Graph, Endpoint]:
        named = (each for each in self._definitions.values() if self._links.type(each.name.value) == GRAPHS)
        graphs = next(named, None)
        if not isinstance(graphs, EnumTypeDefinitionNode):
            self._fault(self._document, "There is no enum join__Graph that names the subgraphs.")
            return {}
        endpoints: dict[Graph, Endpoint] = {}
        for value in graphs.values or ():
            given = next((arguments_of(each) for each in self._named(value, "@graph")), {})
            name, url = given.get("name"), given.get("url")
            if not isinstance(name, str) or not isinstance(url, str):
                self._fault(value, f"The subgraph {value.name.value} has no @join__graph with a name and a url.")
            elif name in {each.name for each in endpoints.values()}:
                self._fault(value, f"There are two subgraphs named {name!r}.")
            # One with a fault counts too: it is not told once more wherever it is named.
            endpoints[Graph(value.name.value)] = Endpoint(name=str(name), url=str(url))
        return endpoints

    def _named(self, node: Node, name: str) -> list[DirectiveNode]:
        """Give the directives on a node that are one of the join specification's."""
        directives = getattr(node, "directives", None) or ()
        return [each for each in directives if self._links.directive(each.name.value) == Element(JOIN, name)]

    def _joined(self, node: Node, name: str) -> Iterator[tuple[DirectiveNode, Graph, dict[str, Any]]]:
        """Give the join directives on a node that are about a subgraph, and name those about none that exists."""
        for directive in self._named(node, name):
            given = arguments_of(directive)
            graph = given.get("graph")
            if graph in self._graphs:
                yield directive, Graph(str(graph)), given
            elif graph is not None:
                self._fault(directive, f"@{directive.name.value} names the subgraph {graph}, which does not exist.")

    def _type(self, node: TypeDefinitionNode) -> SuperType:
        kind = node.kind.removesuffix("_type_definition").removeprefix("input_") or "input"
        name = node.name.value
        graphs = self._graphs_of(node)
        implements: tuple[str, ...] = ()
        fields: dict[str, SuperField] = {}
        if isinstance(node, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            implements = tuple(each.name.value for each in node.interfaces or ())
            fields = {each.name.value: self._field(each, graphs) for each in node.fields or ()}
        return SuperType(
            name=name,
            kind="input" if kind == "object" and node.kind.startswith("input") else kind,
            implements=implements,
            fields=MappingProxyType(fields),
            graphs=MappingProxyType(graphs),
        )

    def _graphs_of(self, node: TypeDefinitionNode) -> dict[Graph, TypeInGraph]:
        keys: dict[Graph, list[SelectionSet]] = {}
        objects: set[Graph] = set()
        for directive, graph, given in self._joined(node, "@type"):
            found = keys.setdefault(graph, [])
            if given.get("isInterfaceObject"):
                objects.add(graph)
            if given.get("key") is not None and given.get("resolvable", True):
                found.append(self._field_set(directive, given["key"]))
        implements: dict[Graph, set[str]] = {}
        for _, graph, given in self._joined(node, "@implements"):
            implements.setdefault(graph, set()).add(str(given.get("interface")))
        members = self._members(node, tuple(keys)) if isinstance(node, UnionTypeDefinitionNode) else {}
        return {
            graph: TypeInGraph(
                keys=tuple(found),
                interface_object=graph in objects,
                implements=frozenset(implements.get(graph, ())),
                members=tuple(members.get(graph, ())),
            )
            for graph, found in keys.items()
        }

    def _members(self, node: UnionTypeDefinitionNode, graphs: tuple[Graph, ...]) -> dict[Graph, list[str]]:
        declared = [each.name.value for each in node.types or ()]
        marked = list(self._joined(node, "@unionMember"))
        if not marked:  # before version 0.3 every subgraph had the whole union
            return dict.fromkeys(graphs, declared)
        members: dict[Graph, list[str]] = {}
        for _, graph, given in marked:
            members.setdefault(graph, []).append(str(given.get("member")))
        return members

    def _field(self, node: FieldDefinitionNode, of_type: Mapping[Graph, TypeInGraph]) -> SuperField:
        directives = self._named(node, "@field")
        whole = node.type
        graphs: dict[Graph, FieldInGraph] = {}
        if not directives:
            graphs = dict.fromkeys(of_type, _plain(whole))
        labelled = {
            str(given.get("override")) for each in directives if (given := arguments_of(each)).get("overrideLabel")
        }
        for directive, graph, given in self._joined(node, "@field"):
            if given.get("overrideLabel") and given.get("override"):
                continue  # a labelled override is not in force: the subgraph that it names goes on resolving the field
            if given.get("contextArguments"):
                self._fault(directive, "Arguments from a context are not understood.")
            graphs[graph] = self._field_in(directive, whole, given, overridden=labelled)
        return SuperField(type=_named_type(whole), shape=print_ast(whole), graphs=MappingProxyType(graphs))

    def _field_in(
        self, directive: DirectiveNode, whole: TypeNode, given: Mapping[str, Any], *, overridden: set[str]
    ) -> FieldInGraph:
        there = self._type_text(directive, given["type"]) if given.get("type") else whole
        used = bool(given.get("usedOverridden")) and not overridden
        return FieldInGraph(
            type=_named_type(there),
            shape=print_ast(there),
            external=bool(given.get("external")) or used,
            requires=self._field_set(directive, given["requires"]) if given.get("requires") else None,
            provides=self._field_set(directive, given["provides"]) if given.get("provides") else None,
        )

    def _type_text(self, node: Node, text: Any) -> TypeNode:
        try:
            return parse_type(str(text), no_location=True)
        except GraphQLError:
            self._fault(node, f"{text!r} is no type.")
            return parse_type("String")

    def _field_set(self, node: Node, text: Any) -> SelectionSet:
        try:
            return read_field_set(str(text))
        except GraphQLError:
            self._fault(node, f"{text!r} is no field set.")
            return SelectionSet(())


def _plain(whole: TypeNode) -> FieldInGraph:
    return FieldInGraph(type=_named_type(whole), shape=print_ast(whole), external=False, requires=None, provides=None)


def _scalar(name: str) -> SuperType:
    return SuperType(name=name, kind="scalar", implements=(), fields=MappingProxyType({}), graphs=MappingProxyType({}))


def _named_type(node: TypeNode) -> str:
    while not isinstance(node, NamedTypeNode):
        node = node.type  # type: ignore[attr-defined]  # a list or a non-null type has one
    return node.name.value


class _Directives(Visitor):
    """Hand every directive that is applied somewhere to a function."""

    def __init__(self, met: Callable[[DirectiveNode], None]) -> None:
        super().__init__()
        self._met = met

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        self._met(node)


def _dangling(graph: Supergraph, of: SuperType) -> Iterator[str]:
    """Name what a type refers to that does not exist."""
    named = (*of.implements, *(name for there in of.graphs.values() for name in (*there.members, *there.implements)))
    for name in dict.fromkeys(named):
        if name not in graph.types:
            yield f"{of.name} names {name}, which does not exist."
    for there in of.graphs.values():
        for key in there.keys:
            yield from _unknown(graph, of, key, "The key")
    for name, field in of.fields.items():
        yield from _dangling_field(graph, of, f"{of.name}.{name}", field)


def _dangling_field(graph: Supergraph, of: SuperType, place: str, field: SuperField) -> Iterator[str]:
    for type_ in dict.fromkeys((field.type, *(here.type for here in field.graphs.values()))):
        if type_ not in graph.types:
            yield f"{place} is of type {type_}, which does not exist."
    for here in field.graphs.values():
        if here.provides and here.type in graph.types:
            yield from _unknown(graph, graph.types[here.type], here.provides, f"What {place} provides")
        if here.requires:
            yield from _unknown(graph, of, here.requires, f"What {place} requires")


def _unknown(graph: Supergraph, of: SuperType, selected: SelectionSet, what: str) -> Iterator[str]:
    for each in selected.selections:
        if isinstance(each, Fragment):
            on = graph.types.get(each.on)
            if on is None:
                yield f"{what} names {each.on}, which does not exist."
            else:
                yield from _unknown(graph, on, each.inner, what)
        elif each.name != "__typename":
            field = of.fields.get(each.name)
            if field is None:
                yield f"{what} names {of.name}.{each.name}, which does not exist."
            elif each.inner and field.type in graph.types:
                yield from _unknown(graph, graph.types[field.type], each.inner, what)
