"""Whose a service is may change, and what was kept of it before is not for whoever has it later, nor still for who had it."""

from __future__ import annotations

from typing import Final

OWNERS: Final = """
UNWIND $batch.rows AS row
RETURN [row.number, COLLECT {
  UNWIND row.services AS id
  MATCH (c:Customer)-[:SUBSCRIBES_TO]->(:Service {id: id})
  RETURN [id, c.id]
}] AS data
"""
"""For each row of ids of services, with its number, the customers who have them now; one that is gone, or nobody's, is left out."""
