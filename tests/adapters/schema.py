"""What may be said in TMF621, by a schema of our own, and by the published one where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from jsonschema import Draft4Validator, Draft202012Validator

REFERENCE: Final = "TRUNKLINE_TEST_REFERENCE"
"""names the folder with the published standards."""
OWN: Final = orjson.loads((Path(__file__).parent / "schemas" / "trouble_ticket.json").read_bytes())


def faults(kind: str, value: object) -> list[str]:
    """Give what is wrong with a value that should be of this kind: create, update, ticket, error, event."""
    validator = Draft202012Validator({**OWN, "$ref": f"#/$defs/{kind}"})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def published(definition: str, api: int = 621) -> Draft4Validator:
    """Give the published schema, or skip the test that wants it."""
    folder = os.environ.get(REFERENCE)
    if not folder:
        pytest.skip(f"{REFERENCE} does not name a folder with the published swaggers")
    [path] = Path(folder).glob(f"tmf-v4/TMF{api}-*.swagger.json")
    swagger: dict[str, Any] = orjson.loads(path.read_bytes())
    return Draft4Validator({**swagger, "$ref": f"#/definitions/{definition}"})


def properties_of(definition: str, api: int) -> set[str]:
    """Give the names that the published schema knows for a definition, or skip the test that wants them."""
    schema: Any = published(definition, api).schema
    return set(schema["definitions"][definition]["properties"])
