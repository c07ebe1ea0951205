"""Why there is an alarm is one string in TMF642, and a word with several things beside it in MTOSI.

>>> default_cause("lossOfSignal"), default_cause("fan 3 stuck")
({'word': 'LOS'}, {'word': 'VENDOR_EXT', 'extension': 'fan 3 stuck'})
>>> cause_text({"word": "LOS", "ru": True}, native="")
'lossOfSignal'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adapters.fault_management.alarms.words import CAUSES, PLAIN_CAUSES, PUBLISHED_CAUSES, VENDOR

_OPEN: Final = (VENDOR, "MINOR_EXT")


def is_published(word: str) -> bool:
    """Tell whether MTOSI has this word."""
    return word in CAUSES or word in PLAIN_CAUSES or word in _OPEN


def default_cause(text: str) -> dict[str, Any]:
    """Give what MTOSI says for a cause of which no more is known."""
    if text in PUBLISHED_CAUSES:
        return {"word": PUBLISHED_CAUSES[text]}
    return {"word": text} if text in PLAIN_CAUSES else {"word": VENDOR, "extension": text}


def cause_text(cause: Mapping[str, Any], *, native: str) -> str:
    """Give TMF642's string for a cause of MTOSI; `native` is how its source shows it to people."""
    word = str(cause["word"])
    if word in _OPEN:
        return str(cause.get("extension") or native or word)
    return CAUSES.get(word, word)
