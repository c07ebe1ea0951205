"""When to try again, so that a system that comes back is not run over, and when to stop and show it to a person.

Full jitter: a pause is drawn from zero up to a bound that doubles with each attempt. A refusal that will not change by
itself is tried a few times and then parked; so is anything that is a week old.
"""

from __future__ import annotations

import random
from typing import Final

BASE_MS: Final = 1_000
CAP_MS: Final = 15 * 60 * 1_000
MOST_REFUSALS: Final = 3
MOST_AGE_MS: Final = 7 * 24 * 60 * 60 * 1_000


def pause_ms(attempts: int, *, at_least_ms: int = 0) -> int:
    """Give the pause after so many attempts; never less than what the other system asked for."""
    bound = min(CAP_MS, BASE_MS * 2 ** min(attempts - 1, 20))
    return max(at_least_ms, random.randint(0, bound))  # noqa: S311 - to get out of step


def is_over(tries: int, age_ms: int, *, refused: bool) -> bool:
    """Tell whether to give up after so many tries (`Claim.tries`)."""
    return age_ms > MOST_AGE_MS or (refused and tries >= MOST_REFUSALS)
