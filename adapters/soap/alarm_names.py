"""MTOSI names a thing by a list of types and values; everyone else has one text for it, and each must lead to the other.

A list of one is its value alone. A longer one is `TYPE=value` joined by slashes, from the largest to the thing itself,
with what would confuse that written as in an address. What an alarm is on, in which layer and why makes it the alarm it is
for MTOSI (AlarmId), and so its external id here.

>>> name_text([("MD", "north"), ("ME", "W1/2"), ("EQ", "7")])
'MD=north/ME=W1%2F2/EQ=7'
>>> name_text([("EQ", "card-7")])
'card-7'
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, TypeAlias

from graph.model.model import label_of

Name: TypeAlias = Sequence[tuple[str, str]]
"""Types and values, the largest first."""

LONGEST_KEY: Final = 255
_TYPES: Final = {"NetworkElement": "ME", "Card": "EQ", "Port": "PTP", "Trunk": "TL"}
_ANY: Final = "AID"
"""The type of what we know no type of: an alias."""
_ESCAPED: Final = str.maketrans({"%": "%25", "/": "%2F", "=": "%3D"})


def name_text(name: Name) -> str:
    """Give the one text of a name."""
    if len(name) == 1:
        return name[0][1]
    return "/".join(f"{_quoted(kind)}={_quoted(value)}" for kind, value in name)


def name_of(text: str) -> tuple[tuple[str, str], ...]:
    """Give a name for a text of which no more is known."""
    label = label_of(text)
    return ((_TYPES.get(label.name, _ANY) if label else _ANY, text),)


def alarm_key(name: Name, layer: str, cause: str, qualifier: str) -> str:
    """Give the external id of the alarm that MTOSI knows by these."""
    text = "|".join([name_text(name), layer, cause, qualifier]).rstrip("|")
    if len(text) <= LONGEST_KEY:
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _quoted(text: str) -> str:
    return text.translate(_ESCAPED)
