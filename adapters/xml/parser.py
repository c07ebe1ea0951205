"""XML from outside can name other files, grow a thousandfold by entities, or never end; there is one parser, and it does none of it.

Any document type declaration is refused, before anything that it declares is looked at: no standard that we speak has
one. No entities, no network, no XInclude, nothing deeper than `DEEPEST`. What is wrong is `Malformed`, with the line and
the parser's reason; the parser's own exceptions stop here.

    read_xml     a message: capped before it is parsed, then checked against a schema
    XmlFeed      a document of any size, element by element, in flat memory

>>> read_xml(b"<alarm><severity>major</severity></alarm>").findtext("severity")
'major'
>>> feed = XmlFeed({"me"}, most_bytes_each=1_000)
>>> [each.get("name") for chunk in (b"<all><me name='a'/><me na", b"me='b'/></all>") for each in feed.feed(chunk)]
['a', 'b']
>>> feed.close()
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

from lxml import etree

from adapters.errors import Malformed

MOST_BYTES: Final = 1_048_576
"""of a message."""
DEEPEST: Final = 64
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LONGEST: Final = 300
"""of a reason."""
_NAMESPACE: Final = re.compile(r"\{[^}]*\}")
_OPTIONS: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}

Element = etree._Element  # noqa: SLF001 - lxml gives the type of its elements no other name


def read_xml(body: bytes, *, most_bytes: int = MOST_BYTES, schema: etree.XMLSchema | None = None) -> Element:
    """Read a message, and check it against a schema where one is given; raises Malformed."""
    if len(body) > most_bytes:
        raise Malformed(f"The message has more than {most_bytes} bytes", field="")
    prologue = _Prologue()
    prologue.feed(body)
    prologue.close()
    try:
        root: Element = etree.fromstring(body, etree.XMLParser(**_OPTIONS))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _malformed(error) from None
    for each in root.iter():
        _check_depth(each)
    if schema is not None:
        check(root, schema)
    return root


def check(root: Element, schema: etree.XMLSchema) -> None:
    """Raise Malformed, with the line, unless a document is as its schema says."""
    if not schema.validate(root):
        first = schema.error_log[0]
        raise Malformed(_sentence(first.line, first.message), field="")


def read_schema(path: Path) -> etree.XMLSchema:
    """Read a schema of ours."""
    return etree.XMLSchema(etree.parse(path, etree.XMLParser(no_network=True, resolve_entities=False)))


class XmlFeed:
    """Reads a document as it arrives, and gives the elements of some tags; of the rest nothing is kept.

    A tag is `{namespace}name`, as lxml writes it. An element that lies in another of them comes as a part of it. One whose
    bytes, with what lies before it, are more than `most_bytes_each` is Malformed, and so is a document without an end.
    """

    def __init__(self, tags: Collection[str], *, most_bytes_each: int = MOST_BYTES) -> None:
        self._tags = frozenset(tags)
        self._most = most_bytes_each
        self._parser = etree.XMLPullParser(events=("start", "end"), **_OPTIONS)
        self._prologue = _Prologue()
        self._depth = 0
        self._inside = 0
        """the depth of the element that is being read; 0: none is."""
        self._since = 0
        """bytes since the last one ended."""
        self._ended = False
        self.root = ""
        """the tag of the root element, once it has begun."""

    def feed(self, chunk: bytes) -> Iterator[Element]:
        """Take some bytes, and give the elements that end in them; each is gone when the next is asked for."""
        for start in range(0, len(chunk), self._most):
            part = chunk[start : start + self._most]
            self._since += len(part)
            self._prologue.feed(part)
            try:
                self._parser.feed(part)
            except (etree.XMLSyntaxError, ValueError) as error:
                raise _malformed(error) from None
            yield from self._elements()
            if self._since > 2 * self._most:
                raise Malformed(f"Between two elements, or in one, there are more than {self._most} bytes", field="")

    def close(self) -> None:
        """Take the end; raises Malformed where it comes too early."""
        self._prologue.close()
        try:
            self._parser.close()
        except (etree.XMLSyntaxError, ValueError) as error:
            if self._ended:
                raise _malformed(error) from None
            raise Malformed("The document breaks off, or names an entity", field="") from None

    def _elements(self) -> Iterator[Element]:
        try:
            for event, element in self._parser.read_events():
                if event == "start":
                    self._begin(element)
                    continue
                found = self._inside == self._depth
                if found:
                    self._inside, self._since = 0, 0
                    yield element
                self._depth -= 1
                self._ended = not self._depth
                if not self._inside:
                    _forget(element)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise _malformed(error) from None

    def _begin(self, element: Element) -> None:
        self._depth += 1
        self.root = self.root or str(element.tag)
        if self._depth > DEEPEST:
            raise Malformed(_sentence(element.sourceline, f"There are more than {DEEPEST} levels"), field="")
        if not self._inside and element.tag in self._tags:
            self._inside = self._depth


def _forget(element: Element) -> None:
    """Let go of an element that is over: of what it holds, and of those before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and len(parent) > 1:
        del parent[0]


class _Prologue:
    """Looks at what comes before the root element, and refuses a document type there."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._root
        self._over = False

    def feed(self, chunk: bytes) -> None:
        if self._over:
            return
        try:
            self._parser.Parse(chunk, False)  # noqa: FBT003 - expat's signature
        except _Over:
            self._over = True
        except (expat.ExpatError, ValueError, LookupError) as error:
            if not self._over:
                line = getattr(error, "lineno", None)
                raise Malformed(
                    _sentence(line, expat.ErrorString(getattr(error, "code", 0)) or str(error)), field=""
                ) from None

    def close(self) -> None:
        if not self._over:
            raise Malformed("The document has no root element", field="")

    def _doctype(self, *_: object) -> None:
        raise Malformed(_sentence(self._parser.CurrentLineNumber, "A document type (DOCTYPE) is not taken"), field="")

    def _root(self, *_: object) -> None:
        self._over = True
        raise _Over


class _Over(Exception):
    """The root element begins."""


def legal(text: str) -> str:
    """Replace what XML 1.0 has no way to carry: controls, halves of pairs, U+FFFE and U+FFFF.

    >>> legal(chr(7) + "bell") == chr(0xFFFD) + "bell"
    True
    """
    return _ILLEGAL.sub("\ufffd", text)


def _check_depth(element: Element) -> None:
    """Raise Malformed for an element that lies too deep, or is none."""
    if not isinstance(element.tag, str):
        raise Malformed(_sentence(element.sourceline, "An entity is not taken"), field="")
    if sum(1 for _ in element.iterancestors()) >= DEEPEST:
        raise Malformed(_sentence(element.sourceline, f"There are more than {DEEPEST} levels"), field="")


def _malformed(error: Exception) -> Malformed:
    line = error.lineno if isinstance(error, etree.XMLSyntaxError) else None
    return Malformed(_sentence(line, str(getattr(error, "msg", None) or error)), field="")


def _sentence(line: int | None, reason: str) -> str:
    told = _NAMESPACE.sub("", reason).rstrip(".")[:LONGEST]
    return f"Line {line}: {told}" if line else f"It is no XML that is taken: {told}"
