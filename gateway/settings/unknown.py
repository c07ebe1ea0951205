"""A name that is misspelt must not open a default unnoticed: whoever wrote it believes that it holds.

Pydantic reads the variables that it knows and passes over all others, so that `TRUNKLINE_LISTEM` would be ignored. Here each
variable with our prefix is compared with the settings, and the nearest name is told.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel

PREFIX: Final = "TRUNKLINE_"
DELIMITER: Final = "__"
CONFIG_VARIABLE: Final = "TRUNKLINE_CONFIG"
REPLACED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "documents": "limits.cache_bytes",
        "documents_bytes": "limits.cache_bytes",
        "federation.headers": "subgraphs.NAME.headers",
        "federation.plans": "limits.cache_bytes",
        "federation.show_messages": "subgraphs.NAME.show_messages",
        "retention_days": "retention.events_days",
    }
)
"""Settings of earlier versions, and what has taken their place. A name that looks like them may mean something else: what is
nearest to `retention_days` is the time after which usage is deleted."""
_OF_OTHERS: Final = ("TRUNKLINE_TEST_", "TRUNKLINE_SIMULATOR_")
"""What the tests and the stand-ins read, whose environment their children have."""
_LINK: Final = re.compile(r"TRUNKLINE_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")
"""What Kubernetes gives every container of a namespace in which a service is called trunkline, or trunkline-something (its
documentation: "Service", "Environment variables"),"""
_LINKED_PORT: Final = re.compile(r"TRUNKLINE_(\w+_)?PORT")
"""and the one of these that a person could mean as a setting, which has such a value."""
_LINKED: Final = re.compile(r"(tcp|udp|sctp)://.*")


def unknown_variables(environment: Mapping[str, str], settings: type[BaseModel]) -> Iterator[str]:
    """Give a sentence for each variable with our prefix that is no setting's; those inside of sections are pydantic's to check."""
    known = [_variable(each) for each in names_of(settings)]
    for variable in sorted(environment):
        name = variable.upper()
        if not name.startswith(PREFIX) or name == CONFIG_VARIABLE or name.startswith(_OF_OTHERS):
            continue
        if _is_link(name, environment[variable]):
            continue
        if name.removeprefix(PREFIX).partition(DELIMITER)[0].lower() not in settings.model_fields:
            old = REPLACED.get(name.removeprefix(PREFIX).lower().replace(DELIMITER, "."))
            hint = _replaced(_variable(old)) if old else nearest(name, [*known, CONFIG_VARIABLE])
            yield f"{variable}: there is no such setting{hint}."


def _is_link(name: str, value: str) -> bool:
    is_port = _LINKED_PORT.fullmatch(name) and _LINKED.fullmatch(value)
    return bool(is_port or _LINK.fullmatch(name))


def names_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Name all settings, those of sections after a dot: `limits.cost`, `systems.NAME.sources`, `issuers.0.issuer`."""
    for name, field in model.model_fields.items():
        yield prefix + name
        for section, between in _sections(field.annotation):
            yield from names_of(section, f"{prefix}{name}.{between}")


def _sections(annotation: Any) -> Iterator[tuple[type[BaseModel], str]]:
    """Give the model that a setting is, or holds, and what stands between its name and those of the model."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, ""
    between = {Mapping: "NAME.", tuple: "0."}.get(get_origin(annotation), "")
    for each in get_args(annotation):
        if isinstance(each, type) and issubclass(each, BaseModel):
            yield each, between


def meant(name: str, known: Iterable[str]) -> str:
    """Give the end of a sentence about a setting that is none: what has taken its place, or which one may be meant."""
    return _replaced(REPLACED[name]) if name in REPLACED else nearest(name, known)


def nearest(name: str, known: Iterable[str]) -> str:
    """Give the end of a sentence about a name that is none: which one may be meant; nothing where none is near."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f" (did you mean {found[0]}?)" if found else ""


def _replaced(new: str) -> str:
    return f" ({new} has taken its place)"


def _variable(name: str) -> str:
    return PREFIX + name.upper().replace(".", DELIMITER)
