"""A name has one text and a text one name, whoever says it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fault_management.alarms.messages import Notification, read_message
from adapters.soap.names import TYPES, parts_of, spelled, type_of
from tests.adapters.fault_management.alarms.test_record import VENDORS
from tests.adapters.inventory.resources import TEXTS
from tests.adapters.inventory.test_codecs import elements, inventory, rdns

OWN = st.sampled_from(tuple(TYPES.values()))


@given(text=TEXTS, own=OWN)
def test_every_text_is_a_list_of_parts_and_back(text: str, own: str) -> None:
    assert spelled(parts_of(text, own)) == text


@given(
    parts=st.lists(st.tuples(st.sampled_from(("ME", "OS", "a=;\\")), st.text("ME=;\\1/")), min_size=1, max_size=3),
)
def test_every_list_of_parts_is_a_text_and_back(parts: list[tuple[str, str]]) -> None:
    assert parts_of(spelled(tuple(parts)), "ME") == tuple(parts)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ((("ME", "W9"),), "W9"),
        ((("AID", "T1"),), "T1"),
        ((("PTP", "/rack=1/shelf=1/port=6"),), "PTP=/rack=1/shelf=1/port=6"),
        ((("OS", "nms"),), "OS=nms"),
        ((("MD", "north"), ("ME", "W1/2")), "MD=north;ME=W1/2"),
        ((("MD", "a;b"), ("ME", "c\\d")), "MD=a\\;b;ME=c\\\\d"),
    ],
)
def test_names_are_spelled_so_that_people_can_read_them(parts: tuple[tuple[str, str], ...], text: str) -> None:
    assert spelled(parts) == text


@pytest.mark.parametrize(
    ("text", "object_type", "own"),
    [
        ("card-92c49b5b-0a87-515d-8dd9-25aaf8e1fc88", "PTP", "EQ"),
        ("KOL-1", "", "ME"),
        ("KOL-1", "port", "PTP"),
        ("KOL-1", "TOPOLOGICAL_LINK", "TL"),
        ("KOL-1", "OT_PHYSICAL_TERMINATION_POINT", "PTP"),
        ("KOL-1", "something else", "ME"),
    ],
)
def test_what_is_known_of_a_thing_is_its_type(text: str, object_type: str, own: str) -> None:
    assert type_of(text, object_type) == own


WHOLE = (("MD", "north"), ("ME", "W9"), ("EH", "/shelf=1/slot=3"), ("EQ", "1"))


@pytest.mark.parametrize("parts", [WHOLE, WHOLE[:2], (("EQ", "1"),)])
def test_a_feed_and_an_alarm_have_one_text_for_a_thing(parts: tuple[tuple[str, str], ...]) -> None:
    [card] = elements(inventory(f"<eq:eq><coi:name>{rdns(*parts)}</coi:name></eq:eq>"))
    named = "".join(f"<m:rdn><m:type>{kind}</m:type><m:value>{value}</m:value></m:rdn>" for kind, value in parts)
    begin, end = VENDORS.index("<e:objectName>"), VENDORS.index("</e:objectName>")
    message = read_message(f"{VENDORS[:begin]}<e:objectName>{named}{VENDORS[end:]}".encode())
    assert isinstance(message, Notification)
    assert message.alarms[0].body["alarmedObject"] == {"id": card.name}
