"""What is typed wins over the environment, also in the worker processes, which see only the environment."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click
import orjson

from gateway.settings.unknown import PREFIX

F = TypeVar("F", bound=Callable[..., Any])


def store_option(command: F) -> F:
    """Add `--store`."""
    return click.option("--store", metavar="ADDRESS", help="embedded:DIR, bolt://HOST:7687 or neo4j+s://HOST.")(command)


def json_option(command: F) -> F:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


def override(**given: object) -> None:
    """Put what was typed into the environment, by the settings' names."""
    for name, value in given.items():
        if value is not None:
            os.environ[PREFIX + name.upper()] = str(value)


def json_object(text: str, option: str) -> dict[str, Any]:
    """Read what was typed for an option as a JSON object."""
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise click.BadParameter("is not a JSON object.", param_hint=option)
    return given
