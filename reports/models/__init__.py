from reports.models.exports import Export, ExportPart
from reports.models.facts import Change, Freshness, VisitFact
from reports.models.quality import CallNews, CallRecord, CallStream, CallSweep
from reports.models.rollups import Calendar, CallDay, Level, RepeatedCall, RolledOrganization, TextDay, VisitDay
from reports.models.settings import ReportSettings
from reports.models.views import SavedView

__all__ = [
    "Calendar",
    "CallDay",
    "CallNews",
    "CallRecord",
    "CallStream",
    "CallSweep",
    "Change",
    "Export",
    "ExportPart",
    "Freshness",
    "Level",
    "RepeatedCall",
    "ReportSettings",
    "RolledOrganization",
    "SavedView",
    "TextDay",
    "VisitDay",
    "VisitFact",
]
