"""TM Forum's APIs share conventions that no swagger of theirs writes down, and a client notices each that is missing.

They are in TMF630 (version 4): how lists are filtered, cut into pages and slimmed, what an error looks like, what PATCH
means, how times are written. Everything here is pure and works on plain values: our own endpoints use it, and so do the
stand-ins. What a caller sent wrongly is `Malformed`, with the field.

>>> asked = read_query([("status", "held,pending"), ("fields", "status"), ("limit", "1")])
>>> tickets = [{"id": "1", "status": "held"}, {"id": "2", "status": "closed"}, {"id": "3", "status": "pending"}]
>>> found = [each for each in tickets if matches(each, asked.filters)]
>>> page = page_of(len(found), asked)
>>> page.status, [select(each, asked.fields) for each in found[page.first : page.end]]
(206, [{'id': '1', 'status': 'held'}])
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias
from urllib.parse import urlencode

from adapters.errors import Malformed

Resource: TypeAlias = Mapping[str, object]
Pairs: TypeAlias = Sequence[tuple[str, str]]
"""A query as it came: names and values, decoded, in order."""

LIMIT: Final = 100
MOST: Final = 1_000
DEEPEST: Final = 64
COMPARED: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
"""Behind the name of a time, as in `lastUpdate.gte`."""
_ALWAYS: Final = ("id", "href")
_PAGING: Final = ("fields", "offset", "limit", "sort")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_VALUE: Final = re.compile(r"""(?:"([^"]*)"|'([^']*)'|([^,]*))(,|\Z)""")
_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:)([0-9]{2})(?:\.([0-9]+))?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BEFORE_A_LEAP: Final = (23, 59, 59)
_WRITTEN: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?"
    r"(?:([Zz])|([+-][0-9]{2})(?::?([0-9]{2}))?)(?:\[[^\]]*\])?"
)
"""ISO 8601 with a zone, as clients meet it: no seconds where they are 0, +0000, a comma, the zone's name behind."""
LATEST: Final = 253_402_214_400_000
"""9999-12-31T00:00:00Z in epoch milliseconds; what is later has no year of four digits in some zone."""
_SECONDS_BELOW: Final = 100_000_000_000
"""A number below is seconds since 1970, up to the year 5138; from it on it is milliseconds, since 1973."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One attribute must have one of these values, or be a time on the right side of one of them."""

    path: tuple[str, ...]
    """through objects, and through every item of a list; the last may be one of `COMPARED`."""
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """One attribute that a list is sorted by."""

    path: tuple[str, ...]
    is_descending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """What of a list is wanted."""

    filters: tuple[Filter, ...]
    """all of them must hold."""
    fields: tuple[str, ...]
    """empty: all."""
    sorts: tuple[Sort, ...]
    """the first decides; empty: in the order that the list has by itself."""
    offset: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which part of a list an answer holds: from `first` up to `end`."""

    total: int
    first: int
    end: int
    limit: int

    @property
    def status(self) -> int:
        """200 when it is the whole list, 206 when it is a part."""
        return 200 if self.end - self.first == self.total else 206


def read_query(pairs: Pairs, *, limit: int = LIMIT, most: int = MOST) -> ListQuery:
    """Read a list's query; an attribute that is named twice may have the values of both."""
    wanted: dict[str, list[str]] = {}
    for name, value in pairs:
        wanted.setdefault(name, []).extend([value] if name in ("offset", "limit") else split_values(value))
    return ListQuery(
        filters=tuple(
            Filter(path=tuple(name.split(".")), values=tuple(values))
            for name, values in wanted.items()
            if name not in _PAGING
        ),
        fields=read_fields(pairs),
        sorts=read_sorts(pairs),
        offset=_whole(wanted, "offset", least=0, default=0),
        limit=min(_whole(wanted, "limit", least=1, default=limit), most),
    )


def read_fields(pairs: Pairs) -> tuple[str, ...]:
    """Read which attributes are wanted, of one resource or of each in a list; empty: all."""
    named = [each for name, value in pairs if name == "fields" for each in split_values(value)]
    return tuple(dict.fromkeys(each for each in named if each))


def read_sorts(pairs: Pairs) -> tuple[Sort, ...]:
    """Read what a list is to be sorted by: `sort=-lastUpdate,id` (TMF630 v4.0, sorting).

    >>> [(each.path, each.is_descending) for each in read_sorts([("sort", "-lastUpdate,+id")])]
    [(('lastUpdate',), True), (('id',), False)]
    """
    named = [each for name, value in pairs if name == "sort" for each in split_values(value)]
    # A plus that was not written as %2B comes as a blank.
    return tuple(Sort(path=tuple(each.lstrip("+- ").split(".")), is_descending=each.startswith("-")) for each in named)


def sorted_by(resources: Sequence[Resource], sorts: Sequence[Sort]) -> list[Resource]:
    """Sort resources; those without the attribute come last, whichever way round.

    >>> sorted_by([{"id": "a"}, {"id": "b", "n": 2}, {"id": "c", "n": 10}], read_sorts([("sort", "-n")]))
    [{'id': 'c', 'n': 10}, {'id': 'b', 'n': 2}, {'id': 'a'}]
    """
    found = list(resources)
    for sort in reversed(sorts):
        keys = {id(each): _sort_key(each, sort.path) for each in found}
        there = [each for each in found if keys[id(each)] is not None]
        there.sort(key=lambda each: keys[id(each)] or (), reverse=sort.is_descending)
        found = there + [each for each in found if keys[id(each)] is None]
    return found


def _sort_key(resource: Resource, path: Sequence[str]) -> tuple[int, float, str] | None:
    """Give what stands for the first value at a place: numbers before times before texts."""
    value = next((each for each in _at(resource, path) if isinstance(each, str | int | float)), None)
    if value is None:
        return None
    if not isinstance(value, str):
        return (0, float(value), "")
    with suppress(Malformed):
        return (1, float(read_time(value, "")), "")
    return (2, 0.0, value)


def split_values(text: str) -> list[str]:
    """Part the values of one attribute at the commas outside of quotes; quotes round a whole value are taken off.

    >>> split_values('held,"in, or out",resolved')
    ['held', 'in, or out', 'resolved']
    """
    values, position = [], 0
    while match := _VALUE.match(text, position):
        values.append(next(each for each in match.group(1, 2, 3) if each is not None))
        if not match[4]:
            break
        position = match.end()
    return values


def quote_value(value: str) -> str:
    """Write a value so that `split_values` gives it back; one with a comma and both kinds of quotes cannot be."""
    if "," not in value and value[:1] not in ("'", '"'):
        return value
    mark = "'" if '"' in value else '"'
    if mark in value:
        raise Malformed("A value with a comma and both kinds of quotes cannot be asked for", field="value")
    return f"{mark}{value}{mark}"


def matches(resource: Resource, filters: Iterable[Filter]) -> bool:
    """Tell whether every filter holds. What is not there, or null, equals nothing."""
    return all(_holds(wanted, resource) for wanted in filters)


def select(resource: Resource, fields: Sequence[str]) -> dict[str, object]:
    """Keep the attributes that were asked for, all when none was; id and href stay in any case."""
    if not fields:
        return dict(resource)
    kept = {*_ALWAYS, *fields}
    return {name: value for name, value in resource.items() if name in kept}


def page_of(total: int, asked: ListQuery) -> Page:
    """Give the part of a list of so many that was asked for."""
    first = min(asked.offset, total)
    return Page(total=total, first=first, end=min(first + asked.limit, total), limit=asked.limit)


def page_headers(page: Page, address: str, pairs: Pairs) -> dict[str, str]:
    """Give the headers that go with a page of the list at this address, asked for by this query."""
    starts = {"self": page.first, "first": 0, "last": max(page.total - 1, 0) // page.limit * page.limit}
    if page.end < page.total:
        starts["next"] = page.end
    if page.first > 0:
        starts["prev"] = max(page.first - page.limit, 0)
    rest = [pair for pair in pairs if pair[0] not in ("offset", "limit")]
    links = [
        f'<{address}?{urlencode([*rest, ("offset", start), ("limit", page.limit)])}>; rel="{rel}"'
        for rel, start in starts.items()
    ]
    return {
        "X-Total-Count": str(page.total),
        "X-Result-Count": str(page.end - page.first),
        "Link": ", ".join(links),
    }


def error_body(code: str, reason: str, *, message: str = "", status: int) -> dict[str, str]:
    """Make the body of an error: what went wrong, by code and in a few words; and what to do about it."""
    return {"code": code, "reason": reason, **({"message": message} if message else {}), "status": str(status)}


def merge_patch(target: object, patch: object, *, deepest: int = DEEPEST) -> object:
    """Apply a JSON merge patch (RFC 7396): null takes away, objects are merged, anything else replaces.

    >>> merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": [4]}})
    {'b': {'c': [4], 'd': 3}}
    """
    if not isinstance(patch, dict):
        return patch
    if not deepest:
        raise Malformed(f"A patch is nested no deeper than {DEEPEST} objects", field="")
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value, deepest=deepest - 1)
    return merged


def read_time(value: object, field: str) -> int:
    """Read an RFC 3339 time as epoch milliseconds; without a zone nobody knows when it was, so it is refused.

    A leap second, which ends a day in UTC, is read as the second that follows it.

    >>> read_time("2026-03-01T12:00:00.5+01:00", "alarmRaisedTime")
    1772362800500
    """
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Malformed(
            f"{field} is no time with a zone", hint="Write it as in 2026-03-01T12:00:00.000Z (RFC 3339)", field=field
        )
    day, minute, second, fraction, zone = match.groups(default="")
    leap = second == "60"
    text = f"{day}T{minute}{'59' if leap else second}.{fraction[:6]:0<6}{zone.upper().replace('Z', '+00:00')}"
    try:
        # In UTC: what is before the year 1 or after 9999 there can never be written again.
        moment = datetime.fromisoformat(text).astimezone(UTC)
        if leap and (moment.hour, moment.minute, moment.second) != _BEFORE_A_LEAP:
            raise ValueError(text)  # noqa: TRY301  # said as for any other time that is none
        moment += timedelta(seconds=leap)
    except (ValueError, OverflowError) as exc:
        raise Malformed(f"{field} is a time that does not exist", field=field) from exc
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def time_in_answer(value: object) -> int | None:
    """Read a time that another system wrote as epoch milliseconds; None for what says no moment.

    Answers are not ours to refuse, and Java writes times that RFC 3339 does not know: `OffsetDateTime.toString` leaves out
    seconds that are 0, Jackson writes `+0000`, or the number of milliseconds or seconds since 1970. Without a zone nobody
    knows when it was.

    >>> [time_in_answer(each) for each in ("2026-03-01T12:00Z", "2026-03-01T12:00:00.000+0000", 1772366400.0, "12:00")]
    [1772366400000, 1772366400000, 1772366400000, None]
    """
    if isinstance(value, int | float):
        return None if isinstance(value, bool) else _moment_of(value)
    match = _WRITTEN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    day, minute, second, fraction, utc, hours, minutes = match.groups(default="")
    zone = utc or f"{hours}:{minutes or '00'}"
    with suppress(Malformed):
        return read_time(f"{day}T{minute}:{second or '00'}.{fraction or '0'}{zone}", "")
    return None


def _moment_of(number: float) -> int | None:
    milliseconds = number * 1_000 if abs(number) < _SECONDS_BELOW else number
    return round(milliseconds) if 0 < milliseconds <= LATEST else None


def write_time(milliseconds: int) -> str:
    """Write epoch milliseconds as an RFC 3339 time.

    >>> write_time(1772362800500)
    '2026-03-01T11:00:00.500Z'
    """
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _holds(wanted: Filter, resource: Resource) -> bool:
    *path, last = wanted.path
    if not path or last not in COMPARED:
        return any(_text(each) in wanted.values for each in _at(resource, wanted.path))
    asked = [read_time(each, ".".join(wanted.path)) for each in wanted.values]
    return any(COMPARED[last](there, each) for there in _times(_at(resource, path)) for each in asked)


def _times(values: Iterable[object]) -> Iterator[int]:
    for each in values:
        with suppress(Malformed):  # what is no time is on no side of one
            yield read_time(each, "")


def _whole(wanted: Mapping[str, list[str]], name: str, *, least: int, default: int) -> int:
    if name not in wanted:
        return default
    text = wanted[name][-1]
    if not _NUMBER.fullmatch(text) or int(text) < least:
        raise Malformed(f"{name} is a whole number, {least} or more", field=name)
    return int(text)


def _at(resource: object, path: Iterable[str]) -> list[object]:
    found = [resource]
    for name in path:
        found = [each[name] for each in _items(found) if isinstance(each, dict) and name in each]
    return _items(found)


def _items(found: list[object]) -> list[object]:
    return [item for each in found for item in (each if isinstance(each, list) else [each])]


def _text(value: object) -> str | None:
    """Give a value as it stands in a query; what is no single value cannot stand there."""
    match value:
        case str():
            return value
        case bool() | int() | float():
            return json.dumps(value)
        case _:
            return None
