"""Where a service model has the rate of a service: what is asked for, what is read of it, and what is merged into it.

Both models have sites with accesses, and an access is attached to a VPN, whose id is our id of the service. In ietf-l2vpn-svc (RFC 8466)
an access has a list of bandwidths by direction and type, in bit/s; in ietf-l3vpn-svc (RFC 8299) it has two leaves. All rates of all
accesses of a service are set to the same. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from lxml import etree

from adapters.xml.parser import Element

Module: TypeAlias = Literal["ietf-l2vpn-svc", "ietf-l3vpn-svc"]
MEGA: Final = 1_000_000
_BANDWIDTH: Final = ("svc-bandwidth", "bandwidth")
_KEYS: Final = ("direction", "type")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceModel:
    """A service model, as a network has it."""

    module: Module = "ietf-l2vpn-svc"
    namespace: str = ""
    """empty: that of the module."""
    bandwidth_type: str = "bw-per-svc"
    """of ietf-l2vpn-svc: which bandwidths hold the rate of a service;"""
    rate_leaves: tuple[str, ...] = ("cir",)
    """and which leaves of them."""
    directions: tuple[str, str] = ("svc-input-bandwidth", "svc-output-bandwidth")
    """of ietf-l3vpn-svc: the leaves, to the site and from it."""

    @property
    def is_layer_2(self) -> bool:
        """Whether bandwidths are a list by direction and type."""
        return self.module == "ietf-l2vpn-svc"

    def tag(self, name: str) -> str:
        """Give the name of an element in the model's namespace."""
        return f"{{{self.namespace or f'urn:ietf:params:xml:ns:yang:{self.module}'}}}{name}"

    @property
    def root(self) -> str:
        """The name of the container of all."""
        return self.module.removeprefix("ietf-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The value of a leaf that names an identity: a qualified name."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One leaf that holds a rate."""

    leaf: str
    bps: int | None
    """None: what stands there is no number."""
    entry: tuple[Identity, Identity] | None
    """direction and type of the entry of the list that has it; None: the access itself has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """An access of a service at a site, with its rates."""

    site: str
    id: str
    rates: tuple[Rate, ...]


def carries(accesses: Iterable[Access], mbps: int) -> bool:
    """Tell whether all rates of all these accesses are this one."""
    return all(rate.bps == mbps * MEGA for access in accesses for rate in access.rates)


def least_mbps(accesses: Iterable[Access]) -> int:
    """Give the least rate of these accesses, in whole Mbit/s, rounded down; what is no number is 0."""
    return min((rate.bps or 0) // MEGA for access in accesses for rate in access.rates)


def wanted(model: ServiceModel) -> Element:
    """Give the subtree that is asked for: of every access what it is attached to, and its rates."""
    root = etree.Element(model.tag(model.root), nsmap={None: model.tag("")[1:-1]})
    site = _below(root, model, "sites", "site")
    _below(site, model, "site-id")
    access = _below(site, model, "site-network-accesses", "site-network-access")
    _below(access, model, "network-access-id")
    _below(access, model, "vpn-attachment", "vpn-id")
    service = _below(access, model, "service")
    if model.is_layer_2:
        _below(service, model, "svc-bandwidth")
    else:
        for leaf in model.directions:
            _below(service, model, leaf)
    return root


def accesses_of(data: Element, service_id: str, model: ServiceModel) -> tuple[Access, ...]:
    """Read the accesses of a service, in the order of the configuration."""
    return tuple(
        Access(site=_text(site, model, "site-id"), id=_text(access, model, "network-access-id"), rates=rates)
        for site in data.iter(model.tag("site"))
        for access in site.iter(model.tag("site-network-access"))
        if _text(access, model, "vpn-attachment", "vpn-id") == service_id
        and (rates := tuple(_rates(access, service_id, model)))
    )


def edit(accesses: Sequence[Access], mbps: int, model: ServiceModel) -> Element:
    """Give what is merged into the configuration, so that all these accesses have this rate."""
    root = etree.Element(model.tag(model.root), nsmap={None: model.tag("")[1:-1]})
    sites = _below(root, model, "sites")
    for name in dict.fromkeys(each.site for each in accesses):
        site = _below(sites, model, "site")
        _below(site, model, "site-id").text = name
        beside = _below(site, model, "site-network-accesses")
        for each in accesses:
            if each.site == name:
                _write(_below(beside, model, "site-network-access"), each, mbps, model)
    return root


def _write(element: Element, access: Access, mbps: int, model: ServiceModel) -> None:
    _below(element, model, "network-access-id").text = access.id
    service = _below(element, model, "service")
    for entry in dict.fromkeys(each.entry for each in access.rates):
        place = service if entry is None else _entry(service, entry, model)
        for each in access.rates:
            if each.entry == entry:
                _below(place, model, each.leaf).text = str(mbps * MEGA)


def _entry(service: Element, entry: tuple[Identity, Identity], model: ServiceModel) -> Element:
    beside = service.find(model.tag("svc-bandwidth"))
    place = _below(service if beside is None else beside, model, *(_BANDWIDTH if beside is None else _BANDWIDTH[1:]))
    for name, identity in zip(_KEYS, entry, strict=True):
        if (
            identity.namespace == model.tag("")[1:-1]
        ):  # the default namespace here; netconfd knows no other prefix for it
            _below(place, model, name).text = identity.name
        else:
            key = etree.SubElement(place, model.tag(name), nsmap={"of": identity.namespace})
            key.text = f"of:{identity.name}"
    return place


def _rates(access: Element, service_id: str, model: ServiceModel) -> Iterator[Rate]:
    service = access.find(model.tag("service"))
    if service is None:
        return
    if not model.is_layer_2:
        yield from _leaves(service, model.directions, None, model)
        return
    for entry in service.iterfind("/".join(map(model.tag, _BANDWIDTH))):
        direction, kind = (_identity(entry.find(model.tag(name)), model) for name in _KEYS)
        theirs = _text(entry, model, "vpn-id")
        if kind.name == model.bandwidth_type and theirs in ("", service_id):
            yield from _leaves(entry, model.rate_leaves, (direction, kind), model)


def _leaves(
    element: Element, names: Sequence[str], entry: tuple[Identity, Identity] | None, model: ServiceModel
) -> Iterator[Rate]:
    for name in names:
        if element.find(model.tag(name)) is not None:
            text = _text(element, model, name)
            yield Rate(leaf=name, bps=int(text) if text.isascii() and text.isdigit() else None, entry=entry)


def _identity(element: Element | None, model: ServiceModel) -> Identity:
    """Read a qualified name; one without a prefix is of the model (RFC 7950, section 9.10.3)."""
    text = (element.text or "").strip() if element is not None else ""
    prefix, _, name = text.rpartition(":")
    own = model.tag("")[1:-1]
    namespace = element.nsmap.get(prefix, own) if element is not None and prefix else own
    return Identity(namespace=namespace, name=name)


def _text(element: Element, model: ServiceModel, *path: str) -> str:
    return (element.findtext("/".join(map(model.tag, path))) or "").strip()


def _below(element: Element, model: ServiceModel, *path: str) -> Element:
    for name in path:
        element = etree.SubElement(element, model.tag(name))
    return element
