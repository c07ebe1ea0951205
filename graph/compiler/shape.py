"""Last stage of a read: one function, generated per statement, that makes the response of the record.

The record is nested positional lists; the response is dicts in the order of the document. Walking a layout for every
answer would cost more than the statement, so the walk is done once, here, and its result is Python source: one
expression of dict displays and comprehensions. It checks what GraphQL promises (no null where the type says so, 32 bit
integers, known enum values) as it goes, and raises `Irregular` at the first breach. Then, and only then, graphql-core's
executor runs over the same record (graph/compiler/irregular.py), so that errors, their paths and the nulls are its own.

Two functions come out of one writer: the strict one above, and a lenient one that only gives the values names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from graphql import GraphQLEnumType, GraphQLSchema

from graph.compiler.bind import entity_id, page_size
from graph.compiler.cursor import CursorKey
from graph.compiler.layout import (
    AllThere,
    Body,
    Choice,
    Constant,
    Cursor,
    Edges,
    EntityList,
    Inline,
    Joined,
    Leaf,
    Many,
    Member,
    Nodes,
    Object,
    One,
    Page,
    PageInfo,
    PageMember,
    Total,
)
from graph.compiler.leaves import CHECKS, CONVERTED, LEAF_VALUES, OTHERWISE, WORDS
from graph.errors import Refused

Shape = Callable[[Any, Sequence[Mapping[str, Any]], CursorKey], dict[str, Any]]
"""(record, arguments by slot, cursor key) -> the response's data."""

TYPE_KEY: Final = "\0type"
"""Where the lenient function leaves the name of an abstract value's type."""


def shaper(schema: GraphQLSchema, layout: Object, *, strict: bool) -> tuple[Shape, str]:
    """Generate the function for a layout, and give its source too."""
    writer = _Writer(schema=schema, strict=strict)
    body = writer.object(layout, "row", tag=False)
    source = "\n".join([*writer.functions, "def shape(row, arguments, key):", f"    return {body}", ""])
    scope = dict(writer.values)
    exec(compile(source, "<shape>", "exec"), scope)  # noqa: S102  the source is made of indexes and quoted names only
    made: Shape = scope["shape"]
    return made, source


@dataclass(slots=True, kw_only=True)
class _Writer:
    """Writes expressions; whatever needs statements becomes a function of its own."""

    schema: GraphQLSchema
    strict: bool
    functions: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=lambda: dict(_VALUES))
    count: int = 0

    def name(self) -> str:
        """Give a name that the source does not have yet."""
        self.count += 1
        return f"x{self.count}"

    def object(self, layout: Object, row: str, *, tag: bool) -> str:
        """Write the dict of one object."""
        members = [f"{key!r}: {self.member(member, row)}" for key, member in layout.members]
        if tag and not self.strict:
            members.append(f"{TYPE_KEY!r}: {layout.type!r}")
        return "{" + ", ".join(members) + "}"

    def body(self, layout: Body, row: str) -> str:
        """Write an object whose type may be known only by its row."""
        match layout:
            case Object():
                return self.object(layout, row, tag=False)
            case Choice(options=options):
                table = self.name()
                rows = {each.type: self._function(self.object(each, "row", tag=True)) for each in options}
                entries = ", ".join(f"{type_!r}: {function}" for type_, function in rows.items())
                self.functions.append(f"{table} = {{{entries}}}")
                return f"{table}[{row}[0]]({row}, arguments, key)"
            case never:
                assert_never(never)

    def _function(self, expression: str, *lines: str) -> str:
        name = self.name()
        self.functions.append("\n".join([f"def {name}(row, arguments, key):", *lines, f"    return {expression}"]))
        return name

    def member(self, layout: Member, row: str) -> str:
        """Write one value."""
        match layout:
            case Leaf():
                return self.leaf(layout, row)
            case Constant(value=value):
                return repr(value)
            case Inline(body=inner):
                return self.object(inner, row, tag=False)
            case Joined(index=index, body=inner, required=required):
                other = "bad()" if required and self.strict else "None"
                return f"({self.object(inner, row, tag=False)} if {row}[{index}] is not None else {other})"
            case One(index=index, body=inner, required=required):
                var = self.name()
                value = self.body(inner, var)
                if required and self.strict:
                    return f"({value} if ({var} := {row}[{index}]) is not None else bad())"
                return f"(None if ({var} := {row}[{index}]) is None else {value})"
            case Many(index=index, body=inner):
                var = self.name()
                return f"[{self.body(inner, var)} for {var} in {row}[{index}]]"
            case EntityList() | AllThere() | Page():
                return self._argued(layout, row)
            case never:
                assert_never(never)

    def _argued(self, layout: EntityList | AllThere | Page, row: str) -> str:
        """Write what depends on the field's arguments."""
        match layout:
            case EntityList():
                return self._entities(layout, row)
            case AllThere():
                asked = f"arguments[{layout.slot}][{layout.argument!r}], {layout.key!r}"
                return f"all_there({row}[{layout.index}], {asked}) and {self.member(layout.of, row)}"
            case Page():
                return self._page(layout, row)
            case never:
                assert_never(never)

    def leaf(self, layout: Leaf, row: str) -> str:
        """Write a scalar or enum value with the checks of its type."""
        place = f"{row}[{layout.index}]"
        if isinstance(enum := self.schema.type_map.get(layout.type), GraphQLEnumType):
            table = f"enum_{layout.type}"
            words = {word: name for word, name in WORDS.items() if name in enum.values}
            self.values[table] = words if not self.strict or layout.required else {None: None, **words}
            return f"{table}[{place}]" if self.strict else f"{table}.get({place}, {place})"
        if not self.strict:
            return f"lenient_{layout.type}({place})" if layout.type in CONVERTED else place
        if layout.type not in CHECKS:
            return f"strict_{layout.type}({place})" if layout.required else f"optional(strict_{layout.type}, {place})"
        var = self.name()
        check = CHECKS[layout.type]
        other = OTHERWISE.get(layout.type, "bad()").format(var=var)
        if layout.required:
            return f"({var} if {check.format(first=f'({var} := {place})', var=var)} else {other})"
        return f"({var} if ({var} := {place}) is None or {check.format(first=var, var=var)} else {other})"

    def _entities(self, layout: EntityList, row: str) -> str:
        made = [(each.type, self._function(self.object(each, "row", tag=True))) for each in layout.options]
        table = self.name()
        self.functions.append(f"{table} = ({''.join(f'({type_!r}, {function}), ' for type_, function in made)})")
        return f"entities({row}[{layout.index}], arguments[{layout.slot}], {table}, arguments, key)"

    def _page(self, layout: Page, row: str) -> str:
        if not any(isinstance(each, PageInfo) for _, each in layout.members):
            rows = f"{row}[{layout.index}]{'[::-1]' if layout.backward else ''}"
            return self._connection(layout, row, rows)
        lines = [
            f"    rows = row[{layout.index}]",
            f"    size = page_size(arguments[{layout.slot}])",
            "    more = len(rows) > size",
            f"    rows = rows[:size]{'[::-1]' if layout.backward else ''}",
        ]
        return f"{self._function(self._connection(layout, 'row', 'rows'), *lines)}({row}, arguments, key)"

    def _connection(self, layout: Page, row: str, rows: str) -> str:
        members = [f"{key!r}: {self._page_member(layout, each, row, rows)}" for key, each in layout.members]
        return "{" + ", ".join(members) + "}"

    def _page_member(self, page: Page, layout: PageMember, row: str, rows: str) -> str:
        match layout:
            case Constant(value=value):
                return repr(value)
            case Total(index=index):
                return f"{row}[{index}]"
            case Nodes(body=inner):
                var = self.name()
                return f"[{self.object(inner, var, tag=False)} for {var} in {rows}]"
            case Edges(members=members):
                var = self.name()
                written = ", ".join(f"{key!r}: {self._edge(each, var)}" for key, each in members)
                return f"[{{{written}}} for {var} in {rows}]"
            case PageInfo(keys=keys):
                return "{" + ", ".join(f"{key!r}: {self._info(page, layout, name)}" for key, name in keys) + "}"
            case never:
                assert_never(never)

    def _edge(self, layout: Cursor | Object | Constant, row: str) -> str:
        match layout:
            case Cursor(index=index, context=context):
                return f"key.seal({row}[{index}], {context!r})"
            case Object():
                return self.object(layout, row, tag=False)
            case Constant(value=value):
                return repr(value)
            case never:
                assert_never(never)

    def _info(self, page: Page, layout: PageInfo, name: str) -> str:
        match name:
            case "hasNextPage":
                return repr(layout.beyond) if page.backward else "more"
            case "hasPreviousPage":
                return "more" if page.backward else repr(layout.beyond)
            case "startCursor" | "endCursor" if layout.cursor:
                place = f"rows[{0 if name == 'startCursor' else -1}][{layout.cursor.index}]"
                return f"(key.seal({place}, {layout.cursor.context!r}) if rows else None)"
            case _:
                return repr("PageInfo")


def _entities(
    found: Any,
    asked: Mapping[str, Any],
    options: tuple[tuple[str, Shape], ...],
    arguments: Sequence[Mapping[str, Any]],
    key: CursorKey,
) -> list[Any]:
    """Put the entities of each type back in the order of the representations; one that is not there is null."""
    rows: dict[str, tuple[Shape, Iterator[Any]]] = {
        type_: (make, iter(each)) for (type_, make), each in zip(options, found, strict=True)
    }
    made = []
    for each in asked["representations"]:
        entity_id(each)
        make, queue = rows.get(each.get("__typename"), (None, iter(())))
        row = next(queue, None)
        made.append(make(row, arguments, key) if make is not None and row is not None else None)
    return made


def _all_there(found: Sequence[str | None], asked: Sequence[str], key: str) -> bool:
    """Refuse ids that were not found, whether there is no such node or the caller may not see it."""
    there = set(found)
    missing = [each for each in dict.fromkeys(asked) if each not in there]
    if not missing:
        return True
    named = ", ".join(f"{each[:_NAMED_LENGTH]!r}" for each in missing[:_NAMED_MOST])
    more = f" and {len(missing) - _NAMED_MOST} more" if len(missing) > _NAMED_MOST else ""
    hint = "Ask for sites, network elements, cards, ports or trunks that you can see."
    raise Refused(
        f"There is nothing that could fail with the id {named}{more}.", code="BAD_USER_INPUT", path=(key,), hint=hint
    )


_NAMED_MOST: Final = 10
_NAMED_LENGTH: Final = 100

_VALUES: Final[Mapping[str, Any]] = {
    **LEAF_VALUES,
    "page_size": page_size,
    "entities": _entities,
    "all_there": _all_there,
}
