"""Lists come in pages, and each system has its own way to say that there are more: or says nothing of it.

One that ends too early loses things without a word, one that never ends is as bad. So a list is read on while anything says
that there is more: a count, a link, or a page that is as full as was asked for. It ends at an empty page, and at one that
brings nothing new: the system does not part its lists at all, and gives the whole of it each time.

In: a function that asks for the next page. Out: the items, each once, in their order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from adapters.errors import Nonsense

MOST_PAGES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list, as it was answered."""

    items: Sequence[object]
    total: int | None = None
    """of all pages, where the system says so;"""
    has_next: bool | None = None
    """whether it says that there is more; None: it says nothing, and a full page says so;"""
    where: str = "body"
    """at which place of the answer that is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which page is asked for."""

    number: int
    """from 1;"""
    seen: int
    """how many items came before it."""


async def all_pages(
    system: str, ask: Callable[[Asked], Awaitable[Page]], *, size: int, most: int = MOST_PAGES
) -> list[object]:
    """Give all items of a list; `size` is how many to a page are asked for.

    Raises Nonsense for a list without an end: one that has more than so many pages, or that claims more than it gives.
    """
    found: list[object] = []
    known: set[object] = set()
    seen = 0
    page = Page(items=())
    for number in range(1, most + 1):
        page = await ask(Asked(number=number, seen=seen))
        news = [each for each in page.items if _identity(each) not in known]  # what moved meanwhile comes twice
        found += news
        known |= {_identity(each) for each in page.items}
        seen += len(page.items)
        if not page.items or not has_more(page, seen, size):
            return found
        if not news:
            if page.total is None:
                return found
            break
    raise Nonsense(f"{system} answered a list without an end", where=page.where)


def has_more(page: Page, seen: int, size: int) -> bool:
    """Tell whether to ask for the next page.

    >>> has_more(Page(items=[1, 2]), 2, 2), has_more(Page(items=[1]), 3, 2), has_more(Page(items=[1], total=9), 1, 2)
    (True, False, True)
    >>> has_more(Page(items=[1], has_next=True), 1, 2), has_more(Page(items=[1, 2], total=2), 2, 2)
    (True, False)
    """
    if page.has_next:
        return True
    if page.total is not None:
        return seen < page.total
    return len(page.items) >= size if page.has_next is None else False


def _identity(item: object) -> object:
    """Give by what an item is known again: its id, or all that it says."""
    if isinstance(item, dict) and isinstance(item.get("id"), str | int):
        return str(item["id"])
    return orjson.dumps(item, option=orjson.OPT_SORT_KEYS)
