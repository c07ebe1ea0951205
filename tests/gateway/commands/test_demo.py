"""What the demonstration says of what it was answered."""

from __future__ import annotations

import pytest

from gateway.commands.demo.invoice import Invoice, as_text


def invoice(*promised: float | None) -> Invoice:
    usage = {"usageCharacteristic": [{"name": "octets", "value": "45000000000"}], "relatedParty": [{"name": "Ada"}]}
    return Invoice(usage=usage, service="s-1", customer="Ada", downtime=[problem(each) for each in promised])


def problem(percent: float | None) -> dict[str, object]:
    promised = [] if percent is None else [{"name": "availabilityPercent", "value": percent}]
    return {"characteristic": [{"name": "effect", "value": "down"}, *promised]}


@pytest.mark.parametrize(
    ("promised", "text"),
    [
        ((99.9, 99.99, 99.9, None), "4 of them down, with what was promised: 99.99, 99.9 %."),
        ((None, None), "2 of them down, with what was promised: nothing."),
        ((), "0 of them down, with what was promised: nothing."),
    ],
)
def test_services_without_a_contract_were_promised_nothing(promised: tuple[float | None, ...], text: str) -> None:
    assert as_text(invoice(*promised)).endswith(text)
