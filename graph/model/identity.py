"""Names that must come out the same wherever they are made.

A thing that is loaded twice must get the same id both times, and an alarm that calls a card by its inventory name must
find the same key that the loader stored. So both are computed, here and only here.

>>> loaded_id("Card", "inventory", "KOL-1/3")
'card-92c49b5b-0a87-515d-8dd9-25aaf8e1fc88'
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

import uuid_utils

from graph.model.model import LABELS

_NAMESPACE: Final = uuid_utils.uuid5(uuid_utils.NAMESPACE_URL, "urn:trunkline:loaded")


@lru_cache(maxsize=64)
def _namespace(source: str) -> uuid_utils.UUID:
    return uuid_utils.uuid5(_NAMESPACE, source)


def loaded_id(label: str, source: str, name: str) -> str:
    """Give the id of what a source calls by that name: uuid5, so the same on every load."""
    prefix = LABELS[label].id_prefix
    return prefix + str(uuid_utils.uuid5(_namespace(source), prefix + name))


def external_key(system: str, name: str) -> str:
    """Give `ExternalName.key`: the hash of the pair. The length in front keeps ("a", "bc") apart from ("ab", "c")."""
    return hashlib.sha256(f"{len(system)}:{system}{name}".encode()).hexdigest()


def membership_id(customer: str, node: str) -> str:
    """Give the id of the membership of a node in a customer's slice; `graph/compiler/slice.py` spells it in Cypher.

    >>> membership_id("customer-1", "trunk-2")
    'customer-1 trunk-2'
    """
    return f"{customer} {node}"
