"""The network under the two tenants: what they share, what is one's alone, and what is nobody's."""

from __future__ import annotations

from tests.resolvers.world import Builder


def network(built: Builder) -> None:
    """Add sites, equipment, trunks, and what source systems call them."""
    _places(built)
    _equipment(built)
    _trunks(built)
    _names(built)


def _places(built: Builder) -> None:
    for owner, name, latitude in (("shared", "1", 50.5), ("shared", "2", 48.0), ("b", "3", 53.5), ("nobody", "4", 0.1)):
        built.node(
            owner, "Site", name, name=f"Köln {name}", role="core", latitude=latitude, longitude=7.0 + latitude / 10
        )


def _element(built: Builder, owner: str, name: str, site: str) -> None:
    key = built.node(
        owner,
        "NetworkElement",
        name,
        name=f"köln-{site}/ne {name}",
        vendor="Acme" if site == "1" else "Bolt",
        model="X9",
        role="edge",
        operationalState="enabled",
        administrativeState="shuttingDown" if name == "e2" else "unlocked",
    )
    built.edge("LOCATED_AT", key, f"site-{site}")


def _card(built: Builder, owner: str, name: str, element: str, slot: int) -> None:
    key = built.node(
        owner,
        "Card",
        name,
        name=f"card {slot} in {element}",
        model="C100",
        slot=slot,
        operationalState="disabled" if name == "c1" else "enabled",
        administrativeState="unlocked",
    )
    built.edge("HOLDS", f"networkelement-{element}", key)


def _port(built: Builder, owner: str, name: str, card: str, number: int) -> None:
    key = built.node(
        owner,
        "Port",
        name,
        name=f"{card}:{number}",
        role="trunk" if name.startswith("t") else "access",
        number=number,
        speedMbps=(1_000, 10_000, 100_000)[number % 3],
        operationalState="enabled",
        administrativeState="locked" if number == 4 else "unlocked",
    )
    built.edge("HAS_PORT", f"card-{card}", key)


def _equipment(built: Builder) -> None:
    for owner, name, site in (("shared", "e1", "1"), ("shared", "e2", "2"), ("b", "e3", "3"), ("b", "e4", "1")):
        _element(built, owner, name, site)
    _element(built, "nobody", "e5", "4")
    for index, (owner, name, element) in enumerate(
        (
            ("shared", "c1", "e1"),
            ("shared", "c2", "e2"),
            ("b", "c3", "e3"),
            ("b", "c4", "e4"),
            ("b", "c5", "e1"),
            ("a", "c6", "e1"),
            ("nobody", "c7", "e5"),
        )
    ):
        _card(built, owner, name, element, index)
    for index, (owner, name, card) in enumerate(
        (
            ("shared", "t1", "c1"),
            ("shared", "t2", "c2"),
            ("shared", "t3", "c1"),
            ("shared", "t4", "c2"),
            ("b", "t5", "c1"),
            ("b", "t6", "c3"),
            ("nobody", "t7", "c1"),
            ("nobody", "t8", "c7"),
            ("shared", "p1", "c1"),
            ("shared", "p2", "c2"),
            ("a", "p3", "c6"),
            ("b", "p4", "c1"),
            ("b", "p5", "c5"),
            ("b", "p6", "c3"),
            ("b", "p7", "c4"),
            ("nobody", "p8", "c1"),
        )
    ):
        _port(built, owner, name, card, index + 1)


def _trunks(built: Builder) -> None:
    for index, (owner, name, left, right) in enumerate(
        (
            ("shared", "1", "t1", "t2"),
            ("shared", "2", "t3", "t4"),
            ("b", "3", "t5", "t6"),
            ("nobody", "4", "t7", "t8"),
        )
    ):
        key = built.node(
            owner,
            "Trunk",
            name,
            name=f"trunk {name} of Köln",
            layerRate="OTU4",
            capacityMbps=100_000 * (1 + index % 2),
            operationalState="enabled",
        )
        built.edge("TERMINATES_ON", key, f"port-{left}", end="A")
        built.edge("TERMINATES_ON", key, f"port-{right}", end="Z")


def _names(built: Builder) -> None:
    for owner, name, of in (
        ("shared", "1", "site-1"),
        ("shared", "2", "networkelement-e1"),
        ("shared", "3", "card-c1"),
        ("shared", "4", "port-t1"),
        ("shared", "5", "trunk-1"),
        ("b", "6", "card-c1"),
        ("b", "7", "card-c5"),
        ("b", "8", "service-b1"),
        ("b", "9", "customer-b"),
    ):
        key = built.node(owner, "ExternalName", name, key=f"hash-{name}", system="nms-1", name=f"NE=17/{name}")
        built.edge("NAMES", key, of)
