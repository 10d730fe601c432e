"""Sketches of lengths: counts in buckets that grow by 2%, from which any percentile follows to within 1%.

Bucket 0 holds zero, bucket 1 one second, bucket ``n`` lengths above ``GROWTH ** (n - 2)`` up to
``GROWTH ** (n - 1)`` seconds. The idea is that of DDSketch (Masson, Rim and Lee, 2019): the error is relative, and
sketches add up.
"""

import math
from collections import Counter
from collections.abc import Iterable

GROWTH = 1.02
_LOG = math.log(GROWTH)

# The same in PostgreSQL, for a column or expression put in the place of {}.
BUCKET_SQL = f"CASE WHEN {{0}} <= 0 THEN 0 ELSE ceil(ln({{0}}::float8) / {_LOG!r})::int + 1 END"


def bucket_of(seconds: int) -> int:
    """Return the bucket that a length belongs to."""
    return 0 if seconds <= 0 else math.ceil(math.log(seconds) / _LOG) + 1


def value_of(bucket: int) -> float:
    """Return the length that stands for a bucket: no value in it differs by more than 1%."""
    if bucket == 0:
        return 0.0
    upper = GROWTH ** (bucket - 1)
    return 2 * upper / (1 + GROWTH)


def sketch(values: Iterable[int]) -> Counter[int]:
    """Return bucket → count of ``values``."""
    return Counter(bucket_of(value) for value in values)


def percentile(counts: Counter[int], share: float) -> float | None:
    """Return the smallest length that ``share`` of the values do not exceed, to within 1%; None without values."""
    total = counts.total()
    if not total:
        return None
    wanted = max(math.ceil(share * total), 1)
    seen = 0
    for bucket in sorted(counts):
        seen += counts[bucket]
        if seen >= wanted:
            return value_of(bucket)
    raise AssertionError("unreachable: the counts add up to their total")
