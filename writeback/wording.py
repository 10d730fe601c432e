"""What a chart says about a visit: roles and times, no names."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.moments import written

_VERBS = {"connected": "connected to", "disconnected": "disconnected from"}


def presence_text(*, who: str, kind: str, at: datetime, time_zone: str) -> str:
    """Return ``Patient 1 connected to the video visit on Nov 24, 2026, 1:55 PM CST``, as a sentence."""
    return f"{who} {_VERBS[kind]} the video visit on {written(at, zone_name=time_zone)}."


def device_test_text(result: Mapping[str, Any], *, at: datetime, time_zone: str) -> str:
    """Return ``Device test passed on …: camera, microphone.`` or which parts did not.

    :param result: ``passed`` and ``parts``, part → ``passed`` or something else, as stored with the row.
    """
    parts: Mapping[str, str] = result.get("parts", {})
    failed = [name for name, state in parts.items() if state != "passed"]
    verdict = "passed" if result.get("passed") else "not passed"
    when = written(at, zone_name=time_zone)
    if failed:
        return f"Device test {verdict} on {when}: {', '.join(failed)} did not work."
    return f"Device test {verdict} on {when}: {', '.join(parts) or 'no parts'}."
