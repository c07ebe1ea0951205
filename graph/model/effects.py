"""What an alarm does to a service, and how bad that is under the service's contract.

One alarm system says "critical", but the same failure is a disaster for one customer and nothing to another: what
counts is whether the customer's traffic still finds a way, and what was promised. So the way is: an alarm *asserts* a
failure or not; everything that asserting alarms make fail is one set of ids; a service's ports and paths against that
set give its *effect*; effect and tier give the *severity*.

Everything here is pure and works on ids. What fails with an alarmed object (an element takes its cards along, a card
its ports, a port the trunk that ends there) is read from the graph along `CONTAINMENT`, `ACCESSED` and `CARRIED`: every
statement about it is made of these. `IN_USE`, `ASSERTING_TYPES`, `ASSERTING_SEVERITIES` and `SEVERITY` are the policy, as data.

>>> routes = Routes(access=("port-a", "port-z"), working=("trunk-1",), protecting=("trunk-2",))
>>> effect_on(routes, frozenset({"trunk-1"}))
'degraded'
>>> severity_of("degraded", "PREMIUM")
'major'

What one alarm hits of a service is its *parts*: with the parts of every open alarm at hand, the effect of all of them
together needs no walk over the network again.

>>> parts_hit(routes, frozenset({"trunk-1"})), effect_of_parts({"working"}, protected=True)
(frozenset({'working'}), 'degraded')
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from graph.model.mapping import Hop, hops
from graph.model.vocabulary import PARTS

Effect: TypeAlias = Literal["down", "degraded", "atRisk"]

IN_USE: Final = frozenset({"active"})
"""The states (TMF638 ServiceStateType) of a service that is delivered: nothing else can suffer."""
DEFAULT_TIER: Final = "BASIC"
"""What a service without a contract is judged by, where no other tier is set."""

CONTAINMENT: Final[Mapping[str, tuple[Hop, ...]]] = MappingProxyType(
    {
        "Site": hops("<LOCATED_AT", "HOLDS>", "HAS_PORT>"),
        "NetworkElement": hops("HOLDS>", "HAS_PORT>"),
        "Card": hops("HAS_PORT>"),
        "Port": (),
    }
)
"""How a failure spreads to ports, by the label of what fails. What it does there is in `ACCESSED` and `CARRIED`."""
ACCESSED: Final = hops("<ACCESSED_AT")
"""From a failed port to the services that are accessed there."""
CARRIED: Final = hops("<TERMINATES_ON", "<ROUTED_OVER")
"""From a failed port to the services whose trunk ends there; from a failed trunk, the last step of it."""

ASSERTING_TYPES: Final = frozenset({"equipmentAlarm", "communicationsAlarm"})
ASSERTING_SEVERITIES: Final = frozenset({"critical", "major"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An effect that a service suffers when these parts of it have failed."""

    parts: AbstractSet[str]
    effect: Effect
    only_unprotected: bool = False
    """whether the rule is only for services without a protecting path."""


RULES: Final = (
    Rule(parts=frozenset({"access"}), effect="down"),
    Rule(parts=frozenset({"working", "protecting"}), effect="down"),
    Rule(parts=frozenset({"working"}), effect="down", only_unprotected=True),
    Rule(parts=frozenset({"working"}), effect="degraded"),
    Rule(parts=frozenset({"protecting"}), effect="atRisk"),
)
"""The first that fits counts."""

RANK: Final = ("critical", "major", "minor", "warning", "indeterminate", "cleared")
"""Severities, the worst first."""

SEVERITY: Final[Mapping[tuple[Effect, str], str]] = MappingProxyType(
    {
        ("down", "PREMIUM"): "critical",
        ("down", "STANDARD"): "major",
        ("down", "BASIC"): "minor",
        ("degraded", "PREMIUM"): "major",
        ("degraded", "STANDARD"): "minor",
        ("degraded", "BASIC"): "warning",
        ("atRisk", "PREMIUM"): "minor",
        ("atRisk", "STANDARD"): "warning",
    }
)
"""A pair that is missing has no severity: the customer was promised nothing that this breaks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """What a service needs in order to work, as ids."""

    access: tuple[str, ...]
    """the ports that it is accessed at."""
    working: tuple[str, ...]
    """the trunks of the working path; empty when both ends are at one site."""
    protecting: tuple[str, ...] = ()
    """the trunks of the protecting path; empty when there is none."""


def is_in_use(state: str | None) -> bool:
    """Tell whether a service in this state is delivered; one of which no state is known is.

    >>> is_in_use("active"), is_in_use("terminated"), is_in_use(None)
    (True, False, True)
    """
    return state is None or state in IN_USE


def asserts_failure(alarm_type: str, perceived_severity: str) -> bool:
    """Tell whether such an alarm says that something does not work; others are recorded and shown, without effect."""
    return alarm_type in ASSERTING_TYPES and perceived_severity in ASSERTING_SEVERITIES


def effect_on(routes: Routes, failed: AbstractSet[str]) -> Effect | None:
    """Give the effect of everything that has failed, together; None when the service does not notice."""
    return effect_of_parts(parts_hit(routes, failed), protected=bool(routes.protecting))


def parts_hit(routes: Routes, failed: AbstractSet[str]) -> frozenset[str]:
    """Give the parts of a service, in the words of `graph.model.vocabulary.PARTS`, of which something has failed."""
    needs = zip(PARTS, (routes.access, routes.working, routes.protecting), strict=True)
    return frozenset(part for part, ids in needs if not failed.isdisjoint(ids))


def effect_of_parts(parts: AbstractSet[str], *, protected: bool) -> Effect | None:
    """Give the effect of parts that have failed together; `protected`: whether there is a protecting path at all."""
    fitting = (each for each in RULES if each.parts <= parts and not (each.only_unprotected and protected))
    return next((each.effect for each in fitting), None)


def parts_text(parts: AbstractSet[str]) -> str:
    """Spell parts as they are kept in the graph: in the order of the model, a blank between.

    >>> parts_text({"working", "access"})
    'access working'
    """
    return " ".join(each for each in PARTS if each in parts)


def worst(severities: Iterable[str | None]) -> str | None:
    """Give the worst of severities; None when there is none.

    >>> worst(["minor", None, "critical"])
    'critical'
    """
    known = [each for each in severities if each is not None]
    return min(known, key=RANK.index, default=None)


def severity_of(effect: Effect, tier: str) -> str | None:
    """Give the severity that an effect has under a tier; None when it has none."""
    return SEVERITY.get((effect, tier))
