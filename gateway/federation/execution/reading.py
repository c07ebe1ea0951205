"""A subgraph's answer is any bytes; what goes on from here has the shape of a GraphQL response and a bounded depth.

Everything behind this module walks answers by recursion, and JSON of a few kilobytes can nest a thousand levels. So
whatever lies deeper than `DEEPEST` is cut off here and `TOO_DEEP` stands in its place. That is no value of any type: what it
lies in becomes null with an error, and the rest of the answer stays.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from gateway import exact_json
from gateway.federation.execution.leaves import TOO_DEEP

DEEPEST: Final = 200
"""levels of objects and lists. Operations nest a few dozen, values of custom scalars a hundred (leaves.py)."""
MOST_EXACT: Final = 100_000
"""numbers of an answer that no double is."""
PASSES: Final = 2
_OTHER: Final = bytes(set(range(256)) - set(b"[]{}"))

Errors: TypeAlias = list[Any]


class Unreadable(Exception):
    """The bytes are no GraphQL response; the message is for the log."""


def read_answer(body: bytes, *, decimals: bool = True) -> tuple[dict[str, Any] | None, Errors]:
    """Read the data and the errors of a response; numbers keep their digits, decimals where somebody has a use for them."""
    answer = _json(body, decimals=decimals)
    if not isinstance(answer, dict):
        raise Unreadable("it answers what is no object")
    data, errors = answer.get("data"), answer.get("errors") or []
    if not (data is None or isinstance(data, dict)) or not isinstance(errors, list):
        raise Unreadable("it answers what is no GraphQL response")
    if data is None and not errors:
        raise Unreadable("it answers neither data nor errors")
    return data, errors


def _json(body: bytes, *, decimals: bool) -> Any:
    try:
        answer = exact_json.loads(body, most=MOST_EXACT, decimals=decimals)
    except exact_json.TooManyNumbers as error:
        raise Unreadable(f"of its numbers {error}") from error
    except ValueError as error:
        raise Unreadable("it answers what is no JSON") from error
    return _cut(answer) if _may_be_deep(body) else answer


def _may_be_deep(body: bytes) -> bool:
    """Tell whether a text may nest too deep: take away innermost pairs, a level at a time. Brackets in strings may fool it.

    All passes together read no more than twice the text: most pairs are innermost ones. Most texts have too few brackets for it.
    """
    brackets = body.translate(None, _OTHER)
    if len(brackets) <= 2 * DEEPEST:
        return False
    left = PASSES * len(body)
    for _ in range(DEEPEST):
        left -= len(brackets)
        if left < 0:
            return True  # to cut takes linear time, and is right where nothing is deep
        fewer = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(fewer) == len(brackets):
            break
        brackets = fewer
    return bool(brackets)


def _cut(answer: Any) -> Any:
    level = [answer]
    for _ in range(DEEPEST - 1):
        level = [one for each in level for one in _inside(each) if isinstance(one, dict | list)]
    for each in level:
        for key, value in each.items() if isinstance(each, dict) else enumerate(each):
            if isinstance(value, dict | list):
                each[key] = TOO_DEEP
    return answer


def _inside(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value
