"""Who is let in, who is not, and who has gone silent."""

import re
import ssl
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.models import Role
from config_portal import doctor
from core.models import AuditEvent
from hl7intake.models import InboundMessage, RefusedSender, SenderWatch
from hl7intake.refusals import RefusalLog
from hl7intake.services import refusals
from hl7intake.services.certificates import add_certificate, revoke
from hl7intake.services.health import health_of
from hl7intake.services.processing import apply_due
from hl7intake.services.receiving import receive
from hl7intake.services.refusals import forget_old, record_refused_sender
from hl7intake.services.senders import pinned_senders
from hl7intake.services.watching import change_watch, look_for_silence
from hl7intake.trust import ServerIdentity
from tests.factories import make_endpoint, make_organization, make_staff
from tests.hl7intake.conftest import receive_and_apply, sender_of
from tests.hl7intake.messages import NEW, change, load
from tests.hl7intake.mllp import Peer, listening
from tests.hl7intake.pki import DAY, client_context, make_identity
from tests.waiting import until
from visits.models import Visit

NOW = datetime.now(UTC)
PAGE = reverse("hl7:senders")


@pytest.fixture
def admin(client, endpoint):
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    return client


@pytest.mark.django_db(transaction=True)
def test_refused_senders_are_seen_in_the_portal_with_whose_certificate_and_why(client, tmp_path):
    endpoint = make_endpoint()
    make_endpoint(make_organization(name="Northwind Clinics"))
    listener, stranger = make_identity("mllp.lamna.example.org"), make_identity("stranger.example.org")
    old = make_identity("old.lamna.example.org", start=NOW - 30 * DAY, end=NOW - DAY)
    gone = make_identity("gone.lamna.example.org")
    add_certificate(endpoint, old.pem, actor="dana", now=NOW - 2 * DAY)
    revoke(add_certificate(endpoint, gone.pem, actor="dana", now=NOW), actor="dana", now=NOW)
    certificate, key = listener.write(tmp_path, "listener")
    identity = ServerIdentity(certificate_path=str(certificate), key_path=str(key))
    with listening(identity=identity, tick_seconds=0.1) as running:
        for one in (stranger, old, gone, None):
            knock(running.port, client_context(one, tmp_path))
        until(lambda: RefusedSender.objects.count() == 4)

    assert not InboundMessage.objects.exists()
    found = {
        (row.reason, str(row.certificate.subject) if row.certificate else "") for row in RefusedSender.objects.all()
    }
    assert found == {
        ("certificate is not registered", ""),
        ("certificate has expired", "CN=old.lamna.example.org"),
        ("certificate was revoked", "CN=gone.lamna.example.org"),
        ("no certificate was presented", ""),
    }
    assert AuditEvent.objects.filter(action="sender.refused", organization_id=endpoint.organization_id).count() == 2
    client.force_login(make_staff(endpoint.organization, Role.SUPPORT))
    page = client.get(PAGE).content.decode()
    assert "Certificate has expired" in page
    assert "gone.lamna.example.org" in page
    assert "127.0.0.1" in page
    # Two organizations: whose engine a stranger was, nobody knows.
    assert "Certificate is not registered" not in page


def knock(port: int, context: ssl.SSLContext) -> None:
    try:
        with Peer(port, context) as peer:
            peer.send(b"\x0b" + load(NEW) + b"\x1c\r")
            with pytest.raises((EOFError, OSError)):
                peer.answer()
    except (ssl.SSLError, ConnectionError):
        pass


@pytest.mark.django_db
def test_strangers_are_shown_where_only_one_organization_can_be_meant(admin, endpoint):
    record_refused_sender(peer="10.20.0.7", reason="certificate is not registered", count=3, now=NOW)
    record_refused_sender(peer="10.20.0.7", reason="certificate is not registered", count=4, now=NOW)

    row = RefusedSender.objects.get()
    assert row.count == 7
    page = admin.get(PAGE).content.decode()
    assert "10.20.0.7" in page
    assert "Is it your engine? Then upload the certificate it presents." in page
    make_organization(name="Northwind Clinics")
    assert "10.20.0.7" not in admin.get(PAGE).content.decode()


@pytest.mark.django_db
def test_refusals_are_forgotten_when_they_are_old_or_too_many(monkeypatch):
    monkeypatch.setattr(refusals, "MOST_ROWS", 3)
    for number in range(5):
        record_refused_sender(peer=f"10.0.0.{number}", reason="x", count=1, now=NOW - timedelta(minutes=number))
    record_refused_sender(peer="10.0.0.9", reason="x", count=1, now=NOW - timedelta(days=91))

    assert forget_old(now=NOW) == 3
    assert set(RefusedSender.objects.values_list("peer", flat=True)) == {"10.0.0.0", "10.0.0.1", "10.0.0.2"}


def test_refusals_of_one_address_are_counted_for_each_certificate():
    log, one, two = RefusalLog(), uuid4(), uuid4()
    for certificate in (one, two, two):
        log.note("10.0.0.1", "certificate was revoked", certificate_id=certificate)

    assert {(refusal.certificate_id, refusal.count) for refusal in log.take(at=0.0)} == {(one, 1), (two, 2)}


@pytest.mark.django_db
def test_a_certificate_that_was_revoked_and_registered_again_opens(endpoint):
    identity = make_identity()
    revoke(add_certificate(endpoint, identity.pem, actor="dana", now=NOW), actor="dana", now=NOW)
    assert [one.refusal for one in pinned_senders(now=NOW)] == ["certificate was revoked"]
    again = add_certificate(endpoint, identity.pem, actor="dana", now=NOW)
    assert [(one.refusal, one.sender.certificate_id) for one in pinned_senders(now=NOW)] == [("", again.pk)]


@pytest.mark.django_db
def test_the_health_of_each_sender_is_counted(endpoint, sender):
    quiet = make_endpoint(endpoint.organization, environment="production", with_sms=False)
    receive_and_apply(load(NEW), sender=sender, now=NOW - timedelta(hours=3))
    receive(change(load(NEW), ("MSH", 9, "ADT^A04")), sender=sender, now=NOW - timedelta(minutes=20))
    receive(change(load(NEW), ("MSH", 10, "2")), sender=sender, now=NOW - timedelta(minutes=10))
    InboundMessage.objects.filter(control_id="2").update(attempts=1)
    health, other = health_of([endpoint, quiet], now=NOW)

    assert health.last_at == NOW - timedelta(minutes=10)
    assert (health.last_hour, health.last_day, health.refused_last_day) == (2, 3, 1)
    assert health.error_share == pytest.approx(1 / 3)
    assert (health.waiting, health.waiting_since) == (1, health.last_at)
    assert (other.last_at, other.last_day, other.error_share) == (None, 0, 0.0)


@pytest.mark.django_db
def test_silence_is_told_once_and_so_is_its_end(endpoint, sender, admin, caplog):
    assert look_for_silence(now=NOW) == 0  # it never spoke
    receive_and_apply(load(NEW), sender=sender, now=NOW - timedelta(hours=25))

    assert [look_for_silence(now=NOW), look_for_silence(now=NOW)] == [1, 0]
    assert "sender is silent" in caplog.text
    assert AuditEvent.objects.get(action="sender.silent").organization_id == endpoint.organization_id
    assert "A sender is silent" in admin.get(reverse("hl7:inbox")).content.decode()
    check = next(check for check in doctor.checks() if check.name == "sender_messages")
    assert check.run(doctor.CheckContext(endpoint=endpoint, now=NOW)).outcome == doctor.Outcome.FAILED

    receive_and_apply(change(load(NEW), ("MSH", 10, "2")), sender=sender, now=NOW)
    assert look_for_silence(now=NOW) == 0
    assert AuditEvent.objects.filter(action="sender.silence_over").count() == 1
    assert look_for_silence(now=NOW + timedelta(hours=25)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_test_message_goes_through_the_listener_and_leaves_nothing(client, settings, tmp_path):
    endpoint = make_endpoint()
    client.force_login(make_staff(endpoint.organization, Role.ADMIN))
    listener = make_identity("mllp.lamna.example.org")
    certificate, key = listener.write(tmp_path, "listener")
    url = reverse("hl7:test", args=[endpoint.pk])
    assert "MLLP_TLS_CERTIFICATE_PATH" in client.post(url, follow=True).content.decode()

    settings.MLLP_TLS_CERTIFICATE_PATH, settings.MLLP_PUBLIC_HOST = str(certificate), "127.0.0.1"
    identity = ServerIdentity(certificate_path=str(certificate), key_path=str(key))
    with listening(identity=identity) as running:
        settings.MLLP_PORT = running.port
        page = client.post(url, follow=True).content.decode()
    assert re.search(r"TEST-\S+ was answered AA in \d+ ms", page)
    while apply_due(now=datetime.now(UTC)):
        pass
    message = InboundMessage.objects.get()
    assert (message.state, message.reason) == ("ignored", "not_virtual")
    assert not Visit.objects.exists()
    certificate_used = message.certificate
    assert certificate_used is not None
    assert certificate_used.revoked_at is not None
    # A test says nothing about whether the engine is well.
    health = health_of([endpoint], now=datetime.now(UTC))[0]
    assert (health.last_at, health.last_day, list(health.certificates)) == (None, 0, [])
    assert certificate_used.fingerprint not in client.get(reverse("hl7:certificates")).content.decode()
    assert "no test message came through" in client.post(url, follow=True).content.decode()


@pytest.mark.django_db
def test_how_long_a_silence_may_last_is_set_for_each_endpoint(endpoint, sender, admin):
    receive_and_apply(load(NEW), sender=sender, now=NOW - timedelta(hours=3))
    page = admin.post(reverse("hl7:watch", args=[endpoint.pk]), {"hours": "2"}, follow=True).content.decode()

    assert f"{endpoint.name}: told after 2 hours of silence." in page
    assert look_for_silence(now=NOW) == 1
    event = AuditEvent.objects.get(action="sender_watch.changed")
    assert (event.data["changes"][0]["was"], event.data["changes"][0]["now"]) == (24, 2)
    change_watch(endpoint, hours=0, actor="dana")
    assert look_for_silence(now=NOW + timedelta(days=9)) == 0
    for wrong in ("-1", "721", "x", ""):
        assert (
            "0 to 720"
            in admin.post(reverse("hl7:watch", args=[endpoint.pk]), {"hours": wrong}, follow=True).content.decode()
        )
    assert SenderWatch.objects.get().hours == 0


@pytest.mark.django_db
def test_a_paused_endpoint_may_be_silent(endpoint, sender):
    receive_and_apply(load(NEW), sender=sender, now=NOW - timedelta(days=3))
    endpoint.is_paused = True
    endpoint.save()

    assert look_for_silence(now=NOW) == 0


@pytest.mark.django_db
def test_the_page_needs_the_same_queries_however_many_endpoints_there_are(
    admin, endpoint, django_assert_max_num_queries
):
    admin.get(PAGE)
    with django_assert_max_num_queries(16) as first:
        admin.get(PAGE)
    for number in range(4):
        other = make_endpoint(endpoint.organization, with_sms=False)
        add_certificate(other, make_identity(f"{number}.example.org").pem, actor="dana", now=NOW)
        receive_and_apply(load(NEW), sender=sender_of(other), now=NOW)
        record_refused_sender(peer=f"10.0.0.{number}", reason="x", count=1, now=NOW)
    with django_assert_max_num_queries(16) as second:
        admin.get(PAGE)
    assert len(first) == len(second)
