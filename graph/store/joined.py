"""Each statement of a transaction costs a way to the database and back; those whose rows nobody needs can go together.

Several texts become one, in their order: `WITH count(*)` between them makes one row of whatever the text before has left,
none included, and forgets its variables. Parameters get the number of their text, so that no two mean the same. Equal rows
of texts give equal texts, which databases plan once.

>>> print(joined(("UNWIND $batch.rows AS row CREATE (:Site {id: row.id})", "MATCH (s:Site {id: $id}) SET s.name = $name")))
UNWIND $batch_0.rows AS row CREATE (:Site {id: row.id})
WITH count(*) AS written_0
MATCH (s:Site {id: $id_1}) SET s.name = $name_1
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

_PARAMETER: Final = re.compile(r"\$(\w+)")
_REMEMBERED: Final = 500


@lru_cache(maxsize=_REMEMBERED)
def joined(texts: tuple[str, ...]) -> str:
    """Give one statement that does what several do; none of them may return anything."""
    parts = []
    for number, text in enumerate(texts):
        if number:
            parts.append(f"WITH count(*) AS written_{number - 1}")
        parts.append(_PARAMETER.sub(rf"$\1_{number}", text.strip()))
    return "\n".join(parts)


def joined_parameters(several: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Give the parameters of all under the names that `joined` uses."""
    return {f"{name}_{number}": value for number, each in enumerate(several) for name, value in each.items()}
