"""Sites and what stands in them: elements, their cards, the cards' ports, each made when it is first needed.

A site has two *planes*, so that two uplinks of it need not share an element or a card: what is asked for in plane 0 and
in plane 1 never comes from the same card, and in a core site not from the same element either. A new element or card
is made when the last one is full, which keeps both within what real ones hold.

Words: a thing is *struck* by an alarm when the alarm makes it fail, itself or by what it is part of; `struck` holds the
numbers of those alarms. What is made later inside a struck thing is struck as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from graph.load.records import Value
from graph.load.synthetic.catalogue import SLOTS, VENDORS, CardModel
from graph.load.synthetic.sheet import Sheet

_WORKING_STATE: Final = {"operationalState": "enabled", "administrativeState": "unlocked"}


@dataclass(slots=True, kw_only=True, eq=False)
class Port:
    """A port, as far as others still need it."""

    id: str
    struck: set[int]


@dataclass(slots=True, kw_only=True, eq=False)
class Card:
    """A card and the ports that it still has free."""

    id: str
    name: str
    model: CardModel
    used: int = 0
    ports: list[Port] = field(default_factory=list)
    struck: set[int] = field(default_factory=set)

    def strike(self, alarm: int) -> None:
        """Let the card fail, and with it its ports."""
        self.struck.add(alarm)
        for port in self.ports:
            port.struck.add(alarm)


@dataclass(slots=True, kw_only=True, eq=False)
class Element:
    """A network element and how many of its slots are taken."""

    id: str
    name: str
    slots: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Site:
    """A site; elements by plane (an access site has one row of elements for both), the card in use by plane and model."""

    id: str
    name: str
    role: str
    elements: dict[int, Element] = field(default_factory=dict)
    count: int = 0
    cards: dict[tuple[int, str], Card] = field(default_factory=dict)


def build_site(sheet: Sheet, name: str, role: str, *, latitude: float, longitude: float) -> Site:
    """Put down a site, still empty."""
    where: dict[str, Value] = {"role": role, "latitude": round(latitude, 5), "longitude": round(longitude, 5)}
    site = Site(id=sheet.node("Site", name, where), name=name, role=role)
    sheet.known_as(site.id, name)
    return site


def free_port(sheet: Sheet, site: Site, plane: int, model: CardModel) -> Port:
    """Take the next free port of that kind of card, with a new card, and a new element, where it takes one."""
    card = site.cards.get((plane, model.name))
    if card is None or card.used == model.ports:
        card = site.cards[plane, model.name] = _new_card(sheet, site, plane, model)
    card.used += 1
    name = f"{card.name}/{card.used}"
    properties: dict[str, Value] = {"role": model.role, "number": card.used, "speedMbps": model.speed, **_WORKING_STATE}
    port = Port(id=sheet.node("Port", name, properties), struck=set(card.struck))
    card.ports.append(port)
    sheet.join(card.id, "HAS_PORT", port.id)
    sheet.known_as(port.id, name)
    return port


def _new_card(sheet: Sheet, site: Site, plane: int, model: CardModel) -> Card:
    element = _element(sheet, site, plane if site.role == "core" else 0)
    element.slots += 1
    name = f"{element.name}/{element.slots}"
    properties: dict[str, Value] = {"model": model.name, "slot": element.slots, **_WORKING_STATE}
    card = Card(id=sheet.node("Card", name, properties, words=model.name), name=name, model=model)
    sheet.join(element.id, "HOLDS", card.id)
    sheet.known_as(card.id, name)
    return card


def _element(sheet: Sheet, site: Site, row: int) -> Element:
    element = site.elements.get(row)
    if element is not None and element.slots < SLOTS:
        return element
    site.count += 1
    name = f"{site.name} {'CR' if site.role == 'core' else 'AR'}{site.count}"
    vendor = VENDORS[sum(site.name.encode()) % len(VENDORS)]
    model = f"{vendor} {'9000' if site.role == 'core' else '2400'}"
    properties: dict[str, Value] = {"vendor": vendor, "model": model, "role": site.role, **_WORKING_STATE}
    element = site.elements[row] = Element(id=sheet.node("NetworkElement", name, properties, words=model), name=name)
    sheet.join(element.id, "LOCATED_AT", site.id)
    sheet.known_as(element.id, name)
    return element
