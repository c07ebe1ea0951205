"""XML from outside can name other files, grow a thousandfold by entities, or never end; there is one parser, and it does none of it.

Any document type declaration is refused, before anything that it declares is looked at: no standard that we speak has
one. No entities, no network, no XInclude, UTF-8 only, nothing deeper than `DEEPEST`, no more than `MOST_NAMES` different
names. expat reads; elements of lxml are made of what it finds, in a thread that is replaced now and then
(`confinement.py`). What is wrong is `Malformed`, with the line and the parser's reason; the parser's own exceptions stop here.

    read_xml     a message: capped before it is parsed, then checked against a schema
    XmlFeed      a document of any size, element by element, in flat memory

>>> read_xml(b"<alarm><severity>major</severity></alarm>").findtext("severity")
'major'
>>> feed = XmlFeed({"me"}, most_bytes_each=1_000)
>>> [each.get("name") for chunk in (b"<all><me name='a'/><me na", b"me='b'/></all>") for each in feed.feed(chunk)]
[]
>>> [each.get("name") for each in feed.close()]
['a', 'b']
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final
from xml.parsers import expat

from lxml import etree

from adapters.errors import Malformed
from adapters.xml.confinement import confined, count

MOST_BYTES: Final = 1_048_576
"""of a message."""
DEEPEST: Final = 64
MOST_NAMES: Final = 2_000
"""of a document: elements, attributes, prefixes and namespaces. All that we speak has 300."""
LONGEST_NAME: Final = 1_000
PROLOGUE_BYTES: Final = 16_384
"""before the end of the root element's start tag."""
LONGEST: Final = 300
"""of a reason."""
_STEP: Final = 64
"""bytes of a prologue that are read at a time."""
_BLOCK: Final = 32_768
"""bytes of a feed that are read at a time: expat reads what is open once more with whatever comes."""
_TEXT: Final = 65_536
"""bytes of a text that come at a time."""
_LAST_LINE: Final = 65_535
"""that libxml2 can keep with an element."""
_ENCODINGS: Final = frozenset({"utf-8", "us-ascii"})
_OTHER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff", b"\0")
"""how documents begin that are in UTF-16 or UTF-32, beside those whose second byte is 0."""
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_URI: Final = re.compile(r"[A-Za-z0-9:/?#\[\]@!$&'()*+,;=._~%-]*")
"""RFC 3986: what a namespace is made of."""
_QUALIFIED: Final = re.compile(r"\{([^{}\s]*[:/.][^{}\s]*)\}([\w.-]+)")
"""A name with its namespace, which is a URI; `{4}` of a pattern is none."""
_ROOT: Final = "validation root"
_XML_ID: Final = "http://www.w3.org/XML/1998/namespace}id"

Element = etree._Element  # noqa: SLF001 - lxml gives the type of its elements no other name


@confined
def read_xml(body: bytes, *, most_bytes: int = MOST_BYTES, schema: etree.XMLSchema | None = None) -> Element:
    """Read a message, and check it against a schema where one is given; raises Malformed."""
    if len(body) > most_bytes:
        raise Malformed(f"The message has more than {most_bytes} bytes", field="")
    document = _Document(None)
    document.feed(body)
    document.close()
    root = document.found.pop()
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
        self._document = _Document(frozenset(tags))
        self._most = most_bytes_each
        self._waiting = bytearray()

    @property
    def root(self) -> str:
        """The tag of the root element, once it has begun."""
        return self._document.root

    def feed(self, chunk: bytes) -> list[Element]:
        """Take some bytes, and give elements that have ended, in blocks."""
        self._waiting += chunk
        return self._read() if len(self._waiting) >= min(_BLOCK, self._most) else []

    @confined
    def close(self) -> list[Element]:
        """Take the end, and give the last elements; raises Malformed where it comes too early."""
        found = self._read()
        self._document.close()
        return found

    @confined
    def _read(self) -> list[Element]:
        """Read what waits."""
        waiting, self._waiting = bytes(self._waiting), bytearray()
        step = min(_BLOCK, self._most)
        for start in range(0, len(waiting), step):
            self._document.feed(waiting[start : start + step])
            if self._document.since > 2 * self._most:
                raise Malformed(f"Between two elements, or in one, there are more than {self._most} bytes", field="")
        found, self._document.found = self._document.found, []
        return found


class _Document:
    """What expat finds in a document becomes elements: the root, or those of some tags."""

    def __init__(self, tags: frozenset[str] | None) -> None:
        self._tags = tags
        # The encoding is ours to say, whatever a document declares; names need not be kept longer than the document.
        self._expat = expat.ParserCreate("utf-8", "}", None)
        self._expat.buffer_text = True
        self._expat.buffer_size = _TEXT
        self._expat.XmlDeclHandler = _weakly(self._declared_encoding)
        self._expat.StartDoctypeDeclHandler = _weakly(self._doctype)
        self._expat.StartNamespaceDeclHandler = _weakly(self._begin_namespace)
        self._expat.EndNamespaceDeclHandler = _weakly(self._end_namespace)
        self._expat.StartElementHandler = _weakly(self._begin)
        self._expat.EndElementHandler = _weakly(self._end)
        self._expat.CharacterDataHandler = _weakly(self._text)
        self._open: list[Element] = []
        """the element that is being read, and those inside it, the innermost last."""
        self._names: set[str] = set()
        self._scope: dict[str | None, list[str]] = {}
        """namespaces by prefix, the innermost last."""
        self._new: dict[str | None, str] = {}
        """those that the next element declares."""
        self._depth = 0
        self._size = 0
        self._last = 0
        """bytes before the end of the last element that was found."""
        self._is_over = False
        self.root = ""
        self.found: list[Element] = []

    @property
    def since(self) -> int:
        """Count the bytes since the last element that was found."""
        return self._size - self._last

    def feed(self, part: bytes) -> None:
        """Take some bytes; raises Malformed."""
        count(len(part))
        if not self._size and (part.startswith(_OTHER_MARKS) or part[1:2] == b"\0"):
            raise Malformed("The document is not in UTF-8", field="")
        at = 0
        # expat goes on to the end of what it was given when a handler has raised: before the root that must be little.
        while at < len(part) and not self.root:
            if self._size > PROLOGUE_BYTES:
                raise Malformed(f"The root element has not begun after {PROLOGUE_BYTES} bytes", field="")
            self._parse(part[at : at + _STEP])
            at += _STEP
        if at < len(part):
            self._parse(part[at:])

    def close(self) -> None:
        """Take the end; raises Malformed."""
        if not self.root:
            self._parse(b"", ends=True, otherwise="The document has no root element")
        self._parse(b"", ends=True, otherwise="" if self._is_over else "The document breaks off")

    def _parse(self, part: bytes, *, ends: bool = False, otherwise: str = "") -> None:
        self._size += len(part)
        try:
            self._expat.Parse(part, ends)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code) or str(error)
            raise Malformed(
                _sentence(error.lineno, f"{otherwise}: {reason}" if otherwise else reason), field=""
            ) from None
        except ValueError as error:  # lxml's, of what it cannot hold
            raise self._malformed(str(error)) from None

    # What expat finds

    def _declared_encoding(self, _: str, encoding: str | None, __: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise self._malformed(f"The declared encoding {encoding[:20]} is not UTF-8")

    def _doctype(self, *_: object) -> None:
        raise self._malformed("A document type (DOCTYPE) is not taken")

    def _begin_namespace(self, prefix: str | None, uri: str | None) -> None:
        self._name(prefix or "")
        self._name(uri or "")
        if not _URI.fullmatch(uri or ""):
            raise self._malformed("A namespace is no URI")
        self._scope.setdefault(prefix, []).append(uri or "")
        self._new[prefix] = uri or ""

    def _end_namespace(self, prefix: str | None) -> None:
        self._scope[prefix].pop()

    def _begin(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._malformed(f"There are more than {DEEPEST} levels")
        for each in (name, *attributes):
            self._name(each)
        self._name(attributes.get(_XML_ID, ""))  # libxml2 keeps it with the names
        tag = _tag(name)
        self.root = self.root or tag
        declared, self._new = self._new, {}
        if self._open:
            self._build(tag, attributes, declared)
        elif self._tags is None or tag in self._tags:
            self._build(tag, attributes, {prefix: uris[-1] for prefix, uris in self._scope.items() if uris})

    def _build(self, tag: str, attributes: Mapping[str, str], declared: Mapping[str | None, str]) -> None:
        namespaces = {prefix: uri for prefix, uri in declared.items() if prefix != "xml" and (uri or prefix is None)}
        values = {_tag(name): value for name, value in attributes.items()}
        if self._open:
            made = etree.SubElement(self._open[-1], tag, values, namespaces)
        else:
            made = etree.Element(tag, values, namespaces)
        made.sourceline = min(self._expat.CurrentLineNumber, _LAST_LINE)  # type: ignore[misc]  # the stubs do not know that it can be set
        self._open.append(made)

    def _text(self, text: str) -> None:
        if not self._open:
            return
        around = self._open[-1]
        if len(around):
            around[-1].tail = (around[-1].tail or "") + text
        else:
            around.text = (around.text or "") + text

    def _end(self, _: str) -> None:
        if self._open:
            ended = self._open.pop()
            if not self._open:
                self.found.append(ended)
                self._last = self._expat.CurrentByteIndex
        self._depth -= 1
        self._is_over = not self._depth

    def _name(self, name: str) -> None:
        if not name or name in self._names:
            return
        if len(name) > LONGEST_NAME:
            raise self._malformed(f"A name has more than {LONGEST_NAME} characters")
        if len(self._names) >= MOST_NAMES:
            raise self._malformed(f"The document has more than {MOST_NAMES} different names")
        self._names.add(name)

    def _malformed(self, reason: str) -> Malformed:
        return Malformed(_sentence(self._expat.CurrentLineNumber, reason), field="")


def legal(text: str) -> str:
    """Replace what XML 1.0 has no way to carry: controls, halves of pairs, U+FFFE and U+FFFF.

    >>> legal(chr(7) + "bell") == chr(0xFFFD) + "bell"
    True
    """
    return _ILLEGAL.sub("\ufffd", text)


def _weakly(method: Callable[..., None]) -> Callable[..., None]:
    """Let expat call a method of what holds it, without holding that: documents go when they are done, not when garbage is collected."""
    found = weakref.WeakMethod(method)

    def call(*given: Any) -> None:
        bound = found()
        assert bound is not None, "whoever parses holds it"
        bound(*given)

    return call


def _tag(name: str) -> str:
    return "{" + name if "}" in name else name


def _sentence(line: int | None, reason: str) -> str:
    told = _without_namespaces(reason).rstrip(".")[:LONGEST]
    return f"Line {line}: {told}" if line else f"It is no XML that is taken: {told}"


def _without_namespaces(reason: str) -> str:
    """Leave namespaces out, but where they are what differs: in the root's name, and where one name stands in two."""
    named = {(match[1], match[2]) for match in _QUALIFIED.finditer(reason)}
    names = [name for _, name in named]
    if _ROOT in reason or len(names) > len(set(names)):
        return reason
    return _QUALIFIED.sub(r"\2", reason)
