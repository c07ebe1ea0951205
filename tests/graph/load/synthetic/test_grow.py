from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise

import networkx as nx
import pytest

from graph.load import NodeRecord, RelationshipRecord, UnknownTopology, as_line, grow, read_topology
from graph.load.check import problems_of
from graph.model.model import LABELS, RELATIONSHIPS
from tests.graph.load.synthetic.grown import Grown
from tests.naive_effects import says_that_something_failed, severity
from tests.selection import sample

PROTECTED, BRIDGED, SMALL = "sndlib/germany50", "topozoo/Surfnet", "sndlib/abilene"


@cache
def grown(topology: str) -> Grown:
    return Grown.of(topology, {PROTECTED: 10_000, BRIDGED: 8_000, SMALL: 2_500}[topology], alarms=12)


@pytest.fixture(params=[PROTECTED, BRIDGED, SMALL])
def network(request: pytest.FixtureRequest) -> Grown:
    return grown(request.param)


def test_every_record_fits_the_model(network: Grown) -> None:
    assert [(each, problems) for each in network.records if (problems := problems_of(each))] == []


def test_a_relationship_comes_after_both_its_ends(network: Grown) -> None:
    seen: set[str] = set()
    for each in network.records:
        match each:
            case NodeRecord(id=node_id):
                assert node_id not in seen
                seen.add(node_id)
            case RelationshipRecord(start=start, end=end):
                assert {start, end} <= seen


def test_what_can_have_one_end_or_one_start_has_one(network: Grown) -> None:
    starts = Counter((each.type, each.start) for each in network.relationships if RELATIONSHIPS[each.type].one_end)
    ends = Counter((each.type, each.end) for each in network.relationships if RELATIONSHIPS[each.type].one_start)
    assert {*starts.values(), *ends.values()} == {1}


def test_the_same_seed_gives_the_same_lines_and_another_one_does_not() -> None:
    def lines(seed: int) -> list[bytes]:
        return list(map(as_line, grow(read_topology(SMALL), 1_500, seed, alarms=3)))

    assert lines(1) == lines(1)
    assert lines(1) != lines(2)


def test_two_loads_that_differ_in_anything_but_alarms_share_no_id() -> None:
    loads = [("gabriel/25/0", 1, 1), ("gabriel/30/0", 1, 1), ("gabriel/25/0", 2, 1), ("gabriel/25/0", 1, 2)]
    ids = [
        {each.id for each in grow(read_topology(name), scale, seed) if isinstance(each, NodeRecord)}
        for name, scale, seed in loads
    ]
    assert len(set().union(*ids)) == sum(map(len, ids))


def test_alarms_change_nothing_of_the_network_but_effects() -> None:
    quiet, noisy = (Grown.of(SMALL, 1_500, alarms=alarms) for alarms in (0, 5))
    assert quiet.nodes.keys() < noisy.nodes.keys()
    assert {noisy.nodes[each].label for each in noisy.nodes.keys() - quiet.nodes.keys()} == {"Alarm", "Ticket"}
    assert {each.label for each in quiet.nodes.values() if each != noisy.nodes[each.id]} == {"Service"}


@pytest.mark.parametrize("topology", [PROTECTED, BRIDGED, SMALL])
def test_the_scale_is_reached_and_hardly_passed(topology: str) -> None:
    nodes = sum(isinstance(each, NodeRecord) for each in grow(read_topology(topology), 10_000, 1))
    assert 10_000 <= nodes <= 10_100


def test_below_the_bare_network_there_are_still_the_two_customers_to_show() -> None:
    tiny = Grown.of(SMALL, 1)
    assert len(tiny.ids("Customer")) == 2
    assert len(tiny.ids("Service")) == 16


def test_each_loaded_kind_of_thing_is_there(network: Grown) -> None:
    present = {each.label for each in network.nodes.values()}
    come_later = {"Lead", "ProcessStep", "Task", "Delivery", "Downtime", "InventoryFeed", "InventoryDifference"}
    come_later |= {"OrderCancellation", "CustomerMatch"}
    assert present == {label.name for label in LABELS.values() if not label.internal} - come_later


def test_a_trunk_ends_on_two_ports_of_two_sites(network: Grown) -> None:
    for trunk, sites in network.trunk_ends.items():
        assert len(network.after(trunk, "TERMINATES_ON")) == 2
        assert len(sites) == 2


def test_a_port_is_for_one_trunk_or_for_one_customer(network: Grown) -> None:
    for port in network.ids("Port"):
        services = network.before(port, "ACCESSED_AT")
        customers = {customer for each in services for customer in network.before(each, "SUBSCRIBES_TO")}
        assert len(network.before(port, "TERMINATES_ON")) + len(customers) == 1


def test_no_trunk_and_no_port_carries_more_than_it_can(network: Grown) -> None:
    for trunk in network.ids("Trunk"):
        services = network.before(trunk, "ROUTED_OVER")
        assert sum(network.number(each, "committedMbps") for each in services) <= network.number(trunk, "capacityMbps")
    for port in network.ids("Port"):
        services = network.before(port, "ACCESSED_AT")
        assert sum(network.number(each, "maxMbps") for each in services) <= network.number(port, "speedMbps")


def test_neighbourhoods_are_bounded(network: Grown) -> None:
    assert max(len(network.before(each, "ROUTED_OVER")) for each in network.ids("Trunk")) <= 250
    assert max(len(network.after(each, "HAS_PORT")) for each in network.ids("Card")) <= 48
    assert max(len(network.after(each, "HOLDS")) for each in network.ids("NetworkElement")) <= 16
    assert max(len(network.before(each, "LOCATED_AT")) for each in network.ids("Site")) <= 4


def test_both_paths_lead_from_the_one_end_to_the_other_and_share_no_trunk(network: Grown) -> None:
    for service in network.ids("Service"):
        a, z = network.ends(service)
        assert a != z
        working, protecting = network.path(service, "WORKING"), network.path(service, "PROTECTING")
        assert not set(working) & set(protecting)
        for path in filter(None, (working, protecting)):
            assert leads(network, path, a) == z
        assert working


def leads(network: Grown, path: list[str], site: str) -> str:
    for trunk in path:
        assert site in network.trunk_ends[trunk]
        (site,) = network.trunk_ends[trunk] - {site}
    return site


def test_a_service_has_no_protecting_path_only_where_the_trunks_leave_none(network: Grown) -> None:
    # Two paths that share no trunk exist exactly where two units can flow, each trunk taking one.
    flows: dict[tuple[str, str], bool] = {}
    for service in sample(network.ids("Service"), 150, about=f"flows {len(network.records)}"):
        ends = network.ends(service)
        if ends not in flows:
            flows[ends] = nx.maximum_flow_value(network.sites, *ends) >= 2
        assert bool(network.path(service, "PROTECTING")) == flows[ends]


def test_where_the_topology_has_bridges_some_services_that_are_not_cut_off_have_no_protection() -> None:
    network = grown(BRIDGED)
    unprotected = [each for each in network.ids("Service") if not network.path(each, "PROTECTING")]
    dual = [each for each in unprotected if min(uplinks(network, site) for site in network.ends(each)) == 2]
    assert len(dual) > 10, "both ends have two uplinks, and a bridge lies between"


def uplinks(network: Grown, site: str) -> int:
    return min(2, sum(int(edge["capacity"]) for edge in network.sites[site].values()))


def test_a_service_has_one_customer_one_promise_of_that_customer_and_one_order_item(network: Grown) -> None:
    for service in network.ids("Service"):
        (customer,) = network.before(service, "SUBSCRIBES_TO")
        (sla,) = network.after(service, "GOVERNED_BY")
        (item,) = network.before(service, "PROVISIONS")
        (order,) = network.before(item, "HAS_ITEM")
        others = {
            owner for each in network.before(sla, "GOVERNED_BY") for owner in network.before(each, "SUBSCRIBES_TO")
        }
        assert {customer} == others == set(network.after(order, "PLACED_BY"))


def test_a_customer_has_one_promise_for_each_tier_it_buys(network: Grown) -> None:
    for customer in network.ids("Customer"):
        services = network.after(customer, "SUBSCRIBES_TO")
        slas = {sla for each in services for sla in network.after(each, "GOVERNED_BY")}
        assert len({network.nodes[each].properties["tier"] for each in slas}) == len(slas)


def test_everything_physical_has_a_name_in_the_inventory(network: Grown) -> None:
    for label in ("Site", "NetworkElement", "Card", "Port", "Trunk"):
        assert all(len(network.before(each, "NAMES")) == 1 for each in network.ids(label))


def test_one_customer_in_ten_thousand_nodes_is_a_hub() -> None:
    network = grown(PROTECTED)
    services = sorted(len(network.after(each, "SUBSCRIBES_TO")) for each in network.ids("Customer"))
    assert services[-1] >= 300
    assert services[-2] <= 12


def test_cards_are_shared_by_customers() -> None:
    network = grown(PROTECTED)
    shared = 0
    for card in network.ids("Card"):
        services = [each for port in network.after(card, "HAS_PORT") for each in network.before(port, "ACCESSED_AT")]
        shared += len({customer for each in services for customer in network.before(each, "SUBSCRIBES_TO")}) > 3
    assert shared > 50


def test_the_customers_to_show_share_a_site_an_element_a_card_a_trunk_and_an_alarm(network: Grown) -> None:
    def seen(customer: str) -> set[str]:
        services = network.after(customer, "SUBSCRIBES_TO")
        ports = {port for each in services for port in network.after(each, "ACCESSED_AT")}
        cards = {card for each in ports for card in network.before(each, "HAS_PORT")}
        elements = {element for each in cards for element in network.before(each, "HOLDS")}
        trunks = {trunk for each in services for trunk in network.after(each, "ROUTED_OVER")}
        alarms = {alarm for each in services for alarm in network.before(each, "AFFECTS")}
        return {*map(network.site_of_port, ports), *cards, *elements, *trunks, *alarms}

    premium, standard = network.ids("Customer")[:2]
    shared = {network.nodes[each].label for each in seen(premium) & seen(standard)}
    assert shared == {"Site", "NetworkElement", "Card", "Trunk", "Alarm"}
    tiers = [
        {
            network.nodes[sla].properties["tier"]
            for each in network.after(customer, "SUBSCRIBES_TO")
            for sla in network.after(each, "GOVERNED_BY")
        }
        for customer in (premium, standard)
    ]
    assert tiers == [{"PREMIUM"}, {"STANDARD"}]


def test_effects_are_those_of_all_asserting_alarms_together(network: Grown) -> None:
    failed_by = {alarm: failing(network, alarm) for alarm in network.ids("Alarm")}
    failed = frozenset().union(*failed_by.values())
    hurt = Counter[str]()
    for service in network.ids("Service"):
        needs, effect = network.needs(service), network.nodes[service].properties.get("effect")
        assert effect == needs.effect(failed)
        part = {alarm for alarm, each in failed_by.items() if needs.parts(each)}
        assert part == set(network.before(service, "AFFECTS"))
        hurt[str(effect)] += 1
        for each in network.backward.get(("AFFECTS", service), []):
            assert each.properties == {**harm(network, service), "parts": needs.parts(failed_by[each.start])}
    assert hurt["degraded"] > 10
    assert hurt["None"] > 10


def failing(network: Grown, alarm: str) -> frozenset[str]:
    properties = network.nodes[alarm].properties
    if not says_that_something_failed(str(properties["alarmType"]), str(properties["perceivedSeverity"])):
        return frozenset()
    (target,) = network.after(alarm, "RAISED_ON")
    return frozenset(network.failing_with(target))


def harm(network: Grown, service: str) -> dict[str, object]:
    effect = network.nodes[service].properties["effect"]
    assert effect in ("down", "degraded", "atRisk")
    (sla,) = network.after(service, "GOVERNED_BY")
    found = severity(effect, str(network.nodes[sla].properties["tier"]))
    return {"effect": effect, "severity": found} if found else {"effect": effect}


def test_a_ticket_tells_one_customer_of_its_own_services(network: Grown) -> None:
    tickets = network.ids("Ticket")
    assert tickets
    for ticket in tickets:
        (customer,) = network.after(ticket, "OPENED_FOR")
        (alarm,) = network.after(ticket, "REPORTS")
        for service in network.after(ticket, "CONCERNS"):
            assert network.before(service, "SUBSCRIBES_TO") == [customer]
            assert alarm in network.before(service, "AFFECTS")


@pytest.mark.parametrize("name", ["sndlib/atlantis", "germany50", "../graph", "sndlib/../../x", ""])
def test_a_topology_that_does_not_exist_is_named_with_a_hint(name: str) -> None:
    with pytest.raises(UnknownTopology, match="no topology"):
        read_topology(name)


def test_parallel_trunks_are_made_when_one_is_full_but_not_across_a_bridge() -> None:
    network = Grown.of(SMALL, 12_000)
    trunks = {frozenset((a, z)): data["capacity"] for a, z, data in network.sites.edges(data=True)}
    core = {pair for pair in trunks if all(network.nodes[site].properties["role"] == "core" for site in pair)}
    bridges = {frozenset(pair) for pair in nx.bridges(network.sites)} & core
    assert {trunks[each] for each in bridges} == {1}
    assert max(trunks[each] for each in core) > 1
    assert max(trunks[each] for each in trunks.keys() - core) > 2, "two uplinks, and one of them is full"


def test_positions_in_a_path_follow_each_other(network: Grown) -> None:
    for service in network.ids("Service")[:50]:
        path = network.path(service, "WORKING")
        assert all(network.trunk_ends[a] & network.trunk_ends[b] for a, b in pairwise(path))
