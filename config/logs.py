"""Structured logs: one JSON line an event, or words for a terminal; context ids from apps.core.context."""

import logging
import os
import sys

import structlog

from apps.core.redaction import redact_event

_AS_JSON = os.environ.get("PRESSROOM_LOG", "json" if not sys.stderr.isatty() else "console") == "json"
_RENDERER = structlog.processors.JSONRenderer() if _AS_JSON else structlog.dev.ConsoleRenderer()
_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.format_exc_info,
    redact_event,
]

structlog.configure(
    processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    cache_logger_on_first_use=True,
)


def refusals_in_one_line(record: logging.LogRecord) -> bool:
    """Django adds a traceback to what it refuses (403, 400, a suspicious request): anybody can cause those, as often as
    he likes. Those of our own mistakes (5xx) stay."""
    if record.name.startswith("django.security") or (
        record.name == "django.request" and getattr(record, "status_code", 500) < 500
    ):
        record.exc_info = record.exc_text = None
    return True


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _SHARED,
            "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _RENDERER],
        },
    },
    "filters": {"refusals": {"()": lambda: refusals_in_one_line}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured", "filters": ["refusals"]}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("PRESSROOM_LOG_LEVEL", "INFO")},
    "loggers": {
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "django_celery_beat": {"level": "WARNING"},
    },
}
