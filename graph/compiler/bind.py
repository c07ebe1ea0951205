"""From a request to the parameters of its statement.

Each parameter of a compiled statement is one of the values below: it says where the request has the value (slot of a
field, path into the argument) and what is done to it on the way. `bind` runs once per request, so it is short.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from graph.compiler.clauses import Param
from graph.compiler.cursor import CursorKey, list_context
from graph.errors import Refused
from graph.model import times
from graph.model.effects import DEFAULT_TIER
from graph.model.model import label_of
from graph.model.scope import Scope
from graph.model.words import search_words

PAGE_DEFAULT: Final = 10
"""rows of a list: four lists inside one another are ten thousand rows then, which an operation may cost."""
PAGE_MOST: Final = 1000
COUNTS_DEFAULT: Final = 50
"""rows of the counts of an impact: more than there are severities and effects."""
IDS_MOST: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeIds:
    """The customers of the caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`role` or `subject` of the caller."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An argument, or a part of one; `convert` is applied to it, or to each of a list where it has `many`."""

    slot: int
    path: tuple[str | int, ...]
    convert: Callable[[Any], Any] | None = None
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSize:
    """How many rows a page takes, and one more where the caller asks whether there are more."""

    slot: int
    more: int
    usual: int = PAGE_DEFAULT
    """where the caller does not say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorPart:
    """One order key out of the cursor in `after` or `before`."""

    slot: int
    argument: str
    index: int
    context: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdsOf:
    """Those of a list of ids that name a label."""

    slot: int
    argument: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityIds:
    """The ids of the representations of one type."""

    slot: int
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchWords:
    """The words of a search; as a full-text query where `lucene`."""

    slot: int
    lucene: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultTier:
    """The tier by which a service without a contract is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a change returned, or an event kept: ids, and values of what happened."""

    name: str


Binding = ScopeIds | Caller | Given | PageSize | CursorPart | IdsOf | EntityIds | SearchWords | DefaultTier | Outcome


@dataclass(slots=True)
class Names:
    """Variables and parameters of one statement, numbered in the order of the text: equal selections have equal texts."""

    parameters: list[tuple[str, Binding]] = field(default_factory=list)
    variables: int = 0

    def variable(self) -> str:
        """Give a variable that no clause has bound."""
        self.variables += 1
        return f"v{self.variables}"

    def parameter(self, binding: Binding) -> Param:
        """Give the parameter of a binding; the caller's customers are one parameter in the whole statement."""
        if isinstance(binding, ScopeIds):
            if ("scope", binding) not in self.parameters:
                self.parameters.append(("scope", binding))
            return Param("scope")
        name = f"p{len(self.parameters)}"
        self.parameters.append((name, binding))
        return Param(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What `bind` reads: the arguments by slot, the caller, and a change's outcome."""

    arguments: Sequence[Mapping[str, Any]]
    scope: Scope
    caller: Mapping[str, str]
    cursor_key: CursorKey
    outcome: Mapping[str, Any]
    default_tier: str = DEFAULT_TIER


def bind(parameters: Sequence[tuple[str, Binding]], request: Request) -> dict[str, Any]:
    """Compute every parameter; raises Refused for what a caller may not ask."""
    return {name: _value(each, request) for name, each in parameters}


def _value(binding: Binding, request: Request) -> Any:
    match binding:
        case ScopeIds():
            return list(dict.fromkeys(request.scope.customers))  # each once: statements go from one to the next
        case Caller() | DefaultTier() | Outcome():
            return _known(binding, request)
        case Given():
            return _given(binding, request)
        case PageSize(slot=slot, more=more, usual=usual):
            return page_size(request.arguments[slot], usual) + more
        case CursorPart():
            return _cursor_part(binding, request)
        case IdsOf():
            return _ids_of(binding, request)
        case EntityIds():
            return _entity_ids(binding, request)
        case SearchWords():
            return _search_words(binding, request)
        case never:
            assert_never(never)


def _known(binding: Caller | DefaultTier | Outcome, request: Request) -> Any:
    """Give what was known before the request, or what a change made of it."""
    match binding:
        case Caller(name=name):
            return request.caller[name]
        case DefaultTier():
            return request.default_tier
        case Outcome(name=name):
            return request.outcome.get(name)
        case never:
            assert_never(never)


def _given(binding: Given, request: Request) -> Any:
    value: Any = request.arguments[binding.slot]
    for step in binding.path:
        value = value[step]
    if binding.convert is None:
        return value
    try:
        return _converted(binding.convert, value, many=binding.many)
    except Refused as refused:
        place = ".".join(map(str, binding.path))
        raise Refused(f"Argument '{place}': {refused.message}", code=refused.code, hint=refused.hint) from None


def _converted(convert: Callable[[Any], Any], value: Any, *, many: bool) -> Any:
    return [convert(each) for each in value] if many else convert(value)


def page_size(arguments: Mapping[str, Any], usual: int = PAGE_DEFAULT) -> int:
    """Tell how many rows are wanted: `first` or `last`, `usual` when neither is given, at most 1,000."""
    first, last = arguments.get("first"), arguments.get("last")
    if first is not None and last is not None:
        raise Refused("first and last cannot be given together.", code="BAD_USER_INPUT", hint="Give one of them.")
    size = first if first is not None else last
    if size is None:
        return usual
    if not 0 <= size <= PAGE_MOST:
        raise Refused(
            f"A page has 0 to {PAGE_MOST} rows, not {size}.", code="BAD_USER_INPUT", hint="Page on with the cursor."
        )
    return int(size)


def _cursor_part(binding: CursorPart, request: Request) -> Any:
    arguments = request.arguments[binding.slot]
    context = list_context(binding.context, arguments)
    return request.cursor_key.open(arguments[binding.argument], context)[binding.index]


def _ids_of(binding: IdsOf, request: Request) -> list[str]:
    ids = request.arguments[binding.slot][binding.argument]
    if len(ids) > IDS_MOST:
        raise Refused(f"At most {IDS_MOST} ids at once, not {len(ids)}.", code="LIMIT_EXCEEDED", hint="Ask in parts.")
    return [each for each in dict.fromkeys(ids) if (label := label_of(each)) and label.name == binding.label]


def _entity_ids(binding: EntityIds, request: Request) -> list[str]:
    representations = request.arguments[binding.slot]["representations"]
    if len(representations) > IDS_MOST:
        raise Refused(
            f"At most {IDS_MOST} representations at once, not {len(representations)}.",
            code="LIMIT_EXCEEDED",
            hint="Send them in parts.",
        )
    return [
        entity_id(each) for each in representations if isinstance(each, dict) and each.get("__typename") == binding.type
    ]


def entity_id(representation: Any) -> str:
    """Give the key of a representation; raises Refused where it has none."""
    given = representation if isinstance(representation, dict) else {}
    key = given.get("id")
    if not isinstance(key, str) or not isinstance(given.get("__typename"), str):
        raise Refused(
            "A representation needs __typename and id.", code="BAD_USER_INPUT", hint="The key of every entity is id."
        )
    return key


def _search_words(binding: SearchWords, request: Request) -> Any:
    words = search_words(request.arguments[binding.slot]["text"])
    if not words:
        raise Refused("There is no word to search for.", code="BAD_USER_INPUT", hint="Give letters or digits.")
    if len(words) > 16:
        raise Refused("At most 16 words in a search.", code="LIMIT_EXCEEDED", hint="Give fewer words.")
    return " AND ".join(f"{each}*" for each in words) if binding.lucene else [" " + each for each in words]


def in_capitals(text: str) -> str:
    """Fold a text as both databases can: in capitals, where ß is SS, and with all forms of a character made one (NFKC).

    >>> in_capitals("Ko\u0308ln, Straße 7²")
    'KÖLN, STRASSE 72'
    """
    return unicodedata.normalize("NFKC", text).upper()


def epoch_milliseconds(text: str) -> int:
    """Read an RFC 3339 time.

    >>> epoch_milliseconds("1970-01-01T00:00:01.500Z")
    1500
    """
    try:
        return times.epoch_milliseconds(text)
    except times.NoZone as exc:
        hint = "End it with Z or an offset."
        raise Refused(f"{_quoted(text)} has no zone.", code="BAD_USER_INPUT", hint=hint) from exc
    except times.NoTime as exc:
        raise Refused(f"{_quoted(text)} is not a time.", code="BAD_USER_INPUT", hint=_A_TIME) from exc


_A_TIME: Final = "Write 2026-01-31T12:00:00Z."


def big_integer(given: Any) -> int:
    """Read a BigInt: an integer, or a string of digits as it travels in answers. Nothing else is rounded to one.

    >>> big_integer("-7"), big_integer(7)
    (-7, 7)
    """
    whole = given if isinstance(given, str) else str(given) if type(given) is int else ""
    if not _DIGITS.fullmatch(whole):
        raise Refused(f"{_quoted(given)} is not a whole number.", code="BAD_USER_INPUT", hint="Write digits only.")
    if len(whole) > _MOST_DIGITS or abs(number := int(whole)) >= 2**63:
        hint = "Write a smaller number."
        raise Refused(f"{_quoted(given)} needs more than 64 bits.", code="BAD_USER_INPUT", hint=hint)
    return number


_DIGITS: Final = re.compile(r"-?[0-9]+")
_MOST_DIGITS: Final = 40
"""of a text that is read at all: 19 are enough for 64 bits."""


def finite(given: float) -> float:
    """Take a double: a literal may be as large as it likes (GraphQL, 3.5.2: what is not finite is refused)."""
    number = float(given)
    if not math.isfinite(number):
        message = "A number is larger than a double can be."
        raise Refused(message, code="BAD_USER_INPUT", hint="Write a smaller number.")
    return number


def _quoted(given: Any) -> str:
    """Quote the text that a caller gave, as far as that helps."""
    if not isinstance(given, str):
        return "The value"
    return repr(given) if len(given) <= _QUOTED_MOST else f"{given[:_QUOTED_MOST]!r}..."


_QUOTED_MOST: Final = 60
