"""A billing system is told of usage and downtime and asked for bills; the operator says where it is and how it speaks.

The section `billing` of the settings; `gateway/settings/settings.py` says where settings come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from gateway.settings.system import Address, Credited


class Billing(Credited):
    """The billing system that is told of usage and downtime, and that is asked for bills."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Address = ""
    """what its APIs are below, such as https://HOST for https://HOST/tmf-api/...; of ipdr: what documents are PUT below."""
    spool: Path | None = None
    """for ipdr, instead of an address: the directory that documents are put into."""
    bills: Address = ""
    """what TMF678 is below, such as https://HOST; empty: the same as tmf635, and with ipdr nothing is asked."""
    name: Annotated[str, Field(min_length=1, pattern="^[^#:]+$")] = "billing"
    """what deliveries call it, and `system:<name>` in its tokens."""
    dialect: Literal["tmf635", "ipdr"] = "tmf635"
    callback: Address = ""
    """of tmf635: where it can tell us what was rated and billed, such as https://HOST/tmf-api/usageManagement/v4; empty: it is not
    asked to."""
    ipdr_version: Literal["3.5", "3.5.1"] = "3.5.1"
    """of the documents of ipdr: 3.5 has the namespace in capitals, 3.5.1 in small letters."""
    requests: Annotated[int, Field(gt=0, le=256)] = 16
    """at the same time."""
    request_seconds: Annotated[float, Field(gt=0, lt=7)] = 5.0
    processing_seconds: Annotated[float, Field(ge=0, le=300)] = 5.0
    """what it may take at most for a request whose answer was lost."""

    def _misfits(self) -> Iterator[str]:
        yield from super()._misfits()
        if self.spool is not None and (self.address or self.dialect != "ipdr"):
            yield "has a spool, which is for the dialect ipdr and in place of an address"
        if self.spool is None and not self.address:
            yield "has no address, and no spool"
        if self.spool is not None and not self.spool.is_dir():
            yield "has a spool that is no directory"
        if self.callback and self.dialect != "tmf635":
            yield "has a callback, which is for the dialect tmf635"

    @property
    def bills_address(self) -> str:
        """Give what TMF678 is below; empty where nobody can be asked for bills."""
        return self.bills or (self.address if self.dialect == "tmf635" else "")
