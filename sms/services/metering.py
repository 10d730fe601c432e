"""Count how texts end and how late they were sent, for the metrics and the report."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from sms.models import OutcomeHour

_ADD = """
    INSERT INTO sms_outcomehour (hour, supplier, state, code, late_within, texts, late_seconds)
    SELECT %(hour)s, * FROM unnest(%(suppliers)s::text[], %(states)s::text[], %(codes)s::text[],
                                   %(within)s::int[], %(texts)s::bigint[], %(seconds)s::float[])
    ON CONFLICT ON CONSTRAINT sms_outcome_hour DO UPDATE
       SET texts = sms_outcomehour.texts + excluded.texts,
           late_seconds = sms_outcomehour.late_seconds + excluded.late_seconds
"""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one text ended. ``late_seconds`` is how long after its due time it was handed over."""

    supplier: str
    state: str
    code: str = ""
    late_seconds: float = 0.0


def count(outcomes: Iterable[Outcome], *, now: datetime) -> None:
    """Add ``outcomes`` to this hour's counts."""
    texts: Counter[tuple[str, str, str, int]] = Counter()
    seconds: defaultdict[tuple[str, str, str, int], float] = defaultdict(float)
    for outcome in outcomes:
        key = (outcome.supplier, str(outcome.state), outcome.code, _within(outcome.late_seconds))
        texts[key] += 1
        seconds[key] += outcome.late_seconds
    if not texts:
        return
    keys = sorted(texts)  # one order for all workers, so that they cannot block each other in a ring
    values: dict[str, Any] = {
        "hour": now.replace(minute=0, second=0, microsecond=0),
        "suppliers": [key[0] for key in keys],
        "states": [key[1] for key in keys],
        "codes": [key[2] for key in keys],
        "within": [key[3] for key in keys],
        "texts": [texts[key] for key in keys],
        "seconds": [seconds[key] for key in keys],
    }
    with connection.cursor() as cursor:
        cursor.execute(_ADD, values)


def _within(seconds: float) -> int:
    return next((limit for limit in OutcomeHour.LATENESS_SECONDS if seconds <= limit), 0)
