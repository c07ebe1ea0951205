"""A page of a list may say where the next one is (RFC 8288), by an offset or by a mark that only the system understands.

Pure. Of the link only the query is used: its host and path may be those of a machine behind a proxy, and are never followed.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

_LINK: Final = re.compile(r"<([^<>]*)>((?:\s*;\s*[^,;\"]*(?:\"[^\"]*\")?)*)")
_REL: Final = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^;,\s]*))", re.IGNORECASE)


def next_query(header: str) -> tuple[tuple[str, str], ...] | None:
    """Give the query of the link to the next page; None where there is no such link, or one that cannot be read.

    >>> next_query('</a?offset=0>; rel="first", <http://b/a?status=held%2Cclosed&offset=50>; rel="next"')
    (('status', 'held,closed'), ('offset', '50'))
    >>> next_query('<a?offset=0>; rel=self') is None
    True
    """
    for match in _LINK.finditer(header):
        relations = _REL.search(match[2])
        if relations and "next" in (relations[1] or relations[2] or "").lower().split():
            return _query(match[1])
    return None


def _query(address: str) -> tuple[tuple[str, str], ...] | None:
    try:
        return tuple(parse_qsl(urlsplit(address).query, keep_blank_values=True)) or None
    except ValueError:
        return None
