"""Two systems that follow one published API answer differently, and each is right: a client must get on with all of them.

`Manners` says how one stand-in answers. What is said here by default is the least that the conventions ask for, and no more: no
count of a list, no media type of a change but the one that the swaggers name, no member that a change may not have.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

JSON: Final = "application/json"
WORDED: Final = ("status", "state")
"""The members whose words a system may have of its own."""


class Manners(BaseModel):
    """How a stand-in answers; as JSON on the command line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    counts: bool = False
    """whether a page of a list says how many there are in all (X-Total-Count) and on it."""
    links: bool = True
    """whether it says where the next one is."""
    most: Annotated[int, Field(gt=0)] = 1_000
    """items to a page, whatever was asked for."""
    patches: tuple[str, ...] = (JSON,)
    """the media types of a change that are taken."""
    shows_changes: bool = True
    """whether a change is answered with the thing as it is then; if not, with 204."""
    tags: bool = True
    """whether a thing has an ETag, and a change may be tied to it by If-Match."""
    extensions: bool = True
    """whether members that the swaggers have not are taken in what a thing refers to."""
    nulls: bool = True
    """whether a change may take a member away by null (RFC 7396)."""
    hub: Literal["one", "many", "none"] = "one"
    """what a second registration of the same callback is: refused, another one; or there is no hub at all."""
    words: Mapping[str, str] = Field(default_factory=dict)
    """by the published word for a state: its own."""

    def shown(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Give a thing in its own words."""
        return self._worded(resource, self.words)

    def read(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Read what is said in its own words."""
        return self._worded(body, {theirs: published for published, theirs in self.words.items()})

    def _worded(self, resource: Mapping[str, Any], words: Mapping[str, str]) -> dict[str, Any]:
        said = {name: words.get(str(resource[name]), resource[name]) for name in WORDED if name in resource}
        return {**resource, **said}


POLITE: Final = Manners()


def tag_of(resource: Mapping[str, Any]) -> str:
    """Give the ETag of a thing as it is."""
    return f'"{zlib.crc32(orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)):08x}"'
