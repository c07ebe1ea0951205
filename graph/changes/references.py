"""Other systems speak of a thing by our id or by a name; an alarm, a record of usage and a ticket look both up alike.

What stands in a report is our id, the source's own name for the thing, or the name of another source that it uses (`names_of` of
the settings), in this order: `keys_meant` of the policy gives the keys of the names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast


def look_up(labels: Iterable[str], reference: str, keys: str) -> str:
    """Spell two columns of a statement: the thing that has the id `reference`, and a list of keys and the things they name.

    `reference` and `keys` are expressions of the statement; `labels` are those that the thing may have.
    """
    every = tuple(labels)
    itself = "\n  UNION ".join(f"MATCH (o:{each} {{id: {reference}}}) RETURN o.id" for each in every)
    kinds = " OR ".join(f"o:{each}" for each in every)
    return f"""HEAD(COLLECT {{
  {itself}
}}), COLLECT {{
  UNWIND {keys} AS sought
  MATCH (x:ExternalName {{key: sought}})-[:NAMES]->(o)
  WHERE {kinds}
  RETURN [sought, o.id]
}}"""


def meant(itself: object, named: object, keys: Sequence[str]) -> str | None:
    """Choose from what `look_up` gives: the thing itself, or what the first of the keys names; None where there is neither."""
    if itself is not None:
        return str(itself)
    found = dict(cast("Sequence[tuple[str, str]]", named))
    return next((found[each] for each in keys if each in found), None)
