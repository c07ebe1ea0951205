"""Whether a document is as IPDR and our own service definition say, where the published schemas are at hand.

Of 3.5.1 no schema is published: its namespace is that of IPDRDoc3.0.xsd, which has the same elements.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

import adapters.billing
from adapters.billing.ipdr_names import NAMESPACES, Version
from tests.adapters.schema import REFERENCE

DEFINITIONS: Mapping[Version, Path] = {
    "3.5": Path(adapters.billing.__file__).with_name("service_definition.xsd"),
    "3.5.1": Path(adapters.billing.__file__).with_name("service_definition_3.5.1.xsd"),
}
PUBLISHED: Mapping[Version, str] = {"3.5": "IPDRDoc3.5.xsd", "3.5.1": "IPDRDoc3.0.xsd"}
BOTH = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:import namespace="{namespace}" schemaLocation="{published}"/>
  <xs:import namespace="urn:trunkline:ipdr:1" schemaLocation="{own}"/>
</xs:schema>"""


@cache
def _schema(folder: str, version: Version) -> etree.XMLSchema:
    published = (Path(folder) / "ipdr" / PUBLISHED[version]).as_uri()
    own = DEFINITIONS[version].as_uri()
    both = BOTH.format(namespace=NAMESPACES[version], published=published, own=own)
    return etree.XMLSchema(etree.fromstring(both.encode()))


def complaints(document: bytes) -> list[str]:
    """Give what is wrong with a document, or skip the test that wants to know."""
    folder = os.environ.get(REFERENCE)
    if not folder:
        pytest.skip(f"{REFERENCE} does not name a folder with the published schemas")
    root = etree.fromstring(document)
    version = next(version for version, namespace in NAMESPACES.items() if namespace == etree.QName(root).namespace)
    schema = _schema(folder, version)
    schema.validate(root)
    return [str(each.message) for each in schema.error_log]
