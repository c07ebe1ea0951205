r"""NETCONF has two ways to part a stream of bytes into messages: an end mark until both sides have said hello, chunks afterwards.

Chunks are for peers that both have the capability base:1.1 (RFC 6242, section 4.2); others stay with the mark (section 4.3). Pure.

>>> framing = Framing(most_bytes=1_000)
>>> framing.feed(b"<hello/>]]>]]><a"), framing.feed(b"/>]]>]]>")
([b'<hello/>'], [b'<a/>'])
>>> framing.chunked = True
>>> framing.feed(b"\n#4\n<rpc\n#2\n/>\n##\n"), framing.frame(b"<rpc/>")
([b'<rpc/>'], b'\n#6\n<rpc/>\n##\n')
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_MARK: Final = b"]]>]]>"
_END: Final = b"\n##\n"
_HEAD: Final = re.compile(rb"\n#([1-9][0-9]{0,9})\n")
_LONGEST_HEAD: Final = 13


class BrokenFraming(ValueError):
    """What came is no message, or too long a one: where the next one begins is not known."""


class Framing:
    """One direction of a session each: what comes is parted, what is sent is framed."""

    def __init__(self, *, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._buffer = bytearray()
        self._message = bytearray()
        self.chunked = False
        """whether both sides have base:1.1."""

    def frame(self, message: bytes) -> bytes:
        """Frame a message that is to be sent."""
        if self.chunked:
            return b"\n#%d\n%b%b" % (len(message), message, _END)
        return message + _MARK

    def feed(self, data: bytes) -> list[bytes]:
        """Take what came; give the messages that are whole now."""
        self._buffer += data
        found = list(self._chunked() if self.chunked else self._marked())
        if len(self._buffer) + len(self._message) > self._most_bytes:
            raise BrokenFraming(f"a message has more than {self._most_bytes} bytes")
        return found

    def _marked(self) -> Iterator[bytes]:
        while (end := self._buffer.find(_MARK)) >= 0:
            message = bytes(self._buffer[:end])
            del self._buffer[: end + len(_MARK)]
            yield message

    def _chunked(self) -> Iterator[bytes]:
        while len(self._buffer) >= len(_END):
            if self._buffer.startswith(_END):
                del self._buffer[: len(_END)]
                yield bytes(self._message)
                self._message.clear()
            elif not self._take_chunk():
                return

    def _take_chunk(self) -> bool:
        """Take one chunk, if all of it is there."""
        head = _HEAD.match(self._buffer)
        if head is None:
            if len(self._buffer) >= _LONGEST_HEAD or not b"\n#".startswith(self._buffer[:2]):
                raise BrokenFraming("a chunk does not begin as one")
            return False
        size, begin = int(head[1]), head.end()
        if size > self._most_bytes:
            raise BrokenFraming(f"a chunk has more than {self._most_bytes} bytes")
        if len(self._buffer) < begin + size:
            return False
        self._message += self._buffer[begin : begin + size]
        del self._buffer[: begin + size]
        return True
