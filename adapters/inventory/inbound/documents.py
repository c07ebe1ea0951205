"""A document of a gigabyte cannot be parsed and then looked at; its resources are taken out of it as it arrives.

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

import codecs
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

import orjson

from adapters.errors import Malformed
from adapters.inventory import mtosi_resource
from adapters.inventory.tmf639_resource import read_told
from adapters.xml.parser import XmlFeed
from graph.model.resource import Resource

MOST_BYTES: Final = 262_144
"""of one element."""
_MTOSI: Final = ("{http://www.tmforum.org/mtop/", "{http://schemas.xmlsoap.org/soap/envelope/}")
"""how the tags begin that a document of MTOSI may have for its root."""
_BLANK: Final = " \t\r\n"


class Reader(Protocol):
    """Reads a document as it arrives."""

    def feed(self, chunk: bytes) -> Iterator[Resource]:
        """Take some bytes, and give the resources that end in them; raises Malformed."""
        ...

    def close(self) -> Iterator[Resource]:
        """Take the end, and give what it ends; raises Malformed where it comes too early."""
        ...


class JsonLines:
    """A resource, or an event about one, in each line; blank lines are passed over."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._rest = b""
        self._line = 0

    def feed(self, chunk: bytes) -> Iterator[Resource]:
        """Take some bytes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for each in lines:
            yield from self._one(each)
        if len(self._rest) > self._most:
            raise self._too_long()

    def close(self) -> Iterator[Resource]:
        """Take the last line, which needs no end."""
        yield from self._one(self._rest)

    def _one(self, line: bytes) -> Iterator[Resource]:
        self._line += 1
        if len(line) > self._most:
            self._line -= 1
            raise self._too_long()
        if not line.strip():
            return
        try:
            raw = orjson.loads(line)
        except ValueError as error:
            raise Malformed(f"Line {self._line} is not JSON: {error}", field="") from None
        yield _read(raw, f"Line {self._line}")

    def _too_long(self) -> Malformed:
        return Malformed(f"Line {self._line + 1} has more than {self._most} bytes", field="")


class JsonArray:
    """One array of resources, or of events about them."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._decode = codecs.getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder(parse_constant=_no_number)
        self._text = ""
        self._at = 0
        self._item = 0
        self._next: Callable[[], Resource | None] | None = self._begin

    def feed(self, chunk: bytes) -> Iterator[Resource]:
        """Take some bytes."""
        self._add(chunk, final=False)
        while self._next is not None and self._look() is not None:
            before = self._at, self._next
            resource = self._next()
            if resource is not None:
                yield resource
            elif (self._at, self._next) == before:
                self._check_length()
                break
        if self._next is None and self._look() is not None:
            raise Malformed("Something stands behind the end of the array", field="")

    def close(self) -> Iterator[Resource]:
        """Take the end."""
        self._add(b"", final=True)
        if self._next is not None:
            raise Malformed(f"The array ends in item {self._item + 1}, before its ]", field="")
        yield from ()

    def _add(self, chunk: bytes, *, final: bool) -> None:
        try:
            self._text = self._text[self._at :] + self._decode.decode(chunk, final)
        except UnicodeDecodeError:
            raise Malformed("The document is not in UTF-8", field="") from None
        self._at = 0

    def _look(self) -> str | None:
        """Give the next character that means something; None when it has not arrived."""
        while self._at < len(self._text):
            if self._text[self._at] not in _BLANK:
                return self._text[self._at]
            self._at += 1
        return None

    def _begin(self) -> None:
        if self._look() != "[":
            raise Malformed("The document is no JSON array", field="")
        self._at += 1
        self._next = self._first

    def _first(self) -> None:
        if self._look() == "]":
            self._end()
        else:
            self._next = self._one

    def _one(self) -> Resource | None:
        if self._look() != "{":
            raise Malformed(f"Item {self._item + 1} is no object", field="")
        try:
            raw, self._at = self._json.raw_decode(self._text, self._at)
        except json.JSONDecodeError:
            return None  # or it has not all arrived: whichever it is, it may not become too long
        except (ValueError, RecursionError):
            raise self._wrong() from None
        self._item += 1
        self._next = self._behind
        return _read(raw, f"Item {self._item}")

    def _behind(self) -> None:
        match self._look():
            case ",":
                self._at += 1
                self._next = self._one
            case "]":
                self._end()
            case _:
                raise Malformed(f"Behind item {self._item} there is neither a comma nor a ]", field="")

    def _end(self) -> None:
        self._at += 1
        self._next = None

    def _check_length(self) -> None:
        if len(self._text) - self._at > self._most:
            raise self._wrong()

    def _wrong(self) -> Malformed:
        return Malformed(f"Item {self._item + 1} is not JSON, or has more than {self._most} bytes", field="")


class MtosiDocument:
    """Inventory as MTOSI has it, whatever is round its elements."""

    def __init__(self, most_bytes: int) -> None:
        self._feed = XmlFeed(mtosi_resource.TAGS, most_bytes_each=most_bytes)
        self._is_one = False

    def feed(self, chunk: bytes) -> Iterator[Resource]:
        """Take some bytes."""
        for element in self._feed.feed(chunk):
            self._is_one = True
            resource = mtosi_resource.read(element)
            if resource is not None:
                yield resource

    def close(self) -> Iterator[Resource]:
        """Take the end."""
        self._feed.close()
        if not self._is_one and not self._feed.root.startswith(_MTOSI):
            raise Malformed("It holds nothing of MTOSI's inventory, and its root element is none of MTOSI's", field="")
        yield from ()


READERS: Final[Mapping[str, Callable[[int], Reader]]] = {
    "application/x-ndjson": JsonLines,
    "application/json": JsonArray,
    "application/xml": MtosiDocument,
    "text/xml": MtosiDocument,
}
"""By media type."""


def _read(raw: object, where: str) -> Resource:
    try:
        return read_told(raw)
    except Malformed as error:
        field = f"{error.field}: " if error.field else ""
        raise Malformed(f"{where}: {field}{error.message}", field="") from None


def _no_number(text: str) -> Any:
    raise ValueError(text)
