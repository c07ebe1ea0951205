"""An answer goes to every place of its entity, and what two paths write below stays apart."""

from __future__ import annotations

from typing import Any

from gateway.federation.execution.entities import Asked, put_back
from gateway.federation.planning.plan import Call
from gateway.federation.planning.representations import Parts, Representation


def asked(*paths: list[Any]) -> Asked:
    """One entity, with its objects by path."""
    representation = Representation(typename="T", key=Parts(fields=()), required=Parts(fields=()))
    call = Call(
        key="_entities", variable="r", paths=(("a",),) * len(paths), representation=representation, fields=("inner",)
    )
    return Asked(call=call, sent=[{"id": "1"}], objects=[[*paths]])


def test_objects_of_two_paths_do_not_share_what_lies_below() -> None:
    one: dict[str, Any] = {"id": "1"}
    other: dict[str, Any] = {"id": "1"}
    assert put_back(asked([one], [other]), [{"inner": {"list": [{"n": 1}]}}]) == []
    assert one == other == {"id": "1", "inner": {"list": [{"n": 1}]}}
    one["inner"]["list"][0]["n"] = 2  # a later fetch of the one path writes there
    assert other["inner"] == {"list": [{"n": 1}]}


def test_an_entity_of_the_second_path_only_is_answered() -> None:
    only: dict[str, Any] = {"id": "1"}
    assert put_back(asked([], [only]), [{"inner": 3}]) == []
    assert only == {"id": "1", "inner": 3}


def test_what_is_known_is_not_overwritten_by_null() -> None:
    known: dict[str, Any] = {"id": "1", "inner": {"a": 1}}
    put_back(asked([known]), [{"inner": {"a": None, "b": 2}}])
    assert known == {"id": "1", "inner": {"a": 1, "b": 2}}
