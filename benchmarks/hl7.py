"""HL7 intake: reading, receiving over MLLP, and how soon a message has taken effect (``docs/benchmarks.md``)."""

from benchmarks._hl7 import effect, reading, throughput
from benchmarks._hl7.scene import scene
from benchmarks.harness import Row


def measure() -> list[Row]:
    """Measure everything, in databases of its own: what was only received must not wait before what is timed."""
    rows = reading.measure()
    with scene() as environment:
        rows += throughput.measure(environment)
    with scene() as environment:
        rows += effect.measure(environment)
    return rows
