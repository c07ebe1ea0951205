"""What the areas are together is said in one file, `supergraph.graphql`, which the gateway plans by.

It is supergraph SDL (Apollo's join specification, version 0.5), which `composition.py` writes from what the areas say. The marks
that the gateway obeys (`@operatorOnly`, `@allowedRoles`, `@listSize`, `@cost`) stand in it as in the areas' own SDL.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

SUPERGRAPH: Final = Path(__file__).with_name("supergraph.graphql")
