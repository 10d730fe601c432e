"""The reports for scripts: the same numbers as on the pages, and nothing that a report reader may not see."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from launch.models import DeviceTest, LaunchAttempt
from reports.models import CallRecord, CallStream, ReportSettings
from reports.services import refreshing
from tests.factories import make_endpoint, make_organization, make_visit
from tests.reports.conftest import START
from tests.scripts import ALL, Script

pytestmark = pytest.mark.django_db
OVER = START + timedelta(hours=2)


@pytest.fixture
def held(visit, happen):
    happen("patient", "lobby_entered", 0)
    happen("provider", "connected", 60)
    happen("patient", "connected", 72)
    happen("patient", "disconnected", 900)
    happen("provider", "disconnected", 960)
    make_visit(visit.endpoint, session_id="482200418", starts_at=START, department="CARD")
    refreshing.refresh(now=OVER)
    return visit


@pytest.fixture
def script(held):
    return Script(held.organization, ["reports:read"])


def test_a_summary_has_totals_and_groups(script, held):
    body = script("GET", "reports_api:summary", by="department").json()
    assert body["total"]["visits"] == 2
    assert body["total"]["by_status"]["completed"] == 1
    assert (body["total"]["average_duration"], body["total"]["average_lobby_wait"]) == (888.0, 72.0)
    assert body["total"]["median_duration"] == pytest.approx(888, rel=0.01)
    assert {name: group["visits"] for name, group in body["groups"].items()} == {"CARD": 1, "LMFM": 1}
    assert body["groups"]["CARD"]["average_duration"] is None
    assert body["period"]["time_zone"] == "America/Chicago"


def test_groups_are_days_unless_asked_otherwise(script):
    assert list(script("GET", "reports_api:summary").json()["groups"]) == [START.date().isoformat()]


def test_visits_come_with_every_column_and_without_epics_number(script, held):
    body = script("GET", "reports_api:appointments", sort="-duration").json()
    assert (body["count"], body["page"], body["pages"]) == (2, 1, 1)
    first = body["visits"][0]
    assert (first["visit"], first["duration"], first["lobby_wait"]) == (held.reference, 888, 72)
    assert "482200417" not in str(body)
    assert script("GET", "reports_api:appointments", department="CARD").json()["count"] == 1
    assert script("GET", "reports_api:appointments", page="99").json()["visits"] == []


def test_texts_are_counted_by_outcome(script, held):
    held.sms_messages.update(state="delivered", report_status="sent", due_at=START, segments=2)
    refreshing.refresh(now=OVER)
    body = script("GET", "reports_api:texts").json()
    assert body["by_state"]["delivered"] == body["by_microsoft_status"]["sent"] == held.sms_messages.count()
    assert body["segments"] == 2 * held.sms_messages.count()


@pytest.fixture
def judged(held):
    """A call of the visit with a poor stream of the patient, whose device test had said so."""
    record = CallRecord.objects.create(
        organization=held.organization, visit=held, graph_id=held.pk, version=1, started_at=START, ended_at=OVER,
        good=1, poor=1,
    )  # fmt: skip
    CallStream.objects.create(record=record, kind="audio", is_staff=True, platform="windows", verdict="good")
    CallStream.objects.create(
        record=record, kind="audio", is_staff=False, platform="iOS", verdict="poor", due_to=["jitter_ms"]
    )
    attempt = LaunchAttempt.objects.create(
        organization=held.organization, endpoint=held.endpoint, visit=held, audience="text"
    )
    results = dict.fromkeys(DeviceTest.CHECKS, "passed") | {"connection": "poor"}
    DeviceTest.objects.create(
        organization=held.organization, visit=held, attempt=attempt, created_at=START, browser="Safari",
        platform="iOS", **results,
    )  # fmt: skip
    refreshing.refresh(now=OVER)
    return held


def test_call_quality_is_told_with_reasons_groups_and_device_tests(script, judged):
    body = script("GET", "reports_api:call_quality").json()
    assert (body["visits"], body["poor_visits"]) == (1, 1)
    assert body["streams"] == {"good": 1, "poor": 1, "unclassified": 0}
    assert body["due_to"] == {"jitter_ms": 1}
    assert body["groups"]["iOS"] == {"good": 0, "poor": 1, "unclassified": 0}
    assert {"check": "connection", "result": "poor", "visits": 1, "poor_visits": 1} in body["device_tests"]
    by_day = script("GET", "reports_api:call_quality", by="day").json()["groups"]
    assert by_day == {START.date().isoformat(): body["streams"]}
    assert script("GET", "reports_api:call_quality", by="department").json()["groups"] == {"LMFM": body["streams"]}


def test_filters_hold_for_call_quality_too(script, judged):
    def visits(**filters):
        return script("GET", "reports_api:call_quality", **filters).json()["visits"]

    assert visits(department="LMFM", status="poor") == 1
    assert visits(department="CARD") == visits(status="unclassified") == 0
    assert script("GET", "reports_api:call_quality", status="completed").status_code == 400


def test_small_counts_of_calls_and_texts_are_null(script, judged):
    ReportSettings.objects.create(organization=judged.organization, smallest_shown=5)
    judged.sms_messages.update(state="delivered", report_status="sent", due_at=START, segments=2)
    refreshing.refresh(now=OVER)
    body = script("GET", "reports_api:call_quality").json()
    assert (body["visits"], body["streams"]["poor"], body["streams"]["unclassified"]) == (None, None, 0)
    assert body["due_to"] == {"jitter_ms": None}
    told = script("GET", "reports_api:texts").json()
    assert (told["segments"], told["by_state"]["delivered"]) == (None, None)


def test_a_filter_that_cannot_be_understood_is_named(script):
    answer = script("GET", "reports_api:summary", days="13")
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["days"]
    assert script("GET", "reports_api:summary", endpoint="12").status_code == 400


def test_an_endpoint_of_another_organization_is_no_choice(script):
    foreign = make_endpoint(make_organization(name="Tailspin Clinics"), with_sms=False)
    assert script("GET", "reports_api:summary", endpoint=str(foreign.pk)).status_code == 400


def test_small_numbers_are_hidden_from_scripts_too(script, held):
    ReportSettings.objects.create(organization=held.organization, smallest_shown=5)
    total = script("GET", "reports_api:summary").json()["total"]
    assert (total["visits"], total["by_status"]["completed"], total["average_duration"]) == (None, None, None)
    assert script("GET", "reports_api:appointments").json()["code"] == "reports.rows_hidden"


@pytest.mark.parametrize("name", ["summary", "appointments", "texts"])
def test_another_scope_is_not_enough(held, name):
    others = [scope for scope in ALL if scope != "reports:read"]
    assert Script(held.organization, others)("GET", f"reports_api:{name}").status_code == 403


# --- The same in the terminal ---------------------------------------------------------------------------------------
def printed(*arguments):
    out = StringIO()
    call_command("report", "usage", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def test_the_terminal_shows_the_same_numbers(held):
    text = printed("--days", "7")
    assert "1  Completed" in text
    assert "2  visits" in text
    assert "14:48  average duration" in text
    assert f"{START.date()}        2          1     14:48        1:12" in text


def test_the_terminal_prints_rows_as_csv(held):
    lines = printed("--days", "7", "--csv").splitlines()
    assert lines[0].startswith("Start (UTC),Visit,")
    assert len(lines) == 3
    assert "482200417" not in "".join(lines)


@pytest.mark.parametrize("arguments", [("--days", "0"), ("--days", "401"), ("--organization", "nobody")])
def test_what_cannot_be_printed_is_said(held, arguments):
    with pytest.raises(CommandError):
        printed(*arguments)


def test_with_several_organizations_one_has_to_be_named(held):
    make_organization(name="Tailspin Clinics")
    with pytest.raises(CommandError):
        printed()
    assert "2  visits" in printed("--organization", held.organization.slug)
