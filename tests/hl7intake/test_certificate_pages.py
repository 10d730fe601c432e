"""Setup: certificates are shown before they are kept, and revoked with their consequences named."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import Role
from config_portal import doctor
from config_portal.services.setup import progress_of
from config_portal.wizard import StepState
from core.models import AuditEvent
from hl7intake.models import SenderCertificate
from hl7intake.services.certificates import add_certificate, revoke, warn_of_expiry
from tests.factories import make_endpoint, make_organization, make_staff
from tests.hl7intake.pki import DAY, make_identity
from tests.hl7intake.test_certificates import ISSUED, ISSUING, ROOT

pytestmark = pytest.mark.django_db
PAGE = reverse("hl7:certificates")
NOW = datetime.now(UTC)


@pytest.fixture
def admin(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    return client


def upload(client, endpoint, data: bytes, **text):
    file = SimpleUploadedFile("bridges.cer", data) if data else None
    given = {**({"certificate": file} if file else {}), **text}
    return client.post(reverse("hl7:certificate_add", args=[endpoint.pk]), given)


def test_dates_are_in_the_zone_of_the_organization(admin, endpoint):
    organization = endpoint.organization
    organization.time_zone = "Pacific/Auckland"
    organization.save()
    end = datetime(2030, 6, 1, 13, 30, tzinfo=UTC)
    page = upload(admin, endpoint, make_identity(end=end).der).content.decode()
    assert "to Jun 2, 2030, 1:30 AM NZST" in page
    add_certificate(endpoint, make_identity(end=end).pem, actor="dana", now=NOW)
    assert "Valid to Jun 2, 2030" in admin.get(PAGE).content.decode()


def test_an_upload_is_shown_back_before_anything_is_kept(admin, endpoint):
    identity = make_identity()
    page = upload(admin, endpoint, identity.der).content.decode()

    assert "Is this your interface engine?" in page
    assert "CN=bridges.lamna.example.org" in page
    assert "Elliptic curve secp256r1" in page
    assert f"Let it send for {endpoint.name}" in page
    assert "TEST" in page
    assert not SenderCertificate.objects.exists()

    confirmed = admin.post(
        reverse("hl7:certificate_confirm", args=[endpoint.pk]), {"pem": identity.pem.decode()}, follow=True
    )
    text = confirmed.content.decode()
    assert "may send for" in text
    assert "No message yet" in text
    assert SenderCertificate.objects.get().added_by == "avery.reed@lamna.example.org"


def test_the_leaf_of_a_chain_is_shown(admin, endpoint):
    page = upload(admin, endpoint, ROOT.pem + ISSUED.pem + ISSUING.pem).content.decode()

    assert "CN=Lamna Issuing" in page
    assert "the last one of a chain; the 2 certificates that issued it are not needed" in page


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "Choose the certificate file"),
        (make_identity().key_pem, "The file holds a private key. Nothing was kept"),
        (b"<!DOCTYPE html><html></html>", "This is a web page"),
        (make_identity().pem + make_identity().pem, "form no chain"),
        (make_identity().pem + b"\n" * 17_000, "larger than 16 KB"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_plain_words(admin, endpoint, data, words):
    page = upload(admin, endpoint, data).content.decode()

    assert words in page
    assert "<title>Error: Upload a certificate" in page
    assert b"PRIVATE" not in data or "PRIVATE KEY" not in page
    assert not SenderCertificate.objects.exists()


def test_a_pasted_certificate_is_as_good_and_both_are_one_too_many(admin, endpoint):
    pem = make_identity().pem

    assert "Is this your interface engine?" in upload(admin, endpoint, b"", text=pem.decode()).content.decode()
    assert "not both" in upload(admin, endpoint, pem, text=pem.decode()).content.decode()


def test_a_certificate_of_the_other_environment_is_refused_at_once(admin, endpoint):
    other = make_endpoint(endpoint.organization, environment="production", with_sms=False)
    identity = make_identity()
    add_certificate(other, identity.pem, actor="dana", now=NOW)

    assert "Test and production need a certificate each" in upload(admin, endpoint, identity.pem).content.decode()
    confirm = reverse("hl7:certificate_confirm", args=[endpoint.pk])
    assert "already registered" in admin.post(confirm, {"pem": identity.pem.decode()}, follow=True).content.decode()
    assert SenderCertificate.objects.count() == 1


def test_revoking_the_last_certificate_says_what_stops(admin, endpoint):
    certificate = add_certificate(endpoint, make_identity().pem, actor="dana", now=NOW)
    url = reverse("hl7:certificate_revoke", args=[certificate.pk])

    assert "no appointment arrives after this" in admin.get(url).content.decode()
    second = add_certificate(endpoint, make_identity("two.lamna.example.org").pem, actor="dana", now=NOW)
    assert "no appointment arrives after this" not in admin.get(url).content.decode()
    page = admin.post(url, follow=True).content.decode()
    assert "close within a minute" in page
    assert "Revoked" in page
    assert list(SenderCertificate.objects.accepted_at(NOW)) == [second]
    assert admin.post(url).status_code == 404


def test_support_staff_may_revoke_and_not_upload(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.SUPPORT))
    certificate = add_certificate(endpoint, make_identity().pem, actor="dana", now=NOW)

    assert client.get(reverse("hl7:certificate_add", args=[endpoint.pk])).status_code == 403
    assert client.post(reverse("hl7:certificate_revoke", args=[certificate.pk])).status_code == 302


def test_certificates_of_others_are_not_found(admin):
    foreign = make_endpoint(make_organization(name="Northwind Clinics"))
    certificate = add_certificate(foreign, make_identity().pem, actor="dana", now=NOW)

    assert admin.get(reverse("hl7:certificate_add", args=[foreign.pk])).status_code == 404
    assert admin.post(reverse("hl7:certificate_confirm", args=[foreign.pk]), {"pem": "x"}).status_code == 404
    assert admin.post(reverse("hl7:certificate_revoke", args=[certificate.pk])).status_code == 404
    assert certificate.fingerprint not in admin.get(PAGE).content.decode()


def test_the_page_needs_the_same_queries_however_many_certificates_there_are(
    admin, endpoint, django_assert_max_num_queries
):
    def fill(number: int) -> None:
        for one in range(number):
            add_certificate(endpoint, make_identity(f"{one}.lamna.example.org").pem, actor="dana", now=NOW)

    fill(1)
    admin.get(PAGE)  # the first page of a session also writes to it
    with django_assert_max_num_queries(12) as first:
        admin.get(PAGE)
    fill(6)
    with django_assert_max_num_queries(12) as second:
        admin.get(PAGE)
    assert len(first) == len(second)


def test_the_listeners_certificate_is_offered_without_its_key(admin, endpoint, settings, tmp_path):
    listener = make_identity("mllp.lamna.example.org")
    both = tmp_path / "both.pem"
    both.write_bytes(listener.key_pem + listener.pem)
    url = reverse("hl7:listener_certificate")

    assert admin.get(url).status_code == 404
    settings.MLLP_TLS_CERTIFICATE_PATH = str(both)
    assert admin.get(url).content.decode().strip() == listener.pem.decode().strip()
    page = admin.get(PAGE).content.decode()
    assert settings.MLLP_PUBLIC_HOST in page
    assert "Certificate of the listener" in page


@pytest.mark.parametrize(("days", "words"), [(61, "Valid to"), (45, "in 45 days"), (12, "in 12 days"), (0, "today")])
def test_the_days_left_are_shown(admin, endpoint, days, words):
    identity = make_identity(start=NOW - DAY, end=NOW + timedelta(days=days, hours=1))
    add_certificate(endpoint, identity.pem, actor="dana", now=NOW)

    assert words in admin.get(PAGE).content.decode()


def test_the_end_of_a_certificate_is_told_60_30_and_7_days_before_once_each(endpoint, caplog):
    identity = make_identity(start=NOW, end=NOW + timedelta(days=100))
    certificate = add_certificate(endpoint, identity.pem, actor="dana", now=NOW + timedelta(hours=1))
    gone = add_certificate(endpoint, make_identity(start=NOW).pem, actor="dana", now=NOW + timedelta(hours=1))
    revoke(gone, actor="dana", now=NOW)
    told = [
        days
        for days in range(100, -2, -1)
        for _ in range(2)
        if warn_of_expiry(now=certificate.not_after - timedelta(days=days) + timedelta(hours=1))
    ]

    assert told == [60, 30, 7]
    events = AuditEvent.objects.filter(action="certificate.expires_soon").order_by("sequence")
    assert [event.data["days_left"] for event in events] == [59, 29, 6]
    assert {event.organization_id for event in events} == {endpoint.organization_id}
    assert "sender certificate expires soon" in caplog.text


def test_a_certificate_registered_late_is_told_once_for_where_it_stands(endpoint):
    add_certificate(endpoint, make_identity(end=NOW + 5 * DAY).pem, actor="dana", now=NOW)

    assert [warn_of_expiry(now=NOW), warn_of_expiry(now=NOW)] == [1, 0]


def step_of(endpoint):
    rows = progress_of(endpoint.organization, now=NOW).rows
    return next(status for step, status in rows if step.name == "sender_certificate")


def test_the_setup_step_says_where_the_certificates_stand(endpoint):
    assert step_of(endpoint).state == StepState.NOT_STARTED
    short = add_certificate(endpoint, make_identity(end=NOW + timedelta(days=12, hours=1)).pem, actor="dana", now=NOW)
    assert step_of(endpoint).state == StepState.NEEDS_YOU
    assert step_of(endpoint).detail == f"The certificate of {endpoint.name} ends in 12 days"
    add_certificate(endpoint, make_identity(end=NOW + 90 * DAY).pem, actor="dana", now=NOW)
    assert (step_of(endpoint).state, step_of(endpoint).detail) == (StepState.DONE, "2 certificates · no message yet")
    revoke(short, actor="dana", now=NOW)
    other = make_endpoint(endpoint.organization, environment="production", with_sms=False)
    assert step_of(endpoint).detail == f"{other.name} has no certificate"


def test_the_preflight_check_looks_at_the_certificate(endpoint):
    check = next(check for check in doctor.checks() if check.name == "sender_certificate")
    context = doctor.CheckContext(endpoint=endpoint, now=NOW)

    assert check.run(context).outcome == doctor.Outcome.SKIPPED
    add_certificate(endpoint, make_identity(end=NOW + timedelta(days=6, hours=1)).pem, actor="dana", now=NOW)
    failed = check.run(context)
    assert failed.outcome == doctor.Outcome.FAILED
    assert failed.cause == "bridges.lamna.example.org: Ends in 6 days."
    add_certificate(endpoint, make_identity("new.lamna.example.org", end=NOW + 90 * DAY).pem, actor="dana", now=NOW)
    assert check.run(context).outcome == doctor.Outcome.PASSED
