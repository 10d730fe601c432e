"""The whole visit, wall time per step, as ``manage.py play_visit --json`` reports it.

The first visit warms connections and caches up and is not counted.
"""

import json
import statistics
import subprocess
import sys
from typing import Any

from benchmarks.harness import Row

VISITS = 3
WHOLE_VISIT_SECONDS = 5.0  # of waiting that no person caused


class VisitFailed(Exception):
    """A visit was not confirmed, so its times mean nothing."""


def measure() -> list[Row]:
    """Play some visits and return the median time of each step, and of the whole.

    :raises VisitFailed: when a step was not confirmed by the sandbox's ledger.
    """
    visits = [_play() for _ in range(1 + VISITS)][1:]
    names = list(visits[0])
    rows = [Row(metric=name, value=statistics.median(visit[name] for visit in visits), unit="s") for name in names]
    whole = statistics.median(sum(visit.values()) for visit in visits)
    return [*rows, Row(metric="the whole visit", value=whole, unit="s", target=WHOLE_VISIT_SECONDS)]


def _play() -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "manage.py", "play_visit", "--json"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise VisitFailed(
            f"play_visit ended with status {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    steps: list[dict[str, Any]] = json.loads(done.stdout)["steps"]
    return {str(step["name"]): float(step["seconds"]) for step in steps}
