"""What monitoring may scrape at ``/metrics``, in Prometheus' text format.

An app registers a collector from ``AppConfig.ready()``. Collectors read the database when they are asked, so
that it does not matter which of many processes answers, and a restart forgets nothing.
"""

import hmac

from django.conf import settings
from django.http import HttpRequest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST
_LOOPBACK = frozenset({"127.0.0.1", "::1"})

_registry = CollectorRegistry(auto_describe=False)


def register(collector: Collector) -> None:
    """Add what ``collector`` collects; its names begin with ``connector_`` and its labels name no patient."""
    _registry.register(collector)


def exposition() -> bytes:
    """Return everything that is collected now."""
    return generate_latest(_registry)


def is_allowed(request: HttpRequest) -> bool:
    """Return whether the caller knows ``METRICS_TOKEN`` or, without one, calls from this very machine.

    A proxy on this machine calls for others, and says so; then only the token counts.
    """
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    is_forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return request.META.get("REMOTE_ADDR") in _LOOPBACK and not is_forwarded
