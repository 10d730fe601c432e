"""What people are told by e-mail: each warning and each silence once, whatever the mail server does."""

from datetime import UTC, datetime, timedelta

import pytest

from hl7intake.models import SenderCertificate, SenderWatch
from hl7intake.services.certificates import add_certificate, warn_of_expiry
from hl7intake.services.emailing import email_what_was_found
from hl7intake.services.watching import look_for_silence
from tests.hl7intake.conftest import receive_and_apply, sender_of
from tests.hl7intake.messages import NEW, load
from tests.hl7intake.pki import make_identity
from tests.smtp import mail_server

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 9, 14, 16, 0, tzinfo=UTC)
PRIVATE = ("RIVERA", "ELENA", "E40021877", "5550177", "482200417", "700000101")


@pytest.fixture
def post(settings):
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_FROM = "connector@example.org"
        settings.ALERT_EMAILS = ["operator@example.org"]
        yield server


@pytest.fixture
def endpoint(endpoint):
    organization = endpoint.organization
    organization.epic_contact_email = "bridges@lamna.example.org"
    organization.save()
    return endpoint


def run(now):
    warn_of_expiry(now=now)
    look_for_silence(now=now)
    return email_what_was_found(now=now)


def test_a_certificate_that_ends_is_written_about_three_times(endpoint, post):
    add_certificate(endpoint, make_identity(start=NOW, end=NOW + timedelta(days=90)).pem, actor="dana", now=NOW)
    told = [run(NOW + timedelta(days=day, hours=hour)) for day in range(90) for hour in (1, 13)]

    assert sum(told) == len(post.taken) == 3
    assert [day for day in range(90) if sum(told[day * 2 : day * 2 + 2])] == [30, 60, 83]
    mail = post.taken[0]
    assert post.recipients[0] == ["bridges@lamna.example.org", "operator@example.org"]
    assert mail["Subject"].endswith("ends in 59 days")
    assert "/setup/certificates/" in mail.get_payload()
    assert SenderCertificate.objects.get().fingerprint in mail.get_payload()


def test_a_silence_is_written_about_once_and_the_next_one_again(endpoint, post):
    receive_and_apply(load(NEW), sender=sender_of(endpoint), now=NOW)
    assert [run(NOW + timedelta(hours=hours)) for hours in (1, 25, 26, 48)] == [0, 1, 0, 0]

    receive_and_apply(
        load(NEW).replace(b"700000101", b"700000102"), sender=sender_of(endpoint), now=NOW + timedelta(hours=50)
    )
    assert [run(NOW + timedelta(hours=hours)) for hours in (51, 75, 76)] == [0, 1, 0]
    texts = [str(mail) for mail in post.taken]
    assert len(texts) == 2
    assert all("has sent no appointment message for more than 24 hours" in text for text in texts)
    assert not [word for word in PRIVATE for text in texts if word in text]


def test_what_the_mail_server_does_not_take_is_sent_later(endpoint, post):
    receive_and_apply(load(NEW), sender=sender_of(endpoint), now=NOW)
    post.refuses = True
    assert run(NOW + timedelta(hours=25)) == 0
    post.refuses = False
    assert run(NOW + timedelta(hours=25, minutes=5)) == 1
    assert len(post.taken) == 1


def test_a_mail_server_that_is_away_costs_nothing_but_the_mail(endpoint, post, settings):
    receive_and_apply(load(NEW), sender=sender_of(endpoint), now=NOW)
    settings.EMAIL_PORT = 1
    assert run(NOW + timedelta(hours=25)) == 0
    assert SenderWatch.objects.get().alerted_at is not None


def test_without_a_mail_server_nothing_is_sent(endpoint, post, settings):
    settings.EMAIL_FROM = ""
    receive_and_apply(load(NEW), sender=sender_of(endpoint), now=NOW)
    assert run(NOW + timedelta(hours=25)) == 0
    assert not post.taken


def test_without_contacts_there_is_nobody_to_write_to(endpoint, post, settings):
    settings.ALERT_EMAILS = []
    endpoint.organization.epic_contact_email = ""
    endpoint.organization.save()
    receive_and_apply(load(NEW), sender=sender_of(endpoint), now=NOW)
    run(NOW + timedelta(hours=25))
    assert not post.taken
