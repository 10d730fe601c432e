"""A tab on one sheet of paper: its figures, chart and a short table, in the words and numbers of its page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from config_portal.models import FhirEndpoint
from core.moments import written
from reports.models import Calendar
from reports.presenters.charts import Chart, Series
from reports.presenters.overview import Overview, ShortTable, Tab
from reports.presenters.privacy import Privacy
from reports.presenters.quality import status_choices as quality_choices
from reports.presenters.report import days_of, status_choices, text_status_choices
from reports.services import refreshing
from reports.services.asked import Asked

# Countries that print on letter paper; everybody else has A4.
_LETTER = frozenset({"US", "CA", "MX", "CL", "CO", "PH"})
_PRODUCT = "EHR connector"
# Points for the words beside the vertical axis, and for the drawing.
_TICK_WIDTHS = {True: 30, False: 44}
_CHART_HEIGHT = 146


def sheet_of(tab: str, shown: Overview, asked: Asked, privacy: Privacy, *, now: datetime) -> dict[str, Any]:
    """Return everything that ``reports/typeset/sheet.typ`` shows of ``tab``."""
    label = str(Tab(tab).label)
    organization, zone = asked.organization, asked.zone.key
    days = days_of(asked.period)
    return {
        "title": f"{label}: {organization.name}, {days}",
        "description": f"One-page summary of the report {label}",
        "lang": "en",
        "paper": "us-letter" if organization.country in _LETTER else "a4",
        "product": _PRODUCT,
        "organization": organization.name,
        "kind": "One-page summary",
        "heading": label,
        "period": days,
        "zone": f"Days in {'UTC' if asked.period.calendar == Calendar.UTC else zone}",
        "filters": _filters(tab, asked),
        "unfiltered": "All FHIR endpoints, departments, visit types and providers",
        "made": f"Made {written(now, zone_name=zone)}{_as_of(zone)}",
        "across": _across(len(shown.stats)),
        "stats": [{"label": stat.label, "value": stat.value, "note": stat.note} for stat in shown.stats],
        "chart": _chart(shown.chart),
        "table": _table(shown.table),
        "meanings_title": "What the numbers mean",
        "meanings": [list(pair) for pair in _meanings(shown, privacy)],
    }


def _filters(tab: str, asked: Asked) -> list[list[str]]:
    endpoints = FhirEndpoint.objects.for_organization(asked.organization)
    statuses = {Tab.SMS: text_status_choices, Tab.QUALITY: quality_choices}.get(Tab(tab), status_choices)()
    found = [
        ("FHIR endpoint", next((one.name for one in endpoints if one.pk == asked.endpoint_id), "")),
        ("Department", asked.department),
        ("Visit type", asked.visit_type),
        ("Status", dict(statuses).get(asked.status, asked.status)),
        ("Provider", asked.provider),
    ]
    return [[name, value] for name, value in found if value]


def _as_of(zone: str) -> str:
    as_of = refreshing.as_of()
    return f" · figures as of {written(as_of, style='time', zone_name=zone)}" if as_of else ""


def _across(count: int) -> int:
    """Return how many figures stand in a row, so that rows are full or nearly."""
    return count if count <= 4 else -(-count // 2)  # noqa: PLR2004 - four have room side by side


def _meanings(shown: Overview, privacy: Privacy) -> Sequence[tuple[str, str]]:
    if not privacy.hides_rows:
        return shown.meanings
    hidden = f"Counts below {privacy.smallest} are not told, so that nobody is recognised."
    return [*shown.meanings, (f"< {privacy.smallest}", hidden)]


def _chart(chart: Chart) -> dict[str, Any]:
    return {
        "title": chart.title,
        "alt": _alt(chart),
        "is_empty": chart.is_empty,
        "height": _CHART_HEIGHT,
        "tick_width": _TICK_WIDTHS[chart.is_stacked],
        "width": chart.width,
        "ticks": chart.ticks,
        "times": chart.time_ticks,
        "bars": [vars(bar) for bar in chart.bars],
        "lines": [{"place": place, "points": _points(points)} for place, points in chart.lines],
        "legend": [{"label": series.label, "place": series.place} for series in chart.shown],
    }


def _points(text: str) -> list[list[float]]:
    return [[float(part) for part in point.split(",")] for point in text.split(" ")]


def _alt(chart: Chart) -> str:
    """Say in words what is drawn: sums of bars, spans of lines."""
    if chart.is_empty:
        return "Nothing to draw in this period."
    told = [_told(series, chart) for series in chart.shown]
    first, last = chart.labels[0], chart.labels[-1]
    return f"{chart.title}, {first} to {last}. {'; '.join(words for words in told if words)}."


def _told(series: Series, chart: Chart) -> str:
    known = [value for value in series.values if value is not None]
    if not known or (chart.is_stacked and not any(known)):
        return ""
    if chart.is_stacked:
        return f"{series.label} {chart.write(sum(known))} in all"
    return f"{series.label} from {chart.write(min(known))} to {chart.write(max(known))}"


def _table(table: ShortTable) -> dict[str, Any]:
    return {
        "title": table.title,
        "heads": list(table.heads),
        "rows": [list(row) for row in table.rows],
        "more": f"and {table.left_out:,} more on the page" if table.left_out else "",
        "none": "Nothing in this period.",
    }
