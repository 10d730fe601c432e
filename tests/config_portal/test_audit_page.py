"""Who reads which part of the audit trail, how it is searched, exported and verified."""

import csv
import json
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from accounts.models import Role, User
from core import audit
from core.models import AuditEvent
from tests.factories import make_organization, make_staff

pytestmark = pytest.mark.django_db
AUDIT = reverse("portal:audit")
EXPORT = reverse("portal:audit_export")


@pytest.fixture
def organization():
    return make_organization()


@pytest.fixture
def admin(client, organization):
    client.force_login(make_staff(organization, Role.ADMIN))
    return client


def record(organization, action="endpoint.changed", actor="avery.reed@lamna.example.org", **data):
    return audit.record(action, organization_id=organization.pk, actor=actor, **data)


def without_trigger(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_auditevent DISABLE TRIGGER ALL")
        cursor.execute(sql, values)
        cursor.execute("ALTER TABLE core_auditevent ENABLE TRIGGER ALL")


def test_a_change_is_shown_with_before_and_after(admin, organization):
    changes = audit.differences(
        {"FHIR base URL": "https://a", "Name": "x"}, {"FHIR base URL": "https://b", "Name": "x"}
    )
    record(organization, changes=changes)
    page = admin.get(AUDIT).content.decode()
    assert "<del>https://a</del>" in page
    assert "<ins>https://b</ins>" in page
    assert "Endpoint changed" in page


def test_nothing_of_another_organization_is_shown_or_exported(admin, organization):
    record(make_organization(name="Tailspin Clinics"), actor="stranger")
    assert "stranger" not in admin.get(AUDIT).content.decode()
    assert b"stranger" not in b"".join(admin.get(EXPORT).streaming_content)


def test_support_sees_what_they_did_themselves_and_nothing_else(client, organization):
    client.force_login(make_staff(organization, Role.SUPPORT, username="kim.soto@lamna.example.org"))
    record(organization, action="sms.resent", actor="kim.soto@lamna.example.org")
    record(organization, action="keys.rotated", actor="avery.reed@lamna.example.org")
    page = client.get(AUDIT).content.decode()
    assert "SMS resent" in page
    assert "Keys rotated" not in page
    assert b"keys.rotated" not in b"".join(client.get(EXPORT).streaming_content)
    assert client.post(reverse("portal:audit_verify")).status_code == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "K7M-2XQ9"}, ["launch.refused"]),
        ({"q": "endpoint changed"}, ["endpoint.changed"]),
        ({"actor": "DANA"}, ["configuration.approved"]),
        ({"area": "endpoint"}, ["endpoint.changed"]),
        ({"until": "2000-01-01"}, []),
        ({"since": "2000-01-01"}, ["configuration.approved", "endpoint.changed", "launch.refused"]),
        ({"since": "no date"}, ["configuration.approved", "endpoint.changed", "launch.refused"]),
    ],
)
def test_events_are_found_by_what_people_know(admin, organization, query, found):
    audit.record("launch.refused", organization_id=organization.pk, reference="K7M-2XQ9")
    record(organization)
    record(organization, action="configuration.approved", actor="dana.ortiz@lamna.example.org")
    lines = b"".join(admin.get(EXPORT, query).streaming_content).decode().splitlines()
    actions = [row["action"] for row in csv.DictReader(lines)]
    assert [action for action in actions if action != "audit.exported"] == found


def test_days_are_those_of_the_organization(client, organization, time_machine):
    time_machine.move_to(datetime(2026, 11, 25, 2, 0, tzinfo=UTC), tick=False)  # the evening of the 24th in Chicago
    client.force_login(make_staff(organization, Role.ADMIN))
    record(organization, action="late.evening")
    assert "Late evening" in client.get(AUDIT, {"since": "2026-11-24", "until": "2026-11-24"}).content.decode()
    assert "Late evening" not in client.get(AUDIT, {"since": "2026-11-25"}).content.decode()


def test_pages_of_fifty_lead_to_the_first_event(admin, organization):
    for number in range(120):
        record(organization, number=number)
    seen, address = 0, AUDIT
    while address:
        answer = admin.get(address)
        seen += len(answer.context["rows"])
        address = AUDIT + answer.context["older"] if answer.context["older"] else ""
    assert seen == 120


def test_a_page_takes_the_same_queries_however_long_the_trail(admin, organization, django_assert_num_queries):
    record(organization)
    admin.get(AUDIT)
    with connection.execute_wrapper(counter := Counter()):
        admin.get(AUDIT)
    few = counter.count
    for _ in range(30):
        record(organization, changes=[{"what": "x", "was": 1, "now": 2}])
    with django_assert_num_queries(few):
        admin.get(AUDIT)


class Counter:
    def __init__(self):
        self.count = 0

    def __call__(self, execute, sql, params, many, context):
        self.count += 1
        return execute(sql, params, many, context)


def test_the_export_is_itself_an_event_and_its_chain_can_be_followed(admin, organization):
    record(organization, note="=SUM(A1)")
    events = json.loads(b"".join(admin.get(EXPORT, {"format": "json"}).streaming_content))
    assert AuditEvent.objects.filter(action="audit.exported").count() == 1
    by_number = {event["sequence"]: event for event in events}
    assert all(by_number[n]["previous"] == by_number[n - 1]["digest"] for n in by_number if n - 1 in by_number)


def test_verifying_says_that_all_holds_or_names_the_event(admin, organization):
    record(organization)
    broken = record(organization)
    answer = admin.post(reverse("portal:audit_verify"), follow=True)
    assert "All 2 events are as they were written." in answer.content.decode()
    without_trigger("UPDATE core_auditevent SET actor = 'mallory' WHERE id = %s", broken.pk)
    page = admin.post(reverse("portal:audit_verify"), follow=True).content.decode()
    assert "Event 2 does not hold" in page


def test_the_command_verifies_every_chain_and_exits_with_1_when_one_is_broken(organization, capsys):
    record(organization)
    call_command("verify_audit")
    assert f"{organization.slug}: 1 events hold" in capsys.readouterr().out
    without_trigger("DELETE FROM core_auditevent")
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", "--json")
    assert ended.value.code == 1
    found = json.loads(capsys.readouterr().out)
    assert {"organization": organization.slug, "checked": 0, "intact": False, "broken_at": 1} in found["chains"]


def test_the_command_compares_with_exported_heads(organization, tmp_path, capsys):
    record(organization)
    heads = tmp_path / "heads"
    heads.write_text(json.dumps({"at": "then", "organization": str(organization.pk), "sequence": 1, "head": "00"}))
    with pytest.raises(SystemExit):
        call_command("verify_audit", "--heads", str(heads))
    assert "event 1 is not the one that was exported at then" in capsys.readouterr().out
    heads.write_text("nonsense")
    with pytest.raises(CommandError, match="Line 1"):
        call_command("verify_audit", "--heads", str(heads))
    with pytest.raises(CommandError, match="no organization with the slug"):
        call_command("verify_audit", "--organization", "nobody")


def test_the_operator_sees_that_a_hospitals_events_are_whole_and_not_what_they_say(client, organization):
    event = record(organization, secret_plan="x-ray")
    client.force_login(make_operator())
    page = client.get(reverse("admin:core_auditevent_change", args=[event.pk])).content.decode()
    assert bytes(event.digest).hex() in page
    assert "x-ray" not in page
    assert "avery.reed" not in page
    own = audit.record("launch.refused", code="launch.unknown_record")
    assert (
        "launch.unknown_record" in client.get(reverse("admin:core_auditevent_change", args=[own.pk])).content.decode()
    )


def make_operator():
    return User.objects.create_superuser("operator", password="a long enough password")
