"""Every number of every tab, recomputed from the rows it stands for; who sees what; filters, sorting, pages."""

import re
from collections import Counter
from datetime import date, timedelta
from statistics import mean
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role
from core.models import AuditEvent
from ehrconnector.history.plot import plots
from ehrconnector.history.telling import is_told, tell
from meetings.models import PresenceEvent
from reports.definitions import COUNTED, Status
from reports.models import Calendar, ReportSettings, VisitFact
from reports.presenters.columns import clock
from reports.services import refreshing, texts
from reports.services.asked import Asked, Period, recent
from reports.services.choices import settings_of
from reports.services.figures import By, Measure, figures
from sms.models import SmsMessage
from tests.factories import make_endpoint, make_organization, make_staff, make_visit
from tests.reports.conftest import NOW
from visits.models import Visit
from writeback.services import ledger

pytestmark = pytest.mark.django_db
TABS = {name: reverse(f"reports:{name}") for name in ("usage", "duration", "ehr", "sms", "quality")}
CHICAGO = ZoneInfo("America/Chicago")
VISITS, DAYS = 160, 30


@pytest.fixture(scope="module")
def hospital(django_db_setup, django_db_blocker):
    """A month of invented history, told once for all tests of this file and taken away behind them."""
    with django_db_blocker.unblock():
        organization = make_organization(slug="lamna-history")
        try:
            make_endpoint(organization, name="history-test")
            make_endpoint(organization, environment="production", name="history-main", with_sms=False)
            tell(organization, visits=VISITS, days=DAYS, seed=7, now=NOW)
            yield organization
        finally:
            call_command("flush", interactive=False, verbosity=0)  # the audit trail too, which hangs on nothing


@pytest.fixture
def reader(hospital, client):
    client.force_login(make_staff(hospital, Role.ADMIN))
    return client


def asked(hospital, **values):
    return Asked(organization=hospital, period=recent(hospital, days=30, now=NOW), **values)


def page(client, tab, **query):
    answer = client.get(TABS[tab], query)
    assert answer.status_code == 200
    return answer.content.decode()


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def stat(text: str, label: str) -> str:
    """Return the number that stands under ``label``."""
    found = re.search(
        rf'<p class="stat-label">{re.escape(label)}</p>\s*<p class="stat-value">(.*?)</p>', text, re.DOTALL
    )
    return words(found.group(1)).strip()


# --- Numbers -------------------------------------------------------------------------------------------------------
def test_history_is_always_the_same_and_told_once(hospital):
    told = {"visits": 20, "days": 30, "seed": 7, "today": NOW.date(), "zone": CHICAGO}
    assert list(plots(**told)) == list(plots(**told))
    assert list(plots(**told)) != list(plots(**{**told, "seed": 8}))
    assert is_told(hospital, seed=7)
    assert not is_told(hospital, seed=8)


def test_invented_visits_went_as_their_plot_says(hospital):
    told = plots(visits=VISITS, days=DAYS, seed=7, today=NOW.astimezone(CHICAGO).date(), zone=CHICAGO)
    wanted = {plot.id: plot.outcome for plot in told}
    facts = VisitFact.objects.for_organization(hospital)
    assert {fact.visit_id: fact.status for fact in facts} == wanted


def test_epic_was_told_everything_that_was_invented(hospital):
    meetings = ledger.ended_meetings(hospital, since=NOW - timedelta(days=60), until=NOW)
    assert len(meetings) > 100
    assert ledger.differences(meetings, now=NOW) == []


def test_the_appointments_are_those_that_presence_tells(hospital, reader):
    text = page(reader, "usage")
    counts = Counter(VisitFact.objects.for_organization(hospital).values_list("status", flat=True))
    assert stat(text, "Visits") == str(sum(counts[status] for status in COUNTED))
    labels = {
        "Completed": Status.COMPLETED,
        "Patient no-show": Status.PATIENT_NO_SHOW,
        "Provider no-show": Status.PROVIDER_NO_SHOW,
        "Patient waited alone": Status.WAITED_ALONE,
        "Technical failure": Status.TECHNICAL_FAILURE,
    }
    assert {label: int(stat(text, label)) for label in labels} == {label: counts[labels[label]] for label in labels}


def raw_durations(hospital):
    """Duration of every completed visit from its first and last events, without any definition of ours."""
    found = []
    for visit in Visit.objects.filter(organization=hospital, fact__status="completed"):
        events = list(PresenceEvent.objects.filter(participant__meeting__visit=visit).select_related("participant"))
        came = {
            side: min(e.at for e in events if e.kind == "connected" and (e.participant.role == "provider") is side)
            for side in (True, False)
        }
        last = max(e.at for e in events if e.kind == "disconnected")
        found.append(int((last - max(came.values())).total_seconds()))
    return found


def test_the_duration_is_the_average_of_what_presence_tells(hospital, reader):
    durations = raw_durations(hospital)
    text = page(reader, "duration")
    assert stat(text, "Average duration") == clock(mean(durations))
    minutes, seconds = stat(text, "Median duration").split(":")
    exact = sorted(durations)[(len(durations) + 1) // 2 - 1]
    assert int(minutes) * 60 + int(seconds) == pytest.approx(exact, rel=0.011)


def test_the_texts_are_those_that_were_due_in_the_period(hospital, reader):
    since, until = asked(hospital).period.moments(CHICAGO)
    mine = SmsMessage.objects.filter(organization=hospital, due_at__gte=since, due_at__lt=until)
    text = page(reader, "sms")
    sent = mine.filter(state__in=("accepted", "delivered", "undelivered"))
    assert stat(text, "Sent") == f"{sent.count():,}"
    assert stat(text, "Segments") == f"{sum(sent.values_list('segments', flat=True)):,}"
    assert stat(text, "Not delivered") == str(mine.filter(state="undelivered").count())
    unreachable = mine.filter(report_status="unreachable").count()
    assert re.search(rf"Not delivered - unreachable</a></th>\s*<td class=\"num\">{unreachable}<", text)


@pytest.mark.parametrize("calendar", Calendar.values)
@pytest.mark.parametrize("by", list(By))
def test_sums_of_days_equal_the_visits_one_by_one(hospital, calendar, by, monkeypatch):
    """The filter by provider counts visits themselves; with everybody's visits it must give what days give."""
    period = Period(first=date(2026, 11, 1), last=date(2026, 11, 20), calendar=calendar)
    for filters in ({}, {"department": "LMFM"}, {"visit_type": "VV30", "status": "completed"}):
        from_days = figures(Asked(organization=hospital, period=period, **filters), by, with_sketches=True)
        everybody = Asked(organization=hospital, period=period, provider="any", **filters)
        monkeypatch.setattr("reports.services.figures.facts_of", lambda _, f=filters: own(hospital, period, f))
        from_facts = figures(everybody, by)
        assert {key: plain(one) for key, one in from_days.items()} == {
            key: plain(one) for key, one in from_facts.items()
        }


def own(hospital, period, filters):
    zone = ZoneInfo("UTC") if period.calendar == Calendar.UTC else CHICAGO
    found = VisitFact.objects.for_organization(hospital).starting_between(*period.moments(zone))
    return found.filter(status__in=COUNTED).filter(**filters)


def plain(one):
    return (+one.by_status, +one.sums, {measure: +one.sketches[measure] for measure in Measure})


def test_the_table_by_department_adds_up_to_the_whole(hospital, reader):
    by = figures(asked(hospital), By.DEPARTMENT)
    whole = figures(asked(hospital))[""]
    assert sum(part.visits for part in by.values()) == whole.visits
    text = page(reader, "ehr")
    for department, part in by.items():
        row = re.search(rf">{department}</a></th>\s*<td class=\"num\">(\d+)</td>", text)
        assert int(row.group(1)) == part.visits


# --- Filters, sorting, pages ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(
    "query",
    [
        {"days": "90"},
        {"days": "custom", "since": "2026-11-01", "until": "2026-11-05"},
        {"days": "custom", "since": "2026-11-05", "until": "2026-11-01"},
        {"days": "custom", "since": "2001-01-01", "until": "2026-11-01"},
        {"days": "custom"},
        {"days": "13", "calendar": "mars", "endpoint": "x", "status": "y", "sort": "-nothing", "page": "9999999999"},
        {"department": "LMFM", "visit_type": "VV30", "calendar": "utc"},
        {"columns": "none", "series": "none", "sort": "duration", "page": "2"},
        {"since": "\x00", "provider": "'; DROP TABLE", "columns": "start.visit.meeting.within_limit"},
    ],
)
def test_whatever_stands_in_the_address_a_page_comes(reader, tab, query):
    page(reader, tab, **query)


def test_a_custom_range_that_is_upside_down_is_explained(reader):
    text = page(reader, "usage", days="custom", since="2026-11-05", until="2026-11-01")
    assert "The last day is before the first." in text


def test_a_number_leads_to_its_rows(hospital, reader):
    text = page(reader, "usage")
    (href,) = re.findall(r'<a href="([^"]*status=waited_alone[^"]*)"', text)
    rows = reader.get(href.replace("&amp;", "&")).content.decode()
    waited = VisitFact.objects.for_organization(hospital).filter(status="waited_alone").count()
    assert rows.count("/visits/") - rows.count('href="/visits/"') == waited


def test_a_provider_is_found_by_epics_id(hospital, reader):
    told = list(plots(visits=VISITS, days=DAYS, seed=7, today=NOW.astimezone(CHICAGO).date(), zone=CHICAGO))
    wanted = [
        plot for plot in told if plot.provider == "PROV003" and any(role == "provider" for role, *_ in plot.steps)
    ]
    assert stat(page(reader, "usage", provider="PROV003"), "Visits") == str(len(wanted))
    assert stat(page(reader, "usage", provider="PROV999"), "Visits") == "0"


def cells(text, column):
    """Return the texts of one column of the table of visits."""
    table = text[text.index('id="rows"') :]
    rows = re.findall(r"<tr>(.*?)</tr>", table[table.index("<tbody>") : table.index("</tbody>")], re.DOTALL)
    return [words(re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)[column]).strip() for row in rows]


def test_rows_can_be_sorted_both_ways(hospital, reader):
    text = page(reader, "usage", sort="-duration", columns="start.duration")
    assert 'aria-sort="descending"' in text
    downwards = [seconds_of(length) for length in cells(text, 1)]
    assert downwards == sorted(downwards, reverse=True)
    upwards = [seconds_of(length) for length in cells(page(reader, "usage", sort="duration", columns="duration"), 0)]
    assert upwards == sorted(upwards)
    assert downwards[0] > upwards[-1]


def seconds_of(length: str) -> int:
    minutes, seconds = length.split(":")
    return int(minutes) * 60 + int(seconds)


def test_pages_together_show_every_visit_once(hospital, reader):
    names = [name for number in range(1, 8) for name in cells(page(reader, "usage", page=number), 1)]
    counted = VisitFact.objects.for_organization(hospital).counted()
    assert len(names) == len(set(names)) == counted.count()


def test_texts_and_calls_are_sorted_and_their_columns_chosen_too(reader):
    text = page(reader, "sms", sort="-segments", columns="sent.segments.endpoint", days="30")
    segments = [int(found) for found in cells(text, 1)]
    assert segments == sorted(segments, reverse=True)
    assert set(cells(text, 2)) <= {"history-test", "history-main"}
    fewest = [int(found) for found in cells(page(reader, "sms", sort="segments", columns="segments"), 0)]
    assert fewest == sorted(fewest)
    assert fewest[0] < segments[0]
    text = page(reader, "quality", sort="-poor", columns="started.poor.department")
    poor = [int(found) for found in cells(text, 2)]
    assert poor[0] > 0
    assert poor == sorted(poor, reverse=True)
    assert 'aria-sort="descending"' in text
    assert 'value="ended"' in text  # what may be chosen besides


def test_columns_are_chosen_and_carried_along(reader):
    text = page(reader, "usage", columns="start.provider.within_limit", department="LMFM")
    heads = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', text[text.index('id="rows"') :], re.DOTALL)
    assert [words(head).strip() for head in heads] == ["Start (CST)", "Provider", "Within limit"]
    assert "columns=start.provider.within_limit" in re.search(r'<a class="sort"\s+href="([^"]*)"', text).group(1)


def test_a_series_that_is_switched_off_is_not_drawn(reader):
    text = page(reader, "usage", series="missed")
    chart = text[text.index('<svg class="plot-area"') : text.index("</svg>", text.index("plot-area"))]
    assert "series-5" in chart
    assert "series-1" not in chart


def test_the_week_is_the_axis_of_a_long_period(reader):
    text = page(reader, "duration", days="custom", since="2026-01-01", until="2026-11-24")
    assert "Week of" in text


@pytest.mark.parametrize("tab", TABS)
def test_more_visits_add_no_query(hospital, reader, tab):
    reader.get(TABS[tab])
    with CaptureQueriesContext(connection) as few:
        reader.get(TABS[tab], {"days": "7"})
    with CaptureQueriesContext(connection) as many:
        reader.get(TABS[tab], {"days": "90"})
    assert len(few) == len(many)


# --- Who sees what -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("tab", TABS)
def test_a_report_reader_sees_reports_and_no_visit(hospital, client, tab):
    client.force_login(make_staff(hospital, Role.REPORT_READER))
    text = page(client, tab, columns="start.visit")
    assert not re.search(r'href="/visits/', text)
    recent_one = Visit.objects.filter(organization=hospital, state="scheduled").order_by("-starts_at").first()
    assert recent_one.session_id not in text
    if tab != "sms":
        assert VisitFact.objects.get(visit=recent_one).visit.reference in text


def test_small_numbers_are_hidden_from_report_readers_only(hospital, client):
    ReportSettings.objects.create(organization=hospital, smallest_shown=10)
    waited = VisitFact.objects.for_organization(hospital).filter(status="provider_no_show").count()
    assert 0 < waited < 10
    client.force_login(make_staff(hospital, Role.REPORT_READER))
    text = page(client, "usage")
    assert stat(text, "Provider no-show") == "&lt; 10"
    assert "Single visits are not shown" in text
    assert 'id="rows"' not in text
    client.force_login(make_staff(hospital, Role.SUPPORT, username="kim.soto@lamna.example.org"))
    assert stat(page(client, "usage"), "Provider no-show") == str(waited)


def test_another_hospital_sees_nothing_of_this_one(hospital, client):
    stranger = make_visit(make_endpoint(make_organization(name="Tailspin Clinics"), with_sms=False)).organization
    refreshing.refresh(now=NOW)
    client.force_login(make_staff(stranger, Role.ADMIN))
    for tab in ("usage", "duration", "ehr"):
        text = page(client, tab, days="90")
        assert "LMDERM" not in text
        assert "history-main" not in text
    assert stat(page(client, "usage"), "Visits") == "0"


def test_an_administrator_chooses_and_the_audit_trail_says_so(hospital, reader):
    page_of_settings = reverse("reports:settings")
    assert reader.get(page_of_settings).status_code == 200
    answer = reader.post(page_of_settings, {"monthly_allocation": "300", "smallest_shown": "5"})
    assert answer.status_code == 302
    assert (settings_of(hospital).monthly_allocation, settings_of(hospital).smallest_shown) == (300, 5)
    event = AuditEvent.objects.get(action="reports.settings_changed")
    assert event.data["smallest_shown"] == {"was": 0, "now": 5}
    reader.post(page_of_settings, {"monthly_allocation": "300", "smallest_shown": "5"})
    assert AuditEvent.objects.filter(action="reports.settings_changed").count() == 1
    assert "Ensure this value" in reader.post(page_of_settings, {"smallest_shown": "500"}).content.decode()


# --- The monthly allocation ----------------------------------------------------------------------------------------
def test_visits_beyond_the_allocation_are_marked(hospital, reader):
    ReportSettings.objects.create(organization=hospital, monthly_allocation=20)
    text = page(reader, "ehr", days="90", status="completed", columns="start.visit.within_limit", sort="start")
    marks = cells(text, 2)
    november = [
        fact
        for fact in VisitFact.objects.for_organization(hospital).filter(status="completed", is_production=True)
        if fact.starts_at.astimezone(CHICAGO).month == 11
    ]
    everything = [
        mark for number in range(1, 7) for mark in cells(
            page(reader, "ehr", days="90", status="completed", columns="start.visit.within_limit", page=number), 2
        )
    ]  # fmt: skip
    assert marks
    assert everything.count("No") >= len(november) - 20 > 0
    assert f"{len(november)} of 20" in words(text)


def test_without_an_allocation_nothing_is_said(reader):
    assert set(cells(page(reader, "ehr", columns="start.within_limit"), 1)) == {"\N{EN DASH}"}


def test_texts_by_department_are_found_too(hospital):
    mine = asked(hospital, department="LMFM")
    counted = texts.outcomes(mine).total()
    assert counted == texts.texts_of(mine).count() > 0
