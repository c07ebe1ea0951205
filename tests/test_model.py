from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.model.drawing import BEGIN, END, drawing, redraw
from graph.model.model import LABELS, RELATIONSHIPS, Inside, Kind, Label, Property, Relationship, label_of

DOCUMENT = Path(__file__).parents[1] / "docs" / "model.md"

labels = pytest.mark.parametrize("label", LABELS.values(), ids=lambda each: each.name)
relationships = pytest.mark.parametrize("relationship", RELATIONSHIPS.values(), ids=lambda each: each.type)
properties = pytest.mark.parametrize(
    "each",
    [
        pytest.param(each, id=f"{owner}-{each.name}")
        for owner, held in [
            *((label.name, label.properties) for label in LABELS.values()),
            *((one.type, one.properties) for one in RELATIONSHIPS.values()),
        ]
        for each in held
    ],
)


def steps_inside() -> set[tuple[str, str]]:
    """Every pair of labels such that whoever may see the first may see what is behind it of the second."""
    steps = set[tuple[str, str]]()
    for each in RELATIONSHIPS.values():
        forward = {(start, end) for start in each.starts for end in each.ends}
        if each.inside is Inside.FORWARD:
            steps |= forward
        if each.inside is Inside.REVERSE:
            steps |= {(end, start) for start, end in forward}
    return steps


def slice_of_a_customer() -> set[str]:
    reached, found = set[str](), {"Customer"}
    while found - reached:
        reached |= found
        found = {end for start, end in steps_inside() if start in reached}
    return reached


def test_labels_and_relationship_types_never_share_a_word() -> None:
    # One of the databases keeps both in one catalogue, and neither is to be trusted with a difference of case alone.
    words = [word.casefold().replace("_", "") for word in (*LABELS, *RELATIONSHIPS)]
    assert len(words) == len(set(words))


@relationships
def test_both_ends_of_a_relationship_are_labels(relationship: Relationship) -> None:
    assert relationship.starts
    assert relationship.ends
    assert set(relationship.starts) | set(relationship.ends) <= LABELS.keys()


@labels
def test_a_label_names_each_property_once(label: Label) -> None:
    names = [each.name for each in label.properties]
    assert len(names) == len(set(names))
    assert [label.property(name) for name in names] == list(label.properties)
    with pytest.raises(KeyError, match="has no property"):
        label.property("no such property")


@labels
def test_what_is_unique_is_a_required_property_of_the_label(label: Label) -> None:
    assert label.unique
    assert all(label.property(name).required for name in label.unique)


@labels
def test_searched_labels_have_the_words_that_search_reads(label: Label) -> None:
    assert label.searched == ("words" in {each.name for each in label.properties})


@properties
def test_a_property_is_spelled_so_that_both_databases_take_it(each: Property) -> None:
    assert each.name.isidentifier()
    assert each.name[0].islower()


@properties
def test_only_strings_have_a_closed_vocabulary(each: Property) -> None:
    assert not each.words or each.kind is Kind.STRING
    assert len(each.words) == len(set(each.words))


@labels
def test_a_label_is_in_the_slice_or_for_operators_or_internal(label: Label) -> None:
    hidden = label.internal or all(each.operator_only for each in label.properties)
    assert hidden == (label.name not in slice_of_a_customer())


def test_no_step_inside_a_slice_leads_to_a_customer() -> None:
    assert {start for start, end in steps_inside() if end == "Customer"} == set()


def test_a_slice_comes_to_services_from_their_customer_only() -> None:
    # Were there another way, a shared card, trunk or alarm would show the services of others.
    assert {start for start, end in steps_inside() if end == "Service"} == {"Customer"}


@labels
def test_an_id_tells_its_label(label: Label) -> None:
    assert label_of(f"{label.id_prefix}0190a5b0-0000-7000-8000-000000000000") is label


@given(st.text())
def test_an_id_that_was_never_ours_has_no_label(text: str) -> None:
    assert label_of("never" + text) is None


def test_the_drawing_in_the_docs_is_current() -> None:
    assert drawing() in DOCUMENT.read_text(encoding="utf-8"), "run `make docs`"


def test_redrawing_replaces_what_is_between_the_markers_and_nothing_else() -> None:
    assert redraw(f"before\n{BEGIN}\nold\n{END}\nafter") == f"before\n{BEGIN}\n\n{drawing()}\n\n{END}\nafter"


def test_a_document_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="has no lines"):
        redraw("nothing to replace")


COUNTED_INSIDE = frozenset(
    {
        "Boost.chargedMbps",
        "Boost.mbps",
        "Boost.price",
        "Card.slot",
        "OrderItem.mbps",
        "OrderItem.position",
        "OrderItem.quantity",
        "Port.number",
        "Port.speedMbps",
        "ProcessStep.attempts",
        "ProcessStep.stage",
        "ROUTED_OVER.position",
        "Service.bookedMbps",
        "Service.committedMbps",
        "Service.effectiveMbps",
        "Service.maxMbps",
        "Sla.repairHours",
        "Trunk.capacityMbps",
        "Usage.mbps",
        "Usage.octets",
    }
)
"""Each describes the thing itself, whatever else there is."""


def test_a_number_that_customers_see_was_looked_at_whether_it_counts_what_is_outside_the_slice() -> None:
    # A version, a position or a count of things that others have tells of them: it is for operators only.
    inside = slice_of_a_customer()
    held = [(name, LABELS[name].properties) for name in inside]
    held += [(one.type, one.properties) for one in RELATIONSHIPS.values()]
    numbers = {
        f"{owner}.{each.name}"
        for owner, properties_ in held
        for each in properties_
        if each.kind in {Kind.INTEGER, Kind.LARGE} and not each.operator_only
    }
    assert numbers == COUNTED_INSIDE
