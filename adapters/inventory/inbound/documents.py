"""A document of a gigabyte cannot be parsed and then looked at; its resources are taken out of it as it arrives.

What its protocol allows and the graph has no place for comes out as `NotTaken`, with the reason.
Three forms: lines of JSON, one JSON array, XML of MTOSI. Each reader takes bytes and gives the resources that end in them;
it holds no more than one element and a chunk. What is wrong is Malformed with the line or the number of the item, and so is
a document that ends too early.

>>> reader = JsonArray(most_bytes=1_000)
>>> [each.name for part in (b'[{"id": "R1", "cat', b'egory": "port"}]') for each in reader.feed(part)]
['R1']
>>> list(reader.close())
[]
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeAlias, assert_never

import orjson

from adapters.errors import Malformed
from adapters.inventory import mtosi_resource
from adapters.inventory.no_place import kept_out
from adapters.inventory.tmf639_resource import read_told
from adapters.xml.confinement import confined
from adapters.xml.parser import Element, XmlFeed
from graph.model.resource import NotTaken, Resource

Entry: TypeAlias = Resource | NotTaken
MOST_BYTES: Final = 262_144
"""of one element."""
_MTOSI: Final = ("{http://www.tmforum.org/mtop/", "{http://schemas.xmlsoap.org/soap/envelope/}")
"""how the tags begin that a document of MTOSI may have for its root."""
_BLANK: Final = re.compile(rb"[ \t\r\n]*")
_OUTSIDE: Final = re.compile(rb'["{}\[\]]')
_IN_TEXT: Final = re.compile(rb'["\\]')


class Reader(Protocol):
    """Reads a document as it arrives."""

    def feed(self, chunk: bytes) -> Iterator[Entry]:
        """Take some bytes, and give the resources that end in them; raises Malformed."""
        ...

    def close(self) -> Iterator[Entry]:
        """Take the end, and give what it ends; raises Malformed where it comes too early."""
        ...


class JsonLines:
    """A resource, or an event about one, in each line; blank lines are passed over."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._open = bytearray()
        self._line = 0

    def feed(self, chunk: bytes) -> Iterator[Entry]:
        """Take some bytes."""
        *lines, rest = chunk.split(b"\n")
        for each in lines:
            self._add(each)
            yield from self._one()
        self._add(rest)

    def close(self) -> Iterator[Entry]:
        """Take the last line, which needs no end."""
        yield from self._one()

    def _add(self, part: bytes) -> None:
        self._open += part
        if len(self._open) > self._most:
            raise Malformed(f"Line {self._line + 1} has more than {self._most} bytes", field="")

    def _one(self) -> Iterator[Entry]:
        line, self._open = self._open, bytearray()
        self._line += 1
        if not line.strip():
            return
        try:
            raw = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            where = f"Line {self._line}, column {error.colno}"
            raise Malformed(f"{where}: this is not JSON: {error.msg}", field="") from None
        yield _read(raw, f"Line {self._line}")


class _At(enum.Enum):
    """What may come next in an array."""

    BEGIN = enum.auto()
    FIRST = enum.auto()
    """an item, or the end of an empty array."""
    ITEM = enum.auto()
    BEHIND = enum.auto()
    """a comma, or the end."""
    OVER = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where in a document something is; columns are counted in bytes, as the document comes in bytes."""

    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"

    def behind(self, passed: bytes | bytearray) -> _Place:
        """Give the place behind some bytes from here."""
        lines = passed.count(b"\n")
        if not lines:
            return _Place(line=self.line, column=self.column + len(passed))
        return _Place(line=self.line + lines, column=len(passed) - passed.rindex(b"\n"))


class JsonArray:
    """One array of resources, or of events about them; each byte is looked at once until its item is whole."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._json = json.JSONDecoder(parse_constant=_no_number)
        self._at = _At.BEGIN
        self._item = 0
        self._place = _Place()
        """of what comes next; while an item is open, of its beginning."""
        self._open = bytearray()
        self._depth = 0
        self._in_text = False
        self._is_escaped = False

    def feed(self, chunk: bytes) -> Iterator[Entry]:
        """Take some bytes."""
        at = 0
        while at < len(chunk):
            if self._depth:
                end = self._end_of_item(chunk, at)
                self._add(chunk[at:end])
                at = end
                if not self._depth:
                    yield self._one()
                continue
            end = _BLANK.match(chunk, at).end()  # type: ignore[union-attr]  # it matches nothing, too
            self._place = self._place.behind(chunk[at:end])
            at = end
            if at < len(chunk):
                self._take(chunk[at : at + 1])
                at += 1

    def close(self) -> Iterator[Entry]:
        """Take the end."""
        if self._at is not _At.OVER:
            place = self._place.behind(self._open)
            raise Malformed(f"The array ends in item {self._item + 1}, before its ] ({place})", field="")
        yield from ()

    def _take(self, mark: bytes) -> None:
        """Take a character outside of items."""
        match self._at, mark:
            case _At.BEGIN, b"[":
                self._at = _At.FIRST
            case ((_At.FIRST | _At.ITEM), b"{"):
                self._depth = 1
                self._add(mark)
                return  # the place is the item's, until it is whole
            case ((_At.FIRST | _At.BEHIND), b"]"):
                self._at = _At.OVER
            case _At.BEHIND, b",":
                self._at = _At.ITEM
            case _:
                raise self._unexpected()
        self._place = self._place.behind(mark)

    def _unexpected(self) -> Malformed:
        match self._at:
            case _At.BEGIN:
                reason = "The document is no JSON array"
            case _At.FIRST | _At.ITEM:
                reason = f"Item {self._item + 1} is no object"
            case _At.BEHIND:
                reason = f"Behind item {self._item} there is neither a comma nor a ]"
            case _At.OVER:
                reason = "Something stands behind the end of the array"
            case never:
                assert_never(never)
        return Malformed(f"{reason} ({self._place})", field="")

    def _end_of_item(self, chunk: bytes, at: int) -> int:
        """Give the place behind the open item's end, or the chunk's; brackets in texts do not count."""
        if self._is_escaped:
            self._is_escaped = False
            at += 1
        while self._depth and (found := (_IN_TEXT if self._in_text else _OUTSIDE).search(chunk, at)):
            at = found.end()
            match found[0]:
                case b'"':
                    self._in_text = not self._in_text
                case b"\\":
                    self._is_escaped = at == len(chunk)
                    at += 1
                case b"{" | b"[":
                    self._depth += 1
                case _:
                    self._depth -= 1
        return at if not self._depth else len(chunk)

    def _add(self, part: bytes) -> None:
        self._open += part
        if len(self._open) > self._most:
            raise self._wrong(f"this has more than {self._most} bytes")

    def _one(self) -> Entry:
        item, self._open = self._open, bytearray()
        try:
            raw = self._json.decode(item.decode())
        except UnicodeDecodeError as error:
            raise self._wrong("this is not in UTF-8", item[: error.start]) from None
        except json.JSONDecodeError as error:
            before = error.doc[: error.pos].encode()
            raise self._wrong(f"this is not JSON: {error.msg}", before) from None
        except RecursionError:
            raise self._wrong("this is nested too deep") from None
        except ValueError as error:
            raise self._wrong(f"this is not JSON: {error} is no number") from None
        self._item += 1
        self._at = _At.BEHIND
        self._place = self._place.behind(item)
        return _read(raw, f"Item {self._item}")

    def _wrong(self, reason: str, before: bytes | bytearray = b"") -> Malformed:
        """Say what is wrong behind some bytes of the item."""
        return Malformed(f"Item {self._item + 1} ({self._place.behind(before)}): {reason}", field="")


class MtosiDocument:
    """Inventory as MTOSI has it, whatever is round its elements."""

    def __init__(self, most_bytes: int) -> None:
        self._feed = XmlFeed(mtosi_resource.TAGS, most_bytes_each=most_bytes)
        self._is_one = False

    def feed(self, chunk: bytes) -> Iterator[Entry]:
        """Take some bytes."""
        return iter(self._read(self._feed.feed(chunk)))

    def close(self) -> Iterator[Entry]:
        """Take the end."""
        found = self._read(self._feed.close())
        if not self._is_one and not self._feed.root.startswith(_MTOSI):
            raise Malformed("It holds nothing of MTOSI's inventory, and its root element is none of MTOSI's", field="")
        return iter(found)

    def _read(self, elements: list[Element]) -> list[Entry]:
        self._is_one = self._is_one or bool(elements)
        return _resources(elements) if elements else []


@confined
def _resources(elements: list[Element]) -> list[Entry]:
    found = (kept_out(partial(mtosi_resource.read, each)) for each in elements)
    return [each for each in found if each is not None]


READERS: Final[Mapping[str, Callable[[int], Reader]]] = {
    "application/x-ndjson": JsonLines,
    "application/json": JsonArray,
    "application/xml": MtosiDocument,
    "text/xml": MtosiDocument,
}
"""By media type."""


def _read(raw: object, where: str) -> Entry:
    try:
        return kept_out(partial(read_told, raw))
    except Malformed as error:
        field = f"{error.field}: " if error.field else ""
        raise Malformed(f"{where}: {field}{error.message}", field="") from None


def _no_number(text: str) -> Any:
    raise ValueError(text)
