"""Files and saved views: what stands in them, who gets them, what happens when a worker dies or mail does not go."""

import csv
import gc
import io
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail as outgoing
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role
from core.models import AuditEvent
from core.spreadsheet import neutral
from meetings.models import Participant
from reports import tasks
from reports.models import Export, ExportPart, ReportSettings, SavedView, VisitFact
from reports.services import exporting, refreshing, saved_views
from sms.models import SmsMessage
from tests.factories import make_staff, make_visit
from tests.reports.conftest import NOW, START

pytestmark = pytest.mark.django_db
LATER = START + timedelta(hours=2)
EXPORT, FILES, VIEWS = reverse("reports:export"), reverse("reports:exports"), reverse("reports:views")


@pytest.fixture
def counted(visit, happen):
    """The visit of today, held and counted, and one that nobody came to."""
    make_visit(visit.endpoint, session_id="482200418", starts_at=START, department='=HYPERLINK("x")')
    happen("patient", "lobby_entered", 0)
    happen("provider", "connected", 60)
    happen("patient", "connected", 72)
    happen("patient", "disconnected", 900)
    happen("provider", "disconnected", 960)
    refreshing.refresh(now=LATER)
    return visit


@pytest.fixture
def reader(counted, client):
    client.force_login(make_staff(counted.organization, Role.REPORT_READER, username="rene.blake@lamna.example.org"))
    return client


@pytest.fixture
def support(counted, client):
    client.force_login(make_staff(counted.organization, Role.SUPPORT, username="kim.soto@lamna.example.org"))
    return client


def asked_for(client, **data):
    answer = client.post(EXPORT, {"format": "csv", "subject": "visits", "query": "days=30", **data})
    assert answer.status_code == 302
    return Export.objects.latest("created_at")


def fetched(client, export):
    tasks.export(str(export.pk))
    answer = client.get(reverse("reports:download", args=[export.pk]))
    content = b"".join(answer.streaming_content)
    assert int(answer["Content-Length"]) == len(content)
    return content


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_file_holds_the_rows_and_columns_that_were_shown(support):
    export = asked_for(support, query="days=30&columns=start.visit.status.department.duration.lobby_wait")
    held, nobody = sorted(rows(fetched(support, export)), key=lambda row: row["Visit"])
    assert held == {
        "Start (UTC)": (START + timedelta(seconds=72)).isoformat(timespec="seconds"), "Visit": "482200417",
        "Status": "Completed", "Department": "LMFM", "Lobby wait (seconds)": "72", "Duration (seconds)": "888",
    }  # fmt: skip
    assert nobody["Department"] == """'=HYPERLINK("x")"""
    export.refresh_from_db()
    assert (export.state, export.rows_done, export.rows_total) == (Export.DONE, 2, 2)
    assert AuditEvent.objects.get(action="reports.exported").actor == "kim.soto@lamna.example.org"


def test_the_provider_stands_in_the_file_as_epic_knows_them(support, counted):
    provider = Participant.objects.get(meeting__visit=counted, role="provider")
    provider.ehr_user_id, provider.ehr_user_index = "ERIVERA", "known"
    provider.save()
    held, nobody = sorted(rows(fetched(support, asked_for(support))), key=lambda row: row["Visit"])
    assert (held["Provider"], nobody["Provider"]) == ("ERIVERA", "")


def test_a_filter_holds_in_the_file_too(support):
    assert len(rows(fetched(support, asked_for(support, query="days=7&department=LMFM")))) == 1
    assert rows(fetched(support, asked_for(support, query="days=7&department=LMFM&status=missed"))) == []


def test_a_report_reader_gets_no_number_of_epics(reader, counted):
    content = fetched(reader, asked_for(reader)).decode()
    assert counted.reference in content
    assert "482200417" not in content


def test_excel_gets_a_workbook(support):
    content = fetched(support, asked_for(support, format="xlsx"))
    assert content.startswith(b"PK")


def test_texts_are_a_file_too(support, counted):
    text = SmsMessage.objects.filter(visit=counted).first()
    SmsMessage.objects.filter(pk=text.pk).update(
        state="undelivered", report_status="spam", supplier_code="30007", segments=2, accepted_at=NOW, due_at=NOW
    )
    (row,) = rows(fetched(support, asked_for(support, subject="texts")))
    assert (row["Microsoft's status"], row["Code"], row["Segments"]) == ("Not delivered - spam detected", "30007", "2")


def test_single_visits_that_are_hidden_are_not_exported(reader, counted):
    ReportSettings.objects.create(organization=counted.organization, smallest_shown=5)
    reader.post(EXPORT, {"format": "csv", "query": ""})
    assert not Export.objects.exists()


def test_a_file_is_its_owners_alone(reader, counted, client):
    export = asked_for(reader)
    tasks.export(str(export.pk))
    client.force_login(make_staff(counted.organization, Role.ADMIN))
    assert client.get(reverse("reports:download", args=[export.pk])).status_code == 404


def test_more_than_three_files_at_once_are_refused(support):
    for _ in range(3):
        asked_for(support)
    support.post(EXPORT, {"format": "csv", "query": ""})
    assert Export.objects.count() == 3
    assert "Wait until one of your 3 files is ready." in support.get(FILES).content.decode()


def test_the_page_shows_how_far_a_file_is(support):
    export = asked_for(support)
    assert "Waiting" in support.get(FILES).content.decode()
    Export.objects.filter(pk=export.pk).update(state="sending", rows_done=10, rows_total=40)
    assert "10 of 40 rows" in support.get(FILES).content.decode()
    Export.objects.filter(pk=export.pk).update(state="pending")
    fetched(support, export)
    assert "Ready" in support.get(FILES).content.decode()


def test_what_a_dead_worker_left_is_begun_anew_and_given_up_after_three(support):
    export = asked_for(support)
    (claimed,) = exporting.claim_due(now=timezone.now())
    ExportPart.objects.create(export=export, number=0, data=b"half")
    Export.objects.filter(pk=export.pk).update(lease_until=NOW - timedelta(seconds=1))
    tasks.export_due()
    export.refresh_from_db()
    assert (export.state, export.attempts) == (Export.DONE, 2)
    assert b"half" not in b"".join(exporting.content_of(export))
    Export.objects.filter(pk=claimed.pk).update(state="pending", attempts=3, due_at=NOW)
    tasks.export_due()
    export.refresh_from_db()
    assert (export.state, export.error_code, export.parts.count()) == (Export.FAILED, "reports.export_failed", 0)


def test_a_worker_that_lost_its_claim_writes_nothing_more(support):
    export = asked_for(support)
    (claimed,) = exporting.claim_due(now=timezone.now())
    Export.objects.filter(pk=export.pk).update(attempt_id=None)
    exporting.make(claimed, header=["A"], rows=iter([["x"]]), total=1, now=NOW)
    assert not ExportPart.objects.exists()


def test_a_file_is_gone_after_a_day(support):
    export = asked_for(support)
    fetched(support, export)
    assert exporting.purge(now=NOW + timedelta(hours=23)) == 0
    exporting.purge(now=timezone.now() + exporting.KEPT)
    assert not Export.objects.exists()
    assert not ExportPart.objects.exists()


def test_a_long_file_is_made_in_memory_that_does_not_grow(support):
    export = asked_for(support)
    peaks = []
    for count in (5_000, 50_000):
        (claimed,) = exporting.claim_due(now=timezone.now())
        gc.collect()
        tracemalloc.start()
        exporting.make(claimed, header=["A"], rows=(["x" * 100] for _ in range(count)), total=count, now=NOW)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        Export.objects.filter(pk=export.pk).update(state="pending")
    assert export.parts.count() > 5
    assert peaks[1] < 4 * peaks[0]  # ten times the rows; what else the process does is in it too


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_cells_that_a_spreadsheet_would_run_are_neutral(cell):
    assert neutral(cell).startswith("'")


# --- Saved views ---------------------------------------------------------------------------------------------------
@pytest.fixture
def view(support, counted):
    page = reverse("reports:save_view")
    text = support.get(page, {"tab": "duration", "days": "7", "department": "LMFM", "evil": "1"}).content.decode()
    assert "days=7&amp;department=LMFM" in text
    assert "evil" not in text
    values = {"name": "My week", "tab": "duration", "query": "days=7&department=LMFM", "is_shared": "on"}
    assert support.post(page, values).status_code == 302
    return SavedView.objects.get()


def test_a_view_is_kept_with_everything_chosen_and_shared(view, support, counted, client):
    assert f"{reverse('reports:duration')}?days=7&amp;department=LMFM" in support.get(VIEWS).content.decode()
    client.force_login(make_staff(counted.organization, Role.ADMIN))
    text = client.get(VIEWS).content.decode()
    assert "My week" in text
    assert "Remove" not in text
    assert client.post(reverse("reports:remove_view", args=[view.pk])).status_code == 404
    SavedView.objects.update(is_shared=False)
    assert "My week" not in client.get(VIEWS).content.decode()


def test_a_view_can_be_removed(view, support):
    support.post(reverse("reports:remove_view", args=[view.pk]))
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("cadence", "after", "expected"),
    [
        ("daily", "2026-11-24T12:59:59", "2026-11-24T13:00:00"),
        ("daily", "2026-11-24T13:00:00", "2026-11-25T13:00:00"),
        ("weekly", "2026-11-24T13:00:00", "2026-11-30T13:00:00"),
        ("monthly", "2026-11-24T13:00:00", "2026-12-01T13:00:00"),
        ("daily", "2026-10-31T13:00:00", "2026-11-01T13:00:00"),  # the clocks went back: 7:00 is 13:00 UTC now
        ("daily", "2026-10-30T13:00:00", "2026-10-31T12:00:00"),
    ],
)
def test_a_view_is_sent_at_seven_in_the_organizations_zone(view, cadence, after, expected):
    view.cadence = cadence
    found = saved_views.next_time(view, after=datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found.astimezone(UTC).replace(tzinfo=None).isoformat() == expected


def scheduled(support, view, **values):
    page = reverse("reports:schedule", args=[view.pk])
    answer = support.post(page, {"cadence": "daily", "recipients": "dana.ortiz@example.org", **values})
    view.refresh_from_db()
    return answer


def test_a_view_is_mailed_once_with_its_numbers_and_rows(view, support, settings, counted):
    settings.EMAIL_FROM = "Connector <connector@lamna.example.org>"
    assert scheduled(support, view).status_code == 302
    SavedView.objects.update(next_at=NOW)
    tasks.send_views()
    tasks.send_views()
    (message,) = outgoing.outbox
    assert message.bcc == ["dana.ortiz@example.org"]
    assert message.to == []
    assert "Average duration: 14:48" in message.body
    assert f"{settings.PUBLIC_URL}/reports/duration?days=7&department=LMFM" in message.body
    summary, (name, content, _) = message.attachments
    assert (summary[0], summary[2]) == ("summary.pdf", "application/pdf")
    assert summary[1].startswith(b"%PDF-")
    assert name == "visits.csv"
    assert counted.reference in content
    assert "482200417" not in content + message.body
    view.refresh_from_db()
    assert (view.sent_at >= NOW, view.error_code) == (True, "")
    assert view.next_at > NOW


def test_a_view_that_cannot_be_mailed_says_so_and_tries_the_next_date(view, support, settings):
    settings.EMAIL_FROM = "connector@lamna.example.org"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    scheduled(support, view)
    SavedView.objects.update(next_at=NOW)
    tasks.send_views()
    view.refresh_from_db()
    assert (view.error_code, view.sent_at) == ("mail.not_sent", None)
    assert view.next_at > NOW
    assert "Not sent last time (mail.not_sent)" in support.get(VIEWS).content.decode()


def test_without_a_mail_server_the_page_says_so(view, support, settings):
    settings.EMAIL_FROM = ""
    assert "Nothing can be sent yet" in support.get(reverse("reports:schedule", args=[view.pk])).content.decode()
    scheduled(support, view)
    SavedView.objects.update(next_at=NOW)
    tasks.send_views()
    view.refresh_from_db()
    assert view.error_code == "mail.not_configured"


@pytest.mark.parametrize(
    ("recipients", "said"),
    [
        ("", "at least one address"),
        ("dana", "valid email"),
        ("\n".join(f"a{n}@example.org" for n in range(21)), "most 20"),
    ],
)
def test_addresses_are_looked_at_before_they_are_kept(view, support, recipients, said):
    answer = scheduled(support, view, recipients=recipients)
    assert said in answer.content.decode()
    assert view.next_at is None


def test_sending_can_be_ended(view, support):
    scheduled(support, view)
    assert view.next_at is not None
    scheduled(support, view, cadence="")
    assert (view.next_at, view.recipients) == (None, [])


def test_hidden_numbers_stay_hidden_in_a_mail(view, support, settings, counted):
    settings.EMAIL_FROM = "connector@lamna.example.org"
    ReportSettings.objects.create(organization=counted.organization, smallest_shown=5)
    scheduled(support, view)
    SavedView.objects.update(next_at=NOW)
    tasks.send_views()
    (message,) = outgoing.outbox
    assert "Average duration: \N{EN DASH}" in message.body
    assert [name for name, *_ in message.attachments] == ["summary.pdf"]
    assert VisitFact.objects.count() == 2
