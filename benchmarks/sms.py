"""Texts: what a tick costs beside a million future reminders, how fast 50,000 go out, and how others do it.

Runs on a database and a Redis of its own inside the benchmark stack's servers, because the stack's own workers
would take the texts. The supplier is a stub that answers in 50 ms (:mod:`benchmarks._sms.stub`).
``BENCH_SMS_SCALE=0.1`` measures a tenth, to try the benchmark itself.
"""

import os

from benchmarks.harness import Row


def measure() -> list[Row]:
    """Return the figures; see :mod:`benchmarks._sms.run`."""
    from benchmarks._sms import environment  # noqa: PLC0415 - Django reads the environment that this sets

    with environment.own_servers():
        from benchmarks._sms import run  # noqa: PLC0415 - only now can models be imported

        return run.measure(scale=float(os.environ.get("BENCH_SMS_SCALE", "1")))
