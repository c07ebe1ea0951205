"""A surrounding system may prove who it is by an authority of the provider's own, and may want a certificate of ours (mTLS).

The files are read again when one of them has changed, so that a certificate can be renewed while we run: connections that are open
go on with the old one, new ones bring the new one.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from adapters.transport.files import Watched


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files."""

    certificate: Path | None = None
    """ours, with what it was signed by,"""
    key: Path | None = None
    """and its key; None: it is in the same file."""
    authority: Path | None = None
    """whose signatures are believed; None: those that the machine believes."""

    def watched(self) -> Watched[ssl.SSLContext]:
        """Read them; raises OSError where they cannot be read or do not fit together (ssl.SSLError is one)."""
        paths = [each for each in (self.certificate, self.key, self.authority) if each is not None]
        return Watched(paths, self._context)

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.authority)
        if self.certificate is not None:
            # Without a way to ask for a password: a process that starts by itself cannot be asked.
            context.load_cert_chain(self.certificate, self.key, password=lambda: "")
        return context
