from __future__ import annotations

from graph.model.identity import external_key, loaded_id


def test_a_name_has_one_id_for_each_source_and_label() -> None:
    names = [("Card", "one", "x"), ("Card", "two", "x"), ("Port", "one", "x"), ("Card", "one", "y")]
    assert [loaded_id(*name) for name in names] == [loaded_id(*name) for name in names]
    assert len({loaded_id(*name).partition("-")[2] for name in names}) == len(names)


def test_the_key_of_a_pair_does_not_depend_on_where_it_is_cut_alone() -> None:
    assert external_key("a", "bc") != external_key("ab", "c")
    assert external_key("inventory", "x") == external_key("inventory", "x")
