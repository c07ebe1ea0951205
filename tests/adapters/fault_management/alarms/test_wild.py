"""Whatever becomes of a message on the way, it is read or refused; and what was read can be told on."""

from __future__ import annotations

import re
from random import Random

import pytest

from adapters.endpoint.errors import MalformedBody
from adapters.errors import Malformed
from adapters.fault_management.alarms.messages import Notification, read_message
from adapters.fault_management.alarms.write import write_alarm
from adapters.fault_management.inbound.codec import decode
from tests.adapters.fault_management.alarms.published import faults
from tests.adapters.fault_management.alarms.test_record import VENDORS

PARTS = re.findall(rb"<[^>]+>|[^<]+", VENDORS.encode())
ODD = (b"", b" ", b"true", b"&#0;", b"9" * 40, b"x" * 2_000, b"{}", b"<![CDATA[x]]>", b"<!-- -->", b"a<?p?>b")
TIMES = (b"2026-02-30T00:00:00Z", b"2026-03-01T24:00:00Z", b"0000-01-01T00:00:00Z", b"9999-12-31T23:59:60Z")


def mutated(chance: Random) -> bytes:
    parts = list(PARTS)
    here, there = chance.randrange(len(parts)), chance.randrange(len(parts))
    match chance.randrange(5):
        case 0:
            del parts[here]
        case 1:
            parts.insert(here, parts[there])
        case 2:
            parts[here], parts[there] = parts[there], parts[here]
        case 3:
            texts = [n for n, each in enumerate(parts) if not each.startswith(b"<") and each.strip()]
            parts[chance.choice(texts)] = chance.choice((*ODD, *TIMES))
        case _:
            parts[here] = bytes([chance.randrange(256)]) + parts[here][chance.randrange(3) :]
    return b"".join(parts)


@pytest.mark.parametrize("seed", range(4))
def test_a_message_is_read_or_refused_and_what_is_read_can_be_told_on(seed: int) -> None:
    chance, read = Random(seed), 0
    for _ in range(500):
        try:
            message = read_message(mutated(chance))
        except Malformed:
            continue
        assert isinstance(message, Notification)
        for told in message.alarms:
            try:
                alarm = decode({"sourceSystemId": "ems", **told.body})
            except MalformedBody:
                continue
            assert faults(write_alarm(alarm.record)) == []
            read += 1
    assert read > 50
