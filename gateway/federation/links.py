"""A schema calls directives and types as it likes; what they are is said by the specifications that it links.

In: a document with `@link` (or `@core`) on its schema. Out: `Links`, which tell of a name which element of which
specification it is. A name is claimed by an `import`, by the prefix of a link (`join__type`), or by a link whose
specification has a directive of its own name (`@inaccessible`). Two links that claim one name are a fault, since each would
change what the other means.

Specification: https://specs.apollo.dev/link/v1.0 (Renaming: `as`, `import`); core v0.2 has `feature` instead of `url`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from graphql import DirectiveNode, DocumentNode, Node, SchemaDefinitionNode

from gateway.syntax import arguments_of

LINK: Final = "specs.apollo.dev/link"
CORE: Final = "specs.apollo.dev/core"
JOIN: Final = "specs.apollo.dev/join"
INACCESSIBLE: Final = "specs.apollo.dev/inaccessible"
COST: Final = "specs.apollo.dev/cost"
FEDERATION: Final = "specs.apollo.dev/federation"
APOLLO: Final = "specs.apollo.dev/"


class Element(NamedTuple):
    """A directive (`@inaccessible`) or a type (`Graph`) of a specification, by its own name there."""

    spec: str
    """the specification's address without scheme and version; empty for a name that no link claims."""
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One specification that a schema links."""

    node: DirectiveNode
    spec: str
    version: str
    """`v0.3`; empty where the address has none."""
    prefix: str
    """what its names begin with, before two underscores."""
    own: str
    """the specification's name in its address: that of the directive which needs no prefix."""
    imported: Mapping[str, str]
    """names in this schema (of directives with `@`) to names in the specification."""
    purpose: str
    """SECURITY or EXECUTION for what must be understood to serve the schema; empty for all else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """All that a schema links."""

    links: tuple[Link, ...]
    faults: tuple[tuple[Node, str], ...]
    _imported: Mapping[str, Element]
    _prefixes: Mapping[str, tuple[str, str]]
    """by prefix: the specification, and the name of the directive in it that needs no prefix."""

    def directive(self, name: str) -> Element:
        """Say what a directive is; `name` is without `@`, the element's name is with it."""
        return self._claimed(f"@{name}", name)

    def type(self, name: str) -> Element:
        """Say what a type is."""
        return self._claimed(name, name)

    def _claimed(self, key: str, bare: str) -> Element:
        if key in self._imported:
            return self._imported[key]
        mark = key[: -len(bare)]
        prefix, parted, rest = bare.partition("__")
        spec, own = self._prefixes.get(prefix, ("", ""))
        if spec and parted:
            return Element(spec, mark + rest)
        if spec and mark:
            return Element(spec, mark + own)
        return Element("", key)


def links_of(document: DocumentNode) -> Links:
    """Read what a document links; `faults` say what is wrong with it."""
    schemas = [each for each in document.definitions if isinstance(each, SchemaDefinitionNode)]
    applied = [each for schema in schemas for each in schema.directives or ()]
    named = _linking(applied)
    links: list[Link] = []
    faults: list[tuple[Node, str]] = []
    for each in applied:
        if each.name.value in named:
            try:
                links.append(_link(each))
            except ValueError as error:
                faults.append((each, f"@{each.name.value} {error}"))
    imported = {here: Element(each.spec, there) for each in links for here, there in each.imported.items()}
    prefixes = {each.prefix: (each.spec, each.own) for each in links if each.prefix}
    return Links(
        links=tuple(links),
        faults=(*faults, *_twice(links)),
        _imported=MappingProxyType(imported),
        _prefixes=MappingProxyType({"link": (LINK, "link"), "core": (CORE, "core"), **prefixes}),
    )


def _linking(applied: Iterable[DirectiveNode]) -> frozenset[str]:
    """Find what this schema calls the directive that links: the one that links the link specification itself."""
    names = {"link", "core"}
    for each in applied:
        try:
            link = _link(each)
        except ValueError:
            continue
        if link.spec in {LINK, CORE} and each.name.value in {link.prefix, *(one.lstrip("@") for one in link.imported)}:
            names.add(each.name.value)
    return frozenset(names)


def _link(node: DirectiveNode) -> Link:
    given = arguments_of(node)
    url = given.get("url", given.get("feature"))
    if not isinstance(url, str) or not url:
        raise ValueError("has no url.")
    spec, own, version = _address(url)
    prefix = given.get("as") or own
    if not isinstance(prefix, str) or "__" in prefix:
        raise ValueError(f"has {given.get('as')!r} as a prefix, which is none.")
    return Link(
        node=node,
        spec=spec,
        version=version,
        prefix=prefix,
        own=own or prefix,
        imported=MappingProxyType(dict(_imports(given.get("import")))),
        purpose=str(given.get("for") or ""),
    )


def _address(url: str) -> tuple[str, str, str]:
    """Take an address apart into the specification, its name and its version."""
    parts = urlsplit(url)
    segments = [each for each in parts.path.split("/") if each]
    last = segments[-1] if segments else ""
    version = segments.pop() if last[:1] == "v" and last[1:].replace(".", "").isdigit() else ""
    return "/".join([parts.netloc, *segments]), segments[-1] if segments else "", version


def _imports(given: Any) -> Iterator[tuple[str, str]]:
    several = given if isinstance(given, list) else [] if given is None else [given]  # GraphQL 3.11, Input Coercion
    for each in several:
        match each:
            case str():
                yield each, each
            case {"name": str(name), **more}:
                here = str(more.get("as") or name)
                if here.startswith("@") != name.startswith("@"):
                    raise ValueError(f"imports {name} as {here}: one is a directive and the other is none.")
                yield here, name
            case _:
                raise ValueError(f"imports {each!r}, which is no name.")


def _twice(links: list[Link]) -> Iterator[tuple[Node, str]]:
    """Name what two specifications claim: a prefix, an imported name, or one that begins with another's prefix."""
    claimed: dict[str, str] = {f"@{each.prefix}": each.spec for each in reversed(links) if each.prefix}
    for each in links:
        for name in (f"@{each.prefix}", *each.imported):
            prefix, parted, _ = name.partition("__")
            other = claimed.get(f"@{prefix.lstrip('@')}" if parted else name, each.spec)
            if name != "@" and other != each.spec:
                yield each.node, f"{name} is claimed by {other} and by {each.spec}: give one another name."
            claimed.setdefault(name, each.spec)
