from __future__ import annotations

from structlog.testing import capture_logs

from adapters.passed_over import PassedOver


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
