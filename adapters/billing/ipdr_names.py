"""Documents of IPDR are in one of two namespaces, which differ in the case of four letters, and both are in use.

The published IPDRDoc3.5.xsd has `.../namespaces/IPDR`. Writers and readers in the field have `.../namespaces/ipdr`, which is
that of IPDRDoc3.0.xsd, and of 3.5.1 by their schemaLocation. Namespaces are compared letter by letter (Namespaces in XML 1.0,
section 2.3), so a reader of one reads nothing of the other. Their elements are the same.

Each has its service definition of ours: `service_definition.xsd` and `service_definition_3.5.1.xsd`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

Version: TypeAlias = Literal["3.5", "3.5.1"]

NAMESPACES: Final[Mapping[Version, str]] = MappingProxyType(
    {
        "3.5": "http://www.ipdr.org/namespaces/IPDR",
        "3.5.1": "http://www.ipdr.org/namespaces/ipdr",
    }
)
OURS: Final = "urn:trunkline:ipdr:1"
"""of our service definition, in both."""
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
INTERVAL: Final = "BandwidthInterval"
OUTAGE: Final = "ServiceOutage"
