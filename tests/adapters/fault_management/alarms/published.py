"""MTOSI's published schemas, where they are at hand."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest
from lxml import etree

from adapters.xml.parser import Element
from tests.adapters.schema import REFERENCE

_IMPORTED = {
    "fmw/xsd/hdr/v1": "Framework/IIS/xsd/HeaderDefinitions.xsd",
    "fmw/xsd/notmsg/v1": "Framework/IIS/xsd/NotificationMessages.xsd",
    "nra/xsd/alm/v1": "NetworkResourceAssurance/IIS/xsd/EventAlarm.xsd",
    "fmw/xsd/vdn/v1": "Framework/IIS/xsd/EventVendorNotification.xsd",
    "nrb/xsd/rscoc/v1": "NetworkResourceBasic/IIS/xsd/EventResourceObjectCreation.xsd",
    "nrb/xsd/rscodel/v1": "NetworkResourceBasic/IIS/xsd/EventResourceObjectDeletion.xsd",
    "nrb/xsd/rscsc/v1": "NetworkResourceBasic/IIS/xsd/EventResourceStateChange.xsd",
    "nrb/xsd/rscavc/v1": "NetworkResourceBasic/IIS/xsd/EventResourceAttributeValueChange.xsd",
    "sb/xsd/savc/v1": "ServiceBasic/IIS/xsd/EventServiceAttributeValueChange.xsd",
    "sb/xsd/ssc/v1": "ServiceBasic/IIS/xsd/EventServiceStateChange.xsd",
    "nrf/xsd/me/v1": "NetworkResourceFulfillment/IIS/xsd/Me.xsd",
    "nrf/xsd/eq/v1": "NetworkResourceFulfillment/IIS/xsd/Eq.xsd",
    "nrf/xsd/ptp/v1": "NetworkResourceFulfillment/IIS/xsd/Ptp.xsd",
    "nrf/xsd/tl/v1": "NetworkResourceFulfillment/IIS/xsd/Tl.xsd",
    "rtm/xsd/ah/v1": "ResourceTroubleManagement/IIS/xsd/AlarmHandlingMessages.xsd",
}


def faults(element: Element) -> list[str]:
    """Give what the published schemas find wrong with an element that one of them declares."""
    folder = os.environ.get(REFERENCE)
    if not folder:
        pytest.skip(f"{REFERENCE} does not name a folder with the published schemas")
    schema = _schema(folder)
    alone = etree.fromstring(etree.tostring(element))
    return [] if schema.validate(alone) else [str(each) for each in schema.error_log]


@functools.cache
def _schema(folder: str) -> etree.XMLSchema:
    at = Path(folder) / "mtosi-2.1" / "main" / "DDPs"
    imports = "".join(
        f'<xsd:import namespace="http://www.tmforum.org/mtop/{name}" schemaLocation="{(at / path).as_uri()}"/>'
        for name, path in _IMPORTED.items()
    )
    text = f'<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema">{imports}</xsd:schema>'
    return etree.XMLSchema(etree.fromstring(text))
