"""Names that nobody has sent before, by the gigabyte, then a valid alarm with prefixes of its own.

    python -m tests.adapters.xml.hostile 10000

reads so many megabytes of messages and feeds, each full of new names, prints how much memory the process has, and at last
by how many kB it grew.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import time
from pathlib import Path

from adapters.errors import Malformed
from adapters.fault_management.alarms.messages import Notification, read_message
from adapters.xml import confinement
from adapters.xml.parser import MOST_NAMES, XmlFeed, read_xml

VALID = """<s{0}:Envelope xmlns:s{0}="http://schemas.xmlsoap.org/soap/envelope/"
  xmlns:h{0}="http://www.tmforum.org/mtop/fmw/xsd/hdr/v1" xmlns:n{0}="http://www.tmforum.org/mtop/fmw/xsd/notmsg/v1"
  xmlns:a{0}="http://www.tmforum.org/mtop/nra/xsd/alm/v1" xmlns:c{0}="http://www.tmforum.org/mtop/fmw/xsd/cei/v1"
  xmlns:e{0}="http://www.tmforum.org/mtop/fmw/xsd/ei/v1" xmlns:m{0}="http://www.tmforum.org/mtop/fmw/xsd/nam/v1"
  xmlns:p{0}="http://www.tmforum.org/mtop/nra/xsd/prc/v1"><s{0}:Header><h{0}:header>
  <h{0}:activityName>notify</h{0}:activityName><h{0}:msgType>NOTIFICATION</h{0}:msgType>
  <h{0}:senderURI>nms-1</h{0}:senderURI></h{0}:header></s{0}:Header>
  <s{0}:Body><n{0}:notify><n{0}:topic>Fault</n{0}:topic><n{0}:message><a{0}:alarm>
  <c{0}:notificationId>1</c{0}:notificationId><c{0}:sourceTime>2026-03-01T12:00:00Z</c{0}:sourceTime>
  <e{0}:objectType>TL</e{0}:objectType><e{0}:objectName><m{0}:rdn><m{0}:type>TL</m{0}:type><m{0}:value>t</m{0}:value>
  </m{0}:rdn></e{0}:objectName><a{0}:probableCause>
  <p{0}:probableCause>LOS</p{0}:probableCause></a{0}:probableCause>
  <a{0}:perceivedSeverity>MAJOR</a{0}:perceivedSeverity></a{0}:alarm></n{0}:message></n{0}:notify></s{0}:Body></s{0}:Envelope>"""


def resident() -> int:
    """The kB of memory that this process has."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def hostile_message() -> bytes:
    """As many new names as one message may have."""
    names = (random.randbytes(random.choice((2, 24, 480))).hex() for _ in range(MOST_NAMES - 1))
    return ("<a>" + "".join(f"<n{each}/>" for each in names) + "</a>").encode()


def send_message() -> int:
    body = hostile_message()
    read_xml(body)
    return len(body)


def send_feed() -> int:
    """More new names than a feed may have, in the elements that it is read for; gives how much was taken."""
    feed, sent = XmlFeed({"me"}), 0
    with contextlib.suppress(Malformed):
        feed.feed(b"<all>")
        while True:
            part = b"<me>" + hostile_message() + b"</me>"
            sent += len(part)
            feed.feed(part)
    return sent


def run(megabytes: float) -> None:
    read = 0
    while read < megabytes * 1_000_000:
        read += send_message() + send_feed()


def tell(what: object) -> None:
    print(what, flush=True)  # noqa: T201 - it is what this is for


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("megabytes", type=int)
    parser.add_argument("--thread-bytes", type=int, default=confinement.MOST_BYTES)
    given = parser.parse_args()
    confinement.MOST_BYTES = given.thread_bytes  # type: ignore[misc]
    run(min(20, 3 * given.thread_bytes / 1_000_000))
    before, begun = resident(), time.monotonic()
    for part in range(10):
        run(given.megabytes / 10)
        tell(f"{(part + 1) * given.megabytes / 10:.0f} MB, {time.monotonic() - begun:.0f} s, {resident()} kB")
    message = read_message(VALID.format(random.randbytes(4).hex()).encode())
    assert isinstance(message, Notification)
    assert len(message.alarms) == 1
    tell(resident() - before)


if __name__ == "__main__":
    main()
