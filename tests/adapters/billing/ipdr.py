"""Whether a document is as IPDR 3.5 and our own service definition say, where the published schemas are at hand."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

import adapters.billing
from tests.adapters.schema import REFERENCE

DEFINITION = Path(adapters.billing.__file__).with_name("service_definition.xsd")
BOTH = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:import namespace="http://www.ipdr.org/namespaces/IPDR" schemaLocation="{published}"/>
  <xs:import namespace="urn:trunkline:ipdr:1" schemaLocation="{own}"/>
</xs:schema>"""


@cache
def _schema(folder: str) -> etree.XMLSchema:
    published = (Path(folder) / "ipdr" / "IPDRDoc3.5.xsd").as_uri()
    return etree.XMLSchema(etree.fromstring(BOTH.format(published=published, own=DEFINITION.as_uri()).encode()))


def complaints(document: bytes) -> list[str]:
    """Give what is wrong with a document, or skip the test that wants to know."""
    folder = os.environ.get(REFERENCE)
    if not folder:
        pytest.skip(f"{REFERENCE} does not name a folder with the published schemas")
    schema = _schema(folder)
    schema.validate(etree.fromstring(document))
    return [str(each.message) for each in schema.error_log]
