from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from adapters.passed_over import PassedOver, known_as


def test_an_item_is_logged_once_for_each_reason_and_counted_each_time() -> None:
    counted: list[str] = []
    passed_over = PassedOver("desk", counted.append)
    with capture_logs() as lines:
        for item, reason in (("TT-1", "no id"), ("TT-1", "no id"), ("TT-1", "no status"), ("TT-2", "no id")):
            passed_over.note(item, reason)
    assert counted == ["desk"] * 4
    assert [(each["item"], each["reason"]) for each in lines] == [
        ("TT-1", "no id"),
        ("TT-1", "no status"),
        ("TT-2", "no id"),
    ]


def test_what_is_no_object_costs_the_objects_nothing() -> None:
    counted: list[str] = []
    items = [("[0]", {"id": "a"}), ("[1]", None), ("[2]", ["b"]), ("[3]", {"id": "c"})]
    with capture_logs() as lines:
        found = PassedOver("desk", counted.append).objects(items, "It is no object")
    assert found == [{"id": "a"}, {"id": "c"}]
    assert [(each["item"], each["reason"]) for each in lines] == [
        ("[1]", "It is no object"),
        ("[2]", "It is no object"),
    ]


@pytest.mark.parametrize("item", [{}, {"id": ""}, {"id": ".."}, {"id": True}, {"id": ["a"]}, "a", None])
def test_what_has_no_id_is_known_by_its_place(item: object) -> None:
    assert known_as(item, "[7]") == "[7]"
    assert known_as({"id": 12}, "[7]") == "12"
