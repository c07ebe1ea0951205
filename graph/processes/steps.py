"""Steps are written with the deliveries that carry them out; who settles a delivery must find what comes after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, cast, get_args

import uuid_utils

from graph.model.model import LABELS
from graph.model.vocabulary import STEP_SYSTEMS
from graph.store.store import Transaction

Boundary: TypeAlias = Literal["START", "CHANGE", "RETURN"]
System: TypeAlias = Literal["NETWORK", "BILLING", "PERFORMANCE", "FAULT_MANAGEMENT", "INVENTORY", "SALES", "TRUNKLINE"]
State: TypeAlias = Literal["PENDING", "REFUSED", "FAILED"]
BOUNDARIES: Final[tuple[Boundary, ...]] = get_args(Boundary)
"""`graph.model.vocabulary.BOUNDARIES`."""

_BEGIN_OF_BOOSTS: Final = """
UNWIND $batch.rows AS row
MATCH (o:Boost {id: row.about})
CREATE (p:ProcessStep {
  id: row.id, name: row.name, boundary: row.boundary, system: row.system, stage: row.stage, state: 'PENDING', startedAt: row.at,
  attempts: 0
})-[:STEP_OF]->(o)
"""
_BEGIN_OF_ITEMS: Final = """
UNWIND $batch.rows AS row
MATCH (o:OrderItem {id: row.about})
CREATE (p:ProcessStep {
  id: row.id, name: row.name, boundary: row.boundary, system: row.system, stage: row.stage, state: 'PENDING', startedAt: row.at,
  attempts: 0
})-[:STEP_OF]->(o)
"""
_OPEN_OF_BOOSTS: Final = """
UNWIND $batch.abouts AS id
MATCH (p:ProcessStep)-[:STEP_OF]->(o:Boost {id: id})
WHERE p.state IN ['PENDING', 'REFUSED', 'FAILED'] AND p.finishedAt IS NULL
RETURN p.id, o.id, p.name, p.boundary, p.system, p.stage, p.state ORDER BY p.id
"""
_OPEN_OF_ITEMS: Final = """
UNWIND $batch.abouts AS id
MATCH (p:ProcessStep)-[:STEP_OF]->(o:OrderItem {id: id})
WHERE p.state IN ['PENDING', 'REFUSED', 'FAILED'] AND p.finishedAt IS NULL
RETURN p.id, o.id, p.name, p.boundary, p.system, p.stage, p.state ORDER BY p.id
"""
_END: Final = """
UNWIND $batch.rows AS row
MATCH (p:ProcessStep {id: row.id})
SET p.state = row.state, p.receipt = coalesce(row.receipt, p.receipt), p.error = row.error, p.finishedAt = row.at
"""


def new_id() -> str:
    """Make the id of a step: uuid7, so that ids sort by time."""
    return f"{LABELS['ProcessStep'].id_prefix}{uuid_utils.uuid7()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a process that begins."""

    id: str = field(default_factory=new_id)
    about: str
    """the id of what the process is about: a boost, or an item of an order."""
    name: str
    """what is done, so that a process that is under way is understood by a later version."""
    boundary: Boundary
    system: System
    stage: int

    def __post_init__(self) -> None:
        if self.boundary not in BOUNDARIES or self.system not in STEP_SYSTEMS or self.stage < 0:
            raise ValueError(f"no step of a process: {self.boundary}, {self.system}, stage {self.stage}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStep:
    """A step that is neither done nor skipped."""

    step: Step
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What becomes of a step that no delivery settles."""

    id: str
    state: Literal["DONE", "REFUSED", "SKIPPED"]
    receipt: str | None = None
    """what was found to be so already, where it is DONE."""
    error: str | None = None
    """why, where it is not."""
    is_final: bool = False
    """whether one that is REFUSED is not asked for again."""


def begin(transaction: Transaction, steps: Sequence[Step], *, at: int) -> None:
    """Write steps; `at` is epoch milliseconds by the database's clock. Whoever owns the process holds what it is about."""
    rows = [
        {
            "id": each.id,
            "about": each.about,
            "name": each.name,
            "boundary": each.boundary,
            "system": each.system,
            "stage": each.stage,
            "at": at,
        }
        for each in steps
    ]
    if some := [row for row in rows if not _is_item(str(row["about"]))]:
        transaction.later(_BEGIN_OF_BOOSTS, {"batch": {"rows": some}})
    if some := [row for row in rows if _is_item(str(row["about"]))]:
        transaction.later(_BEGIN_OF_ITEMS, {"batch": {"rows": some}})


async def open_steps(transaction: Transaction, abouts: Iterable[str]) -> tuple[OpenStep, ...]:
    """Give the steps of some processes that are open, in the order in which they began."""
    wanted, rows = sorted(set(abouts)), list[list[object]]()
    if some := [each for each in wanted if not _is_item(each)]:
        rows += await transaction.run(_OPEN_OF_BOOSTS, {"batch": {"abouts": some}})
    if some := [each for each in wanted if _is_item(each)]:
        rows += await transaction.run(_OPEN_OF_ITEMS, {"batch": {"abouts": some}})
    return tuple(_open(cast("list[str]", row)) for row in sorted(rows, key=lambda row: str(row[0])))


def end(transaction: Transaction, ended: Iterable[Ended], *, at: int) -> None:
    """Write what becomes of steps; `at` is epoch milliseconds by the database's clock."""
    rows = [
        {
            "id": each.id,
            "state": each.state,
            "receipt": each.receipt,
            "error": each.error,
            "at": None if each.state == "REFUSED" and not each.is_final else at,
        }
        for each in sorted(ended, key=lambda each: each.id)
    ]
    if rows:
        transaction.later(_END, {"batch": {"rows": rows}})


def _is_item(about: str) -> bool:
    return about.startswith(LABELS["OrderItem"].id_prefix)


def _open(row: Sequence[object]) -> OpenStep:
    step, about, name, boundary, system, stage, state = row
    return OpenStep(
        step=Step(
            id=str(step),
            about=str(about),
            name=str(name),
            boundary=cast("Boundary", boundary),
            system=cast("System", system),
            stage=cast("int", stage),
        ),
        state=cast("State", state),
    )
