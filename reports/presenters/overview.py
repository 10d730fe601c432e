"""What a tab says without its rows: figures, chart, a short table and what they mean."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from config_portal.models import FhirEndpoint
from reports.definitions import Status
from reports.models import SavedView
from reports.presenters import quality, tabs
from reports.presenters.address import Address
from reports.presenters.charts import Chart
from reports.presenters.meanings import STATUSES, TEXTS, meanings
from reports.presenters.privacy import Privacy
from reports.presenters.tabs import Stat
from reports.presenters.texts import microsoft_statuses
from reports.services import allocation, call_figures, texts
from reports.services.asked import Asked
from reports.services.figures import By, Figures, figures, total
from sms.models import SmsMessage

Tab = SavedView.Tab
MOST_ROWS = 8
# In the chart of visits, and among none of the figures above it.
_UNSAID = (Status.MISSED, Status.NOBODY_JOINED, Status.IN_PROGRESS)
_UNSENT = (SmsMessage.State.EXPIRED, SmsMessage.State.SUPPRESSED, SmsMessage.State.WITHDRAWN)
_COUNTS = (Status.COMPLETED, Status.PATIENT_NO_SHOW, Status.PROVIDER_NO_SHOW, Status.WAITED_ALONE)


@dataclass(frozen=True, kw_only=True)
class ShortTable:
    """A few rows; the first cell of each is its name. ``left_out`` says how many more there are."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    left_out: int = 0


@dataclass(frozen=True, kw_only=True)
class Overview:
    """One tab for one period and choice of visits."""

    stats: Sequence[Stat]
    chart: Chart
    table: ShortTable
    meanings: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class _Look:
    """What is asked for, by whom and when."""

    asked: Asked
    address: Address
    privacy: Privacy
    now: datetime


def overview_of(tab: str, asked: Asked, address: Address, privacy: Privacy, *, now: datetime) -> Overview:
    """Return what ``tab`` (one of ``SavedView.Tab``) says of the visits asked for, in the words of its page."""
    return _TABS[Tab(tab)](_Look(asked=asked, address=address, privacy=privacy, now=now))


def _appointments(look: _Look) -> Overview:
    by_day = figures(look.asked, By.DAY)
    return Overview(
        stats=tabs.appointment_stats(total(by_day.values()), look.address, look.privacy),
        chart=tabs.appointment_chart(by_day, look.asked, look.address, look.privacy),
        table=_by_group(look, _count_heads(), _counts),
        meanings=[*meanings("start"), *_statuses(*_UNSAID), _SHARE],
    )


def _duration(look: _Look) -> Overview:
    by_day = figures(look.asked, By.DAY, with_sketches=True)
    heads = ("Visits", "Average duration", "Median duration", "Average lobby wait")
    return Overview(
        stats=tabs.duration_stats(total(by_day.values()), look.privacy),
        chart=tabs.duration_chart(by_day, look.asked, look.address, look.privacy),
        table=_by_group(look, heads, _lengths),
        meanings=meanings("start", "duration", "lobby_wait", "own_wait", "percentiles"),
    )


def _ehr(look: _Look) -> Overview:
    by_day = figures(look.asked, By.DAY)
    usage = allocation.month_usage(look.asked, now=look.now)
    return Overview(
        stats=tabs.ehr_stats(total(by_day.values()), usage, look.address, look.privacy),
        chart=tabs.ehr_chart(by_day, look.asked, look.address, look.privacy),
        table=_by_group(look, _count_heads(), _counts),
        meanings=[*meanings("start", "within_limit"), *_statuses(*_COUNTS[1:]), _SHARE],
    )


def _sms(look: _Look) -> Overview:
    outcomes = texts.outcomes(look.asked)
    statuses = microsoft_statuses(outcomes, look.address, look.privacy)
    return Overview(
        stats=tabs.text_stats(outcomes, texts.segments(look.asked), look.address, look.privacy),
        chart=tabs.text_chart(texts.by_day(look.asked), look.asked, look.address, look.privacy),
        table=ShortTable(
            title="Microsoft's statuses",
            heads=("Status", "Texts"),
            rows=[(label, count) for label, _, count in statuses],
        ),
        meanings=[
            ("Microsoft's statuses", "Those of its SMS notifications report; Sent there means delivered."),
            *((TEXTS[one][0], TEXTS[one][3]) for one in _UNSENT),
        ],
    )


def _quality(look: _Look) -> Overview:
    by = look.address.get("by")
    group = by if by in call_figures.GROUPS else "platform"
    found = call_figures.quality(look.asked, group)
    rows = quality.group_rows(found.groups, look.privacy)
    heads = (quality.GROUP_LABELS[group], "Good", "Poor", "Unclassified", "Poor, share")
    return Overview(
        stats=quality.quality_stats(found, look.address, look.privacy),
        chart=quality.quality_chart(found, look.asked, look.address, look.privacy),
        table=ShortTable(
            title="Streams told apart",
            heads=heads,
            rows=[(name, *cells) for name, cells in rows[:MOST_ROWS]],
            left_out=max(len(rows) - MOST_ROWS, 0),
        ),
        meanings=quality.MEANINGS[:-1],  # the last is about a table that is not here
    )


_TABS: Mapping[SavedView.Tab, Callable[[_Look], Overview]] = {
    Tab.APPOINTMENTS: _appointments,
    Tab.DURATION: _duration,
    Tab.EHR: _ehr,
    Tab.SMS: _sms,
    Tab.QUALITY: _quality,
}
_SHARE = ("Completed, share", "Of the visits that are over.")


def _by_group(look: _Look, heads: Sequence[str], cells: Callable[[Figures, Privacy], list[str]]) -> ShortTable:
    """Return the departments, endpoints or visit types with most visits."""
    by = next((one for one in tabs.BREAKDOWNS if one.value == look.address.get("by")), By.DEPARTMENT)
    grouped = figures(look.asked, by, with_sketches=True)
    endpoints = FhirEndpoint.objects.for_organization(look.asked.organization)
    names = dict(endpoints.values_list("pk", "name")) if by is By.ENDPOINT else {}
    ordered = sorted(grouped.items(), key=lambda item: (-item[1].visits, str(item[0])))
    return ShortTable(
        title={By.ENDPOINT: "By FHIR endpoint", By.VISIT_TYPE: "By visit type"}.get(by, "By department"),
        heads=(tabs.BREAKDOWNS[by], *heads),
        rows=[
            (str(names.get(key, key)) or "Not told", *cells(found, look.privacy)) for key, found in ordered[:MOST_ROWS]
        ],
        left_out=max(len(ordered) - MOST_ROWS, 0),
    )


def _count_heads() -> tuple[str, ...]:
    return ("Visits", *(STATUSES[status][0] for status in _COUNTS), "Completed, share")


def _counts(found: Figures, privacy: Privacy) -> list[str]:
    counts = [privacy.count(found.by_status[status]) for status in _COUNTS]
    return [privacy.count(found.visits), *counts, privacy.of(found.completed, tabs.share(found.completed_share))]


def _lengths(found: Figures, privacy: Privacy) -> list[str]:
    by_label = {stat.label: stat.value for stat in tabs.duration_stats(found, privacy)}
    wanted = ("Average duration", "Median duration", "Average lobby wait")
    return [privacy.count(found.visits), *(by_label[label] for label in wanted)]


def _statuses(*statuses: str) -> list[tuple[str, str]]:
    return [(STATUSES[status][0], STATUSES[status][3]) for status in statuses]
