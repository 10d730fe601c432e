"""HL7 intake: reading, receiving over MLLP, and how soon a message has taken effect (``docs/benchmarks.md``)."""

import os
from collections.abc import Callable

from benchmarks._hl7 import effect, reading, throughput
from benchmarks._hl7.scene import scene
from benchmarks.harness import Row

_READER = "reader"
_PARTS: dict[str, Callable[[dict[str, str]], list[Row]]] = {
    "throughput": throughput.measure,
    "silence": effect.silence,
    "queue": effect.queue,
    "latency": effect.latency,
}


def measure() -> list[Row]:
    """Measure everything, or the parts that BENCH_HL7_PARTS names, separated by commas."""
    wanted = os.environ.get("BENCH_HL7_PARTS", ",".join((_READER, *_PARTS))).split(",")
    return [row for name in wanted for row in _measured(name)]


def _measured(name: str) -> list[Row]:
    """Measure a part in a database of its own: what was only received must not wait before what is timed."""
    if name == _READER:
        return reading.measure()
    with scene() as environment:
        return _PARTS[name](environment)
