from reports.models.facts import Change, Freshness, VisitFact
from reports.models.rollups import Calendar, Level, RolledOrganization, TextDay, VisitDay
from reports.models.settings import ReportSettings

__all__ = [
    "Calendar",
    "Change",
    "Freshness",
    "Level",
    "ReportSettings",
    "RolledOrganization",
    "TextDay",
    "VisitDay",
    "VisitFact",
]
