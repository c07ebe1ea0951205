"""MTOSI names a thing by a list of parts, each with a type; elsewhere a name is one text. So the list is spelled as a text.

`spelled` gives one text for each list, and `parts_of` one list for each text, and either undoes the other. A list is
spelled `ME=W123;EQ=1` (a backslash before what has a meaning); a list of one part that is just the thing's own type is its
value alone. A text that nobody has spelled so is one part of that type.

>>> spelled((("ME", "W123"), ("EH", "/shelf=1/slot=3"), ("EQ", "1")), "EQ")
'ME=W123;EH=/shelf=1/slot=3;EQ=1'
>>> parts_of("W123", "ME"), parts_of("ME=W123;EQ=1", "EQ")
((('ME', 'W123'),), (('ME', 'W123'), ('EQ', '1')))
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Parts: TypeAlias = tuple[tuple[str, str], ...]
"""Types and values of the parts of a name, from the outermost on."""

_PART: Final = re.compile(r"((?:[^\\;=]|\\.)*)=((?:[^\\;]|\\[\\;])*)(;|\Z)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def spelled(parts: Parts, own: str) -> str:
    """Spell a list of parts; `own` is the type of what is named."""
    if len(parts) == 1 and parts[0][0] == own and _listed(parts[0][1], own) is None:
        return parts[0][1]
    return _joined(parts)


def parts_of(text: str, own: str) -> Parts:
    """Give the list that a text spells."""
    listed = _listed(text, own)
    return ((own, text),) if listed is None else listed


def _listed(text: str, own: str) -> Parts | None:
    """Give the list that a text spells part by part; None when it does not."""
    found, at = [], 0
    while match := _PART.match(text, at):
        found.append((_ESCAPED.sub(r"\1", match[1]), _ESCAPED.sub(r"\1", match[2])))
        at = match.end()
        if not match[3]:
            break
    parts = tuple(found)
    if not parts or _joined(parts) != text:
        return None
    if len(parts) == 1 and parts[0][0] == own and _listed(parts[0][1], own) is None:
        return None  # it would be spelled without its type
    return parts


def _joined(parts: Parts) -> str:
    return ";".join(f"{_escaped(kind, ';=')}={_escaped(value, ';')}" for kind, value in parts)


def _escaped(text: str, special: str) -> str:
    return "".join(f"\\{each}" if each in special or each == "\\" else each for each in text)
