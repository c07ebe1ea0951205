"""A system that speaks one of TM Forum's APIs, asked as its conventions say, and as real ones follow them.

A list: with `X-Total-Count` or without, 206 or 200, with `Link` or without (TMF630 leaves all of it to the server). A create or
a change: 200 or 201 with the thing as it is, or 204 without. A change: `application/json`, as the swaggers say, or
`application/merge-patch+json`, as RFC 7396 does; what a system takes is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import unquote, urlsplit

from adapters.errors import AdapterError, Conflict, Nonsense, Rejected, Unreachable
from adapters.tmf_client.links import next_query
from adapters.transport.paging import MOST_PAGES, Asked, Page, all_pages
from adapters.transport.transport import Answer, Call, Transport

Path: TypeAlias = tuple[str, ...]
Query: TypeAlias = tuple[tuple[str, str], ...]

PATCHES: Final = ("application/json", "application/merge-patch+json")
"""The media types of a change, in the order in which they are tried."""
_PAGE: Final = 100
"""registrations to a page."""
_LOOKS: Final = 3
"""at a thing that others change at the same time."""
_GONE, _CHANGED_MEANWHILE, _UNSUPPORTED = 404, 412, 415
_ACCEPTED: Final = 202
_PART: Final = 206


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A thing as it is there."""

    value: object
    tag: str
    """its ETag, where a change may be tied to it; empty: it may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A change that the system has taken and not made yet: 202."""

    location: str
    """where it says what becomes of it, as the header has it; empty: it does not say."""
    value: object | None
    """what came with it; None: nothing."""


class TmfClient:
    """One API of a system, over a transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._patches = list(PATCHES)
        self.name = transport.name

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._transport.breaker.retry_at

    async def listed(
        self, path: Path, query: Query, *, size: int, deadline: float, most: int = MOST_PAGES
    ) -> list[tuple[str, object]]:
        """GET all of a list, each item with its place in it (`[3]`); Nonsense where it has more than `most` pages."""
        following: Query | None = None

        async def ask(asked: Asked) -> Page:
            nonlocal following
            paging = (("offset", str(asked.seen)), ("limit", str(size)))
            call = Call(method="GET", path=path, query=following or (*query, *paging))
            answer = await self._transport.exchange(call, deadline=deadline)
            following = next_query(answer.headers.get("link", ""))
            return _page(answer, self.name, has_link=following is not None)

        items = await all_pages(self.name, ask, size=size, most=most)
        return [(f"[{number}]", each) for number, each in enumerate(items)]

    async def one(self, path: Path, *, deadline: float) -> Seen:
        """GET one; one that is gone is Rejected, 404."""
        answer = await self._about(Call(method="GET", path=path, names_thing=True), deadline)
        tag = answer.headers.get("etag", "")
        # A weak one never fits an If-Match (RFC 9110, 13.1.1): with it, each change would be refused.
        return Seen(value=answer.json(), tag="" if tag.startswith("W/") else tag)

    async def created(self, path: Path, body: object, *, key: str, deadline: float) -> object | None:
        """POST one, and give it as it is there; None: it was made, and the answer does not say as what."""
        call = Call(method="POST", path=path, body=body, headers=_key(key))
        answer = await self._transport.exchange(call, deadline=deadline)
        if not _is_empty(answer):
            return _read(answer)
        their_id = _last(answer.headers.get("location", ""))
        return (await self.one((*path, their_id), deadline=deadline)).value if their_id else None

    async def commissioned(self, path: Path, body: object, *, key: str, deadline: float) -> object | Accepted | None:
        """POST one that the system may make later: Accepted, else as it is there; None: the answer does not say."""
        call = Call(method="POST", path=path, body=body, headers=_key(key))
        answer = await self._transport.exchange(call, deadline=deadline)
        told = None if _is_empty(answer) else _read(answer)
        if answer.status == _ACCEPTED:
            return Accepted(location=answer.headers.get("location", ""), value=told)
        return told

    async def changed(self, path: Path, body: object, *, key: str, deadline: float, tag: str = "") -> object | None:
        """PATCH one, and give it as it is then; None: it was changed, and the answer does not say to what."""
        answer = await self._patched(path, body, key=key, deadline=deadline, tag=tag)
        return None if _is_empty(answer) else _read(answer)

    async def begun(
        self, path: Path, body: object, *, key: str, deadline: float, tag: str = ""
    ) -> object | Accepted | None:
        """PATCH one that the system may change later: Accepted, else as `changed` gives it."""
        answer = await self._patched(path, body, key=key, deadline=deadline, tag=tag)
        told = None if _is_empty(answer) else _read(answer)
        if answer.status == _ACCEPTED:
            return Accepted(location=answer.headers.get("location", ""), value=told)
        return told

    async def _patched(self, path: Path, body: object, *, key: str, deadline: float, tag: str) -> Answer:
        headers = {**_key(key), **({"If-Match": tag} if tag else {})}
        for media in tuple(self._patches):
            call = Call(
                method="PATCH", path=path, body=body, headers={**headers, "Content-Type": media}, names_thing=True
            )
            try:
                answer = await self._about(call, deadline)
            except Rejected as rejected:
                if rejected.status != _UNSUPPORTED or media == self._patches[-1]:
                    raise
                continue
            self._patches.sort(key=lambda each: each != media)
            return answer
        raise AssertionError("the last one is returned or raised")

    async def revised(
        self, path: Path, patch_of: Callable[[object], Mapping[str, object]], *, key: str, deadline: float
    ) -> object:
        """Look at one, PATCH what `patch_of` says of it, and give it as it is then.

        Nothing is sent where that is nothing. Where others were quicker it is looked at again.
        """
        for looks in range(1, _LOOKS + 1):
            seen = await self.one(path, deadline=deadline)
            patch = patch_of(seen.value)
            if not patch:
                return seen.value
            try:
                changed = await self.changed(path, patch, key=key, deadline=deadline, tag=seen.tag)
            except Conflict as conflict:
                if conflict.status != _CHANGED_MEANWHILE or looks == _LOOKS:
                    raise
                continue
            return changed if changed is not None else (await self.one(path, deadline=deadline)).value
        raise AssertionError("the last look returns or raises")

    async def removed(self, path: Path, *, key: str, deadline: float) -> None:
        """DELETE one; one that is gone already is no error."""
        call = Call(method="DELETE", path=path, headers=_key(key) if key else {}, names_thing=True)
        try:
            await self._about(call, deadline)
        except Rejected as rejected:
            if rejected.status != _GONE:
                raise

    async def registered(self, callback: str, *, below: Path = (), deadline: float) -> str:
        """POST the hub below a path, unless the callback is there; gives the id, empty where the system says none.

        The answer to a request before may have been lost, and a system may make another registration of each. So its hub is looked
        at first, where it can be: TMF630 does not ask for that. What is there twice becomes one.
        """
        there = await self._registrations(callback, (*below, "hub"), deadline)
        for each in there[1:]:
            await self.removed((*below, "hub", each), key="", deadline=deadline)
        if there:
            return there[0]
        call = Call(method="POST", path=(*below, "hub"), body={"callback": callback})
        try:
            answer = await self._transport.exchange(call, deadline=deadline)
        except Conflict:
            return ""
        told = None if _is_empty(answer) else answer.json()
        found = told.get("id") if isinstance(told, dict) else None
        return str(found) if isinstance(found, str | int) else _last(answer.headers.get("location", ""))

    async def _registrations(self, callback: str, hub: Path, deadline: float) -> list[str]:
        """Give the ids of the registrations of a callback; none where the hub cannot be looked at."""
        try:
            listed = await self.listed(hub, (), size=_PAGE, deadline=deadline)
        except Unreachable:
            raise
        except AdapterError:  # it has no list of these, or shows it to nobody
            return []
        mine = [each for _, each in listed if isinstance(each, dict) and each.get("callback") == callback]
        return [str(each["id"]) for each in mine if not each.get("query") and each.get("id")]

    async def _about(self, call: Call, deadline: float) -> Answer:
        """Ask about a thing. Where it is not there, look whether its collection is: if not, the address is wrong."""
        try:
            return await self._transport.exchange(call, deadline=deadline)
        except Rejected as rejected:
            if rejected.status == _GONE:
                await self._look_at_collection(call.path[:-1], deadline)  # raises NotAdmitted where it is not there
            raise

    async def _look_at_collection(self, path: Path, deadline: float) -> None:
        call = Call(method="GET", path=path, query=(("fields", "id"), ("limit", "1")))
        with suppress(Rejected):  # it does not like the question: so it is there
            await self._transport.exchange(call, deadline=deadline)


def _page(answer: Answer, name: str, *, has_link: bool) -> Page:
    items = answer.json()
    if not isinstance(items, list):
        raise Nonsense(f"{name} answered what is no list", where="body")
    total = _count(answer.headers.get("x-total-count", ""))
    says_more = has_link or (total is None and answer.status == _PART)
    return Page(items=items, total=total, has_next=says_more or None, where="X-Total-Count")


def _read(answer: Answer) -> object:
    """Read what is not empty; null says nothing, and is none of the things that may come."""
    found = answer.json()
    if found is None:
        raise Nonsense(f"{answer.system} answered null", where="body")
    return found


def _is_empty(answer: Answer) -> bool:
    return not answer.body.strip()


def _last(location: str) -> str:
    """Give the id at the end of an address; empty: there is none that can be asked for."""
    last = unquote(urlsplit(location).path.rstrip("/").rpartition("/")[2])
    return "" if last in ("", ".", "..") else last


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def _key(delivery_id: str) -> dict[str, str]:
    return {"Idempotency-Key": delivery_id}
