"""JSON logs with a request id, and nothing of a patient in them.

Two nets: only listed keys leave a log call's ``extra``; and whatever text remains is searched for
telephone numbers, tokens and HL7 segments, which are blotted out.
"""

import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

from core.context import request_id

ALLOWED_KEYS = [
    "task", "error", "code", "system", "method", "outcome", "ms", "route", "status", "count", "organization",
    "endpoint", "visit", "meeting", "text", "reference", "state", "attempts", "queue", "port", "peer",
]  # fmt: skip

_BLOTS = [
    (re.compile(r"\+\d{8,15}"), "[number]"),
    (re.compile(r"/([ij])/[\w-]+"), r"/\1/-"),
    (
        re.compile(r"\b(code|state|launch|token|access_token|id_token|client_assertion|client_secret)=[^&\s\"']+"),
        r"\1=-",
    ),
    (re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?)(\w+ )?[^\s'\",]+"), r"\1-"),
    (re.compile(r"eyJ[\w-]{8,}\.[\w-]+(\.[\w-]*)?"), "[token]"),
    (re.compile(r"(PID|NK1)\|[^\n]*"), r"\1|-"),
]

Event = MutableMapping[str, Any]


def redact(text: str) -> str:
    """Return ``text`` without telephone numbers, join links, tokens, secrets and HL7 patient segments."""
    for pattern, replacement in _BLOTS:
        text = pattern.sub(replacement, text)
    return text


def _redact_event(_logger: object, _method: str, event: Event) -> Event:
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}


def _add_request_id(_logger: object, _method: str, event: Event) -> Event:
    if current := request_id():
        event["request_id"] = current
    return event


def configure(config: dict[str, Any]) -> None:
    """Set logging up for the process; Django calls this with ``settings.LOGGING``."""
    before = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=ALLOWED_KEYS),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_request_id,
        structlog.processors.format_exc_info,
    ]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": before,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _redact_event,
            structlog.processors.JSONRenderer(),
        ],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": formatter},
            "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"handlers": ["console"], "level": config["level"]},
            # Its request lines would hold paths; core.middleware logs route names instead.
            "loggers": {"uvicorn.access": {"propagate": False}, "django.server": {"propagate": False}},
        }
    )
