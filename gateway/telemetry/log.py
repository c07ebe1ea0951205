"""Logs are read by machines first: one JSON object a line, on stderr, with the request's id.

Our own lines go straight from structlog to bytes; what libraries log through the standard library is brought into the
same form. Nothing that a caller sent is logged except an id it gave and its operation's name, both checked; a token
never is.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

import orjson
import structlog
import structlog.contextvars
import structlog.tracebacks

LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def _json(event: dict[str, Any], **_: Any) -> bytes:
    return orjson.dumps(event, default=repr)


def configure_log(level: str) -> None:
    """Send all logs of this process to stderr, from `level` upwards."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Without the values in the frames: they are what callers sent, tokens and all.
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_json)],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.BytesLoggerFactory(file=sys.stderr.buffer),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    rendered = structlog.processors.JSONRenderer(serializer=lambda event, **_: _json(event).decode())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, rendered],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(LEVELS[level], logging.WARNING), force=True)
