"""How one sender's messages are to be understood: what was approved for its endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from hl7intake.timing import START_PLACES

FALLBACK_CHARSET = "cp1252"
SESSION_ID_PLACES = ("PV1-19", "SCH-2", "SCH-1")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How one sender's messages are to be understood.

    :param region: ISO 3166-1 country whose local telephone numbers have no country code.
    :param visit_types: codes in SCH-8 or AIS-3 that mean a virtual visit.
    :param departments: codes in AIL-3 or PV1-3 in which every visit is virtual.
    :param session_id_places: where the CSN is, most trusted first.
    :param start_places: where the start is, most trusted first.
    :param statuses: what this sender writes into SCH-25 → its meaning in table 0278.
    :param fallback_charset: for bytes that are neither as MSH-18 says nor UTF-8.
    """

    zone: ZoneInfo
    region: str = "US"
    visit_types: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    session_id_places: tuple[str, ...] = SESSION_ID_PLACES
    start_places: tuple[str, ...] = START_PLACES
    statuses: Mapping[str, str] = field(default_factory=dict)
    fallback_charset: str = FALLBACK_CHARSET
