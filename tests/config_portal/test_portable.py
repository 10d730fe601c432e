"""Exported, imported elsewhere, exported again: the same bytes, and nothing secret in them."""

import json
import uuid
from datetime import UTC, datetime, time

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.models import Role
from config_portal.models import Environment, FhirEndpoint, Organization
from config_portal.services.portable import export_configuration
from core.models import AuditEvent
from hl7intake.models import RawRetention, SenderCertificate, SenderSettings, SenderWatch
from hl7intake.services.certificates import add_certificate, revoke
from sms.models import PhoneNumber, SmsConfiguration, SmsConsent, SmsTemplate
from sms.services import templates
from tests.factories import make_endpoint, make_organization, make_sms_configuration, make_staff
from tests.hl7intake.pki import make_identity
from writeback.models import WritebackConfiguration

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
WORDS = "{organization}: video visit {when}. Join: {link} Reply HELP for help, STOP to end."


@pytest.fixture(scope="module")
def engine():
    return make_identity()


@pytest.fixture
def exported(tmp_path, engine):
    """The file of an organization in which everything is chosen that can be."""
    organization = make_organization(slug="lamna", prerequisites={"epic_version": {"by": "kim", "at": "2026"}})
    for environment in Environment.values:
        make_endpoint(
            organization, name=f"lamna-{environment}", environment=environment,
            with_sms=False, approver_username="dana",
            base_url=f"https://fhir.example.org/{environment}/api/FHIR/R4",
        )  # fmt: skip
    fill(organization, engine)
    path = tmp_path / "lamna.json"
    call_command("export_configuration", "lamna", "--output", str(path))
    return path


def fill(organization, engine):
    """Choose texts, rules of the sender and write-back, each unlike its default, with their secrets."""
    endpoint = organization.endpoints.get(name="lamna-test")
    second = PhoneNumber.objects.create(
        organization=organization, number="+16085550143", supplier="twilio", kind="local", verification="not_needed"
    )
    make_sms_configuration(
        endpoint, failover_number=second, reminder_minutes=[2880, 30], confirms_moved=False,
        quiet_from=time(21), quiet_until=time(7, 30), visit_cap=9, is_paused=True,
    )  # fmt: skip
    templates.save_words(organization, "en", {"reminder": WORDS}, actor="avery")
    SenderSettings.objects.create(
        endpoint=endpoint, start_places=["SCH-11"], status_map={"5": "Cancelled"}, fallback_charset="latin-1"
    )
    SenderWatch.objects.create(endpoint=endpoint, hours=6)
    RawRetention.objects.create(organization=organization, hours=24)
    add_certificate(endpoint, engine.pem, actor="avery", now=NOW)
    WritebackConfiguration.objects.create(
        endpoint=endpoint, means="communication", device_tests="service", device_test_service={"path": "/api/tests"},
        authorization="basic", basic_username="EHRCONNECT", basic_password="canary-password", most_at_once=8,
    )  # fmt: skip


def forget():
    FhirEndpoint.objects.update(approved_version=None)
    SmsConfiguration.objects.all().delete()
    PhoneNumber.objects.all().delete()
    Organization.objects.all().delete()


def changed(exported, change):
    content = json.loads(exported.read_text())
    change(content)
    exported.write_text(json.dumps(content))
    call_command("import_configuration", str(exported))


def test_the_round_trip_is_equal_to_the_byte(exported, tmp_path):
    forget()
    call_command("import_configuration", str(exported))
    again = tmp_path / "again.json"
    call_command("export_configuration", "lamna", "--output", str(again))
    assert again.read_bytes() == exported.read_bytes()


def test_nothing_secret_leaves_and_nothing_is_authorized_by_a_file(exported):
    text = exported.read_text()
    assert "s3cret" not in text
    assert "canary-password" not in text
    assert "PRIVATE" not in text
    forget()
    call_command("import_configuration", str(exported))
    organization = Organization.objects.get()
    assert organization.test_authorized_at is None
    assert not organization.endpoints.exclude(approved_version=None).exists()
    assert not SmsConsent.objects.exists()
    assert WritebackConfiguration.objects.get().basic_password is None


def test_importing_again_changes_nothing_and_a_dry_run_never(exported, capsys):
    call_command("import_configuration", str(exported))
    assert "already" in capsys.readouterr().out
    content = json.loads(exported.read_text())
    content["endpoints"][0]["visit_types"] = ["VV45"]
    exported.write_text(json.dumps(content))
    call_command("import_configuration", str(exported), "--dry-run")
    assert "visit_types" in capsys.readouterr().out
    assert not FhirEndpoint.objects.filter(visit_types=["VV45"]).exists()
    call_command("import_configuration", str(exported))
    assert FhirEndpoint.objects.filter(visit_types=["VV45"]).count() == 1


def sms(content):
    return content["endpoints"][1]["sms"]


def hl7(content):
    return content["endpoints"][1]["hl7"]


def writeback(content):
    return content["endpoints"][1]["writeback"]


def words(content):
    return content["organization"]["sms"]["words"]


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda content: content.pop("teams"), "lacks"),
        (lambda content: content.update(version=3), "no file that export_configuration wrote"),
        (lambda content: content["endpoints"][0].update(base_url="https://fhir.example.org"), "must end in"),
        (lambda content: content["endpoints"][0].update(assertion_algorithm="none"), "assertion_algorithm"),
        (lambda content: content["endpoints"][0].update(environment="moon"), "environment"),
        (lambda content: content["teams"].update(tenant_id=str(uuid.uuid4())), "another Entra tenant"),
        (lambda content: sms(content).update(number="+18335550199"), "does not hold the number"),
        (lambda content: sms(content).update(failover_number="+18335550142"), "another supplier"),
        (lambda content: sms(content).update(quiet_from=None), "quiet_until"),
        (lambda content: sms(content).update(quiet_from="late"), "wrong value"),
        (lambda content: sms(content).update(reminder_minutes=["soon"]), "wrong value"),
        (lambda content: words(content).update(en={"reminder": "Dear {name}"}), "words.en.reminder"),
        (lambda content: words(content).update(xx={}), "no texts xx"),
        (lambda content: hl7(content).update(watch_hours=721), "hours are 0 to 720"),
        (lambda content: hl7(content).update(certificates=["<html>"]), "web page"),
        (lambda content: hl7(content)["rules"].pop("status_map"), "lacks"),
        (lambda content: content["organization"]["hl7"].update(keep_rejected_hours=73), "hours are 0 to 72"),
        (lambda content: writeback(content).update(means="pigeon"), "means"),
        (lambda content: writeback(content).update(device_test_service={"path": "//evil"}), "cannot be used"),
        (lambda content: writeback(content).update(basic_username=""), "background user"),
    ],
)
def test_a_damaged_file_is_explained_and_changes_nothing(exported, damage, problem):
    content = json.loads(exported.read_text())
    damage(content)
    exported.write_text(json.dumps(content))
    with pytest.raises(CommandError, match=problem):
        call_command("import_configuration", str(exported))
    assert AuditEvent.objects.filter(action="configuration.imported").count() == 0


def test_the_portal_downloads_the_same_file(client, exported):
    client.force_login(make_staff(Organization.objects.get(), Role.ADMIN))
    assert client.get(reverse("portal:export")).content == exported.read_bytes()


# --- What other apps keep in the file -------------------------------------------------------------
def test_a_file_written_before_there_were_other_parts_leaves_them_as_they_are(exported):
    def age(content):
        content["version"] = 1
        del content["organization"]["sms"], content["organization"]["hl7"]
        for endpoint in content["endpoints"]:
            for part in ("sms", "hl7", "writeback"):
                endpoint.pop(part, None)

    changed(exported, age)
    assert SmsConfiguration.objects.get().visit_cap == 9
    assert WritebackConfiguration.objects.get().means == "communication"


def test_choices_are_brought_to_the_file_and_secrets_and_switches_stay(exported):
    def edit(content):
        sms(content).update(reminder_minutes=[60], quiet_from=None, quiet_until=None)
        words(content).clear()
        hl7(content)["watch_hours"] = 0
        writeback(content)["most_at_once"] = 4

    changed(exported, edit)
    texts, told = SmsConfiguration.objects.get(), WritebackConfiguration.objects.get()
    assert (texts.reminder_minutes, texts.quiet_from, texts.is_paused) == ([60], None, True)
    assert not SmsTemplate.objects.exists()
    assert SenderWatch.objects.get().hours == 0
    assert (told.most_at_once, told.basic_password) == (4, "canary-password")
    names = AuditEvent.objects.get(action="configuration.imported").data["changed"]
    assert {"sms.words.en", "lamna-test.sms.reminder_minutes", "lamna-test.hl7.watch_hours"} <= set(names)


def test_a_certificate_that_was_revoked_is_not_trusted_again_because_of_a_file(exported):
    revoke(SenderCertificate.objects.get(), actor="avery", now=NOW)
    with pytest.raises(CommandError, match="was revoked here"):
        call_command("import_configuration", str(exported))
    assert not SenderCertificate.objects.filter(revoked_at=None).exists()


def test_a_certificate_that_has_expired_is_left_out(exported, engine):
    organization = Organization.objects.get()
    later = engine.certificate.not_valid_after_utc
    assert "BEGIN CERTIFICATE" in exported.read_text()
    assert "BEGIN CERTIFICATE" not in export_configuration(organization, now=later)


def test_a_number_of_another_organization_is_not_taken_over(exported):
    forget()
    PhoneNumber.objects.create(organization=make_organization(slug="tailspin"), number="+16085550143", supplier="acs")
    with pytest.raises(CommandError, match="another organization holds"):
        call_command("import_configuration", str(exported))
    assert PhoneNumber.objects.get().supplier == "acs"
