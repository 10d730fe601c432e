"""The reports for scripts: the same numbers as on the pages, and nothing that a report reader may not see."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from reports.models import ReportSettings
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
