"""MTOSI names a thing by a list of parts, each with a type; everywhere else a name is one text. So the list is spelled as a text.

The parts stand from the outermost on, `TYPE=value` joined by semicolons, with a backslash before what has a meaning. A list
of one part is its value alone where the part has the type of a thing of the graph, so that an inventory that names a trunk
`T1` and an alarm on it agree. Either way back gives the same list, since whoever reads a value alone knows what it names.

Source: MTOSI 2.1, NamingDefinitions.xsd (`NamingAttributeType`) and CommonResourceInfo.xsd (`ObjectEnumType`).

>>> spelled((("MD", "north"), ("ME", "W9"), ("EH", "/shelf=1/slot=3"), ("EQ", "1")))
'MD=north;ME=W9;EH=/shelf=1/slot=3;EQ=1'
>>> spelled((("ME", "W9"),)), spelled((("OS", "nms-1"),))
('W9', 'OS=nms-1')
>>> parts_of("W9", "ME"), parts_of("ME=W9;EQ=1", "EQ")
((('ME', 'W9'),), (('ME', 'W9'), ('EQ', '1')))
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from graph.model.model import label_of

Name: TypeAlias = tuple[tuple[str, str], ...]
"""Types and values of the parts, the outermost first."""

TYPES: Final[Mapping[str, str]] = MappingProxyType({"NetworkElement": "ME", "Card": "EQ", "Port": "PTP", "Trunk": "TL"})
"""The type of the last part of a name, by the kind of what is named."""
_ALIAS: Final = "AID"
"""Earlier versions sent it for what has no other type; what comes back so is the same name."""
_ALONE: Final = frozenset({*TYPES.values(), _ALIAS})
_UNKNOWN: Final = "ME"
"""What a name is taken to name of which no more is known: managed elements are what most alarms are about."""
_OBJECT_TYPES: Final = {
    **dict.fromkeys(("ME", "MANAGED_ELEMENT", "NETWORKELEMENT", "NETWORK_ELEMENT"), "ME"),
    **dict.fromkeys(("EQ", "EQUIPMENT", "CARD"), "EQ"),
    **dict.fromkeys(("PTP", "PHYSICAL_TERMINATION_POINT", "PORT", "CTP", "FTP", "TP"), "PTP"),
    **dict.fromkeys(("TL", "TOPOLOGICAL_LINK", "TRUNK", "LINK"), "TL"),
}
"""Types of names by the words that events use for the type of their object; older versions put `OT_` before them."""
_PART: Final = re.compile(r"((?:[^\\;=]|\\.)*)=((?:[^\\;]|\\[\\;])*)(;|\Z)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def spelled(name: Name) -> str:
    """Give the one text of a name."""
    if len(name) == 1 and name[0][0] in _ALONE and _listed(name[0][1]) is None:
        return name[0][1]
    return _joined(name)


def parts_of(text: str, own: str) -> Name:
    """Give the name that a text spells; `own` is the type of what is named, for a text that is a value alone."""
    return _listed(text) or ((own, text),)


def type_of(text: str, object_type: str = "") -> str:
    """Give the type of what a text names, as far as the text or the type of an event's object tells it.

    >>> type_of("KOL-1/3", "EQUIPMENT"), type_of("KOL-1/3", "OT_PHYSICAL_TERMINATION_POINT"), type_of("KOL-1/3")
    ('EQ', 'PTP', 'ME')
    """
    label = label_of(text)
    if label is not None and label.name in TYPES:
        return TYPES[label.name]
    return _OBJECT_TYPES.get(object_type.upper().removeprefix("OT_"), _UNKNOWN)


def up_to(name: Name, kind: str) -> Name:
    """Give the part of a name that ends with the first part of a type; nothing where it has none.

    >>> up_to((("MD", "north"), ("ME", "W9"), ("PTP", "7")), "ME")
    (('MD', 'north'), ('ME', 'W9'))
    """
    end = next((number for number, part in enumerate(name, 1) if part[0] == kind), 0)
    return name[:end]


def within(outer: Name, name: Name) -> Name:
    """Give a name that begins with that of the element, where it does not say the element itself.

    >>> within((("MD", "north"), ("ME", "W9")), (("PTP", "7"),))
    (('MD', 'north'), ('ME', 'W9'), ('PTP', '7'))
    """
    return name if len(name) > 1 else (*up_to(outer, "ME"), *name)


def _listed(text: str) -> Name | None:
    """Give the list that a text spells part by part; None when it is a value alone."""
    found, at = [], 0
    while match := _PART.match(text, at):
        found.append((_ESCAPED.sub(r"\1", match[1]), _ESCAPED.sub(r"\1", match[2])))
        at = match.end()
        if not match[3]:
            break
    name = tuple(found)
    if not name or _joined(name) != text:
        return None
    if len(name) == 1 and name[0][0] in _ALONE and _listed(name[0][1]) is None:
        return None  # it would be spelled without its type
    return name


def _joined(name: Name) -> str:
    return ";".join(f"{_escaped(kind, ';=')}={_escaped(value, ';')}" for kind, value in name)


def _escaped(text: str, special: str) -> str:
    return "".join(f"\\{each}" if each in special or each == "\\" else each for each in text)
