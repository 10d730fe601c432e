"""Reports over a year of visits with ten people each: every tab at 90 days and at a year, freshness, a long CSV.

At ``BENCH_REPORTS_SCALE=1`` there are a million visits and ten million participants; 0.05, the default, takes some
minutes; with ``BENCH_REPORTS_KEEP=1`` the database stays and is used by the next run, as long as the scale is the
same. Pages are asked for as a signed-in reader, without a network: the time is the server's own. The raw query
computes the same chart from presence events, without facts and days.
"""

import os

from benchmarks.harness import Row
from ehrconnector.stack.databases import drop_database, ensure_database, with_database

SCALE = "BENCH_REPORTS_SCALE"
KEEP = "BENCH_REPORTS_KEEP"


def measure() -> list[Row]:
    """Return the figures, from a database of the benchmark's own: the stack's workers would join in."""
    scale, is_kept = os.environ.get(SCALE, "0.05"), os.environ.get(KEEP) == "1"
    url = with_database(os.environ["DATABASE_URL"], f"bench_reports_{scale.replace('.', '_')}")
    if not is_kept:
        drop_database(url)
    ensure_database(url)
    os.environ |= {"DATABASE_URL": url, "LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "ehrconnector.settings"}
    try:
        import django  # noqa: PLC0415 - it reads the environment that this sets

        django.setup()
        from benchmarks._reports import run  # noqa: PLC0415 - only now can models be imported

        return run.measure(scale=float(scale))
    finally:
        if not is_kept:
            drop_database(url)
